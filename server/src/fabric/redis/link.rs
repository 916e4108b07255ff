//! The way every command goes: past the breaker, under a time limit, measured.

use std::sync::Arc;

use fred::error::{Error, ErrorKind};
use fred::prelude::{Client, ClientLike, ClusterInterface, PubsubInterface};
use futures_util::future::{BoxFuture, try_join_all};
use metrics::{counter, histogram};
use parking_lot::RwLock;
use tokio::time::{Duration, Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::breaker::Breaker;
use super::connection::{Connection, next};
use super::settings::RedisSettings;
use super::unsettled::Unsettled;
use crate::clock::every;
use crate::fabric::types::{FabricError, Payload};

/// How often an unreachable Redis is asked whether it is back, and a reachable one whether it is there.
pub(super) const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The connection for commands.
pub(super) struct Link {
    pub(super) settings: RedisSettings,
    pub(super) breaker: Breaker,
    client: RwLock<Client>,
}

impl Link {
    /// A link over a connection that is being made, and the task's part of it.
    pub(super) fn start(settings: &RedisSettings) -> Result<(Arc<Self>, Connection), FabricError> {
        let connection = Connection::start(settings, None)?;
        let client = RwLock::new(connection.client.clone());
        Ok((Arc::new(Self { settings: settings.clone(), breaker: Breaker::new(), client }), connection))
    }

    /// To build a command with; it is sent when [`call`](Self::call) awaits it.
    pub(super) fn client(&self) -> Client {
        self.client.read().clone()
    }

    /// Runs a command unless Redis is known to be down, and never longer than the limit. Boxed, because a future of
    /// fred's has 20 KB, which every connection's task would have to make room for.
    pub(super) async fn call<T>(
        &self,
        op: &'static str,
        command: BoxFuture<'_, Result<T, Error>>,
    ) -> Result<T, FabricError> {
        if !self.breaker.is_closed() {
            return Err(FabricError::Down);
        }
        let result = self.measured(op, command).await;
        match &result {
            Err(FabricError::Timeout(_) | FabricError::Connection(_)) => self.breaker.failed(),
            _ => self.breaker.answered(),
        }
        result
    }

    /// Publishes what is sealed: in a cluster on a shard channel, which goes to one primary and its replicas alone.
    pub(super) async fn publish(
        &self,
        op: &'static str,
        channel: String,
        sealed: Payload,
    ) -> Result<(), FabricError> {
        let client = self.client();
        if self.settings.is_clustered() {
            self.call(op, Box::pin(client.spublish(channel, sealed))).await
        } else {
            self.call(op, Box::pin(client.publish(channel, sealed))).await
        }
    }

    async fn measured<T>(
        &self,
        op: &'static str,
        command: BoxFuture<'_, Result<T, Error>>,
    ) -> Result<T, FabricError> {
        let limit = self.settings.command_limit();
        let started = Instant::now();
        let result = match timeout(limit, command).await {
            Ok(result) => result.map_err(|error| classify(&error, limit)),
            Err(_) => Err(FabricError::Timeout(limit)),
        };
        histogram!("hubbub_dep_duration_seconds", "dep" => "redis", "op" => op).record(started.elapsed());
        if let Err(error) = &result {
            counter!("hubbub_dep_errors_total", "dep" => "redis", "op" => op).increment(1);
            tracing::debug!(op, %error, "Redis operation failed");
        }
        result
    }

    /// Keeps the breaker right and the connection alive until told to stop.
    pub(super) async fn keep(
        self: Arc<Self>,
        mut connection: Connection,
        unsettled: Arc<Unsettled>,
        stop: CancellationToken,
    ) {
        let mut ticks = every(PROBE_EVERY);
        let mut last_answer = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = next(&mut connection.broken) => {
                    self.breaker.open("the connection broke");
                    if !connection.is_over() { continue }
                }
                // Perhaps it is to a replica that was promoted and misses the last writes.
                () = next(&mut connection.made) => {
                    unsettled.remember_recent();
                    last_answer = Instant::now();
                }
                _ = ticks.tick() => {}
            }
            if self.probe(&unsettled).await {
                last_answer = Instant::now();
            } else if connection.is_stuck(last_answer)
                && let Ok(new) = Connection::start(&self.settings, None)
            {
                *self.client.write() = new.client.clone();
                connection = new;
                last_answer = Instant::now();
            }
        }
        self.breaker.open("this node is closing");
        connection.end().await;
    }

    /// Asks once, past the breaker: in a cluster every primary. Before it closes, the tails that are behind are dropped.
    async fn probe(&self, unsettled: &Unsettled) -> bool {
        let client = self.client();
        if self.measured("ping", Box::pin(ping_all(&client))).await.is_err() {
            self.breaker.failed();
            return false;
        }
        if unsettled.is_empty() {
            self.breaker.close();
            return true;
        }
        let settling = Box::pin(unsettled.settle(&client, &self.settings.prefix));
        let settled = self.measured("settle", settling).await.is_ok();
        if settled {
            self.breaker.close();
        }
        settled
    }
}

