//! Nodes with services of their own behind proxies, and people on them.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use faultlab::cluster::{Account, Cluster};
use hubbub_client::ServerAddress;
use hyper::Method;
use tokio::sync::{Mutex, MutexGuard};

use crate::support::Person;

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Held by a test that keeps every core busy: two of them at once would only measure each other.
pub(crate) async fn only_heavy_test() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// A cluster of the rig.
pub(crate) struct Lab {
    pub(crate) cluster: Cluster,
}

impl Lab {
    /// So many nodes.
    pub(crate) async fn start(nodes: usize) -> Self {
        Self::start_with(nodes, &[]).await
    }

    /// So many nodes with settings of their own.
    pub(crate) async fn start_with(nodes: usize, settings: &[(&str, &str)]) -> Self {
        // Hashing is not what is tested here.
        let mut all = vec![
            ("HUBBUB_DATABASE_POOL_SIZE", "8"),
            ("HUBBUB_ACCOUNTS_PASSWORD_MEMORY_KIB", "19456"),
            ("HUBBUB_ACCOUNTS_PASSWORD_PASSES", "2"),
        ];
        all.extend(settings);
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_hubbub"));
        let cluster = Cluster::start_binary(binary, nodes, &all, &logs()).await;
        Self { cluster: cluster.unwrap_or_else(|error| panic!("no cluster: {error}")) }
    }

    /// New people with a session and the password each.
    pub(crate) async fn people<const COUNT: usize>(&self) -> [Person; COUNT] {
        let people = self.crowd("p", COUNT).await;
        people.try_into().unwrap_or_else(|_| unreachable!("as many as were asked for"))
    }

    /// As [`Lab::people`], for any number; the prefix is used once.
    pub(crate) async fn crowd(&self, prefix: &str, count: usize) -> Vec<Person> {
        let accounts = self.cluster.people(prefix, count, PASSWORD).await.expect("accounts are made");
        assert_eq!(accounts.len(), count);
        accounts.into_iter().map(person).collect()
    }

    /// Where clients find a node, beginning with 0.
    pub(crate) fn address(&self, node: usize) -> ServerAddress {
        self.cluster.nodes[node].address().expect("an address")
    }

    /// The addresses of all nodes, beginning with this one.
    pub(crate) fn addresses_from(&self, first: usize) -> Vec<ServerAddress> {
        let count = self.cluster.nodes.len();
        (0..count).map(|number| self.address((first + number) % count)).collect()
    }

    /// What a node says of its health: the status and the body.
    pub(crate) async fn readiness(&self, node: usize) -> (u16, String) {
        let http = self.cluster.nodes[node].http().expect("an address");
        let request = http.request(Method::GET, "/readyz", None, None::<&()>).expect("a path");
        let answer = http.send(request).await.expect("the node answers");
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// A metric, summed over all nodes.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let mut sum = 0.0;
        for node in &self.cluster.nodes {
            sum += node.metric(name, labels).await.unwrap_or(0.0);
        }
        sum
    }
}

fn person(account: Account) -> Person {
    Person {
        user: account.user,
        token: account.access_token,
        refresh_token: account.refresh_token,
        session: account.session_id,
    }
}

fn logs() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("../test-logs/{test}-{number}"))
}
