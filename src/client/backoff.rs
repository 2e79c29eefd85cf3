//! How long to wait before another try: exponential with jitter (KIP-580).

use std::time::Duration;

/// The random part of each wait, so that many clients do not retry at once.
const JITTER: f64 = 0.2;

/// A first wait that doubles with each failure, up to a longest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

impl Backoff {
    /// The wait after `failures` failures in a row (1 is the first), give or take 20 %.
    pub fn after(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let wait = self.first.saturating_mul(1 << doublings).min(self.longest);
        wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance())
    }
}

/// A number from 0 up to 1.
fn chance() -> f64 {
    f64::from(random_u32()) / (f64::from(u32::MAX) + 1.0)
}

/// A random number, for fairness and not for security.
pub(super) fn random_u32() -> u32 {
    getrandom::u32().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_give_or_take_a_fifth() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(1),
        };
        for (failures, about) in [(1, 100), (2, 200), (4, 800), (5, 1000), (u32::MAX, 1000)] {
            let wait = backoff.after(failures).as_millis();
            assert!(
                (about * 8 / 10..=about * 12 / 10).contains(&wait),
                "{failures}: {wait} ms"
            );
        }
    }
}