async fn ping_all(client: &Client) -> Result<(), Error> {
    let Some(cluster) = client.cached_cluster_state() else {
        return client.ping::<String>(None).await.map(drop);
    };
    let primaries = cluster.unique_primary_nodes();
    if primaries.is_empty() {
        return Err(Error::new(ErrorKind::Cluster, "no primary is known yet"));
    }
    let asked = primaries
        .into_iter()
        .map(async |primary| client.with_cluster_node(primary).ping::<String>(None).await.map(drop));
    try_join_all(asked).await.map(drop)
}

/// Whether a command was not done because its slot is, or goes, elsewhere. fred knows the new place by now, but is not
/// let to follow: it does not wait for the answers under way before `ASKING`, and then gives callers each other's.
pub(super) fn is_redirected(error: &Error) -> bool {
    error.details().starts_with("Too many redirections")
        || ["MOVED ", "ASK ", "TRYAGAIN "].iter().any(|word| error.details().starts_with(word))
}

/// What an error of fred's means to us. Its text is all there is to tell an answer of Redis from a failure to ask.
fn classify(error: &Error, limit: Duration) -> FabricError {
    let text = error.details();
    let word = text.split(' ').next().unwrap_or_default();
    match (error.kind(), word) {
        _ if is_redirected(error) => FabricError::Reply("the slot of the cluster moves".to_owned()),
        (ErrorKind::Timeout, _) => FabricError::Timeout(limit),
        (_, "OOM" | "MISCONF" | "NOREPLICAS") => FabricError::Full(text.to_owned()),
        (_, "LOADING" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "NOAUTH" | "WRONGPASS") => {
            FabricError::Connection(text.to_owned())
        }
        (
            ErrorKind::Parse | ErrorKind::InvalidArgument | ErrorKind::InvalidCommand | ErrorKind::NotFound,
            _,
        ) => FabricError::Reply(text.to_owned()),
        (_, word) if word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            FabricError::Reply(text.to_owned())
        }
        _ => FabricError::Connection(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_failures_to_ask_are_told_apart() {
        let of = |kind, text: &'static str| classify(&Error::new(kind, text), Duration::from_millis(300));
        assert!(matches!(of(ErrorKind::Timeout, "Request timed out."), FabricError::Timeout(_)));
        assert!(matches!(of(ErrorKind::Unknown, "OOM command not allowed"), FabricError::Full(_)));
        assert!(matches!(of(ErrorKind::Unknown, "LOADING Redis is loading"), FabricError::Connection(_)));
        assert!(matches!(of(ErrorKind::Unknown, "READONLY You can't write"), FabricError::Connection(_)));
        assert!(matches!(of(ErrorKind::Routing, "Too many redirections."), FabricError::Reply(_)));
        assert!(matches!(of(ErrorKind::Unknown, "TRYAGAIN Multiple keys"), FabricError::Reply(_)));
        assert!(matches!(of(ErrorKind::InvalidArgument, "WRONGTYPE Operation"), FabricError::Reply(_)));
        assert!(matches!(of(ErrorKind::Unknown, "Client is not initialized."), FabricError::Connection(_)));
        assert!(matches!(of(ErrorKind::IO, "Broken pipe"), FabricError::Connection(_)));
    }
}
