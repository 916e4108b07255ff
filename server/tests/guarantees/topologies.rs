//! People on two nodes talk while the primary of their Redis is killed and another takes over.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use hubbub_protocol::id::RoomId;
use tokio::time::Instant;

use crate::{
    support::{
        Link, Node, TestCluster, eventually,
        link::{A_SECOND, assert_dense, texts},
    },
    topology::{Cluster, Sentinel},
};

/// How late a message may come while no Redis carries it (G5), and a little for a busy machine.
const LATE: Duration = Duration::from_secs(7);
/// The longest that a send may wait for its acknowledgement, whatever becomes of Redis.
const ACKNOWLEDGED: Duration = Duration::from_secs(2);

#[tokio::test]
async fn nothing_is_lost_while_sentinels_promote_a_replica() {
    let mut redis = Sentinel::start();
    let cluster = TestCluster::start_on_redis(2, &redis.settings().url).await;
    nothing_is_lost("Sentinel", &cluster, || redis.servers[0].kill()).await;
}

#[tokio::test]
async fn nothing_is_lost_while_a_redis_cluster_promotes_a_replica() {
    let mut redis = Cluster::start(true);
    let cluster = TestCluster::start_on_redis(2, &redis.settings().url).await;
    nothing_is_lost("Cluster", &cluster, || redis.servers[0].kill()).await;
}

async fn nothing_is_lost(name: &str, cluster: &TestCluster, kill: impl FnOnce()) {
    // So many rooms that every primary of a cluster has some.
    const ROOMS: usize = 8;
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        rooms.push(ann.group(&[&bea]).await);
    }
    let bea = bea.connect(cluster.node(1)).await;
    for node in cluster.nodes() {
        hears(node).await;
    }
    let over = AtomicBool::new(false);
    let failover = async {
        tokio::time::sleep(Duration::from_millis(500)).await; // of words that come by Redis
        let killed = Instant::now();
        kill();
        for node in cluster.nodes() {
            eventually("the loss is noticed", async || circuit(node).await.filter(|state| *state > 0.5))
                .await;
        }
        for node in cluster.nodes() {
            hears(node).await;
        }
        let back = killed.elapsed();
        tokio::time::sleep(Duration::from_millis(500)).await;
        over.store(true, Ordering::Relaxed);
        back
    };
    let (by_ann, by_bea, back) =
        tokio::join!(talk(&ann, "ann", &rooms, &over), talk(&bea, "bea", &rooms, &over), failover);
    println!(
        "{name}: heard by Redis again {back:?} after kill -9; {} and {} messages, slowest acknowledgement {:?}",
        by_ann.0,
        by_bea.0,
        by_ann.1.max(by_bea.1)
    );
    assert!(by_ann.1.max(by_bea.1) < ACKNOWLEDGED);
    let ended = Instant::now();
    for room in &rooms {
        let log = ann.log(*room).await;
        let head = log.last().expect("a room has entries").seq;
        let (ann_heard, bea_heard) = tokio::join!(ann.until_seq(*room, head), bea.until_seq(*room, head));
        assert_dense(&ann_heard, 1);
        assert_dense(&bea_heard, bea_heard[0].seq.0);
        assert_eq!(texts(&ann_heard), texts(&log));
        assert_eq!(texts(&bea_heard), texts(&log), "each of them, in order, once");
        for (who, said) in [("ann", by_ann.0), ("bea", by_bea.0)] {
            let of_one = texts(&log).into_iter().filter(|text| text.starts_with(who)).map(str::to_owned);
            let expected = (0..said).filter(|number| rooms[number % ROOMS] == *room);
            assert!(
                of_one.eq(expected.map(|number| format!("{who} {number}"))),
                "acknowledged and not there"
            );
        }
    }
    assert!(ended.elapsed() < LATE, "{:?}", ended.elapsed());
    // And Redis carries words again.
    for room in rooms {
        let said = ann.say(room, "afterwards").await.seq;
        let at = Instant::now();
        bea.until_seq(room, said).await;
        assert!(at.elapsed() < A_SECOND, "{:?}", at.elapsed());
    }
}

/// Speaks in one room after the other, each word when the one before is acknowledged, until it is over; how many
/// words, and the longest wait.
async fn talk(link: &Link, who: &str, rooms: &[RoomId], over: &AtomicBool) -> (usize, Duration) {
    let (mut said, mut slowest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        link.say(rooms[said % rooms.len()], &format!("{who} {said}")).await;
        slowest = slowest.max(began.elapsed());
        said += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (said, slowest)
}

/// Waits until a node reaches its Redis, and heard itself through it a moment ago.
async fn hears(node: &Node) {
    eventually("the node hears", async || {
        let age = gauge(node, "hubbub_pubsub_probe_age_seconds").await?;
        (circuit(node).await? < 0.5 && age < 2.0).then_some(())
    })
    .await;
}

async fn circuit(node: &Node) -> Option<f64> {
    gauge(node, "hubbub_dep_circuit_state{dep=\"redis\"}").await
}

async fn gauge(node: &Node, series: &str) -> Option<f64> {
    let text = node.metrics().await;
    let line = text.lines().find(|line| line.starts_with(series))?;
    line.rsplit_once(' ')?.1.parse().ok()
}
