//! The records of `__share_group_state` in Kafka's schemas: snapshots with the whole state of a partition, and
//! updates with the changes since.

use std::fmt;

use uuid::Uuid;

use super::record_state::{RecordState, StateBatch};
use crate::broker::coordinator::record_fields::{
    int, key_of, number, set_all, structs, text, topic_id, uuid, value_of,
};
use crate::internal_records::coordinator::Topic;
use crate::internal_records::value::{StructValue, Value};
use crate::storage::partition_metadata::encode_id;

const TOPIC: Topic = Topic::ShareGroupState;

const SNAPSHOT: i16 = 0;
const UPDATE: i16 = 1;

/// The key of a state: one partition in one group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateKey {
    pub group: String,
    pub topic: Uuid,
    pub partition: i32,
}

impl fmt::Display for StateKey {
    /// The form in which clients look up the key's coordinator: `group:topicId:partition`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.group, encode_id(self.topic), self.partition)
    }
}

/// The changes of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The epoch of the snapshot before it.
    pub snapshot_epoch: i32,
    pub leader_epoch: i32,
    /// -1 for "unchanged".
    pub start_offset: i64,
    /// -1 if unknown.
    pub delivery_complete_count: i32,
    pub batches: Vec<StateBatch>,
}

/// The whole state of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of the snapshot.
    pub snapshot_epoch: i32,
    /// The epoch of the group when the state was created.
    pub state_epoch: i32,
    pub leader_epoch: i32,
    /// -1 before the group has begun to read.
    pub start_offset: i64,
    /// The number of processed offsets from the start on; -1 if unknown.
    pub delivery_complete_count: i32,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    pub written_ms: i64,
    pub batches: Vec<StateBatch>,
}

/// One record. A tombstone deletes the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateRecord {
    Snapshot(Option<Snapshot>),
    Update(Option<Update>),
}

impl StateRecord {
    /// The encoded key and value.
    pub fn encode(&self, key: &StateKey) -> (Vec<u8>, Option<Vec<u8>>) {
        let key = |id| {
            let fields = [
                ("groupId", text(&key.group)),
                ("topicId", uuid(key.topic)),
                ("partition", number(key.partition)),
            ];
            key_of(TOPIC, id, &fields)
        };
        match self {
            StateRecord::Snapshot(snapshot) => (key(SNAPSHOT), snapshot.as_ref().map(encode_snapshot)),
            StateRecord::Update(update) => (key(UPDATE), update.as_ref().map(encode_update)),
        }
    }

    /// The state's key and the record; `None` if it cannot be decoded.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Option<(StateKey, Self)> {
        let (id, key) = TOPIC.decode_key(key).ok()?;
        let key = StateKey {
            group: key.text("groupId")?.to_owned(),
            topic: topic_id(&key),
            partition: int(&key, "partition"),
        };
        let value = value
            .map(|value| TOPIC.decode_value(id, value))
            .transpose()
            .ok()?;
        let value = value.as_ref();
        match id {
            SNAPSHOT => Some((key, StateRecord::Snapshot(value.map(decode_snapshot)))),
            UPDATE => Some((key, StateRecord::Update(value.map(decode_update)))),
            _ => None,
        }
    }
}

fn encode_snapshot(snapshot: &Snapshot) -> Vec<u8> {
    value_of(TOPIC, SNAPSHOT, |value| {
        let fields = [
            ("snapshotEpoch", number(snapshot.snapshot_epoch)),
            ("stateEpoch", number(snapshot.state_epoch)),
            ("leaderEpoch", number(snapshot.leader_epoch)),
            ("startOffset", number(snapshot.start_offset)),
            ("deliveryCompleteCount", number(snapshot.delivery_complete_count)),
            ("createTimestamp", number(snapshot.created_ms)),
            ("writeTimestamp", number(snapshot.written_ms)),
        ];
        set_all(value, &fields);
        set_batches(value, &snapshot.batches);
    })
}

fn encode_update(update: &Update) -> Vec<u8> {
    value_of(TOPIC, UPDATE, |value| {
        let fields = [
            ("snapshotEpoch", number(update.snapshot_epoch)),
            ("leaderEpoch", number(update.leader_epoch)),
            ("startOffset", number(update.start_offset)),
            ("deliveryCompleteCount", number(update.delivery_complete_count)),
        ];
        set_all(value, &fields);
        set_batches(value, &update.batches);
    })
}

