//! Streams whose cached tail may be behind, because an append did not reach Redis.

use std::collections::HashSet;

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
pub(super) struct Unsettled(Mutex<HashSet<Uuid>>);

impl Unsettled {
    pub(super) fn remember(&self, streams: impl IntoIterator<Item = Uuid>) {
        let mut remembered = self.0.lock();
        for stream in streams {
            if remembered.len() < MOST {
                remembered.insert(stream);
            }
        }
    }

    /// Drops some of the tails, and the leases to refill them; what fails is remembered on.
    pub(super) async fn settle(&self, client: &Client, prefix: &str) -> Result<(), Error> {
        loop {
            let some: Vec<Uuid> = self.0.lock().iter().take(AT_ONCE).copied().collect();
            if some.is_empty() {
                return Ok(());
            }
            let pipeline = client.pipeline();
            for &stream in &some {
                let keys = vec![name(prefix, &Key::tail(stream)), name(prefix, &Key::lease(stream))];
                let () = pipeline.del(keys).await?;
            }
            let _: Vec<i64> = pipeline.all().await?;
            let mut remembered = self.0.lock();
            for stream in &some {
                remembered.remove(stream);
            }
        }
    }
}
