//! Reads groups from a partition of `__consumer_offsets` when the broker starts, or comes to lead it: the last record
//! of a key counts.

use std::collections::HashMap;

use super::super::loading::{Replayed, replay};
use super::super::log::CoordinatorLog;
use super::consumer_group::ConsumerGroup;
use super::consumer_group::record::GroupRecord;
use super::offsets::GroupOffsets;
use super::open_transactions::OpenTransactions;
use super::share_group::ShareGroup;
use super::share_group::record::ShareGroupRecord;
use super::stored_records::{StoredGroup, StoredKey, StoredOffset};
use crate::error::Result;
use crate::topic_partition::Offset;

/// The state of one group.
#[derive(Debug, Default)]
pub(super) struct LoadedGroup {
    /// Of a classic group. `None`: it never had a member, and only has commits.
    pub(super) metadata: Option<StoredGroup>,
    /// Of a group of the consumer protocol.
    pub(super) consumer: Option<ConsumerGroup>,
    /// Of a share group.
    pub(super) share: Option<ShareGroup>,
    pub(super) offsets: GroupOffsets,
}

/// The groups in a partition of the topic, and the producers with open transactions there.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) groups: HashMap<String, LoadedGroup>,
    pub(super) open_transactions: OpenTransactions,
}

/// Reads every group in one partition.
pub(super) fn read_groups(log: &CoordinatorLog, partition: i32) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    replay(log, partition, &mut |step| match step {
        Replayed::Marker {
            producer_id,
            committed,
        } => {
            for group in loaded.open_transactions.take(partition, producer_id) {
                if let Some(group) = loaded.groups.get_mut(&group) {
                    group.offsets.end_transaction(producer_id, committed);
                }
            }
        }
        Replayed::Record {
            offset,
            key: key_bytes,
            value,
            transaction_of,
        } => {
            let Ok(key) = StoredKey::decode(key_bytes) else {
                // Other records are those of streams groups.
                if let Some((id, record)) = GroupRecord::decode(key_bytes, value) {
                    let group = loaded.groups.entry(id.clone()).or_default();
                    apply_to_consumer_group(group, &id, &record);
                } else if let Some((id, record)) = ShareGroupRecord::decode(key_bytes, value) {
                    let group = loaded.groups.entry(id.clone()).or_default();
                    apply_to_share_group(group, &id, &record);
                }
                return;
            };
            if let (Some(producer_id), StoredKey::Offset { group, .. }) = (transaction_of, &key) {
                loaded.open_transactions.note(partition, producer_id, group);
            }
            apply(&mut loaded.groups, offset, key, value, transaction_of);
        }
    })?;
    loaded.groups.retain(|_, group| {
        group.metadata.is_some()
            || group.consumer.is_some()
            || group.share.is_some()
            || !group.offsets.is_empty()
    });
    Ok(loaded)
}

/// The tombstone of its epoch ends a group; other tombstones do nothing if the group does not exist.
fn apply_to_consumer_group(loaded: &mut LoadedGroup, id: &str, record: &GroupRecord) {
    if matches!(record, GroupRecord::Epoch(None)) {
        loaded.consumer = None;
    } else if let Some(group) = &mut loaded.consumer {
        group.apply(record);
    } else if !record.is_tombstone() {
        let mut group = ConsumerGroup::new(id);
        group.apply(record);
        loaded.consumer = Some(group);
    }
}

/// The same for a share group.
fn apply_to_share_group(loaded: &mut LoadedGroup, id: &str, record: &ShareGroupRecord) {
    if matches!(record, ShareGroupRecord::Epoch(None)) {
        loaded.share = None;
    } else if let Some(group) = &mut loaded.share {
        group.apply(record);
    } else if !record.is_tombstone() {
        let mut group = ShareGroup::new(id);
        group.apply(record);
        loaded.share = Some(group);
    }
}

fn apply(
    groups: &mut HashMap<String, LoadedGroup>,
    record_offset: Offset,
    key: StoredKey,
    value: Option<&[u8]>,
    transaction_of: Option<i64>,
) {
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
            let offset = value.and_then(|value| StoredOffset::decode(value).ok());
            match (offset, transaction_of) {
                (Some(offset), Some(producer_id)) => {
                    offsets.commit_when_ended(producer_id, &topic, partition, record_offset, offset);
                }
                (Some(offset), None) => offsets.commit(&topic, partition, record_offset, offset),
                (None, _) => {
                    offsets.remove(&topic, partition);
                }
            }
        }
    }
}