fn set_batches(value: &mut StructValue<'_>, batches: &[StateBatch]) {
    let batches = batches.iter().filter_map(|batch| {
        let mut element = value.new_element("stateBatches")?;
        let fields = [
            ("firstOffset", number(batch.first)),
            ("lastOffset", number(batch.last)),
            ("deliveryState", number(batch.state.number())),
            ("deliveryCount", number(batch.delivery_count)),
        ];
        set_all(&mut element, &fields);
        Some(Value::Struct(element))
    });
    let batches = Value::Array(batches.collect());
    value.set("stateBatches", batches);
}

fn decode_snapshot(value: &StructValue<'_>) -> Snapshot {
    Snapshot {
        snapshot_epoch: int(value, "snapshotEpoch"),
        state_epoch: int(value, "stateEpoch"),
        leader_epoch: int(value, "leaderEpoch"),
        start_offset: value.number("startOffset"),
        delivery_complete_count: int(value, "deliveryCompleteCount"),
        created_ms: value.number("createTimestamp"),
        written_ms: value.number("writeTimestamp"),
        batches: batches(value),
    }
}

fn decode_update(value: &StructValue<'_>) -> Update {
    Update {
        snapshot_epoch: int(value, "snapshotEpoch"),
        leader_epoch: int(value, "leaderEpoch"),
        start_offset: value.number("startOffset"),
        delivery_complete_count: int(value, "deliveryCompleteCount"),
        batches: batches(value),
    }
}

/// Unknown states count as not delivered: those records are delivered again rather than lost.
fn batches(value: &StructValue<'_>) -> Vec<StateBatch> {
    let number = |batch: &StructValue<'_>, name| i16::try_from(batch.number(name)).unwrap_or_default();
    let batches = structs(value, "stateBatches");
    batches
        .map(|batch| StateBatch {
            first: batch.number("firstOffset"),
            last: batch.number("lastOffset"),
            state: i8::try_from(batch.number("deliveryState"))
                .ok()
                .and_then(RecordState::of)
                .unwrap_or(RecordState::Available),
            delivery_count: number(batch, "deliveryCount"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StateKey {
        StateKey {
            group: "g1".to_owned(),
            topic: Uuid::from_u128(0x8c86_7d19_55c1_414f_b6fe_2b7e_a056_79a4),
            partition: 1,
        }
    }

    #[test]
    fn a_key_lies_where_apache_kafka_puts_it() {
        // Apache Kafka 4.3.1 with 50 partitions wrote these two into partitions 25 and 26.
        use crate::broker::coordinator::log::partition_of;
        assert_eq!(key().to_string(), "g1:jIZ9GVXBQU-2_it-oFZ5pA:1");
        assert_eq!(partition_of(&key().to_string(), 50), 25);
        let other = StateKey {
            partition: 0,
            ..key()
        };
        assert_eq!(partition_of(&other.to_string(), 50), 26);
    }

    #[test]
    fn records_come_back_as_they_were() {
        let batches = vec![StateBatch {
            first: 5,
            last: 9,
            state: RecordState::Archived,
            delivery_count: 2,
        }];
        let records = [
            StateRecord::Snapshot(Some(Snapshot {
                snapshot_epoch: 1,
                state_epoch: 2,
                leader_epoch: 3,
                start_offset: -1,
                delivery_complete_count: -1,
                created_ms: 4,
                written_ms: 5,
                batches: batches.clone(),
            })),
            StateRecord::Update(Some(Update {
                snapshot_epoch: 1,
                leader_epoch: 3,
                start_offset: 5,
                delivery_complete_count: 5,
                batches,
            })),
            StateRecord::Snapshot(None),
        ];
        for record in records {
            let (encoded, value) = record.encode(&key());
            let decoded = StateRecord::decode(&encoded, value.as_deref());
            assert_eq!(decoded, Some((key(), record)));
        }
    }

    /// The sizes are those of the records that Apache Kafka 4.3.1 wrote.
    #[test]
    fn records_are_as_long_as_apache_kafkas() {
        let update = |start_offset, delivery_complete_count, batches: usize| {
            let batch = StateBatch {
                first: 5,
                last: 9,
                state: RecordState::Available,
                delivery_count: 1,
            };
            let record = StateRecord::Update(Some(Update {
                snapshot_epoch: 0,
                leader_epoch: 0,
                start_offset,
                delivery_complete_count,
                batches: vec![batch; batches],
            }));
            let (key, value) = record.encode(&key());
            (key.len(), value.map(|value| value.len()))
        };
        assert_eq!(update(5, 0, 1), (26, Some(46)));
        assert_eq!(update(23, -1, 0), (26, Some(20)));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(key in proptest::collection::vec(proptest::num::u8::ANY, 0..60), value in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = StateRecord::decode(&key, Some(&value));
        }
    }
}
