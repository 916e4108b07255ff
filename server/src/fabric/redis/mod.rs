//! The fabric of a cluster: Redis, through fred.
//!
//! Two connections a node, however many clients it has: one for commands ([`link`]), one that listens ([`ears`]). In a
//! cluster it is two to each primary.

mod breaker;
mod connection;
mod ear;
mod ears;
mod link;
mod listening;
mod many;
mod script;
mod sealed;
mod settings;
mod tails;
mod tls;
mod unsettled;
mod values;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fred::prelude::ClientLike;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::ears::Ears;
use self::link::Link;
use self::sealed::seal;
pub use self::settings::RedisSettings;
use self::unsettled::Unsettled;
pub(super) use self::values::corrupt;
use super::Result;
use super::topic::{Key, Topic};
use super::types::{BusEvent, Payload};

pub(super) struct Redis {
    link: Arc<Link>,
    ears: Arc<Ears>,
    unsettled: Arc<Unsettled>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Stops the tasks when nobody holds the fabric any more.
    _stop_when_dropped: DropGuard,
}

impl Redis {
    pub(super) async fn start(settings: &RedisSettings) -> Result<Self> {
        let deadline = Instant::now() + settings.connect_timeout;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let unsettled = Arc::<Unsettled>::default();
        let (link, connection) = Link::start(settings)?;
        tasks.spawn(Arc::clone(&link).keep(connection, Arc::clone(&unsettled), stop.clone()));
        let ears = Ears::start(&link, &tasks, &stop)?;
        tasks.spawn(Arc::clone(&ears).keep());
        tasks.close();
        // The guard first: a start that is given up must end its tasks.
        let started =
            Self { link, ears, unsettled, tasks, _stop_when_dropped: stop.clone().drop_guard(), stop };
        started.link.breaker.closed_within(settings.connect_timeout).await;
        started.ears.open_within(deadline.saturating_duration_since(Instant::now())).await;
        Ok(started)
    }

    pub(super) async fn close(&self) {
        self.stop.cancel();
        let _in_time = timeout(Duration::from_secs(1), self.tasks.wait()).await;
    }

    pub(super) fn is_up(&self) -> bool {
        self.link.breaker.is_closed()
    }

    pub(super) fn is_hearing(&self) -> bool {
        self.ears.is_hearing()
    }

    pub(super) async fn ping(&self) -> Result<()> {
        let client = self.link.client();
        self.link.call("ping", Box::pin(client.ping::<String>(None))).await.map(drop)
    }

    pub(super) async fn publish(&self, topic: Topic, payload: &Payload) -> Result<()> {
        self.link.publish("publish", self.channel(topic), seal(0, payload)).await
    }

    pub(super) async fn follow(&self, topics: &[Topic]) -> Result<()> {
        self.ears.follow(topics).await
    }

    pub(super) fn unfollow(&self, topics: &[Topic]) {
        self.ears.unfollow(topics);
    }

    pub(super) fn incoming(&self) -> mpsc::Receiver<BusEvent> {
        self.ears.inbox.open()
    }

    fn name(&self, key: &Key) -> String {
        name(&self.link.settings.prefix, key)
    }

    fn channel(&self, topic: Topic) -> String {
        channel(&self.link.settings.prefix, topic)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("settings", &self.link.settings).finish_non_exhaustive()
    }
}

fn name(prefix: &str, key: &Key) -> String {
    format!("{prefix}{}", key.as_str())
}

fn channel(prefix: &str, topic: Topic) -> String {
    format!("{prefix}{topic}")
}
