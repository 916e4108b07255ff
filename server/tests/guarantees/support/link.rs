//! A connection as a test holds it: everything it hears is kept, and what the contract forbids fails the test.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use hubbub_client::{
    Ask, AskError, Closed, Connection, ServerAddress, Unasked,
    ask::GetRoom,
    connection::{ConnectError, Options, Pushes},
    cursors::{Cursors, Taken},
};
use hubbub_protocol::{
    command::{
        MessageEditParams, MessageRecallParams, MessageSendParams, PingParams, RoomCreateParams,
        RoomHistoryParams, RoomReadParams, Sent, SessionStartResult,
    },
    entry::{Entry, EntryBody},
    error::{ErrorObject, Reason},
    id::{Cursor, RoomId, Seq, StreamId, UserId},
    model::{RoomKind, SessionEnd},
    push::{Push, Signal},
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use super::{PATIENCE, Person, services::unique, within};

/// Why there is no session on a connection.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No connection.
    Connect(ConnectError),
    /// A connection, but no session.
    Start(AskError),
}

impl Refusal {
    /// The catalogue's reason.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Start(error) => error.reason(),
            Self::Connect(error) => panic!("no connection: {error}"),
        }
    }
}

/// Limits of a connection in a test: patient, because the machine may be busy.
pub(crate) fn options() -> Options {
    Options {
        connect_limit: PATIENCE,
        answer_limit: PATIENCE,
        unasked_waiting: 100_000,
        ..Options::default()
    }
}

/// All that a connection has heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    entries: BTreeMap<StreamId, Vec<Entry>>,
    /// Signals, in order.
    pub(crate) signals: Vec<Signal>,
    /// Errors that answer no request.
    pub(crate) strays: Vec<ErrorObject>,
    /// Why the session ended.
    pub(crate) ended: Option<SessionEnd>,
    /// How the connection ended, and when that was noticed.
    pub(crate) closed: Option<(Closed, Instant)>,
    /// What the server must never do, and did.
    fault: Option<String>,
    count: u64,
    cursors: Cursors,
}

impl Heard {
    /// The entries of a stream, in order.
    pub(crate) fn of(&self, stream: impl Into<Stream>) -> &[Entry] {
        self.entries.get(&stream.into().0).map_or(&[], Vec::as_slice)
    }

    fn take(&mut self, unasked: Unasked) {
        self.count += 1;
        let push = match unasked {
            Unasked::Push(push) => *push,
            Unasked::Stray(error) => return self.strays.push(error),
            Unasked::Unknown(method) => {
                return self.fault = Some(format!("the push {method} is not of this wire"));
            }
        };
        if self.ended.is_some() {
            self.fault = Some(format!("something came after session.ended: {push:?}"));
        }
        match push {
            Push::Entry(entry) => {
                // G3 and G4 on every connection of every test: increasing by one, never a hole.
                let taken = self.cursors.take(&entry);
                if taken != Taken::Fresh {
                    self.fault = Some(format!("{taken:?} at seq {} of {}", entry.seq, entry.stream));
                }
                self.entries.entry(entry.stream).or_default().push(entry);
            }
            Push::Signal(signal) => self.signals.push(signal),
            Push::SessionEnded(end) => self.ended = Some(end),
        }
    }
}

/// A stream, or the room whose stream is meant.
pub(crate) struct Stream(StreamId);

impl From<StreamId> for Stream {
    fn from(stream: StreamId) -> Self {
        Self(stream)
    }
}

impl From<RoomId> for Stream {
    fn from(room: RoomId) -> Self {
        Self(StreamId::Room(room))
    }
}

impl From<UserId> for Stream {
    fn from(user: UserId) -> Self {
        Self(StreamId::User(user))
    }
}

