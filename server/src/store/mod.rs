//! SQL, the truth: one text for Postgres and SQLite, in the dialect they share.
//!
//! Rules that hold for every statement here:
//! - A read goes through `on!`, which limits its time. A write that stands alone goes through `on!(write …)` or `on!(execute …)`.
//! - Whatever takes more than one statement goes through [`Db::transact`]: it runs in a task of its own, so that a
//!   client that goes away cannot leave half a transaction on a pooled connection.
//! - After an error inside a transaction nothing more is asked of it: Postgres answers `COMMIT` of a failed
//!   transaction with a rollback and no error.
//! - Binds are `$1`, `$2` …, in any order and as often as needed. Lists are bound one value each ([`list`]).
//! - What a person typed is compared in lower case on both sides: `LIKE` of SQLite ignores case, that of Postgres not.

pub mod activity;
pub mod append;
pub mod drafts;
pub mod entries;
pub mod expired;
pub mod history;
pub mod invites;
pub mod last_seen;
pub mod life;
pub mod list;
pub mod log;
pub mod markers;
pub mod members;
pub mod membership;
pub mod revise;
pub mod rooms;
pub mod sessions;
pub mod users;

mod connect;
mod migrate;
mod transaction;

use std::{
    fmt, io,
    path::PathBuf,
    time::{Duration, Instant},
};

use hubbub_protocol::id::Epoch;
use sqlx::{PgPool, SqlitePool};
use tokio_util::task::TaskTracker;

pub use transaction::{LockWait, Tx};

use crate::clock;

/// Longest time of one read or one single write, waiting for a connection included.
const STATEMENT_LIMIT: Duration = Duration::from_millis(1_700);
/// Longest time of a transaction, waiting for a connection included: who waits is told within 2 s that the database
/// does not answer.
const TRANSACTION_LIMIT: Duration = Duration::from_millis(1_800);

/// Runs one query on whichever database is open, within [`STATEMENT_LIMIT`]; gives a `sqlx::Result`.
///
/// - `on!(db, pool => query.fetch_all(pool))` reads; the body is the future of the query, not awaited.
/// - `on!(write db, pool => query.fetch_one(pool))` writes and reads back (`RETURNING`).
/// - `on!(execute db, query)` writes; gives the number of rows.
macro_rules! on {
    (write $db:expr, $pool:ident => $body:expr) => {
        match $db.pools() {
            $crate::store::Pools::Postgres($pool) => $crate::store::limited($body).await,
            $crate::store::Pools::Sqlite { writer: $pool, .. } => $crate::store::limited($body).await,
        }
    };
    (execute $db:expr, $query:expr) => {
        match $db.pools() {
            $crate::store::Pools::Postgres(pool) => {
                $crate::store::limited($query.execute(pool)).await.map(|done| done.rows_affected())
            }
            $crate::store::Pools::Sqlite { writer, .. } => {
                $crate::store::limited($query.execute(writer)).await.map(|done| done.rows_affected())
            }
        }
    };
    ($db:expr, $pool:ident => $body:expr) => {
        match $db.pools() {
            $crate::store::Pools::Postgres($pool) => $crate::store::limited($body).await,
            $crate::store::Pools::Sqlite { readers: $pool, .. } => $crate::store::limited($body).await,
        }
    };
}
pub(crate) use on;

/// Runs one query inside a transaction, whose time limit holds for it; gives a `sqlx::Result`.
///
/// - `on_tx!(tx, conn => query.fetch_one(conn))`; the body is the future of the query, not awaited.
/// - `on_tx!(execute tx, query)` gives the number of rows.
macro_rules! on_tx {
    (execute $tx:expr, $query:expr) => {
        match $tx.either() {
            $crate::store::Tx::Postgres(held) => {
                $query.execute(held.conn()).await.map(|done| done.rows_affected())
            }
            $crate::store::Tx::Sqlite(held) => {
                $query.execute(held.conn()).await.map(|done| done.rows_affected())
            }
        }
    };
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx.either() {
            $crate::store::Tx::Postgres(held) => {
                let $conn = held.conn();
                $body.await
            }
            $crate::store::Tx::Sqlite(held) => {
                let $conn = held.conn();
                $body.await
            }
        }
    };
}
pub(crate) use on_tx;

/// Which database, and how much of it.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `postgres://…`; absent for the SQLite file `hubbub.db` in `data_dir`.
    pub url: Option<String>,
    /// Where the SQLite file lies; made when it is missing.
    pub data_dir: PathBuf,
    /// Most connections this node holds to Postgres; at least 2. SQLite always has one that writes and a few that read.
    pub max_connections: u32,
    /// How long the start waits for a database that does not answer yet.
    pub start_wait: Duration,
}

