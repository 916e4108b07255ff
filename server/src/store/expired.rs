//! What nobody can use any more.

use std::time::Duration;

use super::{Db, on};

/// How long an ended session can still say why it ended.
const SESSIONS_KEPT: Duration = Duration::from_hours(30 * 24);
/// How long an invitation that ended can still be told from one that never was.
const INVITES_KEPT: Duration = Duration::from_hours(7 * 24);
/// Rows that one statement deletes.
const SLICE: i64 = 500;
/// Statements at one time; the rest waits for the next.
const SLICES: usize = 20;

/// Deletes sessions and invitations that ended long ago; gives the number of rows.
pub async fn delete(db: &Db, now_ms: i64) -> sqlx::Result<u64> {
    const SESSIONS: &str = "DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE ended_at_ms < $1 OR refresh_expires_at_ms < $1 LIMIT $2)";
    const INVITES: &str = "DELETE FROM invites WHERE code IN (
        SELECT code FROM invites WHERE expires_at_ms < $1 LIMIT $2)";
    let mut rows = 0;
    for (sql, kept) in [(SESSIONS, SESSIONS_KEPT), (INVITES, INVITES_KEPT)] {
        let before_ms = now_ms - i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
        for _ in 0..SLICES {
            let deleted = on!(execute db, sqlx::query(sql).bind(before_ms).bind(SLICE))?;
            rows += deleted;
            if deleted < SLICE.unsigned_abs() {
                break;
            }
        }
    }
    Ok(rows)
}
