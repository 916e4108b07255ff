//! A client that comes back: it resumes where it was, on any node, and repeats what was not answered.
//!
//! It does what the table of close codes says ([`hubbub_protocol::close::next_after`]) and never returns by itself
//! after one that says stop. What has an idempotency key, and what only reads, is repeated until it is answered;
//! other commands that were under way when a connection was lost fail with [`AskError::Closed`].

use std::time::Duration;

use hubbub_protocol::{
    command::{Command, SessionStartResult},
    entry::Entry,
    error::ErrorObject,
    http::LoggedIn,
    id::{Seq, StreamId},
    model::SessionEnd,
    push::Signal,
};
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};

use crate::{
    address::ServerAddress,
    ask::{Ask, AskError, Closed},
    connection::Options,
    cursors::Cursors,
};

mod keeper;

/// What a client needs to begin.
#[derive(Clone)]
pub struct Settings {
    /// The nodes, or the one proxy before them; after a loss the next one is tried. At least one.
    pub servers: Vec<ServerAddress>,
    /// The access token of a session.
    pub access_token: String,
    /// Its refresh token; without one an expired access token is the end.
    pub refresh_token: Option<String>,
    /// Where to resume; empty to begin with what comes.
    pub cursors: Cursors,
    /// Limits of each connection.
    pub connection: Options,
    /// Commands that may be unanswered at once, over all connections.
    pub unanswered: usize,
    /// Longest wait for an answer, reconnecting included.
    pub answer_limit: Duration,
    /// Events that may wait to be read; beyond that nothing more is read from the socket.
    pub events_waiting: usize,
}

impl Settings {
    /// The usual limits for a session on these servers.
    pub fn new(servers: Vec<ServerAddress>, access_token: impl Into<String>) -> Self {
        Self {
            servers,
            access_token: access_token.into(),
            refresh_token: None,
            cursors: Cursors::default(),
            connection: Options::default(),
            unanswered: 256,
            answer_limit: Duration::from_mins(1),
            events_waiting: 1024,
        }
    }
}

/// What happens to a client.
#[derive(Debug)]
pub enum Event {
    /// Connected, and the session runs; missed entries follow.
    Started(Box<SessionStartResult>),
    /// The next entry of a stream: each comes once, in order.
    Entry(Box<Entry>),
    /// A stream does not go on where it was: forget what is kept of it and read its history.
    Reload {
        /// The stream.
        stream: StreamId,
        /// The newest seq; live entries follow it.
        head: Seq,
        /// Why, in a word.
        why: String,
    },
    /// A stream is not, or no longer, the user's.
    Gone(StreamId),
    /// Something that may be missed.
    Signal(Signal),
    /// The tokens were renewed; keep these for the next start of the program.
    Refreshed(Box<LoggedIn>),
    /// The connection was lost; the client returns by itself.
    Lost {
        /// How.
        closed: Closed,
        /// When it tries again.
        retry_in: Duration,
    },
    /// The end: nothing is tried any more.
    Stopped(Stop),
}

/// Why a client stopped.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// The session ended, and the server said why, by which device and when.
    Ended(SessionEnd),
    /// The connection was closed with a code that says stop.
    Closed(Closed),
    /// The tokens are not accepted.
    Refused(ErrorObject),
    /// The handle was dropped.
    Dropped,
}

/// What happens to a client, in order.
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Event>);

impl Events {
    /// The next event; `None` after [`Event::Stopped`].
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

/// A client that comes back. Clones share it; it stops when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Client {
    requests: mpsc::Sender<Request>,
    answer_limit: Duration,
    keeper: AbortHandle,
}

/// A command on its way, through as many connections as it takes.
#[derive(Debug)]
struct Request {
    command: Command,
    reply: oneshot::Sender<Result<Value, AskError>>,
}

impl Client {
    /// Begins to connect, and keeps connected.
    pub fn start(settings: Settings) -> (Self, Events) {
        let (requests, queue) = mpsc::channel(settings.unanswered.max(1));
        let (events, heard) = mpsc::channel(settings.events_waiting.max(1));
        let answer_limit = settings.answer_limit;
        let keeper = tokio::spawn(keeper::Keeper::new(settings, queue, events).run()).abort_handle();
        (Self { requests, answer_limit, keeper }, Events(heard))
    }

    /// Sends a command and waits for its answer, through reconnects if need be.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask<A: Ask>(&self, ask: A) -> Result<A::Answer, AskError> {
        let ended = || AskError::Closed(Closed { code: 1000, reason: "stopped".to_owned() });
        let answered = async {
            let (reply, answer) = oneshot::channel();
            let request = Request { command: ask.into_command(), reply };
            self.requests.send(request).await.map_err(|_| ended())?;
            answer.await.map_err(|_| ended())?
        };
        let value = timeout(self.answer_limit, answered).await.map_err(|_| AskError::TimedOut)??;
        serde_json::from_value(value).map_err(|error| AskError::Undecodable(error.to_string()))
    }

    /// Ends at once, as if the program had died.
    pub fn cut(self) {
        self.keeper.abort();
    }
}

/// Whether a command may be sent again when it is not known whether it was done.
fn is_repeatable(command: &Command) -> bool {
    !matches!(
        command,
        Command::SessionStart(_)
            | Command::RoomJoin(_)
            | Command::RoomLeave(_)
            | Command::RoomAdd(_)
            | Command::RoomRemove(_)
            | Command::RoomRole(_)
            | Command::RoomUpdate(_)
            | Command::RoomInvite(_)
    )
}
