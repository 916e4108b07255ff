//! A connection that listens, and whether its answers can be believed.

use std::collections::HashSet;

use fred::error::{Error, ErrorKind};
use fred::prelude::ClientLike;
use fred::types::{ClusterHash, CustomCommand};
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::connection::Connection;
use crate::fabric::topic::Topic;

/// How long we wait for fred to say that a connection is made.
const MADE_WITHIN: Duration = Duration::from_secs(3);

/// A connection and what it is subscribed to.
pub(super) struct Listening {
    pub(super) connection: Connection,
    pub(super) is_made: bool,
    pub(super) have: HashSet<Topic>,
    pub(super) last_answer: Instant,
    /// An answer came to another question than the one asked: what is answered later may be wrong too.
    pub(super) out_of_step: bool,
    listener: AbortHandle,
}

impl Listening {
    /// Over a connection, whose messages go to the task `listener`.
    pub(super) fn over(connection: Connection, listener: AbortHandle) -> Self {
        let (have, last_answer) = (HashSet::new(), Instant::now());
        Self { connection, is_made: false, have, last_answer, out_of_step: false, listener }
    }

    /// Before fred says that the connection is made, a subscription may still go out over it, and would be thrown away
    /// when it says so. But we do not wait for that word for ever.
    pub(super) fn is_worth_trying(&self) -> bool {
        self.is_made || self.last_answer.elapsed() > MADE_WITHIN
    }

    pub(super) fn is_lost(&self) -> bool {
        self.out_of_step || self.connection.is_stuck(self.last_answer)
    }

    /// Redis answers in order, so it has done what came before once it answers this; and its answer is to this question.
    pub(super) async fn in_step(&mut self) -> Result<(), Error> {
        let word = Uuid::now_v7().to_string();
        let answer: String = self.connection.client.custom(here("PING"), vec![word.as_str()]).await?;
        self.last_answer = Instant::now();
        self.out_of_step = answer != word;
        if self.out_of_step {
            return Err(Error::new(ErrorKind::Protocol, "this is the answer to another question"));
        }
        Ok(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// A command for the one place its connection goes to.
pub(super) fn here(name: &'static str) -> CustomCommand {
    CustomCommand::new_static(name, ClusterHash::Random, false)
}

/// How many shard channels a connection is subscribed to, from `CLIENT INFO`.
pub(super) fn shard_channels(info: &str) -> Option<usize> {
    info.split_ascii_whitespace().find_map(|field| field.strip_prefix("ssub="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_channels_are_counted() {
        let count = |info| shard_channels(info);
        assert_eq!(count("id=5 addr=127.0.0.1:55234 sub=0 psub=0 ssub=12 multi=-1\n"), Some(12));
        assert_eq!(count("id=5 sub=3 psub=0 multi=-1"), None, "Redis before 7.0.3 does not say");
    }
}
