//! Roles: what each allows, and that a room keeps an owner.

use std::collections::BTreeSet;

use hubbub_client::{
    Ask,
    ask::{GetRoom, LeaveRoom},
};
use hubbub_protocol::{
    command::{
        MessageEditParams, MessageRecallParams, RoomInviteParams, RoomMembersParams, RoomRemoveParams,
        RoomRoleParams, RoomUpdateParams,
    },
    error::Reason,
    id::{RoomId, UserId},
    model::{
        Role::{self, Admin, Member, Owner},
        RoomKind,
    },
};

use crate::support::{Link, Person, TestCluster, link::key, on_both, services::unique};

on_both!(roles_allow_what_they_say, a_room_keeps_an_owner);

fn role(room: RoomId, user: UserId, role: Role) -> RoomRoleParams {
    RoomRoleParams { room, user, role }
}

fn rename(room: RoomId, name: &str) -> RoomUpdateParams {
    RoomUpdateParams { room, name: Some(name.to_owned()), topic: None }
}

/// A room with two of each role; the owner who made it comes last.
struct Crew {
    room: RoomId,
    members: [Link; 2],
    admins: [Link; 2],
    owners: [Link; 2],
}

impl Crew {
    async fn gather(cluster: &TestCluster) -> Self {
        let people: [Person; 6] = cluster.people().await;
        let mut links = Vec::new();
        for (number, person) in people.iter().enumerate() {
            links.push(person.connect(cluster.node(number)).await);
        }
        let Ok([m1, m2, a1, a2, o1, o2]) = <[Link; 6]>::try_from(links) else { unreachable!("six of them") };
        let others: Vec<_> = people[..5].iter().collect();
        let room = o2.room(RoomKind::Group, "a crew", &others).await;
        for (who, given) in [(&a1, Admin), (&a2, Admin), (&o1, Owner)] {
            o2.ok(role(room, who.me(), given)).await;
        }
        Self { room, members: [m1, m2], admins: [a1, a2], owners: [o1, o2] }
    }
}

/// Whether something is allowed; refused for any reason but the role fails the test.
async fn may<A: Ask>(link: &Link, ask: A) -> bool
where
    A::Answer: std::fmt::Debug,
{
    match link.ask(ask).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.reason(), Some(Reason::NotAllowed), "{error}");
            false
        }
    }
}

async fn roles_allow_what_they_say(cluster: TestCluster) {
    let crew = Crew::gather(&cluster).await;
    let room = crew.room;
    let [member, other_member] = &crew.members;
    let [admin, other_admin] = &crew.admins;
    let [owner, other_owner] = &crew.owners;
    let theirs = other_owner.say(room, "of another").await.seq;

    for (who, is_allowed) in [(member, false), (admin, true), (owner, true)] {
        assert_eq!(may(who, rename(room, &unique("name "))).await, is_allowed);
        let said = other_owner.say(room, "to be recalled").await.seq;
        let recall = MessageRecallParams { room, key: key(), seq: said };
        assert_eq!(may(who, recall).await, is_allowed);
        let edit = MessageEditParams { room, key: key(), seq: theirs, text: "x".to_owned() };
        assert!(!may(who, edit).await, "another's words are never changed");
        assert!(may(who, RoomInviteParams { room, expires_in_s: None, max_uses: None }).await);
    }

    // Naming roles: admins up to admin and only of those below owners.
    for (who, target, given, is_allowed) in [
        (member, other_member, Admin, false),
        (admin, other_member, Admin, true),
        (admin, other_member, Member, true),
        (admin, other_member, Owner, false),
        (admin, other_owner, Member, false),
        (owner, other_member, Owner, true),
        (owner, other_member, Member, true),
        (owner, other_owner, Admin, true),
        (owner, other_owner, Owner, true),
    ] {
        let allowed = may(who, role(room, target.me(), given)).await;
        assert_eq!(allowed, is_allowed, "a {:?} gives {given:?}", own_role(who, room).await);
    }

    // Removing: those of a lower role, and owners anyone.
    let remove = |target: &Link| RoomRemoveParams { room, user: target.me() };
    assert!(!may(member, remove(other_member)).await);
    assert!(!may(admin, remove(other_admin)).await);
    assert!(!may(admin, remove(owner)).await);
    assert!(may(admin, remove(other_member)).await);
    assert!(may(owner, remove(other_admin)).await);
    assert!(may(owner, remove(other_owner)).await);
    assert_eq!(owner.refused(remove(other_owner)).await, Reason::UnknownUser, "gone already");
    assert_eq!(owner.refused(role(room, other_owner.me(), Admin)).await, Reason::UnknownUser);
    let rest: BTreeSet<_> = owner
        .ok(RoomMembersParams { room, after: None, limit: None })
        .await
        .members
        .iter()
        .map(|m| m.user.id)
        .collect();
    assert_eq!(rest, BTreeSet::from([member.me(), admin.me(), owner.me()]));
}

async fn own_role(link: &Link, room: RoomId) -> Role {
    link.ok(GetRoom(room)).await.room.role
}

async fn a_room_keeps_an_owner(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let (ann, bea_link) = (ann.connect(cluster.node(0)).await, bea.connect(cluster.node(1)).await);
    let room = ann.group(&[&bea]).await;
    assert_eq!(ann.refused(LeaveRoom(room)).await, Reason::LastOwner);
    assert_eq!(ann.refused(role(room, ann.me(), Member)).await, Reason::LastOwner);
    ann.ok(role(room, bea_link.me(), Owner)).await;
    // Both leave at once: one of them stays, or both are gone, but no room of people is without an owner.
    let (by_ann, by_bea) =
        tokio::join!(ann.ask(role(room, ann.me(), Member)), bea_link.ask(role(room, bea_link.me(), Member)));
    let stepped_down = [by_ann.is_ok(), by_bea.is_ok()].iter().filter(|done| **done).count();
    assert_eq!(stepped_down, 1, "{by_ann:?} {by_bea:?}");
    let (owner, other) = if by_ann.is_ok() { (&bea_link, &ann) } else { (&ann, &bea_link) };
    other.ok(LeaveRoom(room)).await;
    owner.ok(LeaveRoom(room)).await;
    assert_eq!(owner.refused(GetRoom(room)).await, Reason::NotAMember);
}
