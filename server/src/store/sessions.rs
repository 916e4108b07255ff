//! Logins: their fences, tokens (as hashes) and ends.
//!
//! A session lives while `ended_at_ms` is null and its refresh token has not timed out. An account has one live
//! session at most: a login ends the one before in the transaction that makes the new one, under the lock of the
//! account's row, so that of any number of logins at once the one with the highest fence stays.

use std::collections::{HashMap, HashSet};

use hubbub_protocol::{
    close::EndReason,
    id::{SessionId, UserId},
    model::{Device, DeviceClass, Session, SessionEnd, User},
};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, Tx, list, on, on_tx};

/// `used_at_ms` is kept to the minute: no more than one write a minute for a session.
const USED_STEP_MS: i64 = 60_000;

/// How long after a use the next one is noted, for a token that lives that long: well before it times out.
pub fn used_step_ms(access_lives_ms: i64) -> i64 {
    USED_STEP_MS.min(access_lives_ms / 4)
}

/// Hashes of a session's tokens, and when they time out.
#[derive(Clone, Debug)]
pub struct TokenHashes {
    /// SHA-256 of the access token, in hexadecimal.
    pub access: String,
    /// When the access token times out unless it is used.
    pub access_expires_at_ms: i64,
    /// SHA-256 of the refresh token, in hexadecimal.
    pub refresh: String,
    /// When the refresh token times out unless the session is used.
    pub refresh_expires_at_ms: i64,
}

/// A login to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// What logs in.
    pub device: Device,
    /// Where from, coarse.
    pub place: String,
    /// Its tokens.
    pub tokens: TokenHashes,
    /// Now.
    pub at_ms: i64,
}

/// A login that was made.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Higher than that of every session of the account before.
    pub fence: i64,
    /// The sessions that this one ended.
    pub displaced: Vec<SessionId>,
    /// Their end.
    pub end: SessionEnd,
}

/// A session as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// As its owner sees it; `current` is false.
    pub session: Session,
    /// Whose.
    pub user: User,
    /// Its fence.
    pub fence: i64,
    /// When the access token times out.
    pub access_expires_at_ms: i64,
    /// When the refresh token times out.
    pub refresh_expires_at_ms: i64,
    /// How it ended, where it did; a time-out that nobody wrote down is not here.
    pub end: Option<SessionEnd>,
}

/// What became of a refresh token that was shown.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// The session has new tokens.
    Rotated(Box<Stored>),
    /// The token was spent before, so the session may be in foreign hands: it has been ended now.
    Reused(SessionId, SessionEnd),
    /// The session had ended, or timed out.
    Ended(SessionEnd),
    /// No session has or had this token.
    Unknown,
}

/// The column `ended_by`.
#[derive(Serialize, Deserialize)]
struct EndedBy {
    device: Option<Device>,
    place: Option<String>,
}

fn ended_by(end: &SessionEnd) -> Option<String> {
    end.device.as_ref()?;
    serde_json::to_string(&EndedBy { device: end.device.clone(), place: end.place.clone() }).ok()
}

fn end_of(at: Option<i64>, reason: Option<&str>, by: Option<&str>) -> Option<SessionEnd> {
    let at = at?;
    // A reason of a newer version: all that is known is that it was ended.
    let reason = reason.and_then(EndReason::parse).unwrap_or(EndReason::LoggedOut);
    let by = by.and_then(|by| serde_json::from_str(by).ok()).unwrap_or(EndedBy { device: None, place: None });
    Some(SessionEnd { reason, device: by.device, place: by.place, at })
}

fn timed_out_at(at: i64) -> SessionEnd {
    SessionEnd { reason: EndReason::Expired, device: None, place: None, at }
}

/// Makes a session and ends the account's others, as displaced by it; `None` when the account is gone.
pub async fn begin(db: &Db, new: NewSession) -> sqlx::Result<Option<Begun>> {
    db.transact(move |tx| Box::pin(async move { begin_in(tx, &new).await })).await
}

