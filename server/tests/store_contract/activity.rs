//! Messages counted by time, and rooms as a list shows them.

use hubbub_protocol::{id::RoomId, model::RoomKind};
use hubbub_server::store::activity::{self, Counted};

use crate::fixture::{Fixture, now_ms};

pub(crate) async fn messages_are_counted_by_time(fixture: Fixture) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let channel = fixture.room(RoomKind::Channel, "channel", &[&ann, &bea]).await;
    let group = fixture.room(RoomKind::Group, "group", &[&ann, &bea]).await;
    let before = now_ms();
    for _ in 0..3 {
        fixture.say(channel, &ann, "here").await;
    }
    fixture.say(channel, &bea, "here").await;
    for _ in 0..2 {
        fixture.say(group, &bea, "among us").await;
    }
    let after = now_ms() + 1;
    let mut counted = activity::counted(&fixture.db, before, after).await.unwrap();
    counted.rooms.sort_unstable_by_key(|(_, _, messages)| *messages);
    counted.people.sort_unstable_by_key(|(_, messages)| *messages);
    assert_eq!(counted.rooms, [(group, RoomKind::Group, 2), (channel, RoomKind::Channel, 4)]);
    assert_eq!(counted.people, [(bea.user.id, 1), (ann.user.id, 3)]);
    assert_eq!(activity::total(&fixture.db, before, after).await.unwrap(), 6);
    // The end is not in it.
    assert_eq!(activity::counted(&fixture.db, after, after + 1_000).await.unwrap(), Counted::default());
    assert_eq!(activity::counted(&fixture.db, 0, before - 1_000).await.unwrap(), Counted::default());
    let mut kinds = activity::kinds(&fixture.db, &[group, channel, RoomId::generate()]).await.unwrap();
    kinds.sort_unstable_by_key(|(room, _)| *room);
    let mut expected = [(channel, RoomKind::Channel), (group, RoomKind::Group)];
    expected.sort_unstable_by_key(|(room, _)| *room);
    assert_eq!(kinds, expected);
}

pub(crate) async fn rooms_are_listed_for_one_person(fixture: Fixture) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let mine = fixture.room(RoomKind::Channel, "mine", &[&ann]).await;
    let others = fixture.room(RoomKind::Channel, "others", &[&bea]).await;
    let group = fixture.room(RoomKind::Group, "group", &[&bea]).await;
    let direct = fixture.room(RoomKind::Direct, "", &[&ann, &bea]).await;
    let all = [mine, others, group, direct];
    let listed = activity::channels(&fixture.db, ann.user.id, &all).await.unwrap();
    let mut listed: Vec<_> = listed.into_iter().map(|listed| (listed.name, listed.joined)).collect();
    listed.sort();
    assert_eq!(listed, [("mine".to_owned(), true), ("others".to_owned(), false)]);
    let private = activity::private_rooms(&fixture.db, ann.user.id, 10).await.unwrap();
    assert_eq!(private.iter().map(|listed| listed.room).collect::<Vec<_>>(), [direct]);
    let private = activity::private_rooms(&fixture.db, bea.user.id, 1).await.unwrap();
    assert_eq!(private.iter().map(|listed| listed.room).collect::<Vec<_>>(), [group.max(direct)]);
}
