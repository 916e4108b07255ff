//! Invitations: codes that let people into a room.

use hubbub_protocol::{
    id::{RoomId, UserId},
    model::{Invite, RoomKind, User},
};
use uuid::Uuid;

use super::{Db, Tx, on, on_tx};

/// What an invitation opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The invitation.
    pub invite: Invite,
    /// What the room is.
    pub kind: RoomKind,
    /// What it is called.
    pub room_name: String,
    /// How many people are in it.
    pub member_count: u64,
    /// Who invites.
    pub invited_by: User,
}

/// Keeps a new invitation.
pub async fn insert(tx: &mut Tx, invite: &Invite, invited_by: UserId) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO invites (code, room_id, invited_by, expires_at_ms, uses_left) VALUES ($1, $2, $3, $4, $5)";
    let uses_left = invite.uses_left.map(|uses| i64::try_from(uses).unwrap_or(i64::MAX));
    on_tx!(execute tx, sqlx::query(SQL).bind(&invite.code).bind(invite.room.as_uuid())
        .bind(invited_by.as_uuid()).bind(invite.expires_at).bind(uses_left))?;
    Ok(())
}

/// An invitation that can be used now.
pub async fn by_code(db: &Db, code: &str, now_ms: i64) -> sqlx::Result<Option<Opened>> {
    const SQL: &str = "
        SELECT i.room_id, i.expires_at_ms, i.uses_left, r.kind, r.name, r.member_count, u.id, u.username, u.display_name
        FROM invites i JOIN rooms r ON r.id = i.room_id JOIN users u ON u.id = i.invited_by
        WHERE i.code = $1 AND i.expires_at_ms > $2 AND (i.uses_left IS NULL OR i.uses_left > 0)";
    type Row = (Uuid, i64, Option<i64>, String, String, i64, Uuid, String, String);
    let row: Option<Row> = on!(db, pool => sqlx::query_as(SQL).bind(code).bind(now_ms).fetch_optional(pool))?;
    let opened =
        |(room, expires_at, uses_left, kind, room_name, member_count, id, username, display_name): Row| {
            let uses_left = uses_left.map(super::count);
            Opened {
                invite: Invite { code: code.to_owned(), room: RoomId(room), expires_at, uses_left },
                kind: RoomKind::parse(&kind),
                room_name,
                member_count: super::count(member_count),
                invited_by: User { id: UserId(id), username, display_name },
            }
        };
    Ok(row.map(opened))
}

/// Uses an invitation once; the room it opens, or `None` when it has ended, also if that was a moment ago.
pub async fn redeem(tx: &mut Tx, code: &str, now_ms: i64) -> sqlx::Result<Option<RoomId>> {
    const SQL: &str = "
        UPDATE invites SET uses_left = uses_left - 1
        WHERE code = $1 AND expires_at_ms > $2 AND (uses_left IS NULL OR uses_left > 0) RETURNING room_id";
    let room: Option<Uuid> =
        on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(code).bind(now_ms).fetch_optional(conn))?;
    Ok(room.map(RoomId))
}
