//! How a lost last publication is found, on any number of streams, at the cost of what was written lately.
//!
//! One node, which holds a lock, reads each second which streams were written in the last seconds and tells all nodes
//! their heads; each compares them with its feeds in memory. It covers also a node that died between its commit and
//! its publication. A node that does not hear the others reads the same for itself: then it is the delivery.

use std::time::Duration;

use hubbub_protocol::id::Seq;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Streams, control::Control};
use crate::{
    clock::{self, every},
    error::CommandError,
    fabric::{Key, Lock, Topic},
    store,
};

/// How long a node that announces may be silent before another one does.
const LEASE: Duration = Duration::from_secs(3);
/// Each announcement goes back that far: a transaction takes less than 2 s from its stamp to its commit, an
/// announcement may be lost like any other publication, and some are to come after it.
const LOOK_BACK_MS: i64 = 6_000;
/// The first one of a new announcer covers what the last one did not live to tell.
const FIRST_LOOK_BACK_MS: i64 = 15_000;
/// Streams in one announcement.
const HEADS_PER_WORD: usize = 500;
/// Streams that are read at once; when more were written, the comparison of all streams finds the rest.
const HEADS_READ: i64 = 50_000;
/// How often all followed streams are compared, whatever was announced.
const COMPARE_ALL_EVERY: Duration = Duration::from_secs(15);

/// Looks after what nothing else would find: lost last publications, and feeds that nobody follows.
pub(super) async fn sweep(streams: Streams) {
    let mut ticks = every(streams.0.settings.sweep);
    let mut sweeper = Sweeper { lock: None, heard: true, compared: Instant::now() };
    loop {
        ticks.tick().await;
        streams.0.hub.sweep(|deserted| {
            let topics: Vec<_> = deserted.iter().map(|stream| Topic::Stream(stream.as_uuid())).collect();
            streams.0.fabric.unfollow(&topics);
        });
        if streams.0.settings.clustered
            && let Err(error) = sweeper.tick(&streams).await
        {
            error.log("compare streams with their heads");
        }
    }
}

struct Sweeper {
    /// Held while this node is the one that announces.
    lock: Option<Lock>,
    heard: bool,
    compared: Instant,
}

impl Sweeper {
    async fn tick(&mut self, streams: &Streams) -> Result<(), CommandError> {
        let heard = streams.0.fabric.is_hearing();
        let turned_deaf = std::mem::replace(&mut self.heard, heard) && !heard;
        if turned_deaf || self.compared.elapsed() > COMPARE_ALL_EVERY {
            self.compared = Instant::now();
            streams.resync().await?;
        }
        if !heard {
            let written = written(streams, LOOK_BACK_MS).await?;
            streams.compare(&written);
        } else if let Some(look_back_ms) = self.turn(streams).await {
            let written = written(streams, look_back_ms).await?;
            streams.compare(&written);
            streams.announce(&written).await;
        }
        Ok(())
    }

    /// How far back this node is to announce; `None` when another one does.
    async fn turn(&mut self, streams: &Streams) -> Option<i64> {
        let fabric = &streams.0.fabric;
        if let Some(lock) = &self.lock {
            if matches!(fabric.renew(lock, LEASE).await, Ok(true)) {
                return Some(LOOK_BACK_MS);
            }
            self.lock = None;
        }
        self.lock = fabric.lock(&Key::lock("heads"), LEASE).await.ok().flatten();
        self.lock.is_some().then_some(FIRST_LOOK_BACK_MS)
    }
}

async fn written(streams: &Streams, look_back_ms: i64) -> Result<Vec<(Uuid, Seq)>, CommandError> {
    let since_ms = clock::now_ms() - look_back_ms;
    Ok(store::entries::written_since(&streams.0.db, since_ms, HEADS_READ).await?)
}

impl Streams {
    /// Reads on where a followed stream is behind what was written.
    pub(super) fn compare(&self, heads: &[(Uuid, Seq)]) {
        for (id, head) in heads {
            if let Some(feed) = self.0.hub.feed_of(*id) {
                self.catch_up_with(&feed, *head);
            }
        }
    }

    async fn announce(&self, heads: &[(Uuid, Seq)]) {
        for some in heads.chunks(HEADS_PER_WORD) {
            let word = Control::Heads { heads: some.to_vec() };
            let text = serde_json::to_string(&word).expect("a control word is plain data");
            if let Err(error) = self.0.fabric.publish(Topic::Control, &text.into()).await {
                tracing::debug!(%error, "heads were not announced; the next time they are");
                return;
            }
        }
    }
}
