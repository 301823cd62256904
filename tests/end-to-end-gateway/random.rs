//! Numbers by chance that can be had again.

/// SplitMix64.
pub struct Random(u64);

impl Random {
    /// With a fresh seed, which is printed; `TEAMS_MIRROR_SEED` names one to have again.
    pub fn of_this_run(test: &str) -> Self {
        let seed = std::env::var("TEAMS_MIRROR_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let mut fresh = [0; 8];
            getrandom::fill(&mut fresh).unwrap();
            u64::from_le_bytes(fresh)
        });
        println!("{test}: TEAMS_MIRROR_SEED={seed}");
        Self(seed)
    }

    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0, less than `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }
}
