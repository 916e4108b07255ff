//! Messages counted by time. A message counts when it was sent, also when it was recalled since.

use hubbub_protocol::{
    id::{RoomId, UserId},
    model::RoomKind,
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, count, list, on};

/// Messages of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// By room, with what each is.
    pub rooms: Vec<(RoomId, RoomKind, u64)>,
    /// By who wrote them, in public channels alone.
    pub people: Vec<(UserId, u64)>,
}

/// Counts the messages from `from_ms` up to before `until_ms`.
pub async fn counted(db: &Db, from_ms: i64, until_ms: i64) -> sqlx::Result<Counted> {
    const ROOMS: &str = "
        SELECT m.room_id, r.kind, COUNT(*) FROM messages m JOIN rooms r ON r.id = m.room_id
        WHERE m.at_ms >= $1 AND m.at_ms < $2 GROUP BY m.room_id, r.kind";
    const PEOPLE: &str = "
        SELECT m.sender_id, COUNT(*) FROM messages m JOIN rooms r ON r.id = m.room_id
        WHERE m.at_ms >= $1 AND m.at_ms < $2 AND r.kind = 'channel' GROUP BY m.sender_id";
    let rooms: Vec<(Uuid, String, i64)> =
        on!(db, pool => sqlx::query_as(ROOMS).bind(from_ms).bind(until_ms).fetch_all(pool))?;
    if rooms.is_empty() {
        return Ok(Counted::default());
    }
    let people: Vec<(Uuid, i64)> =
        on!(db, pool => sqlx::query_as(PEOPLE).bind(from_ms).bind(until_ms).fetch_all(pool))?;
    let rooms = rooms
        .into_iter()
        .map(|(room, kind, messages)| (RoomId(room), RoomKind::parse(&kind), count(messages)));
    let people = people.into_iter().map(|(user, messages)| (UserId(user), count(messages)));
    Ok(Counted { rooms: rooms.collect(), people: people.collect() })
}

/// How many messages there are from `from_ms` up to before `until_ms`.
pub async fn total(db: &Db, from_ms: i64, until_ms: i64) -> sqlx::Result<u64> {
    const SQL: &str = "SELECT COUNT(*) FROM messages WHERE at_ms >= $1 AND at_ms < $2";
    let messages: i64 =
        on!(db, pool => sqlx::query_scalar(SQL).bind(from_ms).bind(until_ms).fetch_one(pool))?;
    Ok(count(messages))
}

/// What rooms are; unknown ones are left out.
pub async fn kinds(db: &Db, rooms: &[RoomId]) -> sqlx::Result<Vec<(RoomId, RoomKind)>> {
    let mut found = Vec::with_capacity(rooms.len());
    for some in rooms.chunks(list::ROWS_PER_STATEMENT) {
        let some = list::padded(some.iter().map(|room| room.as_uuid()));
        let sql = format!("SELECT id, kind FROM rooms WHERE id IN ({})", list::placeholders(1, some.len()));
        let rows: Vec<(Uuid, String)> = on!(db, pool => {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for id in &some {
                query = query.bind(id);
            }
            query.fetch_all(pool)
        })?;
        found.extend(rows.into_iter().map(|(room, kind)| (RoomId(room), RoomKind::parse(&kind))));
    }
    Ok(found)
}

/// A room as someone sees it in a list: what it is, what it is called, whether they are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The room.
    pub room: RoomId,
    /// What it is.
    pub kind: RoomKind,
    /// What it is called.
    pub name: String,
    /// Whether they are in it.
    pub joined: bool,
}

/// Those of the rooms that are public channels.
pub async fn channels(db: &Db, user: UserId, rooms: &[RoomId]) -> sqlx::Result<Vec<Listed>> {
    let mut found = Vec::with_capacity(rooms.len());
    for some in rooms.chunks(list::ROWS_PER_STATEMENT) {
        let some = list::padded(some.iter().map(|room| room.as_uuid()));
        let sql = format!(
            "SELECT r.id, r.name, m.user_id FROM rooms r
             LEFT JOIN members m ON m.room_id = r.id AND m.user_id = $1
             WHERE r.kind = 'channel' AND r.id IN ({})",
            list::placeholders(2, some.len())
        );
        let rows: Vec<(Uuid, String, Option<Uuid>)> = on!(db, pool => {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(user.as_uuid());
            for id in &some {
                query = query.bind(id);
            }
            query.fetch_all(pool)
        })?;
        let listed = |(room, name, member): (Uuid, String, Option<Uuid>)| Listed {
            room: RoomId(room),
            kind: RoomKind::Channel,
            name,
            joined: member.is_some(),
        };
        found.extend(rows.into_iter().map(listed));
    }
    Ok(found)
}

/// The newest `limit` rooms of a person that are no public channels.
pub async fn private_rooms(db: &Db, user: UserId, limit: i64) -> sqlx::Result<Vec<Listed>> {
    const SQL: &str = "
        SELECT r.id, r.kind, r.name FROM members m JOIN rooms r ON r.id = m.room_id
        WHERE m.user_id = $1 AND r.kind <> 'channel' ORDER BY r.id DESC LIMIT $2";
    let rows: Vec<(Uuid, String, String)> =
        on!(db, pool => sqlx::query_as(SQL).bind(user.as_uuid()).bind(limit).fetch_all(pool))?;
    let listed = |(room, kind, name): (Uuid, String, String)| Listed {
        room: RoomId(room),
        kind: RoomKind::parse(&kind),
        name,
        joined: true,
    };
    Ok(rows.into_iter().map(listed).collect())
}
