//! One connection to Redis, kept up by fred's own task.

use fred::error::Error;
use fred::prelude::{Client, ClientLike, EventInterface, Server};
use fred::types::ConnectHandle;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Duration, Instant, timeout};

use super::settings::RedisSettings;
use crate::fabric::types::FabricError;

/// Without an answer for so long over what seems a living connection, it is thrown away and a new one made. fred gives
/// up an unresponsive connection only when nothing more is written to it for 3 s, and we ask every second.
const SILENT_AFTER: Duration = Duration::from_secs(3);
/// The same while fred tries to connect: its task can hang (in writing to a socket nobody reads).
const REPLACED_AFTER: Duration = Duration::from_secs(10);

/// Waits for the next event. A channel that is closed says nothing any more: [`Connection::is_over`] does.
pub(super) async fn next<T: Clone>(events: &mut Receiver<T>) {
    if matches!(events.recv().await, Err(RecvError::Closed)) {
        std::future::pending::<()>().await;
    }
}

/// A client, its task, and what it tells about its connection.
pub(super) struct Connection {
    pub(super) client: Client,
    task: ConnectHandle,
    /// It broke, or an attempt to make it failed.
    pub(super) broken: Receiver<(Error, Option<Server>)>,
    /// It was made, for the first time or again.
    pub(super) made: Receiver<Server>,
}

impl Connection {
    /// Begins connecting, for ever: to the Redis of the address, or to one node of that cluster alone.
    pub(super) fn start(settings: &RedisSettings, node: Option<&Server>) -> Result<Self, FabricError> {
        let client = settings.client(node)?;
        let (broken, made) = (client.error_rx(), client.reconnect_rx());
        let task = client.connect();
        Ok(Self { client, task, broken, made })
    }

    /// fred gave up: its task ends when its command buffer was full as the connection broke.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Whether nothing more is to be expected from it, when it answered last at `last_answer`.
    pub(super) fn is_stuck(&self, last_answer: Instant) -> bool {
        let limit = if self.client.is_connected() { SILENT_AFTER } else { REPLACED_AFTER };
        self.is_over() || last_answer.elapsed() > limit
    }

    /// Says goodbye, briefly; dropping ends what is left.
    pub(super) async fn end(&self) {
        let _polite = timeout(Duration::from_millis(300), self.client.quit()).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}
