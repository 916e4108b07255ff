//! Reading the log: from the cached tail where it is provably whole, else from SQL. Loads of the same range are
//! shared by all who ask for it at once.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hubbub_protocol::{
    id::{Seq, StreamId},
    limits::PAGE_LIMIT,
};
use moka::future::Cache;
use tokio::sync::Semaphore;

use super::{
    Streams,
    line::{Heard, Line},
};
use crate::{
    error::CommandError,
    fabric::{CachedTail, Payload},
    store,
};

/// How long who refills a tail has the right to.
const LEASE: Duration = Duration::from_secs(5);
/// Ranges that are being loaded at once.
const LOADS: u64 = 1_024;

/// A range of a stream: after the first seq, up to and including the second.
type Range = (StreamId, Seq, Seq);

/// Loads that are under way. A range ends at a seq that is known to be committed, so what is loaded for one asker is
/// whole for the next; it is forgotten as soon as the first has it.
pub(super) struct Loads {
    under_way: Cache<Range, Arc<Vec<Line>>>,
    /// For those who catch up.
    places: Semaphore,
}

impl Loads {
    /// With so many places for connections and streams that catch up.
    pub(super) fn new(places: usize) -> Self {
        let under_way = Cache::builder().max_capacity(LOADS).time_to_live(Duration::from_secs(5)).build();
        Self { under_way, places: Semaphore::new(places) }
    }
}

fn closed() -> CommandError {
    CommandError::Unavailable("the node stops".into())
}

impl Streams {
    /// Entries of a stream after `after`, up to and including `upto`, ascending and without holes; a page at most.
    ///
    /// # Errors
    /// `unavailable` when SQL does not answer.
    pub(super) async fn lines(
        &self,
        stream: StreamId,
        after: Seq,
        upto: Seq,
    ) -> Result<Arc<Vec<Line>>, CommandError> {
        let range = (stream, after, upto);
        let load = async {
            // In turn: a crowd that comes back must not take every connection to the database.
            let _place = self.0.loads.places.acquire().await.map_err(|_| closed())?;
            self.load_lines(stream, after, upto).await.map(Arc::new)
        };
        let lines = self.0.loads.under_way.try_get_with(range, load).await;
        self.0.loads.under_way.invalidate(&range).await;
        lines.map_err(|error| CommandError::Unavailable(error.to_string().into()))
    }

    async fn load_lines(&self, stream: StreamId, after: Seq, upto: Seq) -> Result<Vec<Line>, CommandError> {
        let wanted = |line: &Line| line.seq > after && line.seq <= upto;
        if let Some(lines) = self.cached(stream).await
            && lines.first().is_some_and(|first| first.seq <= after.next())
            && lines.last().is_some_and(|last| last.seq > after)
        {
            metrics::counter!("hubbub_cache_requests_total", "result" => "hit").increment(1);
            return Ok(lines.into_iter().filter(wanted).take(PAGE_LIMIT.into()).collect());
        }
        metrics::counter!("hubbub_cache_requests_total", "result" => "miss").increment(1);
        let entries = store::entries::after(&self.0.db, stream, after, PAGE_LIMIT).await?;
        Ok(entries.iter().map(|entry| Line::of(entry).0).filter(wanted).collect())
    }

    /// The newest entries of a stream whose head is at least `head`: from the cache when it holds them up to there,
    /// else from SQL, and then the cache is filled again. Ascending, without holes.
    ///
    /// # Errors
    /// `unavailable` when SQL does not answer.
    pub async fn newest(&self, stream: StreamId, head: Seq) -> Result<Arc<Vec<Line>>, CommandError> {
        if let Some(lines) = self.cached(stream).await
            && lines.last().map_or(Seq::ZERO, |last| last.seq) >= head
        {
            metrics::counter!("hubbub_cache_requests_total", "result" => "hit").increment(1);
            return Ok(Arc::new(lines));
        }
        metrics::counter!("hubbub_cache_requests_total", "result" => "miss").increment(1);
        // A range that ends before it begins: no page of entries has this name.
        let range = (stream, Seq(u64::MAX), head);
        let load = async { self.refill(stream).await.map(Arc::new) };
        let lines = self.0.loads.under_way.try_get_with(range, load).await;
        self.0.loads.under_way.invalidate(&range).await;
        lines.map_err(|error| CommandError::Unavailable(error.to_string().into()))
    }

    async fn refill(&self, stream: StreamId) -> Result<Vec<Line>, CommandError> {
        // The lease first: an append or a recall that comes after it voids it, and what was read is not kept.
        let lease = self.0.fabric.lease_tail(stream.as_uuid(), LEASE).await.ok().flatten();
        let kept = u16::try_from(self.0.settings.kept).unwrap_or(u16::MAX);
        let entries = store::entries::before(&self.0.db, stream, Seq(u64::MAX), kept).await?;
        let (lines, texts): (Vec<_>, Vec<_>) = entries.iter().map(Line::of).unzip();
        if let (Some(lease), Some(last)) = (lease, lines.last()) {
            let payloads: Vec<Payload> = texts.into_iter().map(Payload::from).collect();
            let filled = self.0.fabric.refill(stream.as_uuid(), &lease, last.seq.0, &payloads).await;
            let result = if matches!(filled, Ok(true)) { "filled" } else { "not_filled" };
            metrics::counter!("hubbub_cache_refills_total", "result" => result).increment(1);
        }
        Ok(lines)
    }

    /// The cached tail; `None` when there is none, or it is damaged, or the fabric does not answer.
    async fn cached(&self, stream: StreamId) -> Option<Vec<Line>> {
        let tail: CachedTail = self.0.fabric.tail(stream.as_uuid()).await.ok().flatten()?;
        let seqs = tail.first_seq()..;
        let mut lines = Vec::with_capacity(tail.payloads.len());
        for (next, payload) in seqs.zip(tail.payloads) {
            // Each cached payload is a buffer of its own; a slice keeps no more alive than the entry.
            match Heard::parse(&Bytes::from(payload)) {
                Some(Heard::Line(line)) if line.seq.0 == next => lines.push(line),
                _ => {
                    metrics::counter!("hubbub_cache_mismatch_total").increment(1);
                    self.0.fabric.drop_tail(stream.as_uuid()).await.ok();
                    return None;
                }
            }
        }
        Some(lines)
    }
}