impl fmt::Debug for DatabaseSettings {
    /// Without the URL, which holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("url", &self.url.as_ref().map(|_| "…"))
            .field("data_dir", &self.data_dir)
            .field("max_connections", &self.max_connections)
            .field("start_wait", &self.start_wait)
            .finish()
    }
}

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names another kind of database, or cannot be read.
    #[error("the database URL must be postgres://user:password@host/database: {0}")]
    Url(String),
    /// The directory of the SQLite file cannot be made.
    #[error("cannot make the data directory {path}")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A newer program has changed the tables.
    #[error(
        "the database has schema version {found}, this program knows up to {known}: start a newer hubbub, or \
         restore the backup made before the update"
    )]
    Newer {
        /// The version of the database.
        found: i64,
        /// The version of this program.
        known: i64,
    },
    /// The database refuses or does not answer.
    #[error("the database cannot be opened")]
    Database(#[from] sqlx::Error),
}

/// An open database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
    epoch: Epoch,
    transactions: TaskTracker,
}

/// The connections, by kind of database.
#[derive(Clone, Debug)]
pub enum Pools {
    /// To Postgres.
    Postgres(PgPool),
    /// To an SQLite file, which has one writer at a time.
    Sqlite {
        /// Cannot write.
        readers: SqlitePool,
        /// A single connection.
        writer: SqlitePool,
    },
}

impl Db {
    /// Opens the database and brings its tables up to this program; safe when several nodes start at once.
    ///
    /// # Errors
    /// It does not answer within `start_wait`, refuses, or is newer than the program.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let pools = connect::open(settings).await?;
        let epoch = migrate::run(&pools).await?;
        let db = Self { pools, epoch, transactions: TaskTracker::new() };
        // So that not one stamp is of this machine's clock.
        db.look().await?;
        Ok(db)
    }

    /// The life of this database, as it was when it was opened.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether the database answers within 1.7 s and can be written to; gives its present epoch, which is another one
    /// than [`Self::epoch`] when it was replaced by a back-up since it was opened. A cluster takes its time of day from
    /// the answer.
    pub async fn ping(&self) -> sqlx::Result<Epoch> {
        let (epoch, read_only) = self.look().await?;
        if read_only { Err(sqlx::Error::Protocol("a standby: read-only".to_owned())) } else { Ok(epoch) }
    }

    /// The epoch, and whether the database can only be read.
    async fn look(&self) -> sqlx::Result<(Epoch, bool)> {
        let Pools::Postgres(pool) = &self.pools else { return Ok((life::epoch(self).await?, false)) };
        let asked = Instant::now();
        let (epoch, now_ms, read_only) = limited(life::state(pool)).await?;
        clock::follow(now_ms, asked.elapsed());
        Ok((epoch, read_only))
    }

    /// How many connections to Postgres this process has, and how many of them rest; `None` on SQLite.
    pub fn connections(&self) -> Option<(u32, u32)> {
        let Pools::Postgres(pool) = &self.pools else { return None };
        let open = pool.size();
        Some((open, u32::try_from(pool.num_idle()).unwrap_or(open)))
    }

    /// Runs `work` in one transaction, in a task of its own, within 1.8 s: committed when it gives `Ok`, rolled back
    /// when it gives `Err`, broken off when the time is over.
    ///
    /// A caller that goes away does not stop it. On SQLite it holds the one writer from its first moment.
    ///
    /// # Errors
    /// What `work` gives; an error of the database, after which it is not known whether the commit took place.
    pub async fn transact<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx mut Tx) -> futures_util::future::BoxFuture<'tx, Result<T, E>>
            + Send
            + 'static,
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
    {
        let db = self.clone();
        self.detached(async move {
            let mut tx = db.begin(LockWait::Usual).await?;
            match work(&mut tx).await {
                Ok(value) => {
                    tx.commit().await?;
                    Ok(value)
                }
                Err(error) => {
                    // The first error says more; a connection that cannot roll back is closed.
                    tx.rollback().await.ok();
                    Err(error)
                }
            }
        })
        .await
    }

    /// Runs `work` to its end in a task of its own, within 1.8 s, whatever becomes of the caller.
    pub async fn detached<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
    {
        match self.transactions.spawn(tokio::time::timeout(TRANSACTION_LIMIT, work)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_elapsed)) => Err(timed_out().into()),
            // It panicked (the panic is logged), or the runtime stops.
            Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }

    /// Begins a transaction. Only inside of [`Self::detached`] or another task of its own.
    pub async fn begin(&self, wait: LockWait) -> sqlx::Result<Tx> {
        Tx::begin(&self.pools, wait).await
    }

    /// Waits for the transactions that run, then closes the connections.
    pub async fn close(&self) {
        self.transactions.close();
        self.transactions.wait().await;
        match &self.pools {
            Pools::Postgres(pool) => pool.close().await,
            Pools::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }

    /// The connections, for what is no part of this program: tests and tools.
    pub fn pools(&self) -> &Pools {
        &self.pools
    }
}

/// Gives a query its time limit; [`on!`] calls it.
pub(crate) async fn limited<T>(query: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(STATEMENT_LIMIT, query).await.map_err(|_| timed_out())?
}

fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(io::ErrorKind::TimedOut.into())
}

/// From a `BIGINT` that counts something.
fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
