//! Group commit: while one transaction runs, the messages that come meanwhile gather for the next.
//!
//! A stream always goes through the same lane, so that lanes never wait for each other's row locks on this node, and
//! messages of one connection to one room keep their order. A room that somebody else holds leaves its lane for a
//! while ([`detour`]), so that the other rooms of the lane do not wait for it.

mod detour;

use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use hubbub_protocol::{command::Sent, id::RoomId};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::{Instant, Sleep, sleep},
};

use self::detour::Detours;
use super::Streams;
use crate::{
    error::CommandError,
    store::{
        Db, LockWait, Pools,
        append::{self, NewMessage},
    },
};

/// Lanes on Postgres; SQLite has one writer.
const LANES: usize = 4;
/// Messages in one transaction.
const BATCH: usize = 128;
/// Messages that wait for a lane; one more is answered `unavailable` at once.
const QUEUED: usize = 8_192;
/// A message that waited this long is answered `unavailable` and not written.
const WAIT_LIMIT: Duration = Duration::from_secs(1);
/// Whoever waits this long is told `unavailable`; whether the message was written, its key will tell.
const ANSWER_LIMIT: Duration = Duration::from_millis(1_900);
/// Connections to the database that all detours of this node share.
const DETOUR_PLACES: usize = 2;

struct Pending {
    message: NewMessage,
    since: Instant,
    answer: oneshot::Sender<Result<Sent, CommandError>>,
}

impl Pending {
    fn room(&self) -> RoomId {
        self.message.room
    }

    fn answer(self, outcome: Result<Sent, CommandError>) {
        let result = match &outcome {
            Ok(_) => "ok",
            Err(CommandError::Unavailable(_)) => "unavailable",
            Err(_) => "rejected",
        };
        metrics::histogram!("hubbub_send_ack_duration_seconds", "result" => result)
            .record(self.since.elapsed());
        // The connection may be gone; its client asks again with the same key.
        self.answer.send(outcome).ok();
    }

    fn shed(self, why: &'static str) {
        metrics::counter!("hubbub_shed_total", "what" => "append").increment(1);
        self.answer(Err(unavailable(why)));
    }
}

/// The way into the batches.
pub(super) struct Writer(Vec<mpsc::Sender<Pending>>);

/// The messages of some streams, for one transaction after the other.
pub(super) struct Lane {
    incoming: mpsc::Receiver<Pending>,
    detours: Detours,
}

/// The answer to a message, once it is committed or refused, at most 1.9 s later.
pub struct Submitted {
    answer: oneshot::Receiver<Result<Sent, CommandError>>,
    limit: Pin<Box<Sleep>>,
}

impl Future for Submitted {
    type Output = Result<Sent, CommandError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = Pin::new(&mut self.answer).poll(context) {
            return Poll::Ready(answer.unwrap_or_else(|_| Err(unavailable("the node stops"))));
        }
        ready!(self.limit.as_mut().poll(context));
        Poll::Ready(Err(unavailable("the database takes too long")))
    }
}

fn unavailable(why: &'static str) -> CommandError {
    CommandError::Unavailable(why.into())
}

impl Writer {
    pub(super) fn new(db: &Db) -> (Self, Vec<Lane>) {
        let lanes = if matches!(db.pools(), Pools::Postgres(_)) { LANES } else { 1 };
        let places = Arc::new(Semaphore::new(DETOUR_PLACES));
        let (senders, lanes) = (0..lanes)
            .map(|_| {
                let (sender, incoming) = mpsc::channel(QUEUED);
                (sender, Lane { incoming, detours: Detours::new(Arc::clone(&places)) })
            })
            .unzip();
        (Self(senders), lanes)
    }

    pub(super) fn submit(&self, message: NewMessage) -> Submitted {
        let (answer, submitted) = oneshot::channel();
        // The last bytes of a UUIDv7 are random.
        let lane = usize::from(message.room.as_uuid().as_bytes()[15]) % self.0.len();
        let pending = Pending { message, since: Instant::now(), answer };
        if let Err(refused) = self.0[lane].try_send(pending) {
            refused.into_inner().shed("too many messages wait for the database");
        }
        Submitted { answer: submitted, limit: Box::pin(sleep(ANSWER_LIMIT)) }
    }
}

