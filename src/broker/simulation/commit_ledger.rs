//! The committed offsets of a consumer group, as all its members together were told.

use std::collections::BTreeMap;

use super::consumer_group_member::Partition;
use crate::topic_partition::Offset;

/// Offsets of one partition; 0 for none.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The largest that was acknowledged, or seen.
    floor: Offset,
    /// The largest that any member has tried to commit.
    attempted: Offset,
}

/// The committed offsets of a group.
#[derive(Debug, Default)]
pub(super) struct CommitLedger {
    partitions: BTreeMap<Partition, Known>,
    acknowledged: usize,
}

impl CommitLedger {
    /// The number of acknowledged commits.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    pub(super) fn floor(&self, partition: Partition) -> Offset {
        self.partitions.get(&partition).copied().unwrap_or_default().floor
    }

    pub(super) fn partitions(&self) -> impl Iterator<Item = Partition> + '_ {
        self.partitions.keys().copied()
    }

    pub(super) fn attempt(&mut self, partition: Partition, offset: Offset) {
        let known = self.partitions.entry(partition).or_default();
        known.attempted = known.attempted.max(offset);
    }

    pub(super) fn acknowledge(&mut self, partition: Partition, offset: Offset) {
        let known = self.partitions.entry(partition).or_default();
        known.floor = known.floor.max(offset);
        self.acknowledged += 1;
    }

    /// This offset is committed; `floor` was known when it was requested.
    pub(super) fn see(&mut self, partition: Partition, offset: Offset, floor: Offset) {
        let known = self.partitions.entry(partition).or_default();
        assert!(
            (floor..=known.attempted).contains(&offset),
            "offset {offset} of {partition:?} is committed, after {floor} was; {} was the largest attempt",
            known.attempted
        );
        known.floor = known.floor.max(offset);
    }
}
