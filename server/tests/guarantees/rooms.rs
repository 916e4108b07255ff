//! Rooms: who may make, find, enter, change and leave them.

use hubbub_client::ask::{GetRoom, LeaveRoom};
use hubbub_protocol::{
    command::{
        RoomAddParams, RoomCreateParams, RoomInviteParams, RoomJoinParams, RoomListParams, RoomMembersParams,
        RoomRemoveParams, RoomRoleParams, RoomUpdateParams,
    },
    entry::EntryBody,
    error::Reason,
    id::{RoomId, UserId},
    model::{
        Role::{self, Admin, Member},
        Room, RoomKind,
    },
};

use crate::support::{
    Person, TestCluster,
    link::{key, message, texts},
    on_both,
    services::unique,
};

on_both!(
    a_pair_has_one_direct_room,
    a_direct_room_stays_as_it_is,
    a_group_is_entered_by_invitation_only,
    a_channel_is_found_and_joined_by_anyone,
    an_invitation_is_used_as_often_as_it_says,
    an_invitation_works_once_for_two_at_the_same_time,
    lists_are_read_page_by_page,
    names_and_members_have_limits,
    everyone_hears_of_changes,
);

fn create(kind: RoomKind, name: &str, members: Vec<UserId>) -> RoomCreateParams {
    RoomCreateParams { key: key(), kind, name: name.to_owned(), topic: String::new(), members }
}

fn invite(room: RoomId, max_uses: Option<u64>) -> RoomInviteParams {
    RoomInviteParams { room, expires_in_s: None, max_uses }
}

fn by_code(code: &str) -> RoomJoinParams {
    RoomJoinParams { room: None, code: Some(code.to_owned()) }
}

fn by_id(room: RoomId) -> RoomJoinParams {
    RoomJoinParams { room: Some(room), code: None }
}

fn role(room: RoomId, user: UserId, role: Role) -> RoomRoleParams {
    RoomRoleParams { room, user, role }
}

fn rename(room: RoomId, name: &str) -> RoomUpdateParams {
    RoomUpdateParams { room, name: Some(name.to_owned()), topic: None }
}

fn page(room: RoomId, after: Option<UserId>, limit: Option<u16>) -> RoomMembersParams {
    RoomMembersParams { room, after, limit }
}

async fn a_pair_has_one_direct_room(cluster: TestCluster) {
    let [ann_person, bea_person] = cluster.people().await;
    let (ann, bea) = (ann_person.connect(cluster.node(0)).await, bea_person.connect(cluster.node(1)).await);
    let (by_ann, by_bea) = tokio::join!(
        ann.ok(create(RoomKind::Direct, "", vec![bea.me()])),
        bea.ok(create(RoomKind::Direct, "", vec![ann.me()])),
    );
    let room = by_ann.room.id;
    assert_eq!(by_bea.room.id, room, "two rooms for one pair");
    assert_eq!(by_ann.room.peer, Some(bea_person.user.clone()));
    assert_eq!(by_bea.room.peer, Some(ann_person.user.clone()));
    assert_eq!((by_ann.room.kind, by_ann.room.member_count), (RoomKind::Direct, 2));
    assert_eq!(by_ann.room.name, "");

    ann.joined(room).await;
    bea.joined(room).await;
    let sent = ann.say(room, "hello").await;
    assert_eq!(texts(&bea.until_seq(room, sent.seq).await), ["hello"]);
    // Again, with another key and much later: still the same one.
    assert_eq!(bea.ok(create(RoomKind::Direct, "", vec![ann.me()])).await.room.id, room);
    let created = ann.log(room).await.iter().filter(|entry| entry.body.kind() == "room_created").count();
    assert_eq!(created, 1);
}

