//! A transaction that cannot leak: one that is dropped unfinished takes its connection with it.
//!
//! sqlx returns such a connection to the pool with a rollback queued, and misses the case that the `BEGIN` itself was
//! cut off; the next user then writes into a stranger's transaction. A closed connection is certain: the database
//! rolls back what was on it.

use sqlx::{Database, Postgres, Sqlite, pool::PoolConnection};

use super::Pools;

/// A running transaction. Dropping it unfinished closes its connection, which rolls it back.
pub enum Tx {
    /// On Postgres, read committed.
    Postgres(Held<Postgres>),
    /// On SQLite; it has the write lock from the start.
    Sqlite(Held<Sqlite>),
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "Tx::Postgres",
            Self::Sqlite(_) => "Tx::Sqlite",
        })
    }
}

/// How long a statement of a transaction waits for a row that another one holds, on Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// 1 s, as every connection is set.
    Usual,
    /// 100 ms: who works for many must not stand still for one.
    Short,
}

impl LockWait {
    fn begin(self) -> &'static str {
        match self {
            Self::Usual => "BEGIN",
            Self::Short => "BEGIN; SET LOCAL lock_timeout = '100ms'",
        }
    }
}

impl Tx {
    pub(super) async fn begin(pools: &Pools, wait: LockWait) -> sqlx::Result<Self> {
        match pools {
            Pools::Postgres(pool) => {
                let mut held = Held(Some(pool.acquire().await?));
                sqlx::raw_sql(wait.begin()).execute(held.conn()).await?;
                Ok(Self::Postgres(held))
            }
            Pools::Sqlite { writer, .. } => {
                let mut held = Held(Some(writer.acquire().await?));
                // Not BEGIN alone: a transaction that reads first and writes later can be refused half way.
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(held.conn()).await?;
                Ok(Self::Sqlite(held))
            }
        }
    }

    /// Makes what was written last. After an error it is not known whether it did.
    pub async fn commit(self) -> sqlx::Result<()> {
        self.end("COMMIT").await
    }

    /// Undoes what was written.
    pub async fn rollback(self) -> sqlx::Result<()> {
        self.end("ROLLBACK").await
    }

    async fn end(self, statement: &'static str) -> sqlx::Result<()> {
        match self {
            Self::Postgres(mut held) => {
                sqlx::raw_sql(statement).execute(held.conn()).await?;
                held.release();
            }
            Self::Sqlite(mut held) => {
                sqlx::raw_sql(statement).execute(held.conn()).await?;
                held.release();
            }
        }
        Ok(())
    }

    /// For the macro `on_tx!`, which must take an owned and a borrowed transaction alike.
    pub(crate) fn either(&mut self) -> &mut Self {
        self
    }
}

/// A connection that a transaction holds.
pub struct Held<DB: Database>(Option<PoolConnection<DB>>);

impl<DB: Database> Held<DB> {
    /// The connection.
    pub fn conn(&mut self) -> &mut DB::Connection {
        self.0.as_mut().expect("a connection is released only when its transaction is consumed")
    }

    /// Back to the pool, in order.
    fn release(mut self) {
        self.0.take();
    }
}

impl<DB: Database> Drop for Held<DB> {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
