//! Real nodes on real services, and people who use them.

pub(crate) mod cluster;
pub(crate) mod link;
pub(crate) mod node;
pub(crate) mod person;
pub(crate) mod raw;
pub(crate) mod services;
pub(crate) mod wait;

pub(crate) use cluster::TestCluster;
pub(crate) use link::Link;
pub(crate) use node::Node;
pub(crate) use person::Person;
pub(crate) use wait::{PATIENCE, eventually, within};

/// Makes of each scenario `async fn name(cluster: TestCluster)` two tests: on one embedded node, and on a cluster of
/// two. A scenario speaks of node 0 and node 1; alone, both are the same.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::support::TestCluster;

            #[tokio::test]
            async fn embedded() {
                super::$name(TestCluster::embedded().await).await;
            }

            #[tokio::test]
            async fn on_two_nodes() {
                super::$name(TestCluster::start(2).await).await;
            }
        }
    )+};
}

pub(crate) use on_both;
