//! Adding up what is asked for.

use std::{collections::HashMap, hash::Hash, str::FromStr, sync::Arc, time::Duration};

use hubbub_protocol::id::{RoomId, UserId};
use moka::future::Cache;

use super::{
    Counters,
    fold::settled_ms,
    sets::{CHANNELS, Day, PEOPLE, PRIVATE, SUM, unsigned},
    time::{DAY_MS, SLICE_MS, day_of, slice_of},
};
use crate::{
    clock,
    fabric::{self, Key, Scores},
};

/// How long an answer is good for.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// How often it is added up at most, when days move meanwhile, and how long between.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_millis(50);
/// How long the last answer is given while there is no new one.
const LAST_FOR: Duration = Duration::from_mins(10);
/// Private answers kept.
const PRIVATE_KEPT: u64 = 10_000;
/// How far behind today's counts may be and still count as complete, in milliseconds.
const BEHIND_MS: i64 = 20_000;
/// Slices that are added at most; when today is further behind, something is missing.
const SLICES: i64 = 60;
/// Members read of each set. The sums of several days are exact for whoever is among these on each day.
const READ: usize = 1_000;

/// Messages in public channels: the same for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Public {
    /// Each day (counted from 1970-01-01) with its messages, the oldest first.
    pub days: Vec<(i64, u64)>,
    /// Channels, the most active first.
    pub channels: Vec<(RoomId, u64)>,
    /// People, the most active first.
    pub people: Vec<(UserId, u64)>,
    /// When this was added up, in milliseconds since 1970.
    pub as_of: i64,
    /// Whether nothing is missing but what was sent in the last half minute.
    pub complete: bool,
}

/// Messages in rooms that are nobody else's business.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private {
    /// Messages by day (counted from 1970-01-01).
    pub days: HashMap<i64, u64>,
    /// Messages by room.
    pub rooms: HashMap<RoomId, u64>,
    /// As [`Public::complete`].
    pub complete: bool,
}

/// Answers of a moment ago.
pub(super) struct Told {
    public: Cache<usize, Arc<Public>>,
    last: Cache<usize, Arc<Public>>,
    private: Cache<(UserId, usize), Arc<Private>>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            public: Cache::builder().max_capacity(64).time_to_live(GOOD_FOR).build(),
            last: Cache::builder().max_capacity(64).time_to_live(LAST_FOR).build(),
            private: Cache::builder().max_capacity(PRIVATE_KEPT).time_to_live(GOOD_FOR).build(),
        }
    }
}

/// The days asked for as they stand in the fabric, and the slices that are in none of them.
struct Stand {
    days: Vec<(i64, Option<Day>)>,
    slices: Vec<i64>,
    complete: bool,
    /// A day was being added to when this was read.
    moving: bool,
}

impl Counters {
    /// What went on in public channels in the last days. While Redis is away, what was last told, or nothing.
    pub async fn public(&self, days: usize) -> Arc<Public> {
        let told = &self.0.told;
        match told.public.try_get_with(days, self.add_up(days)).await {
            Ok(public) => {
                if public.complete {
                    told.last.insert(days, Arc::clone(&public)).await;
                }
                public
            }
            Err(error) => {
                tracing::debug!(%error, "activity cannot be added up");
                told.last.get(&days).await.unwrap_or_else(|| Arc::new(nothing(days)))
            }
        }
    }

    /// What went on in some rooms in the last days, for `user`, who must be in all of them.
    pub async fn private(&self, user: UserId, rooms: &[RoomId], days: usize) -> Arc<Private> {
        if rooms.is_empty() {
            return Arc::new(Private { complete: true, ..Private::default() });
        }
        let told =
            self.0.told.private.try_get_with((user, days), Box::pin(self.add_up_rooms(rooms, days))).await;
        told.unwrap_or_else(|error| {
            tracing::debug!(%error, "activity cannot be added up");
            Arc::default()
        })
    }

    async fn stand(&self, days: usize) -> fabric::Result<Stand> {
        let (settled, now) = (settled_ms(), clock::now_ms());
        let days = last(days, day_of(now));
        let keys: Vec<Key> = days.iter().map(|day| Key::activity_day(*day)).collect();
        let markers = self.0.fabric.get_all(&keys).await?;
        let moving = markers.iter().flatten().any(|marker| Day::decode(marker).is_none());
        let days: Vec<(i64, Option<Day>)> = days
            .into_iter()
            .zip(markers.iter().map(|marker| marker.as_deref().and_then(Day::decode)))
            .collect();
        let is_whole = |(day, counted): &(i64, Option<Day>)| {
            counted.as_ref().is_some_and(|counted| counted.is_whole(*day, settled - BEHIND_MS))
        };
        let complete = days.iter().all(is_whole);
        // The end of each day that is not counted yet, today above all.
        let slices = days.iter().flat_map(|(day, counted)| {
            let from = counted.as_ref().map_or(day * DAY_MS, |counted| counted.until_ms);
            let end = now.min((day + 1) * DAY_MS - 1);
            let newest = slice_of(end);
            let oldest = slice_of(from).max(slice_of(now) - SLICES);
            oldest..=newest
        });
        let slices = slices.collect();
        Ok(Stand { days, slices, complete, moving })
    }

    async fn add_up(&self, days: usize) -> fabric::Result<Arc<Public>> {
        let (public, steady) = until_steady(|| self.add_up_once(days)).await?;
        Ok(Arc::new(Public { complete: public.complete && steady, ..public }))
    }

