//! Rooms and their members, written inside a transaction that has locked the streams it concerns.

use std::collections::HashMap;

use hubbub_protocol::{
    id::{RoomId, Seq, StreamId, UserId},
    model::{Role, RoomKind, User},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{list, log::Log, markers, on_tx};

/// A room as SQL has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRow {
    /// The room.
    pub id: RoomId,
    /// What it is.
    pub kind: RoomKind,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub topic: String,
    /// How many people are in it.
    pub member_count: i64,
    /// When it was made.
    pub created_at_ms: i64,
}

/// The key that both people of a direct room share.
pub fn direct_key(one: UserId, other: UserId) -> String {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    format!("{low}:{high}")
}

/// A room.
pub async fn room(log: &mut Log, room: RoomId) -> sqlx::Result<Option<RoomRow>> {
    const SQL: &str = "SELECT kind, name, topic, member_count, created_at_ms FROM rooms WHERE id = $1";
    let row: Option<(String, String, String, i64, i64)> =
        on_tx!(log.tx(), conn => sqlx::query_as(SQL).bind(room.as_uuid()).fetch_optional(conn))?;
    Ok(row.map(|(kind, name, topic, member_count, created_at_ms)| RoomRow {
        id: room,
        kind: RoomKind::parse(&kind),
        name,
        topic,
        member_count,
        created_at_ms,
    }))
}

/// The direct room of a pair.
pub async fn direct_room(log: &mut Log, key: &str) -> sqlx::Result<Option<RoomId>> {
    const SQL: &str = "SELECT id FROM rooms WHERE direct_key = $1";
    let id: Option<Uuid> = on_tx!(log.tx(), conn => sqlx::query_scalar(SQL).bind(key).fetch_optional(conn))?;
    Ok(id.map(RoomId))
}

/// Makes a room; its stream is there already.
pub async fn insert_room(log: &mut Log, row: &RoomRow, direct_key: Option<&str>) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO rooms
        (id, kind, name, name_folded, topic, direct_key, member_count, created_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on_tx!(execute log.tx(), sqlx::query(SQL)
        .bind(row.id.as_uuid()).bind(row.kind.as_str()).bind(&row.name).bind(row.name.to_lowercase())
        .bind(&row.topic).bind(direct_key).bind(row.member_count).bind(row.created_at_ms))?;
    Ok(())
}

/// Gives a room another name and topic.
pub async fn update_room(log: &mut Log, room: RoomId, name: &str, topic: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE rooms SET name = $1, name_folded = $2, topic = $3 WHERE id = $4";
    on_tx!(execute log.tx(), sqlx::query(SQL)
        .bind(name).bind(name.to_lowercase()).bind(topic).bind(room.as_uuid()))?;
    Ok(())
}

/// The roles of those of the people who are in the room.
pub async fn roles(log: &mut Log, room: RoomId, users: &[UserId]) -> sqlx::Result<HashMap<UserId, Role>> {
    let ids = list::padded(users.iter().map(|user| user.as_uuid()));
    let sql = format!(
        "SELECT user_id, role FROM members WHERE room_id = $1 AND user_id IN ({})",
        list::placeholders(2, ids.len())
    );
    let rows: Vec<(Uuid, String)> = on_tx!(log.tx(), conn => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(room.as_uuid());
        for id in &ids {
            query = query.bind(id);
        }
        query.fetch_all(conn)
    })?;
    Ok(rows.into_iter().map(|(user, role)| (UserId(user), Role::parse(&role))).collect())
}

/// How many owners a room has.
pub async fn owner_count(log: &mut Log, room: RoomId) -> sqlx::Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM members WHERE room_id = $1 AND role = 'owner'";
    on_tx!(log.tx(), conn => sqlx::query_scalar(SQL).bind(room.as_uuid()).fetch_one(conn))
}

/// Brings someone in by the entry at `joined`, with nothing unread.
pub async fn insert_member(
    log: &mut Log,
    room: RoomId,
    user: UserId,
    role: Role,
    joined: Seq,
) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO members
        (room_id, user_id, role, joined_at_ms, joined_seq, marker_seq, marker_ordinal)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (at_ms, ordinal) = (log.at_ms(), log.messages(StreamId::Room(room)));
    on_tx!(execute log.tx(), sqlx::query(SQL)
        .bind(room.as_uuid()).bind(user.as_uuid()).bind(role.as_str()).bind(at_ms)
        .bind(joined.as_i64()).bind(joined.as_i64()).bind(ordinal))?;
    Ok(())
}

