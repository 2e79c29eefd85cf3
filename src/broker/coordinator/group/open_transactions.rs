//! Which groups wait for the end of which transaction: the way from a marker in a partition of `__consumer_offsets` to
//! the groups it concerns. Owns no offset.

use std::collections::{BTreeSet, HashMap};

/// Groups by partition and producer id.
#[derive(Debug, Default)]
pub(super) struct OpenTransactions {
    groups: HashMap<(i32, i64), BTreeSet<String>>,
}

impl OpenTransactions {
    /// The producer has committed offsets of `group` in its open transaction.
    pub(super) fn note(&mut self, partition: i32, producer_id: i64, group: &str) {
        let groups = self.groups.entry((partition, producer_id)).or_default();
        if !groups.contains(group) {
            groups.insert(group.to_owned());
        }
    }

    /// Takes over what was read of a partition.
    pub(super) fn merge(&mut self, other: Self) {
        self.groups.extend(other.groups);
    }

    /// The partition belongs to another coordinator.
    pub(super) fn forget(&mut self, partition: i32) {
        self.groups.retain(|(its, _), _| *its != partition);
    }

    /// The transaction has ended: the groups that it concerns.
    pub(super) fn take(&mut self, partition: i32, producer_id: i64) -> BTreeSet<String> {
        self.groups.remove(&(partition, producer_id)).unwrap_or_default()
    }
}
