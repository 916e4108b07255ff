//! Opening connections: every limit that the libraries leave open is set here.

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tracing::log::LevelFilter;

use super::{DatabaseSettings, Pools, StoreError};

/// Longest wait for a free connection.
const ACQUIRE_LIMIT: Duration = Duration::from_millis(1_200);
/// A connection that rested this long is tried before it is used; a younger one was tried when it came back.
const TRY_AFTER: Duration = Duration::from_secs(5);
/// Longest time of such a try. A connection that fails it is closed.
const TRY_LIMIT: Duration = Duration::from_millis(500);
/// Pause between two attempts to reach the database at start.
const START_PAUSE: Duration = Duration::from_millis(500);
/// How long an SQLite statement waits for another process that writes to the file.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// Connections that read an SQLite file, each with a thread.
const SQLITE_READERS: u32 = 4;
/// A statement slower than this is logged, without its values.
const SLOW: Duration = Duration::from_millis(500);

/// Settings of each Postgres session. Times in milliseconds unless they say otherwise.
const POSTGRES_SESSION: &[(&str, &str)] = &[
    ("statement_timeout", "1500"),
    ("lock_timeout", "1000"),
    // A transaction whose node is gone must not keep its locks.
    ("idle_in_transaction_session_timeout", "3000"),
    ("tcp_user_timeout", "5000"),
    ("tcp_keepalives_idle", "10s"),
    ("tcp_keepalives_interval", "2s"),
    ("tcp_keepalives_count", "3"),
    // Acknowledged is committed, also where the server's default was relaxed.
    ("synchronous_commit", "on"),
    ("timezone", "UTC"),
];

/// Opens the connections and waits until one stands, at most `start_wait`.
pub(super) async fn open(settings: &DatabaseSettings) -> Result<Pools, StoreError> {
    match settings.url.as_deref() {
        None => {
            sqlite(SqliteConnectOptions::new().filename(settings.data_dir.join("hubbub.db")), settings).await
        }
        Some(url) if url.starts_with("sqlite:") => {
            sqlite(SqliteConnectOptions::from_str(url)?, settings).await
        }
        Some(url) if url.starts_with("postgres:") || url.starts_with("postgresql:") => {
            let options =
                PgConnectOptions::from_str(url).map_err(|error| StoreError::Url(error.to_string()))?;
            postgres(options, settings).await
        }
        Some(_) => Err(StoreError::Url("it names another kind of database".to_owned())),
    }
}

async fn postgres(options: PgConnectOptions, settings: &DatabaseSettings) -> Result<Pools, StoreError> {
    let options = options
        .application_name("hubbub")
        .options(POSTGRES_SESSION.iter().copied())
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW);
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections.max(2))
        .acquire_timeout(ACQUIRE_LIMIT)
        // Replaced by the two tries below, which have a time limit and cost a busy node nothing on the way in.
        .test_before_acquire(false)
        .before_acquire(|connection, rest| {
            Box::pin(async move { Ok(rest.idle_for < TRY_AFTER || answers(connection).await) })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                // An error closes the connection at once; `false` would say good-bye to a peer that may be gone.
                if answers(connection).await { Ok(true) } else { Err(sqlx::Error::PoolTimedOut) }
            })
        })
        .connect_lazy_with(options);
    first_connection(&pool, settings.start_wait).await?;
    Ok(Pools::Postgres(pool))
}

async fn answers(connection: &mut PgConnection) -> bool {
    matches!(tokio::time::timeout(TRY_LIMIT, connection.ping()).await, Ok(Ok(())))
}

/// A database is often started together with its users: waits for it, and gives up at once where waiting cannot help.
async fn first_connection(pool: &PgPool, wait: Duration) -> Result<(), StoreError> {
    let patient = async {
        loop {
            match pool.acquire().await {
                Ok(_) => return Ok(()),
                Err(error @ (sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut)) => {
                    tracing::warn!(%error, "the database does not answer yet; trying again");
                    tokio::time::sleep(START_PAUSE).await;
                }
                Err(error) => return Err(StoreError::Database(error)),
            }
        }
    };
    tokio::time::timeout(wait, patient).await.unwrap_or(Err(StoreError::Database(sqlx::Error::PoolTimedOut)))
}

async fn sqlite(options: SqliteConnectOptions, settings: &DatabaseSettings) -> Result<Pools, StoreError> {
    private_directory(&settings.data_dir)
        .map_err(|source| StoreError::DataDir { path: settings.data_dir.clone(), source })?;
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on the disk when it is answered, as in Postgres.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_LIMIT)
        .foreign_keys(true)
        .pragma("journal_size_limit", "67108864")
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW);
    let pool = || SqlitePoolOptions::new().acquire_timeout(ACQUIRE_LIMIT).test_before_acquire(false);
    // The writer first: it makes the file and switches it to write-ahead logging. Its connection stays for good.
    let writer = pool().max_connections(1).idle_timeout(None).max_lifetime(None);
    let writer =
        writer.acquire_timeout(settings.start_wait.max(BUSY_LIMIT)).connect_with(options.clone()).await?;
    let readers =
        pool().max_connections(SQLITE_READERS).connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { readers, writer })
}

/// Makes a directory that only its owner can open: the file in it holds everybody's messages.
fn private_directory(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
