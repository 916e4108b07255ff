//! What can be set about Redis, and what fred is told: its own defaults wait for ever and queue without bound.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use fred::prelude::{Builder, Client, Config, ReconnectPolicy, Server, ServerConfig};
use fred::types::RespVersion;
use fred::types::config::{TcpConfig, UnresponsiveConfig};

use super::tls;
use crate::fabric::types::FabricError;
use crate::fabric::{INBOX, TAIL_KEPT, TAIL_TTL};

/// No operation waits longer for Redis, whatever is set.
const LONGEST_COMMAND: Duration = Duration::from_millis(300);
/// Messages heard and not yet put into the inbox; fred's own 32 overflow in the first burst.
const BROADCAST: usize = 8192;
/// Commands waiting for the connection; beyond, they fail at once.
const COMMAND_BUFFER: usize = 10_000;

const SCHEMES: [&str; 6] =
    ["redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster"];

/// Where Redis is and how it is used.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://[user][:password]@host:port/db`;
    /// `redis-sentinel://[user][:password]@sentinel:26379/db?sentinelServiceName=name&node=sentinel:26379…`, perhaps with
    /// `&sentinelUsername=…&sentinelPassword=…`; `redis-cluster://[user][:password]@host:port?node=host:port…`; each also
    /// with `rediss` in place of `redis`, for TLS.
    pub url: String,
    /// The certificates, in PEM, one of which must have signed that of Redis; without it those this machine believes.
    pub ca_file: Option<PathBuf>,
    /// In front of every key and topic, so that several installations can share one Redis.
    pub prefix: String,
    /// How long an operation waits for Redis; never more than 300 ms.
    pub command_timeout: Duration,
    /// How long one attempt to connect may take, and the first one may hold up the start.
    pub connect_timeout: Duration,
    /// Most entries kept of one stream's tail.
    pub tail_kept: usize,
    /// How long a tail stays after its last append.
    pub tail_ttl: Duration,
    /// Most bus events waiting for their reader.
    pub inbox: usize,
}

impl RedisSettings {
    /// The Redis at `url`, used as we think best.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ca_file: None,
            prefix: "hubbub:".to_owned(),
            command_timeout: LONGEST_COMMAND,
            connect_timeout: Duration::from_secs(2),
            tail_kept: TAIL_KEPT,
            tail_ttl: TAIL_TTL,
            inbox: INBOX,
        }
    }

    /// How long an operation really waits.
    pub(super) fn command_limit(&self) -> Duration {
        self.command_timeout.min(LONGEST_COMMAND)
    }

    /// Whether the address is that of a Redis Cluster.
    pub(super) fn is_clustered(&self) -> bool {
        self.scheme().ends_with("-cluster")
    }

    fn scheme(&self) -> &str {
        self.url.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    fn config(&self) -> Result<Config, FabricError> {
        let scheme = self.scheme();
        // fred takes any scheme for a plain connection.
        if !SCHEMES.contains(&scheme) {
            return Err(FabricError::Url(format!("it must begin with one of {}", SCHEMES.join(", "))));
        }
        // Without the second `s`, for fred would go and read the certificates of this machine.
        let secure = scheme.starts_with("rediss");
        let url = if secure { self.url.replacen("rediss", "redis", 1) } else { self.url.clone() };
        let mut config = Config::from_url(&url).map_err(|error| FabricError::Url(error.to_string()))?;
        if secure {
            config.tls = Some(tls::config(self.ca_file.as_deref())?);
        }
        config.version = RespVersion::RESP3;
        config.fail_fast = false; // the first connection is tried again like any other
        Ok(config)
    }

    /// A client that is not connected yet, with every waiting time and every queue bounded: for the Redis of the
    /// address, or for one node of that cluster.
    pub(super) fn client(&self, node: Option<&Server>) -> Result<Client, FabricError> {
        let mut config = self.config()?;
        if let Some(server) = node {
            config.server = ServerConfig::Centralized { server: server.clone() };
            config.database = None;
        }
        Builder::from_config(config)
            .with_connection_config(|connection| {
                connection.connection_timeout = self.connect_timeout;
                connection.internal_command_timeout = self.connect_timeout;
                connection.max_command_attempts = 1; // a count or a publish must not happen twice
                connection.max_redirections = 0; // see `is_redirected`
                connection.max_command_buffer_len = COMMAND_BUFFER;
                connection.reconnect_on_auth_error = true;
                // See also `Connection::is_stuck`.
                connection.unresponsive = UnresponsiveConfig {
                    max_timeout: Some(Duration::from_secs(3)),
                    interval: Duration::from_millis(500),
                };
                connection.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
            })
            .with_performance_config(|performance| {
                // A little before our own time limit: fred then knows not to send what nobody waits for.
                performance.default_command_timeout = self.command_limit() * 9 / 10;
                performance.broadcast_channel_capacity = BROADCAST;
            })
            // 0: never give up. At most a second between attempts, so that live delivery is back soon after Redis is.
            .set_policy(ReconnectPolicy::new_exponential(0, 100, 1_000, 2))
            .build()
            .map_err(|error| FabricError::Url(error.to_string()))
    }
}

