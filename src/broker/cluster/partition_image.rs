//! One partition in the image: where its replicas are, which of them leads, and which are in sync.
//!
//! Owns its two records: `PartitionRecord` and `PartitionChangeRecord`
//! (<https://github.com/apache/kafka/tree/trunk/metadata/src/main/resources/common/metadata>).

use uuid::Uuid;

use crate::internal_records::cluster_metadata::encode_record;
use crate::internal_records::value::{StructValue, Value};

/// The leader of a partition without one.
pub(in crate::broker) const NO_LEADER: i32 = -1;
/// The leader epoch of a new partition.
const FIRST_LEADER_EPOCH: i32 = 0;
/// In a `PartitionChangeRecord`: the leader stays as it is.
const NO_LEADER_CHANGE: i64 = -2;

/// The `leaderRecoveryState` of a leader from an unclean election, which may lack committed records.
const RECOVERING: i64 = 1;
/// In a `PartitionChangeRecord`: the recovery state stays as it is.
const NO_RECOVERY_CHANGE: i64 = -1;

/// Partitions of one topic with their numbers, in ascending order. Those of a whole topic are numbered from 0 without
/// a gap.
pub(in crate::broker) type Partitions = Vec<(i32, PartitionImage)>;

/// One partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct PartitionImage {
    /// The broker that leads it; -1 if there is none.
    pub(in crate::broker) leader: i32,
    /// The number of its elections.
    pub(in crate::broker) leader_epoch: i32,
    /// The number of its changes.
    pub(in crate::broker) partition_epoch: i32,
    /// The brokers that have a replica; the first is the preferred leader.
    pub(in crate::broker) replicas: Vec<i32>,
    /// The in-sync replicas.
    pub(in crate::broker) isr: Vec<i32>,
    /// Replicas that a reassignment adds.
    pub(in crate::broker) adding: Vec<i32>,
    /// Replicas that a reassignment removes.
    pub(in crate::broker) removing: Vec<i32>,
    /// The id of the log dir of each of `replicas`; nil if it is not known.
    pub(in crate::broker) directories: Vec<Uuid>,
    /// Replicas outside the ISR that have every committed record (KIP-966), ascending.
    pub(in crate::broker) eligible: Vec<i32>,
    /// The last leader, while both the ISR and `eligible` are empty.
    pub(in crate::broker) last_known_eligible: Vec<i32>,
    /// Whether the leader came from an unclean election and may lack committed records.
    pub(in crate::broker) is_recovering: bool,
}

impl PartitionImage {
    /// A new partition: all replicas are in sync, and the first of them leads.
    pub(in crate::broker) fn new(replicas: Vec<i32>, directories: Vec<Uuid>) -> Self {
        Self {
            leader: replicas.first().copied().unwrap_or(NO_LEADER),
            leader_epoch: FIRST_LEADER_EPOCH,
            partition_epoch: 0,
            isr: replicas.clone(),
            replicas,
            adding: Vec::new(),
            removing: Vec::new(),
            directories,
            eligible: Vec::new(),
            last_known_eligible: Vec::new(),
            is_recovering: false,
        }
    }

    /// The partition in a `PartitionRecord`.
    pub(super) fn from_record(value: &StructValue<'_>) -> Self {
        Self {
            leader: number(value, "leader"),
            leader_epoch: number(value, "leaderEpoch"),
            partition_epoch: number(value, "partitionEpoch"),
            replicas: numbers(value.array("replicas")),
            isr: numbers(value.array("isr")),
            adding: numbers(value.array("addingReplicas")),
            removing: numbers(value.array("removingReplicas")),
            directories: uuids(value.array("directories")),
            eligible: numbers(value.array("eligibleLeaderReplicas")),
            last_known_eligible: numbers(value.array("lastKnownElr")),
            is_recovering: value.number("leaderRecoveryState") == RECOVERING,
        }
    }

    /// Applies a `PartitionChangeRecord`: fields that are absent stay. A record with a leader is an election, even if
    /// the leader is the same.
    pub(super) fn change(&mut self, value: &StructValue<'_>) {
        for (name, list) in [
            ("replicas", &mut self.replicas),
            ("isr", &mut self.isr),
            ("addingReplicas", &mut self.adding),
            ("removingReplicas", &mut self.removing),
            ("eligibleLeaderReplicas", &mut self.eligible),
            ("lastKnownElr", &mut self.last_known_eligible),
        ] {
            if let Some(Value::Array(elements)) = value.get(name) {
                *list = numbers(elements);
            }
        }
        if let Some(Value::Array(elements)) = value.get("directories") {
            self.directories = uuids(elements);
        }
        match value.number("leaderRecoveryState") {
            NO_RECOVERY_CHANGE => {}
            state => self.is_recovering = state == RECOVERING,
        }
        if value.number("leader") != NO_LEADER_CHANGE {
            self.leader = number(value, "leader");
            self.leader_epoch = self.leader_epoch.saturating_add(1);
        }
        self.partition_epoch = self.partition_epoch.saturating_add(1);
    }

