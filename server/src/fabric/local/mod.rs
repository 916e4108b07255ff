//! The fabric of a server that runs alone: the same operations, in its own memory.

mod expiring;
mod many;
mod tails;
mod values;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::Mutex;
use uuid::Uuid;

use self::expiring::Expiring;
use self::tails::CachedEntries;
use self::values::Value;
use super::inbox::Inbox;
use super::topic::{Key, Topic};
use super::types::{BusEvent, Payload};

/// How much the in-process fabric keeps.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// Most entries kept of one stream's tail.
    pub tail_kept: usize,
    /// How long a tail stays after its last append.
    pub tail_ttl: Duration,
    /// Most bytes of all tails together.
    pub tail_bytes: usize,
    /// Most keys; beyond, those that would expire soonest go.
    pub keys: usize,
    /// Most members of all sorted sets together; beyond, the sets that would expire soonest go.
    pub scores: usize,
    /// Most bus events waiting for their reader.
    pub inbox: usize,
}

impl Default for LocalSettings {
    fn default() -> Self {
        Self {
            tail_kept: super::TAIL_KEPT,
            tail_ttl: super::TAIL_TTL,
            tail_bytes: 64 << 20,
            keys: 200_000,
            scores: 500_000,
            inbox: super::INBOX,
        }
    }
}

#[derive(Debug)]
pub(super) struct Local {
    settings: LocalSettings,
    values: Mutex<Expiring<Key, Value>>,
    sets: Mutex<Expiring<Key, HashMap<String, i64>>>,
    tails: Mutex<Expiring<Uuid, CachedEntries>>,
    followed: Mutex<HashSet<Topic>>,
    /// The token of the next lock.
    tokens: AtomicU64,
    pub(super) inbox: Inbox,
}

impl Local {
    pub(super) fn new(settings: LocalSettings) -> Self {
        Self {
            values: Mutex::new(Expiring::at_most(settings.keys)),
            sets: Mutex::new(Expiring::at_most(settings.scores)),
            tails: Mutex::new(Expiring::at_most(settings.tail_bytes)),
            followed: Mutex::default(),
            tokens: AtomicU64::new(first_token()),
            inbox: Inbox::bounded(settings.inbox),
            settings,
        }
    }

    pub(super) fn publish(&self, topic: Topic, payload: &Payload) {
        if self.followed.lock().contains(&topic) {
            self.inbox.deliver(BusEvent::Message { topic, payload: payload.clone() });
        }
    }

    pub(super) fn follow(&self, topics: &[Topic]) {
        self.followed.lock().extend(topics);
    }

    pub(super) fn unfollow(&self, topics: &[Topic]) {
        let mut followed = self.followed.lock();
        for topic in topics {
            followed.remove(topic);
        }
    }
}

/// Tokens begin at the time in microseconds, so that a restart does not take them back as long as the clock does not go
/// back and locks do not change hands every microsecond.
fn first_token() -> u64 {
    let now = Uuid::now_v7().get_timestamp().expect("a UUIDv7 tells its time");
    let (seconds, nanoseconds) = now.to_unix();
    seconds * 1_000_000 + u64::from(nanoseconds / 1_000)
}
