//! Rooms as their members see them, and what belongs to a member: markers, drafts; and invitations.

use hubbub_protocol::{
    entry::EntryBody,
    error::Reason,
    id::{RoomId, Seq, UserId},
    model::{Draft, Invite, Marker, Role, Room, RoomKind},
};
use hubbub_server::store::{
    drafts, invites,
    log::logged,
    members, membership, revise,
    rooms::{self, Access},
};

use crate::fixture::{Fixture, Person, now_ms};

async fn one(fixture: &Fixture, room: RoomId, person: &Person) -> Room {
    rooms::room_for(&fixture.db, person.user.id, room).await.expect("they are in it")
}

async fn read_to(fixture: &Fixture, room: RoomId, user: UserId, seq: Seq) {
    let moved = logged(&fixture.db, move |log| {
        Box::pin(async move { Ok(membership::move_marker(log, room, user, seq).await?) })
    });
    moved.await.expect("moved");
}

async fn recall(fixture: &Fixture, room: RoomId, by: &Person, seq: Seq) {
    let by = by.user.id;
    let recalled = logged(&fixture.db, move |log| {
        Box::pin(async move { Ok(revise::recall(log, room, seq, by, false).await?) })
    });
    recalled.await.expect("recalled");
    fixture.append(room, by, EntryBody::Recall { target: seq }).await;
}

pub(crate) async fn a_person_sees_their_rooms(fixture: Fixture) {
    let (ann, bea, cid) =
        (fixture.person("ann").await, fixture.person("bea").await, fixture.person("cid").await);
    let quiet = fixture.room(RoomKind::Group, "Quiet", &[&ann, &bea]).await;
    let loud = fixture.room(RoomKind::Channel, "Loud", &[&bea, &ann]).await;
    fixture.room(RoomKind::Group, "Others", &[&bea, &cid]).await;
    let seq = fixture.say(quiet, &bea, "hello").await;

    let seen = rooms::of_user(&fixture.db, ann.user.id).await.unwrap();
    assert_eq!(
        seen.iter().map(|room| room.id).collect::<Vec<_>>(),
        [quiet, loud],
        "the newest message is first"
    );
    assert_eq!(seen, [one(&fixture, quiet, &ann).await, one(&fixture, loud, &ann).await]);
    let Room { kind, name, topic, role, member_count, peer, head, last, .. } = &seen[0];
    assert_eq!(
        (*kind, name.as_str(), topic.as_str(), *role),
        (RoomKind::Group, "Quiet", "about", Role::Owner)
    );
    assert_eq!((*member_count, peer, *head), (2, &None, seq));
    let last = last.as_ref().expect("a message");
    assert_eq!((last.seq, last.sender, last.text.as_deref()), (seq, bea.user.id, Some("hello")));
    assert_eq!((seen[1].role, &seen[1].last), (Role::Member, &None));

    let mut ids = rooms::ids_of_user(&fixture.db, ann.user.id).await.unwrap();
    ids.sort_unstable();
    assert_eq!(ids, [quiet, loud]);
    assert!(rooms::of_user(&fixture.db, UserId::generate()).await.unwrap().is_empty());
    let refused =
        async |user, room| rooms::room_for(&fixture.db, user, room).await.expect_err("refused").reason();
    assert_eq!(refused(cid.user.id, quiet).await, Reason::NotAMember);
    assert_eq!(refused(ann.user.id, RoomId::generate()).await, Reason::UnknownRoom);
}

pub(crate) async fn a_direct_room_is_called_by_the_other(fixture: Fixture) {
    let (ann, bea, cid) =
        (fixture.person("ann").await, fixture.person("bea").await, fixture.person("cid").await);
    let room = fixture.room(RoomKind::Direct, "", &[&ann, &bea]).await;
    fixture.room(RoomKind::Direct, "", &[&cid, &ann]).await;
    assert_eq!(one(&fixture, room, &ann).await.peer, Some(bea.user.clone()));
    assert_eq!(one(&fixture, room, &bea).await.peer, Some(ann.user.clone()));
    let mut peers: Vec<_> = rooms::of_user(&fixture.db, ann.user.id).await.unwrap();
    peers.sort_by_key(|room| room.peer.as_ref().map(|peer| peer.username.clone()));
    assert_eq!(peers.into_iter().map(|room| room.peer).collect::<Vec<_>>(), [Some(bea.user), Some(cid.user)]);
}

