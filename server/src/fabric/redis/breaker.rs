//! Whether Redis is worth asking.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use metrics::gauge;
use tokio::sync::watch;
use tokio::time::timeout;

/// So many failures in a row, and nothing is asked until a probe is answered.
const MOST_FAILURES: u32 = 5;

/// Open: nothing is tried, every operation fails at once. Only an answered probe closes it again. Open at first.
#[derive(Debug)]
pub(super) struct Breaker {
    closed: watch::Sender<bool>,
    failures: AtomicU32,
}

impl Breaker {
    pub(super) fn new() -> Self {
        gauge!("hubbub_dep_circuit_state", "dep" => "redis").set(1.0);
        Self { closed: watch::Sender::new(false), failures: AtomicU32::new(0) }
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Says whenever it opens or closes.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// Redis answered something.
    pub(super) fn answered(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Redis did not answer.
    pub(super) fn failed(&self) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_FAILURES {
            self.open("it does not answer");
        }
    }

    pub(super) fn open(&self, why: &str) {
        if self.closed.send_replace(false) {
            gauge!("hubbub_dep_circuit_state", "dep" => "redis").set(1.0);
            tracing::warn!(why, "Redis is unreachable; going on without it");
        }
    }

    pub(super) fn close(&self) {
        self.failures.store(0, Ordering::Relaxed);
        if !self.closed.send_replace(true) {
            gauge!("hubbub_dep_circuit_state", "dep" => "redis").set(0.0);
            tracing::info!("Redis is reachable");
        }
    }

    /// Waits until it is closed, at most `limit`.
    pub(super) async fn closed_within(&self, limit: Duration) {
        let mut state = self.closed.subscribe();
        let _in_time = timeout(limit, state.wait_for(|closed| *closed)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_closes_only_when_told() {
        let breaker = Breaker::new();
        assert!(!breaker.is_closed());
        breaker.close();
        for _ in 0..4 {
            breaker.failed();
        }
        breaker.answered();
        for _ in 0..4 {
            breaker.failed();
        }
        assert!(breaker.is_closed());
        breaker.failed();
        assert!(!breaker.is_closed());
        breaker.answered();
        assert!(!breaker.is_closed());
        breaker.close();
        breaker.failed();
        assert!(breaker.is_closed());
    }
}
