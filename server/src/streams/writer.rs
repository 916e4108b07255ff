//! Group commit: while one transaction runs, the messages that come meanwhile gather for the next.
//!
//! A stream always goes through the same lane, so that lanes never wait for each other's row locks on this node, and
//! messages of one connection to one room keep their order.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hubbub_protocol::command::Sent;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::Streams;
use crate::{
    error::CommandError,
    store::{
        Db, Pools,
        append::{self, NewMessage},
    },
};

/// Lanes on Postgres; SQLite has one writer.
const LANES: usize = 4;
/// Messages in one transaction.
const BATCH: usize = 128;
/// Messages that wait for a lane; one more is answered `unavailable` at once.
const QUEUED: usize = 8_192;
/// A message that waited this long is answered `unavailable` and not written: a command ends within 5 s.
const WAIT_LIMIT: Duration = Duration::from_millis(2_500);

struct Pending {
    message: NewMessage,
    since: Instant,
    answer: oneshot::Sender<Result<Sent, CommandError>>,
}

/// The way into the batches.
pub(super) struct Writer(Vec<mpsc::Sender<Pending>>);

/// The messages of some streams, for one transaction after the other.
pub(super) struct Lane(mpsc::Receiver<Pending>);

/// The answer to a message, once it is committed or refused.
pub struct Submitted(oneshot::Receiver<Result<Sent, CommandError>>);

impl Future for Submitted {
    type Output = Result<Sent, CommandError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(answer.unwrap_or_else(|_| Err(unavailable("the node stops or sheds load"))))
    }
}

fn unavailable(why: &'static str) -> CommandError {
    CommandError::Unavailable(why.into())
}

impl Writer {
    pub(super) fn new(db: &Db) -> (Self, Vec<Lane>) {
        let lanes = if matches!(db.pools(), Pools::Postgres(_)) { LANES } else { 1 };
        let (senders, lanes) = (0..lanes)
            .map(|_| {
                let (sender, receiver) = mpsc::channel(QUEUED);
                (sender, Lane(receiver))
            })
            .unzip();
        (Self(senders), lanes)
    }

    pub(super) fn submit(&self, message: NewMessage) -> Submitted {
        let (answer, submitted) = oneshot::channel();
        // The last bytes of a UUIDv7 are random.
        let lane = usize::from(message.room.as_uuid().as_bytes()[15]) % self.0.len();
        let pending = Pending { message, since: Instant::now(), answer };
        if self.0[lane].try_send(pending).is_err() {
            // Dropping the answer's sender answers `unavailable`.
            metrics::counter!("hubbub_shed_total", "what" => "append").increment(1);
        }
        Submitted(submitted)
    }
}

/// Commits batches until the node stops.
pub(super) async fn run(streams: Streams, mut lane: Lane) {
    let mut gathered = Vec::with_capacity(BATCH);
    while lane.0.recv_many(&mut gathered, BATCH).await > 0 {
        let (messages, waiting): (Vec<_>, Vec<_>) = gathered
            .drain(..)
            .filter(|pending| pending.since.elapsed() < WAIT_LIMIT)
            .map(|pending| (pending.message, (pending.since, pending.answer)))
            .unzip();
        if messages.is_empty() {
            continue;
        }
        let answers = commit(&streams, messages).await;
        for ((since, answer), outcome) in waiting.into_iter().zip(answers) {
            let result = match &outcome {
                Ok(_) => "ok",
                Err(CommandError::Unavailable(_)) => "unavailable",
                Err(_) => "rejected",
            };
            metrics::histogram!("hubbub_send_ack_duration_seconds", "result" => result)
                .record(since.elapsed());
            // The connection may be gone; its client asks again with the same key.
            answer.send(outcome).ok();
        }
    }
}

async fn commit(streams: &Streams, messages: Vec<NewMessage>) -> append::Answers {
    let count = messages.len();
    metrics::histogram!("hubbub_append_batch_messages").record(u32::try_from(count).unwrap_or(u32::MAX));
    let spare = (count > 1).then(|| messages.clone());
    match append::messages(&streams.0.db, messages).await {
        Ok((answers, entries)) => {
            metrics::counter!("hubbub_messages_committed_total").increment(entries.len() as u64);
            streams.committed(&entries);
            answers
        }
        Err(error) => match spare {
            // The database refused the batch for one of them: each is tried alone, so that the others are spared.
            Some(messages) if is_refusal(&error) => commit_each(streams, messages).await,
            _ => {
                error.log("append a batch");
                (0..count).map(|_| Err(unavailable("the batch was not committed"))).collect()
            }
        },
    }
}

/// Whether the database was there and said no, as for a deadlock or a lock that was not had in time.
fn is_refusal(error: &CommandError) -> bool {
    let CommandError::Unavailable(source) = error else { return false };
    matches!(source.downcast_ref::<sqlx::Error>(), Some(sqlx::Error::Database(_)))
}

async fn commit_each(streams: &Streams, messages: Vec<NewMessage>) -> append::Answers {
    let began = Instant::now();
    let mut answers = Vec::with_capacity(messages.len());
    for message in messages {
        if began.elapsed() > WAIT_LIMIT {
            answers.push(Err(unavailable("the batch took too long")));
            continue;
        }
        match append::messages(&streams.0.db, vec![message]).await {
            Ok((one, entries)) => {
                metrics::counter!("hubbub_messages_committed_total").increment(entries.len() as u64);
                streams.committed(&entries);
                answers.extend(one);
            }
            Err(error) => {
                error.log("append a message");
                answers.push(Err(error));
            }
        }
    }
    answers
}
