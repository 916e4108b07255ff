//! Days are counted from SQL, by one node at a time, in stretches that a statement can bear.

use std::time::Duration;

use hubbub_protocol::limits::ACTIVITY_DAYS;
use tokio::time::Instant;

use super::{
    Counters,
    sets::{ALL, Addition, Day, SUM, signed},
    time::{DAY_MS, SLICE_MS, day_of},
};
use crate::{
    clock::{self, every},
    fabric::{FabricError, Key, Lock},
    store,
};

/// How often days are looked at.
const EVERY: Duration = Duration::from_secs(5);
/// How long after a moment every message of that moment is committed: a transaction has less, clocks differ a little.
const SETTLED_AFTER_MS: i64 = 10_000;
/// How long a day's sets and its marker stay.
const DAY_TTL: Duration = Duration::from_hours(32 * 24);
/// How long the lock is held without being renewed.
const LOCK_TTL: Duration = Duration::from_secs(20);
/// The longest stretch that one statement counts; shorter after one took too long.
const STRETCH_MS: i64 = 6 * 60 * 60 * 1_000;
/// How long days are counted before today is looked at again.
const WORK: Duration = Duration::from_secs(5);
/// Between two statements, so that counting anew leaves the database to others.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a day's counts are compared with SQL.
const COMPARED_EVERY: Duration = Duration::from_mins(10);

/// Everything before this is committed, and begins a slice.
pub(super) fn settled_ms() -> i64 {
    (clock::now_ms() - SETTLED_AFTER_MS).div_euclid(SLICE_MS) * SLICE_MS
}

