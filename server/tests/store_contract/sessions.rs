//! Logins, refreshes and ends.

use std::collections::HashSet;

use futures_util::future::join_all;
use hubbub_protocol::{
    close::EndReason,
    id::{SessionId, UserId},
    model::{Invite, RoomKind, SessionEnd},
};
use hubbub_server::store::{
    expired, invites,
    sessions::{self, NewSession, Rotation},
};

use crate::fixture::{Fixture, LASTS_MS, device, hashes, now_ms};

fn logged_out() -> SessionEnd {
    SessionEnd { reason: EndReason::LoggedOut, device: None, place: None, at: now_ms() }
}

async fn stored(fixture: &Fixture, session: SessionId) -> sessions::Stored {
    sessions::by_access_hash(&fixture.db, &format!("access {session}")).await.unwrap().expect("it exists")
}

pub(crate) async fn of_many_logins_at_once_one_session_stays(fixture: Fixture) {
    let user = fixture.user("ann").await.id;
    let logins = (0..50).map(|n| {
        let fixture = fixture.clone();
        tokio::spawn(async move { fixture.log_in(user, &format!("device {n}")).await })
    });
    let logins: Vec<_> = join_all(logins).await.into_iter().map(|login| login.expect("no panic")).collect();
    let fences: HashSet<_> = logins.iter().map(|(_, begun)| begun.fence).collect();
    assert_eq!(fences, (1..=50).collect(), "each login has a fence of its own");
    let (winner, _) = logins.iter().max_by_key(|(_, begun)| begun.fence).expect("fifty");

    let live = sessions::live_of(&fixture.db, user, now_ms()).await.unwrap();
    assert_eq!(live.iter().map(|session| session.id).collect::<Vec<_>>(), [*winner]);
    let displaced: Vec<_> = logins.iter().flat_map(|(_, begun)| begun.displaced.clone()).collect();
    assert_eq!(displaced.len(), 49, "each was told of once");
    assert_eq!(displaced.into_iter().collect::<HashSet<_>>().len(), 49);

    let all: Vec<_> = logins.iter().map(|(id, _)| *id).collect();
    let over = sessions::ended_among(&fixture.db, &all, now_ms()).await.unwrap();
    assert_eq!(over.len(), 49);
    assert!(over.iter().all(|(id, end)| id != winner && end.reason == EndReason::Displaced));
}

pub(crate) async fn a_login_names_the_device_that_displaced(fixture: Fixture) {
    let user = fixture.user("ann").await;
    let (old, _) = fixture.log_in(user.id, "laptop").await;
    let (new, begun) = fixture.log_in(user.id, "phone").await;
    assert_eq!(begun.displaced, [old]);
    let end = stored(&fixture, old).await.end.expect("it is over");
    assert_eq!(end, begun.end);
    assert_eq!(
        (end.reason, end.device, end.place.as_deref()),
        (EndReason::Displaced, Some(device("phone")), Some("192.0.2.0"))
    );
    let new = stored(&fixture, new).await;
    assert_eq!((new.user, new.fence, new.end), (user, 2, None));
    assert_eq!(
        (new.session.device, new.session.place.as_str(), new.session.current),
        (device("phone"), "192.0.2.0", false)
    );

    let nobody = NewSession {
        id: SessionId::generate(),
        user: UserId::generate(),
        device: device("x"),
        place: String::new(),
        tokens: hashes("x", now_ms()),
        at_ms: now_ms(),
    };
    assert!(sessions::begin(&fixture.db, nobody).await.unwrap().is_none());
    assert!(sessions::by_access_hash(&fixture.db, "access x").await.unwrap().is_none());
}

pub(crate) async fn a_refresh_token_is_good_once(fixture: Fixture) {
    let user = fixture.user("ann").await.id;
    let (id, _) = fixture.log_in(user, "laptop").await;
    let first = format!("refresh {id}");
    let rotate = |shown: &str, new: &str, now| {
        let (db, shown, new) = (fixture.db.clone(), shown.to_owned(), hashes(new, now));
        async move { sessions::rotate(&db, shown, new, now).await.unwrap() }
    };
    let Rotation::Rotated(rotated) = rotate(&first, "two", now_ms()).await else {
        panic!("the first use is good")
    };
    assert_eq!((rotated.session.id, rotated.user.id), (id, user));
    assert!(sessions::by_access_hash(&fixture.db, &format!("access {id}")).await.unwrap().is_none());
    assert!(sessions::by_access_hash(&fixture.db, "access two").await.unwrap().is_some());
    assert!(matches!(rotate("refresh two", "three", now_ms()).await, Rotation::Rotated(_)));
    assert!(matches!(rotate("never seen", "x", now_ms()).await, Rotation::Unknown));

    let Rotation::Reused(ended, end) = rotate("refresh two", "four", now_ms()).await else {
        panic!("it was spent")
    };
    assert_eq!((ended, end.reason), (id, EndReason::TokenReused));
    let Rotation::Ended(end) = rotate("refresh three", "five", now_ms()).await else { panic!("all is over") };
    assert_eq!(end.reason, EndReason::TokenReused);
    assert!(sessions::live_of(&fixture.db, user, now_ms()).await.unwrap().is_empty());

    let (late, _) = fixture.log_in(user, "phone").await;
    let too_late = now_ms() + 3 * LASTS_MS;
    let Rotation::Ended(end) = rotate(&format!("refresh {late}"), "six", too_late).await else {
        panic!("it timed out")
    };
    assert_eq!(end.reason, EndReason::Expired);
}