async fn begin_in(tx: &mut Tx, new: &NewSession) -> sqlx::Result<Option<Begun>> {
    // This locks the account's row: logins of one account are one after the other.
    const FENCE: &str = "UPDATE users SET fence = fence + 1 WHERE id = $1 RETURNING fence";
    let fence: Option<i64> =
        on_tx!(tx, conn => sqlx::query_scalar(FENCE).bind(new.user.as_uuid()).fetch_optional(conn))?;
    let Some(fence) = fence else { return Ok(None) };
    let end = SessionEnd {
        reason: EndReason::Displaced,
        device: Some(new.device.clone()),
        place: Some(new.place.clone()),
        at: new.at_ms,
    };
    let displaced = end_all(tx, new.user, None, &end).await?;
    insert_many(tx, std::slice::from_ref(&(new.clone(), fence))).await?;
    Ok(Some(Begun { fence, displaced, end }))
}

/// Inserts sessions with the fences that their accounts have already. For a login see [`begin`].
pub async fn insert_many(tx: &mut Tx, new: &[(NewSession, i64)]) -> sqlx::Result<()> {
    for some in new.chunks(list::ROWS_PER_STATEMENT) {
        let sql = format!(
            "INSERT INTO sessions (id, user_id, fence, device_id, device_class, device_name, place, access_hash,
                access_expires_at_ms, refresh_hash, refresh_expires_at_ms, started_at_ms, used_at_ms) VALUES {}",
            list::rows(1, some.len(), 13)
        );
        on_tx!(execute tx, {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (new, fence) in some {
                query = query.bind(new.id.as_uuid()).bind(new.user.as_uuid()).bind(fence)
                    .bind(&new.device.id).bind(new.device.class.as_str()).bind(&new.device.name).bind(&new.place)
                    .bind(&new.tokens.access).bind(new.tokens.access_expires_at_ms)
                    .bind(&new.tokens.refresh).bind(new.tokens.refresh_expires_at_ms)
                    .bind(new.at_ms).bind(new.at_ms);
            }
            query
        })?;
    }
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.user_id, u.username, u.display_name, s.fence, s.device_id, s.device_class, s.device_name,
                s.place, s.started_at_ms, s.used_at_ms, s.access_expires_at_ms, s.refresh_expires_at_ms,
                s.ended_at_ms, s.end_reason, s.ended_by
             FROM sessions s JOIN users u ON u.id = s.user_id ",
            $rest
        )
    };
}

type Row = (
    Uuid,
    Uuid,
    String,
    String,
    i64,
    String,
    String,
    String,
    String,
    i64,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<String>,
    Option<String>,
);

fn stored(row: Row) -> Stored {
    let (
        id,
        user,
        username,
        display_name,
        fence,
        device_id,
        class,
        device_name,
        place,
        started_at,
        used_at,
        ..,
    ) = row;
    let (.., access_expires_at_ms, refresh_expires_at_ms, ended_at, end_reason, ended_by) = row;
    let device = Device { id: device_id, class: DeviceClass::parse(&class), name: device_name };
    Stored {
        session: Session { id: SessionId(id), device, place, started_at, used_at, current: false },
        user: User { id: UserId(user), username, display_name },
        fence,
        access_expires_at_ms,
        refresh_expires_at_ms,
        end: end_of(ended_at, end_reason.as_deref(), ended_by.as_deref()),
    }
}

/// The session that has this access token, whether it lives or has ended.
pub async fn by_access_hash(db: &Db, hash: &str) -> sqlx::Result<Option<Stored>> {
    const SQL: &str = select!("WHERE s.access_hash = $1");
    let row: Option<Row> = on!(db, pool => sqlx::query_as(SQL).bind(hash).fetch_optional(pool))?;
    Ok(row.map(stored))
}

