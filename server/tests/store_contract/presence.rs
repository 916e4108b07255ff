//! When people were last online, and who shares a room with whom.

use std::collections::HashSet;

use hubbub_protocol::{id::UserId, model::RoomKind};
use hubbub_server::store::{last_seen, members};

use crate::fixture::Fixture;

pub(crate) async fn the_latest_time_stays(fixture: Fixture) {
    let db = &fixture.db;
    let (ann, bea) = (fixture.user("ann").await.id, fixture.user("bea").await.id);
    last_seen::put(db, &[(bea, 20), (ann, 10)]).await.unwrap();
    last_seen::put(db, &[(ann, 30), (bea, 15)]).await.unwrap();
    last_seen::put(db, &[]).await.unwrap();
    let seen = last_seen::of(db, &[ann, bea, UserId::generate()]).await.unwrap();
    assert_eq!((seen.len(), seen[&ann], seen[&bea]), (2, 30, 20));
    assert!(last_seen::of(db, &[]).await.unwrap().is_empty());
    // From many nodes at once, in any order.
    let at_once = (0..20_i64).map(|at| {
        let db = db.clone();
        let both =
            if at % 2 == 0 { [(ann, 100 + at), (bea, 100 + at)] } else { [(bea, 100 + at), (ann, 100 + at)] };
        async move { last_seen::put(&db, &both).await }
    });
    assert!(futures_util::future::join_all(at_once).await.iter().all(Result::is_ok));
    let seen = last_seen::of(db, &[ann, bea]).await.unwrap();
    assert_eq!((seen[&ann], seen[&bea]), (119, 119));
}

pub(crate) async fn who_shares_a_room_is_found(fixture: Fixture) {
    let [ann, bea, cid, dan] = [
        fixture.person("ann").await,
        fixture.person("bea").await,
        fixture.person("cid").await,
        fixture.person("dan").await,
    ];
    fixture.room(RoomKind::Group, "one", &[&ann, &bea]).await;
    fixture.room(RoomKind::Group, "two", &[&ann, &bea, &cid]).await;
    fixture.room(RoomKind::Group, "three", &[&cid, &dan]).await;
    let all = [ann.user.id, bea.user.id, cid.user.id, dan.user.id, UserId::generate()];
    let sharing = members::sharing(&fixture.db, ann.user.id, &all).await.unwrap();
    assert_eq!(sharing, HashSet::from([ann.user.id, bea.user.id, cid.user.id]));
    assert!(members::sharing(&fixture.db, UserId::generate(), &all).await.unwrap().is_empty());
    assert!(members::sharing(&fixture.db, ann.user.id, &[]).await.unwrap().is_empty());
}

pub(crate) async fn small_rooms_are_found(fixture: Fixture) {
    let [ann, bea, cid] =
        [fixture.person("ann").await, fixture.person("bea").await, fixture.person("cid").await];
    let pair = fixture.room(RoomKind::Group, "pair", &[&ann, &bea]).await;
    let three = fixture.room(RoomKind::Channel, "three", &[&ann, &bea, &cid]).await;
    let of = async |users: &[UserId], most| {
        let mut rooms = members::small_rooms_of(&fixture.db, users, most).await.unwrap();
        rooms.sort_unstable();
        rooms
    };
    assert_eq!(of(&[ann.user.id], 2).await, [(ann.user.id, pair)]);
    assert_eq!(of(&[cid.user.id], 2).await, []);
    let mut both = [(ann.user.id, pair), (ann.user.id, three), (cid.user.id, three)];
    both.sort_unstable();
    assert_eq!(of(&[ann.user.id, cid.user.id], 3).await, both);
    assert_eq!(of(&[], 3).await, []);
    // Pages of ids.
    let mut all = vec![ann.user.id, bea.user.id, cid.user.id];
    all.sort_unstable();
    assert_eq!(members::ids(&fixture.db, three, None, 10).await.unwrap(), all);
    assert_eq!(members::ids(&fixture.db, three, None, 2).await.unwrap(), all[..2]);
    assert_eq!(members::ids(&fixture.db, three, Some(all[1]), 2).await.unwrap(), all[2..]);
}
