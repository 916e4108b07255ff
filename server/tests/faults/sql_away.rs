//! Postgres down, stalled and restarted: a typed answer within 2 s, no false acknowledgement, sockets that stay, and
//! recovery within 3 s.

use std::{collections::BTreeMap, time::Duration};

use faultlab::proxy::Way;
use hubbub_client::{AskError, Connection};
use hubbub_protocol::{
    command::{MarkerSetParams, RoomListParams},
    error::Reason,
    id::{RoomId, Seq},
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    conversation::Conversation,
    lab::Lab,
    support::{
        Link, Person, eventually,
        link::{message, options, texts},
    },
};

/// A typed answer comes within that, and what a busy machine adds to it.
const TYPED: Duration = Duration::from_millis(2_500);
/// It works again within that after the database does, and what a busy machine adds.
const BACK: Duration = Duration::from_secs(4);

/// Asks in three ways at once, each on a connection of its own, and expects to be told in time to try again; the
/// longest wait.
async fn all_unavailable(links: &[Link; 3], room: RoomId) -> Duration {
    let began = Instant::now();
    let asked = async {
        tokio::join!(
            links[0].ask(message(room, "while it is away")),
            links[1].ask(MarkerSetParams { room, seq: Seq(1) }),
            links[2].ask(RoomListParams { query: Some("a".to_owned()), after: None, limit: None }),
        )
    };
    let answers = timeout(Duration::from_secs(10), asked).await.expect("answers");
    let took = began.elapsed();
    for error in [answers.0.err(), answers.1.err(), answers.2.err()] {
        match error {
            Some(AskError::Refused(error)) => {
                assert_eq!(error.data.reason, Reason::Unavailable);
                let retry = error.data.retry_after_ms.expect("when to try again");
                assert!((100..10_000).contains(&retry), "{retry}");
            }
            other => panic!("expected `unavailable`, got {other:?}"),
        }
    }
    took
}

/// Three connections of one person to the first node.
async fn three(lab: &Lab, person: &Person) -> [Link; 3] {
    let address = lab.address(0);
    [person.connect_to(&address).await, person.connect_to(&address).await, person.connect_to(&address).await]
}

/// Sends the same message until it is acknowledged; how long that took.
async fn until_sent(link: &Link, room: RoomId) -> Duration {
    let began = Instant::now();
    let again = message(room, "again");
    eventually("an acknowledgement", async || link.ask(again.clone()).await.ok()).await;
    began.elapsed()
}

#[tokio::test]
async fn stopped_and_started_again() {
    let mut lab = Lab::start(2).await;
    let [ann, bea] = lab.people().await;
    let (links, bea_link) = (three(&lab, &ann).await, bea.connect_to(&lab.address(1)).await);
    let ann_link = &links[0];
    let room = ann_link.group(&[&bea]).await;
    ann_link.say(room, "before").await;
    lab.cluster.postgres.stop_immediately().await.expect("Postgres ran");
    let mut slowest = Duration::ZERO;
    for _ in 0..3 {
        slowest = slowest.max(all_unavailable(&links, room).await);
    }
    eventually("a node that says that it is not ready", async || {
        let (status, body) = lab.readiness(0).await;
        (status == 503 && body.contains("database")).then_some(())
    })
    .await;
    lab.cluster.postgres.start_again().await.expect("Postgres starts");
    let back = until_sent(ann_link, room).await;
    eventually("a node that is ready", async || (lab.readiness(0).await.0 == 200).then_some(())).await;
    let last = ann_link.say(room, "after").await;
    bea_link.until_seq(room, last.seq).await;
    // What was not acknowledged was not written; the sockets are the same.
    assert_eq!(texts(&ann_link.log(room).await), ["before", "again", "after"]);
    assert!(ann_link.heard(|heard| heard.closed.is_none()) && bea_link.heard(|heard| heard.closed.is_none()));
    println!("Postgres down: told within {slowest:?}, back in {back:?}");
    assert!(slowest < TYPED, "an answer took {slowest:?}");
    assert!(back < BACK, "back only after {back:?}");
}

#[tokio::test]
async fn black_holed() {
    let lab = Lab::start(1).await;
    let [ann] = lab.people().await;
    let links = three(&lab, &ann).await;
    let room = links[0].group(&[]).await;
    lab.cluster.nodes[0].postgres.black_hole(Way::Both);
    let mut slowest = Duration::ZERO;
    for _ in 0..3 {
        slowest = slowest.max(all_unavailable(&links, room).await);
    }
    lab.cluster.heal_edges();
    let back = until_sent(&links[0], room).await;
    assert!(links.iter().all(|link| link.heard(|heard| heard.closed.is_none())));
    println!("Postgres black-holed: told within {slowest:?}, back in {back:?}");
    assert!(slowest < TYPED, "an answer took {slowest:?}");
    assert!(back < BACK, "back only after {back:?}");
}