    /// The `PartitionRecord` of this partition, with the number `index`.
    pub(super) fn to_record(&self, topic: Uuid, index: i32) -> Option<Vec<u8>> {
        let number = |number: i32| Value::Number(i64::from(number));
        let numbers = |list: &[i32]| Value::Array(list.iter().map(|id| number(*id)).collect());
        let directories = self.directories.iter().map(|id| Value::Uuid(*id.as_bytes()));
        let mut fields = vec![
            ("partitionId", number(index)),
            ("topicId", Value::Uuid(*topic.as_bytes())),
            ("replicas", numbers(&self.replicas)),
            ("isr", numbers(&self.isr)),
            ("removingReplicas", numbers(&self.removing)),
            ("addingReplicas", numbers(&self.adding)),
            ("leader", number(self.leader)),
            ("leaderEpoch", number(self.leader_epoch)),
            ("partitionEpoch", number(self.partition_epoch)),
            ("directories", Value::Array(directories.collect())),
        ];
        if self.is_recovering {
            fields.push(("leaderRecoveryState", Value::Number(RECOVERING)));
        }
        let lists = [
            ("eligibleLeaderReplicas", &self.eligible),
            ("lastKnownElr", &self.last_known_eligible),
        ];
        let mut version = 1;
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            fields.push((name, numbers(list)));
            version = 2;
        }
        encode_record("PartitionRecord", version, fields)
    }
}

fn number(value: &StructValue<'_>, name: &str) -> i32 {
    i32::try_from(value.number(name)).unwrap_or(-1)
}

fn numbers(elements: &[Value<'_>]) -> Vec<i32> {
    let numbers = elements.iter().filter_map(Value::as_number);
    numbers.filter_map(|number| i32::try_from(number).ok()).collect()
}

fn uuids(elements: &[Value<'_>]) -> Vec<Uuid> {
    let uuid = |element: &Value<'_>| match element {
        Value::Uuid(id) => Some(Uuid::from_bytes(*id)),
        _ => None,
    };
    elements.iter().filter_map(uuid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::internal_records::cluster_metadata::decode_record;

    fn changed(partition: &PartitionImage, fields: &[(&'static str, Value<'static>)]) -> PartitionImage {
        let record = encode_record("PartitionChangeRecord", 1, fields.iter().cloned()).unwrap();
        let mut partition = partition.clone();
        partition.change(&decode_record(&record).unwrap().value);
        partition
    }

    #[test]
    fn a_record_says_all_of_a_partition() {
        let partition = PartitionImage {
            leader: 2,
            leader_epoch: 7,
            partition_epoch: 9,
            replicas: vec![1, 2, 3],
            isr: vec![2, 3],
            adding: vec![3],
            removing: vec![1],
            directories: vec![Uuid::from_u128(1), Uuid::nil(), Uuid::from_u128(3)],
            eligible: vec![1],
            last_known_eligible: vec![2],
            is_recovering: true,
        };
        let record = partition.to_record(Uuid::from_u128(5), 4).unwrap();
        let record = decode_record(&record).unwrap();
        assert_eq!(PartitionImage::from_record(&record.value), partition);
    }

    #[test]
    fn a_change_leaves_what_it_does_not_state() {
        let before = PartitionImage::new(vec![1, 2], vec![Uuid::nil(); 2]);
        assert_eq!((before.leader, &before.isr), (1, &vec![1, 2]));
        let shrunk = changed(&before, &[("isr", Value::Array(vec![Value::Number(2)]))]);
        let expected = PartitionImage {
            isr: vec![2],
            partition_epoch: 1,
            ..before.clone()
        };
        assert_eq!(shrunk, expected);
        // An election raises the epoch, even if the leader is the same.
        for leader in [2, 1, NO_LEADER] {
            let elected = changed(&before, &[("leader", Value::Number(i64::from(leader)))]);
            let expected = PartitionImage {
                leader,
                leader_epoch: 1,
                partition_epoch: 1,
                ..before.clone()
            };
            assert_eq!(elected, expected);
        }
    }
}
