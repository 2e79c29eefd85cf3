//! How long to wait for brokers that are asked at the same time, so that a silent one does not take the time of all.
//!
//! Pure: takes which broker was asked or has answered and when, returns which are given up. `fan_out` knows the
//! questions and connections.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::topic_partition::BrokerId;

/// The wait while no broker has answered is the limit divided by this: the network may be slow.
const SHARE_AT_FIRST: u32 = 2;
/// The wait for the next answer after one is the limit divided by this.
const SHARE: u32 = 3;
/// This many answers show how fast the cluster is.
const MANY: usize = 16;
/// After that each broker gets the limit divided by this: half a second of ten.
const SHARE_AFTER_MANY: u32 = 20;
/// But not less than this many times what the slowest of the others needed.
const TIMES_THE_SLOWEST: u32 = 4;

/// The brokers that are waited for, and since when.
#[derive(Debug)]
pub(super) struct Patience {
    /// The time for all brokers together.
    limit: Duration,
    end: Instant,
    waited_for: BTreeMap<BrokerId, Instant>,
    answers: usize,
    last_answer: Instant,
    slowest: Duration,
}

impl Patience {
    pub(super) fn new(limit: Duration, now: Instant) -> Self {
        Self {
            limit,
            end: now + limit,
            waited_for: BTreeMap::new(),
            answers: 0,
            last_answer: now,
            slowest: Duration::ZERO,
        }
    }

    /// How many brokers are waited for.
    pub(super) fn count(&self) -> usize {
        self.waited_for.len()
    }

    pub(super) fn asked(&mut self, broker: BrokerId, now: Instant) {
        self.waited_for.insert(broker, now);
    }

    /// A broker answered, perhaps one that was given up.
    pub(super) fn answered(&mut self, broker: BrokerId, now: Instant) {
        if let Some(asked) = self.waited_for.remove(&broker) {
            self.slowest = self.slowest.max(now.saturating_duration_since(asked));
        }
        self.answers += 1;
        self.last_answer = now;
    }

    /// When the next broker is given up; `None` if none is waited for.
    pub(super) fn until(&self) -> Option<Instant> {
        self.waited_for.values().map(|asked| self.end_of(*asked)).min()
    }

    /// Gives up the brokers whose time is over; returns how many.
    pub(super) fn give_up(&mut self, now: Instant) -> usize {
        let before = self.count();
        let is_over: Vec<BrokerId> = self
            .waited_for
            .iter()
            .filter(|(_, asked)| self.end_of(**asked) <= now)
            .map(|(broker, _)| *broker)
            .collect();
        for broker in is_over {
            self.waited_for.remove(&broker);
        }
        before - self.count()
    }

    /// Whether there is time to ask another broker.
    pub(super) fn is_left(&self, now: Instant) -> bool {
        now < self.end
    }

    fn end_of(&self, asked: Instant) -> Instant {
        let end = match self.answers {
            0 => asked + self.limit / SHARE_AT_FIRST,
            1..MANY => asked.max(self.last_answer) + self.limit / SHARE,
            _ => asked + (self.limit / SHARE_AFTER_MANY).max(self.slowest * TIMES_THE_SLOWEST),
        };
        end.min(self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn at(begun: Instant, millis: u64) -> Instant {
        begun + Duration::from_millis(millis)
    }

    #[test]
    fn a_third_of_the_time_after_the_last_answer_of_a_few() {
        let begun = Instant::now();
        let mut patience = Patience::new(LIMIT, begun);
        for broker in 1..=3 {
            patience.asked(broker, begun);
        }
        assert_eq!(patience.until(), Some(at(begun, 5000)), "nobody has answered");
        patience.answered(1, at(begun, 10));
        patience.answered(2, at(begun, 1000));
        assert_eq!(patience.until(), Some(at(begun, 1000) + LIMIT / 3));
        assert_eq!(patience.give_up(at(begun, 4000)), 0);
        assert_eq!(patience.give_up(at(begun, 4400)), 1);
        assert_eq!((patience.count(), patience.until()), (0, None));
    }

    #[test]
    fn a_silent_one_among_many_has_half_a_second_from_when_it_was_asked() {
        let begun = Instant::now();
        let mut patience = Patience::new(LIMIT, begun);
        for broker in 0..=20 {
            patience.asked(broker, at(begun, 100));
        }
        for broker in 1..=20 {
            patience.answered(broker, at(begun, 110 + 5 * broker as u64));
        }
        assert_eq!(patience.until(), Some(at(begun, 600)));
        assert_eq!(patience.give_up(at(begun, 600)), 1);
    }

    #[test]
    fn where_all_are_slow_nobody_is_given_up_early() {
        let begun = Instant::now();
        let mut patience = Patience::new(LIMIT, begun);
        for broker in 0..=20 {
            patience.asked(broker, begun);
        }
        for broker in 1..=20 {
            patience.answered(broker, at(begun, 700));
        }
        assert_eq!(patience.until(), Some(at(begun, 2800)));
    }

    #[test]
    fn nobody_is_waited_for_beyond_the_end() {
        let begun = Instant::now();
        let mut patience = Patience::new(LIMIT, begun);
        patience.asked(1, at(begun, 9000));
        assert_eq!(patience.until(), Some(begun + LIMIT));
        assert!(patience.is_left(at(begun, 9999)) && !patience.is_left(begun + LIMIT));
        assert_eq!(patience.give_up(begun + LIMIT), 1);
    }
}