/// A started connection.
pub(crate) struct Link {
    connection: Connection,
    /// What the session began with.
    pub(crate) started: SessionStartResult,
    heard: watch::Receiver<Heard>,
    listening: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Link {
    /// Connects and starts the session.
    pub(crate) async fn open(
        node: &ServerAddress,
        options: &Options,
        token: &str,
        cursors: BTreeMap<StreamId, Cursor>,
    ) -> Result<Self, Refusal> {
        let (connection, pushes) = Connection::open(node, options).await.map_err(Refusal::Connect)?;
        let mut kept = Cursors::from(cursors.clone());
        let started = connection.start(token, cursors).await.map_err(Refusal::Start)?;
        kept.start(&started);
        let (tell, heard) = watch::channel(Heard { cursors: kept, ..Heard::default() });
        let listening = tokio::spawn(listen(connection.clone(), pushes, tell));
        Ok(Self { connection, started, heard, listening })
    }

    /// Whose connection this is.
    pub(crate) fn me(&self) -> UserId {
        self.started.user.id
    }

    /// The bare connection.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Asks, and expects an answer.
    pub(crate) async fn ok<A: Ask>(&self, ask: A) -> A::Answer {
        self.connection.ask(ask).await.unwrap_or_else(|error| panic!("expected an answer, got: {error}"))
    }

    /// Asks, and takes what comes.
    pub(crate) async fn ask<A: Ask>(&self, ask: A) -> Result<A::Answer, AskError> {
        self.connection.ask(ask).await
    }

    /// Asks, and expects to be refused.
    pub(crate) async fn refused<A: Ask>(&self, ask: A) -> Reason
    where
        A::Answer: std::fmt::Debug,
    {
        let error = self.connection.ask(ask).await.expect_err("expected a refusal");
        error.reason().unwrap_or_else(|| panic!("expected a refusal, got: {error}"))
    }

    /// Everything that was on its way before this call has been heard after it.
    pub(crate) async fn round_trip(&self) {
        self.ok(PingParams {}).await;
        // What came before the answer may still be on its way from the connection to what was heard.
        let so_far = self.connection.pushes_received();
        self.until("what had arrived", |heard| (heard.count >= so_far).then_some(())).await;
    }

    /// Waits until what was heard holds something.
    pub(crate) async fn until<T>(&self, what: &str, find: impl Fn(&Heard) -> Option<T>) -> T {
        let found = Arc::new(Mutex::new(None));
        let mut heard = self.heard.clone();
        let looking = heard.wait_for(|heard| {
            if let Some(fault) = &heard.fault {
                panic!("the contract is broken: {fault}");
            }
            let result = find(heard);
            let done = result.is_some();
            *found.lock().expect("one task looks") = result;
            done
        });
        let looked = within(PATIENCE, what, looking).await.is_ok();
        assert!(looked, "the connection ended before: {what}");
        let result = found.lock().expect("one task looks").take();
        result.expect("found just now")
    }

    /// Looks at what was heard so far.
    pub(crate) fn heard<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        let heard = self.heard.borrow();
        if let Some(fault) = &heard.fault {
            panic!("the contract is broken: {fault}");
        }
        look(&heard)
    }

    /// The entries of a stream heard so far.
    pub(crate) fn entries(&self, stream: impl Into<Stream>) -> Vec<Entry> {
        let stream = stream.into().0;
        self.heard(|heard| heard.of(stream).to_vec())
    }

    /// Waits until a stream has come this far; all its entries heard.
    pub(crate) async fn until_seq(&self, stream: impl Into<Stream>, seq: Seq) -> Vec<Entry> {
        let stream = stream.into().0;
        self.until(&format!("seq {seq} of {stream}"), |heard| {
            let entries = heard.of(stream);
            entries.last().is_some_and(|last| last.seq >= seq).then(|| entries.to_vec())
        })
        .await
    }

    /// Waits until the room is one's own.
    pub(crate) async fn joined(&self, room: RoomId) {
        let me = self.me();
        self.until("room_joined", |heard| {
            let is_it = |entry: &Entry| matches!(&entry.body, EntryBody::RoomJoined { room: joined } if joined.id == room);
            heard.of(me).iter().any(is_it).then_some(())
        })
        .await;
    }

    /// Waits for the end of the connection.
    pub(crate) async fn closed(&self) -> (Closed, Instant) {
        self.until("the end of the connection", |heard| heard.closed.clone()).await
    }

    /// How far each stream was read.
    pub(crate) fn cursors(&self) -> BTreeMap<StreamId, Cursor> {
        self.heard(|heard| heard.cursors.to_send())
    }

    /// Cuts the connection without a word, as a network does; where each stream was read to.
    pub(crate) fn cut(self) -> BTreeMap<StreamId, Cursor> {
        self.cursors()
    }

    /// As [`Link::cut`], with the entries of a stream heard until then.
    pub(crate) fn cut_with_entries(
        self,
        stream: impl Into<Stream>,
    ) -> (Vec<Entry>, BTreeMap<StreamId, Cursor>) {
        let stream = stream.into().0;
        self.heard(|heard| (heard.of(stream).to_vec(), heard.cursors.to_send()))
    }

