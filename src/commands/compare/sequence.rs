//! Two sequences of digests for each partition, compared as they arrive. Pure.

use std::collections::VecDeque;

use crate::topic_partition::Offset;

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Side {
    Left,
    Right,
}

/// Where the two sides of a partition differ first: the offsets there, or `None` where a side has no more records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Difference {
    /// The index of the partition.
    pub(in crate::commands) place: usize,
    /// How many records before it are the same.
    pub(in crate::commands) same: u64,
    pub(in crate::commands) left: Option<Offset>,
    pub(in crate::commands) right: Option<Offset>,
}

#[derive(Debug, Default)]
struct Partition {
    /// Digests and offsets that wait for their counterparts; at least one of the two queues is empty.
    left: VecDeque<(u64, Offset)>,
    right: VecDeque<(u64, Offset)>,
    same: u64,
    difference: Option<Difference>,
}

/// All partitions.
#[derive(Debug)]
pub(super) struct Sequences {
    partitions: Vec<Partition>,
    waiting: [usize; 2],
}

impl Sequences {
    pub(super) fn new(partitions: usize) -> Self {
        Self {
            partitions: (0..partitions).map(|_| Partition::default()).collect(),
            waiting: [0; 2],
        }
    }

    /// Whether a partition is known to differ, so that further records of it do not matter.
    pub(super) fn is_decided(&self, place: usize) -> bool {
        let partition = self.partitions.get(place);
        partition.is_some_and(|partition| partition.difference.is_some())
    }

    /// How many records of a side wait for their counterparts.
    pub(super) fn waiting(&self, side: Side) -> usize {
        let [left, right] = self.waiting;
        match side {
            Side::Left => left,
            Side::Right => right,
        }
    }

    /// The next record on a side of a partition.
    pub(super) fn push(&mut self, side: Side, place: usize, digest: u64, offset: Offset) {
        let Some(partition) = self.partitions.get_mut(place) else {
            return;
        };
        if partition.difference.is_some() {
            return;
        }
        let (own, other) = match side {
            Side::Left => (&mut partition.left, &mut partition.right),
            Side::Right => (&mut partition.right, &mut partition.left),
        };
        let [left, right] = &mut self.waiting;
        let (own_waiting, other_waiting) = match side {
            Side::Left => (left, right),
            Side::Right => (right, left),
        };
        let Some((counterpart, its_offset)) = other.pop_front() else {
            own.push_back((digest, offset));
            *own_waiting += 1;
            return;
        };
        *other_waiting = other_waiting.saturating_sub(1);
        if counterpart == digest {
            partition.same += 1;
            return;
        }
        *other_waiting = other_waiting.saturating_sub(other.len());
        other.clear();
        let (left, right) = match side {
            Side::Left => (offset, its_offset),
            Side::Right => (its_offset, offset),
        };
        partition.difference = Some(Difference {
            place,
            same: partition.same,
            left: Some(left),
            right: Some(right),
        });
    }

    /// Both sides have ended: how many records are the same, and the differences.
    pub(super) fn finish(self) -> (u64, Vec<Difference>) {
        let same = self.partitions.iter().map(|partition| partition.same).sum();
        let differences = self.partitions.into_iter().enumerate();
        let differences = differences.filter_map(|(place, partition)| {
            let left = partition.left.front().map(|(_, offset)| *offset);
            let right = partition.right.front().map(|(_, offset)| *offset);
            let is_longer = left.is_some() || right.is_some();
            let longer = is_longer.then_some(Difference {
                place,
                same: partition.same,
                left,
                right,
            });
            partition.difference.or(longer)
        });
        (same, differences.collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Both sides in any order of arrival.
    fn compared(left: &[u64], right: &[u64], order: &[bool]) -> (u64, Vec<Difference>) {
        let mut sequences = Sequences::new(1);
        let (mut lefts, mut rights) = ((10..).zip(left), (20..).zip(right));
        for goes_left in order.iter().chain(std::iter::repeat(&true)) {
            let next = if *goes_left { lefts.next() } else { None };
            if let Some((offset, digest)) = next {
                sequences.push(Side::Left, 0, *digest, offset);
            } else if let Some((offset, digest)) = rights.next() {
                sequences.push(Side::Right, 0, *digest, offset);
            } else if let Some((offset, digest)) = lefts.next() {
                sequences.push(Side::Left, 0, *digest, offset);
            } else {
                break;
            }
        }
        sequences.finish()
    }

    proptest! {
        #[test]
        fn the_first_difference_is_found_whatever_comes_first(
            left in prop::collection::vec(0_u64..3, 0..12),
            right in prop::collection::vec(0_u64..3, 0..12),
            order in prop::collection::vec(any::<bool>(), 0..24),
        ) {
            let (same, differences) = compared(&left, &right, &order);
            let expected = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
            prop_assert_eq!(same, expected as u64);
            if left == right {
                prop_assert!(differences.is_empty());
            } else {
                let at = |list: &[u64], first: i64| (list.len() > expected).then_some(first + expected as i64);
                let difference = Difference {
                    place: 0,
                    same: expected as u64,
                    left: at(&left, 10),
                    right: at(&right, 20),
                };
                prop_assert_eq!(differences, [difference]);
            }
        }
    }
}
