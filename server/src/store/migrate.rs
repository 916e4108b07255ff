//! Brings the tables up to this program, once, whichever node starts first.
//!
//! `schema.sql` is what an empty database gets. A change of a table that exists already is a numbered step here *and*
//! an edit of `schema.sql`; a new table or index is an edit of `schema.sql` alone. Both raise [`VERSION`], without
//! which a database in use never sees them.
//!
//! While nodes are replaced one by one, the older ones still run on the changed tables: a step only adds.

use std::time::Duration;

use hubbub_protocol::id::Epoch;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{LockWait, Pools, StoreError, Tx, on_tx, timed_out};

/// Version of `schema.sql`.
const VERSION: i64 = 3;
/// From the version before to this one: `(2, "ALTER TABLE …")`. In order, and never changed once released.
const STEPS: &[(i64, &str)] = &[];

const SCHEMA: &str = include_str!("../../../schema.sql");
/// Longest time for the whole, waiting for another node that does it included.
const LIMIT: Duration = Duration::from_mins(2);
/// Names the lock in Postgres; any number that nothing else takes.
const LOCK: i64 = 0x4855_4242_5542;

/// Applies what is missing and gives the epoch of the database.
pub(super) async fn run(pools: &Pools) -> Result<Epoch, StoreError> {
    tokio::time::timeout(LIMIT, upgrade(pools)).await.unwrap_or_else(|_| Err(timed_out().into()))
}

async fn upgrade(pools: &Pools) -> Result<Epoch, StoreError> {
    // Without the lock first: the ordinary start finds everything done and must not wait for writers of other nodes.
    let mut tx = Tx::begin(pools, LockWait::Usual).await?;
    let mut state = state(&mut tx).await?;
    if state.is_none_or(|(_, version)| version < VERSION) {
        lock(&mut tx).await?;
        // Another node may have done it while this one waited.
        state = self::state(&mut tx).await?;
        if state.is_none_or(|(_, version)| version < VERSION) {
            apply(&mut tx, state.map(|(_, version)| version)).await?;
            state = self::state(&mut tx).await?;
        }
    }
    tx.commit().await?;
    match state {
        Some((_, found)) if found > VERSION => Err(StoreError::Newer { found, known: VERSION }),
        Some((epoch, _)) => Ok(Epoch(epoch)),
        None => Err(sqlx::Error::RowNotFound.into()),
    }
}

/// Epoch and version; `None` where the tables were never made.
async fn state(tx: &mut Tx) -> sqlx::Result<Option<(Uuid, i64)>> {
    let exists: i64 = match tx {
        Tx::Postgres(held) => {
            let sql = "SELECT COUNT(to_regclass('epoch'))";
            sqlx::query_scalar(sql).fetch_one(held.conn()).await?
        }
        Tx::Sqlite(held) => {
            let sql = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'epoch'";
            sqlx::query_scalar(sql).fetch_one(held.conn()).await?
        }
    };
    if exists == 0 {
        return Ok(None);
    }
    let sql = "SELECT epoch_id, schema_version FROM epoch WHERE one = 1";
    on_tx!(tx, conn => sqlx::query_as(sql).fetch_optional(conn))
}

/// One node at a time, to the end of the transaction. SQLite's write lock is held already.
async fn lock(tx: &mut Tx) -> sqlx::Result<()> {
    if let Tx::Postgres(held) = tx {
        // A step over large tables takes longer than a command may; the whole has a limit of its own.
        let limits = "SET LOCAL statement_timeout = '120s'; SET LOCAL lock_timeout = '120s'";
        sqlx::raw_sql(limits).execute(held.conn()).await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(held.conn()).await?;
    }
    Ok(())
}

async fn apply(tx: &mut Tx, from: Option<i64>) -> sqlx::Result<()> {
    if let Some(from) = from {
        for (version, step) in STEPS.iter().filter(|(version, _)| *version > from) {
            tracing::info!(version, "changing the tables");
            run_script(tx, step).await?;
        }
    }
    run_script(tx, SCHEMA).await?;
    let sql = "
        INSERT INTO epoch (one, epoch_id, schema_version) VALUES (1, $1, $2)
        ON CONFLICT (one) DO UPDATE SET schema_version = excluded.schema_version";
    on_tx!(execute tx, sqlx::query(sql).bind(Epoch::generate().as_uuid()).bind(VERSION))?;
    Ok(())
}

async fn run_script(tx: &mut Tx, script: &str) -> sqlx::Result<()> {
    for statement in statements(script) {
        on_tx!(execute tx, sqlx::raw_sql(AssertSqlSafe(statement.as_str())))?;
    }
    Ok(())
}

/// The statements of a script. Comments begin with `--`; neither that nor `;` may stand inside a literal.
fn statements(script: &str) -> Vec<String> {
    let lines: Vec<&str> = script.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let bare = lines.join("\n");
    bare.split(';').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{SCHEMA, STEPS, VERSION, statements};

    #[test]
    fn every_statement_of_the_schema_can_be_run_again() {
        let all = statements(SCHEMA);
        assert!(all.len() > 10, "the schema has {} statements", all.len());
        for statement in all {
            assert!(statement.starts_with("CREATE ") && statement.contains("IF NOT EXISTS"), "{statement}");
        }
    }

    #[test]
    fn a_semicolon_in_a_comment_ends_nothing() {
        assert_eq!(statements("-- one; two\nSELECT 1; -- three;\nSELECT 2\n;\n"), ["SELECT 1", "SELECT 2"]);
    }

    #[test]
    fn steps_are_in_order_and_end_at_the_version() {
        assert!(STEPS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(STEPS.last().is_none_or(|(version, _)| *version == VERSION));
    }
}
