//! A Redis of the test's own: a child process on a free port, with a password, ended with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hubbub_server::fabric::RedisSettings;

const PASSWORD: &str = "se:cret@test";
/// The same as it is written in an address.
const PASSWORD_IN_URL: &str = "se%3Acret%40test";

pub(crate) struct RedisServer {
    child: Child,
    pub(crate) port: u16,
    directory: PathBuf,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        // Another test may take the port between looking and starting; then the server ends and we look again.
        (0..20).find_map(|_| Self::start_at(free_port())).expect("a redis-server that starts")
    }

    /// `None` when the port was taken.
    pub(crate) fn start_at(port: u16) -> Option<Self> {
        Self::start_with(port, &[])
    }

    /// A cluster of one node.
    pub(crate) fn start_clustered() -> Self {
        // The bus of a cluster has a port of its own, by default 10 000 higher, which may be beyond the last.
        let server = (0..20).find_map(|_| {
            let bus = free_port().to_string();
            let options =
                ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-port", &bus];
            Self::start_with(free_port(), &options)
        });
        let server = server.expect("a redis-server that starts");
        assert_eq!(server.ask(&[b"CLUSTER", b"ADDSLOTSRANGE", b"0", b"16383"]), "+OK");
        while !server.ask(&[b"CLUSTER", b"INFO"]).contains("cluster_state:ok") {
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    fn start_with(port: u16, options: &[&str]) -> Option<Self> {
        let directory = std::env::temp_dir().join(format!("hubbub-test-redis-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&directory).unwrap();
        let child = spawn(port, &directory, options);
        let mut server = Self { child, port, directory };
        server.is_ready().then_some(server)
    }

    pub(crate) fn settings(&self) -> RedisSettings {
        settings_at(self.port)
    }

    /// Ends the process as a crash would; everything in it is lost.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, empty, where it was.
    pub(crate) fn restart(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            self.child = spawn(self.port, &self.directory, &[]);
            if self.is_ready() {
                return;
            }
            assert!(Instant::now() < deadline, "redis-server does not start again on port {}", self.port);
        }
    }

    /// Sends `STOP` or `CONT` to the process.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Runs one command past the fabric; the first line of the answer, or the text when it is one.
    pub(crate) fn ask(&self, command: &[&[u8]]) -> String {
        let mut socket = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap());
        socket.get_ref().set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        for command in [&[b"AUTH".as_slice(), PASSWORD.as_bytes()], command] {
            let mut text = format!("*{}\r\n", command.len()).into_bytes();
            for part in command {
                text.extend(format!("${}\r\n", part.len()).bytes());
                text.extend(*part);
                text.extend(b"\r\n");
            }
            socket.get_mut().write_all(&text).unwrap();
        }
        let mut answer = || -> std::io::Result<String> {
            let mut line = String::new();
            socket.read_line(&mut line)?;
            let Some(length) = line.strip_prefix('$').and_then(|length| length.trim().parse().ok()) else {
                return Ok(line.trim().to_owned());
            };
            let mut text = vec![0; length];
            socket.read_exact(&mut text)?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        };
        assert_eq!(answer().unwrap(), "+OK");
        answer().unwrap()
    }

    /// Waits for its first answer; false when the process ended instead.
    fn is_ready(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if answers(self.port) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server on port {} does not answer", self.port);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

pub(crate) fn settings_at(port: u16) -> RedisSettings {
    RedisSettings::new(format!("redis://:{PASSWORD_IN_URL}@127.0.0.1:{port}/0"))
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn spawn(port: u16, directory: &Path, more: &[&str]) -> Child {
    let port = port.to_string();
    let options = [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--requirepass",
        PASSWORD,
        "--save",
        "",
        "--appendonly",
        "no",
    ];
    Command::new("redis-server")
        .args(options)
        .args(more)
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("redis-server cannot be started, is it installed? {error}"))
}

fn answers(port: u16) -> bool {
    let Ok(mut socket) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut answer = [0; 12];
    let asked = write!(socket, "AUTH {PASSWORD}\r\nPING\r\n").and_then(|()| socket.read_exact(&mut answer));
    asked.is_ok() && &answer == b"+OK\r\n+PONG\r\n"
}
