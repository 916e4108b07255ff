//! Whatever happens to the words of a node on their way, its roster ends as the true one.

use std::collections::HashMap;

use hubbub_protocol::id::UserId;
use proptest::{collection::vec, prelude::*, sample::Index};
use uuid::Uuid;

use super::Roster;
use crate::presence::{
    person::{Devices, Person},
    word::{Announcement, Change},
};

fn user(number: u8) -> UserId {
    UserId(Uuid::from_u128(number.into()))
}

/// What a node does, and what becomes of its words.
#[derive(Clone, Debug)]
enum Step {
    /// Someone comes, goes or changes; so many changes make one announcement.
    Change(Vec<(u8, Option<i64>)>),
    /// One of the announcements so far arrives: a late one, a repeat, one after a gap.
    Hear(Index),
    /// The oldest announcement that did not arrive yet arrives.
    HearNext,
    /// The node says how far it is.
    Beat,
    /// The bus is interrupted.
    Doubt,
    /// The node writes its roster.
    Write,
    /// What is written is read, if the roster is stale.
    Load,
    /// What is written is read, stale or not.
    LoadAnyhow,
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0..6_u8, prop::option::of(0..4_i64));
    prop_oneof![
        4 => vec(change, 1..4).prop_map(Step::Change),
        3 => any::<Index>().prop_map(Step::Hear),
        4 => Just(Step::HearNext),
        1 => Just(Step::Beat),
        1 => Just(Step::Doubt),
        2 => Just(Step::Write),
        2 => Just(Step::Load),
        1 => Just(Step::LoadAnyhow),
    ]
}

#[derive(Default)]
struct Node {
    people: HashMap<UserId, Person>,
    number: u64,
    said: Vec<Announcement>,
    next: usize,
    written: (u64, HashMap<UserId, Person>),
}

impl Node {
    fn change(&mut self, changes: &[(u8, Option<i64>)]) {
        let changes = changes.iter().map(|(number, since)| Change {
            user: user(*number),
            person: since.map(|since| Person { since, away: false, devices: Devices::default() }),
            left_at: None,
        });
        let changes: Vec<Change> = changes.collect();
        for change in &changes {
            match change.person {
                Some(person) => self.people.insert(change.user, person),
                None => self.people.remove(&change.user),
            };
        }
        let from = self.number + 1;
        self.number += changes.len() as u64;
        self.said.push(Announcement { from, changes });
    }

    fn write(&mut self) {
        self.written = (self.number, self.people.clone());
    }
}

fn people(roster: &Roster) -> HashMap<UserId, Person> {
    roster.users().filter_map(|user| Some((user, roster.person(user)?))).collect()
}

/// Takes a step, and keeps a copy by what the roster said that it did: who listens to it must not miss anything.
fn take(step: &Step, node: &mut Node, roster: &mut Roster, copy: &mut HashMap<UserId, Person>) {
    let mut touched = Vec::new();
    match step {
        Step::Change(changes) => node.change(changes),
        Step::Hear(which) if !node.said.is_empty() => {
            let heard = roster.heard(which.get(&node.said).clone());
            touched.extend(heard.into_iter().map(|change| change.user));
        }
        Step::HearNext => {
            if let Some(announcement) = node.said.get(node.next) {
                node.next += 1;
                touched.extend(roster.heard(announcement.clone()).into_iter().map(|change| change.user));
            }
        }
        Step::Beat => roster.told(node.number),
        Step::Doubt => roster.doubt(),
        Step::Write => node.write(),
        Step::Load if !roster.is_stale() => {}
        Step::Load | Step::LoadAnyhow => touched = roster.loaded(node.written.0, node.written.1.clone()),
        Step::Hear(_) => {}
    }
    for user in touched {
        match roster.person(user) {
            Some(person) => copy.insert(user, person),
            None => copy.remove(&user),
        };
    }
}

proptest! {
    #[test]
    fn a_roster_ends_as_the_true_one(steps in vec(step(), 0..60), rest_is_heard: bool) {
        let (mut node, mut roster, mut copy) = (Node::default(), Roster::default(), HashMap::new());
        for step in &steps {
            take(step, &mut node, &mut roster, &mut copy);
            prop_assert_eq!(&copy, &people(&roster), "after {:?}", step);
        }
        if rest_is_heard {
            while node.next < node.said.len() {
                take(&Step::HearNext, &mut node, &mut roster, &mut copy);
            }
        }
        // What a node does all the time: it writes, it says how far it is, and who is behind reads.
        for step in [Step::Write, Step::Beat, Step::Load] {
            take(&step, &mut node, &mut roster, &mut copy);
        }
        prop_assert!(!roster.is_stale());
        prop_assert_eq!(people(&roster), node.people);
        prop_assert_eq!(copy, people(&roster));
    }

    #[test]
    fn what_comes_in_line_needs_no_reading(changes in vec(vec((0..6_u8, prop::option::of(0..4_i64)), 1..4), 1..20)) {
        let (mut node, mut roster) = (Node::default(), Roster::default());
        roster.loaded(0, HashMap::new());
        for changes in &changes {
            node.change(changes);
        }
        for announcement in node.said.clone() {
            roster.heard(announcement.clone());
            roster.heard(announcement);
            prop_assert!(!roster.is_stale());
        }
        roster.told(node.number);
        prop_assert!(!roster.is_stale());
        prop_assert_eq!(people(&roster), node.people);
    }
}

#[test]
fn a_lost_last_word_is_noticed_by_its_number() {
    let (mut node, mut roster) = (Node::default(), Roster::default());
    roster.loaded(0, HashMap::new());
    node.change(&[(1, Some(5))]);
    assert!(!roster.is_stale());
    roster.told(node.number);
    assert!(roster.is_stale());
    // Not written yet: what is read does not help, and nothing is lost by it.
    roster.loaded(0, HashMap::new());
    roster.told(node.number);
    assert!(roster.is_stale());
    node.write();
    assert_eq!(roster.loaded(node.written.0, node.written.1.clone()), [user(1)]);
    assert!(!roster.is_stale());
}