async fn a_direct_room_stays_as_it_is(cluster: TestCluster) {
    let [ann, bea, cyd] = cluster.people().await;
    let (ann, cyd) = (ann.connect(cluster.node(0)).await, cyd.connect(cluster.node(1)).await);
    let room = ann.room(RoomKind::Direct, "", &[&bea]).await;
    assert_eq!(ann.refused(LeaveRoom(room)).await, Reason::NotAllowed);
    assert_eq!(ann.refused(invite(room, None)).await, Reason::NotAllowed);
    assert_eq!(ann.refused(RoomAddParams { room, users: vec![cyd.me()] }).await, Reason::NotAllowed);
    assert_eq!(ann.refused(RoomRemoveParams { room, user: bea.id() }).await, Reason::NotAllowed);
    assert_eq!(ann.refused(rename(room, "ours")).await, Reason::NotAllowed);
    assert_eq!(ann.refused(role(room, bea.id(), Admin)).await, Reason::NotAllowed);
    let entered = cyd.refused(by_id(room)).await;
    assert!(matches!(entered, Reason::NotAllowed | Reason::UnknownRoom), "{entered}");
    assert_eq!(cyd.refused(GetRoom(room)).await, Reason::NotAMember);

    let invalid = Reason::InvalidParams;
    assert_eq!(ann.refused(create(RoomKind::Direct, "", vec![])).await, invalid);
    assert_eq!(ann.refused(create(RoomKind::Direct, "", vec![bea.id(), cyd.me()])).await, invalid);
    assert_eq!(ann.refused(create(RoomKind::Direct, "", vec![ann.me()])).await, invalid, "with oneself");
    assert_eq!(
        ann.refused(create(RoomKind::Direct, "", vec![UserId::generate()])).await,
        Reason::UnknownUser
    );
}

async fn a_group_is_entered_by_invitation_only(cluster: TestCluster) {
    let [ann, bea, cyd] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let (bea, cyd) = (bea.connect(cluster.node(1)).await, cyd.connect(cluster.node(0)).await);
    let room = ann.group(&[]).await;
    ann.say(room, "before anyone came").await;
    assert_eq!(bea.refused(by_id(room)).await, Reason::NotAllowed);
    assert_eq!(bea.refused(message(room, "let me in")).await, Reason::NotAMember);

    let code = ann.ok(invite(room, None)).await.code;
    let info = cluster.node(1).get(&format!("/v1/invites/{code}")).await.expect("an answer");
    let info: hubbub_protocol::http::InviteInfo = serde_json::from_slice(&info.body).expect("an invitation");
    assert_eq!((info.room_name.as_str(), info.member_count, info.invited_by.id), ("a group", 1, ann.me()));

    let joined = bea.ok(by_code(&code)).await.room;
    assert_eq!((joined.id, joined.role, joined.member_count), (room, Member, 2));
    bea.joined(room).await;
    // Any member may bring someone in; the history is open to whoever is in.
    let added_at = bea.ok(RoomAddParams { room, users: vec![cyd.me()] }).await.seq;
    let heard = cyd.until_seq(room, added_at).await;
    assert!(matches!(&heard[0].body, EntryBody::MemberAdded { user } if user.id == cyd.me()));
    assert_eq!(texts(&cyd.log(room).await), ["before anyone came"]);

    // Coming in twice changes nothing.
    let head = ann.head(room).await;
    assert_eq!(bea.ok(by_code(&code)).await.room.id, room);
    assert_eq!(bea.ok(RoomAddParams { room, users: vec![cyd.me()] }).await.seq, head);
    assert_eq!(ann.head(room).await, head);
    let left = cyd.ok(LeaveRoom(room)).await.seq;
    assert_eq!(left, head.next());
    assert_eq!(cyd.refused(LeaveRoom(room)).await, Reason::NotAMember);
    assert_eq!(ann.ok(GetRoom(room)).await.room.member_count, 2);
}

