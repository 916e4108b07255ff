//! Postgres: started from nothing, restarted in the middle of everything.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, postgres::PgConnectOptions,
};
use tokio::process::Command;

use super::{Folder, on_free_port, password, until_ready};
use crate::{
    error::{Doing, LabError, Result},
    process::{Process, Signal, dying_with_us},
};

/// Who runs it when we are root: Postgres refuses to.
const USER: &str = "postgres";
/// Most connections: several nodes, and the rig.
const CONNECTIONS: &str = "300";

/// A Postgres of our own, with one database. Ends with this value.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    programs: PathBuf,
    folder: Folder,
    password: String,
    port: u16,
}

impl Postgres {
    /// Makes a cluster in a new folder and starts it on a free port.
    ///
    /// # Errors
    /// Postgres is not installed, or does not start.
    pub async fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = Folder::create("postgres")?;
        let password = password()?;
        init(&programs, folder.path(), &password).await?;
        let mut postgres = Self { process: None, programs, folder, password, port: 0 };
        on_free_port(async |port| {
            postgres.port = port;
            postgres.run().await
        })
        .await?;
        postgres.sql("CREATE DATABASE hubbub").await?;
        Ok(postgres)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The URL of the database, reached through this address.
    pub fn url(&self, through: SocketAddr) -> String {
        format!("postgres://hubbub:{}@{through}/hubbub", self.password)
    }

    /// `pg_ctl restart -m immediate`: every backend is killed, and the log is replayed at the start.
    ///
    /// # Errors
    /// It does not come back.
    pub async fn restart_immediately(&mut self) -> Result<()> {
        self.stop_immediately().await?;
        self.start_again().await
    }

    /// Ends it as `pg_ctl stop -m immediate` does.
    ///
    /// # Errors
    /// It does not run.
    pub async fn stop_immediately(&mut self) -> Result<()> {
        let mut process = self.process.take().ok_or_else(|| LabError::new("Postgres does not run"))?;
        process.signal(Signal::QUIT)?;
        process.wait().await.map(|_| ())
    }

    /// Starts it on its old data and port.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn start_again(&mut self) -> Result<()> {
        self.run().await
    }

    /// Stops the main process (SIGSTOP): nobody can connect; backends go on.
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it run on.
    ///
    /// # Errors
    /// It does not run.
    pub fn unpause(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// A connection to the database, past all proxies.
    ///
    /// # Errors
    /// None is given.
    pub async fn connect(&self) -> Result<PgConnection> {
        self.connect_to("hubbub").await.doing("connect to Postgres")
    }

    /// Runs statements that give nothing back, as a superuser in the maintenance database.
    ///
    /// # Errors
    /// It refuses.
    pub async fn sql(&self, statement: &str) -> Result<()> {
        let mut connection = self.connect_to("postgres").await.doing("connect to Postgres")?;
        connection.execute(AssertSqlSafe(statement.to_owned())).await.doing(statement)?;
        connection.close().await.doing("leave Postgres")
    }

    /// Ends some of the backends that serve nodes: one in `share` of them, by their ids. Gives how many.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn terminate_backends(&self, share: i64, offset: i64) -> Result<i64> {
        const SQL: &str = "SELECT count(*) FILTER (WHERE ended) FROM (
            SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
            WHERE datname = 'hubbub' AND pid <> pg_backend_pid() AND pid % $1 = $2) AS all_of_them";
        let mut connection = self.connect_to("postgres").await.doing("connect to Postgres")?;
        let row = sqlx::query(SQL)
            .bind(i32::try_from(share).unwrap_or(1))
            .bind(i32::try_from(offset).unwrap_or(0))
            .fetch_one(&mut connection)
            .await
            .doing("end backends")?;
        connection.close().await.doing("leave Postgres")?;
        row.try_get(0).doing("count backends")
    }

    async fn connect_to(&self, database: &str) -> sqlx::Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username("hubbub")
            .password(&self.password)
            .database(database);
        PgConnection::connect_with(&options).await
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process.as_ref().ok_or_else(|| LabError::new("Postgres does not run"))?;
        process.signal(signal)
    }

    /// Nothing here must survive a power cut, so nothing is flushed to disk; killed processes are another matter,
    /// and safe without.
    async fn run(&mut self) -> Result<()> {
        let log = self.folder.path().join("postgres.log");
        let log = File::options().create(true).append(true).open(log).doing("open the log of Postgres")?;
        let mut command = dying_with_us(&self.programs.join("postgres"), "INT", user());
        command.current_dir("/").arg("-D").arg(data(self.folder.path())).args(["-p", &self.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "full_page_writes=off",
            "log_timezone=UTC",
            "timezone=UTC",
        ] {
            command.args(["-c", setting]);
        }
        command.args(["-c", &format!("max_connections={CONNECTIONS}")]);
        command.stdout(log.try_clone().doing("open the log of Postgres")?).stderr(log);
        let mut process = Process::start("Postgres", &mut command)?;
        until_ready("Postgres", async || {
            if process.has_ended() {
                return Err(LabError::new(format!(
                    "Postgres ended at its start; see {}",
                    self.folder.path().display()
                )));
            }
            Ok(self.connect_to("postgres").await.is_ok())
        })
        .await?;
        self.process = Some(process);
        Ok(())
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn user() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some(USER)
}

/// Debian keeps the server's programs out of `PATH`, one folder a version.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions
        .filter_map(|version| {
            Some((version.file_name().to_str()?.parse::<u32>().ok()?, version.path().join("bin")))
        })
        .filter(|(_, bin)| bin.join("postgres").exists())
        .collect();
    found.sort();
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    };
    let newest = found.pop().map(|(_, bin)| bin).or_else(in_path);
    newest.ok_or_else(|| LabError::new("Postgres was not found; run scripts/setup-test"))
}

async fn init(programs: &Path, folder: &Path, password: &str) -> Result<()> {
    let (data, secret) = (data(folder), folder.join("password"));
    fs::create_dir(&data).doing("make a folder for Postgres")?;
    fs::write(&secret, password).doing("write a password")?;
    if let Some(user) = user() {
        let owned =
            Command::new("chown").arg(user).args([&data, &secret]).status().await.doing("run chown")?;
        if !owned.success() {
            return Err(LabError::new("no user 'postgres' to run Postgres as; run scripts/setup-test"));
        }
    }
    let mut command = dying_with_us(&programs.join("initdb"), "INT", user());
    command.current_dir("/").arg("--pgdata").arg(&data).arg("--pwfile").arg(&secret).args([
        "--username",
        "hubbub",
        "--auth",
        "password",
        "--locale",
        "C.UTF-8",
        "--encoding",
        "UTF8",
        "--no-sync",
    ]);
    let made = command.stdin(Stdio::null()).output().await.doing("run initdb")?;
    fs::remove_file(&secret).doing("remove a password")?;
    if made.status.success() {
        return Ok(());
    }
    Err(LabError::new(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr))))
}
