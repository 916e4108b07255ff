//! Who is connected to another node, as far as this one knows: a state machine without I/O.
//!
//! Changes are numbered by the node that makes them. Those that come in line are applied; a gap makes the roster
//! *stale*, and it is read whole from the fabric, where that node writes it before it says so. Whatever was lost,
//! repeated or came in another order, the roster is the true one after the next whole reading.

use std::collections::{BTreeMap, HashMap};

use hubbub_protocol::id::UserId;

use super::{
    person::Person,
    word::{Announcement, Change},
};

/// Changes kept while a roster is stale; what is beyond is found by its number later.
const KEPT: usize = 20_000;

/// The roster of one node.
#[derive(Debug, Default)]
pub(super) struct Roster {
    people: HashMap<UserId, Person>,
    /// Every change up to this number is in `people`; `None` before the first whole reading.
    at: Option<u64>,
    /// What came before its turn, by its first number.
    early: BTreeMap<u64, Announcement>,
    early_changes: usize,
    stale: bool,
}

impl Roster {
    /// Someone on this node.
    pub(super) fn person(&self, user: UserId) -> Option<Person> {
        self.people.get(&user).copied()
    }

    /// Everyone on this node.
    pub(super) fn users(&self) -> impl Iterator<Item = UserId> {
        self.people.keys().copied()
    }

    /// Whether it must be read whole.
    pub(super) fn is_stale(&self) -> bool {
        self.stale || self.at.is_none()
    }

    /// Whether it was ever read whole.
    pub(super) fn is_known(&self) -> bool {
        self.at.is_some()
    }

    /// Words may have been lost.
    pub(super) fn doubt(&mut self) {
        self.stale = true;
    }

    /// Takes an announcement in; gives the changes that were applied.
    pub(super) fn heard(&mut self, announcement: Announcement) -> Vec<Change> {
        if announcement.changes.is_empty() || self.at.is_some_and(|at| announcement.last() <= at) {
            return Vec::new();
        }
        let in_line = self.at.is_some_and(|at| announcement.from <= at + 1);
        let mut applied = Vec::new();
        if !in_line {
            // The newest that is known, until the whole is.
            self.stale = true;
            applied.extend(announcement.changes.iter().copied());
            self.apply(&applied);
        }
        self.keep(announcement);
        applied.extend(self.advance());
        applied
    }

    /// The node says how many changes it has made.
    pub(super) fn told(&mut self, number: u64) {
        self.stale |= self.at != Some(number) && self.at.is_none_or(|at| at < number);
    }

    /// Takes the whole roster, with every change up to `number`, as it was read from the fabric; gives who differs.
    pub(super) fn loaded(&mut self, number: u64, people: HashMap<UserId, Person>) -> Vec<UserId> {
        if self.at.is_some_and(|at| number < at) {
            return Vec::new(); // older than what is known
        }
        let before = std::mem::replace(&mut self.people, people);
        self.at = Some(number);
        self.stale = false;
        let early = std::mem::take(&mut self.early);
        self.early_changes = 0;
        for (_, announcement) in early {
            if announcement.last() > number {
                self.keep(announcement);
            }
        }
        self.advance();
        // What still is early has a gap before it, and is the newest that is known of these people.
        let newest: Vec<Change> = self.early.values().flat_map(|early| &early.changes).copied().collect();
        self.apply(&newest);
        self.stale = !self.early.is_empty();
        let now = &self.people;
        let gone_or_changed = before.iter().filter(|(user, person)| now.get(user) != Some(person));
        let came = now.keys().filter(|user| !before.contains_key(user));
        gone_or_changed.map(|(user, _)| *user).chain(came.copied()).collect()
    }

    fn keep(&mut self, announcement: Announcement) {
        let size = announcement.changes.len();
        if self.early_changes + size > KEPT {
            self.stale = true;
            return;
        }
        let known = self.early.get(&announcement.from).map_or(0, |early| early.changes.len());
        if known < size {
            self.early_changes += size - known;
            self.early.insert(announcement.from, announcement);
        }
    }

    /// Applies what is next in line.
    fn advance(&mut self) -> Vec<Change> {
        let mut applied = Vec::new();
        while let Some(at) = self.at
            && let Some(entry) = self.early.first_entry()
            && *entry.key() <= at + 1
        {
            let announcement = entry.remove();
            self.early_changes -= announcement.changes.len();
            let known = usize::try_from((at + 1).saturating_sub(announcement.from)).unwrap_or(usize::MAX);
            let new = announcement.changes.get(known..).unwrap_or_default();
            self.apply(new);
            applied.extend_from_slice(new);
            self.at = Some(at.max(announcement.last()));
        }
        applied
    }

    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change.person {
                Some(person) => self.people.insert(change.user, person),
                None => self.people.remove(&change.user),
            };
        }
    }
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
