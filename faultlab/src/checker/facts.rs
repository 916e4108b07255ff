//! The history, sorted by what it is about.

use std::collections::{BTreeMap, HashMap, HashSet};

use hubbub_protocol::id::{EntryId, RoomId, Seq, SessionId, StreamId, UserId};
use uuid::Uuid;

use crate::history::{Event, Micros, Outcome, PersonNumber};

/// Someone.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) rooms: Vec<RoomId>,
}

/// One attempt to send.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) invoked: Micros,
    pub(super) session: SessionId,
    pub(super) done: Option<(Micros, Outcome)>,
}

/// A message under one key.
#[derive(Debug)]
pub(super) struct Send {
    pub(super) person: PersonNumber,
    pub(super) room: RoomId,
    pub(super) attempts: BTreeMap<u32, Attempt>,
}

impl Send {
    /// The answers that acknowledged it, with their times.
    pub(super) fn acks(&self) -> impl Iterator<Item = (Micros, Seq, EntryId)> {
        self.attempts.values().filter_map(|attempt| match &attempt.done {
            Some((t, Outcome::Ok { seq, id })) => Some((*t, *seq, *id)),
            _ => None,
        })
    }

    /// Whether every attempt was refused for good.
    pub(super) fn is_refused(&self) -> bool {
        self.attempts.values().all(|attempt| matches!(attempt.done, Some((_, Outcome::Refused(_)))))
    }
}

/// An entry as it arrived.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) t: Micros,
    pub(super) stream: StreamId,
    pub(super) seq: Seq,
    pub(super) id: EntryId,
}

/// One connection of a reader.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) person: PersonNumber,
    pub(super) session: SessionId,
    pub(super) started: Micros,
    pub(super) closed: Option<Micros>,
    pub(super) positions: BTreeMap<StreamId, Seq>,
    pub(super) reload: BTreeMap<StreamId, String>,
    pub(super) frames: Vec<Frame>,
}

/// A login in the course of the run.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) person: PersonNumber,
    pub(super) asked: Micros,
    pub(super) answered: Option<(Micros, SessionId)>,
}

/// An entry as SQL has it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: EntryId,
    pub(super) kind: String,
    pub(super) sender: UserId,
    pub(super) key: Option<String>,
    pub(super) ordinal: Option<u64>,
    pub(super) intact: bool,
}

/// A fault and when it was there.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) from: Micros,
    pub(super) to: Micros,
    pub(super) what: String,
}

/// What a node used.
#[derive(Debug)]
pub(super) struct Usage {
    pub(super) node: usize,
    pub(super) at: String,
    pub(super) memory: f64,
    pub(super) files: f64,
    pub(super) tasks: f64,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) people: BTreeMap<PersonNumber, Person>,
    pub(super) sends: BTreeMap<String, Send>,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) logins: BTreeMap<u64, Login>,
    pub(super) lost_sessions: Vec<(PersonNumber, String)>,
    pub(super) faults: BTreeMap<usize, Fault>,
    /// Entries whose publication was on its way to some node.
    pub(super) published: HashSet<(Uuid, u64)>,
    pub(super) publications: (u64, u64),
    pub(super) usage: Vec<Usage>,
    pub(super) end: Micros,
    pub(super) heads: BTreeMap<Uuid, (u64, u64)>,
    pub(super) log: BTreeMap<Uuid, BTreeMap<u64, Entry>>,
    pub(super) sessions: Vec<(SessionId, UserId, i64, bool)>,
    pub(super) reads: BTreeMap<(usize, RoomId), Vec<(Seq, EntryId)>>,
    /// How often each key is in the log.
    pub(super) keyed: HashMap<(Uuid, UserId, String), Vec<u64>>,
}

impl From<Vec<Event>> for Facts {
    fn from(events: Vec<Event>) -> Self {
        let mut facts = Self::default();
        for event in events {
            facts.take(event);
        }
        for (stream, entries) in &facts.log {
            for (seq, entry) in entries {
                if let Some(key) = &entry.key {
                    facts.keyed.entry((*stream, entry.sender, key.clone())).or_default().push(*seq);
                }
            }
        }
        facts
    }
}

