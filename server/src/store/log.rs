//! Writing to streams: one transaction that gives seqs and stores entries.
//!
//! Locks are taken in one order by everybody, so that no two writers wait for each other: sessions (shared), then
//! streams, each by id. Under the lock of its row a stream's head cannot move, so seqs are dense, and commit order is
//! seq order. What depends on the state of a room (who is a member, what a message says) is read after the lock.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::BoxFuture;
use hubbub_protocol::{
    command::Sent,
    entry::{Entry, EntryBody},
    error::Reason,
    id::{EntryId, Seq, SessionId, StreamId, UserId},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, LockWait, Tx, list, on_tx};
use crate::{
    clock, digest,
    error::CommandError,
    mutant::{self, Mutant},
};

/// An idempotency key and what it is used for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Made by the client.
    pub key: String,
    /// SHA-256 of the content, in hexadecimal.
    pub digest: String,
}

impl Key {
    /// A key together with the content that it stands for.
    pub fn of(key: String, content: &[&str]) -> Self {
        Self { key, digest: digest::of_parts(content) }
    }
}

/// Where a locked stream stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    head: i64,
    messages: i64,
    last_message_seq: i64,
    changed: bool,
}

/// A message among the entries of a transaction.
#[derive(Clone, Debug)]
struct MessageRow {
    room: Uuid,
    seq: i64,
    ordinal: i64,
    sender: Uuid,
    at_ms: i64,
    text: String,
    reply_to: Option<i64>,
}

struct EntryRow {
    entry: Entry,
    digest: Option<String>,
}

/// A transaction that appends to streams.
pub struct Log {
    tx: Tx,
    at_ms: i64,
    places: BTreeMap<StreamId, Place>,
    entries: Vec<EntryRow>,
    messages: Vec<MessageRow>,
}

/// Runs `work` in one such transaction, to its end whatever becomes of the caller, and gives its value with the
/// entries that were committed.
///
/// # Errors
/// What `work` gives; `unavailable` when the database does not answer or it is not known whether it committed.
pub async fn logged<T, F>(db: &Db, work: F) -> Result<(T, Vec<Entry>), CommandError>
where
    F: for<'l> FnOnce(&'l mut Log) -> BoxFuture<'l, Result<T, CommandError>> + Send + 'static,
    T: Send + 'static,
{
    logged_within(db, LockWait::Usual, work).await
}

/// As [`logged`], with a say in how long it waits for locks.
///
/// # Errors
/// As [`logged`].
pub async fn logged_within<T, F>(db: &Db, wait: LockWait, work: F) -> Result<(T, Vec<Entry>), CommandError>
where
    F: for<'l> FnOnce(&'l mut Log) -> BoxFuture<'l, Result<T, CommandError>> + Send + 'static,
    T: Send + 'static,
{
    let handle = db.clone();
    db.detached(async move {
        let mut log = Log::begin(&handle, wait).await?;
        match work(&mut log).await {
            Ok(value) => Ok((value, log.commit().await?)),
            Err(error) => {
                // The first error says more; a connection that cannot roll back is closed.
                log.tx.rollback().await.ok();
                Err(error)
            }
        }
    })
    .await
}

impl Log {
    async fn begin(db: &Db, wait: LockWait) -> Result<Self, CommandError> {
        let tx = db.begin(wait).await?;
        let at_ms = clock::now_ms();
        Ok(Self { tx, at_ms, places: BTreeMap::new(), entries: Vec::new(), messages: Vec::new() })
    }

    /// The transaction, for statements beside the log.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// The time that the entries of this transaction carry.
    pub fn at_ms(&self) -> i64 {
        self.at_ms
    }