pub(crate) async fn unread_is_a_subtraction(fixture: Fixture) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let room = fixture.room(RoomKind::Group, "Room", &[&ann, &bea]).await;
    let mut seqs = Vec::new();
    for n in 0..5 {
        seqs.push(fixture.say(room, &ann, &format!("message {n}")).await);
        // What is no message counts for nobody.
        let body = EntryBody::RoomUpdated { name: format!("Room {n}"), topic: String::new() };
        fixture.append(room, ann.user.id, body).await;
    }
    assert_eq!(one(&fixture, room, &bea).await.marker.unread, 5);
    for (read, unread) in [(seqs[0], 4), (seqs[2], 2), (seqs[2].next(), 2), (seqs[4], 0), (seqs[4].next(), 0)]
    {
        read_to(&fixture, room, bea.user.id, read).await;
        assert_eq!(one(&fixture, room, &bea).await.marker, Marker { seq: read, unread });
    }
    assert_eq!(one(&fixture, room, &ann).await.marker.unread, 5, "a marker is one person's");
    recall(&fixture, room, &ann, seqs[3]).await;
    read_to(&fixture, room, bea.user.id, seqs[0]).await;
    assert_eq!(one(&fixture, room, &bea).await.marker.unread, 4, "recalling moves no number");
}

pub(crate) async fn a_preview_is_short_and_forgets_what_was_recalled(fixture: Fixture) {
    let ann = fixture.person("ann").await;
    let room = fixture.room(RoomKind::Group, "Room", &[&ann]).await;
    let seq = fixture.say(room, &ann, &"语".repeat(200)).await;
    let last = one(&fixture, room, &ann).await.last.expect("a message");
    assert_eq!((last.seq, last.text), (seq, Some("语".repeat(120))));
    recall(&fixture, room, &ann, seq).await;
    let last = one(&fixture, room, &ann).await.last.expect("its place stays");
    assert_eq!((last.seq, last.text), (seq, None));
}

pub(crate) async fn access_tells_stranger_from_unknown(fixture: Fixture) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let room = fixture.room(RoomKind::Group, "Room", &[&ann]).await;
    let seq = fixture.say(room, &ann, "hello").await;
    let access = |room, user| rooms::access(&fixture.db, room, user);
    assert_eq!(
        access(room, ann.user.id).await.unwrap(),
        Access::Member { kind: RoomKind::Group, role: Role::Owner, head: seq }
    );
    let stranger = access(room, bea.user.id).await.unwrap();
    assert_eq!(
        (stranger, stranger.require()),
        (Access::NotAMember { kind: RoomKind::Group }, Err(Reason::NotAMember))
    );
    assert_eq!(access(RoomId::generate(), ann.user.id).await.unwrap(), Access::Unknown);
    // A stream of a person is no room.
    assert_eq!(access(RoomId(ann.user.id.as_uuid()), ann.user.id).await.unwrap(), Access::Unknown);
}

pub(crate) async fn members_come_in_pages(fixture: Fixture) {
    let mut people = Vec::new();
    for n in 0..7 {
        people.push(fixture.person(&format!("person{n}")).await);
    }
    let room = fixture.room(RoomKind::Group, "Room", &people.iter().collect::<Vec<_>>()).await;
    let mut ids: Vec<_> = people.iter().map(|person| person.user.id).collect();
    ids.sort_unstable();
    for limit in 1..=8 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = members::page(&fixture.db, room, after, limit).await.unwrap();
            assert!(page.len() <= limit.into());
            let Some(last) = page.last() else { break };
            after = Some(last.user.id);
            seen.extend(page);
        }
        assert_eq!(seen.iter().map(|member| member.user.id).collect::<Vec<_>>(), ids);
        let owners: Vec<_> = seen.iter().filter(|member| member.role == Role::Owner).collect();
        assert_eq!(owners.iter().map(|member| &member.user).collect::<Vec<_>>(), [&people[0].user]);
    }
}

pub(crate) async fn channels_come_in_pages_by_name(fixture: Fixture) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    for name in ["general", "Games", "100%", "General_2", "zebra", "Äpfel"] {
        fixture.room(RoomKind::Channel, name, &[&bea]).await;
    }
    fixture.room(RoomKind::Channel, "mine", &[&ann, &bea]).await;
    fixture.room(RoomKind::Group, "general secret", &[&bea]).await;
    let names = async |query: &str, after: &str, limit| {
        let page = rooms::public(&fixture.db, ann.user.id, Some(query), Some(after), limit).await.unwrap();
        page.into_iter().map(|room| room.name).collect::<Vec<_>>()
    };
    let all = names("", "", 50).await;
    assert_eq!(all.len(), 7, "groups are not public: {all:?}");
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = names("", &after, 2).await;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        seen.extend(page);
    }
    assert_eq!(seen, all);
    assert_eq!(names("GEN", "", 50).await, ["general", "General_2"]);
    assert_eq!(names("general_", "", 50).await, ["General_2"]);
    assert_eq!(names("100%", "", 50).await, ["100%"]);
    assert_eq!(names("%", "", 50).await, [""; 0]);
    assert_eq!(names("äp", "", 50).await, ["Äpfel"]);
    let mine = rooms::public(&fixture.db, ann.user.id, None, None, 50).await.unwrap();
    assert!(mine.iter().all(|room| room.joined == (room.name == "mine") && room.kind == RoomKind::Channel));
    assert_eq!(mine.iter().find(|room| room.joined).map(|room| room.member_count), Some(2));
}