/// Why a day is not counted now.
#[derive(Debug, thiserror::Error)]
enum FoldError {
    #[error(transparent)]
    Fabric(#[from] FabricError),
    #[error(transparent)]
    Store(#[from] sqlx::Error),
    #[error("another node counts")]
    LockLost,
}

/// Counts until it is dropped.
pub(super) async fn run(counters: Counters) {
    let mut ticks = every(EVERY);
    let mut folding = Folding { counters, stretch_ms: STRETCH_MS, compared: None, compares: 0 };
    loop {
        ticks.tick().await;
        if let Err(error) = folding.step().await {
            tracing::debug!(%error, "messages are not counted now");
        }
    }
}

struct Folding {
    counters: Counters,
    stretch_ms: i64,
    /// When a day was last compared, and how many days back the next one is.
    compared: Option<Instant>,
    compares: i64,
}

impl Folding {
    async fn step(&mut self) -> Result<(), FoldError> {
        let fabric = self.counters.0.fabric.clone();
        let Some(lock) = fabric.lock(&Key::lock("activity"), LOCK_TTL).await? else { return Ok(()) };
        let done = self.bring_up(&lock).await;
        fabric.unlock(lock).await?;
        done
    }

    /// Brings every day up to now, the newest first.
    async fn bring_up(&mut self, lock: &Lock) -> Result<(), FoldError> {
        let settled = settled_ms();
        let today = day_of(clock::now_ms());
        let days: Vec<i64> = (0..last_days()).map(|back| today - back).collect();
        let keys: Vec<Key> = days.iter().map(|day| Key::activity_day(*day)).collect();
        let markers = self.counters.0.fabric.get_all(&keys).await?;
        let counted = markers.iter().map(|marker| marker.as_deref().and_then(Day::decode));
        let mut days: Vec<(i64, Option<Day>)> = days.into_iter().zip(counted).collect();
        self.forget_lost(&mut days).await?;
        let began = Instant::now();
        for (day, counted) in days {
            if began.elapsed() > WORK {
                return Ok(());
            }
            match counted {
                None => self.count_anew(day, settled, lock).await?,
                Some(counted) if !counted.is_whole(day, settled) => {
                    self.extend(day, counted, settled, lock).await?;
                }
                Some(_) => {}
            }
        }
        self.compare(today, lock).await
    }

    /// Forgets what is known of days whose sets do not hold what they should: the fabric dropped one, to make room.
    async fn forget_lost(&self, days: &mut [(i64, Option<Day>)]) -> Result<(), FoldError> {
        let known = days.iter().filter_map(|(day, counted)| Some((*day, counted.as_ref()?)));
        let sets =
            known.flat_map(|(day, counted)| ALL.map(|what| (counted.set(day, what), vec![SUM.to_owned()])));
        let sums = self.counters.0.fabric.scores(&sets.collect::<Vec<_>>()).await?;
        let mut sums = sums.into_iter().map(|scores| scores.first().copied().flatten().unwrap_or(0));
        for (_, counted) in days {
            let Some(expected) = counted.as_ref().map(|counted| counted.sums) else { continue };
            let found = [sums.next(), sums.next(), sums.next()];
            if found != expected.map(|sum| Some(signed(sum))) {
                *counted = None;
            }
        }
        Ok(())
    }

    /// Counts a day from its beginning, aside; what there was is replaced in the end.
    async fn count_anew(&mut self, day: i64, settled: i64, lock: &Lock) -> Result<(), FoldError> {
        let fabric = self.counters.0.fabric.clone();
        let before = fabric.get(&Key::activity_day(day)).await?;
        let (mut counted, goal) = (Day::begin(day), Day::goal(day, settled));
        while counted.until_ms < goal {
            let (addition, until_ms) = self.next_stretch(counted.until_ms, goal, lock).await?;
            if !self.add(day, &mut counted, &addition, until_ms).await? {
                return Ok(()); // The fabric lost some of it meanwhile: from the beginning, the next time.
            }
        }
        self.mark(day, &counted).await?;
        metrics::counter!("hubbub_activity_days_counted_total").increment(1);
        let before: Option<Day> = before.and_then(|text| serde_json::from_str(&text).ok());
        for set in before.iter().flat_map(|before| ALL.map(|what| before.set(day, what))) {
            fabric.delete(&set).await?;
        }
        Ok(())
    }

    /// Counts on from where a day is.
    async fn extend(
        &mut self,
        day: i64,
        mut counted: Day,
        settled: i64,
        lock: &Lock,
    ) -> Result<(), FoldError> {
        let goal = Day::goal(day, settled);
        while counted.until_ms < goal {
            let (addition, until_ms) = self.next_stretch(counted.until_ms, goal, lock).await?;
            if addition.sums() == [0; 3] {
                counted.until_ms = until_ms;
                continue;
            }
            // Whoever takes over in between counts the day anew.
            counted.adding = true;
            self.mark(day, &counted).await?;
            if !self.add(day, &mut counted, &addition, until_ms).await? {
                self.counters.0.fabric.delete(&Key::activity_day(day)).await?;
                return Ok(());
            }
            counted.adding = false;
            self.mark(day, &counted).await?;
        }
        self.mark(day, &counted).await
    }

    /// What SQL has of the next stretch, and where it ends.
    async fn next_stretch(
        &mut self,
        from_ms: i64,
        goal: i64,
        lock: &Lock,
    ) -> Result<(Addition, i64), FoldError> {
        let inner = &self.counters.0;
        if !inner.fabric.renew(lock, LOCK_TTL).await? {
            return Err(FoldError::LockLost);
        }
        tokio::time::sleep(PAUSE).await;
        let until_ms = goal.min(from_ms + self.stretch_ms);
        match store::activity::counted(&inner.db, from_ms, until_ms).await {
            Ok(counted) => {
                self.stretch_ms = (self.stretch_ms * 2).min(STRETCH_MS);
                Ok((Addition::of(&counted), until_ms))
            }
            Err(error) => {
                self.stretch_ms = (self.stretch_ms / 4).max(SLICE_MS);
                Err(error.into())
            }
        }
    }

    /// Adds to the sets of a day; false when they did not hold what they should have.
    async fn add(
        &self,
        day: i64,
        counted: &mut Day,
        addition: &Addition,
        until_ms: i64,
    ) -> Result<bool, FoldError> {
        let run = counted.clone();
        let answers =
            self.counters.0.fabric.scores_add(&addition.calls(|what| run.set(day, what)), DAY_TTL).await?;
        for (sum, added) in counted.sums.iter_mut().zip(addition.sums()) {
            *sum += added;
        }
        counted.until_ms = until_ms;
        // The last score of the last call of a set is its sum.
        let mut found = [None; 3];
        for (set, scores) in addition.targets().into_iter().zip(&answers) {
            found[set] = scores.last().copied();
        }
        Ok(found.iter().zip(counted.sums).all(|(found, sum)| found.is_none_or(|found| found == signed(sum))))
    }

    async fn mark(&self, day: i64, counted: &Day) -> Result<(), FoldError> {
        Ok(self.counters.0.fabric.set(&Key::activity_day(day), &counted.encode(), DAY_TTL).await?)
    }

    /// From time to time compares today, or today and one of the days before, with SQL, and counts a day anew that is not right: a
    /// message that was committed very late, by a clock that is wrong, is found so.
    async fn compare(&mut self, today: i64, lock: &Lock) -> Result<(), FoldError> {
        if self.compared.is_some_and(|compared| compared.elapsed() < COMPARED_EVERY) {
            return Ok(());
        }
        self.compared = Some(Instant::now());
        self.compares = self.compares % (last_days() - 1) + 1;
        for day in [today, today - self.compares] {
            let marker = self.counters.0.fabric.get(&Key::activity_day(day)).await?;
            let Some(counted) = marker.as_deref().and_then(Day::decode) else { continue };
            let truth = store::activity::total(&self.counters.0.db, day * DAY_MS, counted.until_ms).await?;
            if truth != counted.messages() {
                tracing::info!(day, truth, counted = counted.messages(), "messages are counted anew");
                self.count_anew(day, settled_ms(), lock).await?;
            }
        }
        Ok(())
    }
}

fn last_days() -> i64 {
    i64::try_from(*ACTIVITY_DAYS.end()).unwrap_or(1)
}
