//! Opening a database, and transactions as such.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use hubbub_protocol::{id::UserId, model::User};
use hubbub_server::store::{
    Db, Pools, StoreError,
    users::{self, NewUser},
};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::fixture::{Fixture, now_ms};

fn new(username: &str) -> NewUser {
    let user =
        User { id: UserId::generate(), username: username.to_owned(), display_name: username.to_owned() };
    NewUser { user, password_hash: None, at_ms: now_ms() }
}

async fn exists(db: &Db, username: &str) -> bool {
    users::by_username(db, username).await.expect("an answer").is_some()
}

/// Empties the database that the fixture opened, as far as the migration looks at it.
async fn forget_tables(db: &Db) {
    const TABLES: [&str; 10] = [
        "DROP TABLE drafts",
        "DROP TABLE invites",
        "DROP TABLE messages",
        "DROP TABLE members",
        "DROP TABLE rooms",
        "DROP TABLE entries",
        "DROP TABLE streams",
        "DROP TABLE sessions",
        "DROP TABLE users",
        "DROP TABLE epoch",
    ];
    for table in TABLES {
        match db.pools() {
            Pools::Postgres(pool) => sqlx::query(table).execute(pool).await.map(|_| ()),
            Pools::Sqlite { writer, .. } => sqlx::query(table).execute(writer).await.map(|_| ()),
        }
        .expect("the table is dropped");
    }
}

pub(crate) async fn nodes_that_start_at_once_make_one_database(fixture: Fixture) {
    forget_tables(&fixture.db).await;
    let nodes = join_all((0..8).map(|_| {
        let settings = fixture.settings.clone();
        tokio::spawn(async move { Db::open(&settings).await })
    }));
    let mut epochs = HashSet::new();
    for node in nodes.await {
        let db = node.expect("no panic").expect("it opens");
        epochs.insert(db.epoch());
        db.ping().await.expect("it answers");
        db.close().await;
    }
    assert_eq!(epochs.len(), 1, "one database has one epoch");
}

pub(crate) async fn a_database_is_found_again(fixture: Fixture) {
    fixture.user("ann").await;
    let again = Db::open(&fixture.settings).await.expect("it opens");
    assert_eq!(again.epoch(), fixture.db.epoch());
    assert!(exists(&again, "ann").await);
    again.close().await;
    assert!(again.ping().await.is_err(), "a closed database does not answer");
}

pub(crate) async fn a_newer_database_is_refused(fixture: Fixture) {
    const NEWER: &str = "UPDATE epoch SET schema_version = 999";
    match fixture.db.pools() {
        Pools::Postgres(pool) => sqlx::query(NEWER).execute(pool).await.map(|_| ()),
        Pools::Sqlite { writer, .. } => sqlx::query(NEWER).execute(writer).await.map(|_| ()),
    }
    .expect("the version is set");
    let refused = Db::open(&fixture.settings).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Newer { found: 999, .. }), "{refused}");
}

pub(crate) async fn a_transaction_goes_on_without_its_caller(fixture: Fixture) {
    let (begun, has_begun) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel::<()>();
    let db = fixture.db.clone();
    let caller = tokio::spawn(async move {
        let work = db.transact(move |tx| {
            Box::pin(async move {
                users::insert_many(tx, &[new("ann")]).await?;
                begun.send(()).ok();
                may_go_on.await.ok();
                users::insert_many(tx, &[new("bea")]).await
            })
        });
        work.await
    });
    has_begun.await.expect("it begins");
    caller.abort();
    assert!(caller.await.expect_err("aborted").is_cancelled());
    go_on.send(()).expect("the transaction still waits");
    // Closing waits for transactions that run.
    fixture.db.close().await;
    let again = Db::open(&fixture.settings).await.expect("it opens");
    assert!(exists(&again, "ann").await && exists(&again, "bea").await);
    again.close().await;
}

pub(crate) async fn a_failed_or_abandoned_transaction_leaves_nothing(fixture: Fixture) {
    let db = &fixture.db;
    let failed: sqlx::Result<()> = db
        .transact(|tx| {
            Box::pin(async move {
                users::insert_many(tx, &[new("ann")]).await?;
                Err(sqlx::Error::RowNotFound)
            })
        })
        .await;
    assert!(matches!(failed, Err(sqlx::Error::RowNotFound)), "the first error is told: {failed:?}");
    let mut tx = db.begin().await.expect("begun");
    users::insert_many(&mut tx, &[new("bea")]).await.expect("inserted");
    drop(tx);
    // More than there are connections: none of them is inside of an old transaction.
    for round in 0..6 {
        users::insert(db, new(&format!("cid{round}"))).await.expect("inserted");
    }
    assert!(!exists(db, "ann").await && !exists(db, "bea").await && exists(db, "cid5").await);
}

pub(crate) async fn a_panic_is_an_error_of_that_transaction_alone(fixture: Fixture) {
    let failed: sqlx::Result<()> = fixture
        .db
        .transact(|tx| {
            Box::pin(async move {
                users::insert_many(tx, &[new("ann")]).await?;
                panic!("on purpose");
            })
        })
        .await;
    assert!(failed.is_err());
    users::insert(&fixture.db, new("ann")).await.expect("nothing of it is left");
    let pinged = tokio::time::timeout(Duration::from_secs(3), fixture.db.ping()).await;
    pinged.expect("within its limit").expect("it answers");
    assert_ne!(fixture.db.epoch().as_uuid(), Uuid::nil());
}
