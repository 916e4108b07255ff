//! The life of a database. It begins when the tables are made, and anew when a back-up takes the database's place: then
//! seqs are given again that were given already, and only another epoch tells clients and caches of it.

use std::path::Path;

use hubbub_protocol::{close::EndReason, id::Epoch};
use sqlx::PgPool;
use uuid::Uuid;

use super::{Db, Pools, on, on_tx};

/// The epoch as it is in the database.
pub(super) async fn epoch(db: &Db) -> sqlx::Result<Epoch> {
    let sql = "SELECT epoch_id FROM epoch WHERE one = 1";
    on!(db, pool => sqlx::query_scalar::<_, Uuid>(sql).fetch_one(pool)).map(Epoch)
}

/// The epoch, the time of day in milliseconds, and whether the database can only be read.
pub(super) async fn state(pool: &PgPool) -> sqlx::Result<(Epoch, i64, bool)> {
    const SQL: &str = "SELECT epoch_id, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT),
        pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'
        FROM epoch WHERE one = 1";
    let (epoch, now_ms, read_only): (Uuid, i64, bool) = sqlx::query_as(SQL).fetch_one(pool).await?;
    Ok((Epoch(epoch), now_ms, read_only))
}

/// What [`renew`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The new epoch.
    pub epoch: Epoch,
    /// Sessions that lived and were ended.
    pub sessions_ended: u64,
}

/// Begins a new life: every cursor of the life before is told to reload. With `end_sessions` everybody has to log in
/// again, also those whose session had ended after the back-up was made and would live again.
pub async fn renew(db: &Db, end_sessions: bool, now_ms: i64) -> sqlx::Result<Renewed> {
    const END: &str = "UPDATE sessions SET ended_at_ms = $1, end_reason = $2 WHERE ended_at_ms IS NULL";
    let epoch = Epoch::generate();
    db.transact(move |tx| {
        Box::pin(async move {
            let sql = "UPDATE epoch SET epoch_id = $1 WHERE one = 1";
            on_tx!(execute tx, sqlx::query(sql).bind(epoch.as_uuid()))?;
            let sessions_ended = if end_sessions {
                on_tx!(execute tx, sqlx::query(END).bind(now_ms).bind(EndReason::LoggedOut.as_str()))?
            } else {
                0
            };
            Ok(Renewed { epoch, sessions_ended })
        })
    })
    .await
}

/// Writes all of an SQLite database into an empty file, as it is at one moment, while others read and write it. It takes
/// as long as it takes.
///
/// # Errors
/// The file is not empty, or cannot be written; on Postgres, which has tools of its own.
pub async fn copy_into(db: &Db, file: &Path) -> sqlx::Result<()> {
    let Pools::Sqlite { writer, .. } = db.pools() else {
        return Err(sqlx::Error::Configuration("only SQLite is copied so".into()));
    };
    // Not a reader: those refuse every statement that writes, wherever to.
    sqlx::query("VACUUM INTO $1").bind(file.to_string_lossy().into_owned()).execute(writer).await?;
    Ok(())
}
