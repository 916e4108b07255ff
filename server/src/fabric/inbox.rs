//! The bounded queue between the bus and the one task that reads it.

use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::mpsc::{self, OwnedPermit, Sender};

use super::types::BusEvent;

/// Takes what the bus hears and never waits: when the reader is behind by the whole queue, messages are lost and it
/// is told so by a `Resync`, for which one place of the queue is always kept.
#[derive(Debug)]
pub(super) struct Inbox {
    capacity: usize,
    queue: Mutex<Option<Queue>>,
}

#[derive(Debug)]
struct Queue {
    sender: Sender<BusEvent>,
    /// The kept place. While it is taken, the last event in the queue is an unread `Resync`, and what is lost
    /// meanwhile is covered by it.
    kept: Option<OwnedPermit<BusEvent>>,
}

impl Inbox {
    pub(super) fn bounded(capacity: usize) -> Self {
        Self { capacity: capacity.max(2), queue: Mutex::new(None) }
    }

    /// The reading end. A later call takes over: the earlier receiver ends after what it has.
    pub(super) fn open(&self) -> mpsc::Receiver<BusEvent> {
        let (sender, receiver) = mpsc::channel(self.capacity);
        let kept = sender.clone().try_reserve_owned().ok();
        *self.queue.lock() = Some(Queue { sender, kept });
        receiver
    }

    /// Passes one message on, or loses it and leaves a `Resync`.
    pub(super) fn deliver(&self, message: BusEvent) {
        let mut queue = self.queue.lock();
        let Some(queue) = queue.as_mut() else { return };
        let delivered = queue.keep_a_place() && queue.sender.try_send(message).is_ok();
        if !delivered && !queue.sender.is_closed() {
            counter!("hubbub_pubsub_dropped_total").increment(1);
            queue.resync();
        }
    }

    /// Tells the reader that messages may have been lost.
    pub(super) fn resync(&self) {
        if let Some(queue) = self.queue.lock().as_mut() {
            queue.resync();
        }
    }
}

impl Queue {
    fn keep_a_place(&mut self) -> bool {
        if self.kept.is_none() {
            self.kept = self.sender.clone().try_reserve_owned().ok();
        }
        self.kept.is_some()
    }

    fn resync(&mut self) {
        // Without a place to take, the queue ends in a `Resync` nobody has read yet.
        if self.keep_a_place()
            && let Some(kept) = self.kept.take()
        {
            kept.send(BusEvent::Resync);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::topic::Topic;

    fn message(text: &'static str) -> BusEvent {
        BusEvent::Message { topic: Topic::Control, payload: text.into() }
    }

    #[test]
    fn a_reader_that_is_behind_is_told_once_and_then_gets_messages_again() {
        let inbox = Inbox::bounded(4);
        inbox.deliver(message("nobody listens yet"));
        let mut events = inbox.open();
        for text in ["1", "2", "3", "lost", "lost"] {
            inbox.deliver(message(text));
        }
        inbox.resync();
        for text in ["1", "2", "3"] {
            assert_eq!(events.try_recv(), Ok(message(text)));
        }
        inbox.deliver(message("after the gap"));
        assert_eq!(events.try_recv(), Ok(BusEvent::Resync));
        assert_eq!(events.try_recv(), Ok(message("after the gap")));
        assert!(events.try_recv().is_err());
    }

    #[test]
    fn a_second_reader_takes_over() {
        let inbox = Inbox::bounded(4);
        let mut first = inbox.open();
        let mut second = inbox.open();
        inbox.deliver(message("x"));
        assert_eq!(second.try_recv(), Ok(message("x")));
        assert_eq!(first.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }

    #[test]
    fn a_reader_that_left_is_no_loss() {
        let inbox = Inbox::bounded(4);
        drop(inbox.open());
        for _ in 0..10 {
            inbox.deliver(message("x"));
        }
        inbox.resync();
    }
}
