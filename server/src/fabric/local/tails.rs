//! Cached tails of streams, in process.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::Local;
use super::values::Value;
use crate::fabric::topic::{Key, Topic};
use crate::fabric::types::{CachedTail, LeaseToken, Payload, Publication, Tail};

/// What an entry costs beside its bytes.
const ENTRY_OVERHEAD: usize = 64;

#[derive(Debug)]
pub(super) struct CachedEntries {
    head: u64,
    /// Oldest first, the last one being `head`.
    payloads: VecDeque<Payload>,
    bytes: usize,
}

impl CachedEntries {
    fn push(&mut self, payload: Payload, kept: usize) {
        self.bytes += payload.len() + ENTRY_OVERHEAD;
        self.payloads.push_back(payload);
        while self.payloads.len() > kept {
            let oldest = self.payloads.pop_front();
            self.bytes -= oldest.map_or(0, |payload| payload.len() + ENTRY_OVERHEAD);
        }
    }
}

impl Local {
    pub(in crate::fabric) fn append(&self, publication: &Publication) -> Tail {
        let outcome = self.extend_tail(publication);
        self.publish(Topic::Stream(publication.stream), &publication.payload);
        outcome
    }

    fn extend_tail(&self, publication: &Publication) -> Tail {
        let Publication { stream, seq, ref payload, drop_tail } = *publication;
        let now = Instant::now();
        self.delete(&Key::lease(stream));
        let mut tails = self.tails.lock();
        if drop_tail {
            tails.take(&stream, now);
            return Tail::Dropped;
        }
        let Some(head) = tails.get(&stream, now).map(|tail| tail.head) else { return Tail::Cold };
        if seq <= head {
            return Tail::Stale;
        }
        let Some((mut tail, _)) = tails.take(&stream, now).filter(|_| seq == head + 1) else {
            return Tail::Dropped;
        };
        tail.head = seq;
        tail.push(payload.clone(), self.settings.tail_kept);
        let weight = tail.bytes + ENTRY_OVERHEAD;
        tails.put(stream, tail, weight, now + self.settings.tail_ttl, now);
        if tails.get(&stream, now).is_some() { Tail::Extended } else { Tail::Full }
    }

    pub(in crate::fabric) fn tail(&self, stream: Uuid, newest: usize) -> Option<CachedTail> {
        let tails = self.tails.lock();
        let tail = tails.get(&stream, Instant::now())?;
        let skipped = tail.payloads.len().saturating_sub(newest);
        Some(CachedTail { head: tail.head, payloads: tail.payloads.iter().skip(skipped).cloned().collect() })
    }

    pub(in crate::fabric) fn lease_tail(&self, stream: Uuid, ttl: Duration) -> Option<LeaseToken> {
        let token = Uuid::now_v7();
        self.set_if_absent(&Key::lease(stream), &token.to_string(), ttl).then_some(LeaseToken(token))
    }

    pub(in crate::fabric) fn refill(
        &self,
        stream: Uuid,
        lease: &LeaseToken,
        head: u64,
        payloads: &[Payload],
    ) -> bool {
        let now = Instant::now();
        let mine = lease.0.to_string();
        // Both locks, in the order `extend_tail` takes them, so that no append comes in between.
        let mut values = self.values.lock();
        let key = Key::lease(stream);
        if !matches!(values.get(&key, now), Some(Value::Text(holder)) if *holder == mine) {
            return false;
        }
        values.take(&key, now);
        let mut tail = CachedEntries { head, payloads: VecDeque::new(), bytes: 0 };
        for payload in payloads {
            tail.push(payload.clone(), self.settings.tail_kept);
        }
        let weight = tail.bytes + ENTRY_OVERHEAD;
        self.tails.lock().put(stream, tail, weight, now + self.settings.tail_ttl, now);
        true
    }

    pub(in crate::fabric) fn drop_tail(&self, stream: Uuid) {
        self.delete(&Key::lease(stream));
        self.tails.lock().take(&stream, Instant::now());
    }
}
