//! The connection that listens, and what it is to listen to.
//!
//! fred forgets subscriptions when its connection breaks (its own remedy sends an empty `PSUBSCRIBE` and leaves some
//! out), and calls a subscription done when it is written, before Redis has read it. So the wanted topics are kept
//! here, one task makes the connection match them, and a `PING` behind each `SUBSCRIBE` tells that it is in force.

use std::collections::HashSet;
use std::sync::Arc;

use fred::clients::Client;
use fred::error::Error;
use fred::prelude::{ClientLike, EventInterface, PubsubInterface, Value};
use fred::types::{ClusterHash, CustomCommand, Message};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::channel;
use super::connection::{Connection, REPLACED_AFTER, next};
use super::link::{Link, PROBE_EVERY};
use super::sealed::{seal, unseal};
use super::values::corrupt;
use crate::fabric::inbox::Inbox;
use crate::fabric::topic::Topic;
use crate::fabric::types::{BusEvent, FabricError};

/// A node that spoke and did not hear itself for so long is deaf.
const DEAF_AFTER: Duration = Duration::from_secs(3);
/// Topics in one `SUBSCRIBE`.
const AT_ONCE: usize = 500;

pub(super) struct Ears {
    link: Arc<Link>,
    /// The topic this node speaks to itself on.
    voice: Topic,
    wanted: Mutex<Wanted>,
    changed: Notify,
    /// Up to which version of `wanted` the connection matches it; `None` while there is no connection.
    matched: watch::Sender<Option<u64>>,
    heard: Mutex<Heard>,
    pub(super) inbox: Inbox,
}

#[derive(Default)]
struct Wanted {
    topics: HashSet<Topic>,
    /// What was added or removed since the connection was last made to match.
    changes: HashSet<Topic>,
    version: u64,
    /// Somebody was told that a `Resync` will come.
    resync_owed: bool,
}

#[derive(Default)]
struct Heard {
    /// When the oldest word was spoken that was not heard yet.
    unheard_since: Option<Instant>,
    last: Option<Instant>,
}

impl Ears {
    pub(super) fn start(link: &Arc<Link>) -> Result<(Arc<Self>, Connection), FabricError> {
        let ears = Self {
            link: Arc::clone(link),
            voice: Topic::Probe(Uuid::now_v7()),
            wanted: Mutex::default(),
            changed: Notify::new(),
            matched: watch::Sender::new(None),
            heard: Mutex::default(),
            inbox: Inbox::bounded(link.settings.inbox),
        };
        Ok((Arc::new(ears), Connection::start(&link.settings)?))
    }

    pub(super) async fn follow(&self, topics: &[Topic]) -> Result<(), FabricError> {
        let version = self.want(topics, HashSet::insert);
        let late = |error| {
            self.wanted.lock().resync_owed = true;
            self.changed.notify_one();
            Err(error)
        };
        if self.matched.borrow().is_none() {
            return late(FabricError::Down);
        }
        let limit = self.link.settings.command_limit();
        let mut matched = self.matched.subscribe();
        let in_time = timeout(limit, matched.wait_for(|done| done.is_some_and(|done| done >= version))).await;
        if in_time.is_err() { late(FabricError::Timeout(limit)) } else { Ok(()) }
    }

    pub(super) fn unfollow(&self, topics: &[Topic]) {
        self.want(topics, |wanted, topic| wanted.remove(&topic));
    }

    fn want(&self, topics: &[Topic], change: impl Fn(&mut HashSet<Topic>, Topic) -> bool) -> u64 {
        let mut wanted = self.wanted.lock();
        let mut changed = false;
        for &topic in topics {
            if change(&mut wanted.topics, topic) {
                wanted.changes.insert(topic);
                changed = true;
            }
        }
        if changed {
            wanted.version += 1;
            self.changed.notify_one();
        }
        wanted.version
    }