impl Facts {
    fn take(&mut self, event: Event) {
        match event {
            Event::Person { person, user, session, rooms } => {
                self.people.insert(person, Person { user, session, rooms });
            }
            Event::Invoke { t, person, key, attempt, room, session, .. } => {
                let send = Send { person, room, attempts: BTreeMap::new() };
                let attempts = &mut self.sends.entry(key).or_insert(send).attempts;
                attempts.insert(attempt, Attempt { invoked: t, session, done: None });
            }
            Event::Done { t, key, attempt, outcome } => {
                let attempt = self.sends.get_mut(&key).and_then(|send| send.attempts.get_mut(&attempt));
                if let Some(attempt) = attempt {
                    attempt.done = Some((t, outcome));
                }
            }
            Event::Started { .. } | Event::Frame { .. } | Event::Closed { .. } => self.take_of_reader(event),
            Event::LogIn { t, person, login } => {
                self.logins.insert(login, Login { person, asked: t, answered: None });
            }
            Event::LoggedIn { t, login, session, .. } => {
                if let Some(login) = self.logins.get_mut(&login) {
                    login.answered = session.map(|session| (t, session));
                }
            }
            Event::SessionLost { person, why, .. } => self.lost_sessions.push((person, why)),
            Event::Fault { t, step, what } => {
                self.faults.insert(step, Fault { from: t, to: Micros::MAX, what });
            }
            Event::Healed { t, step } => {
                if let Some(fault) = self.faults.get_mut(&step) {
                    fault.to = t;
                }
            }
            Event::Published { stream, seq, lost, .. } => {
                self.publications.0 += 1;
                self.publications.1 += u64::from(lost);
                if let Ok(stream) = Uuid::try_parse(&stream) {
                    self.published.insert((stream, seq));
                }
            }
            Event::Usage { node, at, memory, files, tasks, .. } => {
                self.usage.push(Usage { node, at, memory, files, tasks });
            }
            Event::End { t } => self.end = t,
            Event::Run { .. }
            | Event::Head { .. }
            | Event::Entry { .. }
            | Event::Session { .. }
            | Event::Read { .. } => {
                self.take_of_evidence(event);
            }
        }
    }

    fn take_of_reader(&mut self, event: Event) {
        match event {
            Event::Started { t, connection, person, session, positions, reload, .. } => {
                let started = Connection {
                    person,
                    session,
                    started: t,
                    closed: None,
                    positions,
                    reload,
                    frames: Vec::new(),
                };
                self.connections.insert(connection, started);
            }
            Event::Frame { t, connection, stream, seq, id } => {
                if let Some(connection) = self.connections.get_mut(&connection) {
                    connection.frames.push(Frame { t, stream, seq, id });
                }
            }
            Event::Closed { t, connection, .. } => {
                if let Some(connection) = self.connections.get_mut(&connection) {
                    connection.closed = Some(t);
                }
            }
            _ => {}
        }
    }

    fn take_of_evidence(&mut self, event: Event) {
        match event {
            Event::Head { stream, head, messages } => {
                self.heads.insert(stream, (head, messages));
            }
            Event::Entry { stream, seq, id, kind, sender, key, ordinal, intact } => {
                let entry = Entry { id, kind, sender, key, ordinal, intact };
                self.log.entry(stream).or_default().insert(seq, entry);
            }
            Event::Session { session, user, fence, lives } => {
                self.sessions.push((session, user, fence, lives));
            }
            Event::Read { node, room, seq, id } => {
                self.reads.entry((node, room)).or_default().push((seq, id));
            }
            _ => {}
        }
    }

    /// Where the messages of a key are.
    pub(super) fn places(&self, send: &Send, key: &str) -> &[u64] {
        let Some(person) = self.people.get(&send.person) else { return &[] };
        self.keyed.get(&(send.room.0, person.user, key.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Whether a fault was there in a span of time.
    pub(super) fn is_faulty(&self, from: Micros, to: Micros) -> bool {
        self.faults.values().any(|fault| fault.from <= to && fault.to >= from)
    }

    /// The first moment from `t` on after which no fault comes for `calm`; `None` when the run ends first.
    pub(super) fn calm_from(&self, t: Micros, calm: Micros) -> Option<Micros> {
        let mut from = t;
        // Steps of a plan are one after the other.
        for fault in self.faults.values() {
            if fault.from <= from.saturating_add(calm) && fault.to >= from {
                from = fault.to.saturating_add(1);
            }
        }
        (from.saturating_add(calm) <= self.end).then_some(from)
    }
}
