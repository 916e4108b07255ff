//! One followed stream on this node: its sequencer, and who follows it.
//!
//! Entries come from this node's own commits, from the bus and from repairs, in any order and more than once; they
//! leave in the order of their seq, once. No connection is given an entry before all that come before it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use hubbub_protocol::id::{Seq, StreamId, UserId};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    line::{Effect, Line},
    listener::{ConnectionId, Listener},
};

/// Early entries held at most; what is beyond is read again when the hole is filled.
const EARLY_KEPT: usize = 1_024;
/// Newest entries kept, so that a connection that has nearly caught up needs no store for the last steps.
const RECENT_KEPT: usize = 64;
/// And their bytes at most.
const RECENT_BYTES: usize = 64 * 1024;

/// How a connection follows a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// It gets what comes above this seq. A connection can have read in the database what the feed has yet to hear.
    Live { above: Seq },
    /// It catches up from the store first; with `until`, it is to get nothing above that seq.
    CatchingUp { until: Option<Seq> },
}

struct Follower {
    listener: Listener,
    pace: Pace,
}

impl Follower {
    fn is_live(&self) -> bool {
        matches!(self.pace, Pace::Live { .. })
    }

    fn gets(&self, seq: Seq) -> bool {
        matches!(self.pace, Pace::Live { above } if seq > above)
    }
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequenced {
    /// It was next in line, and has been delivered with what waited behind it.
    Delivered,
    /// It was delivered before.
    Repeated,
    /// Entries before it are missing; it is held.
    Early,
}

/// Where a catching-up connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has everything and is live now.
    Live,
    /// It still misses the entries up to and including this seq.
    Missing(Seq),
    /// It follows no longer: it left the room, or it is gone.
    Gone,
}

/// A followed stream.
pub struct Feed {
    /// Which.
    pub stream: StreamId,
    state: Mutex<State>,
    opened: watch::Sender<Option<bool>>,
}

#[derive(Default)]
struct State {
    /// The newest entry delivered; `None` until the head was read.
    position: Option<Seq>,
    early: BTreeMap<Seq, Line>,
    recent: VecDeque<Line>,
    recent_bytes: usize,
    followers: HashMap<ConnectionId, Follower>,
    repairing: bool,
    /// Joins among what was delivered, until the hub takes them.
    joins: Vec<(Listener, hubbub_protocol::id::RoomId, Seq)>,
}

impl Feed {
    /// A feed whose head is not known yet; what arrives meanwhile is held.
    pub fn new(stream: StreamId) -> Self {
        Self { stream, state: Mutex::new(State::default()), opened: watch::Sender::new(None) }
    }

    /// Sets where the stream stood when this node began to hear it; what was held above it follows.
    pub fn open(&self, head: Seq) {
        let mut state = self.state.lock();
        if state.position.is_none() {
            state.position = Some(head);
            state.early = state.early.split_off(&head.next());
            state.advance_early();
        }
        drop(state);
        self.opened.send_replace(Some(true));
    }

    /// Says that the head could not be read; those who wait for it are told.
    pub fn fail(&self) {
        self.opened.send_replace(Some(false));
    }

    /// Waits until the feed is open; false when that failed.
    pub async fn wait_open(&self) -> bool {
        let mut opened = self.opened.subscribe();
        let outcome = opened.wait_for(Option::is_some).await;
        outcome.is_ok_and(|opened| *opened == Some(true))
    }

    /// The newest entry delivered.
    pub fn position(&self) -> Option<Seq> {
        self.state.lock().position
    }

    /// Takes an entry in, from whichever road, and delivers what is next in line.
    pub fn sequence(&self, line: Line) -> Sequenced {
        let mut state = self.state.lock();
        let Some(position) = state.position else {
            state.hold(line);
            return Sequenced::Repeated;
        };
        if line.seq <= position {
            return Sequenced::Repeated;
        }
        if line.seq > position.next() {
            state.hold(line);
            return Sequenced::Early;
        }
        state.advance(line);
        state.advance_early();
        Sequenced::Delivered
    }

    /// Joins among what was delivered since the last call: the connections that are to follow another room.
    pub fn take_joins(&self) -> Vec<(Listener, hubbub_protocol::id::RoomId, Seq)> {
        std::mem::take(&mut self.state.lock().joins)
    }

    /// Gives a signal to every live follower but one person's.
    pub fn signal(&self, except: Option<UserId>, frame: &bytes::Bytes) {
        let state = self.state.lock();
        let live = state.followers.values().filter(|follower| follower.is_live());
        for follower in live.filter(|follower| Some(follower.listener.user) != except) {
            follower.listener.outbox.push(frame.clone());
        }
    }

