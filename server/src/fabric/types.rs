//! What goes into the fabric and what comes out of it.

use std::time::Duration;

use uuid::Uuid;

use super::topic::{Key, Topic};

/// A text that is cheap to clone and to slice: UTF-8 over reference-counted bytes.
///
/// `String::into` makes one without copying, `into_inner` gives its `Bytes`.
pub type Payload = bytes_utils::Str;

/// A hash to be stored: its key and all its fields.
pub type HashOf = (Key, Vec<(String, String)>);

/// Members of a sorted set with their scores, or with what is to be added to them. Whole numbers below 2^53.
pub type Scores = Vec<(String, i64)>;

/// Why an operation did not happen, or may not have happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FabricError {
    /// The address of Redis cannot be understood. Only at start.
    #[error("the Redis address cannot be used: {0}")]
    Url(String),
    /// Redis is known to be unreachable, so nothing was tried.
    #[error("Redis is known to be unreachable")]
    Down,
    /// Redis did not answer in time; the operation may still happen.
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The connection broke; the operation may have happened.
    #[error("the connection to Redis failed: {0}")]
    Connection(String),
    /// Redis refuses to store more: its memory or its disk is full. Nothing was stored.
    #[error("Redis refuses to store: {0}")]
    Full(String),
    /// Redis answered with an error, or with something this version does not understand.
    #[error("Redis answered: {0}")]
    Reply(String),
}

/// One committed entry, to be added to its stream's cached tail and told to the nodes that follow the stream.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The stream it was appended to.
    pub stream: Uuid,
    /// Its place in the stream, from 1.
    pub seq: u64,
    /// What the tail keeps and the followers get; never read here, never empty.
    pub payload: Payload,
    /// The entry changes the text of earlier ones (a recall, an erasure), so the cached tail must go.
    pub drop_tail: bool,
}

/// What became of a stream's cached tail when an entry was appended. The publishing happens whatever this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// It was longer by this entry.
    Extended,
    /// There was none.
    Cold,
    /// It had this entry already, or later ones.
    Stale,
    /// It is gone: the entry did not continue it, or asked for that.
    Dropped,
    /// It is gone: there was no room to keep it.
    Full,
    /// Not known: this one call failed, and perhaps nobody was told. The fabric drops the tail by itself.
    Failed,
}

/// The newest entries of a stream, as they were appended: without holes, the last one being `head`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedTail {
    /// The seq of the newest entry when this was cached; 0 for a stream without entries.
    pub head: u64,
    /// The newest entries, oldest first. May be empty although `head` is not 0.
    pub payloads: Vec<Payload>,
}

impl CachedTail {
    /// The seq of the first of `payloads`; one more than `head` when there are none.
    pub fn first_seq(&self) -> u64 {
        (self.head + 1).saturating_sub(self.payloads.len() as u64)
    }
}

/// The right to refill one stream's tail, until an append voids it or it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseToken(pub(super) Uuid);

/// A value together with the rank it was stored under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// What decides which of two values stays: the higher one.
    pub rank: i64,
    /// The value.
    pub value: String,
}

impl Ranked {
    /// How it is stored: `rank:value`.
    pub(super) fn encode(&self) -> String {
        format!("{}:{}", self.rank, self.value)
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let (rank, value) = text.split_once(':')?;
        Some(Self { rank: rank.parse().ok()?, value: value.to_owned() })
    }
}

/// What `raise` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raised {
    /// The value was stored; the one it replaced, when there was one.
    Set(Option<Ranked>),
    /// One of the same or a higher rank was there and stays.
    Kept(Ranked),
}

/// A lock that is held, until its time to live is over or it is given back.
///
/// Its holder may be paused past that time without knowing: whatever must be right rests on `token`, or on SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    pub(super) key: Key,
    /// Grows with every holder of this lock, also when the fabric lost its memory (as long as its clock does not go
    /// back).
    pub token: u64,
}

/// What the bus has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusEvent {
    /// Something was published under a topic this node follows.
    Message {
        /// The topic.
        topic: Topic,
        /// What was published.
        payload: Payload,
    },
    /// Messages may have been lost: compare everything followed with its head. Never the sign of an empty queue.
    Resync,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ranked_value_survives_its_own_encoding() {
        for (rank, value) in [(0, ""), (-3, "a:b"), (i64::MAX, "x")] {
            let ranked = Ranked { rank, value: value.into() };
            assert_eq!(Ranked::decode(&ranked.encode()), Some(ranked));
        }
        for broken in ["", "7", "x:y", "9223372036854775808:too-high"] {
            assert_eq!(Ranked::decode(broken), None);
        }
    }

    #[test]
    fn a_tail_knows_its_first_seq() {
        let tail = |head, count| CachedTail { head, payloads: vec!["x".into(); count] }.first_seq();
        assert_eq!((tail(5, 3), tail(5, 0), tail(0, 0), tail(3, 3)), (3, 6, 1, 1));
    }
}
