//! People: each reads with cursors, writes with idempotency keys, comes back after every loss, and some log in anew.

mod mover;
mod reader;
mod voice;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hubbub_client::{Connection, ServerAddress, connection::Options};
use hubbub_protocol::id::{RoomId, SessionId, StreamId};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    cluster::Account,
    history::{Event, History, PersonNumber},
    rng::Rng,
};

pub(crate) use voice::text;

/// The password of everyone: nobody is to guess it, all are to type it.
pub const PASSWORD: &str = "correct horse battery";

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Everyone reads; nobody writes yet.
    Gather,
    /// Everyone reads and writes.
    Busy,
    /// Nobody begins to write; what is under way is brought to its end. Readers stay.
    Settle,
    /// Everyone leaves.
    Over,
}

/// What everyone shares.
#[derive(Clone, Debug)]
pub struct World {
    /// Where things are written down.
    pub history: History,
    /// Where the nodes are.
    pub nodes: Arc<Vec<ServerAddress>>,
    /// How far the run is.
    pub phase: watch::Receiver<Phase>,
    /// What chance follows from.
    pub seed: u64,
    /// Numbers for connections and logins.
    pub numbers: Arc<AtomicU64>,
    /// Messages that are under way.
    pub under_way: Arc<AtomicU64>,
}

impl World {
    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits for a phase or a later one.
    async fn reached(&self, phase: Phase) {
        let mut phases = self.phase.clone();
        // The rig's own end is the end of everything.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }
}

/// Tokens as a person has them now.
#[derive(Clone, Debug)]
struct Ticket {
    session: SessionId,
    token: String,
}

/// A connection that can be written to.
#[derive(Clone, Debug)]
struct Live {
    connection: Connection,
    session: SessionId,
    number: u64,
}

/// Waits until a shared value is as wanted, holding nothing.
async fn until<T>(shared: &watch::Sender<T>, is_so: impl FnMut(&T) -> bool) {
    let mut values = shared.subscribe();
    // It ends with its owner, who waits here.
    let _ = values.wait_for(is_so).await;
}

/// Someone, as their tasks share them.
#[derive(Clone, Debug)]
struct Person {
    world: World,
    number: PersonNumber,
    account: Account,
    rooms: Arc<Vec<RoomId>>,
    moves: bool,
    /// The newest tokens.
    ticket: Arc<watch::Sender<Ticket>>,
    /// The connection of the newest session.
    live: Arc<watch::Sender<Option<Live>>>,
    /// Set when the session ended: a mover logs in again.
    ended: Arc<watch::Sender<bool>>,
    /// How far the person has read, for those who wait for the end.
    reached: Arc<watch::Sender<std::collections::BTreeMap<StreamId, hubbub_protocol::id::Seq>>>,
}

impl Person {
    fn rng(&self, part: &str) -> Rng {
        Rng::part(self.world.seed, &format!("{part} {}", self.number))
    }
}

/// How a crowd behaves.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Messages a second, of all together.
    pub rate: u64,
    /// One in so many people logs in anew all the time; 0 for nobody.
    pub mover_every: usize,
    /// Time between two logins of such a person, at least and at most.
    pub moves_after: (Duration, Duration),
}

/// Everyone.
#[derive(Debug)]
pub struct Crowd {
    tasks: JoinSet<()>,
    people: Vec<Person>,
}

impl Crowd {
    /// Lets everyone begin. `rooms[n]` are the rooms of `accounts[n]`.
    pub fn gather(world: &World, accounts: Vec<Account>, rooms: Vec<Vec<RoomId>>, habits: Habits) -> Self {
        let pace = Duration::from_micros(1_000_000 * accounts.len() as u64 / habits.rate.max(1));
        let (mut tasks, mut people) = (JoinSet::new(), Vec::new());
        for (index, (account, rooms)) in accounts.into_iter().zip(rooms).enumerate() {
            let number = PersonNumber::try_from(index).unwrap_or(PersonNumber::MAX);
            world.history.note(Event::Person {
                person: number,
                user: account.user.id,
                session: account.session_id,
                rooms: rooms.clone(),
            });
            let ticket = Ticket { session: account.session_id, token: account.access_token.clone() };
            let person = Person {
                world: world.clone(),
                number,
                account,
                rooms: Arc::new(rooms),
                moves: habits.mover_every > 0 && index % habits.mover_every == habits.mover_every - 1,
                ticket: Arc::new(watch::Sender::new(ticket)),
                live: Arc::new(watch::Sender::new(None)),
                ended: Arc::new(watch::Sender::new(false)),
                reached: Arc::default(),
            };
            tasks.spawn(reader::run(person.clone()));
            tasks.spawn(voice::run(person.clone(), pace));
            if person.moves {
                tasks.spawn(mover::run(person.clone(), habits.moves_after));
            }
            people.push(person);
        }
        Self { tasks, people }
    }

    /// Waits until everyone has a connection; false when that takes longer than `limit`.
    pub async fn all_online(&self, limit: Duration) -> bool {
        let waiting = async {
            for person in &self.people {
                let mut live = person.live.subscribe();
                let _ = live.wait_for(Option::is_some).await;
            }
        };
        tokio::time::timeout(limit, waiting).await.is_ok()
    }

    /// Waits until everyone has read this far; false when that takes longer than `limit`.
    pub async fn all_reach(
        &self,
        heads: &std::collections::BTreeMap<StreamId, hubbub_protocol::id::Seq>,
        limit: Duration,
    ) -> bool {
        let waiting = async {
            for person in &self.people {
                let mut reached = person.reached.subscribe();
                let all = |reached: &std::collections::BTreeMap<StreamId, _>| {
                    person
                        .rooms
                        .iter()
                        .map(|room| StreamId::Room(*room))
                        .all(|stream| reached.get(&stream) >= heads.get(&stream))
                };
                let _ = reached.wait_for(all).await;
            }
        };
        tokio::time::timeout(limit, waiting).await.is_ok()
    }

    /// Waits until nothing that was sent is under way; false when that takes longer than `limit`.
    pub async fn nothing_under_way(&self, limit: Duration) -> bool {
        let Some(person) = self.people.first() else { return true };
        let waiting = async {
            while person.world.under_way.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(limit, waiting).await.is_ok()
    }

    /// Waits until everyone has left; who does not leave is put out.
    pub async fn leave(mut self) {
        let left = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(10), left).await;
        self.tasks.shutdown().await;
    }
}

/// Limits of connections: an answer may take 5 s, and whoever waits longer has a right to complain.
fn options() -> Options {
    Options {
        connect_limit: Duration::from_secs(3),
        answer_limit: Duration::from_secs(7),
        unasked_waiting: 8_192,
        ..Options::default()
    }
}