/// Without the address, which may hold a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("prefix", &self.prefix)
            .field("command_timeout", &self.command_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("tail_kept", &self.tail_kept)
            .field("tail_ttl", &self.tail_ttl)
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use fred::prelude::ClientLike;
    use fred::types::config::ReconnectError;

    use super::*;

    #[test]
    fn fred_gets_every_bound_we_decided_on() {
        let node = Server::new("10.0.0.7", 7000);
        for (url, node) in [
            ("redis://:sec%40ret@cache.example:6380/3", None),
            ("redis-sentinel://:sec%40ret@watch.example/3?sentinelServiceName=main", None),
            ("redis-cluster://:sec%40ret@cache.example", None),
            ("redis-cluster://:sec%40ret@cache.example", Some(&node)),
        ] {
            let client = RedisSettings::new(url).client(node).unwrap();
            let config = client.client_config();
            assert_eq!(config.password.as_deref(), Some("sec@ret"));
            assert_eq!(config.version, RespVersion::RESP3);
            assert!(!config.fail_fast && !config.uses_tls());

            let connection = client.connection_config();
            assert_eq!(connection.connection_timeout, Duration::from_secs(2));
            assert_eq!(connection.internal_command_timeout, Duration::from_secs(2));
            assert_eq!(connection.max_command_attempts, 1);
            assert_eq!(connection.max_redirections, 0);
            assert_eq!(connection.max_command_buffer_len, 10_000);
            assert_eq!(connection.unresponsive.max_timeout, Some(Duration::from_secs(3)));
            assert_eq!(connection.unresponsive.interval, Duration::from_millis(500));
            assert_eq!(connection.tcp.nodelay, Some(true));
            assert!(connection.reconnect_on_auth_error && !connection.disable_cluster_health_check);
            let reconnects_on =
                [ReconnectError::ClusterDown, ReconnectError::Loading, ReconnectError::ReadOnly];
            assert_eq!(connection.reconnect_errors, reconnects_on);

            let performance = client.perf_config();
            assert_eq!(performance.default_command_timeout, Duration::from_millis(270));
            assert_eq!(performance.broadcast_channel_capacity, 8192);
            let policy = client.client_reconnect_policy().unwrap();
            assert_eq!(policy, ReconnectPolicy::new_exponential(0, 100, 1_000, 2));
        }
    }

    #[test]
    fn an_address_says_where_redis_is() {
        let config = |url, node| RedisSettings::new(url).client(node).unwrap().client_config();
        let one = config("redis://cache.example:6380/3", None);
        assert_eq!(
            (one.server, one.database),
            (ServerConfig::new_centralized("cache.example", 6380), Some(3))
        );
        let node = Server::new("10.0.0.7", 7000);
        let one_of_many = config("redis-cluster://cache.example", Some(&node));
        assert_eq!(one_of_many.server, ServerConfig::new_centralized("10.0.0.7", 7000));
        let url = "redis-sentinel://a:1/2?sentinelServiceName=main&sentinelPassword=p%40w&node=b:2";
        let watched = config(url, None);
        let ServerConfig::Sentinel { hosts, service_name, password, .. } = watched.server else { panic!() };
        assert_eq!((hosts.len(), service_name.as_str(), password.as_deref()), (2, "main", Some("p@w")));
        assert_eq!(watched.database, Some(2));
        let many = config("redis-cluster://a:1?node=b:2&node=c:3", None);
        assert_eq!(many.server.hosts().len(), 3);
    }

    #[test]
    fn a_command_never_waits_longer_than_the_limit() {
        let settings =
            RedisSettings { command_timeout: Duration::from_mins(1), ..RedisSettings::new("redis://a") };
        assert_eq!(settings.command_limit(), Duration::from_millis(300));
    }

    #[test]
    fn other_kinds_of_address_are_understood_and_wrong_ones_refused() {
        let client = |url: &str| RedisSettings::new(url).client(None);
        for url in [
            "rediss://:pw@cache.example:6380/0",
            "rediss-cluster://a",
            "rediss-sentinel://a?sentinelServiceName=b",
        ] {
            assert!(client(url).unwrap().client_config().uses_tls(), "{url}");
        }
        assert!(client("redis-cluster://a:7001?node=b:7002").unwrap().is_clustered());
        assert!(client("redis-sentinel://a:26379?sentinelServiceName=main").unwrap().uses_sentinels());
        for wrong in ["", "cache.example", "http://cache.example", "redis://"] {
            assert!(matches!(client(wrong), Err(FabricError::Url(_))), "{wrong}");
        }
    }

    #[test]
    fn the_password_is_not_in_the_debug_text() {
        let text = format!("{:?}", RedisSettings::new("redis://:sesame@h"));
        assert!(!text.contains("sesame") && text.contains("hubbub:"));
    }
}
