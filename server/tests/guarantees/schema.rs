//! The schema: whoever starts first makes it, and whoever starts beside waits.

use crate::support::{TestCluster, link::texts};

#[tokio::test]
async fn three_nodes_start_at_once_on_an_empty_database() {
    let cluster = TestCluster::start(3).await;
    let [ann, bea, cyd] = cluster.people().await;
    let ann_link = ann.connect(cluster.node(0)).await;
    let room = ann_link.group(&[&bea, &cyd]).await;
    let links = [bea.connect(cluster.node(1)).await, cyd.connect(cluster.node(2)).await];
    let sent = ann_link.say(room, "all here").await;
    for link in &links {
        assert_eq!(texts(&link.until_seq(room, sent.seq).await), ["all here"]);
        assert_eq!(link.started.epoch, ann_link.started.epoch, "one database, one life");
    }
}

/// A later start finds what is there and changes nothing.
#[tokio::test]
async fn a_node_that_starts_later_joins_the_same_life() {
    let mut cluster = TestCluster::start(2).await;
    let [ann] = cluster.people().await;
    let link = ann.connect(cluster.node(1)).await;
    let epoch = link.started.epoch;
    cluster.node(0).terminate();
    assert_eq!(cluster.node_mut(0).exit_code().await, Some(0));
    cluster.start_again(0).await;
    assert_eq!(ann.connect(cluster.node(0)).await.started.epoch, epoch);
    assert!(link.heard(|heard| heard.closed.is_none()), "the other node noticed nothing");
}
