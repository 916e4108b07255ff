//! One node: the real binary, as an operator would start it.

use std::{
    fs::File,
    path::PathBuf,
    process::{Command as StdCommand, Stdio},
};

use hubbub_client::{
    ServerAddress,
    http::{Answer, HttpClient},
};
use hyper::Method;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{PATIENCE, eventually, services::unique, within};

/// What a node prints when it takes clients.
const RUNNING: &str = "Hubbub is running at ";
/// What it prints of its address for operators.
const METRICS: &str = "Metrics are at ";

/// Environment variables of a node.
pub(crate) type Environment = Vec<(String, String)>;

/// A running node; killed when dropped.
pub(crate) struct Node {
    child: Child,
    /// Where clients find it.
    pub(crate) address: ServerAddress,
    ops: ServerAddress,
    log: PathBuf,
}

/// A log is kept where a test failed, and only there.
impl Drop for Node {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // It is in nobody's way if it stays.
            let _ = std::fs::remove_file(&self.log);
        }
    }
}

/// The binary with this environment and no other.
pub(crate) fn hubbub(environment: &Environment) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
    command
}

impl Node {
    /// Starts a node on free ports and waits until it takes clients.
    pub(crate) async fn start(environment: &Environment) -> Self {
        let log = log_file();
        let errors = File::create(&log).expect("a log file for the node");
        let mut child = hubbub(environment)
            .arg("serve")
            .env("HUBBUB_LISTEN", "127.0.0.1:0")
            .env("HUBBUB_OPS_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let (mut address, mut ops) = (None, None);
        let announced = async {
            while address.is_none() || ops.is_none() {
                let line = lines.next_line().await.expect("stdout is text");
                let Some(line) = line else {
                    panic!(
                        "the node ended at its start:\n{}",
                        std::fs::read_to_string(&log).unwrap_or_default()
                    );
                };
                address = line.strip_prefix(RUNNING).and_then(|rest| rest.parse().ok()).or(address.take());
                ops = line
                    .strip_prefix(METRICS)
                    .and_then(|rest| rest.trim_end_matches("/metrics").parse().ok())
                    .or(ops.take());
            }
        };
        within(PATIENCE, &format!("a node that runs; see {}", log.display()), announced).await;
        // Whatever it prints later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (Some(address), Some(ops)) = (address, ops) else { unreachable!("both were announced") };
        Self { child, address, ops, log }
    }

    /// The HTTP door.
    pub(crate) fn http(&self) -> HttpClient {
        HttpClient::new(self.address.clone())
    }

    /// What a path of the main address answers; `None` while nothing listens there.
    pub(crate) async fn get(&self, path: &str) -> Option<Answer> {
        get(&self.address, path).await
    }

    /// What a path of the operations address answers; `None` while nothing listens there.
    pub(crate) async fn get_ops(&self, path: &str) -> Option<Answer> {
        get(&self.ops, path).await
    }

    /// The metrics as text.
    pub(crate) async fn metrics(&self) -> String {
        let answer = self.get_ops("/metrics").await.expect("the operations address answers");
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body.to_vec()).expect("metrics are text")
    }

    /// The sum of a metric that counts, over the series whose labels hold all of `labels`.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> u64 {
        let text = self.metrics().await;
        let of_this = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        };
        text.lines().filter(of_this).filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    }

    /// Waits until a metric is at least `least`.
    pub(crate) async fn metric_reaches(&self, name: &str, labels: &[&str], least: u64) {
        eventually(&format!("{name} {labels:?} of {least}"), async || {
            (self.metric(name, labels).await >= least).then_some(())
        })
        .await;
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the node's log")
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().expect("the node runs");
        let status = StdCommand::new("kill").args(["-TERM", &id.to_string()]).status().expect("kill runs");
        assert!(status.success(), "the node had ended already");
    }

    /// Waits for its end; the exit code, or `None` when a signal ended it.
    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        within(PATIENCE, "the node's end", self.child.wait()).await.expect("the node is our child").code()
    }

    /// Ends it at once, as a power cut would.
    pub(crate) async fn kill(&mut self) {
        within(PATIENCE, "the node's end", self.child.kill()).await.expect("the node is our child");
    }
}

async fn get(address: &ServerAddress, path: &str) -> Option<Answer> {
    let http = HttpClient::new(address.clone());
    let request = http.request(Method::GET, path, None, None::<&()>).expect("a path");
    http.send(request).await.ok()
}

fn log_file() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../test-logs");
    std::fs::create_dir_all(&folder).expect("a folder for logs");
    let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
    folder.join(format!("{test}-{}.log", unique("")))
}
