//! The partition of records without a key: one for many records, then another, as Java's producer has it.
//!
//! Owns the choice while all is well. Whole batches to one partition cost a third less than asking librdkafka's
//! partitioner for each record; in trouble the choice is librdkafka's, which knows who leads what.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::config::value_of;

/// Bytes to one partition before the next has its turn: a batch.
const TURN: usize = 1_000_000;
/// Partitioners of librdkafka that give records without a key to any partition.
const FREE: &[&str] = &["random", "consistent_random", "murmur2_random", "fnv1a_random"];

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Sticky {
    /// The settings leave the choice open.
    is_free: bool,
    topic: String,
    /// The topic's partitions that had a leader.
    partitions: Vec<i32>,
    turn: usize,
    bytes: usize,
}

impl Sticky {
    pub(super) fn new(entries: &[(String, String)]) -> Self {
        let is_any = value_of(entries, "partitioner").is_some_and(|name| FREE.contains(&name));
        let linger = value_of(entries, "sticky.partitioning.linger.ms");
        Self {
            is_free: is_any && linger.is_none(),
            ..Self::default()
        }
    }

    /// Learns which partitions there are to choose from; begins with any of them.
    pub(super) fn learn(&mut self, topic: &str, partitions: Vec<i32>) {
        if self.is_free {
            topic.clone_into(&mut self.topic);
            self.turn = RandomState::new().hash_one(topic) as usize;
            self.partitions = partitions;
        }
    }

    /// Leaves the choice to librdkafka from now on.
    pub(super) fn give_up(&mut self) {
        self.is_free = false;
        self.partitions.clear();
    }

    /// Whose turn it is; None leaves it to librdkafka.
    pub(super) fn partition(&self, topic: &str) -> Option<i32> {
        if self.partitions.is_empty() || self.topic != topic {
            return None;
        }
        self.partitions.get(self.turn % self.partitions.len()).copied()
    }

    /// Counts what was handed over. After a batch, or when input paused, the next partition has its turn.
    pub(super) fn count(&mut self, bytes: usize, has_paused: bool) {
        self.bytes += bytes;
        if self.bytes >= TURN || has_paused {
            self.bytes = 0;
            self.turn = self.turn.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(name: &str, value: &str) -> Vec<(String, String)> {
        vec![
            ("partitioner".to_owned(), "murmur2_random".to_owned()),
            (name.to_owned(), value.to_owned()),
        ]
    }

    #[test]
    fn each_partition_has_its_turn_for_a_batch() {
        let mut sticky = Sticky::new(&entries("acks", "all"));
        assert_eq!(sticky.partition("t"), None, "nothing is known yet");
        sticky.learn("t", vec![0, 2, 5]);
        assert_eq!(sticky.partition("other"), None);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let first = sticky.partition("t").unwrap();
            sticky.count(TURN / 2, false);
            assert_eq!(sticky.partition("t"), Some(first));
            sticky.count(TURN / 2, false);
            seen.push(first);
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 2, 5]);
        sticky.give_up();
        assert_eq!(sticky.partition("t"), None);
    }

    #[test]
    fn a_partitioner_of_the_users_own_is_asked() {
        for (name, value) in [
            ("partitioner", "consistent"),
            ("sticky.partitioning.linger.ms", "0"),
        ] {
            let mut sticky = Sticky::new(&entries(name, value));
            sticky.learn("t", vec![0]);
            assert_eq!(sticky.partition("t"), None, "{name}={value}");
        }
    }
}
