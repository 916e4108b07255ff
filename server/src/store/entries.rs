//! The log: entries of streams as they were committed, and where each stream stands.

use std::collections::HashMap;

use hubbub_protocol::{
    entry::{Entry, EntryBody},
    id::{EntryId, Seq, StreamId, UserId},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, list, on};

/// `seq, id, at_ms, sender_id, kind, body, idempotency_key`.
type Row = (i64, Uuid, i64, Uuid, String, String, Option<String>);

fn entry(stream: StreamId, row: Row) -> sqlx::Result<Entry> {
    let (seq, id, at, sender, kind, body, key) = row;
    let body = body_of(&kind, &body)?;
    Ok(Entry { stream, seq: Seq::from_i64(seq), id: EntryId(id), at, sender: UserId(sender), key, body })
}

/// The body that the columns `kind` and `body` hold. A kind that this program does not know is an error.
pub(super) fn body_of(kind: &str, body: &str) -> sqlx::Result<EntryBody> {
    let comma = if body == "{}" { "" } else { "," };
    let rest = body.strip_prefix('{').unwrap_or(body);
    serde_json::from_str(&format!(r#"{{"kind":"{kind}"{comma}{rest}"#))
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Up to `limit` entries above `after`, ascending.
pub async fn after(db: &Db, stream: StreamId, after: Seq, limit: u16) -> sqlx::Result<Vec<Entry>> {
    const SQL: &str = "
        SELECT seq, id, at_ms, sender_id, kind, body, idempotency_key FROM entries
        WHERE stream_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL)
        .bind(stream.as_uuid()).bind(after.as_i64()).bind(i64::from(limit)).fetch_all(pool))?;
    rows.into_iter().map(|row| entry(stream, row)).collect()
}

/// The newest `limit` entries below `before`, ascending.
pub async fn before(db: &Db, stream: StreamId, before: Seq, limit: u16) -> sqlx::Result<Vec<Entry>> {
    const SQL: &str = "
        SELECT seq, id, at_ms, sender_id, kind, body, idempotency_key FROM entries
        WHERE stream_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL)
        .bind(stream.as_uuid()).bind(before.as_i64()).bind(i64::from(limit)).fetch_all(pool))?;
    rows.into_iter().rev().map(|row| entry(stream, row)).collect()
}

/// The entry that a sender made under an idempotency key.
pub async fn by_key(db: &Db, stream: StreamId, sender: UserId, key: &str) -> sqlx::Result<Option<Entry>> {
    const SQL: &str = "
        SELECT seq, id, at_ms, sender_id, kind, body, idempotency_key FROM entries
        WHERE stream_id = $1 AND sender_id = $2 AND idempotency_key = $3";
    let row: Option<Row> = on!(db, pool => sqlx::query_as(SQL)
        .bind(stream.as_uuid()).bind(sender.as_uuid()).bind(key).fetch_optional(pool))?;
    row.map(|row| entry(stream, row)).transpose()
}

/// The newest seq of each of these streams; unknown streams are left out.
pub async fn heads(db: &Db, streams: &[StreamId]) -> sqlx::Result<HashMap<StreamId, Seq>> {
    let mut heads = HashMap::with_capacity(streams.len());
    for some in streams.chunks(list::ROWS_PER_STATEMENT) {
        let by_id: HashMap<Uuid, StreamId> = some.iter().map(|stream| (stream.as_uuid(), *stream)).collect();
        let ids = list::padded(by_id.keys().copied());
        let places = list::placeholders(1, ids.len());
        let sql = format!("SELECT id, head FROM streams WHERE id IN ({places})");
        let rows: Vec<(Uuid, i64)> = on!(db, pool => {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for id in &ids {
                query = query.bind(id);
            }
            query.fetch_all(pool)
        })?;
        heads.extend(rows.into_iter().filter_map(|(id, head)| Some((*by_id.get(&id)?, Seq::from_i64(head)))));
    }
    Ok(heads)
}

/// The newest seq of each stream that was written since, `limit` streams at most. A stamp is up to 2 s older than the
/// commit of its entry.
pub async fn written_since(db: &Db, since_ms: i64, limit: i64) -> sqlx::Result<Vec<(Uuid, Seq)>> {
    const SQL: &str = "
        SELECT stream_id, MAX(seq) FROM entries WHERE at_ms >= $1 GROUP BY stream_id LIMIT $2";
    let rows: Vec<(Uuid, i64)> =
        on!(db, pool => sqlx::query_as(SQL).bind(since_ms).bind(limit).fetch_all(pool))?;
    Ok(rows.into_iter().map(|(stream, head)| (stream, Seq::from_i64(head))).collect())
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::{entry::EntryBody, id::Seq};

    use super::body_of;

    #[test]
    fn a_body_is_put_together_from_its_columns() {
        let message = EntryBody::Message { text: "a \"b\"".to_owned(), reply_to: None };
        assert_eq!(body_of("message", r#"{"text":"a \"b\""}"#).unwrap(), message);
        assert_eq!(body_of("recall", r#"{"target":7}"#).unwrap(), EntryBody::Recall { target: Seq(7) });
        assert!(body_of("message", "{}").is_err());
        assert!(body_of("of_tomorrow", "{}").is_err());
    }
}
