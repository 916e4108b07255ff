//! How holes and lost tails are found and filled.

use std::{sync::Arc, time::Duration};

use hubbub_protocol::id::Seq;

use super::{
    Streams,
    feed::{Feed, Sequenced},
};
use crate::{error::CommandError, store};

/// Two nodes can commit 7, then 8, and be heard as 8, 7: that long a hole may close by itself.
const REORDER_WAIT: Duration = Duration::from_millis(30);
/// Streams compared with their heads in one statement.
const HEADS_PER_QUERY: usize = 500;

impl Streams {
    /// Fills the hole of a feed, unless it closes by itself in a moment.
    pub(super) fn repair_soon(&self, feed: &Arc<Feed>) {
        if !feed.begin_repair() {
            return;
        }
        metrics::counter!("hubbub_gap_detected_total").increment(1);
        let (streams, feed) = (self.clone(), Arc::clone(feed));
        self.spawn(async move {
            tokio::time::sleep(REORDER_WAIT).await;
            if feed.has_hole() {
                streams.repair(&feed, None).await;
            }
            feed.end_repair();
            // What came early between the look and the end found a repair running.
            if feed.has_hole() {
                streams.repair_soon(&feed);
            }
        });
    }

    /// Reads on from where a feed stands until it has no hole and has reached `head`.
    async fn repair(&self, feed: &Arc<Feed>, head: Option<Seq>) {
        loop {
            let Some(position) = feed.position() else { return };
            let target = head.unwrap_or(Seq(u64::MAX));
            match self.lines(feed.stream, position, target).await {
                Ok(lines) if lines.is_empty() => return,
                Ok(lines) => {
                    for line in lines.iter() {
                        if feed.sequence(line.clone()) == Sequenced::Delivered {
                            metrics::counter!("hubbub_gap_filled_total").increment(1);
                            self.follow_joins(feed);
                        }
                    }
                }
                Err(error) => return error.log("fill a hole"),
            }
            let reached = feed.position().is_some_and(|position| head.is_none_or(|head| position >= head));
            if reached && !feed.has_hole() {
                return;
            }
        }
    }

    /// Compares every followed stream with its head, and reads on where it is behind.
    ///
    /// # Errors
    /// `unavailable` when the heads cannot be read.
    pub(super) async fn resync(&self) -> Result<(), CommandError> {
        let feeds = self.0.hub.feeds();
        for some in feeds.chunks(HEADS_PER_QUERY) {
            let ids: Vec<_> = some.iter().map(|feed| feed.stream).collect();
            let heads = store::entries::heads(&self.0.db, &ids).await?;
            for feed in some {
                self.catch_up_with(feed, heads.get(&feed.stream).copied().unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Reads on up to a head that is known to be committed, where a feed is behind it.
    pub(super) fn catch_up_with(&self, feed: &Arc<Feed>, head: Seq) {
        let behind = feed.position().is_some_and(|position| position < head);
        if !behind || !feed.begin_repair() {
            return;
        }
        let (streams, feed) = (self.clone(), Arc::clone(feed));
        self.spawn(async move {
            // It may be on its way: heads are read beside the bus.
            tokio::time::sleep(REORDER_WAIT).await;
            if feed.position().is_some_and(|position| position < head) {
                metrics::counter!("hubbub_tail_mismatch_total").increment(1);
                // A publication was lost, and with it what it would have done to the cached tail.
                streams.0.fabric.drop_tail_soon(feed.stream.as_uuid());
                streams.repair(&feed, Some(head)).await;
            }
            feed.end_repair();
        });
    }
}
