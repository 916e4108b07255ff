//! Who is in a room.

use std::collections::HashSet;

use hubbub_protocol::{
    id::{RoomId, UserId},
    model::{Member, Role, User},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, list, on};

/// Up to `limit` members of a room by user id, after the user `after`.
pub async fn page(db: &Db, room: RoomId, after: Option<UserId>, limit: u16) -> sqlx::Result<Vec<Member>> {
    const SQL: &str = "
        SELECT u.id, u.username, u.display_name, m.role, m.joined_at_ms
        FROM members m JOIN users u ON u.id = m.user_id
        WHERE m.room_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3";
    let after = after.map_or(Uuid::nil(), UserId::as_uuid);
    let rows: Vec<(Uuid, String, String, String, i64)> = on!(db, pool => sqlx::query_as(SQL)
        .bind(room.as_uuid()).bind(after).bind(i64::from(limit)).fetch_all(pool))?;
    let member = |(id, username, display_name, role, joined_at): (Uuid, String, String, String, i64)| {
        Member { user: User { id: UserId(id), username, display_name }, role: Role::parse(&role), joined_at }
    };
    Ok(rows.into_iter().map(member).collect())
}

/// Up to `limit` ids of members of a room in their order, after the user `after`.
pub async fn ids(db: &Db, room: RoomId, after: Option<UserId>, limit: i64) -> sqlx::Result<Vec<UserId>> {
    const SQL: &str =
        "SELECT user_id FROM members WHERE room_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3";
    let after = after.map_or(Uuid::nil(), UserId::as_uuid);
    let ids: Vec<Uuid> = on!(db, pool => sqlx::query_scalar(SQL)
        .bind(room.as_uuid()).bind(after).bind(limit).fetch_all(pool))?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Those of the people who are in a room that `user` is in too.
pub async fn sharing(db: &Db, user: UserId, others: &[UserId]) -> sqlx::Result<HashSet<UserId>> {
    let mut found = HashSet::new();
    for some in others.chunks(list::ROWS_PER_STATEMENT) {
        let some = list::padded(some.iter().map(|id| id.as_uuid()));
        let sql = format!(
            "SELECT DISTINCT m.user_id FROM members m WHERE m.user_id IN ({})
             AND EXISTS (SELECT 1 FROM members own WHERE own.room_id = m.room_id AND own.user_id = $1)",
            list::placeholders(2, some.len())
        );
        let ids: Vec<Uuid> = on!(db, pool => {
            let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(user.as_uuid());
            for id in &some {
                query = query.bind(id);
            }
            query.fetch_all(pool)
        })?;
        found.extend(ids.into_iter().map(UserId));
    }
    Ok(found)
}

/// The rooms of at most `most` members that these people are in.
pub async fn small_rooms_of(db: &Db, users: &[UserId], most: u64) -> sqlx::Result<Vec<(UserId, RoomId)>> {
    let mut found = Vec::new();
    for some in users.chunks(list::ROWS_PER_STATEMENT) {
        let some = list::padded(some.iter().map(|id| id.as_uuid()));
        let sql = format!(
            "SELECT m.user_id, m.room_id FROM members m JOIN rooms r ON r.id = m.room_id
             WHERE r.member_count <= $1 AND m.user_id IN ({})",
            list::placeholders(2, some.len())
        );
        let rows: Vec<(Uuid, Uuid)> = on!(db, pool => {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(i64::try_from(most).unwrap_or(i64::MAX));
            for id in &some {
                query = query.bind(id);
            }
            query.fetch_all(pool)
        })?;
        found.extend(rows.into_iter().map(|(user, room)| (UserId(user), RoomId(room))));
    }
    Ok(found)
}
