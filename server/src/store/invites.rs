//! Invitations: codes that let people into a room. Using one up is a write of the room: see `membership`.

use hubbub_protocol::{
    http::InviteInfo,
    id::{RoomId, UserId},
    model::{Invite, User},
};
use uuid::Uuid;

use super::{Db, count, on};
use crate::clock;

/// Keeps a new invitation.
pub async fn insert_invite(db: &Db, invite: &Invite, invited_by: UserId) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO invites (code, room_id, invited_by, expires_at_ms, uses_left) VALUES ($1, $2, $3, $4, $5)";
    let uses_left = invite.uses_left.map(|uses| i64::try_from(uses).unwrap_or(i64::MAX));
    on!(execute db, sqlx::query(SQL).bind(&invite.code).bind(invite.room.as_uuid())
        .bind(invited_by.as_uuid()).bind(invite.expires_at).bind(uses_left))?;
    Ok(())
}

/// An invitation that can be used now.
pub async fn invite(db: &Db, code: &str) -> sqlx::Result<Option<Invite>> {
    const SQL: &str = "
        SELECT room_id, expires_at_ms, uses_left FROM invites
        WHERE code = $1 AND expires_at_ms > $2 AND (uses_left IS NULL OR uses_left > 0)";
    let row: Option<(Uuid, i64, Option<i64>)> =
        on!(db, pool => sqlx::query_as(SQL).bind(code).bind(clock::now_ms()).fetch_optional(pool))?;
    Ok(row.map(|(room, expires_at, uses_left)| Invite {
        code: code.to_owned(),
        room: RoomId(room),
        expires_at,
        uses_left: uses_left.map(count),
    }))
}

/// What an invitation that can be used now opens.
pub async fn invite_info(db: &Db, code: &str) -> sqlx::Result<Option<InviteInfo>> {
    const SQL: &str = "
        SELECT r.name, r.member_count, i.expires_at_ms, u.id, u.username, u.display_name
        FROM invites i JOIN rooms r ON r.id = i.room_id JOIN users u ON u.id = i.invited_by
        WHERE i.code = $1 AND i.expires_at_ms > $2 AND (i.uses_left IS NULL OR i.uses_left > 0)";
    type Row = (String, i64, i64, Uuid, String, String);
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(code).bind(clock::now_ms()).fetch_optional(pool))?;
    Ok(row.map(|(room_name, member_count, expires_at, id, username, display_name)| InviteInfo {
        room_name,
        member_count: count(member_count),
        invited_by: User { id: UserId(id), username, display_name },
        expires_at,
    }))
}
