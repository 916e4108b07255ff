//! Chance that can be repeated: everything random in a run follows from its seed.

use crate::error::{LabError, Result};

/// A small generator (`SplitMix64`). The same seed gives the same numbers on every machine and in every version.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for one part, so that what one part draws does not shift what another gets.
    pub fn part(seed: u64, part: &str) -> Self {
        // FNV-1a over the name.
        let name = part.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut rng = Self(seed ^ name);
        rng.bits();
        rng
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub fn within(&mut self, least: u64, most: u64) -> u64 {
        let span = most.saturating_sub(least).saturating_add(1);
        least + self.bits() % span.max(1)
    }

    /// An index below `count`; 0 when that is 0.
    pub fn index(&mut self, count: usize) -> usize {
        let count = u64::try_from(count.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.bits() % count).unwrap_or(0)
    }

    /// True in so many of a thousand cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.bits() % 1_000 < per_mille
    }
}

/// 64 random bits that nothing repeats, for seeds and names.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn unrepeatable() -> Result<u64> {
    getrandom::u64().map_err(|error| LabError::new(format!("no random bytes: {error}")))
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_numbers_of_a_seed_stay_what_they_are() {
        let mut rng = Rng::new(7);
        // Kept seeds mean something only as long as these do not change.
        assert_eq!([rng.bits(), rng.bits()], [7_191_089_600_892_374_487, 309_689_372_594_955_804]);
        assert_ne!(Rng::part(7, "a").bits(), Rng::part(7, "b").bits());
        assert!((0..1_000).map(|_| rng.within(3, 5)).all(|number| (3..=5).contains(&number)));
    }
}
