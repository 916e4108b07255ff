//! G7, revoked is revoked: a removed member gets nothing after the seq of its removal.

use hubbub_client::{ask::GetRoom, http::HttpError};
use hubbub_protocol::{
    command::{
        DraftSetParams, MarkerSetParams, MessageEditParams, MessageGetParams, MessageRecallParams,
        RoomAddParams, RoomHistoryParams, RoomMembersParams, RoomReadParams, RoomRemoveParams,
    },
    entry::{Entry, EntryBody},
    error::Reason,
    id::{RoomId, Seq},
};

use crate::support::{
    Link, TestCluster,
    link::{assert_dense, entries_between, entry_at, key, message},
    on_both,
};

on_both!(
    nothing_comes_after_the_removal_while_others_send,
    who_was_removed_may_do_nothing_in_the_room,
    who_leaves_gets_nothing_after_it,
    who_is_brought_back_hears_from_the_joining_entry_on,
);

fn removes(entry: &Entry, link: &Link) -> bool {
    matches!(&entry.body, EntryBody::MemberRemoved { user } if user.id == link.me())
}

async fn nothing_comes_after_the_removal_while_others_send(cluster: TestCluster) {
    const ROUNDS: usize = 5;
    const EACH: usize = 150;
    let [ann, bea, cyd] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    for _ in 0..ROUNDS {
        let room = ann.group(&[&bea, &cyd]).await;
        let (bea_tab, cyd) = (bea.connect(cluster.node(1)).await, cyd.connect(cluster.node(1)).await);
        let bea_other_tab = bea.connect(cluster.node(0)).await;
        let removing = async {
            cyd.until_seq(room, Seq(EACH as u64 / 2)).await;
            ann.ok(RoomRemoveParams { room, user: bea.id() }).await.seq
        };
        let (by_ann, by_cyd, removed_at) = tokio::join!(
            ann.say_all(room, (0..EACH).map(|number| format!("ann {number}"))),
            cyd.say_all(room, (0..EACH).map(|number| format!("cyd {number}"))),
            removing,
        );
        let head = by_ann.iter().chain(&by_cyd).map(|sent| sent.seq).max().expect("messages were sent");
        let head = head.max(removed_at);
        let all = ann.until_seq(room, head).await;
        cyd.until_seq(room, head).await;
        assert!(removes(entry_at(&all, removed_at), &bea_tab));

        for tab in [&bea_tab, &bea_other_tab] {
            tab.until_seq(room, removed_at).await;
            // Whatever was still on its way to bea is here after this.
            tab.round_trip().await;
            let heard = tab.entries(room);
            assert_eq!(
                heard.last().map(|last| last.seq),
                Some(removed_at),
                "something came after the removal"
            );
            assert_dense(&heard, 4);
            assert_eq!(heard, entries_between(&all, Seq(3), removed_at));
            let left = |entry: &Entry| matches!(entry.body, EntryBody::RoomLeft { room: left, removed: true } if left == room);
            tab.until("room_left", |heard| heard.of(tab.me()).iter().any(left).then_some(())).await;
        }
    }
}

async fn who_was_removed_may_do_nothing_in_the_room(cluster: TestCluster) {
    let [ann, bea_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let own = bea.say(room, "mine").await;
    ann.ok(RoomRemoveParams { room, user: bea.me() }).await;

    let expected = Reason::NotAMember;
    assert_eq!(bea.refused(message(room, "still here?")).await, expected);
    let edit = MessageEditParams { room, key: key(), seq: own.seq, text: "changed".to_owned() };
    assert_eq!(bea.refused(edit).await, expected);
    assert_eq!(bea.refused(MessageRecallParams { room, key: key(), seq: own.seq }).await, expected);
    assert_eq!(bea.refused(GetRoom(room)).await, expected);
    let read = RoomReadParams { room, before: None, after: None, limit: None };
    assert_eq!(bea.refused(read.clone()).await, expected);
    let history = RoomHistoryParams { room, before: None, after: None, around: None, limit: None };
    assert_eq!(bea.refused(history).await, expected);
    assert_eq!(bea.refused(MessageGetParams { room, seqs: vec![own.seq] }).await, expected);
    assert_eq!(bea.refused(RoomMembersParams { room, after: None, limit: None }).await, expected);
    assert_eq!(bea.refused(MarkerSetParams { room, seq: own.seq }).await, expected);
    let draft = DraftSetParams { room, text: "a draft".to_owned(), reply_to: None };
    assert_eq!(bea.refused(draft).await, expected);
    for node in cluster.nodes() {
        let outcome = node.http().entries(&bea_person.token, &read).await;
        assert!(
            matches!(&outcome, Err(HttpError::Refused(problem)) if problem.data.reason == expected),
            "{outcome:?}"
        );
    }
    assert!(bea_person.connect(cluster.node(0)).await.started.rooms.is_empty());
    let log = ann.log(room).await;
    assert_eq!(log.last().map(|entry| entry.body.kind()), Some("member_removed"));
}

async fn who_leaves_gets_nothing_after_it(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea]).await;
    let bea = bea.connect(cluster.node(1)).await;
    let left_at = bea.ok(hubbub_client::ask::LeaveRoom(room)).await.seq;
    let last = ann.say(room, "bye").await;
    ann.until_seq(room, last.seq).await;
    bea.until_seq(room, left_at).await;
    bea.round_trip().await;
    let heard = bea.entries(room);
    assert!(
        matches!(&heard[..], [Entry { seq, body: EntryBody::MemberLeft { user }, .. }]
        if *seq == left_at && user.id == bea.me()),
        "{heard:?}"
    );
    assert_eq!(bea.refused(message(room, "back?")).await, Reason::NotAMember);
}

async fn who_is_brought_back_hears_from_the_joining_entry_on(cluster: TestCluster) {
    let [ann, bea_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    for _ in 0..5 {
        let removed_at = ann.ok(RoomRemoveParams { room, user: bea.me() }).await.seq;
        ann.say(room, "without bea").await;
        let added_at = ann.ok(RoomAddParams { room, users: vec![bea.me()] }).await.seq;
        let last = ann.say_all(room, (0..20).map(|number| number.to_string())).await;
        let head = last.iter().map(|sent| sent.seq).max().expect("messages were sent");
        let heard = bea.until_seq(room, head).await;
        assert_stays(&heard, room, removed_at, added_at, head);
    }
    bea.say(room, "back").await;
}

/// Fails unless the absence, and nothing else, is missing.
fn assert_stays(heard: &[Entry], room: RoomId, removed_at: Seq, added_at: Seq, head: Seq) {
    let missing: Vec<u64> =
        (removed_at.0..=head.0).filter(|seq| heard.iter().all(|entry| entry.seq.0 != *seq)).collect();
    assert_eq!(missing, (removed_at.0 + 1..added_at.0).collect::<Vec<_>>(), "of {room}");
}
