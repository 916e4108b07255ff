//! Streams whose cached tail may be behind, because an append did not reach Redis.

use std::collections::HashMap;

use fred::error::Error;
use fred::prelude::{Client, KeysInterface};
use parking_lot::Mutex;
use uuid::Uuid;

use super::name;
use crate::fabric::topic::Key;

/// Most streams remembered; beyond, a tail that is behind goes with its time to live or its next append.
const MOST: usize = 100_000;
/// So many are dropped in one round trip.
const AT_ONCE: usize = 500;

/// Remembers them until their tails are dropped: a tail that misses the newest entry does no harm for a moment, but a
/// recall that did not arrive must not leave the recalled text there.
#[derive(Debug, Default)]
pub(super) struct Unsettled(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// With a number that is new each time, so that what failed again while being settled is not forgotten.
    streams: HashMap<Uuid, u64>,
    count: u64,
}

impl Unsettled {
    pub(super) fn remember(&self, streams: impl IntoIterator<Item = Uuid>) {
        let mut remembered = self.0.lock();
        for stream in streams {
            if remembered.streams.len() < MOST || remembered.streams.contains_key(&stream) {
                remembered.count += 1;
                let count = remembered.count;
                remembered.streams.insert(stream, count);
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
                let keys = vec![name(prefix, &Key::tail(*stream)), name(prefix, &Key::lease(*stream))];
                let () = pipeline.del(keys).await?;
            }
            let _: Vec<i64> = pipeline.all().await?;
            self.forget(&some);
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
}
