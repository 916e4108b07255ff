//! G9, bounded memory: who does not read is closed with a code that says so, and loses nothing when it resumes.

use std::time::Duration;

use hubbub_client::{Unasked, connection::Options, cursors::Cursors};
use hubbub_protocol::{close::Next, id::Seq, push::Push};
use tokio::time::Instant;

use crate::support::{
    PATIENCE, TestCluster, eventually,
    link::{assert_dense, options},
    within,
};

/// A long write deadline, so that it is the outbox which is over its bytes.
const BY_BYTES: [(&str, &str); 1] = [("HUBBUB_CONNECTIONS_WRITE_DEADLINE_MS", "60000")];

#[tokio::test]
async fn embedded_a_slow_reader_is_closed_and_nobody_else_notices() {
    a_slow_reader_is_closed_and_nobody_else_notices(TestCluster::embedded_with(&BY_BYTES).await).await;
}

#[tokio::test]
async fn on_two_nodes_a_slow_reader_is_closed_and_nobody_else_notices() {
    a_slow_reader_is_closed_and_nobody_else_notices(TestCluster::start_with(2, &BY_BYTES).await).await;
}

/// Messages of this many bytes, together far more than any outbox and socket hold.
const TEXT_BYTES: usize = 16 * 1024;
/// How many of them.
const MESSAGES: usize = 1_500;

async fn a_slow_reader_is_closed_and_nobody_else_notices(cluster: TestCluster) {
    let [ann, bea, slow] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea, &slow]).await;
    let bea = bea.connect(cluster.node(1)).await;
    let first = ann.head(room).await.0 + 1;

    // Reads one push and then no more: the sockets fill, then the outbox.
    let lazy =
        Options { unasked_waiting: 1, receive_buffer_bytes: Some(16 * 1024), heartbeat: false, ..options() };
    let (connection, mut pushes) = slow.connect_bare(cluster.node(1), &lazy).await;
    let mut cursors = Cursors::default();
    cursors.start(&slow.connect(cluster.node(1)).await.started);

    let text = "x".repeat(TEXT_BYTES);
    let sending = async {
        let (mut slowest, mut head) = (Duration::ZERO, Seq::ZERO);
        for _ in 0..MESSAGES / 10 {
            let begun = Instant::now();
            let sent = ann.say_all(room, (0..10).map(|_| text.clone())).await;
            slowest = slowest.max(begun.elapsed());
            head = sent.iter().map(|sent| sent.seq).max().expect("messages were sent");
        }
        (slowest, head)
    };
    let reading = async {
        cluster.node(1).metric_reaches("hubbub_slow_consumer_total", &[], 1).await;
        // Reading on shows what had been sent, then the code.
        let mut heard = Vec::new();
        while let Some(unasked) = within(PATIENCE, "the end", pushes.next()).await {
            if let Unasked::Push(push) = unasked
                && let Push::Entry(entry) = *push
            {
                cursors.take(&entry);
                heard.push(entry);
            }
        }
        heard
    };
    let ((slowest, head), mut heard) = tokio::join!(sending, reading);
    assert!(slowest < Duration::from_secs(5), "a sender waited {slowest:?} for a slow reader");
    bea.until_seq(room, head).await;
    let closed = connection.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (4000, "slow_consumer"));
    assert_eq!(closed.next(), Next::Resume);
    assert!(heard.len() < MESSAGES, "it was not slow at all");

    let back = slow.resume(cluster.node(0), cursors.to_send()).await;
    let rest = back.until_seq(room, head).await;
    heard.extend(rest);
    assert_dense(&heard, first);
    assert_eq!(heard.len(), MESSAGES);
    assert!(bea.heard(|heard| heard.closed.is_none()));
}

/// An outbox that takes everything, so that it is the write which takes too long; and a reader that never reads again.
#[tokio::test]
async fn a_reader_that_stands_still_is_closed_in_time_and_forgotten() {
    let by_time =
        [("HUBBUB_CONNECTIONS_WRITE_DEADLINE_MS", "500"), ("HUBBUB_CONNECTIONS_OUTBOX_BYTES", "67108864")];
    let cluster = TestCluster::embedded_with(&by_time).await;
    let [ann, slow] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&slow]).await;
    let lazy =
        Options { unasked_waiting: 1, receive_buffer_bytes: Some(16 * 1024), heartbeat: false, ..options() };
    let (_connection, _pushes) = slow.connect_bare(cluster.node(0), &lazy).await;
    ann.say_all(room, (0..700).map(|_| "x".repeat(TEXT_BYTES))).await;
    cluster.node(0).metric_reaches("hubbub_connections_closed_total", &["slow_consumer"], 1).await;
    eventually("nothing left of the slow reader", async || {
        (cluster.node(0).metric("hubbub_connections", &[]).await == 1).then_some(())
    })
    .await;
    ann.round_trip().await;
}
