//! Accounts.

use hubbub_protocol::{
    id::{Seq, StreamId, UserId},
    model::User,
};
use hubbub_server::store::{
    entries,
    users::{self, Inserted, NewUser},
};

use crate::fixture::{Fixture, now_ms};

fn new(username: &str, display_name: &str) -> NewUser {
    let user =
        User { id: UserId::generate(), username: username.to_owned(), display_name: display_name.to_owned() };
    NewUser { user, password_hash: Some(format!("hash of {username}")), at_ms: now_ms() }
}

async fn found(fixture: &Fixture, query: &str, limit: u16) -> Vec<String> {
    let people = users::find(&fixture.db, query, None, limit).await.expect("an answer");
    people.into_iter().map(|user| user.username).collect()
}

pub(crate) async fn a_username_is_given_once(fixture: Fixture) {
    let ann = new("ann", "Ann");
    assert_eq!(users::insert(&fixture.db, ann.clone()).await.unwrap(), Inserted::Yes);
    assert_eq!(users::insert(&fixture.db, new("ann", "Anna")).await.unwrap(), Inserted::UsernameTaken);
    let known = users::by_username(&fixture.db, "ann").await.unwrap().expect("she exists");
    assert_eq!((known.user, known.password_hash.as_deref()), (ann.user, Some("hash of ann")));
    assert!(users::by_username(&fixture.db, "bea").await.unwrap().is_none());

    let at_once = (0..10).map(|_| users::insert(&fixture.db, new("cid", "Cid")));
    let outcomes = futures_util::future::join_all(at_once).await;
    let made = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Inserted::Yes))).count();
    assert_eq!(made, 1, "{outcomes:?}");
}

pub(crate) async fn an_account_has_a_stream(fixture: Fixture) {
    let own = StreamId::User(fixture.user("ann").await.id);
    let heads = entries::heads(&fixture.db, &[own]).await.unwrap();
    assert_eq!(heads.get(&own), Some(&Seq::ZERO));
}

pub(crate) async fn many_accounts_are_made_at_once(fixture: Fixture) {
    users::insert(&fixture.db, new("load-7", "Somebody")).await.unwrap();
    let many: Vec<_> = (0..1_203).map(|n| new(&format!("load-{n}"), "Load")).collect();
    let ids: Vec<_> = many.iter().map(|new| new.user.id).collect();
    let made = fixture.db.transact(move |tx| Box::pin(async move { users::insert_many(tx, &many).await }));
    let made = made.await.unwrap();
    assert_eq!(made.len(), 1_202);
    assert!(!made.contains(&ids[7]), "that username was taken");
    assert_eq!(users::by_ids(&fixture.db, &ids).await.unwrap().len(), 1_202);
    assert!(users::by_ids(&fixture.db, &[]).await.unwrap().is_empty());
    let streams: Vec<_> = ids.iter().map(|id| StreamId::User(*id)).collect();
    assert_eq!(entries::heads(&fixture.db, &streams).await.unwrap().len(), 1_202);
}

pub(crate) async fn people_are_found_by_how_their_names_begin(fixture: Fixture) {
    let people = [
        ("ann", "Zoë"),
        ("annika", "100% Annika"),
        ("ann_b", "B_B"),
        ("annxb", "Änne"),
        ("bea", "ANNABEL"),
        ("cid", r"back\slash"),
        ("dan", "林薇"),
    ];
    for (username, display_name) in people {
        users::insert(&fixture.db, new(username, display_name)).await.unwrap();
    }
    assert_eq!(found(&fixture, "ann", 50).await, ["ann", "ann_b", "annika", "annxb", "bea"]);
    assert_eq!(found(&fixture, "ann", 2).await, ["ann", "ann_b"]);
    let next = users::find(&fixture.db, "ann", Some("ann_b"), 2).await.unwrap();
    assert_eq!(next.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["annika", "annxb"]);
    assert_eq!(found(&fixture, "ANN_", 50).await, ["ann_b"], "an underscore is an underscore");
    assert_eq!(found(&fixture, "100%", 50).await, ["annika"]);
    assert_eq!(found(&fixture, "%", 50).await, [""; 0], "a percent sign is a percent sign");
    assert_eq!(found(&fixture, "_", 50).await, [""; 0]);
    assert_eq!(found(&fixture, r"back\", 50).await, ["cid"]);
    assert_eq!(found(&fixture, "än", 50).await, ["annxb"], "folded beyond ASCII");
    assert_eq!(found(&fixture, "ÄN", 50).await, ["annxb"]);
    assert_eq!(found(&fixture, "林", 50).await, ["dan"]);
    assert_eq!(found(&fixture, "' OR 1=1 --", 50).await, [""; 0]);
}

pub(crate) async fn a_display_name_changes(fixture: Fixture) {
    let ann = fixture.user("ann").await;
    let id = ann.id;
    let change = |id, name: &'static str| {
        fixture.db.transact(move |tx| Box::pin(async move { users::set_display_name(tx, id, name).await }))
    };
    let changed = change(id, "Queen Ann").await.unwrap().expect("she exists");
    assert_eq!((changed.username.as_str(), changed.display_name.as_str()), ("ann", "Queen Ann"));
    assert_eq!(users::by_ids(&fixture.db, &[id]).await.unwrap(), [changed]);
    assert_eq!(found(&fixture, "queen", 50).await, ["ann"]);
    assert!(change(UserId::generate(), "Nobody").await.unwrap().is_none());
}