pub(crate) async fn an_invitation_ends(fixture: Fixture) {
    let ann = fixture.person("ann").await;
    let room = fixture.room(RoomKind::Group, "Room", &[&ann]).await;
    let invite =
        |code: &str, expires_at, uses_left| Invite { code: code.to_owned(), room, expires_at, uses_left };
    let (later, past) = (now_ms() + 60_000, now_ms() - 1);
    let (new, by) = (
        [invite("always", later, None), invite("twice", later, Some(2)), invite("past", past, None)],
        ann.user.id,
    );
    for new in new {
        let insert =
            fixture.db.transact(move |tx| Box::pin(async move { invites::insert(tx, &new, by).await }));
        insert.await.unwrap();
    }
    let redeem = |code: &'static str| {
        fixture.db.transact(move |tx| Box::pin(async move { invites::redeem(tx, code, now_ms()).await }))
    };
    let opened = invites::by_code(&fixture.db, "twice", now_ms()).await.unwrap().expect("it can be used");
    assert_eq!(opened.invite, invite("twice", later, Some(2)));
    assert_eq!((opened.kind, opened.room_name.as_str(), opened.member_count), (RoomKind::Group, "Room", 1));
    assert_eq!(opened.invited_by, ann.user);
    let uses = futures_util::future::join_all((0..5).map(|_| redeem("twice"))).await;
    let opened: Vec<_> = uses.into_iter().filter_map(|used| used.expect("an answer")).collect();
    assert_eq!(opened, [room, room], "however many at once");
    assert_eq!(redeem("always").await.unwrap(), Some(room));
    for ended in ["twice", "past", "unknown", ""] {
        assert_eq!(invites::by_code(&fixture.db, ended, now_ms()).await.unwrap(), None, "{ended}");
        assert_eq!(redeem(ended).await.unwrap(), None, "{ended}");
    }
    assert_eq!(invites::by_code(&fixture.db, "always", later).await.unwrap(), None, "its time is over");
}

pub(crate) async fn the_newer_draft_stays(fixture: Fixture) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let one = fixture.room(RoomKind::Group, "One", &[&ann, &bea]).await;
    let two = fixture.room(RoomKind::Group, "Two", &[&ann, &bea]).await;
    let draft = |room, text: &str, at| Draft { room, text: text.to_owned(), reply_to: Some(Seq(7)), at };
    let (a, b) = (ann.user.id, bea.user.id);
    let put = |batch: Vec<(UserId, Draft)>| {
        let db = fixture.db.clone();
        async move { drafts::put(&db, &batch).await.unwrap() }
    };
    // The same room twice in one batch, in either order.
    put(vec![(a, draft(one, "old", 1)), (a, draft(one, "new", 2)), (b, draft(one, "hers", 1))]).await;
    put(vec![(a, draft(two, "newest", 9)), (a, draft(two, "older", 8)), (a, draft(one, "late", 1))]).await;
    put(vec![(a, draft(one, "equally old", 2))]).await;
    put(vec![]).await;
    let of = |user| drafts::of_user(&fixture.db, user);
    assert_eq!(of(a).await.unwrap(), [draft(two, "newest", 9), draft(one, "new", 2)]);
    assert_eq!(of(b).await.unwrap(), [draft(one, "hers", 1)]);
    put(vec![(a, draft(two, "", 10))]).await;
    put(vec![(a, draft(two, "written late", 9))]).await;
    assert_eq!(of(a).await.unwrap(), [draft(one, "new", 2)], "what was taken away stays away");
    drafts::remove(&fixture.db, a, one, 1).await.unwrap();
    assert_eq!(of(a).await.unwrap(), [draft(one, "new", 2)], "a newer text is not what was sent");
    drafts::remove(&fixture.db, a, one, 3).await.unwrap();
    assert!(of(a).await.unwrap().is_empty());
}