    pub(super) fn is_hearing(&self) -> bool {
        self.matched.borrow().is_some()
            && self.heard.lock().last.is_some_and(|last| last.elapsed() < DEAF_AFTER)
    }

    /// Waits until the connection is there, at most `limit`.
    pub(super) async fn open_within(&self, limit: Duration) {
        let mut matched = self.matched.subscribe();
        let _in_time = timeout(limit, matched.wait_for(Option::is_some)).await;
    }

    /// Keeps the connection up and matching what is wanted until told to stop.
    pub(super) async fn keep(self: Arc<Self>, connection: Connection, stop: CancellationToken) {
        let mut ticks = interval(PROBE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut listening = Listening::to(&self, connection);
        loop {
            let mut tick = false;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = next(&mut listening.connection.broken) => {
                    self.lost(&mut listening);
                    if !listening.connection.is_over() { continue }
                }
                () = next(&mut listening.connection.made) => {
                    self.lost(&mut listening);
                    listening.is_made = true;
                }
                () = self.changed.notified() => {}
                _ = ticks.tick() => tick = true,
            }
            let was_matched = self.matched.borrow().is_some();
            if listening.is_worth_trying() && self.make_match(&mut listening).await {
                listening.last_matched = Instant::now();
            }
            let matched = self.matched.borrow().is_some();
            if matched && (tick || !was_matched) {
                self.speak().await;
            }
            if listening.is_lost() || (matched && self.is_deaf()) {
                tracing::warn!("the bus is not heard; connecting anew");
                self.lost(&mut listening);
                if let Ok(connection) = Connection::start(&self.link.settings) {
                    listening = Listening::to(&self, connection);
                }
            }
        }
        self.matched.send_replace(None);
        listening.connection.end().await;
    }

    /// The subscriptions are gone.
    fn lost(&self, listening: &mut Listening) {
        listening.have.clear();
        listening.is_made = false;
        *self.heard.lock() = Heard::default();
        if self.matched.send_replace(None).is_some() {
            self.wanted.lock().resync_owed = true;
        }
    }

    /// Subscribes to what is wanted and not there, and the other way round; true when it all is as wanted.
    async fn make_match(&self, listening: &mut Listening) -> bool {
        let (version, changes) = {
            let mut wanted = self.wanted.lock();
            let mut changes = std::mem::take(&mut wanted.changes);
            if self.matched.borrow().is_none() {
                changes = wanted.topics.iter().copied().chain([self.voice]).collect();
                wanted.resync_owed |= !wanted.topics.is_empty();
            }
            let wants = |topic: &Topic| *topic == self.voice || wanted.topics.contains(topic);
            let changes: Vec<(Topic, bool)> = changes.iter().map(|topic| (*topic, wants(topic))).collect();
            (wanted.version, changes)
        };
        let (add, remove): (Vec<_>, Vec<_>) = changes
            .iter()
            .filter(|(topic, wanted)| *wanted != listening.have.contains(topic))
            .partition(|(_, wanted)| *wanted);
        let done = self.subscribe(listening, &add).await.is_ok()
            && self.unsubscribe(listening, &remove).await.is_ok();
        let mut wanted = self.wanted.lock();
        if !done {
            wanted.changes.extend(changes.iter().map(|(topic, _)| *topic));
            wanted.resync_owed = true;
            return false;
        }
        self.matched.send_replace(Some(version));
        if std::mem::take(&mut wanted.resync_owed) {
            self.inbox.resync();
        }
        true
    }

    async fn subscribe(&self, listening: &mut Listening, topics: &[&(Topic, bool)]) -> Result<(), Error> {
        let client = &listening.connection.client;
        for some in topics.chunks(AT_ONCE) {
            client.subscribe(self.channels(some)).await?;
            in_force(client).await?;
            listening.have.extend(some.iter().map(|(topic, _)| *topic));
        }
        Ok(())
    }

