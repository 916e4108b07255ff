//! Group commit: messages of many connections and rooms in one transaction.

use std::collections::{HashMap, HashSet};

use hubbub_protocol::{
    command::Sent,
    entry::{Entry, EntryBody},
    error::Reason,
    id::{EntryId, RoomId, Seq, SessionId, StreamId, UserId},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    Db, LockWait, list,
    log::{Key, Log, logged_within},
    on_tx,
};
use crate::error::CommandError;

/// A message that waits to be committed.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Where.
    pub room: RoomId,
    /// By whom.
    pub sender: UserId,
    /// In which session: an ended one writes nothing.
    pub session: SessionId,
    /// The sender's idempotency key, and the digest of text and answer.
    pub key: Key,
    /// The text.
    pub text: String,
    /// The message it answers.
    pub reply_to: Option<Seq>,
}

/// One answer for each message of a batch, in its order.
pub type Answers = Vec<Result<Sent, CommandError>>;

/// A message by its idempotency key.
type Keyed = (RoomId, UserId, String);

/// Commits a batch of messages; gives an answer for each, and the new entries.
///
/// # Errors
/// `unavailable` for the whole batch when the database does not answer.
pub async fn messages(
    db: &Db,
    batch: Vec<NewMessage>,
    wait: LockWait,
) -> Result<(Answers, Vec<Entry>), CommandError> {
    logged_within(db, wait, move |log| Box::pin(append(log, batch))).await
}

/// What a batch is judged by, read after its streams were locked.
struct Known {
    sessions: HashSet<SessionId>,
    members: HashSet<(RoomId, UserId)>,
    answers: HashMap<Keyed, (String, Sent)>,
    /// Messages that are answered: whether each was recalled.
    targets: HashMap<(RoomId, Seq), bool>,
}

async fn append(log: &mut Log, batch: Vec<NewMessage>) -> Result<Answers, CommandError> {
    let mut sessions: Vec<_> = batch.iter().map(|message| message.session).collect();
    sessions.sort_unstable();
    sessions.dedup();
    let sessions = log.live(&sessions).await?;
    let streams: Vec<_> = batch.iter().map(|message| StreamId::Room(message.room)).collect();
    log.lock(&streams).await?;
    let members = members(log, &batch).await?;
    let answers = answers(log, &batch).await?;
    let targets = targets(log, &batch).await?;
    let mut known = Known { sessions, members, answers, targets };
    Ok(batch.into_iter().map(|message| append_one(log, &mut known, message)).collect())
}

fn append_one(log: &mut Log, known: &mut Known, message: NewMessage) -> Result<Sent, CommandError> {
    let stream = StreamId::Room(message.room);
    if !known.sessions.contains(&message.session) {
        metrics::counter!("hubbub_stale_epoch_rejected_total").increment(1);
        return Err(Reason::SessionEnded.into());
    }
    if !log.holds(stream) {
        return Err(Reason::UnknownRoom.into());
    }
    // Before membership: who left after sending still learns what became of the message.
    let keyed = (message.room, message.sender, message.key.key.clone());
    if let Some((digest, sent)) = known.answers.get(&keyed) {
        metrics::counter!("hubbub_messages_duplicate_suppressed_total").increment(1);
        return if *digest == message.key.digest {
            Ok(sent.clone())
        } else {
            Err(Reason::KeyConflict.into())
        };
    }
    if !known.members.contains(&(message.room, message.sender)) {
        return Err(Reason::NotAMember.into());
    }
    if let Some(target) = message.reply_to {
        match known.targets.get(&(message.room, target)) {
            None => return Err(Reason::UnknownMessage.into()),
            Some(true) => return Err(Reason::Recalled.into()),
            Some(false) => {}
        }
    }
    let digest = message.key.digest.clone();
    let body = EntryBody::Message { text: message.text, reply_to: message.reply_to };
    let sent = log.append(stream, message.sender, Some(message.key), body);
    known.answers.insert(keyed, (digest, sent.clone()));
    Ok(sent)
}

async fn members(log: &mut Log, batch: &[NewMessage]) -> Result<HashSet<(RoomId, UserId)>, CommandError> {
    let pairs: HashSet<_> =
        batch.iter().map(|message| (message.room.as_uuid(), message.sender.as_uuid())).collect();
    let pairs = list::padded(pairs);
    let values = list::rows(1, pairs.len(), 2);
    let sql = format!("SELECT room_id, user_id FROM members WHERE (room_id, user_id) IN (VALUES {values})");
    let rows: Vec<(Uuid, Uuid)> = on_tx!(log.tx(), conn => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for (room, user) in &pairs {
            query = query.bind(room).bind(user);
        }
        query.fetch_all(conn)
    })?;
    Ok(rows.into_iter().map(|(room, user)| (RoomId(room), UserId(user))).collect())
}

type AnswerRow = (Uuid, Uuid, String, Option<String>, i64, Uuid, i64);

async fn answers(
    log: &mut Log,
    batch: &[NewMessage],
) -> Result<HashMap<Keyed, (String, Sent)>, CommandError> {
    let values = list::rows(1, batch.len(), 3);
    let sql = format!(
        "SELECT stream_id, sender_id, idempotency_key, key_digest, seq, id, at_ms FROM entries
         WHERE (stream_id, sender_id, idempotency_key) IN (VALUES {values})"
    );
    let rows: Vec<AnswerRow> = on_tx!(log.tx(), conn => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for message in batch {
            query = query.bind(message.room.as_uuid()).bind(message.sender.as_uuid()).bind(&message.key.key);
        }
        query.fetch_all(conn)
    })?;
    let answer = |(room, sender, key, digest, seq, id, at): AnswerRow| {
        let sent = Sent { seq: Seq::from_i64(seq), id: EntryId(id), at };
        ((RoomId(room), UserId(sender), key), (digest.unwrap_or_default(), sent))
    };
    Ok(rows.into_iter().map(answer).collect())
}

async fn targets(log: &mut Log, batch: &[NewMessage]) -> Result<HashMap<(RoomId, Seq), bool>, CommandError> {
    let pairs = batch.iter().filter_map(|message| Some((message.room.as_uuid(), message.reply_to?.as_i64())));
    let pairs = list::padded(pairs);
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let values = list::rows(1, pairs.len(), 2);
    let sql = format!(
        "SELECT room_id, seq, recalled_at_ms FROM messages WHERE (room_id, seq) IN (VALUES {values})"
    );
    let rows: Vec<(Uuid, i64, Option<i64>)> = on_tx!(log.tx(), conn => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for (room, seq) in &pairs {
            query = query.bind(room).bind(seq);
        }
        query.fetch_all(conn)
    })?;
    Ok(rows.into_iter().map(|(room, seq, at)| ((RoomId(room), Seq::from_i64(seq)), at.is_some())).collect())
}
