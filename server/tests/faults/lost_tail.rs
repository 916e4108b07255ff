//! Publications that are lost or late: every reader catches up by itself, also when it was the last one of its room.

use std::{collections::HashMap, time::Duration};

use faultlab::proxy::Fate;
use hubbub_protocol::id::{RoomId, Seq, StreamId};
use tokio::time::{Instant, sleep};

use crate::{conversation::Conversation, lab::Lab};

#[tokio::test]
async fn the_last_publication_of_each_of_a_hundred_rooms() {
    const ROOMS: usize = 100;
    let lab = Lab::start_with(2, &[("HUBBUB_CONNECTIONS_COMMANDS_BURST", "1000")]).await;
    let [ann, bea] = lab.people().await;
    let ann_link = ann.connect_to(&lab.address(0)).await;
    let bea_link = bea.connect_to(&lab.address(1)).await;
    let mut rooms: Vec<RoomId> = Vec::new();
    for _ in 0..ROOMS {
        let room = ann_link.group(&[&bea]).await;
        bea_link.joined(room).await;
        rooms.push(room);
    }
    let mut heads: HashMap<RoomId, Seq> = HashMap::new();
    for room in &rooms {
        let sent = ann_link.say(*room, "heard").await;
        heads.insert(*room, bea_link.until_seq(*room, sent.seq).await.last().expect("an entry").seq);
    }
    let (lost, mut losing) = tokio::sync::watch::channel(0);
    lab.cluster.nodes[1].redis.on_publication(move |publication| {
        // Only what is said in rooms; announcements of heads go on.
        if publication.stream().is_none() {
            return Fate::Pass;
        }
        lost.send_modify(|count| *count += 1);
        Fate::Drop
    });
    let began = Instant::now();
    for room in &rooms {
        heads.insert(*room, ann_link.say(*room, "its publication is lost").await.seq);
    }
    let acknowledged = Instant::now();
    losing.wait_for(|count| *count >= ROOMS).await.expect("publications");
    lab.cluster.nodes[1].redis.pass_publications();
    for (room, head) in &heads {
        bea_link.until_seq(*room, *head).await;
    }
    let late = acknowledged.elapsed();
    println!(
        "{ROOMS} of {ROOMS} last publications lost, all delivered {late:?} after the last acknowledgement"
    );
    assert!(late < Duration::from_secs(5), "{late:?} late; sending took {:?}", began.elapsed());
}

#[tokio::test]
async fn dropped_delayed_and_reordered() {
    let lab = Lab::start(2).await;
    let people = lab.people::<4>().await;
    for (number, node) in lab.cluster.nodes.iter().enumerate() {
        // A fixed pattern: one in twenty is lost, others are up to half a second late.
        let mut count = number as u64;
        node.redis.on_publication(move |publication| {
            if publication.stream().is_none() {
                return Fate::Pass;
            }
            count += 1;
            match count % 20 {
                0 => Fate::Drop,
                late @ (3 | 7 | 8 | 13) => Fate::Late(Duration::from_millis(late * 37)),
                _ => Fate::Pass,
            }
        });
    }
    let conversation = Conversation::begin(&lab, &people, 0, Duration::from_millis(5)).await;
    for _ in 0..4 {
        sleep(Duration::from_secs(1)).await;
        lab.cluster.redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await.expect("an answer of Redis");
    }
    let room = StreamId::Room(conversation.room);
    let outcome = conversation.end(&lab, &people[0]).await;
    let (gaps, filled) = (
        lab.metric("hubbub_gap_detected_total", &[]).await,
        lab.metric("hubbub_gap_filled_total", &[]).await,
    );
    println!(
        "{room}: {} acknowledged with 5 % of publications lost, 20 % late and the bus cut 4 times: 0 lost, 0 out of order, \
         {gaps} gaps seen, {filled} entries read again, caught up in {:?}",
        outcome.acknowledged.len(),
        outcome.caught_up_in
    );
    assert!(gaps > 0.5 && filled > 0.5, "nothing was lost at all");
    assert!(outcome.caught_up_in < Duration::from_secs(5), "{:?}", outcome.caught_up_in);
}
