//! Random choices from one seed, so that a failing test can be repeated.

/// Steele, Lea and Flood's splitmix64: good enough for test steps, and the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `limit - 1`; 0 where the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low + 1).max(1) as u64) as i64
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// The seeds of a run and the number of steps of each. By default always the same `count` seeds, so that a short run
/// fails only because of a change; a single one if `KAFKIT_SEED` is a number or `clock`. `KAFKIT_STEPS` sets the number
/// of steps.
pub fn seeds(count: u64, steps: u64) -> Vec<(u64, u64)> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let steps = variable("KAFKIT_STEPS").parse().unwrap_or(steps);
    let seeds = match variable("KAFKIT_SEED").as_str() {
        "" => 1..=count,
        "clock" => {
            let since = std::time::UNIX_EPOCH.elapsed().expect("a time after 1970");
            let seed = u64::from(since.subsec_nanos());
            seed..=seed
        }
        seed => {
            let seed = seed.parse().expect("KAFKIT_SEED is a number, or the word clock");
            seed..=seed
        }
    };
    seeds.map(|seed| (seed, steps)).collect()
}
