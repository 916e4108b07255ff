//! A database for each test, and people, rooms and messages in it.

use std::{env, path::PathBuf, str::FromStr, time::Duration};

use futures_util::FutureExt;
use hubbub_protocol::{
    entry::EntryBody,
    id::{RoomId, Seq, SessionId, StreamId, UserId},
    model::{Device, DeviceClass, Role, RoomKind, User},
};
use hubbub_server::store::{
    DatabaseSettings, Db, LockWait, append,
    log::{Key, Log, logged},
    membership::{self, RoomRow},
    sessions::{self, Begun, NewSession, TokenHashes},
    users::{self, Inserted, NewUser},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

/// A test's own database.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) db: Db,
    pub(crate) settings: DatabaseSettings,
}

/// How long the sessions of these tests last, in milliseconds.
pub(crate) const LASTS_MS: i64 = 3_600_000;

pub(crate) fn on_sqlite<T: Future<Output = ()> + Send + 'static>(test: fn(Fixture) -> T) {
    let data_dir = env::temp_dir().join(format!("hubbub-store-{}", Uuid::now_v7()));
    runtime().block_on(run(test, settings(None, data_dir.clone())));
    std::fs::remove_dir_all(data_dir).expect("the data directory can be removed");
}

pub(crate) fn on_postgres<T: Future<Output = ()> + Send + 'static>(test: fn(Fixture) -> T) {
    let url = env::var("HUBBUB_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("HUBBUB_TEST_DATABASE_URL is not set: run the tests through scripts/with-services")
    });
    let name = format!("hubbub_store_{}", Uuid::now_v7().simple());
    runtime().block_on(async {
        administer(&url, format!("CREATE DATABASE {name}")).await;
        let outcome = std::panic::AssertUnwindSafe(run(
            test,
            settings(Some(with_database(&url, &name)), PathBuf::new()),
        ));
        let outcome = outcome.catch_unwind().await;
        administer(&url, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

async fn run<T: Future<Output = ()> + Send + 'static>(test: fn(Fixture) -> T, settings: DatabaseSettings) {
    let db = Db::open(&settings).await.expect("the database opens");
    let outcome = tokio::spawn(test(Fixture { db: db.clone(), settings })).await;
    db.close().await;
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

fn settings(url: Option<String>, data_dir: PathBuf) -> DatabaseSettings {
    DatabaseSettings { url, data_dir, max_connections: 4, start_wait: Duration::from_secs(20) }
}

/// The URL with another database in it.
fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, String::new()), |(a, q)| (a, format!("?{q}")));
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    format!("{}/{name}{query}", &address[..end])
}

async fn administer(url: &str, statement: String) {
    let options = PgConnectOptions::from_str(url).expect("HUBBUB_TEST_DATABASE_URL is a URL of Postgres");
    let mut connection = PgConnection::connect_with(&options).await.expect("the test Postgres answers");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("a test database is made or dropped");
    connection.close().await.ok();
}

/// A time that all of a test agrees on.
pub(crate) fn now_ms() -> i64 {
    hubbub_server::clock::now_ms()
}

pub(crate) fn device(name: &str) -> Device {
    Device { id: format!("id of {name}"), class: DeviceClass::Phone, name: name.to_owned() }
}

/// Someone with a session.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) session: SessionId,
}

impl Fixture {
    pub(crate) async fn user(&self, username: &str) -> User {
        let user = User {
            id: UserId::generate(),
            username: username.to_owned(),
            display_name: username.to_uppercase(),
        };
        let new = NewUser { user: user.clone(), password_hash: None, at_ms: now_ms() };
        assert_eq!(users::insert(&self.db, new).await.expect("inserted"), Inserted::Yes);
        user
    }

    /// A login; its tokens hash to `access <session>` and `refresh <session>`.
    pub(crate) async fn log_in(&self, user: UserId, device_name: &str) -> (SessionId, Begun) {
        let id = SessionId::generate();
        let new = NewSession {
            id,
            user,
            device: device(device_name),
            place: "192.0.2.0".to_owned(),
            tokens: hashes(&id.to_string(), now_ms()),
            at_ms: now_ms(),
        };
        let begun = sessions::begin(&self.db, new).await.expect("logged in").expect("the account exists");
        (id, begun)
    }

    pub(crate) async fn person(&self, username: &str) -> Person {
        let user = self.user(username).await;
        let (session, _) = self.log_in(user.id, username).await;
        Person { user, session }
    }

    /// A room whose first member made it.
    pub(crate) async fn room(&self, kind: RoomKind, name: &str, people: &[&Person]) -> RoomId {
        let room = RoomId::generate();
        let (name, people): (String, Vec<User>) =
            (name.to_owned(), people.iter().map(|person| person.user.clone()).collect());
        let ((), _) = logged(&self.db, move |log| make_room(log, room, kind, name, people).boxed())
            .await
            .expect("made");
        room
    }

    /// An entry of a room beside its messages.
    pub(crate) async fn append(&self, room: RoomId, by: UserId, body: EntryBody) -> Seq {
        let stream = StreamId::Room(room);
        logged(&self.db, move |log| {
            Box::pin(async move {
                log.lock(&[stream]).await?;
                Ok(log.append(stream, by, None, body).seq)
            })
        })
        .await
        .expect("appended")
        .0
    }

    pub(crate) async fn say(&self, room: RoomId, by: &Person, text: &str) -> Seq {
        let message = message(room, by, &Uuid::now_v7().to_string(), text);
        let (mut answers, _) =
            append::messages(&self.db, vec![message], LockWait::Usual).await.expect("committed");
        answers.remove(0).expect("accepted").seq
    }
}

pub(crate) fn hashes(of: &str, at_ms: i64) -> TokenHashes {
    TokenHashes {
        access: format!("access {of}"),
        access_expires_at_ms: at_ms + LASTS_MS,
        refresh: format!("refresh {of}"),
        refresh_expires_at_ms: at_ms + 2 * LASTS_MS,
    }
}

pub(crate) fn message(room: RoomId, by: &Person, key: &str, text: &str) -> append::NewMessage {
    append::NewMessage {
        room,
        sender: by.user.id,
        session: by.session,
        key: Key::of(key.to_owned(), &[text]),
        text: text.to_owned(),
        reply_to: None,
    }
}

async fn make_room(
    log: &mut Log,
    room: RoomId,
    kind: RoomKind,
    name: String,
    people: Vec<User>,
) -> Result<(), hubbub_server::error::CommandError> {
    let stream = StreamId::Room(room);
    let (maker, count) = (people[0].id, i64::try_from(people.len()).expect("a few"));
    let direct = (kind == RoomKind::Direct).then(|| membership::direct_key(maker, people[1].id));
    let row = RoomRow {
        id: room,
        kind,
        name: name.clone(),
        topic: "about".to_owned(),
        member_count: count,
        created_at_ms: log.at_ms(),
    };
    log.create(stream).await?;
    membership::insert_room(log, &row, direct.as_deref()).await?;
    let mut joined = log.append(stream, maker, None, EntryBody::RoomCreated { room_kind: kind, name }).seq;
    for (index, user) in people.into_iter().enumerate() {
        let role = if index == 0 { Role::Owner } else { Role::Member };
        if index > 0 {
            joined = log.append(stream, maker, None, EntryBody::MemberAdded { user: user.clone() }).seq;
        }
        membership::insert_member(log, room, user.id, role, joined).await?;
    }
    Ok(())
}