/// An account's live sessions, newest first.
pub async fn live_of(db: &Db, user: UserId, now_ms: i64) -> sqlx::Result<Vec<Session>> {
    const SQL: &str = select!(
        "WHERE s.user_id = $1 AND s.ended_at_ms IS NULL AND s.refresh_expires_at_ms > $2
         ORDER BY s.started_at_ms DESC, s.id DESC"
    );
    let rows: Vec<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(user.as_uuid()).bind(now_ms).fetch_all(pool))?;
    Ok(rows.into_iter().map(|row| stored(row).session).collect())
}

/// Gives the session whose newest refresh token this is new tokens; of several uses at once one wins. A token that
/// was spent before ends its session.
pub async fn rotate(db: &Db, shown: String, new: TokenHashes, now_ms: i64) -> sqlx::Result<Rotation> {
    db.transact(move |tx| Box::pin(async move { rotate_in(tx, &shown, &new, now_ms).await })).await
}

async fn rotate_in(tx: &mut Tx, shown: &str, new: &TokenHashes, now_ms: i64) -> sqlx::Result<Rotation> {
    // Whoever waits here for another use of the same token finds it spent afterwards.
    const ROTATE: &str = "
        UPDATE sessions SET spent_refresh_hash = refresh_hash, refresh_hash = $1, refresh_expires_at_ms = $2,
            access_hash = $3, access_expires_at_ms = $4, used_at_ms = $5
        WHERE refresh_hash = $6 AND ended_at_ms IS NULL AND refresh_expires_at_ms > $5";
    const SHOWN: &str = select!("WHERE s.refresh_hash = $1 OR s.spent_refresh_hash = $1");
    let rotated = on_tx!(execute tx, sqlx::query(ROTATE).bind(&new.refresh).bind(new.refresh_expires_at_ms)
        .bind(&new.access).bind(new.access_expires_at_ms).bind(now_ms).bind(shown))?;
    let row: Option<Row> = on_tx!(tx, conn => sqlx::query_as(SHOWN).bind(shown).fetch_optional(conn))?;
    let Some(stored) = row.map(stored) else { return Ok(Rotation::Unknown) };
    if let Some(end) = stored.end {
        return Ok(Rotation::Ended(end));
    }
    if rotated == 1 {
        return Ok(Rotation::Rotated(Box::new(stored)));
    }
    if stored.refresh_expires_at_ms <= now_ms {
        return Ok(Rotation::Ended(timed_out_at(stored.refresh_expires_at_ms)));
    }
    let end = SessionEnd { reason: EndReason::TokenReused, device: None, place: None, at: now_ms };
    if end_in(tx, stored.user.id, stored.session.id, &end).await? {
        return Ok(Rotation::Reused(stored.session.id, end));
    }
    // Another one ended it between the look and the lock; that end is the one there is.
    let row: Option<Row> = on_tx!(tx, conn => sqlx::query_as(SHOWN).bind(shown).fetch_optional(conn))?;
    Ok(row.and_then(|row| self::stored(row).end).map_or(Rotation::Unknown, Rotation::Ended))
}

/// Ends one session of an account; false when it has no such session, or that one has ended already.
pub async fn end(db: &Db, user: UserId, session: SessionId, end: SessionEnd) -> sqlx::Result<bool> {
    db.transact(move |tx| Box::pin(async move { end_in(tx, user, session, &end).await })).await
}

async fn end_in(tx: &mut Tx, user: UserId, session: SessionId, end: &SessionEnd) -> sqlx::Result<bool> {
    const SQL: &str = "
        UPDATE sessions SET ended_at_ms = $1, end_reason = $2, ended_by = $3
        WHERE id = $4 AND user_id = $5 AND ended_at_ms IS NULL";
    let ended = on_tx!(execute tx, sqlx::query(SQL).bind(end.at).bind(end.reason.as_str()).bind(ended_by(end))
        .bind(session.as_uuid()).bind(user.as_uuid()))?;
    Ok(ended == 1)
}