/// A session that cannot start is told when to try again, and after the time it has closed with "overloaded", which a
/// client comes back from by itself.
#[tokio::test]
async fn a_session_that_cannot_start_is_told_to_come_back() {
    let lab = Lab::start(1).await;
    let [ann] = lab.people().await;
    lab.cluster.nodes[0].postgres.black_hole(Way::Both);
    let (connection, _pushes) =
        Connection::open(&lab.address(0), &options()).await.expect("a connection, which needs no database");
    let (began, mut refused) = (Instant::now(), 0);
    let closed = loop {
        match connection.start(&ann.token, BTreeMap::new()).await {
            Err(AskError::Refused(error)) => {
                assert_eq!(error.data.reason, Reason::Unavailable);
                refused += 1;
                let wait = error.data.retry_after_ms.expect("when to try again");
                sleep(Duration::from_millis(wait)).await;
            }
            Err(AskError::Closed(closed)) => break closed,
            other => panic!("expected `unavailable`, got {:?}", other.map(|started| started.user)),
        }
        assert!(began.elapsed() < Duration::from_secs(30), "never closed");
    };
    println!(
        "no session for {:?}: refused {refused} times, then closed with {}",
        began.elapsed(),
        closed.code
    );
    assert!(refused >= 1);
    assert_eq!((closed.code, closed.reason.as_str()), (4100, "overloaded"));
    lab.cluster.heal_edges();
    let again = eventually("a session", async || ann.try_connect_to(&lab.address(0)).await.ok()).await;
    assert_eq!(again.me(), ann.id());
}

#[tokio::test]
async fn restarted_and_its_backends_killed_under_load() {
    let mut lab = Lab::start(2).await;
    let people = lab.people::<4>().await;
    let conversation = Conversation::begin(&lab, &people, 0, Duration::from_millis(10)).await;
    for round in 0..3 {
        for _ in 0..5 {
            sleep(Duration::from_millis(200)).await;
            lab.cluster.postgres.terminate_backends(3, round).await.expect("backends are ended");
        }
        lab.cluster.postgres.restart_immediately().await.expect("Postgres restarts");
    }
    let outcome = conversation.end(&lab, &people[0]).await;
    println!(
        "Postgres restarted 3 times, backends killed 15 times: {} acknowledged, 0 lost, 0 twice, slowest {:?}",
        outcome.acknowledged.len(),
        outcome.slowest()
    );
    assert!(outcome.slowest() < Duration::from_secs(15), "{:?}", outcome.slowest());
}

/// Clients that go away in the middle of a transaction leave nothing behind on a connection of the pool.
#[tokio::test]
async fn clients_that_vanish_leave_no_transaction_open() {
    const ROUNDS: usize = 150;
    let lab = Lab::start_with(1, &[("HUBBUB_CONNECTIONS_COMMANDS_BURST", "1000")]).await;
    let [ann] = lab.people().await;
    let room = ann.connect_to(&lab.address(0)).await.group(&[]).await;
    lab.cluster.nodes[0].postgres.slow(Duration::from_millis(15));
    for round in 0..ROUNDS {
        let link = ann.connect_to(&lab.address(0)).await;
        let asked = async {
            tokio::join!(
                link.ask(message(room, &round.to_string())),
                link.ask(MarkerSetParams { room, seq: Seq(1) }),
            )
        };
        // Anywhere between the first and the last round trip of the transactions.
        let moment = Duration::from_millis((round as u64 * 7) % 120);
        timeout(moment, asked).await.ok();
        drop(link.cut());
    }
    lab.cluster.nodes[0].postgres.heal();
    let mut postgres = lab.cluster.postgres.connect().await.expect("a connection");
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'hubbub'
        AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 second'";
    let open: i64 = sqlx::query_scalar(sql).fetch_one(&mut postgres).await.expect("an answer");
    assert_eq!(open, 0, "transactions stay open");
    let link = ann.connect_to(&lab.address(0)).await;
    for number in 0..20 {
        link.say(room, &format!("after {number}")).await;
    }
    let log = std::fs::read_to_string(lab.cluster.nodes[0].log()).expect("a log");
    assert!(!log.contains("25P02") && !log.contains("current transaction is aborted"), "{log}");
    println!(
        "{ROUNDS} clients vanished during their commands: 0 transactions left open, 0 poisoned connections"
    );
}
