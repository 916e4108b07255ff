//! G2, once: a stream, a sender and an idempotency key are one entry for ever, and every retry gets the first answer.

use hubbub_client::AskError;
use hubbub_protocol::{
    command::{
        MessageEditParams, MessageRecallParams, MessageSendParams, RoomCreateParams, RoomRemoveParams, Sent,
    },
    entry::EntryBody,
    error::Reason,
    id::{RoomId, Seq},
    model::RoomKind,
};

use crate::support::{
    TestCluster,
    link::{key, texts},
    on_both,
};

on_both!(
    the_same_key_on_two_nodes_at_once_is_one_entry,
    a_key_with_other_content_is_a_conflict,
    a_retry_at_any_time_gets_the_first_answer,
    who_left_meanwhile_still_gets_the_first_answer,
    a_key_belongs_to_its_sender_and_its_room,
    edits_and_recalls_are_done_once,
    a_room_is_made_once,
    a_key_of_one_kind_is_not_a_key_of_another,
);

fn send(room: RoomId, key: &str, text: &str) -> MessageSendParams {
    MessageSendParams { room, key: key.to_owned(), text: text.to_owned(), reply_to: None }
}

async fn the_same_key_on_two_nodes_at_once_is_one_entry(cluster: TestCluster) {
    const ROUNDS: usize = 25;
    let [ann, bea] = cluster.people().await;
    let (tab, other_tab) = (ann.connect(cluster.node(0)).await, ann.connect(cluster.node(1)).await);
    let room = tab.group(&[&bea]).await;
    let bea = bea.connect(cluster.node(1)).await;

    let mut last = Seq::ZERO;
    for round in 0..ROUNDS {
        let message = send(room, &key(), &format!("round {round}"));
        let (first, second) = tokio::join!(tab.ok(message.clone()), other_tab.ok(message));
        assert_eq!(first, second, "two answers to one key");
        last = first.seq;
    }
    let heard = bea.until_seq(room, last).await;
    assert_eq!(texts(&heard).len(), ROUNDS);
    let expected: Vec<String> = (0..ROUNDS).map(|round| format!("round {round}")).collect();
    assert_eq!(texts(&tab.log(room).await), expected);
}

async fn a_key_with_other_content_is_a_conflict(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let (tab, other_tab) = (ann.connect(cluster.node(0)).await, ann.connect(cluster.node(1)).await);
    let room = tab.group(&[]).await;

    let used = key();
    let first = tab.say(room, "something to answer").await;
    tab.ok(send(room, &used, "one text")).await;
    assert_eq!(other_tab.refused(send(room, &used, "another text")).await, Reason::KeyConflict);
    let with_reply = MessageSendParams { reply_to: Some(first.seq), ..send(room, &used, "one text") };
    assert_eq!(other_tab.refused(with_reply).await, Reason::KeyConflict);

    // Also when both come at once: one wins, the other is told.
    for _ in 0..10 {
        let used = key();
        let outcomes: [Result<Sent, AskError>; 2] =
            tokio::join!(tab.ask(send(room, &used, "this")), other_tab.ask(send(room, &used, "that"))).into();
        let refusals: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(refusals.len(), 1, "{outcomes:?}");
        assert_eq!(refusals[0].reason(), Some(Reason::KeyConflict));
    }
    assert_eq!(texts(&tab.log(room).await).len(), 12);
}

async fn a_retry_at_any_time_gets_the_first_answer(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let tab = ann.connect(cluster.node(0)).await;
    let room = tab.group(&[]).await;
    let message = send(room, &key(), "hello");
    let first = tab.ok(message.clone()).await;
    assert_eq!(tab.ok(message.clone()).await, first);
    tab.say_all(room, (0..300).map(|number| number.to_string())).await;
    drop(tab);

    let tab = ann.connect(cluster.node(1)).await;
    assert_eq!(tab.ok(message).await, first);
    assert_eq!(tab.log(room).await.len(), 1 + 1 + 300);
}

