//! A connection's way out: a queue bounded in bytes, and one door.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use hubbub_protocol::{close::CloseCode, model::SessionEnd};
use parking_lot::Mutex;
use tokio::sync::{Notify, SetOnce};

/// What a frame costs beside its bytes: its place in the queue.
const FRAME_OVERHEAD_BYTES: usize = 48;

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The number and word in the close frame.
    pub code: CloseCode,
    /// What a session that ended is told before its connection closes.
    pub end: Option<SessionEnd>,
}

impl From<CloseCode> for Close {
    fn from(code: CloseCode) -> Self {
        Self { code, end: None }
    }
}

impl From<SessionEnd> for Close {
    fn from(end: SessionEnd) -> Self {
        Self { code: end.reason.close_code(), end: Some(end) }
    }
}

/// The door is shut; nothing more goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorShut;

/// Frames on their way to one socket. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Mutex<VecDeque<Bytes>>,
    /// Bytes queued; changed under the queue's lock, read without it.
    bytes: AtomicUsize,
    limit_bytes: usize,
    filled: Notify,
    emptied: Notify,
    door: SetOnce<Close>,
}

impl Outbox {
    /// An outbox that holds at most `limit_bytes`, overhead included.
    pub fn bounded(limit_bytes: usize) -> Self {
        Self(Arc::new(Shared {
            queue: Mutex::new(VecDeque::new()),
            bytes: AtomicUsize::new(0),
            limit_bytes,
            filled: Notify::new(),
            emptied: Notify::new(),
            door: SetOnce::new(),
        }))
    }

    /// Queues a push. It never waits: one slow reader must not delay the others, so a full outbox shuts its door.
    pub fn push(&self, frame: Bytes) {
        if self.is_shut() {
            return;
        }
        if self.try_queue(frame).is_err() {
            metrics::counter!("hubbub_slow_consumer_total").increment(1);
            self.close(CloseCode::SlowConsumer.into());
        }
    }

    /// Queues what may be missed, unless half of the outbox is taken; false when it was not queued.
    pub fn offer(&self, frame: Bytes) -> bool {
        let has_room = self.queued_bytes() + frame.len() < self.0.limit_bytes / 2;
        has_room && !self.is_shut() && self.try_queue(frame).is_ok()
    }

    /// Queues a reply or a missed entry. It waits for space, which stops this client's reads: its own backlog slows
    /// it alone.
    ///
    /// # Errors
    /// The door was shut meanwhile.
    pub async fn send(&self, frame: Bytes) -> Result<(), DoorShut> {
        let mut frame = frame;
        loop {
            let emptied = self.0.emptied.notified();
            if self.is_shut() {
                return Err(DoorShut);
            }
            match self.try_queue(frame) {
                Ok(()) => return Ok(()),
                Err(back) => frame = back,
            }
            tokio::select! {
                () = emptied => {}
                _ = self.0.door.wait() => return Err(DoorShut),
            }
        }
    }

    fn try_queue(&self, frame: Bytes) -> Result<(), Bytes> {
        let cost = frame.len() + FRAME_OVERHEAD_BYTES;
        let mut queue = self.0.queue.lock();
        let bytes = self.0.bytes.load(Ordering::Relaxed);
        // An empty outbox takes any frame, else one larger than the limit could never leave.
        if bytes + cost > self.0.limit_bytes && !queue.is_empty() {
            return Err(frame);
        }
        queue.push_back(frame);
        self.0.bytes.store(bytes + cost, Ordering::Relaxed);
        drop(queue);
        self.0.filled.notify_one();
        Ok(())
    }

    /// Takes all that is queued, waiting until there is something; `None` once the door is shut. The frames queued
    /// before that are then taken with [`Outbox::take_rest`].
    pub async fn take(&self, into: &mut Vec<Bytes>) -> Option<()> {
        loop {
            if self.is_shut() {
                return None;
            }
            self.take_rest(into);
            if !into.is_empty() {
                return Some(());
            }
            tokio::select! {
                () = self.0.filled.notified() => {}
                _ = self.0.door.wait() => return None,
            }
        }
    }

    /// Takes all that is queued now.
    pub fn take_rest(&self, into: &mut Vec<Bytes>) {
        let mut queue = self.0.queue.lock();
        into.extend(queue.drain(..));
        self.0.bytes.store(0, Ordering::Relaxed);
        drop(queue);
        self.0.emptied.notify_waiters();
    }

    /// Shuts the door; the first reason stays.
    pub fn close(&self, close: Close) {
        // The second one to shut it finds it shut.
        let _first = self.0.door.set(close);
    }

    /// Why the door was shut, as soon as it is.
    pub async fn closed(&self) -> Close {
        self.0.door.wait().await.clone()
    }

    /// Whether the door is shut.
    pub fn is_shut(&self) -> bool {
        self.0.door.initialized()
    }

    /// Bytes queued, overhead included.
    pub fn queued_bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hubbub_protocol::close::CloseCode;

    use super::{DoorShut, Outbox};

    fn frame(bytes: usize) -> Bytes {
        vec![b'x'; bytes].into()
    }

    #[tokio::test]
    async fn a_full_outbox_shuts_its_door_on_a_push() {
        let outbox = Outbox::bounded(1_000);
        outbox.push(frame(400));
        outbox.push(frame(400));
        assert!(!outbox.is_shut());
        outbox.push(frame(400));
        assert_eq!(outbox.closed().await.code, CloseCode::SlowConsumer);
        assert_eq!(outbox.send(frame(1)).await, Err(DoorShut));
    }

    #[tokio::test]
    async fn a_reply_waits_for_space() {
        let outbox = Outbox::bounded(1_000);
        outbox.push(frame(900));
        let waiting = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.send(frame(500)).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let mut taken = Vec::new();
        outbox.take(&mut taken).await;
        assert_eq!(waiting.await.expect("no panic"), Ok(()));
        outbox.take(&mut taken).await;
        assert_eq!(taken.iter().map(Bytes::len).collect::<Vec<_>>(), [900, 500]);
    }

    #[tokio::test]
    async fn a_frame_larger_than_the_limit_leaves_alone() {
        let outbox = Outbox::bounded(100);
        outbox.push(frame(5_000));
        assert!(!outbox.is_shut());
    }
}
