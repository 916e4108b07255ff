//! Services and nodes together.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use hubbub_client::ServerAddress;
use hubbub_protocol::{id::SessionId, model::User};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Doing, Result},
    node::{Environment, Node, binary},
    proxy::Proxy,
    services::{Postgres, Redis},
};

/// What is the rig's own among the variables that begin with `HUBBUB_`, and no setting of a node.
const OURS: &[&str] = &["HUBBUB_BIN", "HUBBUB_LISTEN", "HUBBUB_OPS_LISTEN", "HUBBUB_DATA_DIR", "HUBBUB_MODE"];

/// Nodes on one Postgres and one Redis, with a proxy on every edge. Ends with this value.
#[derive(Debug)]
pub struct Cluster {
    // In this order they end: nodes before what they stand on.
    /// The nodes.
    pub nodes: Vec<Node>,
    /// What carries messages between them.
    pub redis: Redis,
    /// What keeps them.
    pub postgres: Postgres,
}

/// An account with a session, as `hubbub user create --tokens` prints it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Who.
    #[serde(flatten)]
    pub user: User,
    /// The session.
    pub session_id: SessionId,
    /// Its access token.
    pub access_token: String,
    /// Its refresh token.
    pub refresh_token: String,
}

impl Cluster {
    /// Starts services and `count` nodes, with these settings beside the rig's own. The nodes log into files
    /// `node-1.log`, `node-2.log` … of `logs`.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(count: usize, settings: &[(&str, &str)], logs: &Path) -> Result<Self> {
        Self::start_binary(binary()?, count, settings, logs).await
    }

    /// As [`Cluster::start`], with this binary.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start_binary(
        binary: PathBuf,
        count: usize,
        settings: &[(&str, &str)],
        logs: &Path,
    ) -> Result<Self> {
        std::fs::create_dir_all(logs).doing("make a folder for logs")?;
        let (postgres, redis) = tokio::try_join!(Postgres::start(), Redis::start())?;
        let mut nodes = Vec::with_capacity(count);
        for number in 1..=count {
            let proxies = (
                Proxy::start(None).await?,
                Proxy::start_before_redis(redis.address()).await?,
                Proxy::start(Some(postgres.address())).await?,
            );
            let mut environment: Environment = vec![
                ("DATABASE_URL".to_owned(), postgres.url(proxies.2.address())),
                ("REDIS_URL".to_owned(), redis.url(proxies.1.address())),
            ];
            environment
                .extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            let log = logs.join(format!("node-{number}.log"));
            nodes.push(Node::new(binary.clone(), environment, log, proxies));
        }
        let mut cluster = Self { nodes, redis, postgres };
        // One after the other: the first makes the tables.
        for node in &mut cluster.nodes {
            node.start().await?;
        }
        Ok(cluster)
    }

    /// Where clients find all nodes.
    ///
    /// # Errors
    /// Never: an address of this machine can be written.
    pub fn addresses(&self) -> Result<Vec<ServerAddress>> {
        self.nodes.iter().map(Node::address).collect()
    }

    /// New people with a session and a password each, made by the operator's command past all proxies.
    ///
    /// # Errors
    /// The command fails.
    pub async fn people(&self, prefix: &str, count: usize, password: &str) -> Result<Vec<Account>> {
        let url = self.postgres.url(self.postgres.address());
        let count = count.to_string();
        let arguments =
            ["user", "create", "--tokens", "--password-stdin", "--prefix", prefix, "--count", count.as_str()];
        let text = self.nodes[0].command(&arguments, &[("DATABASE_URL", &url)], password).await?;
        text.lines().map(|line| serde_json::from_str(line).doing("read an account")).collect()
    }

    /// Lets every edge pass everything again.
    pub fn heal_edges(&self) {
        for node in &self.nodes {
            node.clients.heal();
            node.redis.heal();
            node.postgres.heal();
        }
    }

    /// Where Postgres listens, past all proxies.
    pub fn postgres_address(&self) -> SocketAddr {
        self.postgres.address()
    }
}

/// The settings of nodes that are in our own environment: an operator tries them so.
pub fn settings_from_environment() -> Vec<(String, String)> {
    let is_setting = |name: &str| {
        name.starts_with("HUBBUB_") && !name.starts_with("HUBBUB_TEST_") && !OURS.contains(&name)
    };
    std::env::vars().filter(|(name, _)| is_setting(name)).collect()
}
