//! The sorted sets, and what a day's marker says of them.

use std::collections::HashMap;

use hubbub_protocol::model::RoomKind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time::{DAY_MS, day_of};
use crate::{
    fabric::{Key, Scores},
    store::activity::Counted,
};

/// Public channels by their messages.
pub(super) const CHANNELS: &str = "channels";
/// Groups and direct rooms by their messages.
pub(super) const PRIVATE: &str = "private";
/// People by their messages in public channels.
pub(super) const PEOPLE: &str = "people";
/// All sets of a day or slice.
pub(super) const ALL: [&str; 3] = [CHANNELS, PRIVATE, PEOPLE];

/// The member of each set that holds the sum of the others: no other has more, so it is seen with the first.
pub(super) const SUM: &str = "*";

/// Members in one call of a script.
const PER_CALL: usize = 1_000;

/// How far a day is counted, and in which sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    /// Tells the sets of one counting of the day from those of another.
    pub(super) run: Uuid,
    /// Everything before this is in the sets, in milliseconds since 1970.
    pub(super) until_ms: i64,
    /// What the sums of the sets must be, in the order of [`ALL`].
    pub(super) sums: [u64; 3],
    /// More is being added: whoever finds this and does not add it himself cannot know what the sets hold.
    pub(super) adding: bool,
}

impl Day {
    /// Before anything was counted.
    pub(super) fn begin(day: i64) -> Self {
        Self { run: Uuid::now_v7(), until_ms: day * DAY_MS, sums: [0; 3], adding: false }
    }

    /// Reads a marker; `None` when nothing can be known from it.
    pub(super) fn decode(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|day: &Self| !day.adding)
    }

    /// The text of the marker.
    pub(super) fn encode(&self) -> String {
        serde_json::to_string(self).expect("a marker is plain data")
    }

    /// All its messages, in public channels and in other rooms.
    pub(super) fn messages(&self) -> u64 {
        self.sums[0] + self.sums[1]
    }

    /// The key of one of its sets.
    pub(super) fn set(&self, day: i64, what: &'static str) -> Key {
        Key::activity(day, self.run, what)
    }

    /// What it must be counted up to when everything before `settled_ms` is committed.
    pub(super) fn goal(day: i64, settled_ms: i64) -> i64 {
        settled_ms.min((day + 1) * DAY_MS).max(day * DAY_MS)
    }

    /// Whether the whole day is counted, as far as it is over.
    pub(super) fn is_whole(&self, day: i64, settled_ms: i64) -> bool {
        self.until_ms >= Self::goal(day, settled_ms) || day_of(self.until_ms) > day
    }
}

/// What is to be added to each set, in the order of [`ALL`], without the sums.
#[derive(Clone, Debug, Default)]
pub(super) struct Addition(pub(super) [HashMap<String, u64>; 3]);

impl Addition {
    /// What SQL counted.
    pub(super) fn of(counted: &Counted) -> Self {
        let mut addition = Self::default();
        for (room, kind, messages) in &counted.rooms {
            addition.room(&room.to_string(), *kind, *messages);
        }
        for (user, messages) in &counted.people {
            addition.person(user.to_string(), *messages);
        }
        addition
    }

    /// Messages of a room.
    pub(super) fn room(&mut self, room: &str, kind: RoomKind, messages: u64) {
        let set = usize::from(kind != RoomKind::Channel);
        *self.0[set].entry(room.to_owned()).or_default() += messages;
    }

    /// Messages of a person in public channels.
    pub(super) fn person(&mut self, user: String, messages: u64) {
        *self.0[2].entry(user).or_default() += messages;
    }

    /// The sums of the sets.
    pub(super) fn sums(&self) -> [u64; 3] {
        [0, 1, 2].map(|set| self.0[set].values().sum())
    }

    /// As the fabric takes it: the sum is the last member of the last call of each set.
    pub(super) fn calls(&self, key: impl Fn(&'static str) -> Key) -> Vec<(Key, Scores)> {
        let mut calls = Vec::new();
        for (set, what) in self.0.iter().zip(ALL) {
            let sum: u64 = set.values().sum();
            let members = set.iter().map(|(member, messages)| (member.clone(), signed(*messages)));
            let all: Scores = members.chain([(SUM.to_owned(), signed(sum))]).collect();
            if sum > 0 {
                calls.extend(all.chunks(PER_CALL).map(|some| (key(what), some.to_vec())));
            }
        }
        calls
    }

    /// The set that each of [`Self::calls`] is for.
    pub(super) fn targets(&self) -> Vec<usize> {
        let calls =
            |set: &HashMap<String, u64>| if set.is_empty() { 0 } else { (set.len() + 1).div_ceil(PER_CALL) };
        self.0.iter().enumerate().flat_map(|(number, set)| std::iter::repeat_n(number, calls(set))).collect()
    }
}

/// A score as the fabric has it.
pub(super) fn signed(messages: u64) -> i64 {
    i64::try_from(messages).unwrap_or(i64::MAX)
}

/// A count as people have it.
pub(super) fn unsigned(score: i64) -> u64 {
    u64::try_from(score).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::model::RoomKind;

    use super::{Addition, Day, SUM};
    use crate::{counters::time::DAY_MS, fabric::Key};

    #[test]
    fn an_addition_is_split_into_calls_and_ends_with_its_sum() {
        let mut addition = Addition::default();
        for number in 0..2_500_u64 {
            addition.room(&number.to_string(), RoomKind::Channel, 2);
        }
        addition.room("one", RoomKind::Group, 3);
        addition.room("one", RoomKind::Group, 4);
        assert_eq!(addition.sums(), [5_000, 7, 0]);
        let calls = addition.calls(|what| Key::activity_slice(1, what));
        assert_eq!(calls.iter().map(|(_, scores)| scores.len()).collect::<Vec<_>>(), [1_000, 1_000, 501, 2]);
        assert_eq!(addition.targets(), [0, 0, 0, 1]);
        assert_eq!(calls[2].1.last(), Some(&(SUM.to_owned(), 5_000)));
        assert_eq!(calls[3].1.last(), Some(&(SUM.to_owned(), 7)));
    }

    #[test]
    fn a_day_is_whole_when_all_that_is_settled_is_counted() {
        let mut day = Day::begin(3);
        let noon = 3 * DAY_MS + DAY_MS / 2;
        assert!(!day.is_whole(3, noon) && day.is_whole(3, 3 * DAY_MS));
        day.until_ms = noon;
        assert!(day.is_whole(3, noon) && !day.is_whole(3, noon + 1));
        day.until_ms = 4 * DAY_MS;
        assert!(day.is_whole(3, 9 * DAY_MS));
        assert_eq!(Day::decode(&day.encode()), Some(day.clone()));
        day.adding = true;
        assert_eq!(Day::decode(&day.encode()), None);
        assert_eq!(Day::decode("x"), None);
    }
}
