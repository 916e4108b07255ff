//! Redis is speed, SQL the truth: what holds between nodes that never hear each other.

use std::time::Duration;

use hubbub_client::AskError;
use hubbub_protocol::{
    command::{MarkerSetParams, RoomCreateParams, RoomRemoveParams},
    entry::EntryBody,
    error::Reason,
    id::Seq,
    model::RoomKind,
};
use tokio::time::Instant;

use crate::support::{
    TestCluster,
    link::{assert_dense, key, message},
    person::{log_in, sign_up},
};

/// How late a message may come to a node that nobody told (G5), and a little for a busy machine.
const LATE: Duration = Duration::from_secs(7);
/// How long a displaced connection may read on a node that nobody told (G6), and a little for a busy machine.
const STILL_READS: Duration = Duration::from_secs(12);

#[tokio::test]
async fn a_displaced_session_writes_nothing_from_the_answer_of_the_login_on() {
    let cluster = TestCluster::start_deaf().await;
    let username = sign_up(cluster.node(0)).await;
    let laptop = log_in(cluster.node(0), &username, "laptop").await;
    let old = laptop.connect(cluster.node(0)).await;
    let room = old.group(&[]).await;
    let head = old.say(room, "before").await.seq;

    let phone = log_in(cluster.node(1), &username, "phone").await;
    let answered = Instant::now();
    let plan = RoomCreateParams {
        key: key(),
        kind: RoomKind::Group,
        name: "another".to_owned(),
        topic: String::new(),
        members: Vec::new(),
    };
    let writes = tokio::join!(
        old.ask(message(room, "after")),
        old.ask(plan),
        old.ask(MarkerSetParams { room, seq: head }),
    );
    for refused in [writes.0.err(), writes.1.err(), writes.2.err()] {
        match refused {
            Some(AskError::Refused(error)) => assert_eq!(error.data.reason, Reason::SessionEnded),
            Some(AskError::Closed(closed)) => assert_eq!(closed.code, 4400),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
    let (closed, at) = old.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (4400, "displaced"));
    assert!(at.saturating_duration_since(answered) < STILL_READS);
    let new = phone.connect(cluster.node(1)).await;
    assert_eq!(new.head(room).await, head);
    assert_eq!(new.started.rooms.len(), 1);
}

#[tokio::test]
async fn messages_arrive_late_but_whole_and_in_one_order() {
    const EACH: usize = 200;
    let cluster = TestCluster::start_deaf().await;
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea]).await;
    let bea = bea.connect(cluster.node(1)).await;
    let (by_ann, by_bea) = tokio::join!(
        ann.say_all(room, (0..EACH).map(|number| format!("ann {number}"))),
        bea.say_all(room, (0..EACH).map(|number| format!("bea {number}"))),
    );
    let head = by_ann.iter().chain(&by_bea).map(|sent| sent.seq).max().expect("messages were sent");
    let acknowledged = Instant::now();
    let (ann_heard, bea_heard) = tokio::join!(ann.until_seq(room, head), bea.until_seq(room, head));
    assert!(acknowledged.elapsed() < LATE, "the last one came {:?} late", acknowledged.elapsed());
    assert_dense(&bea_heard, 3);
    assert_eq!(ann_heard[2..], bea_heard);

    // Also the very last word, after which nothing comes that would show the hole.
    let last = ann.say(room, "a last word").await.seq;
    let acknowledged = Instant::now();
    bea.until_seq(room, last).await;
    assert!(acknowledged.elapsed() < LATE, "it came {:?} late", acknowledged.elapsed());
}

#[tokio::test]
async fn a_removed_member_gets_nothing_after_its_removal() {
    let cluster = TestCluster::start_deaf().await;
    let [ann, bea, cyd] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea, &cyd]).await;
    let (bea, cyd) = (bea.connect(cluster.node(1)).await, cyd.connect(cluster.node(1)).await);
    let removed_at = ann.ok(RoomRemoveParams { room, user: bea.me() }).await.seq;
    // Her node does not know yet, and the database does.
    assert_eq!(bea.refused(message(room, "still here?")).await, Reason::NotAMember);
    let after = cyd.say(room, "without bea").await.seq;
    cyd.until_seq(room, after).await;
    bea.until_seq(room, removed_at).await;
    bea.round_trip().await;
    let heard = bea.entries(room);
    assert_eq!(heard.last().map(|entry| entry.seq), Some(removed_at));
    assert!(
        matches!(heard[..], [ref entry] if matches!(entry.body, EntryBody::MemberRemoved { .. })),
        "{heard:?}"
    );
    assert_eq!(removed_at, Seq(4));
}
