//! The one place that tells the time of day; and ticks.
//!
//! All nodes of a cluster take it from their database, once a second, and count on from there by a clock that cannot
//! jump: a node whose own clock is wrong or is set stamps and expires like every other. A server that runs alone
//! uses the machine's clock.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::time::{Interval, MissedTickBehavior, interval};

/// An answer that took longer says too little about the time.
const ROUND_TRIP_LIMIT: Duration = Duration::from_millis(250);
/// No database has told the time yet.
const UNTOLD: i64 = i64::MIN;

/// The database's time of day at [`STARTED`], in milliseconds.
static DATABASE_AT_START_MS: AtomicI64 = AtomicI64::new(UNTOLD);
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Milliseconds since 1970-01-01 UTC. Stamps and time-outs only: nothing is ordered by it.
pub fn now_ms() -> i64 {
    match DATABASE_AT_START_MS.load(Ordering::Relaxed) {
        UNTOLD => machine_ms(),
        at_start => at_start + running_ms(),
    }
}

/// Takes over the time that a database told in an answer that took `round_trip`.
pub fn follow(database_ms: i64, round_trip: Duration) {
    let untold = DATABASE_AT_START_MS.load(Ordering::Relaxed) == UNTOLD;
    if untold || round_trip < ROUND_TRIP_LIMIT {
        let since_told = i64::try_from(round_trip.as_millis() / 2).unwrap_or(0);
        DATABASE_AT_START_MS.store(database_ms + since_told - running_ms(), Ordering::Relaxed);
    }
}

/// Ticks, the first one at once. They are not made up for: after a pause the next one comes at once, and only one.
pub fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn running_ms() -> i64 {
    i64::try_from(STARTED.elapsed().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{follow, machine_ms, now_ms};

    #[test]
    fn the_database_tells_the_time() {
        let an_hour_ahead = machine_ms() + 3_600_000;
        follow(an_hour_ahead, Duration::from_millis(20));
        assert!((an_hour_ahead..an_hour_ahead + 1_000).contains(&now_ms()), "{}", now_ms() - an_hour_ahead);
        // A slow answer moves nothing once the time is known.
        follow(0, Duration::from_secs(1));
        assert!(now_ms() >= an_hour_ahead);
        follow(machine_ms(), Duration::ZERO);
        assert!((now_ms() - machine_ms()).abs() < 1_000);
    }
}