    async fn add_up_rooms(&self, rooms: &[RoomId], days: usize) -> fabric::Result<Arc<Private>> {
        let (private, steady) = until_steady(|| self.add_up_rooms_once(rooms, days)).await?;
        Ok(Arc::new(Private { complete: private.complete && steady, ..private }))
    }

    /// The sums, and whether every day held what its marker says.
    async fn add_up_once(&self, days: usize) -> fabric::Result<(Public, bool)> {
        let stand = self.stand(days).await?;
        let whole: Vec<(i64, &Day)> =
            stand.days.iter().filter_map(|(day, counted)| Some((*day, counted.as_ref()?))).collect();
        let mut keys: Vec<Key> = Vec::new();
        for what in [CHANNELS, PEOPLE] {
            keys.extend(whole.iter().map(|(day, counted)| counted.set(*day, what)));
            keys.extend(stand.slices.iter().map(|slice| Key::activity_slice(*slice, what)));
        }
        let tops = self.0.fabric.top(&keys, READ + 1).await?;
        let (channel_tops, people_tops) = tops.split_at(tops.len() / 2);
        let mut steady = !stand.moving;
        let mut by_day: HashMap<i64, u64> = HashMap::new();
        for (number, top) in channel_tops.iter().enumerate() {
            let sum = sum_of(top);
            let day = match whole.get(number) {
                Some((day, counted)) => {
                    steady &= sum == counted.sums[0];
                    *day
                }
                None => stand.slices.get(number - whole.len()).map_or(0, |slice| day_of(slice * SLICE_MS)),
            };
            *by_day.entry(day).or_default() += sum;
        }
        for ((_, counted), top) in whole.iter().zip(people_tops) {
            steady &= sum_of(top) == counted.sums[2];
        }
        let days = stand.days.iter().map(|(day, _)| (*day, by_day.get(day).copied().unwrap_or(0)));
        let public = Public {
            days: days.collect(),
            channels: ranked(channel_tops),
            people: ranked(people_tops),
            as_of: clock::now_ms(),
            complete: stand.complete,
        };
        Ok((public, steady))
    }

    async fn add_up_rooms_once(&self, rooms: &[RoomId], days: usize) -> fabric::Result<(Private, bool)> {
        let stand = self.stand(days).await?;
        let members: Vec<String> = rooms.iter().map(RoomId::to_string).chain([SUM.to_owned()]).collect();
        let mut asked = Vec::new();
        let mut whose: Vec<(i64, Option<u64>)> = Vec::new();
        for (day, counted) in &stand.days {
            if let Some(counted) = counted {
                asked.push((counted.set(*day, PRIVATE), members.clone()));
                whose.push((*day, Some(counted.sums[1])));
            }
        }
        for slice in &stand.slices {
            asked.push((Key::activity_slice(*slice, PRIVATE), members.clone()));
            whose.push((day_of(slice * SLICE_MS), None));
        }
        let mut steady = !stand.moving;
        let mut private = Private { complete: stand.complete, ..Private::default() };
        for ((day, expected), scores) in whose.into_iter().zip(self.0.fabric.scores(&asked).await?) {
            let scores: Vec<u64> = scores.into_iter().map(|score| unsigned(score.unwrap_or(0))).collect();
            let sum = scores.last().copied().unwrap_or(0);
            steady &= expected.is_none_or(|expected| expected == sum);
            for (room, messages) in rooms.iter().zip(scores) {
                if messages > 0 {
                    *private.rooms.entry(*room).or_default() += messages;
                    *private.days.entry(day).or_default() += messages;
                }
            }
        }
        Ok((private, steady))
    }
}

/// Adds up, again when a day was added to meanwhile: what was read is then of two moments. Gives what was added up last,
/// and whether it is of one moment.
async fn until_steady<T, F>(once: impl Fn() -> F) -> fabric::Result<(T, bool)>
where
    F: Future<Output = fabric::Result<(T, bool)>>,
{
    for _ in 1..TRIES {
        let (sum, steady) = once().await?;
        if steady {
            return Ok((sum, true));
        }
        tokio::time::sleep(PAUSE).await;
    }
    once().await
}

/// The last days up to `today`, the oldest first.
fn last(days: usize, today: i64) -> Vec<i64> {
    let days = i64::try_from(days).unwrap_or(1);
    (today - days + 1..=today).collect()
}

/// Nothing is known.
fn nothing(days: usize) -> Public {
    let as_of = clock::now_ms();
    let days = last(days, day_of(as_of)).into_iter().map(|day| (day, 0)).collect();
    Public { days, as_of, ..Public::default() }
}

fn sum_of(top: &Scores) -> u64 {
    top.iter().find(|(member, _)| member == SUM).map_or(0, |(_, sum)| unsigned(*sum))
}

/// Several sets added up, the highest first.
fn ranked<T: FromStr + Copy + Eq + Hash + Ord>(sets: &[Scores]) -> Vec<(T, u64)> {
    let mut sums: HashMap<T, u64> = HashMap::new();
    for (member, score) in sets.iter().flatten() {
        if let Ok(member) = member.parse() {
            *sums.entry(member).or_default() += unsigned(*score);
        }
    }
    let mut ranked: Vec<(T, u64)> = sums.into_iter().collect();
    ranked.sort_unstable_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
    ranked
}
