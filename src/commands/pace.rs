//! The rate at which records are sent: a number per second, spread over the time.

use std::time::{Duration, Instant};

/// Shorter waits are accumulated, since a sleep cannot be as short.
const SHORTEST_WAIT: Duration = Duration::from_millis(2);

/// Holds a sender to its pace.
#[derive(Debug)]
pub struct Pace {
    began: Instant,
    /// Records a second; negative for no limit.
    per_second: f64,
}

impl Pace {
    pub fn new(per_second: f64) -> Self {
        Self {
            began: Instant::now(),
            per_second,
        }
    }

    /// How long to wait before the record after `sent` others; `None` if it is due, as the first always is, and a long
    /// time if no record will ever be due.
    pub fn wait(&self, sent: u64) -> Option<Duration> {
        if self.per_second < 0.0 || sent == 0 {
            return None;
        }
        if self.per_second == 0.0 {
            return Some(Duration::from_secs(1));
        }
        let due = Duration::try_from_secs_f64(sent as f64 / self.per_second).ok()?;
        let wait = due.checked_sub(self.began.elapsed())?;
        (wait >= SHORTEST_WAIT).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_that_is_ahead_waits() {
        assert_eq!(Pace::new(-1.0).wait(1_000_000), None);
        assert!(Pace::new(0.0).wait(1).is_some());
        assert_eq!(Pace::new(0.0).wait(0), None);
        let wait = Pace::new(10.0).wait(100).unwrap_or_default();
        assert!(wait > Duration::from_secs(9) && wait <= Duration::from_secs(10));
        assert_eq!(Pace::new(10.0).wait(0), None);
    }
}
