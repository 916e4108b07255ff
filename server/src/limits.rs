//! Token buckets by address, of this node alone. Bounded: the least used are forgotten first.

use std::{net::IpAddr, sync::Arc, time::Duration};

use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Addresses remembered.
const REMEMBERED: u64 = 100_000;

/// Refilled steadily, emptied by use.
#[derive(Debug)]
pub struct Bucket {
    tokens: f64,
    burst: f64,
    per_s: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub fn new(per_s: u32, burst: u32) -> Self {
        Self { tokens: burst.into(), burst: burst.into(), per_s: per_s.into(), at: Instant::now() }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until there is one.
    pub fn take(&mut self) -> Result<(), Duration> {
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

/// A bucket for each address.
pub struct AddressLimit {
    buckets: Cache<IpAddr, Arc<Mutex<Bucket>>>,
    per_s: u32,
    burst: u32,
}

impl AddressLimit {
    /// Each address may do `burst` at once and `per_s` on average.
    pub fn new(per_s: u32, burst: u32) -> Self {
        let refilled = Duration::from_secs(u64::from(burst.div_ceil(per_s)) + 1);
        let buckets = Cache::builder().max_capacity(REMEMBERED).time_to_idle(refilled).build();
        Self { buckets, per_s, burst }
    }

    /// Takes a token of this address.
    ///
    /// # Errors
    /// The time until there is one.
    pub fn take(&self, address: IpAddr) -> Result<(), Duration> {
        let bucket =
            self.buckets.get_with(address, || Arc::new(Mutex::new(Bucket::new(self.per_s, self.burst))));
        bucket.lock().take()
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use super::{AddressLimit, Bucket};

    #[tokio::test(start_paused = true)]
    async fn a_bucket_refills() {
        let mut bucket = Bucket::new(10, 2);
        assert!(bucket.take().is_ok() && bucket.take().is_ok());
        let wait = bucket.take().expect_err("empty");
        assert_eq!(wait, Duration::from_millis(100));
        tokio::time::advance(wait + Duration::from_millis(1)).await;
        assert!(bucket.take().is_ok() && bucket.take().is_err());
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(bucket.take().is_ok() && bucket.take().is_ok() && bucket.take().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn each_address_has_its_own() {
        let limit = AddressLimit::new(1, 1);
        let [one, other] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        assert!(limit.take(one).is_ok() && limit.take(one).is_err() && limit.take(other).is_ok());
    }
}