pub(crate) async fn of_many_refreshes_at_once_one_wins(fixture: Fixture) {
    let user = fixture.user("ann").await.id;
    let (id, _) = fixture.log_in(user, "laptop").await;
    let attempts = (0..20).map(|n| {
        let db = fixture.db.clone();
        let (shown, new) = (format!("refresh {id}"), hashes(&format!("new {n}"), now_ms()));
        tokio::spawn(async move { sessions::rotate(&db, shown, new, now_ms()).await.unwrap() })
    });
    let outcomes: Vec<_> =
        join_all(attempts).await.into_iter().map(|outcome| outcome.expect("no panic")).collect();
    let count = |wanted: fn(&Rotation) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    assert_eq!(count(|outcome| matches!(outcome, Rotation::Rotated(_))), 1);
    assert_eq!(count(|outcome| matches!(outcome, Rotation::Reused(..))), 1, "the end is told once");
    assert_eq!(count(|outcome| matches!(outcome, Rotation::Ended(_))), 18);
    let over = sessions::ended_among(&fixture.db, &[id], now_ms()).await.unwrap();
    assert_eq!(over[&id].reason, EndReason::TokenReused, "a token used twice is in two hands");
}

pub(crate) async fn a_session_is_ended_once_and_only_by_its_owner(fixture: Fixture) {
    let [ann, bea] = [fixture.user("ann").await.id, fixture.user("bea").await.id];
    let (id, _) = fixture.log_in(ann, "laptop").await;
    assert!(!sessions::end(&fixture.db, bea, id, logged_out()).await.unwrap());
    let end = SessionEnd { device: Some(device("phone")), place: Some("here".to_owned()), ..logged_out() };
    assert!(sessions::end(&fixture.db, ann, id, end.clone()).await.unwrap());
    assert!(!sessions::end(&fixture.db, ann, id, logged_out()).await.unwrap(), "it is over");
    assert_eq!(stored(&fixture, id).await.end, Some(end), "the first end stays");
}

pub(crate) async fn the_others_are_ended(fixture: Fixture) {
    let user = fixture.user("ann").await.id;
    // An operator can give an account several sessions; a login cannot.
    let several: Vec<_> = (0..3)
        .map(|n| {
            let id = SessionId::generate();
            let tokens = hashes(&id.to_string(), now_ms());
            let (device, place) = (device(&format!("bot {n}")), "operator".to_owned());
            (NewSession { id, user, device, place, tokens, at_ms: now_ms() + n }, 0)
        })
        .collect();
    let ids: Vec<_> = several.iter().map(|(new, _)| new.id).collect();
    let insert =
        fixture.db.transact(move |tx| Box::pin(async move { sessions::insert_many(tx, &several).await }));
    insert.await.unwrap();
    let newest_first: Vec<_> = ids.iter().rev().copied().collect();
    let listed: Vec<_> =
        sessions::live_of(&fixture.db, user, now_ms()).await.unwrap().iter().map(|s| s.id).collect();
    assert_eq!(listed, newest_first);

    let end = SessionEnd { reason: EndReason::PasswordChanged, ..logged_out() };
    let ended = sessions::end_others(&fixture.db, user, Some(ids[1]), end.clone()).await.unwrap();
    assert_eq!(ended.into_iter().collect::<HashSet<_>>(), HashSet::from([ids[0], ids[2]]));
    let over: HashSet<_> =
        sessions::ended_among(&fixture.db, &ids, now_ms()).await.unwrap().into_keys().collect();
    assert_eq!(over, HashSet::from([ids[0], ids[2]]));
    assert_eq!(sessions::end_others(&fixture.db, user, None, end).await.unwrap(), [ids[1]]);
}

