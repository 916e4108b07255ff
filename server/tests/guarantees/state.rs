//! What follows a person from device to device: read markers, unread counts, drafts, names; and what others see of them.

use hubbub_client::ask::{GetRoom, SetTyping};
use hubbub_protocol::{
    command::{
        DraftSetParams, MarkerSetParams, MessageRecallParams, UserFindParams, UserGetParams, UserUpdateParams,
    },
    entry::EntryBody,
    error::Reason,
    id::{RoomId, Seq, UserId},
    model::{Draft, Marker},
    push::Signal,
};

use crate::support::{
    Link, TestCluster, eventually,
    link::key,
    on_both,
    person::{log_in, sign_up},
};

on_both!(
    unread_counts_follow_the_marker,
    a_marker_moves_forward_only,
    the_others_see_how_far_one_has_read,
    in_a_large_room_nobody_sees_how_far_others_have_read,
    drafts_are_on_every_device,
    drafts_survive_logging_out,
    writing_is_shown_to_the_others,
    names_change_for_everyone,
);

async fn marker(link: &Link, room: RoomId) -> Marker {
    link.ok(GetRoom(room)).await.room.marker
}

fn mark(room: RoomId, seq: u64) -> MarkerSetParams {
    MarkerSetParams { room, seq: Seq(seq) }
}

