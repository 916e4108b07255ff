//! All connections of a node are lost at once: everybody is back within 30 s, and the database is not overrun.

use std::time::Duration;

use hubbub_client::reconnect::{Event, Events};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use crate::{
    lab::{Lab, only_heavy_test},
    support::{eventually, link::message},
};

const CLIENTS: usize = 150;

#[tokio::test]
async fn everybody_comes_back() {
    let _turn = only_heavy_test().await;
    let mut lab = Lab::start_with(3, &[("HUBBUB_DATABASE_POOL_SIZE", "10")]).await;
    let people = lab.crowd("s", CLIENTS).await;
    let owner = people[0].connect_to(&lab.address(1)).await;
    let everybody: Vec<_> = people[1..].iter().collect();
    let mut rooms = Vec::new();
    for some in everybody.chunks(30) {
        rooms.push(owner.group(some).await);
    }
    let (started, mut starts) = mpsc::channel(CLIENTS * 4);
    let mut clients = Vec::new();
    // A few at a time, so that all of them begin on the first node; they know the others.
    for (some, first) in people[1..].chunks(10).zip((0..).step_by(10)) {
        for (person, number) in some.iter().zip(first..) {
            let (client, events) = person.keep_connected_to(lab.addresses_from(0));
            clients.push((client, tokio::spawn(tell_starts(number, events, started.clone()))));
        }
        for _ in some {
            timeout(Duration::from_mins(1), starts.recv()).await.expect("a start").expect("a start");
        }
    }
    let before = transactions(&lab).await;
    lab.cluster.nodes[0].kill().await.expect("the node ran");
    for room in &rooms {
        // Busy nodes may say that it is to be sent again.
        let said = message(*room, "while they were away");
        eventually("an acknowledgement", async || owner.ask(said.clone()).await.ok()).await;
    }
    let cut = Instant::now();
    let mut back = Vec::new();
    while back.len() < CLIENTS - 1 {
        let number = timeout(Duration::from_mins(1), starts.recv()).await.expect("a start").expect("a start");
        if !back.iter().any(|(other, _)| *other == number) {
            back.push((number, cut.elapsed()));
        }
    }
    let half = back[back.len() / 2].1;
    let all = cut.elapsed();
    let each = (transactions(&lab).await - before) / i64::try_from(CLIENTS).expect("a small number");
    let shed = lab.metric("hubbub_shed_total", &["start"]).await;
    println!(
        "{CLIENTS} clients lost their node: half are back after {half:?}, all after {all:?}; {each} transactions each, {shed} told to wait"
    );
    assert!(all < Duration::from_secs(30), "all are back only after {all:?}");
    assert!(each < 40, "{each} transactions for each client");
    for (client, events) in clients {
        drop(client);
        events.abort();
    }
}

async fn tell_starts(number: usize, mut events: Events, started: mpsc::Sender<usize>) {
    while let Some(event) = events.next().await {
        match event {
            Event::Started(_) => started.send(number).await.expect("the test listens"),
            Event::Stopped(stop) => panic!("a client stopped: {stop:?}"),
            _ => {}
        }
    }
}

async fn transactions(lab: &Lab) -> i64 {
    let mut postgres = lab.cluster.postgres.connect().await.expect("a connection");
    let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    sqlx::query_scalar(sql).fetch_one(&mut postgres).await.expect("a number")
}