    /// A new room of this kind with these members.
    pub(crate) async fn room(&self, kind: RoomKind, name: &str, members: &[&Person]) -> RoomId {
        let created = self
            .ok(RoomCreateParams {
                key: key(),
                kind,
                name: name.to_owned(),
                topic: String::new(),
                members: members.iter().map(|member| member.id()).collect(),
            })
            .await;
        created.room.id
    }

    /// A new group.
    pub(crate) async fn group(&self, members: &[&Person]) -> RoomId {
        self.room(RoomKind::Group, "a group", members).await
    }

    /// Sends a message.
    pub(crate) async fn say(&self, room: RoomId, text: &str) -> Sent {
        self.ok(message(room, text)).await
    }

    /// Sends many messages, as fast as the connection takes them; the answers in the order of the texts.
    pub(crate) async fn say_all(&self, room: RoomId, texts: impl IntoIterator<Item = String>) -> Vec<Sent> {
        let mut pending = Vec::new();
        for text in texts {
            pending.push(self.connection.submit(message(room, &text)).await.expect("a living connection"));
        }
        let mut sent = Vec::new();
        for answer in pending {
            sent.push(answer.await.expect("an acknowledgement"));
        }
        sent
    }

    /// The newest seq of a room.
    pub(crate) async fn head(&self, room: RoomId) -> Seq {
        self.ok(GetRoom(room)).await.room.head
    }

    /// A room's whole log.
    pub(crate) async fn log(&self, room: RoomId) -> Vec<Entry> {
        let mut log: Vec<Entry> = Vec::new();
        loop {
            let after = Some(log.last().map_or(Seq::ZERO, |last| last.seq));
            let page = self.ok(RoomReadParams { room, before: None, after, limit: Some(200) }).await;
            let end = page.entries.last().is_none_or(|last| last.seq >= page.head);
            log.extend(page.entries);
            if end {
                return log;
            }
        }
    }
}

async fn listen(connection: Connection, mut pushes: Pushes, tell: watch::Sender<Heard>) {
    while let Some(unasked) = pushes.next().await {
        tell.send_modify(|heard| heard.take(unasked));
    }
    let closed = connection.closed().await;
    tell.send_modify(|heard| heard.closed = Some((closed, Instant::now())));
    // The sender stays, so that whoever waits in vain is told what for.
    std::future::pending::<()>().await;
}

/// A message under a new key.
pub(crate) fn message(room: RoomId, text: &str) -> MessageSendParams {
    MessageSendParams { room, key: key(), text: text.to_owned(), reply_to: None }
}

/// An edit under a new key.
pub(crate) fn edit(room: RoomId, seq: Seq, text: &str) -> MessageEditParams {
    MessageEditParams { room, key: key(), seq, text: text.to_owned() }
}

/// A recall under a new key.
pub(crate) fn recall(room: RoomId, seq: Seq) -> MessageRecallParams {
    MessageRecallParams { room, key: key(), seq }
}

/// The newest page of a room's history.
pub(crate) fn newest(room: RoomId) -> RoomHistoryParams {
    RoomHistoryParams { room, before: None, after: None, around: None, limit: None }
}

/// A new idempotency key.
pub(crate) fn key() -> String {
    unique("k")
}

/// The entry that has this seq.
pub(crate) fn entry_at(entries: &[Entry], seq: Seq) -> &Entry {
    entries.iter().find(|entry| entry.seq == seq).unwrap_or_else(|| panic!("no entry has seq {seq}"))
}

/// The entries after `after`, up to and including `upto`.
pub(crate) fn entries_between(entries: &[Entry], after: Seq, upto: Seq) -> Vec<Entry> {
    entries.iter().filter(|entry| entry.seq > after && entry.seq <= upto).cloned().collect()
}

/// The seqs of entries.
pub(crate) fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq.0).collect()
}

/// The texts of the messages among entries.
pub(crate) fn texts(entries: &[Entry]) -> Vec<&str> {
    entries
        .iter()
        .filter_map(|entry| match &entry.body {
            EntryBody::Message { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Fails unless entries are `first`, `first + 1`, … without hole or repeat.
pub(crate) fn assert_dense(entries: &[Entry], first: u64) {
    let expected: Vec<u64> = (first..).take(entries.len()).collect();
    assert_eq!(seqs(entries), expected);
}

/// What a promise of "within one second" is held to here: the promise, and a little for a busy machine.
pub(crate) const A_SECOND: Duration = Duration::from_millis(1_500);
