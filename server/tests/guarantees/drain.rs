//! Stopping: a node says that it stops, sends its clients elsewhere, and nothing that was acknowledged is lost.

use hubbub_client::reconnect::{Event, Events};
use hubbub_protocol::{
    entry::{Entry, EntryBody},
    id::{RoomId, Seq, StreamId},
};

use crate::support::{
    PATIENCE, TestCluster,
    link::{assert_dense, entry_at, message, texts},
    on_both, within,
};

on_both!(a_node_that_is_asked_to_stop_says_goodbye);

async fn a_node_that_is_asked_to_stop_says_goodbye(cluster: TestCluster) {
    let mut cluster = cluster;
    let people = cluster.crowd(20).await;
    let mut links = Vec::new();
    for person in &people {
        links.push(person.connect(cluster.node(0)).await);
    }
    let ready = cluster.node(0).get("/readyz").await.expect("an answer");
    assert_eq!(ready.status, 200);

    cluster.node(0).terminate();
    for link in &links {
        let (closed, _) = link.closed().await;
        assert_eq!((closed.code, closed.reason.as_str()), (1012, "drain"));
    }
    assert_eq!(cluster.node_mut(0).exit_code().await, Some(0));
    let log = cluster.node(0).log();
    assert!(!log.contains("panicked"), "{log}");
}

/// Slow waves leave time to look at a node while it drains.
#[tokio::test]
async fn a_draining_node_is_not_ready_while_it_still_listens() {
    let mut cluster = TestCluster::start_with(2, &[("HUBBUB_DRAIN_WAVE_MS", "1000")]).await;
    let people = cluster.crowd(30).await;
    let mut links = Vec::new();
    for person in &people {
        links.push(person.connect(cluster.node(0)).await);
    }
    cluster.node(0).terminate();
    let mut statuses = Vec::new();
    while let Some(answer) = cluster.node(0).get("/readyz").await {
        if statuses.last() != Some(&answer.status.as_u16()) {
            statuses.push(answer.status.as_u16());
        }
        if answer.status == 503 {
            let why: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
            assert_eq!(why["ready"], false);
            assert_eq!(why["why_not"], serde_json::json!(["draining"]));
            let alive = cluster.node(0).get("/livez").await.expect("an answer");
            assert_eq!(alive.status, 200, "draining is no reason to be restarted");
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&503), "{statuses:?}");
    assert_eq!(cluster.node_mut(0).exit_code().await, Some(0));
}

/// Two people keep talking through a node that stops, and neither loses nor doubles a word.
#[tokio::test]
async fn a_conversation_goes_on_on_another_node() {
    const EACH: usize = 400;
    let mut cluster = TestCluster::start(2).await;
    let [ann, bea] = cluster.people().await;
    let room = ann.connect(cluster.node(1)).await.group(&[&bea]).await;
    // Both begin on the node that will stop; they know the other one.
    let (ann_client, ann_events) = ann.keep_connected(&cluster, 0);
    let (bea_client, bea_events) = bea.keep_connected(&cluster, 0);

    let talking = |client: hubbub_client::Client, name: &'static str| async move {
        let mut acknowledged = Vec::new();
        for number in 0..EACH {
            let text = format!("{name} {number}");
            let sent = client.ask(message(room, &text)).await.expect("an acknowledgement, however late");
            acknowledged.push((sent, text));
        }
        acknowledged
    };
    let last = Seq(2 + 2 * EACH as u64);
    let stopping = async {
        let watcher = ann.connect(cluster.node(1)).await;
        watcher.until_seq(room, Seq(EACH as u64 / 2)).await;
        cluster.node(0).terminate();
    };
    let (by_ann, by_bea, ann_heard, bea_heard, ()) = tokio::join!(
        talking(ann_client.clone(), "ann"),
        talking(bea_client.clone(), "bea"),
        listen(ann_events, room, last),
        listen(bea_events, room, last),
        stopping,
    );
    assert_eq!(cluster.node_mut(0).exit_code().await, Some(0));

    let log = ann.connect(cluster.node(1)).await.log(room).await;
    assert_dense(&log, 1);
    assert_eq!(log.len() as u64, last.0, "a message was lost or stored twice");
    for heard in [ann_heard, bea_heard] {
        assert_eq!(heard.0[..], log[log.len() - heard.0.len()..], "what was heard differs from the log");
        assert!(heard.1 >= 2, "the connection was not lost at all");
    }
    for (sent, text) in by_ann.iter().chain(&by_bea) {
        let entry = entry_at(&log, sent.seq);
        assert_eq!((entry.id, texts(std::slice::from_ref(entry))), (sent.id, vec![text.as_str()]));
    }
}

/// Listens until a room has come this far: its entries, and how many sessions were started meanwhile.
async fn listen(mut events: Events, room: RoomId, last: Seq) -> (Vec<Entry>, usize) {
    let (mut heard, mut starts) = (Vec::new(), 0);
    loop {
        match within(PATIENCE, "the rest of a conversation", events.next()).await {
            Some(Event::Entry(entry)) if entry.stream == StreamId::Room(room) => {
                let end = entry.seq >= last;
                heard.push(*entry);
                if end {
                    return (heard, starts);
                }
            }
            Some(Event::Started(_)) => starts += 1,
            Some(Event::Entry(_) | Event::Signal(_) | Event::Lost { .. }) => {}
            other => panic!("the conversation broke off: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_second_start_finds_its_data() {
    let mut cluster = TestCluster::embedded().await;
    let [ann, bea] = cluster.people().await;
    let link = ann.connect(cluster.node(0)).await;
    let room = link.group(&[&bea]).await;
    link.say(room, "before").await;
    let (log, cursors) = (link.log(room).await, link.cut());

    cluster.node(0).terminate();
    assert_eq!(cluster.node_mut(0).exit_code().await, Some(0));
    cluster.start_again(0).await;

    let link = ann.resume(cluster.node(0), cursors).await;
    assert_eq!(link.started.rooms.len(), 1);
    assert_eq!(link.log(room).await, log);
    let sent = link.say(room, "after").await;
    assert_eq!(texts(&link.until_seq(room, sent.seq).await).last(), Some(&"after"));

    // A power cut between two starts loses nothing that was acknowledged.
    let (log, cursors) = (link.log(room).await, link.cut());
    cluster.node_mut(0).kill().await;
    cluster.start_again(0).await;
    let link = bea
        .resume(
            cluster.node(0),
            cursors.into_iter().filter(|(stream, _)| *stream == StreamId::Room(room)).collect(),
        )
        .await;
    assert_eq!(link.log(room).await, log);
    assert!(matches!(log.last().map(|entry| &entry.body), Some(EntryBody::Message { .. })));
}