pub(crate) async fn use_is_written_once_a_minute_and_revives_nothing(fixture: Fixture) {
    let [ann, bea, cid] = ["ann", "bea", "cid"];
    let [ann, bea, cid] =
        [fixture.user(ann).await.id, fixture.user(bea).await.id, fixture.user(cid).await.id];
    let (one, _) = fixture.log_in(ann, "laptop").await;
    let (two, _) = fixture.log_in(bea, "laptop").await;
    let (ended, _) = fixture.log_in(cid, "laptop").await;
    sessions::end(&fixture.db, cid, ended, logged_out()).await.unwrap();
    let touch = |ids: Vec<SessionId>, now| {
        let db = fixture.db.clone();
        async move { sessions::touch(&db, &ids, now, now + LASTS_MS, now + 2 * LASTS_MS).await.unwrap() }
    };
    let begin = stored(&fixture, one).await.session.used_at.max(stored(&fixture, two).await.session.used_at);
    assert_eq!(touch(vec![], begin + 60_000).await, 0);
    assert_eq!(touch(vec![one], begin + 30_000).await, 0, "used less than a minute ago");
    let minute = begin + 60_000;
    assert_eq!(touch(vec![one, ended, SessionId::generate()], minute).await, 1, "what ended stays so");
    assert_eq!(touch(vec![one, two, one, ended], minute + 1).await, 1, "only who was not noted yet");
    let used = stored(&fixture, one).await;
    assert_eq!(used.session.used_at, minute);
    assert_eq!(
        (used.access_expires_at_ms, used.refresh_expires_at_ms),
        (minute + LASTS_MS, minute + 2 * LASTS_MS)
    );
    assert_eq!(touch(vec![one], minute + 2 * LASTS_MS).await, 0, "timed out is over");
}

pub(crate) async fn what_ended_long_ago_is_deleted(fixture: Fixture) {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let ann = fixture.person("ann").await;
    let room = fixture.room(RoomKind::Group, "room", &[&ann]).await;
    let (displaced, _) = fixture.log_in(ann.user.id, "laptop").await;
    let (lives, _) = fixture.log_in(ann.user.id, "phone").await;
    let now = now_ms();
    for (code, expires_at) in [("ended", now), ("lasts", now + 40 * DAY_MS)] {
        let (invite, by) = (Invite { code: code.to_owned(), room, expires_at, uses_left: None }, ann.user.id);
        let kept =
            fixture.db.transact(move |tx| Box::pin(async move { invites::insert(tx, &invite, by).await }));
        kept.await.unwrap();
    }
    let delete = async |at_ms: i64| expired::delete(&fixture.db, at_ms).await.unwrap();
    let is_known = async |session: SessionId| {
        sessions::by_access_hash(&fixture.db, &format!("access {session}")).await.unwrap().is_some()
    };
    assert_eq!(delete(now + 6 * DAY_MS).await, 0);
    assert_eq!(delete(now + 8 * DAY_MS).await, 1, "the invitation that ended a week ago");
    assert!(invites::by_code(&fixture.db, "ended", 0).await.unwrap().is_none());
    assert!(is_known(displaced).await, "a session says for a month why it ended");
    assert_eq!(delete(now + 30 * DAY_MS + LASTS_MS).await, 2, "both that were displaced");
    assert!(!is_known(displaced).await && is_known(lives).await);
    assert!(invites::by_code(&fixture.db, "lasts", now).await.unwrap().is_some());
    assert_eq!(delete(now + 30 * DAY_MS + 3 * LASTS_MS).await, 1, "the one that timed out a month ago");
}

pub(crate) async fn sessions_that_are_over_are_told(fixture: Fixture) {
    let user = fixture.user("ann").await.id;
    let (id, _) = fixture.log_in(user, "laptop").await;
    let unknown = SessionId::generate();
    assert!(sessions::ended_among(&fixture.db, &[id], now_ms()).await.unwrap().is_empty());
    assert!(sessions::ended_among(&fixture.db, &[], now_ms()).await.unwrap().is_empty());
    let over = sessions::ended_among(&fixture.db, &[id, unknown, id], now_ms()).await.unwrap();
    assert_eq!(over.len(), 1, "what the database does not know is no session: {over:?}");
    assert_eq!(over.get(&unknown).map(|end| end.reason), Some(EndReason::Expired));
    let later = now_ms() + 3 * LASTS_MS;
    let over = sessions::ended_among(&fixture.db, &[id], later).await.unwrap();
    assert_eq!(over.get(&id).map(|end| end.reason), Some(EndReason::Expired));
    assert!(sessions::live_of(&fixture.db, user, later).await.unwrap().is_empty());
}
