//! One connection to Redis, kept up by fred's own task.

use fred::error::Error;
use fred::prelude::{Client, ClientLike, EventInterface, Server};
use fred::types::ConnectHandle;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Duration, timeout};

use super::settings::RedisSettings;
use crate::fabric::types::FabricError;

/// Without an answer for so long, a connection is thrown away and a new one made: fred's task can end (its command
/// buffer was full when the connection broke) or hang (in writing to a socket nobody reads).
pub(super) const REPLACED_AFTER: Duration = Duration::from_secs(10);

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

    /// fred gave up.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
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
