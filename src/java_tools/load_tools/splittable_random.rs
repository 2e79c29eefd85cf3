//! Java's `SplittableRandom`, so that random records are the same as those of Apache Kafka's tools.
//!
//! <https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/SplittableRandom.html>

/// The gamma of a generator that is made from a seed.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Numbers from a seed.
#[derive(Clone, Debug)]
pub struct SplittableRandom {
    seed: u64,
}

impl SplittableRandom {
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The next 32 bits.
    fn next_int(&mut self) -> u32 {
        self.seed = self.seed.wrapping_add(GOLDEN_GAMMA);
        let mixed = (self.seed ^ (self.seed >> 33)).wrapping_mul(0x62a9_d9ed_7997_05f5);
        ((mixed ^ (mixed >> 28)).wrapping_mul(0xcb24_d0a5_c88c_35b3) >> 32) as u32
    }

    /// A number below `bound`, which must be at least 1.
    pub fn next_below(&mut self, bound: u32) -> u32 {
        let bound = bound.max(1);
        let mut bits = self.next_int();
        if bound.is_power_of_two() {
            return bits & (bound - 1);
        }
        loop {
            let number = bits >> 1;
            let rest = number % bound;
            // The last numbers, which do not make up a whole multiple of the bound, would make some results more
            // likely.
            if (number + (bound - 1))
                .checked_sub(rest)
                .is_some_and(|sum| sum < 1 << 31)
            {
                return rest;
            }
            bits = self.next_int();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first record of `kafka-producer-perf-test --record-size 8` of Apache Kafka 4.3.1.
    #[test]
    fn the_letters_are_javas() {
        let mut random = SplittableRandom::new(0);
        let letters: String = (0..16)
            .map(|_| char::from(b'A' + random.next_below(26) as u8))
            .collect();
        assert_eq!(letters, "YQHHNEBSEPDNSEIF");
    }
}
