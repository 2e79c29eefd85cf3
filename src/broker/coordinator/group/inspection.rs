//! Listing groups, describing classic groups, and deleting empty groups.

use kafka_protocol::ResponseError;

use super::super::lock;
use super::super::log::KeyValue;
use super::commits::offset_key;
use super::coordinator::GroupCoordinator;
use super::group_kind::{GroupKind, GroupType};
use super::group_state::GroupState;
use super::live_group::LiveGroup;
use super::member::Member;
use super::offsets::GroupOffsets;
use super::stored_records::StoredKey;

/// A group in ListGroups.
#[derive(Clone, Debug)]
pub struct GroupListing {
    pub id: String,
    /// Empty for a group with commits only.
    pub protocol_type: String,
    pub group_type: GroupType,
    /// Kafka's name of the state.
    pub state: &'static str,
}

/// The description of a classic group.
#[derive(Clone, Debug)]
pub struct GroupDescription {
    pub state: GroupState,
    pub protocol_type: String,
    /// The chosen protocol; empty if none is chosen.
    pub protocol_name: String,
    pub members: Vec<Member>,
}

impl GroupCoordinator {
    /// Every group, ordered by id.
    pub fn list(&self) -> Vec<GroupListing> {
        let mut groups: Vec<_> = self
            .all()
            .into_iter()
            .filter_map(|group| {
                let group = lock(&group);
                (!group.kind.is_dead()).then(|| GroupListing {
                    id: group.id.clone(),
                    protocol_type: group.kind.protocol_type().to_owned(),
                    group_type: group.kind.group_type(),
                    state: group.kind.state_name(),
                })
            })
            .collect();
        groups.sort_by(|left, right| left.id.cmp(&right.id));
        groups
    }

    /// The description of a classic group, or Kafka's message if there is none.
    pub fn describe(&self, group: &str) -> Result<GroupDescription, String> {
        let described = self.enter(group, |live| {
            let classic = live
                .kind
                .classic()
                .ok_or_else(|| format!("Group {group} is not a classic group."))?;
            Ok(GroupDescription {
                state: classic.state(),
                protocol_type: classic.protocol_type().unwrap_or_default().to_owned(),
                protocol_name: classic.protocol_name().unwrap_or_default().to_owned(),
                members: classic.members().cloned().collect(),
            })
        });
        described.unwrap_or_else(|| Err(format!("Group {group} not found.")))
    }

    /// Deletes an empty group with its offsets.
    pub fn delete(&self, group: &str, now_ms: i64) -> Result<(), ResponseError> {
        self.check_owner(group)?;
        let deleted = self.enter(group, |group| self.delete_entered(group, now_ms));
        deleted.unwrap_or(Err(ResponseError::GroupIdNotFound))
    }

    pub(super) fn delete_entered(&self, group: &mut LiveGroup, now_ms: i64) -> Result<(), ResponseError> {
        self.delete_share_states(group, now_ms)?;
        let of_group: Vec<KeyValue> = match &group.kind {
            GroupKind::Classic(classic) => {
                classic.clone().delete()?;
                let key = StoredKey::Group {
                    group: group.id.clone(),
                };
                vec![(key.encode(), None)]
            }
            GroupKind::Consumer(consumer) => {
                let records = consumer.tombstones()?;
                records.iter().map(|record| record.encode(&group.id)).collect()
            }
            GroupKind::Share(share) => {
                let records = share.tombstones()?;
                records.iter().map(|record| record.encode(&group.id)).collect()
            }
        };
        let partitions = group.offsets.all_partitions().into_iter();
        let mut tombstones: Vec<KeyValue> = partitions
            .map(|(topic, partition)| (offset_key(&group.id, &topic, partition).encode(), None))
            .collect();
        tombstones.extend(of_group);
        self.writer.append_encoded(&group.id, now_ms, &tombstones)?;
        group.offsets = GroupOffsets::default();
        group.kind.die();
        Ok(())
    }
}
