//! What is committed here is counted, in slices, in one round trip a second.

use std::{collections::HashMap, time::Duration};

use hubbub_protocol::{
    entry::{Entry, EntryBody},
    id::{RoomId, StreamId, UserId},
    model::RoomKind,
};
use moka::sync::Cache;
use parking_lot::Mutex;

use super::{Counters, sets::Addition, time::slice_of};
use crate::{clock::every, fabric::Key, store};

/// How long counts gather.
const EVERY: Duration = Duration::from_secs(1);
/// How long a slice stays: by then SQL has been asked.
const SLICE_TTL: Duration = Duration::from_mins(30);
/// Counts that wait at most; what is beyond is counted from SQL alone.
const WAITING: usize = 50_000;
/// Rooms whose kinds are remembered; a kind never changes.
const KINDS_KEPT: u64 = 50_000;

/// Counts on their way to the fabric.
pub(super) struct Gathered {
    waiting: Mutex<HashMap<(i64, RoomId, UserId), u64>>,
    kinds: Cache<RoomId, RoomKind>,
}

impl Default for Gathered {
    fn default() -> Self {
        Self { waiting: Mutex::default(), kinds: Cache::new(KINDS_KEPT) }
    }
}

impl Gathered {
    pub(super) fn take_in(&self, entries: &[Entry]) {
        let messages = entries.iter().filter(|entry| matches!(entry.body, EntryBody::Message { .. }));
        let mut waiting = self.waiting.lock();
        for message in messages {
            let StreamId::Room(room) = message.stream else { continue };
            let place = (slice_of(message.at), room, message.sender);
            if waiting.len() < WAITING || waiting.contains_key(&place) {
                *waiting.entry(place).or_default() += 1;
            } else {
                dropped(1);
            }
        }
    }
}

fn dropped(messages: u64) {
    metrics::counter!("hubbub_activity_dropped_total").increment(messages);
}

/// Passes counts on until it is dropped.
pub(super) async fn run(counters: Counters) {
    let mut ticks = every(EVERY);
    loop {
        ticks.tick().await;
        let waiting = std::mem::take(&mut *counters.0.gathered.waiting.lock());
        if waiting.is_empty() {
            continue;
        }
        let messages = waiting.values().sum();
        if !counters.pass_on(waiting).await {
            dropped(messages);
        }
    }
}

impl Counters {
    /// Adds counts to the slices; false when they are lost.
    async fn pass_on(&self, waiting: HashMap<(i64, RoomId, UserId), u64>) -> bool {
        let kinds = match self.kinds(waiting.keys().map(|(_, room, _)| *room)).await {
            Ok(kinds) => kinds,
            Err(error) => {
                tracing::debug!(%error, "messages are counted later, from the database");
                return false;
            }
        };
        let mut slices: HashMap<i64, Addition> = HashMap::new();
        for ((slice, room, sender), messages) in waiting {
            let Some(kind) = kinds.get(&room) else { continue };
            let addition = slices.entry(slice).or_default();
            addition.room(&room.to_string(), *kind, messages);
            if *kind == RoomKind::Channel {
                addition.person(sender.to_string(), messages);
            }
        }
        let calls: Vec<_> = slices
            .iter()
            .flat_map(|(slice, addition)| addition.calls(|what| Key::activity_slice(*slice, what)))
            .collect();
        let added = self.0.fabric.scores_add(&calls, SLICE_TTL).await;
        if let Err(error) = &added {
            tracing::debug!(%error, "messages are counted later, from the database");
        }
        added.is_ok()
    }

    async fn kinds(&self, rooms: impl Iterator<Item = RoomId>) -> sqlx::Result<HashMap<RoomId, RoomKind>> {
        let cache = &self.0.gathered.kinds;
        let (mut kinds, mut unknown) = (HashMap::new(), Vec::new());
        for room in rooms {
            match cache.get(&room) {
                Some(kind) => {
                    kinds.insert(room, kind);
                }
                None => unknown.push(room),
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        for (room, kind) in store::activity::kinds(&self.0.db, &unknown).await? {
            cache.insert(room, kind);
            kinds.insert(room, kind);
        }
        Ok(kinds)
    }
}
