//! Who is in a room.

use hubbub_protocol::{
    id::{RoomId, UserId},
    model::{Member, Role, User},
};
use uuid::Uuid;

use super::{Db, on};

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
