//! Opening a database, and transactions as such.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use hubbub_protocol::{id::UserId, model::User};
use hubbub_server::store::{
    DatabaseSettings, Db, LockWait, Pools, StoreError, life,
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
    const TABLES: [&str; 11] = [
        "DROP TABLE last_seen",
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
    let mut tx = db.begin(LockWait::Usual).await.expect("begun");
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

pub(crate) async fn connections_that_died_are_replaced(fixture: Fixture) {
    const KILL: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let Pools::Postgres(pool) = fixture.db.pools() else { unreachable!("only on Postgres") };
    // Every connection of the pool is open, and at rest.
    let all = join_all((0..4).map(|_| pool.acquire())).await;
    drop(all);
    let administrator = Db::open(&fixture.settings).await.expect("it opens");
    let Pools::Postgres(outside) = administrator.pools() else { unreachable!("the same settings") };
    let killed: i64 = sqlx::query_scalar(KILL).fetch_one(outside).await.expect("they are ended");
    assert!(killed >= 4, "{killed}");
    let mut failed = 0;
    while users::insert(&fixture.db, new("ann")).await.is_err() {
        failed += 1;
        assert!(failed <= 4, "each dead connection is met once at most");
    }
    administrator.close().await;
}

pub(crate) async fn a_statement_that_takes_too_long_is_ended(fixture: Fixture) {
    let Pools::Postgres(pool) = fixture.db.pools() else { unreachable!("only on Postgres") };
    let begun = std::time::Instant::now();
    let slept = sqlx::query("SELECT pg_sleep(60)").execute(pool).await;
    assert!(
        slept.is_err() && begun.elapsed() < Duration::from_secs(10),
        "{slept:?} after {:?}",
        begun.elapsed()
    );

    // Whoever waits for a lock that is not given back gives up too, and the transaction with it.
    let ann = fixture.user("ann").await.id;
    let mut holder = pool.begin().await.expect("begun");
    let lock = "UPDATE users SET fence = fence + 1";
    sqlx::query(lock).execute(&mut *holder).await.expect("locked");
    let begun = std::time::Instant::now();
    let refused = users::insert(&fixture.db, new("bea")).await;
    assert!(refused.is_ok(), "another row is free");
    let waits =
        fixture.db.transact(move |tx| Box::pin(async move { users::set_display_name(tx, ann, "A").await }));
    assert!(waits.await.is_err() && begun.elapsed() < Duration::from_secs(10));
    holder.rollback().await.expect("given back");
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_said_in_words_without_its_password() {
    let settings = |url: &str| DatabaseSettings {
        url: Some(url.to_owned()),
        data_dir: std::env::temp_dir(),
        max_connections: 2,
        start_wait: Duration::from_millis(700),
    };
    let foreign = settings("mysql://hubbub:hunter2@127.0.0.1/hubbub");
    let error = Db::open(&foreign).await.expect_err("refused");
    assert!(
        matches!(error, StoreError::Url(_)) && !format!("{error:?} {error} {foreign:?}").contains("hunter2")
    );

    // Port 1 is nobody's: the start waits as long as it was told, not longer.
    let begun = std::time::Instant::now();
    let error =
        Db::open(&settings("postgres://hubbub:hunter2@127.0.0.1:1/hubbub")).await.expect_err("refused");
    assert!(matches!(error, StoreError::Database(_)) && !format!("{error:?} {error}").contains("hunter2"));
    assert!((500..5_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

pub(crate) async fn a_database_that_can_only_be_read_does_not_answer(fixture: Fixture) {
    const READ_ONLY: &str = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
        END $$";
    let Pools::Postgres(pool) = fixture.db.pools() else { unreachable!("only on Postgres") };
    fixture.db.ping().await.expect("it can be written to");
    sqlx::query(READ_ONLY).execute(pool).await.expect("it becomes as a standby is");
    let later = Db::open(&fixture.settings).await.expect("it opens");
    assert!(later.ping().await.is_err(), "a node on it must not be ready");
    later.close().await;
}

pub(crate) async fn a_new_life_is_seen_and_ends_sessions_only_when_asked(fixture: Fixture) {
    let ann = fixture.user("ann").await;
    fixture.log_in(ann.id, "laptop").await;
    let first = life::renew(&fixture.db, false, now_ms()).await.expect("a new epoch");
    assert_eq!(first.sessions_ended, 0);
    assert_ne!(first.epoch, fixture.db.epoch(), "what was opened keeps what it was opened with");
    assert_eq!(fixture.db.ping().await.expect("it answers"), first.epoch);
    let second = life::renew(&fixture.db, true, now_ms()).await.expect("a new epoch");
    assert_ne!(second.epoch, first.epoch);
    assert_eq!(second.sessions_ended, 1);
    let again = Db::open(&fixture.settings).await.expect("it opens");
    assert_eq!(again.epoch(), second.epoch);
    again.close().await;
}