    async fn unsubscribe(&self, listening: &mut Listening, topics: &[&(Topic, bool)]) -> Result<(), Error> {
        for some in topics.chunks(AT_ONCE) {
            listening.connection.client.unsubscribe(self.channels(some)).await?;
            for (topic, _) in some {
                listening.have.remove(topic);
            }
        }
        Ok(())
    }

    fn channels(&self, topics: &[&(Topic, bool)]) -> Vec<String> {
        topics.iter().map(|(topic, _)| channel(&self.link.settings.prefix, *topic)).collect()
    }

    /// Says something to itself, through the bus.
    async fn speak(&self) {
        let client = self.link.client();
        let word = client.publish::<(), _, _>(channel(&self.link.settings.prefix, self.voice), seal(0, "?"));
        let spoken = Instant::now();
        self.heard.lock().unheard_since.get_or_insert(spoken);
        if self.link.call("probe", Box::pin(word)).await.is_err() {
            // Not spoken, perhaps: then nothing can be said about hearing.
            self.heard.lock().unheard_since = None;
        }
        let age = self.heard.lock().last.map_or(f64::INFINITY, |last| last.elapsed().as_secs_f64());
        gauge!("hubbub_pubsub_probe_age_seconds").set(age);
    }

    fn is_deaf(&self) -> bool {
        self.heard.lock().unheard_since.is_some_and(|since| since.elapsed() > DEAF_AFTER)
    }

    /// Passes on what is heard. Never waits for anything but the next message.
    async fn listen(self: Arc<Self>, mut messages: Receiver<Message>) {
        loop {
            match messages.recv().await {
                Ok(message) => self.hear(message),
                Err(RecvError::Lagged(lost)) => {
                    counter!("hubbub_pubsub_dropped_total").increment(lost);
                    self.inbox.resync();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn hear(&self, message: Message) {
        let name = message.channel.strip_prefix(self.link.settings.prefix.as_str());
        let Some(topic) = name.and_then(Topic::parse) else { return };
        if topic == self.voice {
            *self.heard.lock() = Heard { unheard_since: None, last: Some(Instant::now()) };
            return;
        }
        let sealed = match message.value {
            Value::String(text) => Some(text),
            _ => None,
        };
        if let Some((_, payload)) = sealed.as_ref().and_then(unseal) {
            // A copy: the slice would keep all that was read from the socket with it for as long as a slow reader's
            // outbox keeps the message.
            let payload = payload.to_string().into();
            self.inbox.deliver(BusEvent::Message { topic, payload });
        } else {
            corrupt();
            self.inbox.resync();
        }
    }
}

/// A connection and what it is subscribed to.
struct Listening {
    connection: Connection,
    is_made: bool,
    have: HashSet<Topic>,
    last_matched: Instant,
    listener: AbortHandle,
}

impl Listening {
    fn to(ears: &Arc<Ears>, connection: Connection) -> Self {
        let messages = connection.client.message_rx();
        let listener = tokio::spawn(Arc::clone(ears).listen(messages)).abort_handle();
        Self { connection, is_made: false, have: HashSet::new(), last_matched: Instant::now(), listener }
    }

    /// Before fred says that the connection is made, a subscription may still go out over it, and would be thrown away
    /// when it says so. But we do not wait for that word for ever.
    fn is_worth_trying(&self) -> bool {
        self.is_made || self.last_matched.elapsed() > DEAF_AFTER
    }

    fn is_lost(&self) -> bool {
        self.connection.is_over() || self.last_matched.elapsed() > REPLACED_AFTER
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Redis answers in order, so it has done what came before once it answers this. In a cluster the question goes to
/// the node that fred subscribes at.
async fn in_force(client: &Client) -> Result<(), Error> {
    let place = ClusterHash::Custom(fred::util::redis_keyslot(client.id().as_bytes()));
    client.custom(CustomCommand::new_static("PING", place, false), Vec::<Value>::new()).await
}
