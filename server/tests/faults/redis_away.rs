//! Redis down, hung and emptied: sends, logins, history and live delivery go on, and nothing waits for it.

use std::time::Duration;

use faultlab::proxy::Way;
use tokio::time::{Instant, sleep};

use crate::{
    conversation::Conversation,
    lab::{Lab, PASSWORD},
    support::{eventually, person::try_log_in_at},
};

/// How long Redis stays away.
const AWAY: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(20);

async fn until_heard(lab: &Lab) -> Duration {
    let healed = Instant::now();
    for node in 0..lab.cluster.nodes.len() {
        eventually("a node that is well", async || {
            (lab.readiness(node).await == (200, r#"{"ready":true,"why_not":[],"degraded":[]}"#.to_owned()))
                .then_some(())
        })
        .await;
    }
    healed.elapsed()
}

#[tokio::test]
async fn black_holed() {
    let lab = Lab::start(2).await;
    let people = lab.people::<3>().await;
    let conversation = Conversation::begin(&lab, &people, 0, PAUSE).await;
    sleep(Duration::from_secs(1)).await;
    for node in &lab.cluster.nodes {
        node.redis.black_hole(Way::Both);
    }
    let away = Instant::now();
    let mut slowest = Duration::ZERO;
    while away.elapsed() < AWAY {
        // History and a login, while it is away.
        let began = Instant::now();
        let reader = people[0].connect_to(&lab.address(1)).await;
        assert!(!reader.log(conversation.room).await.is_empty());
        slowest = slowest.max(began.elapsed());
        sleep(Duration::from_millis(200)).await;
    }
    let began = Instant::now();
    let username = lab.crowd("late", 1).await[0].user.username.clone();
    try_log_in_at(&lab.address(0), &username, "late", PASSWORD).await.expect("a login without Redis");
    let login = began.elapsed();
    let (status, body) = lab.readiness(0).await;
    assert_eq!((status, body.contains("redis")), (200, true), "{body}");
    lab.cluster.heal_edges();
    let well = until_heard(&lab).await;
    let outcome = conversation.end(&lab, &people[0]).await;
    println!(
        "Redis black-holed for {AWAY:?}: {} acknowledged, 0 lost, p99 {:?}, slowest {:?}; session and history {slowest:?}; \
         login {login:?}; well again in {well:?}; caught up in {:?}",
        outcome.acknowledged.len(),
        outcome.p99(),
        outcome.slowest(),
        outcome.caught_up_in
    );
    assert!(outcome.p99() < Duration::from_millis(500), "p99 {:?}", outcome.p99());
    assert!(outcome.slowest() < Duration::from_secs(2), "slowest {:?}", outcome.slowest());
    assert!(slowest < Duration::from_secs(2), "session and history took {slowest:?}");
}

#[tokio::test]
async fn killed_and_back_empty() {
    let mut lab = Lab::start(2).await;
    let people = lab.people::<2>().await;
    let conversation = Conversation::begin(&lab, &people, 0, PAUSE).await;
    sleep(Duration::from_secs(1)).await;
    lab.cluster.redis.kill().await.expect("Redis ran");
    sleep(Duration::from_secs(4)).await;
    // Across nodes through the database meanwhile, at most a second and what a busy machine adds to it.
    let (ann, bea) =
        (people[0].connect_to(&lab.address(0)).await, people[1].connect_to(&lab.address(1)).await);
    let said = ann.say(conversation.room, "through the database").await;
    let began = Instant::now();
    bea.until_seq(conversation.room, said.seq).await;
    let late = began.elapsed();
    lab.cluster.redis.start_again().await.expect("Redis starts");
    let well = until_heard(&lab).await;
    ann.say(conversation.room, "with Redis").await;
    assert!(ann.heard(|heard| heard.closed.is_none()) && bea.heard(|heard| heard.closed.is_none()));
    drop((ann, bea));
    println!("Redis killed: across nodes {late:?} late; well again {well:?} after its empty start");
    assert!(late < Duration::from_secs(3), "{late:?} late");
    assert!(well < Duration::from_secs(15), "well again only after {well:?}");
    let outcome = conversation.end_with_others(&lab, &people[0], 2).await;
    println!("{} acknowledged, 0 lost, slowest {:?}", outcome.acknowledged.len(), outcome.slowest());
    assert!(outcome.slowest() < Duration::from_secs(2), "slowest {:?}", outcome.slowest());
}

#[tokio::test]
async fn emptied_again_and_again() {
    let lab = Lab::start(2).await;
    let people = lab.people::<3>().await;
    let conversation = Conversation::begin(&lab, &people, 0, PAUSE).await;
    for _ in 0..12 {
        sleep(Duration::from_millis(400)).await;
        lab.cluster.redis.command(&["FLUSHALL"]).await.expect("an answer of Redis");
    }
    let outcome = conversation.end(&lab, &people[0]).await;
    let logouts = lab.metric("hubbub_connections_closed_total", &["displaced"]).await;
    println!(
        "Redis emptied 12 times: {} acknowledged, 0 lost, {logouts} wrong logouts",
        outcome.acknowledged.len()
    );
    assert!(logouts < 0.5);
    assert!(outcome.heard.iter().all(|heard| heard.starts == 1), "a connection was lost");
}
