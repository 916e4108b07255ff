//! Who is online, on this node and on all together: a state machine without I/O.

use std::{collections::HashMap, time::Duration};

use hubbub_protocol::{id::UserId, model::Presence};
use tokio::time::Instant;

use super::{
    own::Own,
    person::{Devices, Person, offline},
    roster::Roster,
    word::{Announcement, NodeId},
};

/// People whose last moment online is remembered, at most.
const LEFT_KEPT: usize = 20_000;
/// How long it is remembered: by then SQL has it.
const LEFT_FOR: Duration = Duration::from_mins(1);
/// People whose change was not passed on yet, at most; beyond, nobody is told.
const CHANGED_KEPT: usize = 20_000;

/// Another node.
#[derive(Debug)]
pub(super) struct Other {
    /// Who is connected there.
    pub(super) roster: Roster,
    /// When it last gave a sign of life.
    pub(super) alive: Instant,
    /// Since when its lease is not there, by readings that succeeded.
    pub(super) missing: Option<Instant>,
    /// When its people are taken out, because it said that it stops.
    pub(super) leaves: Option<Instant>,
}

/// Everyone who is online.
#[derive(Debug, Default)]
pub(super) struct View {
    /// This node.
    pub(super) own: Own,
    /// The others.
    pub(super) others: HashMap<NodeId, Other>,
    /// Everyone, on whichever nodes.
    online: HashMap<UserId, Person>,
    /// When people were last online who left a moment ago, and when this node learned it.
    left: HashMap<UserId, (i64, Instant)>,
    /// Who changed since this was last asked, and how they were before.
    changed: HashMap<UserId, Option<Person>>,
}

impl View {
    /// How someone is online.
    pub(super) fn online(&self, user: UserId) -> Option<Person> {
        self.online.get(&user).copied()
    }

    /// How many are online.
    pub(super) fn count(&self) -> usize {
        self.online.len()
    }

    /// How someone is, as far as this node knows by itself.
    pub(super) fn presence(&self, user: UserId) -> Presence {
        match self.online(user) {
            Some(person) => person.on_the_wire(user),
            None => offline(user, self.left.get(&user).map(|(left_at, _)| *left_at)),
        }
    }

    /// Looks again how someone is who changed on some node; `left_at` is when they left, for who is not online now.
    /// True when they went offline.
    pub(super) fn touch(&mut self, user: UserId, left_at: i64) -> bool {
        let here = self.own.person(user).into_iter();
        let there = self.others.values().filter_map(|other| other.roster.person(user));
        let now = here.chain(there).reduce(Person::and);
        let before = match now {
            Some(person) => self.online.insert(user, person),
            None => self.online.remove(&user),
        };
        if before == now {
            return false;
        }
        if now.is_some() {
            self.left.remove(&user);
        } else if self.left.len() < LEFT_KEPT {
            self.left.insert(user, (left_at, Instant::now()));
        }
        if self.changed.len() < CHANGED_KEPT || self.changed.contains_key(&user) {
            self.changed.entry(user).or_insert(before);
        } else {
            metrics::counter!("hubbub_presence_dropped_total").increment(1);
        }
        now.is_none()
    }

    /// Takes in what another node announces.
    pub(super) fn heard(&mut self, node: NodeId, announcement: Announcement, now: (Instant, i64)) {
        for change in self.other(node, now.0).roster.heard(announcement) {
            self.touch(change.user, change.left_at.unwrap_or(now.1));
        }
    }

    /// Takes in the whole roster of another node; false when it was older than what is known.
    pub(super) fn loaded(
        &mut self,
        node: NodeId,
        number: u64,
        people: HashMap<UserId, Person>,
        now_ms: i64,
    ) -> bool {
        let Some(other) = self.others.get_mut(&node) else { return false };
        for user in other.roster.loaded(number, people) {
            self.touch(user, now_ms);
        }
        self.others.get(&node).is_some_and(|other| !other.roster.is_stale())
    }

