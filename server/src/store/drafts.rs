//! Unsent texts, written behind those in the fabric. A removed draft is kept as an empty text with its time, so that
//! an older one that is written late does not bring it back.

use std::collections::HashMap;

use hubbub_protocol::{
    id::{RoomId, Seq, UserId},
    model::Draft,
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, list, on};

/// Keeps drafts, each unless a newer one of the same person and room is kept already. An empty text removes.
pub async fn put(db: &Db, drafts: &[(UserId, Draft)]) -> sqlx::Result<()> {
    let mut newest: HashMap<(UserId, RoomId), &Draft> = HashMap::with_capacity(drafts.len());
    for (user, draft) in drafts {
        // One statement must not meet the same row twice.
        let kept = newest.entry((*user, draft.room)).or_insert(draft);
        if draft.at > kept.at {
            *kept = draft;
        }
    }
    let mut newest: Vec<_> = newest.into_iter().collect();
    // In one order everywhere: two nodes that write the same rows do not wait for each other.
    newest.sort_unstable_by_key(|(place, _)| *place);
    for some in newest.chunks(list::ROWS_PER_STATEMENT) {
        let sql = format!(
            "INSERT INTO drafts (user_id, room_id, text, reply_to, at_ms) VALUES {}
             ON CONFLICT (user_id, room_id) DO UPDATE
             SET text = excluded.text, reply_to = excluded.reply_to, at_ms = excluded.at_ms
             WHERE excluded.at_ms > drafts.at_ms",
            list::rows(1, some.len(), 5)
        );
        on!(execute db, {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for ((user, room), draft) in some {
                query = query.bind(user.as_uuid()).bind(room.as_uuid()).bind(&draft.text)
                    .bind(draft.reply_to.map(Seq::as_i64)).bind(draft.at);
            }
            query
        })?;
    }
    Ok(())
}

/// A person's drafts, newest first.
pub async fn of_user(db: &Db, user: UserId) -> sqlx::Result<Vec<Draft>> {
    const SQL: &str = "
        SELECT room_id, text, reply_to, at_ms FROM drafts WHERE user_id = $1 AND text <> '' ORDER BY at_ms DESC";
    let rows: Vec<(Uuid, String, Option<i64>, i64)> =
        on!(db, pool => sqlx::query_as(SQL).bind(user.as_uuid()).fetch_all(pool))?;
    let draft = |(room, text, reply_to, at): (Uuid, String, Option<i64>, i64)| Draft {
        room: RoomId(room),
        text,
        reply_to: reply_to.map(Seq::from_i64),
        at,
    };
    Ok(rows.into_iter().map(draft).collect())
}

/// Removes a draft that is not newer than `at_ms`, as when its text was sent.
pub async fn remove(db: &Db, user: UserId, room: RoomId, at_ms: i64) -> sqlx::Result<()> {
    put(db, &[(user, Draft { room, text: String::new(), reply_to: None, at: at_ms })]).await
}