    /// Shows every live follower's connection.
    pub fn live(&self, mut each: impl FnMut(&Listener)) {
        let state = self.state.lock();
        let live = state.followers.values().filter(|follower| follower.is_live());
        live.for_each(|follower| each(&follower.listener));
    }

    /// Starts a repair; false when one runs already.
    pub fn begin_repair(&self) -> bool {
        !std::mem::replace(&mut self.state.lock().repairing, true)
    }

    /// Ends a repair. The next hole begins another.
    pub fn end_repair(&self) {
        self.state.lock().repairing = false;
    }

    /// Whether entries are held behind a hole.
    pub fn has_hole(&self) -> bool {
        !self.state.lock().early.is_empty()
    }

    /// Adds a connection that gets nothing until [`Feed::progress`] says it is live; false when it follows already.
    pub fn add(&self, listener: &Listener) -> bool {
        let mut state = self.state.lock();
        if state.followers.contains_key(&listener.id) {
            return false;
        }
        let follower = Follower { listener: listener.clone(), pace: Pace::CatchingUp { until: None } };
        state.followers.insert(listener.id, follower);
        true
    }

    /// Removes a connection.
    pub fn remove(&self, connection: ConnectionId) {
        self.state.lock().followers.remove(&connection);
    }

    /// Whether nobody follows.
    pub fn is_deserted(&self) -> bool {
        self.state.lock().followers.is_empty()
    }

    /// Where a connection stands that has everything up to `cursor`; makes it live when nothing is missing, giving
    /// it the last few entries from memory.
    pub fn progress(&self, connection: ConnectionId, cursor: Seq) -> Progress {
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some(position) = state.position else { return Progress::Gone };
        let Some(follower) = state.followers.get_mut(&connection) else { return Progress::Gone };
        if let Pace::CatchingUp { until: Some(last) } = follower.pace {
            if cursor < last {
                return Progress::Missing(last);
            }
            state.followers.remove(&connection);
            return Progress::Gone;
        }
        let oldest_recent = state.recent.front().map_or(position.next(), |line| line.seq);
        if cursor.next() < oldest_recent {
            return Progress::Missing(position);
        }
        for line in state.recent.iter().filter(|line| line.seq > cursor) {
            follower.listener.outbox.push(line.frame.clone());
        }
        follower.pace = Pace::Live { above: cursor };
        Progress::Live
    }
}

impl State {
    fn hold(&mut self, line: Line) {
        if self.early.len() < EARLY_KEPT {
            self.early.insert(line.seq, line);
        }
    }

    fn advance_early(&mut self) {
        while let Some((_, line)) =
            self.position.and_then(|position| self.early.remove_entry(&position.next()))
        {
            self.advance(line);
        }
        // What was held and has meanwhile come by another road.
        if let Some(position) = self.position
            && self.early.first_key_value().is_some_and(|(seq, _)| *seq <= position)
        {
            self.early = self.early.split_off(&position.next());
        }
    }

    fn advance(&mut self, line: Line) {
        self.position = Some(line.seq);
        for follower in self.followers.values() {
            if follower.gets(line.seq) {
                follower.listener.outbox.push(line.frame.clone());
            }
        }
        match line.effect {
            Effect::None => {}
            Effect::Leaves(user) => self.let_go(user, line.seq),
            Effect::Joins(room, seq) => {
                let joins = self.followers.values().map(|follower| (follower.listener.clone(), room, seq));
                self.joins.extend(joins);
            }
            Effect::Blanks => {
                // One of these may hold the text; SQL has it blanked already.
                self.recent.clear();
                self.recent_bytes = 0;
            }
        }
        self.remember(line);
    }

    /// Ends the following of someone who left at `seq`; who still catches up gets the entries up to there.
    fn let_go(&mut self, user: UserId, seq: Seq) {
        self.followers.retain(|_, follower| follower.listener.user != user || !follower.gets(seq));
        for follower in self.followers.values_mut().filter(|follower| follower.listener.user == user) {
            if follower.pace == (Pace::CatchingUp { until: None }) {
                follower.pace = Pace::CatchingUp { until: Some(seq) };
            }
        }
    }

    fn remember(&mut self, line: Line) {
        self.recent_bytes += line.frame.len();
        self.recent.push_back(line);
        while self.recent.len() > RECENT_KEPT || self.recent_bytes > RECENT_BYTES {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= oldest.frame.len();
        }
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