    /// A sign of life of another node.
    pub(super) fn other(&mut self, node: NodeId, now: Instant) -> &mut Other {
        let other = self.others.entry(node).or_insert_with(|| Other {
            roster: Roster::default(),
            alive: now,
            missing: None,
            leaves: None,
        });
        other.alive = now;
        other.missing = None;
        other
    }

    /// A node is gone, and was last there at `left_at`; gives who went offline by it.
    pub(super) fn drop_node(&mut self, node: NodeId, left_at: i64) -> Vec<(UserId, i64)> {
        let Some(other) = self.others.remove(&node) else { return Vec::new() };
        let users: Vec<UserId> = other.roster.users().collect();
        users.into_iter().filter(|user| self.touch(*user, left_at)).map(|user| (user, left_at)).collect()
    }

    /// The next people, at most `most`, who are not as they were when this was last asked.
    pub(super) fn take_changed(&mut self, most: usize) -> Vec<UserId> {
        let mut taken = Vec::new();
        let some: Vec<UserId> = self.changed.keys().take(most).copied().collect();
        for user in some {
            let before = self.changed.remove(&user).flatten();
            if before != self.online(user) {
                taken.push(user);
            }
        }
        taken
    }

    /// Puts back people whom nobody could be told of.
    pub(super) fn put_back(&mut self, users: &[UserId]) {
        for user in users.iter().take(CHANGED_KEPT.saturating_sub(self.changed.len())) {
            // Not as before, whatever that was: the opposite of now.
            let before = self.online(*user).is_none().then_some(Person {
                since: 0,
                away: false,
                devices: Devices::default(),
            });
            self.changed.entry(*user).or_insert(before);
        }
    }

    /// Forgets when people left who did so a while ago.
    pub(super) fn forget_left(&mut self) {
        self.left.retain(|_, (_, learned)| learned.elapsed() < LEFT_FOR);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use hubbub_protocol::{id::UserId, model::DeviceClass};
    use tokio::time::Instant;
    use uuid::Uuid;

    use super::View;
    use crate::presence::{
        own::{Connected, GRACE},
        person::{Devices, Person},
    };

    fn here() -> Connected {
        Connected { away: false, devices: Devices::default().with(DeviceClass::Desktop) }
    }

    #[test]
    fn who_is_on_two_nodes_stays_when_one_is_gone() {
        let (mut view, now, ann, bea) =
            (View::default(), Instant::now(), UserId::generate(), UserId::generate());
        view.own.observe(ann, Some(here()), 50, (now, 50));
        assert!(!view.touch(ann, 0));
        let there = Person { since: 40, away: false, devices: Devices::default().with(DeviceClass::Phone) };
        let node = Uuid::now_v7();
        for user in view.other(node, now).roster.loaded(0, HashMap::from([(ann, there), (bea, there)])) {
            view.touch(user, 0);
        }
        assert_eq!(view.count(), 2);
        assert_eq!(view.online(ann).map(|person| person.since), Some(40));
        assert_eq!(view.take_changed(10).len(), 2);
        assert_eq!(view.drop_node(node, 60), [(bea, 60)]);
        assert_eq!(view.count(), 1);
        assert_eq!(view.presence(bea).last_seen_at, Some(60));
        assert!(view.presence(ann).online);
        assert_eq!(view.take_changed(10).len(), 2, "bea went, ann's devices changed");
    }

    #[test]
    fn who_is_as_before_is_no_news() {
        let (mut view, now, ann) = (View::default(), Instant::now(), UserId::generate());
        view.own.observe(ann, Some(here()), 1, (now, 1));
        view.touch(ann, 0);
        assert_eq!(view.take_changed(10), [ann]);
        view.own.observe(ann, None, 1, (now, 2));
        view.own.take_out(now + GRACE);
        assert!(view.touch(ann, 2));
        view.own.observe(ann, Some(here()), 1, (now, 3));
        view.touch(ann, 3);
        assert!(view.take_changed(10).is_empty());
        view.put_back(&[ann]);
        assert_eq!(view.take_changed(10), [ann]);
    }
}
