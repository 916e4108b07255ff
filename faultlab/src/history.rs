//! What happened, one JSON object a line, in the order in which it was noticed.
//!
//! `t` is microseconds since the run began, by one monotonic clock for everything. A time-out is *unknown*: it may
//! have happened or not, and is never taken for a failure.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use hubbub_protocol::id::{EntryId, RoomId, Seq, SessionId, StreamId, UserId};
use serde::{Deserialize, Serialize};

use crate::error::{Doing, LabError, Result};

/// Events that wait for the disk; beyond, whoever has one waits.
const WAITING: usize = 65_536;

/// A moment of a run, in microseconds since it began.
pub type Micros = u64;

/// Someone among the people of a run.
pub type PersonNumber = u32;

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Acknowledged.
    Ok {
        /// Its place.
        seq: Seq,
        /// Its id.
        id: EntryId,
    },
    /// Refused for good: this attempt wrote nothing.
    Refused(String),
    /// It may have been written or not.
    Unknown(String),
}

/// A line of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum Event {
    /// The run.
    Run {
        /// What its chance follows from.
        seed: u64,
        /// Its profile.
        profile: String,
        /// How many nodes.
        nodes: usize,
    },
    /// Someone, and the rooms they are in from the start.
    Person {
        /// Who.
        person: PersonNumber,
        /// Their account.
        user: UserId,
        /// Their first session.
        session: SessionId,
        /// Where they read and write.
        rooms: Vec<RoomId>,
    },
    /// A message is sent.
    Invoke {
        /// When.
        t: Micros,
        /// By whom.
        person: PersonNumber,
        /// Under which idempotency key.
        key: String,
        /// Which try, from 1 on.
        attempt: u32,
        /// Where to.
        room: RoomId,
        /// In which session.
        session: SessionId,
        /// Over which connection.
        connection: u64,
    },
    /// And what became of it.
    Done {
        /// When.
        t: Micros,
        /// Its key.
        key: String,
        /// Which try.
        attempt: u32,
        /// What.
        outcome: Outcome,
    },
    /// A connection runs.
    Started {
        /// When.
        t: Micros,
        /// Its number.
        connection: u64,
        /// Whose.
        person: PersonNumber,
        /// In which session.
        session: SessionId,
        /// To which node, from 0 on.
        node: usize,
        /// Where each stream goes on: the cursor that was resumed, or the head.
        positions: BTreeMap<StreamId, Seq>,
        /// Streams that the client was told to reload, and why.
        reload: BTreeMap<StreamId, String>,
    },
    /// An entry arrived.
    Frame {
        /// When.
        t: Micros,
        /// On which connection.
        connection: u64,
        /// Its stream.
        stream: StreamId,
        /// Its place.
        seq: Seq,
        /// Its id.
        id: EntryId,
    },
    /// A connection ended.
    Closed {
        /// When.
        t: Micros,
        /// Which.
        connection: u64,
        /// The close code, 1006 for none.
        code: u16,
        /// The word with it.
        reason: String,
    },
    /// Someone logs in anew.
    LogIn {
        /// When.
        t: Micros,
        /// Who.
        person: PersonNumber,
        /// Which of all logins.
        login: u64,
    },
    /// And what became of it: the session, or why it is not known.
    LoggedIn {
        /// When.
        t: Micros,
        /// Who.
        person: PersonNumber,
        /// Which of all logins.
        login: u64,
        /// The session, when the login was answered.
        session: Option<SessionId>,
        /// Else what came instead.
        why: Option<String>,
    },
    /// Someone's session ended though they did not log in anew.
    SessionLost {
        /// When.
        t: Micros,
        /// Who.
        person: PersonNumber,
        /// What was said.
        why: String,
    },
    /// A publication on its way from Redis to a node.
    Published {
        /// When.
        t: Micros,
        /// To which node.
        node: usize,
        /// Its stream.
        stream: String,
        /// The entry's place.
        seq: u64,
        /// Whether the rig lost it.
        lost: bool,
    },
    /// A fault begins.
    Fault {
        /// When.
        t: Micros,
        /// Its place in the schedule.
        step: usize,
        /// What.
        what: String,
    },
    /// A fault is healed.
    Healed {
        /// When.
        t: Micros,
        /// Its place in the schedule.
        step: usize,
    },
    /// What a node uses.
    Usage {
        /// When.
        t: Micros,
        /// Which.
        node: usize,
        /// `start` or `end` of the run.
        at: String,
        /// How often it was started.
        starts: u64,
        /// Memory, in bytes.
        memory: f64,
        /// Open files and sockets.
        files: f64,
        /// Tasks of the runtime.
        tasks: f64,
    },
    /// All is quiet: what follows is looking.
    End {
        /// When.
        t: Micros,
    },
    /// A stream as SQL has it.
    Head {
        /// Its UUID.
        stream: uuid::Uuid,
        /// Its newest seq.
        head: u64,
        /// How many messages it counts.
        messages: u64,
    },
    /// An entry as SQL has it.
    Entry {
        /// The UUID of its stream.
        stream: uuid::Uuid,
        /// Its place.
        seq: u64,
        /// Its id.
        id: EntryId,
        /// Its kind.
        kind: String,
        /// By whom.
        sender: UserId,
        /// Under which key.
        key: Option<String>,
        /// The ordinal of the folded message; absent when there is none.
        ordinal: Option<u64>,
        /// Whether the folded message has the text that was sent.
        intact: bool,
    },
    /// A session as SQL has it.
    Session {
        /// Which.
        session: SessionId,
        /// Whose.
        user: UserId,
        /// Its fence.
        fence: i64,
        /// Whether it lives.
        lives: bool,
    },
    /// An entry as a node gives it to somebody who reads the whole log.
    Read {
        /// Which node.
        node: usize,
        /// Which room.
        room: RoomId,
        /// Its place.
        seq: Seq,
        /// Its id.
        id: EntryId,
    },
}

