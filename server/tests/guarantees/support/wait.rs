//! Waiting for what is expected, never for a time.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// Longest wait for something that must happen; only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// How often a condition that nobody announces is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits for a future that must end in time.
pub(crate) async fn within<T>(limit: Duration, what: &str, future: impl Future<Output = T>) -> T {
    timeout(limit, future).await.unwrap_or_else(|_| panic!("waited {limit:?} in vain for: {what}"))
}

/// Looks again and again until there is something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {what}");
        sleep(LOOK_EVERY).await;
    }
}
