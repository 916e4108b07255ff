//! The timeline of a room: the log folded. Messages with their present text, and what else stands between them.
//!
//! A page is one statement, so that its items, their edits and the head it names belong to one moment.

use hubbub_protocol::{
    command::HistoryPage,
    entry::{Entry, EntryBody},
    id::{EntryId, RoomId, Seq, StreamId, UserId},
    model::{Recalled, TimelineItem},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, entries::body_of, list, on};

/// Which part of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The newest.
    Newest,
    /// The newest below this seq.
    Before(Seq),
    /// The oldest above this seq.
    After(Seq),
    /// Half below, half at and above this seq.
    Around(Seq),
}

/// One page of a room's timeline, ascending; empty with head 0 for a room that does not exist.
pub async fn page(db: &Db, room: RoomId, part: Part, limit: u16) -> sqlx::Result<HistoryPage> {
    match part {
        Part::Newest => below(db, room, Seq(u64::MAX), limit).await,
        Part::Before(seq) => below(db, room, seq, limit).await,
        Part::After(seq) => above(db, room, seq, limit).await,
        Part::Around(seq) => {
            // The lower half first: its head is the older one, and the later half folds no less than that.
            let lower = below(db, room, seq, limit / 2).await?;
            let upper = above(db, room, Seq(seq.0.saturating_sub(1)), limit - limit / 2).await?;
            let items = lower.items.into_iter().chain(upper.items).collect();
            Ok(HistoryPage { items, head: lower.head, start: lower.start, end: upper.end })
        }
    }
}

async fn below(db: &Db, room: RoomId, before: Seq, limit: u16) -> sqlx::Result<HistoryPage> {
    const SQL: &str = "
        SELECT s.head, p.* FROM streams s LEFT JOIN (
            SELECT e.seq, e.id, e.at_ms, e.sender_id, e.kind, e.body, e.idempotency_key,
                m.text, m.edited_at_ms, m.recalled_at_ms, m.recalled_by
            FROM entries e LEFT JOIN messages m ON m.room_id = e.stream_id AND m.seq = e.seq
            WHERE e.stream_id = $1 AND e.seq < $2 AND e.kind NOT IN ('edit', 'recall')
            ORDER BY e.seq DESC LIMIT $3
        ) p ON TRUE WHERE s.id = $1";
    const NEWER: &str = "
        SELECT seq FROM entries WHERE stream_id = $1 AND seq >= $2 AND kind NOT IN ('edit', 'recall')
        ORDER BY seq LIMIT 1";
    // One more than asked tells whether the timeline goes on.
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL)
        .bind(room.as_uuid()).bind(before.as_i64()).bind(i64::from(limit) + 1).fetch_all(pool))?;
    let (head, mut items) = fold(room, rows)?;
    let start = items.len() <= usize::from(limit);
    items.drain(..items.len().saturating_sub(limit.into()));
    let end = before > head || !any(db, NEWER, room, before).await?;
    Ok(HistoryPage { items, head, start, end })
}

async fn above(db: &Db, room: RoomId, after: Seq, limit: u16) -> sqlx::Result<HistoryPage> {
    const SQL: &str = "
        SELECT s.head, p.* FROM streams s LEFT JOIN (
            SELECT e.seq, e.id, e.at_ms, e.sender_id, e.kind, e.body, e.idempotency_key,
                m.text, m.edited_at_ms, m.recalled_at_ms, m.recalled_by
            FROM entries e LEFT JOIN messages m ON m.room_id = e.stream_id AND m.seq = e.seq
            WHERE e.stream_id = $1 AND e.seq > $2 AND e.kind NOT IN ('edit', 'recall')
            ORDER BY e.seq LIMIT $3
        ) p ON TRUE WHERE s.id = $1";
    const OLDER: &str = "
        SELECT seq FROM entries WHERE stream_id = $1 AND seq <= $2 AND kind NOT IN ('edit', 'recall')
        ORDER BY seq DESC LIMIT 1";
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL)
        .bind(room.as_uuid()).bind(after.as_i64()).bind(i64::from(limit) + 1).fetch_all(pool))?;
    let (head, mut items) = fold(room, rows)?;
    let end = items.len() <= usize::from(limit);
    items.truncate(limit.into());
    let start = after == Seq::ZERO || !any(db, OLDER, room, after).await?;
    Ok(HistoryPage { items, head, start, end })
}

async fn any(db: &Db, sql: &'static str, room: RoomId, seq: Seq) -> sqlx::Result<bool> {
    let found: Option<i64> = on!(db, pool => sqlx::query_scalar(sql)
        .bind(room.as_uuid()).bind(seq.as_i64()).fetch_optional(pool))?;
    Ok(found.is_some())
}

/// Messages of a room by their places, with their present text, ascending; what is no message is left out.
pub async fn messages(db: &Db, room: RoomId, seqs: &[Seq]) -> sqlx::Result<Vec<TimelineItem>> {
    let seqs = list::padded(seqs.iter().map(|seq| seq.as_i64()));
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT s.head, e.seq, e.id, e.at_ms, e.sender_id, e.kind, e.body, e.idempotency_key,
            m.text, m.edited_at_ms, m.recalled_at_ms, m.recalled_by
         FROM streams s JOIN entries e ON e.stream_id = s.id
         JOIN messages m ON m.room_id = e.stream_id AND m.seq = e.seq
         WHERE s.id = $1 AND e.seq IN ({})",
        list::placeholders(2, seqs.len())
    );
    let rows: Vec<Row> = on!(db, pool => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(room.as_uuid());
        for seq in &seqs {
            query = query.bind(seq);
        }
        query.fetch_all(pool)
    })?;
    Ok(fold(room, rows)?.1)
}

/// The head, an entry, and what became of the message it is; everything but the head is null in an empty page.
type Row = (
    i64,
    Option<i64>,
    Option<Uuid>,
    Option<i64>,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<Uuid>,
);

/// The head, and the items in ascending order.
fn fold(room: RoomId, rows: Vec<Row>) -> sqlx::Result<(Seq, Vec<TimelineItem>)> {
    let head = rows.first().map_or(Seq::ZERO, |row| Seq::from_i64(row.0));
    let items: sqlx::Result<Vec<_>> =
        rows.into_iter().filter_map(|row| item(room, row).transpose()).collect();
    let mut items = items?;
    items.sort_unstable_by_key(|item| item.entry.seq);
    Ok((head, items))
}

fn item(room: RoomId, row: Row) -> sqlx::Result<Option<TimelineItem>> {
    let (_, seq, id, at, sender, kind, body, key, present, edited_at, recalled_at, recalled_by) = row;
    let (Some(seq), Some(id), Some(at), Some(sender), Some(kind), Some(body)) =
        (seq, id, at, sender, kind, body)
    else {
        return Ok(None);
    };
    let mut body = body_of(&kind, &body)?;
    if let (EntryBody::Message { text, .. }, Some(present)) = (&mut body, present) {
        *text = present;
    }
    let recalled = recalled_at.zip(recalled_by).map(|(at, by)| Recalled { by: UserId(by), at });
    let stream = StreamId::Room(room);
    let entry =
        Entry { stream, seq: Seq::from_i64(seq), id: EntryId(id), at, sender: UserId(sender), key, body };
    Ok(Some(TimelineItem { entry, edited_at, recalled }))
}
