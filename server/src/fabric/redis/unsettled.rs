//! Streams whose cached tail may be behind, because an append did not reach Redis.

use std::collections::{HashMap, VecDeque};

use fred::error::Error;
use fred::prelude::{Client, KeysInterface, Value};
use parking_lot::Mutex;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::link::is_redirected;
use super::name;
use super::script::whole;
use crate::fabric::topic::Key;

/// Most streams remembered; beyond, a tail that is behind goes with its time to live or its next append.
const MOST: usize = 100_000;
/// So many are dropped in one round trip.
const AT_ONCE: usize = 500;
/// What a primary did and its replica does not know of is not older, or the replica is far behind.
const RECENT: Duration = Duration::from_secs(30);

/// Remembers them until their tails are dropped: a tail that misses the newest entry does no harm for a moment, but a
/// recall that did not arrive must not leave the recalled text there.
#[derive(Debug, Default)]
pub(super) struct Unsettled(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// With a number that is new each time, so that what failed again while being settled is not forgotten.
    streams: HashMap<Uuid, u64>,
    count: u64,
    /// Whose tails were dropped lately, oldest first: a replica that is promoted may have missed it.
    recent: VecDeque<(Instant, Uuid)>,
}

impl Unsettled {
    pub(super) fn remember(&self, streams: impl IntoIterator<Item = Uuid>) {
        let mut remembered = self.0.lock();
        for stream in streams {
            remembered.add(stream);
        }
    }

    /// Tails that were dropped as they should.
    pub(super) fn dropped(&self, streams: impl IntoIterator<Item = Uuid>) {
        let (mut remembered, now) = (self.0.lock(), Instant::now());
        for stream in streams {
            while remembered.recent.len() >= MOST
                || remembered.recent.front().is_some_and(|(when, _)| now - *when > RECENT)
            {
                remembered.recent.pop_front();
            }
            remembered.recent.push_back((now, stream));
        }
    }

    /// Remembers those that were dropped lately: they are dropped again.
    pub(super) fn remember_recent(&self) {
        let mut remembered = self.0.lock();
        for (when, stream) in std::mem::take(&mut remembered.recent) {
            if when.elapsed() <= RECENT {
                remembered.add(stream);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().streams.is_empty()
    }

    /// Drops their tails, and the leases to refill them; what fails is remembered on.
    pub(super) async fn settle(&self, client: &Client, prefix: &str) -> Result<(), Error> {
        loop {
            let some = self.some();
            if some.is_empty() {
                return Ok(());
            }
            let pipeline = client.pipeline();
            for (stream, _) in &some {
                // One by one: while a slot moves, its keys may be at two places.
                let () = pipeline.del(name(prefix, &Key::tail(*stream))).await?;
                let () = pipeline.del(name(prefix, &Key::lease(*stream))).await?;
            }
            let answers = whole(pipeline.try_all::<Value>().await, some.len() * 2)?;
            let mut settled = Vec::with_capacity(some.len());
            for (stream, answers) in some.into_iter().zip(answers.chunks(2)) {
                match answers.iter().find_map(|answer| answer.as_ref().err()) {
                    None => settled.push(stream),
                    // Neither can the tail be read there, until the slot has moved.
                    Some(error) if is_redirected(error) => {}
                    Some(error) => return Err(error.clone()),
                }
            }
            if settled.is_empty() {
                return Ok(());
            }
            self.forget(&settled);
        }
    }

    fn some(&self) -> Vec<(Uuid, u64)> {
        self.0.lock().streams.iter().take(AT_ONCE).map(|(stream, count)| (*stream, *count)).collect()
    }

    fn forget(&self, settled: &[(Uuid, u64)]) {
        let mut remembered = self.0.lock();
        for (stream, count) in settled {
            if remembered.streams.get(stream) == Some(count) {
                remembered.streams.remove(stream);
            }
        }
    }
}

impl Remembered {
    fn add(&mut self, stream: Uuid) {
        if self.streams.len() < MOST || self.streams.contains_key(&stream) {
            self.count += 1;
            self.streams.insert(stream, self.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_while_it_is_settled_stays() {
        let [once, twice] = [Uuid::now_v7(), Uuid::now_v7()];
        let unsettled = Unsettled::default();
        unsettled.remember([once, twice]);
        let being_settled = unsettled.some();
        unsettled.remember([twice]);
        unsettled.forget(&being_settled);
        let left: Vec<Uuid> = unsettled.some().into_iter().map(|(stream, _)| stream).collect();
        assert_eq!(left, [twice]);
    }
    #[test]
    fn what_was_dropped_lately_is_dropped_again() {
        let [one, two] = [Uuid::now_v7(), Uuid::now_v7()];
        let unsettled = Unsettled::default();
        unsettled.dropped([one, two]);
        assert!(unsettled.is_empty());
        unsettled.remember_recent();
        assert_eq!(unsettled.some().len(), 2);
        unsettled.forget(&unsettled.some());
        unsettled.remember_recent();
        assert!(unsettled.is_empty(), "once");
    }
}
