//! How long to wait before coming back.

use std::time::Duration;

/// Longest first wait after a failure; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait of all.
const MOST: Duration = Duration::from_secs(30);
/// Doublings after which `MOST` is passed.
const DOUBLINGS: u32 = 5;

/// Counts failures in a row. Waits have full jitter, so that clients which were lost together do not return together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The connection worked: the next loss is a first one again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait now.
    pub(crate) fn wait(&mut self) -> Duration {
        let ceiling = ceiling(self.failures);
        self.failures = (self.failures + 1).min(DOUBLINGS);
        jitter(ceiling)
    }
}

fn ceiling(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.min(DOUBLINGS)).min(MOST)
}

/// Anything from nothing to `most`.
fn jitter(most: Duration) -> Duration {
    let span_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    // Without random bytes half the span is as good a guess as any.
    let random = getrandom::u64().unwrap_or(span_ms / 2);
    Duration::from_millis(random % span_ms)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, ceiling};

    #[test]
    fn the_ceiling_doubles_from_one_second_to_thirty() {
        let seconds: Vec<u64> = (0..8).map(|failures| ceiling(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn a_wait_stays_under_the_ceiling_of_its_turn() {
        for _ in 0..200 {
            let mut backoff = Backoff::default();
            assert!(backoff.wait() <= Duration::from_secs(1));
            assert!(backoff.wait() <= Duration::from_secs(2));
            assert!(backoff.wait() <= Duration::from_secs(4));
            backoff.reset();
            assert!(backoff.wait() <= Duration::from_secs(1));
        }
    }

    #[test]
    fn waits_differ() {
        let waits: std::collections::HashSet<Duration> = (0..50).map(|_| Backoff::default().wait()).collect();
        assert!(waits.len() > 10, "{waits:?}");
    }
}
