//! A Redis of the test's own: a child process on a free port, with a password, ended with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hubbub_server::fabric::RedisSettings;

pub(crate) const PASSWORD: &str = "se:cret@test";
/// The same as it is written in an address.
pub(crate) const PASSWORD_IN_URL: &str = "se%3Acret%40test";

pub(crate) struct RedisServer {
    child: Child,
    pub(crate) port: u16,
    pub(crate) directory: PathBuf,
    options: Vec<String>,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        // Another test may take the port between looking and starting; then the server ends and we look again.
        Self::start_with(|_| Vec::new())
    }

    /// `None` when the port was taken.
    pub(crate) fn start_at(port: u16) -> Option<Self> {
        Self::try_start(port, Vec::new())
    }

    /// With options made for a free port.
    pub(crate) fn start_with(options: impl Fn(u16) -> Vec<String>) -> Self {
        let mut starts = (0..20).map(|_| free_port());
        starts.find_map(|port| Self::try_start(port, options(port))).expect("a redis-server that starts")
    }

    fn try_start(port: u16, options: Vec<String>) -> Option<Self> {
        let directory = std::env::temp_dir().join(format!("hubbub-test-redis-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&directory).unwrap();
        let child = spawn(port, &directory, &options);
        let mut server = Self { child, port, directory, options };
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
            self.child = spawn(self.port, &self.directory, &self.options);
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

    /// Runs one command of words past the fabric.
    pub(crate) fn tell(&self, command: &str) -> String {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        self.ask(&words)
    }

    /// Runs one command past the fabric; the first line of the answer, or the text when it is one, or those of a list.
    pub(crate) fn ask(&self, command: &[&[u8]]) -> String {
        self.ask_as("default", command)
    }

    /// The same as another user, with the same password.
    pub(crate) fn ask_as(&self, user: &str, command: &[&[u8]]) -> String {
        let mut socket = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap());
        socket.get_ref().set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        for command in [&[b"AUTH".as_slice(), user.as_bytes(), PASSWORD.as_bytes()], command] {
            let mut text = format!("*{}\r\n", command.len()).into_bytes();
            for part in command {
                text.extend(format!("${}\r\n", part.len()).bytes());
                text.extend(*part);
                text.extend(b"\r\n");
            }
            socket.get_mut().write_all(&text).unwrap();
        }
        assert_eq!(answer(&mut socket).unwrap(), "+OK");
        answer(&mut socket).unwrap()
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

fn spawn(port: u16, directory: &Path, more: &[String]) -> Child {
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
    // What begins with the name of a file is another kind of server, and its file says everything.
    let options = if more.first().is_some_and(|first| !first.starts_with("--")) { &[][..] } else { &options };
    Command::new("redis-server")
        .args(options)
        .args(more)
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("redis-server cannot be started, is it installed? {error}"))
}

fn answer(socket: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    socket.read_line(&mut line)?;
    let line = line.trim();
    let count = |kind| line.strip_prefix(kind).and_then(|count| count.parse::<usize>().ok());
    if let Some(items @ 1..) = count('*') {
        let items: std::io::Result<Vec<_>> = (0..items).map(|_| answer(socket)).collect();
        return Ok(items?.join("\n"));
    }
    let Some(length) = count('$') else { return Ok(line.to_owned()) };
    // The text, and the end of its line.
    let mut text = vec![0; length + 2];
    socket.read_exact(&mut text)?;
    text.truncate(length);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn answers(port: u16) -> bool {
    let Ok(mut socket) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut answer = [0; 12];
    let asked = write!(socket, "AUTH {PASSWORD}\r\nPING\r\n").and_then(|()| socket.read_exact(&mut answer));
    asked.is_ok() && &answer == b"+OK\r\n+PONG\r\n"
}