async fn who_left_meanwhile_still_gets_the_first_answer(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea]).await;
    let tab = bea.connect(cluster.node(1)).await;
    let message = send(room, &key(), "a last word");
    let first = tab.ok(message.clone()).await;
    ann.ok(RoomRemoveParams { room, user: bea.id() }).await;
    // The answer was lost, the sender is out, and the message is in the log all the same.
    assert_eq!(bea.connect(cluster.node(0)).await.ok(message).await, first);
    assert_eq!(tab.refused(send(room, &key(), "another word")).await, Reason::NotAMember);
}

async fn a_key_belongs_to_its_sender_and_its_room(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann_link = ann.connect(cluster.node(0)).await;
    let (room, other_room) = (ann_link.group(&[&bea]).await, ann_link.group(&[&bea]).await);
    let bea = bea.connect(cluster.node(1)).await;

    let used = key();
    let by_ann = ann_link.ok(send(room, &used, "hello")).await;
    let by_bea = bea.ok(send(room, &used, "hello")).await;
    let elsewhere = ann_link.ok(send(other_room, &used, "quite another text")).await;
    assert_ne!(by_ann.id, by_bea.id);
    assert_ne!(by_ann.id, elsewhere.id);
    assert_eq!(by_bea.seq, by_ann.seq.next());
}

async fn edits_and_recalls_are_done_once(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let (tab, other_tab) = (ann.connect(cluster.node(0)).await, ann.connect(cluster.node(1)).await);
    let room = tab.group(&[]).await;
    let message = tab.say(room, "helo").await;

    let edit = MessageEditParams { room, key: key(), seq: message.seq, text: "hello".to_owned() };
    let (first, second) = tokio::join!(tab.ok(edit.clone()), other_tab.ok(edit.clone()));
    assert_eq!(first, second);
    let other_text = MessageEditParams { text: "goodbye".to_owned(), ..edit.clone() };
    assert_eq!(tab.refused(other_text).await, Reason::KeyConflict);

    let recall = MessageRecallParams { room, key: key(), seq: message.seq };
    let (first, second) = tokio::join!(tab.ok(recall.clone()), other_tab.ok(recall.clone()));
    assert_eq!(first, second);
    assert_eq!(other_tab.ok(recall).await, first);
    assert_eq!(
        other_tab.ok(edit).await.seq,
        message.seq.next(),
        "a retry of what was done before the recall"
    );

    let kinds: Vec<_> = tab.log(room).await.iter().map(|entry| entry.body.kind()).collect();
    assert_eq!(kinds, ["room_created", "message", "edit", "recall"]);
}

async fn a_room_is_made_once(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let (tab, other_tab) = (ann.connect(cluster.node(0)).await, ann.connect(cluster.node(1)).await);
    let plan = |key: &str, name: &str| RoomCreateParams {
        key: key.to_owned(),
        kind: RoomKind::Group,
        name: name.to_owned(),
        topic: String::new(),
        members: Vec::new(),
    };
    let used = key();
    let (first, second) = tokio::join!(tab.ok(plan(&used, "one")), other_tab.ok(plan(&used, "one")));
    assert_eq!(first.room.id, second.room.id);
    assert_eq!(tab.refused(plan(&used, "another")).await, Reason::KeyConflict);
    assert_ne!(tab.ok(plan(&key(), "one")).await.room.id, first.room.id, "names need not differ");
    let again = ann.connect(cluster.node(0)).await;
    assert_eq!(again.started.rooms.len(), 2);
}

async fn a_key_of_one_kind_is_not_a_key_of_another(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let tab = ann.connect(cluster.node(0)).await;
    let room = tab.group(&[]).await;
    let used = key();
    let message = tab.ok(send(room, &used, "hello")).await;
    let edit = MessageEditParams { room, key: used.clone(), seq: message.seq, text: "hello".to_owned() };
    assert_eq!(tab.refused(edit).await, Reason::KeyConflict);
    let recall = MessageRecallParams { room, key: used, seq: message.seq };
    assert_eq!(tab.refused(recall).await, Reason::KeyConflict);
    let log = tab.log(room).await;
    assert!(matches!(log.last().map(|entry| &entry.body), Some(EntryBody::Message { .. })));
}
