//! Which groups have pending offsets in which transaction, to find the groups of a marker in a partition of
//! `__consumer_offsets`. Owns no offset.

use std::collections::{BTreeSet, HashMap};

/// Groups by partition and producer id.
#[derive(Debug, Default)]
pub(super) struct OpenTransactions {
    groups: HashMap<(i32, i64), BTreeSet<String>>,
}

impl OpenTransactions {
    /// Notes that the producer's open transaction has pending offsets of `group`.
    pub(super) fn note(&mut self, partition: i32, producer_id: i64, group: &str) {
        let groups = self.groups.entry((partition, producer_id)).or_default();
        if !groups.contains(group) {
            groups.insert(group.to_owned());
        }
    }

    /// Adds the transactions that were read from a partition.
    pub(super) fn merge(&mut self, other: Self) {
        self.groups.extend(other.groups);
    }

    /// Removes a partition that this node does not coordinate any more.
    pub(super) fn forget(&mut self, partition: i32) {
        self.groups.retain(|(its, _), _| *its != partition);
    }

    /// Removes a transaction that has ended, and returns its groups.
    pub(super) fn take(&mut self, partition: i32, producer_id: i64) -> BTreeSet<String> {
        self.groups.remove(&(partition, producer_id)).unwrap_or_default()
    }
}