/// Commits batches until the node stops.
pub(super) async fn run(streams: Streams, mut lane: Lane) {
    let mut gathered = Vec::with_capacity(BATCH);
    while lane.incoming.recv_many(&mut gathered, BATCH).await > 0 {
        let batch = gathered.drain(..).filter_map(|pending| lane.detours.divert(pending)).collect();
        for held in commit(&streams, batch, LockWait::Short).await {
            lane.detours.send(&streams, held);
        }
    }
}

/// Commits a batch and answers it; gives back the messages of rooms that somebody else holds, each room by itself.
/// What the database refuses as a whole is tried in parts, so that one does not spoil it for the others.
async fn commit(streams: &Streams, batch: Vec<Pending>, wait: LockWait) -> Vec<Vec<Pending>> {
    let mut held = Vec::new();
    let mut parts = VecDeque::from([batch]);
    while let Some(part) = parts.pop_front() {
        let Some((part, refused)) = commit_at_once(streams, part, wait).await else { continue };
        let single_room = part.iter().all(|pending| pending.room() == part[0].room());
        match refused {
            Refused::Locked if single_room => held.push(part),
            _ if single_room && part.len() == 1 => shed(part, "the database refused it for now"),
            _ if single_room => parts.extend(part.into_iter().map(|pending| vec![pending])),
            _ => parts.extend(by_room(part)),
        }
    }
    held
}

fn by_room(batch: Vec<Pending>) -> Vec<Vec<Pending>> {
    let mut rooms: BTreeMap<RoomId, Vec<Pending>> = BTreeMap::new();
    for pending in batch {
        rooms.entry(pending.room()).or_default().push(pending);
    }
    rooms.into_values().collect()
}

fn shed(batch: Vec<Pending>, why: &'static str) {
    for pending in batch {
        pending.shed(why);
    }
}

/// Why the database was there and said no.
enum Refused {
    /// Somebody holds a row for longer than it was waited for.
    Locked,
    /// A deadlock, or a fault of one message.
    Otherwise,
}

impl Refused {
    fn of(error: &CommandError) -> Option<Self> {
        let CommandError::Unavailable(source) = error else { return None };
        let Some(sqlx::Error::Database(database)) = source.downcast_ref::<sqlx::Error>() else { return None };
        // lock_not_available, of the table of error codes in the manual of PostgreSQL.
        let locked = database.code().is_some_and(|code| code == "55P03");
        // It shuts down, or is overrun: another try at once would only add to it.
        let busy = database.code().is_some_and(|code| code.starts_with("57") || code.starts_with("53"));
        if busy { None } else { Some(if locked { Self::Locked } else { Self::Otherwise }) }
    }
}

/// One transaction for the batch, which is answered unless the database refused it.
async fn commit_at_once(
    streams: &Streams,
    mut batch: Vec<Pending>,
    wait: LockWait,
) -> Option<(Vec<Pending>, Refused)> {
    for late in batch.extract_if(.., |pending| pending.since.elapsed() > WAIT_LIMIT) {
        late.shed("it waited too long for the database");
    }
    if batch.is_empty() {
        return None;
    }
    let count = u32::try_from(batch.len()).unwrap_or(u32::MAX);
    metrics::histogram!("hubbub_append_batch_messages").record(count);
    let messages = batch.iter().map(|pending| pending.message.clone()).collect();
    match append::messages(&streams.0.db, messages, wait).await {
        Ok((answers, entries)) => {
            metrics::counter!("hubbub_messages_committed_total").increment(entries.len() as u64);
            streams.committed(&entries);
            for (pending, outcome) in batch.into_iter().zip(answers) {
                pending.answer(outcome);
            }
            None
        }
        Err(error) => {
            if let Some(refused) = Refused::of(&error) {
                return Some((batch, refused));
            }
            error.log("append a batch");
            for pending in batch {
                pending.answer(Err(unavailable("the batch was not committed")));
            }
            None
        }
    }
}