/// Ends the account's sessions but one; gives those that lived.
pub async fn end_others(
    db: &Db,
    user: UserId,
    kept: Option<SessionId>,
    end: SessionEnd,
) -> sqlx::Result<Vec<SessionId>> {
    db.transact(move |tx| Box::pin(async move { end_all(tx, user, kept, &end).await })).await
}

/// The same inside a transaction, such as one that changes the password or deletes the account.
pub async fn end_all(
    tx: &mut Tx,
    user: UserId,
    kept: Option<SessionId>,
    end: &SessionEnd,
) -> sqlx::Result<Vec<SessionId>> {
    const SQL: &str = "
        UPDATE sessions SET ended_at_ms = $1, end_reason = $2, ended_by = $3
        WHERE user_id = $4 AND id <> $5 AND ended_at_ms IS NULL RETURNING id";
    let kept = kept.map_or(Uuid::nil(), SessionId::as_uuid);
    let ids: Vec<Uuid> = on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(end.at).bind(end.reason.as_str())
        .bind(ended_by(end)).bind(user.as_uuid()).bind(kept).fetch_all(conn))?;
    Ok(ids.into_iter().map(SessionId).collect())
}

/// Notes that sessions are in use and begins their time-outs anew; those used in the last minute are left alone.
/// Gives how many were written. What ended or timed out stays so.
pub async fn touch(
    db: &Db,
    sessions: &[SessionId],
    now_ms: i64,
    access_expires_at_ms: i64,
    refresh_expires_at_ms: i64,
) -> sqlx::Result<u64> {
    let mut written = 0;
    for some in sessions.chunks(list::ROWS_PER_STATEMENT) {
        let some = list::padded(some.iter().map(|id| id.as_uuid()));
        let sql = format!(
            "UPDATE sessions SET used_at_ms = $1, access_expires_at_ms = $2, refresh_expires_at_ms = $3
             WHERE id IN ({}) AND ended_at_ms IS NULL AND refresh_expires_at_ms > $1 AND used_at_ms <= $4",
            list::placeholders(5, some.len())
        );
        written += on!(execute db, {
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(now_ms).bind(access_expires_at_ms)
                .bind(refresh_expires_at_ms).bind(now_ms - used_step_ms(access_expires_at_ms - now_ms));
            for id in &some {
                query = query.bind(id);
            }
            query
        })?;
    }
    Ok(written)
}

/// Id, time-out of the refresh token, and the three columns of an end.
type EndRow = (Uuid, i64, Option<i64>, Option<String>, Option<String>);

/// Those of the sessions that are over, and how they ended. One that the database does not know (any more) counts as
/// timed out.
pub async fn ended_among(
    db: &Db,
    sessions: &[SessionId],
    now_ms: i64,
) -> sqlx::Result<HashMap<SessionId, SessionEnd>> {
    let mut over = HashMap::new();
    for asked in sessions.chunks(list::ROWS_PER_STATEMENT) {
        let some = list::padded(asked.iter().map(|id| id.as_uuid()));
        let sql = format!(
            "SELECT id, refresh_expires_at_ms, ended_at_ms, end_reason, ended_by FROM sessions WHERE id IN ({})",
            list::placeholders(1, some.len())
        );
        let rows: Vec<EndRow> = on!(db, pool => {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for id in &some {
                query = query.bind(id);
            }
            query.fetch_all(pool)
        })?;
        let mut unknown: HashSet<_> = asked.iter().copied().collect();
        for (id, expires_at, ended_at, reason, by) in rows {
            unknown.remove(&SessionId(id));
            let expired = (expires_at <= now_ms).then(|| timed_out_at(expires_at));
            if let Some(end) = end_of(ended_at, reason.as_deref(), by.as_deref()).or(expired) {
                over.insert(SessionId(id), end);
            }
        }
        over.extend(unknown.into_iter().map(|id| (id, timed_out_at(now_ms))));
    }
    Ok(over)
}
