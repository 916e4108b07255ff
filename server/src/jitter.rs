//! Chance in times, so that a crowd does not act as one.

use std::time::Duration;

/// Between half of a time and one and a half: a crowd that is told when to try again must not come back as one.
pub fn jittered(around: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    around.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::jittered;

    #[test]
    fn a_crowd_is_spread_around_the_time() {
        let waits: HashSet<_> = (0..100).map(|_| jittered(Duration::from_secs(1))).collect();
        assert!(waits.len() > 90, "{waits:?}");
        assert!(waits.iter().all(|wait| (500..=1_500).contains(&wait.as_millis())), "{waits:?}");
    }
}