/// Takes someone out.
pub async fn delete_member(log: &mut Log, room: RoomId, user: UserId) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM members WHERE room_id = $1 AND user_id = $2";
    on_tx!(execute log.tx(), sqlx::query(SQL).bind(room.as_uuid()).bind(user.as_uuid()))?;
    Ok(())
}

/// Gives a member another role.
pub async fn set_role(log: &mut Log, room: RoomId, user: UserId, role: Role) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE members SET role = $1 WHERE room_id = $2 AND user_id = $3";
    on_tx!(execute log.tx(), sqlx::query(SQL)
        .bind(role.as_str()).bind(room.as_uuid()).bind(user.as_uuid()))?;
    Ok(())
}

/// Counts members in or out.
pub async fn count_members(log: &mut Log, room: RoomId, change: i64) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE rooms SET member_count = member_count + $1 WHERE id = $2";
    on_tx!(execute log.tx(), sqlx::query(SQL).bind(change).bind(room.as_uuid()))?;
    Ok(())
}

/// People by their ids.
pub async fn users(log: &mut Log, users: &[UserId]) -> sqlx::Result<HashMap<UserId, User>> {
    let ids = list::padded(users.iter().map(|user| user.as_uuid()));
    let sql = format!(
        "SELECT id, username, display_name FROM users WHERE id IN ({})",
        list::placeholders(1, ids.len())
    );
    let rows: Vec<(Uuid, String, String)> = on_tx!(log.tx(), conn => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for id in &ids {
            query = query.bind(id);
        }
        query.fetch_all(conn)
    })?;
    let user = |(id, username, display_name)| (UserId(id), User { id: UserId(id), username, display_name });
    Ok(rows.into_iter().map(user).collect())
}

/// The room that an entry of someone's own stream says they joined; `None` when it says something else.
pub async fn joined_room(log: &mut Log, own: StreamId, seq: Seq) -> sqlx::Result<Option<RoomId>> {
    const SQL: &str = "SELECT body FROM entries WHERE stream_id = $1 AND seq = $2 AND kind = 'room_joined'";
    #[derive(serde::Deserialize)]
    struct Joined {
        room: Named,
    }
    #[derive(serde::Deserialize)]
    struct Named {
        id: RoomId,
    }
    let body: Option<String> = on_tx!(log.tx(), conn => sqlx::query_scalar(SQL)
        .bind(own.as_uuid()).bind(seq.as_i64()).fetch_optional(conn))?;
    Ok(body.and_then(|body| serde_json::from_str::<Joined>(&body).ok()).map(|joined| joined.room.id))
}

/// A read marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkerRow {
    /// The newest entry read.
    pub seq: Seq,
    /// The ordinal of the newest message at or below it.
    pub ordinal: i64,
    /// How many people are in the room.
    pub member_count: i64,
    /// The newest seq of the room.
    pub head: Seq,
    /// Messages of the room.
    pub messages: i64,
}

/// Someone's read marker and what it is measured against; `None` for who is not in the room.
pub async fn marker(log: &mut Log, room: RoomId, user: UserId) -> sqlx::Result<Option<MarkerRow>> {
    const SQL: &str = "SELECT m.marker_seq, m.marker_ordinal, r.member_count, s.head, s.messages
        FROM members m JOIN rooms r ON r.id = m.room_id JOIN streams s ON s.id = m.room_id
        WHERE m.room_id = $1 AND m.user_id = $2";
    let row: Option<(i64, i64, i64, i64, i64)> = on_tx!(log.tx(), conn => sqlx::query_as(SQL)
        .bind(room.as_uuid()).bind(user.as_uuid()).fetch_optional(conn))?;
    Ok(row.map(|(seq, ordinal, member_count, head, messages)| MarkerRow {
        seq: Seq::from_i64(seq),
        ordinal,
        member_count,
        head: Seq::from_i64(head),
        messages,
    }))
}

/// Moves someone's read marker to `seq`; gives the ordinal of the newest message at or below it.
pub async fn move_marker(log: &mut Log, room: RoomId, user: UserId, seq: Seq) -> sqlx::Result<i64> {
    const MOVE: &str = "UPDATE members SET marker_seq = $1, marker_ordinal = $2
        WHERE room_id = $3 AND user_id = $4";
    let ordinal = markers::ordinal_in(log.tx(), room, seq).await?;
    on_tx!(execute log.tx(), sqlx::query(MOVE)
        .bind(seq.as_i64()).bind(ordinal).bind(room.as_uuid()).bind(user.as_uuid()))?;
    Ok(ordinal)
}
