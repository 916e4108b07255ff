//! One room whose row somebody holds: it alone waits.

use std::time::Duration;

use hubbub_client::AskError;
use hubbub_protocol::{
    error::Reason,
    id::{RoomId, StreamId},
};
use sqlx::Connection as _;
use tokio::time::{Instant, sleep};

use crate::{
    conversation::percentile,
    lab::Lab,
    support::{Link, eventually, link::message},
};

const ROOMS: usize = 12;
const MEASURED: Duration = Duration::from_secs(4);

/// Sends into one room after the other for a while; how long each acknowledgement took.
async fn send_around(link: &Link, rooms: &[RoomId]) -> Vec<Duration> {
    let (began, mut took) = (Instant::now(), Vec::new());
    for room in rooms.iter().cycle() {
        if began.elapsed() > MEASURED {
            break;
        }
        let sent = Instant::now();
        let said = message(*room, "all around");
        eventually("an acknowledgement", async || link.ask(said.clone()).await.ok()).await;
        took.push(sent.elapsed());
        sleep(Duration::from_millis(2)).await;
    }
    took
}

#[tokio::test]
async fn the_other_rooms_do_not_wait_for_it() {
    let lab = Lab::start_with(1, &[("HUBBUB_CONNECTIONS_COMMANDS_PER_S", "1000")]).await;
    let [ann, bea] = lab.people().await;
    let link = ann.connect_to(&lab.address(0)).await;
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        rooms.push(link.group(&[&bea]).await);
    }
    let held_room = rooms.pop().expect("a room");
    let normal = percentile(95, send_around(&link, &rooms).await);

    let mut holder = lab.cluster.postgres.connect().await.expect("a connection");
    let mut transaction = holder.begin().await.expect("a transaction");
    let stream = StreamId::Room(held_room).as_uuid();
    sqlx::query("SELECT head FROM streams WHERE id = $1 FOR UPDATE")
        .bind(stream)
        .execute(&mut *transaction)
        .await
        .expect("the row is held");
    // Somebody keeps trying to write there all the while.
    let stuck = bea.connect_to(&lab.address(0)).await;
    let trying = async {
        let (mut slowest, mut unavailable) = (Duration::ZERO, 0);
        let began = Instant::now();
        while began.elapsed() < MEASURED {
            let asked = Instant::now();
            match stuck.ask(message(held_room, "hello?")).await {
                Err(AskError::Refused(error)) if error.data.reason == Reason::Unavailable => unavailable += 1,
                other => panic!("expected `unavailable`, got {other:?}"),
            }
            slowest = slowest.max(asked.elapsed());
        }
        (slowest, unavailable)
    };
    let (took, (slowest, unavailable)) = tokio::join!(send_around(&link, &rooms), trying);
    transaction.rollback().await.expect("rolled back");
    let again = Instant::now();
    let last = message(held_room, "at last");
    eventually("an acknowledgement", async || stuck.ask(last.clone()).await.ok()).await;
    let (count, meanwhile) = (took.len(), percentile(95, took));
    println!(
        "a room held for {MEASURED:?}: 95 of 100 sends into the others within {meanwhile:?} ({count} sends), {normal:?} before; \
         {unavailable} answers `unavailable` within {slowest:?}; written again after {:?}",
        again.elapsed()
    );
    assert!(slowest < Duration::from_millis(2_500), "{slowest:?}");
    assert!(meanwhile < (normal * 3 / 2).max(Duration::from_millis(100)), "{meanwhile:?}, {normal:?} before");
}
