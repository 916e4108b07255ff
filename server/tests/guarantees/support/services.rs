//! The Postgres and the Redis that tests share; each test has a database and a prefix of its own.

use std::{
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

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

/// A Redis of one test, which may do with it what it likes; ended with the test.
pub(crate) struct TestRedis {
    child: Child,
    port: u16,
    _folder: TestFolder,
}

impl TestRedis {
    /// A new one, empty.
    pub(crate) fn start() -> Self {
        // Another test may take the port between looking and starting; then the server ends and we look again.
        (0..20).find_map(|_| Self::try_start()).expect("a redis-server that starts")
    }

    fn try_start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let folder = TestFolder::create();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(&folder.path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let mut redis = Self { child, port, _folder: folder };
        for _ in 0..500 {
            if redis.child.try_wait().ok().flatten().is_some() {
                return None;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(redis);
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// Where nodes find it.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs a command and gives what it prints.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let asked = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(words).output();
        String::from_utf8_lossy(&asked.expect("redis-cli runs").stdout).trim().to_owned()
    }

    /// Lets it hang, or go on.
    pub(crate) fn hang(&self, hangs: bool) {
        let signal = if hangs { "-STOP" } else { "-CONT" };
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
