//! The partitions that each leader is asked about, and the lookup of each part of its answer among them.
//!
//! In a large cluster the answers have two hundred thousand partitions in all. Brokers answer in the order of the
//! request, so that the partition is mostly the one after the last, and needs no search.

use std::collections::BTreeMap;

use crate::topic_partition::BrokerId;

/// A partition that its leader is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    /// Its index in the caller's list.
    pub(super) place: usize,
}

impl Asked<'_> {
    fn name(&self) -> (&str, i32) {
        (self.topic, self.partition)
    }
}

/// The partitions of each leader, in order, so that a request names each topic once.
#[derive(Clone, Debug, Default)]
pub(super) struct LedPartitions<'a>(BTreeMap<BrokerId, Vec<Asked<'a>>>);

impl<'a> LedPartitions<'a> {
    /// From a list of partitions, each with its leader.
    pub(super) fn by_leader(partitions: impl Iterator<Item = (&'a str, i32, BrokerId)>) -> Self {
        let mut led = BTreeMap::<BrokerId, Vec<Asked<'a>>>::new();
        for (place, (topic, partition, leader)) in partitions.enumerate() {
            led.entry(leader).or_default().push(Asked {
                topic,
                partition,
                place,
            });
        }
        let mut led = Self(led);
        led.sort();
        led
    }

    /// Puts the partitions of each leader in order, after [`LedPartitions::push`].
    pub(super) fn sort(&mut self) {
        for asked in self.0.values_mut() {
            asked.sort_unstable_by(|one, other| one.name().cmp(&other.name()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn leaders(&self) -> Vec<BrokerId> {
        self.0.keys().copied().collect()
    }

    /// The partitions that a leader is asked about, by topic.
    pub(super) fn topics_of(&self, leader: BrokerId) -> impl Iterator<Item = &[Asked<'a>]> {
        self.of(leader).chunk_by(|one, other| one.topic == other.topic)
    }

    /// Adds a partition.
    pub(super) fn push(&mut self, leader: BrokerId, asked: Asked<'a>) {
        self.0.entry(leader).or_default().push(asked);
    }

    /// The lookup for a leader's answer.
    pub(super) fn answers_of(&self, leader: BrokerId) -> Finder<'_, 'a> {
        Finder {
            asked: self.of(leader),
            next: 0,
        }
    }

    fn of(&self, leader: BrokerId) -> &[Asked<'a>] {
        self.0.get(&leader).map_or(&[], Vec::as_slice)
    }
}

/// Finds a requested partition by its name.
#[derive(Debug)]
pub(super) struct Finder<'l, 'a> {
    asked: &'l [Asked<'a>],
    /// The index after the last that was found.
    next: usize,
}

impl<'a> Finder<'_, 'a> {
    /// The partition of this name; `None` if it was not requested.
    pub(super) fn find(&mut self, topic: &str, partition: i32) -> Option<Asked<'a>> {
        let name = (topic, partition);
        let is_next = self
            .asked
            .get(self.next)
            .is_some_and(|asked| asked.name() == name);
        if !is_next {
            let found = self.asked.binary_search_by(|asked| asked.name().cmp(&name));
            self.next = found.ok()?;
        }
        let found = self.asked.get(self.next).copied();
        self.next += 1;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_in_whatever_order_it_comes() {
        let list = [("b", 1, 7), ("a", 0, 7), ("b", 0, 7), ("a", 1, 8)];
        let led = LedPartitions::by_leader(list.into_iter());
        assert_eq!(led.leaders(), [7, 8]);
        let topics: Vec<usize> = led.topics_of(7).map(<[_]>::len).collect();
        assert_eq!(topics, [1, 2], "a topic stands in the question once");
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 1]] {
            let mut answers = led.answers_of(7);
            for place in order {
                let (topic, partition, _) = list[place];
                assert_eq!(answers.find(topic, partition).unwrap().place, place);
            }
            assert_eq!(answers.find("a", 1), None, "it is led by another");
            assert_eq!(answers.find("c", 0), None);
        }
        assert_eq!(led.answers_of(9).find("a", 0), None);
    }
}
