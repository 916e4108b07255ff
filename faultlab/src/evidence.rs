//! What is there when all is quiet: SQL as it is, and the whole log as each node gives it.

use std::collections::BTreeMap;

use hubbub_client::{Connection, connection::Options};
use hubbub_protocol::{
    command::RoomReadParams,
    id::{EntryId, RoomId, Seq, SessionId, StreamId, UserId},
};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::{
    clients,
    cluster::Cluster,
    error::{Doing, Result},
    history::{Event, History},
};

/// Entries in one page: the most there are.
const PAGE: u16 = 200;

/// The heads of all streams.
///
/// # Errors
/// Postgres does not answer.
pub async fn heads(cluster: &Cluster) -> Result<BTreeMap<Uuid, u64>> {
    let mut connection = cluster.postgres.connect().await?;
    let rows: Vec<(Uuid, i64)> = sqlx::query_as("SELECT id, head FROM streams")
        .fetch_all(&mut connection)
        .await
        .doing("read heads")?;
    connection.close().await.doing("leave Postgres")?;
    Ok(rows.into_iter().map(|(id, head)| (id, head.unsigned_abs())).collect())
}

/// Writes down what SQL holds.
///
/// # Errors
/// Postgres does not answer.
pub async fn of_database(cluster: &Cluster, history: &History) -> Result<()> {
    let mut connection = cluster.postgres.connect().await?;
    streams(&mut connection, history).await?;
    entries(&mut connection, history).await?;
    sessions(&mut connection, history).await?;
    connection.close().await.doing("leave Postgres")
}

async fn streams(connection: &mut PgConnection, history: &History) -> Result<()> {
    let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as("SELECT id, head, messages FROM streams ORDER BY id")
        .fetch_all(connection)
        .await
        .doing("read streams")?;
    for (stream, head, messages) in rows {
        history.note(Event::Head { stream, head: head.unsigned_abs(), messages: messages.unsigned_abs() });
    }
    Ok(())
}

type EntryRow = (Uuid, i64, Uuid, String, Uuid, Option<String>, Option<i64>, Option<String>);

async fn entries(connection: &mut PgConnection, history: &History) -> Result<()> {
    const SQL: &str =
        "SELECT e.stream_id, e.seq, e.id, e.kind, e.sender_id, e.idempotency_key, m.ordinal, m.text
        FROM entries e LEFT JOIN messages m ON m.room_id = e.stream_id AND m.seq = e.seq
        ORDER BY e.stream_id, e.seq";
    let rows: Vec<EntryRow> = sqlx::query_as(SQL).fetch_all(connection).await.doing("read entries")?;
    for (stream, seq, id, kind, sender, key, ordinal, text) in rows {
        let said = key.as_deref().map(clients::text);
        history.note(Event::Entry {
            stream,
            seq: seq.unsigned_abs(),
            id: EntryId(id),
            intact: kind != "message" || text == said,
            kind,
            sender: UserId(sender),
            key,
            ordinal: ordinal.map(i64::unsigned_abs),
        });
    }
    Ok(())
}

async fn sessions(connection: &mut PgConnection, history: &History) -> Result<()> {
    let rows: Vec<(Uuid, Uuid, i64, Option<i64>)> =
        sqlx::query_as("SELECT id, user_id, fence, ended_at_ms FROM sessions ORDER BY user_id, fence")
            .fetch_all(connection)
            .await
            .doing("read sessions")?;
    for (session, user, fence, ended) in rows {
        let (session, user) = (SessionId(session), UserId(user));
        history.note(Event::Session { session, user, fence, lives: ended.is_none() });
    }
    Ok(())
}

/// Reads every room through every node, as somebody who is in it, and writes that down.
///
/// # Errors
/// A node does not answer.
pub async fn of_nodes(
    cluster: &Cluster,
    history: &History,
    readers: &BTreeMap<RoomId, String>,
) -> Result<()> {
    for (number, address) in cluster.addresses()?.iter().enumerate() {
        for (room, token) in readers {
            let (connection, mut pushes) =
                Connection::open(address, &Options::default()).await.doing("connect to read a room")?;
            tokio::spawn(async move { while pushes.next().await.is_some() {} });
            connection.start(token, BTreeMap::new()).await.doing("start a session to read a room")?;
            read_room(&connection, number, *room, history).await?;
            connection.close().await;
        }
    }
    Ok(())
}

async fn read_room(connection: &Connection, node: usize, room: RoomId, history: &History) -> Result<()> {
    let mut after = Seq(0);
    loop {
        let params = RoomReadParams { room, before: None, after: Some(after), limit: Some(PAGE) };
        let page = connection.ask(params).await.doing("read a room")?;
        for entry in &page.entries {
            if entry.stream == StreamId::Room(room) {
                history.note(Event::Read { node, room, seq: entry.seq, id: entry.id });
            }
        }
        match page.entries.last() {
            Some(last) if last.seq > after => after = last.seq,
            _ => return Ok(()),
        }
    }
}
