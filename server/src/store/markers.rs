//! Read markers: how far a person has read a room.

use hubbub_protocol::id::{RoomId, Seq};

use super::{Db, Tx, on, on_tx};

const ORDINAL: &str =
    "SELECT ordinal FROM messages WHERE room_id = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1";

/// The ordinal of a room's newest message at or below `seq`, 0 for none. Unread messages are those above it.
pub async fn ordinal_at(db: &Db, room: RoomId, seq: Seq) -> sqlx::Result<i64> {
    let ordinal: Option<i64> = on!(db, pool => sqlx::query_scalar(ORDINAL)
        .bind(room.as_uuid()).bind(seq.as_i64()).fetch_optional(pool))?;
    Ok(ordinal.unwrap_or(0))
}

/// The same inside a transaction, where the stream of the room is locked and the answer stays true.
pub async fn ordinal_in(tx: &mut Tx, room: RoomId, seq: Seq) -> sqlx::Result<i64> {
    let ordinal: Option<i64> = on_tx!(tx, conn => sqlx::query_scalar(ORDINAL)
        .bind(room.as_uuid()).bind(seq.as_i64()).fetch_optional(conn))?;
    Ok(ordinal.unwrap_or(0))
}
