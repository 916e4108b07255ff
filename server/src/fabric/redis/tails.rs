//! Cached tails of streams, in Redis: one list a stream, of sealed entries.
//!
//! The newest element tells the head, so the head and the entries can never be of different ages, and one cannot
//! expire without the other. A tail without entries is one element with an empty payload.

use std::time::Duration;

use fred::error::Error;
use fred::prelude::{KeysInterface, ListInterface, Value};
use uuid::Uuid;

use super::Redis;
use super::script::{self, Call};
use super::sealed::{seal, unseal};
use super::values::{corrupt, milliseconds, or_miss};
use crate::fabric::Result;
use crate::fabric::topic::{Key, Topic};
use crate::fabric::types::{CachedTail, FabricError, LeaseToken, Payload, Publication, Tail};

impl Redis {
    pub(in crate::fabric) async fn append(&self, publications: &[Publication]) -> Result<Vec<Tail>> {
        if publications.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.link.client();
        let calls = publications.iter().map(|entry| self.append_call(entry)).collect();
        let all = Box::pin(async {
            let mut results = script::APPEND.run_all(&client, calls).await?;
            if results.iter().all(Result::is_err) {
                return results.swap_remove(0).map(|_| Vec::new()); // as good as not sent: the breaker must know
            }
            Ok::<Vec<Result<Value, Error>>, Error>(results)
        });
        let answer = self.link.call("append", all).await;
        let Ok(results) = answer else {
            self.unsettled.remember(publications.iter().map(|entry| entry.stream));
            return answer.map(|_| Vec::new());
        };
        let outcomes: Vec<Tail> = results.into_iter().map(outcome).collect();
        let failed = publications.iter().zip(&outcomes).filter(|(_, tail)| **tail == Tail::Failed);
        self.unsettled.remember(failed.map(|(entry, _)| entry.stream));
        let recalls = publications.iter().filter(|entry| entry.drop_tail);
        self.unsettled.dropped(recalls.map(|entry| entry.stream));
        Ok(outcomes)
    }

    fn append_call(&self, entry: &Publication) -> Call {
        let Publication { stream, seq, ref payload, drop_tail } = *entry;
        Call::on(
            [self.name(&Key::tail(stream)), self.name(&Key::lease(stream))],
            [
                seq.to_string().into(),
                seal(seq, payload).into(),
                self.link.settings.tail_kept.to_string().into(),
                milliseconds(self.link.settings.tail_ttl).into(),
                self.channel(Topic::Stream(stream)).into(),
                i64::from(drop_tail).into(),
                if self.link.settings.is_clustered() { "SPUBLISH" } else { "PUBLISH" }.into(),
            ],
        )
    }

    pub(in crate::fabric) async fn tail(&self, stream: Uuid, newest: usize) -> Result<Option<CachedTail>> {
        // At least one, for the head; at most what is kept, and one more for the element of an empty tail.
        let newest = newest.clamp(1, self.link.settings.tail_kept + 1);
        let from = -i64::try_from(newest).unwrap_or(i64::MAX);
        let client = self.link.client();
        let range = Box::pin(client.lrange::<Value, _>(self.name(&Key::tail(stream)), from, -1));
        let Some(elements) = or_miss(self.link.call("tail", range).await)? else { return Ok(None) };
        let elements = elements.into_array();
        if elements.is_empty() {
            return Ok(None);
        }
        let tail = contiguous(elements);
        if tail.is_none() {
            corrupt();
            self.drop_tail(stream).await?;
        }
        Ok(tail)
    }

    pub(in crate::fabric) async fn lease_tail(
        &self,
        stream: Uuid,
        ttl: Duration,
    ) -> Result<Option<LeaseToken>> {
        let token = Uuid::now_v7();
        match self.set_if_absent(&Key::lease(stream), &token.to_string(), ttl).await {
            Err(FabricError::Full(_)) => Ok(None),
            leased => Ok(leased?.then_some(LeaseToken(token))),
        }
    }

    pub(in crate::fabric) async fn refill(
        &self,
        stream: Uuid,
        lease: &LeaseToken,
        head: u64,
        payloads: &[Payload],
    ) -> Result<bool> {
        let kept = &payloads[payloads.len().saturating_sub(self.link.settings.tail_kept)..];
        let first = (head + 1).saturating_sub(kept.len() as u64);
        let mut sealed: Vec<Value> =
            (first..).zip(kept).map(|(seq, payload)| seal(seq, payload).into()).collect();
        if sealed.is_empty() {
            sealed.push(seal(head, "").into());
        }
        let args = [lease.0.to_string().into(), milliseconds(self.link.settings.tail_ttl).into()];
        let call = Call::on(
            [self.name(&Key::tail(stream)), self.name(&Key::lease(stream))],
            args.into_iter().chain(sealed),
        );
        let answer = self.run("refill", &script::REFILL, call).await?;
        Ok(answer.as_str().as_deref() == Some("filled"))
    }

    pub(in crate::fabric) fn drop_tail_soon(&self, stream: Uuid) {
        self.unsettled.remember([stream]);
    }

    pub(in crate::fabric) async fn drop_tail(&self, stream: Uuid) -> Result<()> {
        let keys = vec![self.name(&Key::tail(stream)), self.name(&Key::lease(stream))];
        let client = self.link.client();
        let dropped = self.link.call("drop_tail", Box::pin(client.del::<(), _>(keys))).await;
        match dropped {
            Ok(()) => self.unsettled.dropped([stream]),
            Err(_) => self.unsettled.remember([stream]),
        }
        dropped
    }
}

fn outcome(answer: Result<Value, Error>) -> Tail {
    match answer.ok().and_then(Value::into_string).as_deref() {
        Some("extended") => Tail::Extended,
        Some("cold") => Tail::Cold,
        Some("stale") => Tail::Stale,
        Some("dropped") => Tail::Dropped,
        Some("full") => Tail::Full,
        _ => Tail::Failed,
    }
}

/// The elements as a tail, if each is intact and follows the one before.
fn contiguous(elements: Vec<Value>) -> Option<CachedTail> {
    let mut tail: Option<CachedTail> = None;
    for element in elements {
        let (seq, payload) = unseal(&element.into_bytes_str()?)?;
        let tail = match &mut tail {
            Some(tail) if tail.head + 1 == seq => {
                tail.head = seq;
                tail
            }
            Some(_) => return None,
            none => none.insert(CachedTail { head: seq, payloads: Vec::new() }),
        };
        if !payload.is_empty() {
            tail.payloads.push(payload);
        }
    }
    tail
}