    /// On SQLite the transaction holds the only write lock already.
    fn locking(&self, mode: &'static str) -> &'static str {
        if matches!(self.tx, Tx::Postgres(_)) { mode } else { "" }
    }

    /// Those of the sessions that live, held until the end of the transaction: a login that ends one of them waits,
    /// and a write that comes after it finds it ended. Before [`Log::lock`].
    pub async fn live(&mut self, sessions: &[SessionId]) -> Result<HashSet<SessionId>, CommandError> {
        if mutant::active(Mutant::SkipFence) {
            return Ok(sessions.iter().copied().collect());
        }
        let ids = list::padded(sessions.iter().map(|session| session.as_uuid()));
        let (places, lock) = (list::placeholders(1, ids.len()), self.locking("FOR SHARE"));
        let sql = format!(
            "SELECT id FROM sessions WHERE id IN ({places}) AND ended_at_ms IS NULL ORDER BY id {lock}"
        );
        let live: Vec<Uuid> = on_tx!(self.tx, conn => {
            let mut query = sqlx::query_scalar(AssertSqlSafe(sql));
            for id in &ids {
                query = query.bind(id);
            }
            query.fetch_all(conn)
        })?;
        Ok(live.into_iter().map(SessionId).collect())
    }

    /// Refuses unless the session lives; see [`Log::live`].
    pub async fn require_live(&mut self, session: SessionId) -> Result<(), CommandError> {
        if self.live(&[session]).await?.contains(&session) {
            return Ok(());
        }
        metrics::counter!("hubbub_stale_epoch_rejected_total").increment(1);
        Err(Reason::SessionEnded.into())
    }

    /// Locks streams, so that entries can be appended; those that do not exist are left out. All at once: a second
    /// call could wait for someone who waits for the first.
    pub async fn lock(&mut self, streams: &[StreamId]) -> Result<(), CommandError> {
        let by_id: BTreeMap<Uuid, StreamId> =
            streams.iter().map(|stream| (stream.as_uuid(), *stream)).collect();
        let ids = list::padded(by_id.keys().copied());
        let (places, lock) = (list::placeholders(1, ids.len()), self.locking("FOR UPDATE"));
        let sql = format!(
            "SELECT id, head, messages, last_message_seq FROM streams WHERE id IN ({places}) ORDER BY id {lock}"
        );
        let rows: Vec<(Uuid, i64, i64, i64)> = on_tx!(self.tx, conn => {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for id in &ids {
                query = query.bind(id);
            }
            query.fetch_all(conn)
        })?;
        for (id, head, messages, last_message_seq) in rows {
            if let Some(stream) = by_id.get(&id) {
                self.places.insert(*stream, Place { head, messages, last_message_seq, changed: false });
            }
        }
        Ok(())
    }

    /// Makes a new stream, which is locked by being new.
    pub async fn create(&mut self, stream: StreamId) -> Result<(), CommandError> {
        const SQL: &str = "INSERT INTO streams (id, head, messages, last_message_seq) VALUES ($1, 0, 0, 0)";
        on_tx!(execute self.tx, sqlx::query(SQL).bind(stream.as_uuid()))?;
        self.places.insert(stream, Place { head: 0, messages: 0, last_message_seq: 0, changed: false });
        Ok(())
    }

    /// Whether a stream is locked, which it is when it exists and [`Log::lock`] was asked for it.
    pub fn holds(&self, stream: StreamId) -> bool {
        self.places.contains_key(&stream)
    }

    /// The newest seq of a locked stream, this transaction's entries included.
    pub fn head(&self, stream: StreamId) -> Seq {
        self.places.get(&stream).map_or(Seq::ZERO, |place| Seq::from_i64(place.head))
    }

    /// How many messages a locked room has, this transaction's included.
    pub fn messages(&self, stream: StreamId) -> i64 {
        self.places.get(&stream).map_or(0, |place| place.messages)
    }

    /// The first answer to a key that was used before with the same content.
    ///
    /// # Errors
    /// `key_conflict` when it was used with other content.
    pub async fn first_answer(
        &mut self,
        stream: StreamId,
        sender: UserId,
        key: &Key,
    ) -> Result<Option<Sent>, CommandError> {
        const SQL: &str = "SELECT seq, id, at_ms, key_digest FROM entries
            WHERE stream_id = $1 AND sender_id = $2 AND idempotency_key = $3";
        let found: Option<(i64, Uuid, i64, Option<String>)> = on_tx!(self.tx, conn => sqlx::query_as(SQL)
            .bind(stream.as_uuid()).bind(sender.as_uuid()).bind(&key.key).fetch_optional(conn))?;
        match found {
            None => Ok(None),
            Some((_, _, _, digest)) if digest.as_ref() != Some(&key.digest) => {
                Err(Reason::KeyConflict.into())
            }
            Some((seq, id, at, _)) => Ok(Some(Sent { seq: Seq::from_i64(seq), id: EntryId(id), at })),
        }
    }

    /// Gives an entry the next seq of a locked stream.
    pub fn append(&mut self, stream: StreamId, sender: UserId, key: Option<Key>, body: EntryBody) -> Sent {
        let place = self.places.get_mut(&stream).expect("a stream is locked before it is appended to");
        place.head = if mutant::active(Mutant::SeqFromRedis) {
            mutant::next_in_redis(stream.as_uuid(), place.head)
        } else {
            place.head + 1
        };
        place.changed = true;
        let (key, digest) = key.map_or((None, None), |key| (Some(key.key), Some(key.digest)));
        let sent = Sent { seq: Seq::from_i64(place.head), id: EntryId::generate(), at: self.at_ms };
        if let EntryBody::Message { text, reply_to } = &body {
            place.messages += 1;
            place.last_message_seq = place.head;
            self.messages.push(MessageRow {
                room: stream.as_uuid(),
                seq: place.head,
                ordinal: place.messages,
                sender: sender.as_uuid(),
                at_ms: self.at_ms,
                text: text.clone(),
                reply_to: reply_to.map(Seq::as_i64),
            });
        }
        let entry = Entry { stream, seq: sent.seq, id: sent.id, at: self.at_ms, sender, key, body };
        self.entries.push(EntryRow { entry, digest });
        sent
    }

    async fn commit(mut self) -> Result<Vec<Entry>, CommandError> {
        self.insert_entries().await?;
        self.insert_messages().await?;
        self.update_heads().await?;
        let Self { tx, entries, .. } = self;
        let entries = entries.into_iter().map(|row| row.entry).collect();
        if mutant::active(Mutant::AckBeforeCommit) {
            tokio::spawn(tx.commit());
            return Ok(entries);
        }
        tx.commit().await?;
        Ok(entries)
    }

    async fn insert_entries(&mut self) -> Result<(), CommandError> {
        for rows in self.entries.chunks(list::ROWS_PER_STATEMENT) {
            let values = list::rows(1, rows.len(), 9);
            let sql = format!(
                "INSERT INTO entries (stream_id, seq, id, at_ms, sender_id, kind, body, idempotency_key, key_digest)
                 VALUES {values}"
            );
            let bodies = rows.iter().map(|row| body_json(&row.entry.body)).collect::<Result<Vec<_>, _>>()?;
            on_tx!(execute self.tx, {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (EntryRow { entry, digest }, body) in rows.iter().zip(&bodies) {
                    query = query
                        .bind(entry.stream.as_uuid()).bind(entry.seq.as_i64()).bind(entry.id.as_uuid())
                        .bind(entry.at).bind(entry.sender.as_uuid()).bind(entry.body.kind())
                        .bind(body).bind(&entry.key).bind(digest);
                }
                query
            })?;
        }
        Ok(())
    }

    async fn insert_messages(&mut self) -> Result<(), CommandError> {
        for rows in self.messages.chunks(list::ROWS_PER_STATEMENT) {
            let values = list::rows(1, rows.len(), 7);
            let sql = format!(
                "INSERT INTO messages (room_id, seq, ordinal, sender_id, at_ms, text, reply_to) VALUES {values}"
            );
            on_tx!(execute self.tx, {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for row in rows {
                    query = query
                        .bind(row.room).bind(row.seq).bind(row.ordinal).bind(row.sender).bind(row.at_ms)
                        .bind(&row.text).bind(row.reply_to);
                }
                query
            })?;
        }
        Ok(())
    }

    /// One statement a stream: the rows are locked and in memory, and both databases plan it once.
    async fn update_heads(&mut self) -> Result<(), CommandError> {
        const SQL: &str = "UPDATE streams SET head = $1, messages = $2, last_message_seq = $3 WHERE id = $4";
        for (stream, place) in self.places.iter().filter(|(_, place)| place.changed) {
            on_tx!(execute self.tx, sqlx::query(SQL).bind(place.head).bind(place.messages)
                .bind(place.last_message_seq).bind(stream.as_uuid()))?;
        }
        Ok(())
    }
}

/// What is proper to a kind, as the column `body` holds it: the JSON object without `kind`.
pub(super) fn body_json(body: &EntryBody) -> Result<String, CommandError> {
    let internal = |error: serde_json::Error| CommandError::Internal(Box::new(error));
    let mut value = serde_json::to_value(body).map_err(internal)?;
    if let Some(object) = value.as_object_mut() {
        object.remove("kind");
    }
    serde_json::to_string(&value).map_err(internal)
}