/// Where events are written. Clones write into the same file.
#[derive(Clone, Debug)]
pub struct History {
    began: Instant,
    lines: mpsc::SyncSender<Event>,
    writing: Arc<std::sync::Mutex<Option<JoinHandle<std::io::Result<()>>>>>,
}

impl History {
    /// Begins a file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(path: &Path) -> Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path).doing("make the history")?);
        let (lines, queue) = mpsc::sync_channel::<Event>(WAITING);
        let writing = std::thread::spawn(move || {
            for event in queue {
                serde_json::to_writer(&mut file, &event)?;
                file.write_all(b"\n")?;
            }
            file.flush()
        });
        let writing = Arc::new(std::sync::Mutex::new(Some(writing)));
        Ok(Self { began: Instant::now(), lines, writing })
    }

    /// Now.
    pub fn now(&self) -> Micros {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Writes an event down.
    pub fn note(&self, event: Event) {
        // The writer ends only when all handles are gone or the disk is full, which `finish` tells.
        let _ = self.lines.send(event);
    }

    /// Waits until everything is written; other handles must be gone.
    ///
    /// # Errors
    /// The disk did not take it.
    pub fn finish(self) -> Result<()> {
        let Self { lines, writing, .. } = self;
        drop(lines);
        let writing = writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(writing) = writing else { return Ok(()) };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !writing.is_finished() {
            if Instant::now() > deadline {
                return Err(LabError::new("somebody still writes history"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        writing
            .join()
            .map_err(|_| LabError::new("the writer of the history panicked"))?
            .doing("write the history")
    }
}

/// Reads a file of events.
///
/// # Errors
/// It is not there, or a line is no event.
pub fn read(path: &Path) -> Result<Vec<Event>> {
    let file = BufReader::new(File::open(path).doing(&format!("open {}", path.display()))?);
    file.lines()
        .map(|line| {
            serde_json::from_str(&line.doing("read the history")?).doing("read a line of the history")
        })
        .collect()
}
