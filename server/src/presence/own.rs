//! Who is connected to this node: a state machine without I/O.
//!
//! Who has lost their last connection stays for a while, so that a reconnect, here or on another node, is no news.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use hubbub_protocol::id::UserId;
use tokio::time::Instant;

use super::{
    person::{Devices, Person},
    word::{Announcement, Change},
};

/// How long someone without a connection stays online.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// Parts that a roster is written in.
pub(super) const PARTS: usize = 16;
/// Changes in one announcement: some 25 KiB.
const PER_ANNOUNCEMENT: usize = 256;

/// The part of a roster that a person stands in.
pub(super) fn part_of(user: UserId) -> usize {
    // The last bytes of a UUIDv7 are random.
    usize::from(user.as_uuid().as_bytes()[15]) % PARTS
}

#[derive(Clone, Copy, Debug)]
struct Mine {
    person: Person,
    /// Since when there is no connection, by both clocks.
    left: Option<(Instant, i64)>,
}

/// The connections of a person on this node, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connected {
    /// Whether every one says that nobody is at it.
    pub(super) away: bool,
    /// What they come from.
    pub(super) devices: Devices,
}

/// The roster of this node.
#[derive(Debug, Default)]
pub(super) struct Own {
    people: HashMap<UserId, Mine>,
    /// Who lost their last connection and when, in order; those who came back are passed over.
    leaving: VecDeque<(UserId, Instant)>,
    number: u64,
    unsaid: VecDeque<Change>,
}

impl Own {
    /// Someone here.
    pub(super) fn person(&self, user: UserId) -> Option<Person> {
        self.people.get(&user).map(|mine| mine.person)
    }

    /// Everyone here.
    pub(super) fn people(&self) -> impl Iterator<Item = (UserId, Person)> {
        self.people.iter().map(|(user, mine)| (*user, mine.person))
    }

    /// The number of the newest change.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The number of the newest change that was announced.
    pub(super) fn announced(&self) -> u64 {
        self.number - self.unsaid.len() as u64
    }

    /// Someone came, and may be gone again: if they are here, their time of grace begins anew.
    pub(super) fn came(&mut self, user: UserId) {
        if let Some(mine) = self.people.get_mut(&user) {
            mine.left = None;
        }
    }

    /// Takes in how someone is connected now; `since` is when they came online, if they are new. True when it is news.
    pub(super) fn observe(
        &mut self,
        user: UserId,
        connected: Option<Connected>,
        since: i64,
        now: (Instant, i64),
    ) -> bool {
        match (self.people.get_mut(&user), connected) {
            (None, None) => false,
            (Some(mine), None) => {
                if mine.left.is_none() {
                    mine.left = Some(now);
                    self.leaving.push_back((user, now.0));
                }
                false
            }
            (known, Some(Connected { away, devices })) => {
                let since = known.as_ref().map_or(since, |mine| mine.person.since);
                let person = Person { since, away, devices };
                let is_news = known.is_none_or(|mine| mine.person != person);
                self.people.insert(user, Mine { person, left: None });
                if is_news {
                    self.say(Change { user, person: Some(person), left_at: None });
                }
                is_news
            }
        }
    }

    /// Takes out those whose time without a connection is over; gives them with the time they left.
    pub(super) fn take_out(&mut self, now: Instant) -> Vec<(UserId, i64)> {
        let mut gone = Vec::new();
        while let Some((user, since)) =
            self.leaving.pop_front_if(|(_, since)| now.duration_since(*since) >= GRACE)
        {
            let left = self.people.get(&user).and_then(|mine| mine.left);
            // Whoever came back, and perhaps left again, stands further behind.
            if let Some((_, left_at)) = left.filter(|(left, _)| *left == since) {
                self.people.remove(&user);
                self.say(Change { user, person: None, left_at: Some(left_at) });
                gone.push((user, left_at));
            }
        }
        gone
    }

    /// The next changes to be announced.
    pub(super) fn announce(&mut self) -> Option<Announcement> {
        let from = self.announced() + 1;
        let count = self.unsaid.len().min(PER_ANNOUNCEMENT);
        let changes: Vec<Change> = self.unsaid.drain(..count).collect();
        (!changes.is_empty()).then_some(Announcement { from, changes })
    }

    fn say(&mut self, change: Change) {
        self.number += 1;
        self.unsaid.push_back(change);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hubbub_protocol::{id::UserId, model::DeviceClass};
    use tokio::time::Instant;

    use super::{Connected, GRACE, Own};
    use crate::presence::{person::Devices, roster::Roster};

    fn here() -> Connected {
        Connected { away: false, devices: Devices::default().with(DeviceClass::Desktop) }
    }

    #[test]
    fn who_comes_back_in_time_never_left() {
        let (mut own, ann, start) = (Own::default(), UserId::generate(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        assert!(own.observe(ann, Some(here()), 1, (start, 1)));
        assert!(!own.observe(ann, Some(here()), 9, (at(10), 9)), "the same is no news");
        assert!(!own.observe(ann, None, 0, (at(100), 100)));
        assert!(own.take_out(at(4_000)).is_empty());
        assert!(!own.observe(ann, Some(here()), 4_500, (at(4_500), 4_500)));
        assert!(own.take_out(at(9_000)).is_empty());
        assert_eq!(own.number(), 1);
        // The time begins anew with the next leaving.
        own.observe(ann, None, 0, (at(9_100), 9_100));
        assert!(own.take_out(at(14_000)).is_empty());
        assert_eq!(own.take_out(at(9_100) + GRACE), [(ann, 9_100)]);
        assert_eq!((own.person(ann), own.number()), (None, 2));
        assert!(own.leaving.is_empty());
    }

    #[test]
    fn a_short_visit_begins_the_time_of_grace_anew() {
        let (mut own, ann, start) = (Own::default(), UserId::generate(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        own.observe(ann, Some(here()), 1, (start, 1));
        own.observe(ann, None, 0, (at(100), 100));
        own.came(ann);
        own.observe(ann, None, 0, (at(4_000), 4_000));
        assert!(own.take_out(at(5_200)).is_empty());
        assert_eq!(own.take_out(at(9_000)), [(ann, 4_000)]);
        own.came(ann);
        assert_eq!(own.person(ann), None);
    }

    #[test]
    fn what_is_announced_in_parts_makes_the_whole() {
        let (mut own, mut roster, now) = (Own::default(), Roster::default(), Instant::now());
        roster.loaded(0, std::collections::HashMap::new());
        let people: Vec<_> = (0..600).map(|_| UserId::generate()).collect();
        for user in &people {
            own.observe(*user, Some(here()), 1, (now, 1));
        }
        let phone = Connected { away: true, devices: Devices::default().with(DeviceClass::Phone) };
        own.observe(people[0], Some(phone), 1, (now, 1));
        while let Some(announcement) = own.announce() {
            assert!(announcement.changes.len() <= 256);
            roster.heard(announcement);
        }
        roster.told(own.number());
        assert!(!roster.is_stale());
        assert!(own.people().all(|(user, person)| roster.person(user) == Some(person)));
        assert_eq!(roster.users().count(), 600);
    }
}
