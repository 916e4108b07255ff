//! When people were last online. Written behind; presence itself is not in SQL.

use std::collections::HashMap;

use hubbub_protocol::id::UserId;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, list, on};

/// Keeps when people were last online, each unless a later time is kept already. Nobody twice.
pub async fn put(db: &Db, users: &[(UserId, i64)]) -> sqlx::Result<()> {
    let mut users = users.to_vec();
    // In one order everywhere: two nodes that write the same rows do not wait for each other.
    users.sort_unstable();
    for some in users.chunks(list::ROWS_PER_STATEMENT) {
        let sql = format!(
            "INSERT INTO last_seen (user_id, at_ms) VALUES {}
             ON CONFLICT (user_id) DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms > last_seen.at_ms",
            list::rows(1, some.len(), 2)
        );
        on!(execute db, {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (user, at_ms) in some {
                query = query.bind(user.as_uuid()).bind(at_ms);
            }
            query
        })?;
    }
    Ok(())
}

/// When these people were last online, for those of whom it is known.
pub async fn of(db: &Db, users: &[UserId]) -> sqlx::Result<HashMap<UserId, i64>> {
    let mut seen = HashMap::with_capacity(users.len());
    for some in users.chunks(list::ROWS_PER_STATEMENT) {
        let some = list::padded(some.iter().map(|id| id.as_uuid()));
        let places = list::placeholders(1, some.len());
        let sql = format!("SELECT user_id, at_ms FROM last_seen WHERE user_id IN ({places})");
        let rows: Vec<(Uuid, i64)> = on!(db, pool => {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for id in &some {
                query = query.bind(id);
            }
            query.fetch_all(pool)
        })?;
        seen.extend(rows.into_iter().map(|(user, at_ms)| (UserId(user), at_ms)));
    }
    Ok(seen)
}
