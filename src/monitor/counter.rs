//! A count that only grows, sampled repeatedly: its rate; and the last values of a figure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time over which a rate is measured if looks are frequent.
const WINDOW: Duration = Duration::from_secs(10);

/// How many values of a figure are remembered.
const VALUES: usize = 60;

/// A count such as an end offset, and when it had which value.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    /// The looks of the window, oldest first; at least the last two.
    looks: VecDeque<(Instant, i64)>,
    /// Whether the last look had no answer for it.
    is_missing: bool,
}

impl Counter {
    /// Adds a look. If the count is lower than before, it starts anew: its topic was recreated, or its group was reset.
    pub fn look(&mut self, count: i64, now: Instant) {
        self.is_missing = false;
        if self.last().is_some_and(|last| count < last) {
            self.looks.clear();
        }
        self.looks.push_back((now, count));
        while self.looks.len() > 2 && self.is_old(now) {
            self.looks.pop_front();
        }
    }

    /// Whether the window is covered without the first look.
    fn is_old(&self, now: Instant) -> bool {
        let second = self.looks.get(1);
        second.is_some_and(|(then, _)| now.saturating_duration_since(*then) >= WINDOW)
    }

    /// Notes that there was no answer, so that the rate is not known either.
    pub fn miss(&mut self) {
        self.is_missing = true;
    }

    /// The last known count.
    pub fn last(&self) -> Option<i64> {
        self.looks.back().map(|(_, count)| *count)
    }

    /// The rate per second over the window; `None` before the second look and while there is no answer.
    pub fn rate(&self) -> Option<f64> {
        self.rate_between(self.looks.front()?, self.looks.back()?)
    }

    /// The rate per second between the last two looks.
    pub fn last_rate(&self) -> Option<f64> {
        let before = self.looks.len().checked_sub(2)?;
        self.rate_between(self.looks.get(before)?, self.looks.back()?)
    }

    fn rate_between(&self, (then, before): &(Instant, i64), (now, count): &(Instant, i64)) -> Option<f64> {
        let seconds = now.saturating_duration_since(*then).as_secs_f64();
        (seconds > 0.0 && !self.is_missing).then(|| (count - before) as f64 / seconds)
    }
}

/// The last values of a figure, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History(VecDeque<f64>);

impl History {
    pub fn push(&mut self, value: f64) {
        self.0.push_back(value);
        if self.0.len() > VALUES {
            self.0.pop_front();
        }
    }

    /// The last `count` values, fewer where there are no more.
    pub fn last(&self, count: usize) -> impl Iterator<Item = f64> + '_ {
        self.0.iter().copied().skip(self.0.len().saturating_sub(count))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_speed_is_that_of_the_window() {
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        let mut counter = Counter::default();
        counter.look(100, at(0));
        assert_eq!(counter.rate(), None, "one look has no speed");
        counter.look(300, at(2));
        assert_eq!(counter.rate(), Some(100.0));
        counter.look(300, at(4));
        assert_eq!((counter.rate(), counter.last_rate()), (Some(50.0), Some(0.0)));
        counter.look(340, at(12));
        assert_eq!(counter.rate(), Some(4.0), "the first look is out of the window");
        counter.miss();
        assert_eq!((counter.rate(), counter.last()), (None, Some(340)));
        counter.look(7, at(14));
        assert_eq!((counter.rate(), counter.last()), (None, Some(7)), "another count");
    }

    #[test]
    fn seldom_looks_have_a_speed_too() {
        let begin = Instant::now();
        let mut counter = Counter::default();
        for minute in 0..5_u32 {
            counter.look(i64::from(minute) * 600, begin + Duration::from_secs(60) * minute);
        }
        assert_eq!(counter.rate(), Some(10.0));
    }

    proptest! {
        #[test]
        fn no_speed_is_below_nothing(counts in prop::collection::vec((0_i64..1000, 0_u64..30), 0..40)) {
            let mut counter = Counter::default();
            let mut now = Instant::now();
            for (count, seconds) in counts {
                now += Duration::from_secs(seconds);
                counter.look(count, now);
                prop_assert!(counter.rate().is_none_or(|rate| rate >= 0.0 && rate.is_finite()));
                prop_assert_eq!(counter.last(), Some(count));
            }
        }
    }
}
