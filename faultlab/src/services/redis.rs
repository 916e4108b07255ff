//! Redis: with a password, without persistence, so that every restart is an empty one.

use std::{fs::File, net::SocketAddr, os::unix::fs::OpenOptionsExt as _, path::Path};

use super::{Folder, on_free_port, password, until_ready};
use crate::{
    error::{Doing, LabError, Result},
    process::{Process, Signal, dying_with_us},
    resp::{Connection, Reply},
};

/// A Redis of our own. Ends with this value.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    folder: Folder,
    password: String,
    port: u16,
}

impl Redis {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// Redis is not installed, or does not start.
    pub async fn start() -> Result<Self> {
        let (folder, password) = (Folder::create("redis")?, password()?);
        let mut redis = Self { process: None, folder, password, port: 0 };
        on_free_port(async |port| {
            redis.port = port;
            redis.run().await
        })
        .await?;
        Ok(redis)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its URL, reached through this address.
    pub fn url(&self, through: SocketAddr) -> String {
        format!("redis://default:{}@{through}/0", self.password)
    }

    /// Kills it.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.take().ok_or_else(|| LabError::new("Redis does not run"))?.kill().await
    }

    /// Starts it again, empty.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn start_again(&mut self) -> Result<()> {
        self.run().await
    }

    /// Stops the process (SIGSTOP): connections stay, nothing answers.
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

    /// Runs one command past all proxies.
    ///
    /// # Errors
    /// No answer in time, or an error of Redis.
    pub async fn command(&self, words: &[&str]) -> Result<Reply> {
        self.connect().await?.command(words).await
    }

    /// A connection past all proxies, authenticated.
    ///
    /// # Errors
    /// None is given.
    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(self.address(), &self.password).await
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        self.process.as_ref().ok_or_else(|| LabError::new("Redis does not run"))?.signal(signal)
    }

    async fn run(&mut self) -> Result<()> {
        let (folder, log) = (self.folder.path(), self.folder.path().join("redis.log"));
        // From a file: an argument would show the password in the list of processes.
        let config = folder.join("redis.conf");
        write_private(
            &config,
            &format!(
                "port {}\nbind 127.0.0.1\nrequirepass {}\nsave \"\"\nappendonly no\nenable-debug-command local\ndir {}\n",
                self.port,
                self.password,
                folder.display()
            ),
        )?;
        let log = File::options().create(true).append(true).open(log).doing("open the log of Redis")?;
        let mut command = dying_with_us(Path::new("redis-server"), "TERM", None);
        command.arg(&config).stdout(log.try_clone().doing("open the log of Redis")?).stderr(log);
        let mut process = Process::start("Redis", &mut command)?;
        until_ready("Redis", async || {
            if process.has_ended() {
                return Err(LabError::new("Redis ended at its start; is redis-server installed?"));
            }
            Ok(self.command(&["PING"]).await.is_ok())
        })
        .await?;
        self.process = Some(process);
        Ok(())
    }
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let file = File::options().create(true).truncate(true).write(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).doing("write the settings of Redis")
}