async fn unread_counts_follow_the_marker(cluster: TestCluster) {
    let [ann, bea_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let bea = bea_person.connect(cluster.node(0)).await;
    let bea_elsewhere = bea_person.connect(cluster.node(1)).await;
    let sent = ann.say_all(room, (0..10).map(|number| number.to_string())).await;
    let first = sent.iter().map(|sent| sent.seq.0).min().expect("messages were sent");
    assert_eq!(marker(&bea, room).await.unread, 10);

    let moved = bea.ok(mark(room, first + 3)).await;
    assert_eq!(moved, Marker { seq: Seq(first + 3), unread: 6 });
    assert_eq!(marker(&bea_elsewhere, room).await, moved);
    for link in [&bea, &bea_elsewhere] {
        link.until("marker_moved on every device", |heard| {
            let moves = |body: &EntryBody| matches!(body, EntryBody::MarkerMoved { room: r, marker } if *r == room && *marker == moved);
            heard.of(bea.me()).iter().any(|entry| moves(&entry.body)).then_some(())
        })
        .await;
    }
    // Edits, recalls and joins are not messages: they add nothing to what is unread.
    ann.ok(hubbub_protocol::command::RoomUpdateParams {
        room,
        name: Some("renamed".to_owned()),
        topic: None,
    })
    .await;
    assert_eq!(marker(&bea, room).await.unread, 6);
    ann.ok(MessageRecallParams { room, key: key(), seq: Seq(first + 9) }).await;
    let unread = marker(&bea, room).await.unread;
    assert!((5..=6).contains(&unread), "{unread}");
    let back = bea_person.connect(cluster.node(1)).await;
    assert_eq!(back.started.rooms[0].marker, marker(&bea, room).await);
    let head = ann.head(room).await;
    assert_eq!(bea.ok(mark(room, head.0)).await, Marker { seq: head, unread: 0 });
    ann.say(room, "one more").await;
    assert_eq!(marker(&bea_elsewhere, room).await.unread, 1);
}

async fn a_marker_moves_forward_only(cluster: TestCluster) {
    let [ann_person] = cluster.people().await;
    let (ann, elsewhere) =
        (ann_person.connect(cluster.node(0)).await, ann_person.connect(cluster.node(1)).await);
    let room = ann.group(&[]).await;
    ann.say_all(room, (0..20).map(|number| number.to_string())).await;
    ann.ok(mark(room, 15)).await;
    assert_eq!(elsewhere.ok(mark(room, 7)).await.seq, Seq(15));
    assert_eq!(ann.ok(mark(room, 1_000)).await.seq, Seq(21), "no further than the head");
    // From both devices at once, in any order: the furthest wins.
    let other = ann.group(&[]).await;
    ann.say_all(other, (0..30).map(|number| number.to_string())).await;
    for round in 1..=15 {
        tokio::join!(ann.ok(mark(other, 2 * round)), elsewhere.ok(mark(other, 2 * round - 1)));
    }
    assert_eq!(marker(&ann, other).await.seq, Seq(30));
    assert_eq!(ann.refused(mark(RoomId::generate(), 1)).await, Reason::UnknownRoom);
}

async fn the_others_see_how_far_one_has_read(cluster: TestCluster) {
    let [ann, bea_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let sent = ann.say(room, "read me").await;
    // A signal may be lost; one of several comes.
    let expected = |seq: Seq| Signal::Read { room, user: bea.me(), seq };
    eventually("a signal that bea has read on", async || {
        let next = ann.say(room, "and me").await;
        bea.ok(mark(room, next.seq.0)).await;
        ann.round_trip().await;
        ann.heard(|heard| heard.signals.iter().any(|signal| *signal == expected(next.seq))).then_some(())
    })
    .await;
    assert!(sent.seq < marker(&bea, room).await.seq);
}

async fn in_a_large_room_nobody_sees_how_far_others_have_read(cluster: TestCluster) {
    let people = cluster.crowd(51).await;
    let ann = people[0].connect(cluster.node(0)).await;
    let bea = people[1].connect(cluster.node(1)).await;
    let large = ann.group(&people[1..].iter().collect::<Vec<_>>()).await;
    let small = ann.group(&people[1..50].iter().collect::<Vec<_>>()).await;
    bea.joined(small).await;
    bea.ok(mark(large, 51)).await;
    // In a room of fifty the same takes the same road, so by then the other would have come.
    eventually("a signal of the smaller room", async || {
        let seq = ann.say(small, "and now").await.seq.0;
        bea.ok(mark(small, seq)).await;
        ann.round_trip().await;
        let of = |room: RoomId| move |signal: &Signal| matches!(signal, Signal::Read { room: read, .. } if *read == room);
        assert!(!ann.heard(|heard| heard.signals.iter().any(of(large))), "shown in a large room");
        ann.heard(|heard| heard.signals.iter().any(of(small))).then_some(())
    })
    .await;
}

fn draft(room: RoomId, text: &str) -> DraftSetParams {
    DraftSetParams { room, text: text.to_owned(), reply_to: None }
}

/// The drafts that a new connection is given.
async fn drafts(person: &crate::support::Person, node: &crate::support::Node) -> Vec<Draft> {
    person.connect(node).await.started.drafts.clone()
}

async fn drafts_are_on_every_device(cluster: TestCluster) {
    let [ann_person] = cluster.people().await;
    let (ann, elsewhere) =
        (ann_person.connect(cluster.node(0)).await, ann_person.connect(cluster.node(1)).await);
    let (room, other) = (ann.group(&[]).await, ann.group(&[]).await);
    let question = ann.say(room, "a question").await;
    let written = DraftSetParams { reply_to: Some(question.seq), ..draft(room, "half an ans") };
    let at = ann.ok(written).await.at;
    let expected = Draft { room, text: "half an ans".to_owned(), reply_to: Some(question.seq), at };
    assert_eq!(drafts(&ann_person, cluster.node(1)).await, std::slice::from_ref(&expected));
    eventually("a signal on the other device", async || {
        ann.ok(DraftSetParams { reply_to: Some(question.seq), ..draft(room, "half an ans") }).await;
        elsewhere.round_trip().await;
        let is_it =
            |signal: &Signal| matches!(signal, Signal::Draft { draft } if draft.text == expected.text);
        elsewhere.heard(|heard| heard.signals.iter().any(is_it)).then_some(())
    })
    .await;
    ann.ok(draft(other, "elsewhere")).await;
    assert_eq!(drafts(&ann_person, cluster.node(0)).await.len(), 2);
    elsewhere.ok(draft(room, "")).await;
    let left = drafts(&ann_person, cluster.node(0)).await;
    assert_eq!(left.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["elsewhere"]);
    let long = draft(room, &"x".repeat(16 * 1024 + 1));
    assert_eq!(ann.refused(long).await, Reason::TooLarge);
    assert_eq!(ann.refused(draft(RoomId::generate(), "x")).await, Reason::UnknownRoom);
}

async fn drafts_survive_logging_out(cluster: TestCluster) {
    let mut cluster = cluster;
    let username = sign_up(cluster.node(0)).await;
    let ann = log_in(cluster.node(0), &username, "laptop").await;
    let link = ann.connect(cluster.node(0)).await;
    let room = link.group(&[]).await;
    link.ok(draft(room, "first thought")).await;
    link.ok(draft(room, "second thought")).await;
    cluster.node(0).http().end_session(&ann.token, ann.session).await.expect("logged out");
    assert_eq!(link.closed().await.0.code, 4401);

    let ann = log_in(cluster.node(1), &username, "phone").await;
    let kept = drafts(&ann, cluster.node(1)).await;
    assert_eq!(kept.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["second thought"]);

    // And the end of every node: it was written behind to the database.
    for number in 0..cluster.nodes().len() {
        cluster.node(number).terminate();
        assert_eq!(cluster.node_mut(number).exit_code().await, Some(0));
        cluster.start_again(number).await;
    }
    assert_eq!(drafts(&ann, cluster.node(0)).await, kept);
}

async fn writing_is_shown_to_the_others(cluster: TestCluster) {
    let [ann, bea_person, cyd_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let stranger = cyd_person.connect(cluster.node(1)).await;
    let expected = Signal::Typing { room, user: bea.me() };
    eventually("ann sees bea writing", async || {
        bea.ok(SetTyping(room)).await;
        ann.round_trip().await;
        ann.heard(|heard| heard.signals.contains(&expected)).then_some(())
    })
    .await;
    for other in [&bea, &stranger] {
        other.round_trip().await;
        assert!(!other.heard(|heard| heard.signals.contains(&expected)), "shown to whom it is not for");
    }
    assert_eq!(stranger.refused(SetTyping(room)).await, Reason::NotAMember);
    assert_eq!(ann.head(room).await, Seq(2), "a signal is no entry");
}

async fn names_change_for_everyone(cluster: TestCluster) {
    let [ann_person, bea_person] = cluster.people().await;
    let (ann, bea) = (ann_person.connect(cluster.node(0)).await, bea_person.connect(cluster.node(1)).await);
    let lookup = || UserGetParams { users: vec![ann.me(), UserId::generate()] };
    assert_eq!(
        bea.ok(lookup()).await.users,
        std::slice::from_ref(&ann_person.user),
        "unknown people are left out"
    );

    let name = "Ann-Sophie 安";
    let changed = ann.ok(UserUpdateParams { display_name: name.to_owned() }).await.user;
    assert_eq!((changed.id, changed.display_name.as_str()), (ann.me(), name));
    // Every node's cache forgets the old name.
    for link in [&ann, &bea] {
        eventually("the new name", async || {
            let users = link.ok(lookup()).await.users;
            (users.first().map(|user| user.display_name.as_str()) == Some(name)).then_some(())
        })
        .await;
    }
    ann.until("profile_changed", |heard| {
        heard.of(ann.me()).iter().any(|entry| entry.body.kind() == "profile_changed").then_some(())
    })
    .await;
    let find = |query: &str| UserFindParams { query: query.to_owned(), limit: None };
    let found = bea.ok(find("ann-soph")).await.users;
    assert!(found.iter().any(|user| user.id == ann.me()));
    let found = bea.ok(find(&ann_person.user.username)).await.users;
    assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), [ann.me()]);
    assert_eq!(bea.ok(find("%")).await.users, [], "a wildcard is a letter like any other");
    assert_eq!(bea.refused(find("")).await, Reason::InvalidParams);
    for wrong in ["", "   ", &"x".repeat(65)] {
        let refused = ann.refused(UserUpdateParams { display_name: wrong.to_owned() }).await;
        assert!(matches!(refused, Reason::InvalidParams | Reason::TooLarge), "{refused}");
    }
}
