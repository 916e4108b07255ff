//! The settings.

use std::{net::SocketAddr, path::PathBuf};

use super::{
    address::Network,
    declare::{Setting, settings},
    origin::Origin,
    secret::SecretUrl,
    value::{LogFormat, Mode, Value},
};

settings! {
    /// What a node runs with.
    Config {
        /// Alone on this machine, or as a node of a cluster. `auto` is a cluster where both URLs are given.
        mode: Mode = "auto", "HUBBUB_MODE", "auto, embedded or cluster", flag "mode";
        /// Where the server listens; port 0 takes a free one.
        listen: SocketAddr = "127.0.0.1:8080", "HUBBUB_LISTEN", "address:port", flag "listen";
        /// Where `/metrics` is; keep it inside. By default 1000 above the port of `listen`, on this machine only.
        ops_listen: SocketAddr = "127.0.0.1:9080", "HUBBUB_OPS_LISTEN", "address:port", flag "ops-listen";
        /// Where the embedded database lives; made at the first start.
        data_dir: PathBuf = "./data", "HUBBUB_DATA_DIR", "folder", flag "data-dir";
        /// What people read as the name of this server.
        server_name: String = "Hubbub", "HUBBUB_SERVER_NAME", "text", flag "server-name";
        /// What people type to get here. Behind a proxy it is not what the server listens on.
        public_url: Option<Origin> = "", "HUBBUB_PUBLIC_URL", "https://host", flag "public-url";
        /// Pages that may open a connection, beside `public_url`. None: those from the host they connect to.
        allowed_origins: Vec<Origin> = "", "HUBBUB_ALLOWED_ORIGINS", "origins, comma between";
        /// Proxies whose `X-Forwarded-For` is believed.
        trusted_proxies: Vec<Network> = "", "HUBBUB_TRUSTED_PROXIES", "addresses or networks, comma between";
        /// Answers at `/v1/echo` with what it is sent, for WebSocket conformance tests; never in production.
        conformance_echo: bool = "false", "HUBBUB_CONFORMANCE_ECHO", "true or false", flag "conformance-echo";
    }

    /// The database of a cluster. Alone, the server keeps an SQLite file in `data_dir`.
    database: DatabaseSettings {
        /// PostgreSQL, as `postgres://user:password@host:5432/name`; empty for SQLite.
        url: Option<SecretUrl> = "", "DATABASE_URL", "URL";
        /// Most connections of this node to the database.
        pool_size: u32 = "16", "HUBBUB_DATABASE_POOL_SIZE", "connections", within 2..=1_000;
        /// How long the start waits for a database that does not answer yet.
        start_wait_s: u64 = "30", "HUBBUB_DATABASE_START_WAIT_S", "s", within 0..=3_600;
    }

    /// What carries messages between the nodes of a cluster.
    redis: RedisSettings {
        /// Redis 7 or newer: `redis://user:password@host:6379`, or Sentinel or Cluster, or TLS, as in [redis.md](redis.md).
        url: Option<SecretUrl> = "", "REDIS_URL", "URL";
        /// Certificates (PEM) of who signs that of Redis, for TLS. None: those that this machine believes.
        ca_file: Option<PathBuf> = "", "HUBBUB_REDIS_CA_FILE", "file";
        /// What every key and topic begins with; one a cluster, so that several can share a Redis.
        prefix: String = "hubbub", "HUBBUB_REDIS_PREFIX", "text";
        /// Longest wait for an answer of Redis.
        command_timeout_ms: u64 = "300", "HUBBUB_REDIS_COMMAND_TIMEOUT_MS", "ms", within 50..=300;
    }

    /// Accounts, logins and what a password costs.
    accounts: AccountSettings {
        /// Whether people may sign up; an operator always can, with `hubbub user create`.
        sign_up: bool = "true", "HUBBUB_ACCOUNTS_SIGN_UP", "true or false";
        /// How long an access token lives without being used.
        access_ttl_s: u64 = "3600", "HUBBUB_ACCOUNTS_ACCESS_TTL_S", "s", within 1..=86_400;
        /// How long a session can be taken up again with its refresh token.
        refresh_ttl_s: u64 = "2592000", "HUBBUB_ACCOUNTS_REFRESH_TTL_S", "s", within 2..=31_536_000;
        /// Memory that hashing a password takes (argon2id).
        password_memory_kib: u32 = "19456", "HUBBUB_ACCOUNTS_PASSWORD_MEMORY_KIB", "KiB", within 19_456..=1_048_576;
        /// Passes over that memory.
        password_passes: u32 = "2", "HUBBUB_ACCOUNTS_PASSWORD_PASSES", "passes", within 2..=32;
        /// Lanes of that memory.
        password_lanes: u32 = "1", "HUBBUB_ACCOUNTS_PASSWORD_LANES", "lanes", within 1..=16;
        /// Passwords that are hashed at once; others wait. More than the processors helps nobody.
        password_threads: usize = "2", "HUBBUB_ACCOUNTS_PASSWORD_THREADS", "threads", within 1..=256;
    }

    /// WebSocket connections.
    connections: ConnectionSettings {
        /// Most connections of this node, of any kind; the next one is refused.
        max: usize = "100000", "HUBBUB_CONNECTIONS_MAX", "connections", within 1..=10_000_000;
        /// Most connections from one address; those of this machine and of trusted proxies are not counted.
        max_per_address: usize = "4096", "HUBBUB_CONNECTIONS_MAX_PER_ADDRESS", "connections",
            within 1..=10_000_000;
        /// How often a client should say that it lives.
        heartbeat_ms: u64 = "25000", "HUBBUB_CONNECTIONS_HEARTBEAT_MS", "ms", within 100..=600_000;
        /// Longest silence of a client before its connection is closed; more than `heartbeat_ms`.
        idle_timeout_ms: u64 = "60000", "HUBBUB_CONNECTIONS_IDLE_TIMEOUT_MS", "ms", within 200..=3_600_000;
        /// Longest wait for the pong to a ping.
        pong_timeout_ms: u64 = "10000", "HUBBUB_CONNECTIONS_PONG_TIMEOUT_MS", "ms", within 100..=60_000;
        /// Longest that one write to a client may take.
        write_deadline_ms: u64 = "10000", "HUBBUB_CONNECTIONS_WRITE_DEADLINE_MS", "ms", within 100..=60_000;
        /// What may wait to be sent to one client; beyond, it is closed as a slow reader.
        outbox_bytes: usize = "1048576", "HUBBUB_CONNECTIONS_OUTBOX_BYTES", "bytes", within 131_072..=67_108_864;
        /// Commands that one connection may send each second, on average.
        commands_per_s: u32 = "200", "HUBBUB_CONNECTIONS_COMMANDS_PER_S", "commands a second", within 1..=100_000;
        /// Commands that it may send at once.
        commands_burst: u32 = "2000", "HUBBUB_CONNECTIONS_COMMANDS_BURST", "commands", within 1..=1_000_000;
    }

    /// How a node stops.
    drain: DrainSettings {
        /// Time from the signal to the end; less than whatever stops the process allows.
        grace_s: u64 = "20", "HUBBUB_DRAIN_GRACE_S", "s", within 1..=3_600;
        /// Time between two waves of connections that are sent elsewhere.
        wave_ms: u64 = "100", "HUBBUB_DRAIN_WAVE_MS", "ms", within 0..=60_000;
    }

    /// The newest entries of streams, kept beside the database.
    cache: CacheSettings {
        /// Entries kept of a stream.
        entries: usize = "200", "HUBBUB_CACHE_ENTRIES", "entries", within 1..=10_000;
        /// How long they are kept without being used.
        ttl_s: u64 = "3600", "HUBBUB_CACHE_TTL_S", "s", within 1..=604_800;
    }

    /// What the server writes to its standard error.
    log: LogSettings {
        /// For people, or one JSON object a line.
        format: LogFormat = "text", "HUBBUB_LOG_FORMAT", "text or json", flag "log-format";
        /// How much: `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,hubbub_server::streams=debug`.
        level: String = "info", "HUBBUB_LOG_LEVEL", "level", flag "log-level";
    }
}

impl Config {
    /// Whether this node is part of a cluster.
    pub fn is_cluster(&self) -> bool {
        self.database.url.is_some() && self.redis.url.is_some()
    }

    /// Whether a page of `origin` may open a connection to the host it calls `host`.
    ///
    /// Compared letter by letter: browsers send both in one form, and anything else is not from a browser.
    pub fn allows_origin(&self, origin: &str, host: Option<&str>) -> bool {
        let configured = self.public_url.iter().chain(&self.allowed_origins);
        if configured.clone().any(|allowed| allowed.as_str() == origin) {
            return true;
        }
        // Where a scheme is configured for this host, the other scheme is another site.
        let known = configured.clone().any(|allowed| Some(allowed.host()) == host);
        let same_host = host.is_some_and(|host| {
            origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")) == Some(host)
        });
        self.allowed_origins.is_empty() && !known && same_host
    }
}
