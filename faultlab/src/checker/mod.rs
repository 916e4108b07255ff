//! What must hold of a history. It looks at files only and gives the same verdict every time.

mod facts;
mod log;
mod readers;
mod resources;
mod sends;
mod sessions;
#[cfg(test)]
mod tests;
mod words;

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use self::facts::Facts;
use crate::history::Event;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Check {
    /// Every acknowledged message is there once, as acknowledged, in SQL and in what every node reads.
    C1,
    /// Nothing that was refused is there.
    C2,
    /// What is unknown is there once or not at all.
    C3,
    /// Each stream's seqs are 1 to its head, without a hole; the folded messages agree with the log.
    C4,
    /// Each connection is given rising seqs without a hole from where it began, and everyone has everything at the end.
    C5,
    /// What readers saw is what the log holds: all agree.
    C6,
    /// Messages of a sender who waits for each answer keep their order.
    C7,
    /// No write of a session is acknowledged that began after the login which ended it was answered; one session lives.
    C8,
    /// Whoever is online has an acknowledged message within 5 s, or within 5 s of the last fault healing.
    C9,
    /// Memory, files and tasks of the nodes come back to where they were.
    C10,
    /// In calm weather every entry is published: nothing is left to repair.
    C11,
    /// Whoever can reach a living node has an answer within 5 s.
    C12,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::C1,
        Self::C2,
        Self::C3,
        Self::C4,
        Self::C5,
        Self::C6,
        Self::C7,
        Self::C8,
        Self::C9,
        Self::C10,
        Self::C11,
        Self::C12,
    ];

    /// What it promises, in a few words.
    pub fn promise(self) -> &'static str {
        match self {
            Self::C1 => "acknowledged means there, once, as answered, on every node",
            Self::C2 => "refused means nowhere",
            Self::C3 => "unknown means once or not at all",
            Self::C4 => "seqs are dense; log and messages agree",
            Self::C5 => "readers get rising seqs without holes, and everything",
            Self::C6 => "all readers agree with the log",
            Self::C7 => "a sender's order is kept",
            Self::C8 => "no write of a displaced session; one session lives",
            Self::C9 => "delivered within 5 s, or 5 s after healing",
            Self::C10 => "memory, files and tasks come back",
            Self::C11 => "every calm entry was published",
            Self::C12 => "answered within 5 s",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which promise it breaks.
    pub check: Check,
    /// What it is.
    pub what: String,
}

/// Figures of a run; times in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// Messages whose fate the sender never learned.
    pub unknown: u64,
    /// Messages that were refused for good.
    pub refused: u64,
    /// Attempts, repeats included.
    pub attempts: u64,
    /// Acknowledged and not there.
    pub lost: u64,
    /// There more than once.
    pub duplicated: u64,
    /// Seen or stored out of order, or with a hole.
    pub out_of_order: u64,
    /// Writes of displaced sessions that were acknowledged.
    pub stale_accepted: u64,
    /// Writes that displaced sessions tried.
    pub stale_tried: u64,
    /// Logins that were answered.
    pub logins: u64,
    /// Entries that readers got.
    pub frames: u64,
    /// Connections that were made.
    pub connections: u64,
    /// Streams that a client was told to reload.
    pub reloads: u64,
    /// Publications that the rig saw, and those it lost.
    pub publications: u64,
    /// See there.
    pub publications_lost: u64,
    /// From the end of the last fault, or from the acknowledgement in good weather, to the last reader.
    pub worst_catch_up: f64,
    /// The same where no fault was near.
    pub worst_calm_lag: f64,
    /// From an answered login to the end of the last connection of the session before.
    pub worst_displaced_reading: f64,
    /// Longest wait for an answer.
    pub worst_answer: f64,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Its figures.
    pub figures: Figures,
    /// What it broke; empty for a good run.
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// How often each promise was broken.
    pub fn broken(&self) -> BTreeMap<Check, usize> {
        let mut broken = BTreeMap::new();
        for violation in &self.violations {
            *broken.entry(violation.check).or_default() += 1;
        }
        broken
    }
}

/// What the checks write down.
#[derive(Debug, Default)]
struct Findings {
    figures: Figures,
    violations: Vec<Violation>,
}

impl Findings {
    fn add(&mut self, check: Check, what: String) {
        self.violations.push(Violation { check, what });
    }
}

/// Looks at a whole history.
pub fn check(events: Vec<Event>) -> Verdict {
    let facts = Facts::from(events);
    let mut findings = Findings::default();
    sends::check(&facts, &mut findings);
    log::check(&facts, &mut findings);
    readers::check(&facts, &mut findings);
    sessions::check(&facts, &mut findings);
    resources::check(&facts, &mut findings);
    words::check(&facts, &mut findings);
    Verdict { figures: findings.figures, violations: findings.violations }
}

/// Microseconds as seconds.
fn seconds(micros: u64) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64()
}
