//! How many commands a connection may send: a token bucket.

use std::time::Duration;

use tokio::time::Instant;

/// Refilled steadily, emptied by commands.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    burst: f64,
    per_s: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(per_s: u32, burst: u32) -> Self {
        Self { tokens: burst.into(), burst: burst.into(), per_s: per_s.into(), at: Instant::now() }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until there is one.
    pub(super) fn take(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let refilled = (now - self.at).as_secs_f64() * self.per_s;
        self.tokens = (self.tokens + refilled).min(self.burst);
        self.at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / self.per_s).max(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Bucket;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_refills() {
        let mut bucket = Bucket::new(10, 2);
        assert!(bucket.take().is_ok() && bucket.take().is_ok());
        let wait = bucket.take().expect_err("empty");
        assert_eq!(wait, Duration::from_millis(100));
        tokio::time::advance(wait + Duration::from_millis(1)).await;
        assert!(bucket.take().is_ok() && bucket.take().is_err());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(bucket.take().is_ok() && bucket.take().is_ok() && bucket.take().is_err());
    }
}
