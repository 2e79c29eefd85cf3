//! When a cluster is looked at, and what for: offsets each time, the rest less often, and never more than a few
//! requests a second in all.
//!
//! A token bucket with one token for each request (the clock enters as `now`): a look that costs more than the bucket
//! holds delays the next one.

use std::time::{Duration, Instant};

/// The requests a second to a cluster of a few brokers.
const PER_SECOND: f64 = 5.0;
/// The requests a second for each broker of a larger one.
const PER_BROKER: f64 = 0.2;
/// The capacity of the bucket, in seconds of requests.
const BURST: f64 = 4.0;

/// How often the layout and all groups are requested; less often in a cluster with many partitions.
const SELDOM: Duration = Duration::from_secs(10);
/// The number of partitions for which the layout may be requested once a second.
const PARTITIONS_A_SECOND: f64 = 1000.0;
/// How often brokers are asked for the sizes of their logs.
const VERY_SELDOM: Duration = Duration::from_secs(30);
/// The wait after a look that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// What a look requests in addition to the ends of partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    pub layout: bool,
    pub disks: bool,
    pub groups: bool,
}

/// Decides when the next look is, and what it requests.
#[derive(Debug)]
pub struct Schedule {
    every: Duration,
    next: Instant,
    layout: Instant,
    disks: Instant,
    groups: Instant,
    tokens: f64,
    filled: Instant,
    per_second: f64,
}

impl Schedule {
    /// The first look is due at once, and asks for everything.
    pub fn new(every: Duration, now: Instant) -> Self {
        Self {
            every,
            next: now,
            layout: now,
            disks: now,
            groups: now,
            tokens: PER_SECOND * BURST,
            filled: now,
            per_second: PER_SECOND,
        }
    }

    /// The time until the next look.
    pub fn wait(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now).max(self.debt(now))
    }

    /// The time until the bucket has no debt.
    fn debt(&self, now: Instant) -> Duration {
        let earned = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        let missing = -(self.tokens + earned);
        Duration::from_secs_f64((missing / self.per_second).max(0.0))
    }

    /// Returns what is due, and counts it as requested.
    pub fn due(&mut self, now: Instant, partitions: usize) -> Due {
        let seldom = SELDOM.max(Duration::from_secs_f64(partitions as f64 / PARTITIONS_A_SECOND));
        self.next = now + self.every;
        Due {
            layout: take(&mut self.layout, seldom, now),
            disks: take(&mut self.disks, VERY_SELDOM.max(seldom), now),
            groups: take(&mut self.groups, seldom, now),
        }
    }

    /// A look has sent this many requests.
    pub fn spent(&mut self, requests: usize, brokers: usize, now: Instant) {
        let earned = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        self.per_second = PER_SECOND.max(PER_BROKER * brokers as f64);
        self.tokens = (self.tokens + earned).min(self.per_second * BURST) - requests as f64;
        self.filled = now;
    }

    /// The layout is out of date: the next look requests it.
    pub fn layout_is_stale(&mut self, now: Instant) {
        self.layout = now;
    }

    /// Something else is on the screen: the next look is due as soon as the bucket allows.
    pub fn refresh_soon(&mut self, now: Instant) {
        self.next = now;
    }

    /// There was no answer: everything is requested again, after `AFTER_FAILURE`.
    pub fn failed(&mut self, now: Instant) {
        self.next = now + AFTER_FAILURE.min(self.every.max(Duration::from_millis(500)));
        (self.layout, self.groups) = (now, now);
    }

    /// Changes the interval of looks.
    pub fn set_every(&mut self, every: Duration, now: Instant) {
        self.next = self.next.min(now + every);
        self.every = every;
    }
}

/// Whether `due` has come; if so, it is moved on by `period`.
fn take(due: &mut Instant, period: Duration, now: Instant) -> bool {
    let has_come = now >= *due;
    if has_come {
        *due = now + period;
    }
    has_come
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_look_asks_for_everything_and_the_next_for_little() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Duration::from_secs(2), now);
        assert_eq!(schedule.wait(now), Duration::ZERO);
        let all = Due {
            layout: true,
            disks: true,
            groups: true,
        };
        assert_eq!(schedule.due(now, 10), all);
        schedule.spent(13, 3, now);
        assert_eq!(schedule.wait(now), Duration::from_secs(2));
        let now = now + Duration::from_secs(2);
        assert_eq!(schedule.due(now, 10), Due::default());
        schedule.layout_is_stale(now);
        assert!(schedule.due(now, 10).layout);
    }

    proptest! {
        /// Looks of any cost, hurried at any time: in any ten seconds no more than the bucket holds and gets.
        #[test]
        fn never_more_than_a_few_requests_a_second(
            looks in prop::collection::vec((0_usize..15, any::<bool>(), 1_u64..3000), 1..200),
        ) {
            let begin = Instant::now();
            let mut now = begin;
            let mut schedule = Schedule::new(Duration::from_millis(100), now);
            let mut made: Vec<(Instant, usize)> = Vec::new();
            for (cost, hurries, pause) in looks {
                now += Duration::from_millis(pause);
                if hurries {
                    schedule.refresh_soon(now);
                }
                if schedule.wait(now).is_zero() {
                    schedule.due(now, 10);
                    schedule.spent(cost, 3, now);
                    made.push((now, cost));
                }
            }
            for (start, _) in &made {
                let window = made.iter().filter(|(at, _)| at >= start && *at < *start + Duration::from_secs(10));
                let requests: usize = window.map(|(_, cost)| cost).sum();
                let most = PER_SECOND * (BURST + 10.0) + 15.0;
                prop_assert!(requests as f64 <= most, "{requests} requests in ten seconds");
            }
        }

        #[test]
        fn every_wait_ends(cost in 0_usize..2000, brokers in 0_usize..200) {
            let now = Instant::now();
            let mut schedule = Schedule::new(Duration::from_secs(1), now);
            schedule.due(now, 100);
            schedule.spent(cost, brokers, now);
            let wait = schedule.wait(now);
            prop_assert!(schedule.wait(now + wait + Duration::from_millis(1)).is_zero());
        }
    }
}
