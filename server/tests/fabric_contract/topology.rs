//! Redis as it is run where it must not stop: behind Sentinel and as a Cluster; and over TLS. Hubbub comes to all of
//! them as a user who may do no more than `docs/redis.md` says.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hubbub_server::fabric::RedisSettings;

use super::redis_server::{PASSWORD, PASSWORD_IN_URL, RedisServer, free_port};

/// How long a primary is silent before it counts as lost.
const LOST_AFTER_MS: u16 = 1500;

/// A primary, its replica, and three sentinels that watch them.
pub(crate) struct Sentinel {
    pub(crate) servers: [RedisServer; 2],
    sentinels: Vec<RedisServer>,
}

impl Sentinel {
    pub(crate) fn start() -> Self {
        let common =
            || [words(&["--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]), user()].concat();
        let primary = RedisServer::start_with(|_| common());
        let port = primary.port.to_string();
        let replica =
            RedisServer::start_with(|_| [common(), words(&["--replicaof", "127.0.0.1", &port])].concat());
        until("the replica follows", || replica.tell("INFO replication").contains("master_link_status:up"));
        let sentinels: Vec<_> = (0..3).map(|_| watcher(primary.port)).collect();
        for sentinel in &sentinels {
            until("the sentinels know each other", || {
                sentinel.tell("INFO sentinel").contains("status=ok")
                    && sentinel.tell("INFO sentinel").contains("slaves=1,sentinels=3")
            });
        }
        Self { servers: [primary, replica], sentinels }
    }

    pub(crate) fn settings(&self) -> RedisSettings {
        let [first, others @ ..] = &self.sentinels[..] else { unreachable!("there are three") };
        let others: Vec<String> =
            others.iter().map(|other| format!("&node=127.0.0.1:{}", other.port)).collect();
        RedisSettings::new(format!(
            "redis-sentinel://hubbub:{PASSWORD_IN_URL}@127.0.0.1:{}/0?sentinelServiceName=main&sentinelPassword={PASSWORD_IN_URL}{}",
            first.port,
            others.concat()
        ))
    }
}

fn watcher(primary: u16) -> RedisServer {
    RedisServer::start_with(|port| {
        let file = std::env::temp_dir().join(format!("hubbub-test-sentinel-{}.conf", uuid::Uuid::now_v7()));
        let text = format!(
            "port {port}\nbind 127.0.0.1\nrequirepass {PASSWORD}\nsentinel sentinel-pass {PASSWORD}\n\
             sentinel monitor main 127.0.0.1 {primary} 2\nsentinel auth-pass main {PASSWORD}\n\
             sentinel down-after-milliseconds main {LOST_AFTER_MS}\nsentinel failover-timeout main 6000\n"
        );
        std::fs::write(&file, text).unwrap();
        words(&[file.to_str().unwrap(), "--sentinel"])
    })
}

/// Three primaries, each with a replica where it is to survive one.
pub(crate) struct Cluster {
    /// The primaries first, then the replicas in their order.
    pub(crate) servers: Vec<RedisServer>,
}

impl Cluster {
    pub(crate) fn start(with_replicas: bool) -> Self {
        let servers: Vec<_> = (0..if with_replicas { 6 } else { 3 }).map(|_| clustered(&[])).collect();
        for (number, first) in [(0, 0), (1, 5_461), (2, 10_923)] {
            let last = if number == 2 { 16_383 } else { first + 5_460 + number % 2 };
            assert_eq!(servers[number].tell(&format!("CLUSTER ADDSLOTSRANGE {first} {last}")), "+OK");
        }
        let bus = |server: &RedisServer| {
            let slots = server.tell("CLUSTER NODES");
            let me = slots.lines().find(|line| line.contains("myself")).unwrap().to_owned();
            me.split(['@', ' ', ',']).nth(2).unwrap().to_owned()
        };
        for (number, server) in servers.iter().enumerate() {
            server.tell(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1));
            servers[0].tell(&format!("CLUSTER MEET 127.0.0.1 {} {}", server.port, bus(server)));
        }
        let count = servers.len();
        for server in &servers {
            until("the nodes know each other", || {
                server.tell("CLUSTER NODES").lines().filter(|line| !line.contains("handshake")).count()
                    == count
            });
        }
        for (primary, replica) in servers.iter().zip(servers.iter().skip(3)) {
            let id = primary.tell("CLUSTER MYID");
            until("the replica knows its primary", || {
                replica.tell(&format!("CLUSTER REPLICATE {id}")) == "+OK"
            });
            until("the replica follows", || {
                replica.tell("INFO replication").contains("master_link_status:up")
            });
        }
        for server in &servers {
            until("the cluster is whole", || server.tell("CLUSTER INFO").contains("cluster_state:ok"));
            until("replicas are known", || {
                server.tell("CLUSTER NODES").lines().filter(|line| line.contains("slave")).count()
                    == count - 3
            });
        }
        Self { servers }
    }

    pub(crate) fn settings(&self) -> RedisSettings {
        let others: Vec<String> =
            self.servers[1..3].iter().map(|other| format!("node=127.0.0.1:{}", other.port)).collect();
        RedisSettings::new(format!(
            "redis-cluster://hubbub:{PASSWORD_IN_URL}@127.0.0.1:{}?{}",
            self.servers[0].port,
            others.join("&")
        ))
    }
}

fn clustered(more: &[String]) -> RedisServer {
    // The bus of a cluster has a port of its own, by default 10 000 higher, which may be beyond the last.
    let timeout = LOST_AFTER_MS.to_string();
    RedisServer::start_with(|_| {
        let options = [
            ["--cluster-enabled", "yes"],
            ["--cluster-announce-ip", "127.0.0.1"],
            ["--cluster-port", &free_port().to_string()],
            ["--cluster-node-timeout", &timeout],
            ["--cluster-replica-validity-factor", "0"],
            ["--repl-diskless-sync-delay", "0"],
            ["--masterauth", PASSWORD],
        ];
        [words(options.as_flattened()), user(), more.to_vec()].concat()
    })
}

/// A Redis that speaks TLS too, with a certificate of an authority of its own.
pub(crate) struct Tls {
    pub(crate) port: u16,
    pub(crate) authority: PathBuf,
    _server: RedisServer,
    _certificates: Folder,
}

impl Tls {
    /// With a certificate that is good for `name`, as `IP:127.0.0.1` or `DNS:localhost`.
    pub(crate) fn start(name: &str, clustered_too: bool) -> Self {
        let folder = Folder::create();
        let authority = certify(&folder.0, name);
        let port = std::cell::Cell::new(0);
        let options = || {
            port.set(free_port());
            let file = |name: &str| folder.0.join(name).display().to_string();
            let options = [
                ["--tls-port", &port.get().to_string()],
                ["--tls-cert-file", &file("server.crt")],
                ["--tls-key-file", &file("server.key")],
                ["--tls-ca-cert-file", &file("ca.crt")],
                ["--tls-auth-clients", "no"],
                ["--tls-cluster", "yes"], // or the nodes are told with the ports that are not for TLS
            ];
            words(options.as_flattened())
        };
        let server = if clustered_too {
            let server = clustered(&options());
            assert_eq!(server.tell("CLUSTER ADDSLOTSRANGE 0 16383"), "+OK");
            until("the cluster is whole", || server.tell("CLUSTER INFO").contains("cluster_state:ok"));
            server
        } else {
            RedisServer::start_with(|_| [user(), options()].concat())
        };
        Self { port: port.get(), authority, _server: server, _certificates: folder }
    }

    pub(crate) fn settings(&self, scheme: &str, ca_file: Option<&Path>) -> RedisSettings {
        let url = format!("{scheme}://hubbub:{PASSWORD_IN_URL}@127.0.0.1:{}", self.port);
        RedisSettings { ca_file: ca_file.map(Path::to_owned), ..RedisSettings::new(url) }
    }
}

/// A folder that goes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn create() -> Self {
        let path = std::env::temp_dir().join(format!("hubbub-test-tls-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes an authority and a certificate that it signed; the file of the authority.
pub(crate) fn certify(folder: &Path, name: &str) -> PathBuf {
    let openssl = |arguments: &str| {
        let status = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("openssl is installed").success(), "openssl {arguments}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    std::fs::write(folder.join("names"), format!("subjectAltName={name}\nbasicConstraints=CA:FALSE\n"))
        .unwrap();
    openssl(&format!("req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.crt"));
    openssl(&format!("req {key} -subj /CN=redis -keyout server.key -out server.csr"));
    openssl(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt",
    );
    folder.join("ca.crt")
}

/// The rules of the user that `docs/redis.md` tells to make, with our password.
pub(crate) fn rules() -> Vec<String> {
    let text = include_str!("../../../docs/redis.md");
    let (_, rules) = text.split_once("ACL SETUSER hubbub ").expect("the page has the command");
    let (rules, _) = rules.split_once("```").expect("the command ends");
    let words = rules.split_whitespace().map(|word| word.trim_matches('\'')).filter(|word| *word != "\\");
    words.map(|word| if word.starts_with('>') { format!(">{PASSWORD}") } else { word.to_owned() }).collect()
}

fn user() -> Vec<String> {
    [words(&["--user", "hubbub"]), rules()].concat()
}

fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| (*word).to_owned()).collect()
}

/// Waits until it is so, and fails when it is not in 30 seconds.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
