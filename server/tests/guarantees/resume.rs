//! G4, honest gaps: who comes back, on any node, gets exactly what was missed, or is told stream by stream to reload.

use std::collections::BTreeMap;

use hubbub_protocol::{
    command::{
        MarkerSetParams, MessageEditParams, MessageRecallParams, Resume, RoomAddParams, RoomRemoveParams,
        RoomRoleParams, RoomUpdateParams,
    },
    entry::{Entry, EntryBody},
    id::{Cursor, Epoch, RoomId, Seq, StreamId},
    limits::RESUME_ENTRIES,
    model::Role,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    Link, Person, TestCluster,
    link::{assert_dense, entries_between, key, message, seqs, texts},
    on_both,
    raw::Raw,
};

on_both!(
    what_was_missed_during_five_hundred_messages_is_delivered_exactly,
    edits_recalls_and_membership_are_delivered_too,
    a_cursor_that_cannot_be_continued_is_told_to_reload,
    a_stream_that_is_not_ones_own_is_gone,
    without_a_cursor_only_live_entries_come,
    the_answer_to_session_start_comes_before_every_push,
    a_room_joined_while_away_is_in_the_list_of_rooms,
);

async fn what_was_missed_during_five_hundred_messages_is_delivered_exactly(cluster: TestCluster) {
    const MESSAGES: usize = 500;
    let [ann, bea_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let bea = bea_person.connect(cluster.node(0)).await;
    let first = ann.head(room).await.0 + 1;

    let sending = ann.say_all(room, (0..MESSAGES).map(|number| number.to_string()));
    let cutting = async {
        bea.until_seq(room, Seq(first + 50)).await;
        bea.cut_with_entries(room)
    };
    let (sent, (before, cursors)) = tokio::join!(sending, cutting);
    assert!(before.len() < MESSAGES, "nothing was missed");

    let bea = bea_person.resume(cluster.node(1), cursors).await;
    let head = sent.iter().map(|sent| sent.seq).max().expect("messages were sent");
    assert!(matches!(bea.started.resumed[&StreamId::Room(room)], Resume::Following { .. }));
    let after = bea.until_seq(room, head).await;

    let all: Vec<Entry> = before.into_iter().chain(after).collect();
    assert_dense(&all, first);
    assert_eq!(texts(&all).len(), MESSAGES);
    assert_eq!(entries_between(&ann.log(room).await, Seq(first - 1), head), all);
}

async fn edits_recalls_and_membership_are_delivered_too(cluster: TestCluster) {
    let [ann, bea_person, cyd] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let bea = bea_person.connect(cluster.node(0)).await;
    let kept = ann.say(room, "kept").await;
    let heard = bea.until_seq(room, kept.seq).await;
    let me = bea.me();
    let (own_heard, cursors) = bea.cut_with_entries(me);

    live_a_little(&ann, room, &bea_person, &cyd).await;
    let other_device = bea_person.connect(cluster.node(1)).await;
    other_device.ok(MarkerSetParams { room, seq: kept.seq }).await;
    drop(other_device);

    let bea = bea_person.resume(cluster.node(1), cursors).await;
    let head = ann.head(room).await;
    let missed = bea.until_seq(room, head).await;
    let all: Vec<Entry> = heard.into_iter().chain(missed.iter().cloned()).collect();
    assert_dense(&all, all[0].seq.0);
    let kinds: Vec<_> = missed.iter().map(|entry| entry.body.kind()).collect();
    let expected = [
        "message",
        "edit",
        "message",
        "recall",
        "member_added",
        "role_changed",
        "member_removed",
        "room_updated",
    ];
    assert_eq!(kinds, expected);
    assert!(!texts(&missed).contains(&"soon gone"), "a recalled text was delivered");

    let own = bea
        .until("the marker moved on another device", |heard| {
            let own = heard.of(bea.me());
            own.iter().any(|entry| matches!(entry.body, EntryBody::MarkerMoved { .. })).then(|| own.to_vec())
        })
        .await;
    let own: Vec<Entry> = own_heard.into_iter().chain(own).collect();
    assert_dense(&own, own[0].seq.0);
}

/// One entry of each kind that a room's stream holds.
async fn live_a_little(ann: &Link, room: RoomId, bea: &Person, cyd: &Person) {
    let edited = ann.say(room, "helo").await;
    ann.ok(MessageEditParams { room, key: key(), seq: edited.seq, text: "hello".to_owned() }).await;
    let recalled = ann.say(room, "soon gone").await;
    ann.ok(MessageRecallParams { room, key: key(), seq: recalled.seq }).await;
    ann.ok(RoomAddParams { room, users: vec![cyd.id()] }).await;
    ann.ok(RoomRoleParams { room, user: bea.id(), role: Role::Admin }).await;
    ann.ok(RoomRemoveParams { room, user: cyd.id() }).await;
    ann.ok(RoomUpdateParams { room, name: Some("renamed".to_owned()), topic: None }).await;
}

async fn a_cursor_that_cannot_be_continued_is_told_to_reload(cluster: TestCluster) {
    let [ann_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let (of_old, ahead) = (ann.group(&[]).await, ann.group(&[]).await);
    let epoch = ann.started.epoch;
    drop(ann);

    let cursors = BTreeMap::from([
        (StreamId::Room(of_old), Cursor { epoch: Epoch(Uuid::now_v7()), seq: Seq(1) }),
        (StreamId::Room(ahead), Cursor { epoch, seq: Seq(1_000) }),
    ]);
    let ann = ann_person.resume(cluster.node(1), cursors).await;
    for (room, reason) in [(of_old, "epoch"), (ahead, "ahead")] {
        let expected = Resume::Reload { head: Seq(1), why: reason.to_owned() };
        assert_eq!(ann.started.resumed[&StreamId::Room(room)], expected);
        // Live entries follow the head all the same.
        let sent = ann.say(room, "live").await;
        let heard = ann.until_seq(room, sent.seq).await;
        assert_eq!(seqs(&heard), [2]);
    }
}

/// Sends more than a resume delivers, so one cluster is enough for it.
#[tokio::test]
async fn a_client_too_far_behind_is_told_to_reload() {
    let quick =
        [("HUBBUB_CONNECTIONS_COMMANDS_PER_S", "100000"), ("HUBBUB_CONNECTIONS_COMMANDS_BURST", "100000")];
    let cluster = TestCluster::start_with(2, &quick).await;
    let [ann_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let room = ann.group(&[]).await;
    let epoch = ann.started.epoch;
    let texts = |from: u64, count: u64| (from..from + count).map(|number| number.to_string());
    let (tab, other_tab) =
        (ann_person.connect(cluster.node(0)).await, ann_person.connect(cluster.node(1)).await);
    tokio::join!(
        ann.say_all(room, texts(0, RESUME_ENTRIES / 2)),
        tab.say_all(room, texts(20_000, RESUME_ENTRIES / 4)),
        other_tab.say_all(room, texts(40_000, RESUME_ENTRIES / 4)),
    );
    let head = ann.head(room).await;
    assert_eq!(head, Seq(RESUME_ENTRIES + 1));

    let at = |seq| BTreeMap::from([(StreamId::Room(room), Cursor { epoch, seq: Seq(seq) })]);
    let behind = ann_person.resume(cluster.node(1), at(0)).await;
    let expected = Resume::Reload { head, why: "too_far".to_owned() };
    assert_eq!(behind.started.resumed[&StreamId::Room(room)], expected);

    let just_near_enough = ann_person.resume(cluster.node(1), at(1)).await;
    let missed = just_near_enough.until_seq(room, head).await;
    assert_eq!(missed.len() as u64, RESUME_ENTRIES);
    assert_dense(&missed, 2);
}

async fn a_stream_that_is_not_ones_own_is_gone(cluster: TestCluster) {
    let [ann, bea_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let foreign = ann.group(&[]).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let (epoch, mut cursors) = (bea.started.epoch, bea.cut());
    ann.ok(RoomRemoveParams { room, user: bea_person.id() }).await;

    let nowhere = RoomId::generate();
    let streams =
        [StreamId::Room(room), StreamId::Room(foreign), StreamId::Room(nowhere), StreamId::User(ann.me())];
    for stream in streams {
        cursors.entry(stream).or_insert(Cursor { epoch, seq: Seq(1) });
    }
    let bea = bea_person.resume(cluster.node(0), cursors).await;
    for stream in streams {
        assert_eq!(bea.started.resumed[&stream], Resume::Gone, "{stream}");
    }
    let left = |entry: &Entry| matches!(entry.body, EntryBody::RoomLeft { room: left, removed: true } if left == room);
    bea.until("room_left", |heard| heard.of(bea.me()).iter().any(left).then_some(())).await;

    ann.say(room, "without bea").await;
    let foreign_sent = ann.say(foreign, "never bea's").await;
    ann.until_seq(foreign, foreign_sent.seq).await;
    bea.round_trip().await;
    for room in [room, foreign] {
        assert!(bea.entries(room).is_empty());
    }
    assert!(bea.entries(ann.me()).is_empty());
}

async fn without_a_cursor_only_live_entries_come(cluster: TestCluster) {
    let [ann_person, bea_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let old = ann.say(room, "old").await;
    let bea = bea_person.connect(cluster.node(1)).await;
    assert!(bea.started.resumed.is_empty());
    assert_eq!(bea.started.rooms[0].head, old.seq);
    let new = ann.say(room, "new").await;
    let heard = bea.until_seq(room, new.seq).await;
    assert_eq!(texts(&heard), ["new"]);
}

async fn the_answer_to_session_start_comes_before_every_push(cluster: TestCluster) {
    let [ann_person, bea_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let sent = ann.say_all(room, (0..100).map(|number| number.to_string())).await;
    let head = sent.iter().map(|sent| sent.seq.0).max().expect("messages were sent");

    // Someone keeps writing while the session starts.
    let writing = ann.say_all(room, (0..300).map(|number| format!("later {number}")));
    let starting = async {
        for _ in 0..5 {
            let mut raw = Raw::connect(cluster.node(1)).await;
            let cursors =
                json!({StreamId::Room(room).to_string(): {"epoch": ann.started.epoch, "seq": head - 50}});
            let params = json!({"token": bea_person.token, "cursors": cursors});
            raw.text(
                &json!({"jsonrpc": "2.0", "id": 1, "method": "session.start", "params": params}).to_string(),
            )
            .await;
            let first = raw.frame().await;
            assert_eq!(first["id"], 1, "something came before the answer: {first}");
            for expected in head - 49..=head {
                let push = raw.frame().await;
                assert_eq!(push["params"]["seq"], expected, "{push}");
            }
        }
    };
    tokio::join!(writing, starting);
}

async fn a_room_joined_while_away_is_in_the_list_of_rooms(cluster: TestCluster) {
    let [ann, bea_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let cursors = bea.cut();
    let room = ann.group(&[&bea_person]).await;
    let sent = ann.say(room, "before bea is back").await;

    let bea = bea_person.resume(cluster.node(1), cursors).await;
    let listed = bea.started.rooms.iter().find(|listed| listed.id == room).expect("the room is listed");
    assert_eq!((listed.head, listed.marker.unread), (sent.seq, 1));
    bea.joined(room).await;
    let live = ann.ok(message(room, "bea is back")).await;
    let heard = bea.until_seq(room, live.seq).await;
    assert_eq!(texts(&heard), ["bea is back"]);
}
