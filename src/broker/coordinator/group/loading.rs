//! Every group as `__consumer_offsets` tells it, read once when the broker starts: the last record of a key holds.

use std::collections::HashMap;

use super::super::loading::replay;
use super::super::log::CoordinatorLog;
use super::offsets::GroupOffsets;
use super::pending_transactions::PendingTransactions;
use super::stored_records::{StoredGroup, StoredKey, StoredOffset};
use crate::error::Result;

/// What is known of one group.
#[derive(Debug, Default)]
pub(super) struct LoadedGroup {
    /// None: nobody ever joined it, it only committed.
    pub(super) metadata: Option<StoredGroup>,
    pub(super) offsets: GroupOffsets,
}

/// Reads every group there is.
pub(super) fn read_groups(log: &CoordinatorLog) -> Result<HashMap<String, LoadedGroup>> {
    let mut groups: HashMap<String, LoadedGroup> = HashMap::new();
    let mut pending = PendingTransactions::default();
    replay(log, &mut |partition, step| {
        pending.see(partition, step, |key, value| {
            // Records of other kinds are other coordinators' affair.
            if let Ok(key) = StoredKey::decode(key) {
                apply(&mut groups, key, value);
            }
        });
    })?;
    groups.retain(|_, group| group.metadata.is_some() || !group.offsets.is_empty());
    Ok(groups)
}

fn apply(groups: &mut HashMap<String, LoadedGroup>, key: StoredKey, value: Option<&[u8]>) {
    match key {
        StoredKey::Group { group } => {
            groups.entry(group).or_default().metadata =
                value.and_then(|value| StoredGroup::decode(value).ok());
        }
        StoredKey::Offset {
            group,
            topic,
            partition,
        } => {
            let offsets = &mut groups.entry(group).or_default().offsets;
            match value.and_then(|value| StoredOffset::decode(value).ok()) {
                Some(offset) => offsets.commit(&topic, partition, offset),
                None => {
                    offsets.remove(&topic, partition);
                }
            }
        }
    }
}
