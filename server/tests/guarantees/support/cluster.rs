//! Nodes that belong together, and what they keep.

use std::{path::Path, process::Stdio};

use hubbub_client::ServerAddress;

use super::{
    Node, PATIENCE, Person,
    node::{Environment, hubbub},
    person::CreatedUser,
    services::{TestDatabase, TestFolder, redis_url, unique},
    within,
};

/// One embedded node, or several on one database. Everything ends with the test: nodes first, then what they keep.
pub(crate) struct TestCluster {
    nodes: Vec<Node>,
    environments: Vec<Environment>,
    keeps: Keeps,
}

/// What outlives a node.
enum Keeps {
    Folder(TestFolder),
    Database(TestDatabase),
}

impl TestCluster {
    /// One node without other services.
    pub(crate) async fn embedded() -> Self {
        Self::embedded_with(&[]).await
    }

    /// One node without other services, with settings of its own.
    pub(crate) async fn embedded_with(settings: &[(&str, &str)]) -> Self {
        let folder = TestFolder::create();
        let mut environment = with_defaults(settings);
        environment.push(("HUBBUB_DATA_DIR".to_owned(), folder.path.display().to_string()));
        Self::new(vec![environment], Keeps::Folder(folder)).await
    }

    /// `count` nodes on one Postgres and one Redis.
    pub(crate) async fn start(count: usize) -> Self {
        Self::start_with(count, &[]).await
    }

    /// `count` nodes on one Postgres and one Redis, with settings of their own.
    pub(crate) async fn start_with(count: usize, settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::create().await;
        let environment = in_cluster(settings, &database, &unique("t"));
        Self::new(vec![environment; count], Keeps::Database(database)).await
    }

    /// Two nodes on one Postgres that never hear each other: each has a prefix of its own in Redis.
    pub(crate) async fn start_deaf() -> Self {
        let database = TestDatabase::create().await;
        let environments = [unique("t"), unique("t")].map(|prefix| in_cluster(&[], &database, &prefix));
        Self::new(environments.to_vec(), Keeps::Database(database)).await
    }

    /// `count` nodes on one Postgres and a Redis of the test's own.
    pub(crate) async fn start_on_redis(count: usize, url: &str) -> Self {
        let database = TestDatabase::create().await;
        let mut environment = in_cluster(&[], &database, "hubbub");
        environment.retain(|(name, _)| name != "REDIS_URL");
        environment.push(("REDIS_URL".to_owned(), url.to_owned()));
        Self::new(vec![environment; count], Keeps::Database(database)).await
    }

    async fn new(environments: Vec<Environment>, keeps: Keeps) -> Self {
        // All at once, as a cluster is started: whoever comes first makes the tables.
        let nodes = futures_util::future::join_all(environments.iter().map(Node::start)).await;
        Self { nodes, environments, keeps }
    }

    /// A node by its number; a cluster of one has it under every number.
    pub(crate) fn node(&self, number: usize) -> &Node {
        &self.nodes[number % self.nodes.len()]
    }

    /// A node to be stopped.
    pub(crate) fn node_mut(&mut self, number: usize) -> &mut Node {
        let count = self.nodes.len();
        &mut self.nodes[number % count]
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where all nodes are, beginning with `first`.
    pub(crate) fn addresses_from(&self, first: usize) -> Vec<ServerAddress> {
        (0..self.nodes.len()).map(|number| self.node(first + number).address.clone()).collect()
    }

    /// Starts a node in the place of one that has ended.
    pub(crate) async fn start_again(&mut self, number: usize) {
        let node = Node::start(&self.environments[number % self.nodes.len()]).await;
        *self.node_mut(number) = node;
    }

    /// The environment of a node.
    pub(crate) fn environment(&self, number: usize) -> &Environment {
        &self.environments[number % self.nodes.len()]
    }

    /// The database of a cluster.
    pub(crate) fn database_url(&self) -> Option<&str> {
        match &self.keeps {
            Keeps::Database(database) => Some(&database.url),
            Keeps::Folder(_) => None,
        }
    }

    /// The data folder of an embedded node.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.keeps {
            Keeps::Folder(folder) => Some(&folder.path),
            Keeps::Database(_) => None,
        }
    }

    /// New people with a session each, made by the operator's command: no password is hashed.
    pub(crate) async fn people<const COUNT: usize>(&self) -> [Person; COUNT] {
        let people = self.crowd(COUNT).await;
        people.try_into().unwrap_or_else(|_| unreachable!("as many as were asked for"))
    }

    /// As [`TestCluster::people`], for any number.
    pub(crate) async fn crowd(&self, count: usize) -> Vec<Person> {
        // A username has at most 32 characters: 16 of a name of our own leave room for a number.
        let name = unique("");
        let prefix = format!("p{}-", &name[name.len() - 15..]);
        let making = hubbub(self.environment(0))
            .args(["user", "create", "--tokens", "--prefix", &prefix, "--count", &count.to_string()])
            .stdin(Stdio::null())
            .output();
        let output = within(PATIENCE, "new accounts", making).await.expect("the binary starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "accounts were not made: {errors}");
        let text = String::from_utf8(output.stdout).expect("JSON is text");
        let people: Vec<Person> = text
            .lines()
            .map(|line| {
                serde_json::from_str::<CreatedUser>(line).expect("a line of JSON for each account").into()
            })
            .collect();
        assert_eq!(people.len(), count);
        people
    }
}

fn in_cluster(settings: &[(&str, &str)], database: &TestDatabase, prefix: &str) -> Environment {
    let mut environment = with_defaults(settings);
    environment.push(("DATABASE_URL".to_owned(), database.url.clone()));
    environment.push(("REDIS_URL".to_owned(), redis_url()));
    environment.push(("HUBBUB_REDIS_PREFIX".to_owned(), prefix.to_owned()));
    environment
}

/// Small for tests: a pool of two thousand tests' worth of connections would exceed what Postgres allows.
fn with_defaults(settings: &[(&str, &str)]) -> Environment {
    let defaults = [("HUBBUB_DATABASE_POOL_SIZE", "8")];
    let given = settings.iter().copied();
    let unset = defaults.into_iter().filter(|(name, _)| settings.iter().all(|(given, _)| given != name));
    given.chain(unset).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
