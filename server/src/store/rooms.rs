//! Rooms as one person sees them.

use std::collections::HashMap;

use hubbub_protocol::{
    error::Reason,
    id::{RoomId, Seq, UserId},
    model::{Marker, Preview, PublicRoom, Role, Room, RoomKind, User},
};
use uuid::Uuid;

use super::{Db, count, list, on, users};
use crate::error::CommandError;

/// What someone is to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// There is no such room.
    Unknown,
    /// The room exists, they are not in it.
    NotAMember {
        /// What it is.
        kind: RoomKind,
    },
    /// They are in it.
    Member {
        /// What it is.
        kind: RoomKind,
        /// As what.
        role: Role,
        /// The newest seq of its stream.
        head: Seq,
    },
}

impl Access {
    /// Role and head.
    ///
    /// # Errors
    /// `unknown_room` or `not_a_member`.
    pub fn require(self) -> Result<(Role, Seq), Reason> {
        match self {
            Self::Unknown => Err(Reason::UnknownRoom),
            Self::NotAMember { .. } => Err(Reason::NotAMember),
            Self::Member { role, head, .. } => Ok((role, head)),
        }
    }
}

/// What someone is to a room, and how far its stream is; three look-ups by primary key.
pub async fn access(db: &Db, room: RoomId, user: UserId) -> sqlx::Result<Access> {
    const SQL: &str = "
        SELECT r.kind, s.head, m.role FROM rooms r JOIN streams s ON s.id = r.id
        LEFT JOIN members m ON m.room_id = r.id AND m.user_id = $1
        WHERE r.id = $2";
    let row: Option<(String, i64, Option<String>)> = on!(db, pool => sqlx::query_as(SQL)
        .bind(user.as_uuid()).bind(room.as_uuid()).fetch_optional(pool))?;
    Ok(row.map_or(Access::Unknown, |(kind, head, role)| {
        let kind = RoomKind::parse(&kind);
        match role {
            None => Access::NotAMember { kind },
            Some(role) => Access::Member { kind, role: Role::parse(&role), head: Seq::from_i64(head) },
        }
    }))
}

/// 16 columns, the most that a tuple can take.
type Row = (
    Uuid,
    String,
    String,
    String,
    Option<String>,
    i64,
    i64,
    String,
    i64,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<Uuid>,
    Option<String>,
    Option<i64>,
);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.kind, r.name, r.topic, r.direct_key, r.member_count, r.created_at_ms,
                m.role, m.marker_seq, m.marker_ordinal, s.head, s.messages,
                l.seq, l.sender_id, CASE WHEN l.recalled_at_ms IS NULL THEN SUBSTR(l.text, 1, 120) END, l.at_ms
             FROM members m JOIN rooms r ON r.id = m.room_id JOIN streams s ON s.id = r.id
             LEFT JOIN messages l ON l.room_id = r.id AND l.seq = s.last_message_seq ",
            $rest
        )
    };
}

/// All rooms of a person, the one with the newest message first. Two statements, however many rooms.
pub async fn of_user(db: &Db, user: UserId) -> sqlx::Result<Vec<Room>> {
    const SQL: &str =
        select!("WHERE m.user_id = $1 ORDER BY COALESCE(l.at_ms, r.created_at_ms) DESC, r.id DESC");
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL).bind(user.as_uuid()).fetch_all(pool))?;
    with_peers(db, user, rows).await
}

/// The ids of all rooms of a person.
pub async fn ids_of_user(db: &Db, user: UserId) -> sqlx::Result<Vec<RoomId>> {
    const SQL: &str = "SELECT room_id FROM members WHERE user_id = $1";
    let ids: Vec<Uuid> = on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_uuid()).fetch_all(pool))?;
    Ok(ids.into_iter().map(RoomId).collect())
}

/// One room of a person.
///
/// # Errors
/// `unknown_room`, `not_a_member`, `unavailable`.
pub async fn room_for(db: &Db, user: UserId, room: RoomId) -> Result<Room, CommandError> {
    const SQL: &str = select!("WHERE m.user_id = $1 AND m.room_id = $2");
    let rows: Vec<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(user.as_uuid()).bind(room.as_uuid()).fetch_all(pool))?;
    if let Some(room) = with_peers(db, user, rows).await?.pop() {
        return Ok(room);
    }
    // Between the two they may have come in.
    Err(access(db, room, user).await?.require().err().unwrap_or(Reason::NotAMember).into())
}

async fn with_peers(db: &Db, user: UserId, rows: Vec<Row>) -> sqlx::Result<Vec<Room>> {
    let peers: Vec<UserId> = rows.iter().filter_map(|row| peer_of(row.4.as_deref()?, user)).collect();
    let peers = if peers.is_empty() { Vec::new() } else { users::by_ids(db, &peers).await? };
    let peers: HashMap<UserId, User> = peers.into_iter().map(|peer| (peer.id, peer)).collect();
    Ok(rows.into_iter().map(|row| room_of(row, user, &peers)).collect())
}

/// The other one in `<lower id>:<higher id>`.
fn peer_of(direct_key: &str, user: UserId) -> Option<UserId> {
    let (lower, higher) = direct_key.split_once(':')?;
    let (lower, higher): (UserId, UserId) = (lower.parse().ok()?, higher.parse().ok()?);
    Some(if lower == user { higher } else { lower })
}

fn room_of(row: Row, user: UserId, peers: &HashMap<UserId, User>) -> Room {
    let (id, kind, name, topic, direct_key, member_count, created_at, ..) = row;
    let (.., role, marker_seq, marker_ordinal, head, messages, last_seq, last_sender, last_text, last_at) =
        row;
    let last = last_seq.zip(last_sender).zip(last_at).map(|((seq, sender), at)| Preview {
        seq: Seq::from_i64(seq),
        sender: UserId(sender),
        text: last_text,
        at,
    });
    Room {
        id: RoomId(id),
        kind: RoomKind::parse(&kind),
        name,
        topic,
        role: Role::parse(&role),
        member_count: count(member_count),
        peer: direct_key.and_then(|key| peers.get(&peer_of(&key, user)?).cloned()),
        head: Seq::from_i64(head),
        marker: Marker { seq: Seq::from_i64(marker_seq), unread: count(messages - marker_ordinal) },
        last,
        created_at,
    }
}

/// Up to `limit` public channels whose names begin with `query` (in any case), by name, after the name `after`.
pub async fn public(
    db: &Db,
    user: UserId,
    query: Option<&str>,
    after: Option<&str>,
    limit: u16,
) -> sqlx::Result<Vec<PublicRoom>> {
    const SQL: &str = r"
        SELECT r.id, r.kind, r.name, r.topic, r.member_count, m.user_id
        FROM rooms r LEFT JOIN members m ON m.room_id = r.id AND m.user_id = $1
        WHERE r.kind = 'channel' AND r.name_folded LIKE $2 ESCAPE '\' AND r.name_folded > $3
        ORDER BY r.name_folded, r.id LIMIT $4";
    type Row = (Uuid, String, String, String, i64, Option<Uuid>);
    let after = after.unwrap_or_default().to_lowercase();
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL).bind(user.as_uuid())
        .bind(list::prefix(query.unwrap_or_default())).bind(after).bind(i64::from(limit)).fetch_all(pool))?;
    let public = |(id, kind, name, topic, member_count, member): Row| PublicRoom {
        id: RoomId(id),
        kind: RoomKind::parse(&kind),
        name,
        topic,
        member_count: count(member_count),
        joined: member.is_some(),
    };
    Ok(rows.into_iter().map(public).collect())
}