async fn a_channel_is_found_and_joined_by_anyone(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let (ann, bea) = (ann.connect(cluster.node(0)).await, bea.connect(cluster.node(1)).await);
    let name = unique("Garden ");
    let room = ann.room(RoomKind::Channel, &name, &[]).await;
    let group = ann.room(RoomKind::Group, &name, &[]).await;
    let list = |query: &str| RoomListParams { query: Some(query.to_owned()), after: None, limit: None };
    let found = bea.ok(list(&name.to_lowercase())).await.rooms;
    assert_eq!(
        found.iter().map(|found| found.id).collect::<Vec<_>>(),
        [room],
        "groups are not listed ({group})"
    );
    assert_eq!((found[0].member_count, found[0].joined), (1, false));
    assert_eq!(bea.ok(by_id(room)).await.room.role, Member);
    assert!(bea.ok(list(&name)).await.rooms[0].joined);
    assert_eq!(bea.refused(by_id(RoomId::generate())).await, Reason::UnknownRoom);
    let neither = RoomJoinParams { room: None, code: None };
    assert!(matches!(bea.refused(neither).await, Reason::InvalidParams | Reason::MissingParameter));
    let both = RoomJoinParams { room: Some(room), code: Some("x".to_owned()) };
    assert_eq!(bea.refused(both).await, Reason::InvalidParams);
    assert_eq!(
        bea.ok(RoomListParams { query: Some(unique("no such")), after: None, limit: None }).await.rooms,
        []
    );
}

async fn an_invitation_is_used_as_often_as_it_says(cluster: TestCluster) {
    let [ann, bea, cyd, dan] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let (bea, cyd) = (bea.connect(cluster.node(0)).await, cyd.connect(cluster.node(1)).await);
    let dan = dan.connect(cluster.node(1)).await;
    let room = ann.group(&[]).await;
    let invitation = ann.ok(invite(room, Some(2))).await;
    assert_eq!((invitation.room, invitation.uses_left), (room, Some(2)));
    let lasts_ms = invitation.expires_at - ann.started.now;
    assert!((lasts_ms - 7 * 24 * 3_600_000).abs() < 600_000, "{lasts_ms}");

    bea.ok(by_code(&invitation.code)).await;
    bea.ok(by_code(&invitation.code)).await;
    cyd.ok(by_code(&invitation.code)).await;
    assert_eq!(dan.refused(by_code(&invitation.code)).await, Reason::UnknownInvite, "used up");
    assert_eq!(dan.refused(by_code("no-such-code")).await, Reason::UnknownInvite);
    let answer = cluster.node(1).get("/v1/invites/no-such-code").await.expect("an answer");
    assert_eq!(answer.status, 404);

    let lasting = |expires_in_s| RoomInviteParams { room, expires_in_s: Some(expires_in_s), max_uses: None };
    for wrong in [0, 59, 30 * 24 * 3_600 + 1] {
        assert_eq!(ann.refused(lasting(wrong)).await, Reason::InvalidParams, "{wrong} s");
    }
    let short = ann.ok(lasting(60)).await;
    assert!((short.expires_at - ann.started.now) < 600_000);
    assert_eq!(ann.refused(invite(room, Some(0))).await, Reason::InvalidParams);
    assert_eq!(dan.refused(invite(room, None)).await, Reason::NotAMember);
}

async fn an_invitation_works_once_for_two_at_the_same_time(cluster: TestCluster) {
    let people = cluster.crowd(9).await;
    let ann = people[0].connect(cluster.node(0)).await;
    let room = ann.group(&[]).await;
    let code = ann.ok(invite(room, Some(3))).await.code;
    let mut guests = Vec::new();
    for (number, person) in people[1..].iter().enumerate() {
        guests.push(person.connect(cluster.node(number)).await);
    }
    let outcomes = futures_util::future::join_all(guests.iter().map(|guest| guest.ask(by_code(&code)))).await;
    let entered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(entered, 3, "{outcomes:?}");
    for outcome in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(outcome.reason(), Some(Reason::UnknownInvite));
    }
    assert_eq!(ann.ok(GetRoom(room)).await.room.member_count, 4);
}

