//! The Postgres and the Redis that tests share; each test has a database and a prefix of its own.

use std::{path::PathBuf, thread};

use hubbub_protocol::id::EntryId;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

fn required(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run the tests with `make test`, or through scripts/with-services")
    })
}

/// Names a thing of one test: short, and nobody else's.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}{}", EntryId::generate().as_uuid().simple())
}

/// The URL of the Redis of all tests.
pub(crate) fn redis_url() -> String {
    required("HUBBUB_TEST_REDIS_URL")
}

/// A Postgres database that lives as long as its test.
pub(crate) struct TestDatabase {
    name: String,
    /// Where nodes find it.
    pub(crate) url: String,
}

impl TestDatabase {
    /// A new one, empty.
    pub(crate) async fn create() -> Self {
        let maintenance = required("HUBBUB_TEST_DATABASE_URL");
        let name = unique("hubbub_");
        run_sql(&maintenance, format!("CREATE DATABASE {name}")).await.expect("the database is made");
        let (server, _) = maintenance.rsplit_once('/').expect("a URL with a database");
        Self { url: format!("{server}/{name}"), name }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let maintenance = required("HUBBUB_TEST_DATABASE_URL");
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A runtime cannot be waited for inside a runtime, so another thread does it.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run_sql(&maintenance, statement)).map_err(std::io::Error::other)
        });
        match dropping.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("the database {} was not dropped: {error}", self.name),
            Err(_) => eprintln!("the database {} was not dropped", self.name),
        }
    }
}

async fn run_sql(url: &str, statement: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}

/// A folder that lives as long as its test.
pub(crate) struct TestFolder {
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl TestFolder {
    /// A new one, empty.
    pub(crate) fn create() -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique("data-"));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self { path }
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("{} was not removed: {error}", self.path.display());
        }
    }
}
