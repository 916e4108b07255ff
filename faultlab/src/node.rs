//! One node: the real binary, as an operator would start it, behind a proxy on each of its edges.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use hubbub_client::{
    ServerAddress,
    http::{Answer, HttpClient},
};
use hyper::Method;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::timeout,
};

use crate::{
    error::{Doing, LabError, Result},
    process::{Process, Signal, dying_with_us},
    proxy::Proxy,
};

/// What a node prints when it takes clients.
const RUNNING: &str = "Hubbub is running at http://";
/// What it prints of its address for operators.
const METRICS: &str = "Metrics are at http://";
/// Longest wait for a node that was started.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Environment variables of a node.
pub type Environment = Vec<(String, String)>;

/// Finds the binary: `HUBBUB_BIN`, else beside the running program or one folder above it.
///
/// # Errors
/// It is not there.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("HUBBUB_BIN") {
        return Ok(PathBuf::from(path));
    }
    let own = std::env::current_exe().doing("find the running program")?;
    let near = own.ancestors().skip(1).take(2).map(|folder| folder.join("hubbub"));
    near.into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| LabError::new("the binary hubbub was not found: build it, or name it in HUBBUB_BIN"))
}

/// A node and its edges. The process can be killed and started again; the proxies stay.
#[derive(Debug)]
pub struct Node {
    /// Between clients and the node; clients connect here, whatever happens to the process.
    pub clients: Proxy,
    /// Between the node and Redis.
    pub redis: Proxy,
    /// Between the node and Postgres.
    pub postgres: Proxy,
    binary: PathBuf,
    environment: Environment,
    log: PathBuf,
    process: Option<Process>,
    ops: Option<SocketAddr>,
    starts: u64,
}

impl Node {
    /// A node that is not started yet. Its environment is this one and no other; what it logs is added to `log`.
    pub fn new(
        binary: PathBuf,
        environment: Environment,
        log: PathBuf,
        (clients, redis, postgres): (Proxy, Proxy, Proxy),
    ) -> Self {
        Self { clients, redis, postgres, binary, environment, log, process: None, ops: None, starts: 0 }
    }

    /// Starts the process and waits until it takes clients.
    ///
    /// # Errors
    /// It ended at its start, or took longer than 90 s.
    pub async fn start(&mut self) -> Result<()> {
        let log =
            File::options().create(true).append(true).open(&self.log).doing("open the log of a node")?;
        let mut command = dying_with_us(&self.binary, "KILL", None);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("HUBBUB_LISTEN", "127.0.0.1:0")
            .env("HUBBUB_OPS_LISTEN", "127.0.0.1:0")
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(log);
        let mut process = Process::start("a node", &mut command)?;
        let stdout = process.stdout().ok_or_else(|| LabError::new("a node has no output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let announced = async {
            let (mut main, mut ops) = (None, None);
            while let Some(line) = lines.next_line().await.doing("read what a node says")? {
                main = line.strip_prefix(RUNNING).and_then(|rest| rest.parse().ok()).or(main);
                ops = line
                    .strip_prefix(METRICS)
                    .and_then(|rest| rest.strip_suffix("/metrics")?.parse().ok())
                    .or(ops);
                if let (Some(main), Some(ops)) = (main, ops) {
                    return Ok((main, ops));
                }
            }
            Err(LabError::new(format!("a node ended at its start; see {}", self.log.display())))
        };
        let (main, ops) = timeout(START_LIMIT, announced)
            .await
            .map_err(|_| LabError::new(format!("a node does not start; see {}", self.log.display())))??;
        // Whatever it prints later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.clients.set_upstream(Some(main));
        self.ops = Some(ops);
        self.process = Some(process);
        self.starts += 1;
        Ok(())
    }

    /// Ends it at once (SIGKILL).
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&mut self) -> Result<()> {
        self.clients.set_upstream(None);
        self.taken()?.kill().await
    }

    /// Asks it to stop (SIGTERM) and waits for its end; the exit code.
    ///
    /// # Errors
    /// It does not run, or does not end within 60 s.
    pub async fn terminate(&mut self) -> Result<Option<i32>> {
        let mut process = self.taken()?;
        process.signal(Signal::TERM)?;
        let code = process.wait().await;
        self.clients.set_upstream(None);
        code
    }

    /// Stops it in the middle of whatever it does (SIGSTOP).
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&self) -> Result<()> {
        self.running()?.signal(Signal::STOP)
    }

    /// Lets it run on.
    ///
    /// # Errors
    /// It does not run.
    pub fn unpause(&self) -> Result<()> {
        self.running()?.signal(Signal::CONT)
    }

    /// The id of its process.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref()?.id()
    }

    /// How often it was started.
    pub fn starts(&self) -> u64 {
        self.starts
    }

    /// Where clients find it.
    ///
    /// # Errors
    /// Never: an address of this machine can be written.
    pub fn address(&self) -> Result<ServerAddress> {
        format!("http://{}", self.clients.address()).parse().doing("write an address")
    }

    /// The HTTP door, through the clients' proxy.
    ///
    /// # Errors
    /// As [`Node::address`].
    pub fn http(&self) -> Result<HttpClient> {
        Ok(HttpClient::new(self.address()?))
    }

    /// What a path of the operations address answers, past the proxies.
    ///
    /// # Errors
    /// The node does not run or does not answer.
    pub async fn get_ops(&self, path: &str) -> Result<Answer> {
        let ops = self.ops.ok_or_else(|| LabError::new("the node was not started"))?;
        let address: ServerAddress = format!("http://{ops}").parse().doing("write an address")?;
        let http = HttpClient::new(address);
        let request = http.request(Method::GET, path, None, None::<&()>).doing("ask a node")?;
        http.send(request).await.doing("ask a node")
    }

    /// The sum of a metric over the series whose labels hold all of `labels`.
    ///
    /// # Errors
    /// The node does not answer.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> Result<f64> {
        let answer = self.get_ops("/metrics").await?;
        let text = String::from_utf8_lossy(&answer.body);
        let of_this = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        };
        Ok(text.lines().filter(of_this).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }

    /// Where it logs.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Runs another command of the binary with the node's environment, past its proxies where `environment` says so.
    ///
    /// # Errors
    /// It fails; the error has what it said.
    pub async fn command(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
        input: &str,
    ) -> Result<String> {
        use tokio::io::AsyncWriteExt as _;
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.envs(environment.iter().copied()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().doing("run hubbub")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).await.doing("write to hubbub")?;
        }
        let output = child.wait_with_output().await.doing("run hubbub")?;
        if !output.status.success() {
            return Err(LabError::new(format!("hubbub failed: {}", String::from_utf8_lossy(&output.stderr))));
        }
        String::from_utf8(output.stdout).doing("read what hubbub says")
    }

    fn running(&self) -> Result<&Process> {
        self.process.as_ref().ok_or_else(|| LabError::new("the node does not run"))
    }

    fn taken(&mut self) -> Result<Process> {
        self.process.take().ok_or_else(|| LabError::new("the node does not run"))
    }
}