async fn lists_are_read_page_by_page(cluster: TestCluster) {
    let people = cluster.crowd(12).await;
    let ann = people[0].connect(cluster.node(0)).await;
    let room = ann.group(&people[1..].iter().collect::<Vec<_>>()).await;
    let mut seen = Vec::new();
    loop {
        let members = ann.ok(page(room, seen.last().copied(), Some(5))).await.members;
        seen.extend(members.iter().map(|member| member.user.id));
        if members.len() < 5 {
            break;
        }
    }
    let mut expected: Vec<_> = people.iter().map(Person::id).collect();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    for limit in [0, 201] {
        assert_eq!(ann.refused(page(room, None, Some(limit))).await, Reason::InvalidParams);
    }

    let prefix = unique("Page ");
    let mut names: Vec<_> = (0..7).map(|number| format!("{prefix} {number}")).collect();
    for name in names.iter().rev() {
        ann.room(RoomKind::Channel, name, &[]).await;
    }
    // Two of one name are two lines, on whichever page.
    ann.room(RoomKind::Channel, &names[3], &[]).await;
    names.insert(3, names[3].clone());
    let all = RoomListParams { query: Some(prefix.clone()), after: None, limit: None };
    let listed: Vec<_> = ann.ok(all.clone()).await.rooms.into_iter().map(|room: _| room.name).collect();
    assert_eq!(listed, names);
    let first = ann.ok(RoomListParams { limit: Some(3), ..all.clone() }).await.rooms;
    let after = first.last().map(|room| room.name.clone());
    let second = ann.ok(RoomListParams { after, limit: Some(3), ..all }).await.rooms;
    assert!(second.iter().all(|room| first.iter().all(|earlier| earlier.id != room.id)));
    assert_eq!(second[0].name, names[3]);
}

async fn names_and_members_have_limits(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let group = |name: &str| create(RoomKind::Group, name, Vec::new());
    assert_eq!(ann.refused(group("")).await, Reason::InvalidParams);
    assert_eq!(ann.refused(group("   ")).await, Reason::InvalidParams);
    let long = ann.refused(group(&"x".repeat(81))).await;
    assert!(matches!(long, Reason::TooLarge | Reason::InvalidParams), "{long}");
    // 80 characters, whatever their bytes.
    let wide = "漢".repeat(80);
    assert_eq!(ann.ok(group(&wide)).await.room.name, wide);
    let many = create(RoomKind::Group, "crowd", (0..101).map(|_| UserId::generate()).collect());
    assert_eq!(ann.refused(many).await, Reason::TooLarge);
    assert_eq!(
        ann.refused(create(RoomKind::Group, "x", vec![UserId::generate()])).await,
        Reason::UnknownUser
    );
    for bad in ["", &"k".repeat(65)] {
        let refusal = ann.refused(RoomCreateParams { key: bad.to_owned(), ..group("x") }).await;
        assert!(matches!(refusal, Reason::InvalidParams | Reason::TooLarge), "{refusal}");
    }
    let room = ann.group(&[]).await;
    let topic = |topic: &str| RoomUpdateParams { room, name: None, topic: Some(topic.to_owned()) };
    let long = ann.refused(topic(&"x".repeat(251))).await;
    assert!(matches!(long, Reason::TooLarge | Reason::InvalidParams), "{long}");
    assert_eq!(ann.ok(topic("about gardens")).await.room.topic, "about gardens");
    let nobody = RoomAddParams { room, users: vec![UserId::generate()] };
    assert_eq!(ann.refused(nobody).await, Reason::UnknownUser);
}

async fn everyone_hears_of_changes(cluster: TestCluster) {
    let [ann, bea_person, cyd] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let room = ann.group(&[&bea_person]).await;
    bea.joined(room).await;
    let shown: Box<Room> = bea
        .until("the room as bea sees it", |heard| {
            heard.of(bea.me()).iter().find_map(|entry| match &entry.body {
                EntryBody::RoomJoined { room } => Some(room.clone()),
                _ => None,
            })
        })
        .await;
    assert_eq!((shown.role, shown.member_count, shown.name.as_str()), (Member, 2, "a group"));

    ann.ok(RoomAddParams { room, users: vec![cyd.id()] }).await;
    ann.ok(role(room, bea.me(), Admin)).await;
    bea.ok(rename(room, "another name")).await;
    let last = ann.ok(RoomRemoveParams { room, user: cyd.id() }).await.seq;
    let heard = bea.until_seq(room, last).await;
    let kinds: Vec<_> = heard.iter().map(|entry| entry.body.kind()).collect();
    assert_eq!(kinds, ["member_added", "member_added", "role_changed", "room_updated", "member_removed"]);
    assert_eq!(heard[3].sender, bea.me());
    let now = bea.ok(GetRoom(room)).await.room;
    assert_eq!((now.name.as_str(), now.role, now.member_count, now.head), ("another name", Admin, 2, last));
}
