//! Rooms that left their lane: somebody else holds the row of their stream, another node that stalls, or an operator.
//!
//! Each waits in a task of its own, in order, until what it had to write is answered; then the next message of the
//! room goes through the lane again. All detours together use few connections to the database.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hubbub_protocol::id::RoomId;
use tokio::sync::{Semaphore, mpsc};

use super::{BATCH, Pending, commit, shed};
use crate::{store::LockWait, streams::Streams};

/// Rooms of a lane that may be on a detour at once.
const ROOMS: usize = 64;
/// Messages of one such room that wait.
const QUEUED: usize = 1_024;

struct Detour {
    queue: mpsc::Sender<Pending>,
    /// Messages that are not answered yet.
    unanswered: Arc<AtomicUsize>,
}

impl Detour {
    fn is_over(&self) -> bool {
        self.unanswered.load(Ordering::Acquire) == 0
    }

    fn take(&self, pending: Pending) {
        self.unanswered.fetch_add(1, Ordering::AcqRel);
        if let Err(refused) = self.queue.try_send(pending) {
            self.unanswered.fetch_sub(1, Ordering::AcqRel);
            refused.into_inner().shed("too many messages wait for this room");
        }
    }
}

/// The detours of a lane.
pub(super) struct Detours {
    rooms: HashMap<RoomId, Detour>,
    places: Arc<Semaphore>,
}

impl Detours {
    pub(super) fn new(places: Arc<Semaphore>) -> Self {
        Self { rooms: HashMap::new(), places }
    }

    /// Gives a message back that belongs into the lane, and takes it when its room is on a detour.
    pub(super) fn divert(&mut self, pending: Pending) -> Option<Pending> {
        let Some(detour) = self.rooms.get(&pending.room()) else { return Some(pending) };
        if detour.is_over() {
            self.rooms.remove(&pending.room());
            return Some(pending);
        }
        detour.take(pending);
        None
    }

    /// Sends the messages of one room on a detour.
    pub(super) fn send(&mut self, streams: &Streams, held: Vec<Pending>) {
        let Some(room) = held.first().map(Pending::room) else { return };
        if self.rooms.len() >= ROOMS {
            self.rooms.retain(|_, detour| !detour.is_over());
        }
        if self.rooms.len() >= ROOMS {
            return shed(held, "too many rooms cannot be written to");
        }
        metrics::counter!("hubbub_append_detours_total").increment(1);
        let (queue, waiting) = mpsc::channel(QUEUED);
        let detour = Detour { queue, unanswered: Arc::default() };
        let unanswered = Arc::clone(&detour.unanswered);
        for pending in held {
            detour.take(pending);
        }
        streams.spawn(walk(streams.clone(), waiting, unanswered, Arc::clone(&self.places)));
        self.rooms.insert(room, detour);
    }
}

async fn walk(
    streams: Streams,
    mut waiting: mpsc::Receiver<Pending>,
    unanswered: Arc<AtomicUsize>,
    places: Arc<Semaphore>,
) {
    let mut gathered = Vec::new();
    while waiting.recv_many(&mut gathered, BATCH).await > 0 {
        let count = gathered.len();
        let Ok(_place) = places.acquire().await else { return };
        for held in commit(&streams, std::mem::take(&mut gathered), LockWait::Usual).await {
            shed(held, "another writer holds this room");
        }
        unanswered.fetch_sub(count, Ordering::AcqRel);
    }
}
