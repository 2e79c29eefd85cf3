//! A member of a group of the consumer protocol: the metadata it has sent, and its assignment. Owns no rule; what
//! changes it is in `heartbeat.rs` and `reconciliation.rs`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use uuid::Uuid;

use crate::broker::coordinator::group::assignor::TopicPartitions;

/// The epoch of a member that joins.
pub const JOIN_EPOCH: i32 = 0;
/// The epoch with which a member leaves.
pub const LEAVE_EPOCH: i32 = -1;
/// The epoch with which a static member leaves for a while; its partitions are kept for it.
pub const STATIC_LEAVE_EPOCH: i32 = -2;

/// Partitions by topic id, each with the epoch in which it was assigned (KIP-1251).
pub type HeldPartitions = BTreeMap<Uuid, BTreeMap<i32, i32>>;

/// The metadata of a member, each field from its last heartbeat with that field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberMetadata {
    /// The name of a static member (KIP-345).
    pub instance_id: Option<String>,
    pub rack_id: Option<String>,
    pub client_id: String,
    /// In Kafka's form: `/127.0.0.1`.
    pub client_host: String,
    /// The names of the topics it subscribes to, whether they exist or not.
    pub topics: BTreeSet<String>,
    /// The regular expression it subscribes to; empty for none.
    pub regex: String,
    /// The longest time that it may take to revoke partitions.
    pub rebalance_timeout_ms: i32,
    /// The assignor it wants; `None` if any will do.
    pub assignor: Option<String>,
    /// `Some` for a member of the classic protocol.
    pub classic: Option<ClassicMember>,
}

/// The fields of a JoinGroup that only members of the classic protocol have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassicMember {
    pub session_timeout_ms: i32,
    /// Name and metadata of the protocols it supports, the preferred first.
    pub protocols: Vec<(String, Bytes)>,
}

/// How far a member is with its target assignment; the numbers are those of Kafka's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberState {
    /// It has the assignment of its epoch.
    #[default]
    Stable = 0,
    /// It has to revoke partitions before it can reach the next epoch.
    UnrevokedPartitions = 1,
    /// It waits for partitions that others have not revoked yet.
    UnreleasedPartitions = 2,
    /// Written by a later version of Kafka.
    Unknown = 127,
}

/// The current assignment of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentAssignment {
    /// The epoch it has reached.
    pub epoch: i32,
    /// The epoch before: the answer with the present one may have been lost.
    pub previous_epoch: i32,
    pub state: MemberState,
    pub assigned: HeldPartitions,
    /// The partitions that it has to revoke.
    pub pending_revocation: HeldPartitions,
}

/// One member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumerMember {
    pub metadata: MemberMetadata,
    pub current: CurrentAssignment,
}

impl Default for CurrentAssignment {
    fn default() -> Self {
        Self {
            epoch: JOIN_EPOCH,
            previous_epoch: JOIN_EPOCH,
            state: MemberState::Stable,
            assigned: HeldPartitions::new(),
            pending_revocation: HeldPartitions::new(),
        }
    }
}

impl MemberState {
    /// The state of this number.
    pub fn of(number: i64) -> Self {
        match number {
            0 => MemberState::Stable,
            1 => MemberState::UnrevokedPartitions,
            2 => MemberState::UnreleasedPartitions,
            _ => MemberState::Unknown,
        }
    }
}

impl CurrentAssignment {
    /// All partitions that the member may still read, with those it has to revoke.
    pub fn held(&self) -> impl Iterator<Item = (Uuid, i32, i32)> + '_ {
        let both = [&self.assigned, &self.pending_revocation];
        both.into_iter().flat_map(each)
    }

    /// The epoch in which the partition was assigned to the member; `None` if it does not own it.
    pub fn epoch_of(&self, topic: Uuid, partition: i32) -> Option<i32> {
        let of = |held: &HeldPartitions| held.get(&topic)?.get(&partition).copied();
        of(&self.assigned).or_else(|| of(&self.pending_revocation))
    }
}

/// Each partition as topic, number and epoch.
pub fn each(held: &HeldPartitions) -> impl Iterator<Item = (Uuid, i32, i32)> + '_ {
    held.iter().flat_map(|(topic, partitions)| {
        partitions
            .iter()
            .map(|(partition, epoch)| (*topic, *partition, *epoch))
    })
}

/// The partitions without their epochs.
pub fn without_epochs(held: &HeldPartitions) -> TopicPartitions {
    held.iter()
        .map(|(topic, partitions)| (*topic, partitions.keys().copied().collect()))
        .collect()
}

/// Whether they have a partition in common.
pub fn intersects(held: &HeldPartitions, partitions: &TopicPartitions) -> bool {
    each(held).any(|(topic, partition, _)| contains(partitions, topic, partition))
}

/// Whether the partition is among them.
pub fn contains(partitions: &TopicPartitions, topic: Uuid, partition: i32) -> bool {
    partitions
        .get(&topic)
        .is_some_and(|partitions| partitions.contains(&partition))
}
