//! The records of a share group in `__consumer_offsets`: types 10 to 15 in Kafka's schemas.
//!
//! The state of a group is the sum of its records; nothing else changes it (see `group.rs`).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::initialization::{InitializationState, TopicState};
use super::member::{ShareAssignment, ShareMemberMetadata};
use crate::broker::coordinator::group::assignor::TopicPartitions;
use crate::broker::coordinator::group::consumer_group::record::{GroupEpoch, TargetEpoch};
use crate::broker::coordinator::record_fields::{
    int, key_of, nullable, number, numbers, set_all, set_topic_partitions, structs, text, texts, topic_id,
    topic_partitions, uuid, value_of,
};
use crate::internal_records::coordinator::Topic;
use crate::internal_records::value::{StructValue, Value};

const TOPIC: Topic = Topic::ConsumerOffsets;

const MEMBER: i16 = 10;
const EPOCH: i16 = 11;
const TARGET_EPOCH: i16 = 12;
const TARGET: i16 = 13;
const CURRENT: i16 = 14;
const INITIALIZATION: i16 = 15;

/// One change of a group. `None` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareGroupRecord {
    Member(String, Option<ShareMemberMetadata>),
    /// The epoch of the group itself; its tombstone ends the group.
    Epoch(Option<GroupEpoch>),
    /// The epoch of the target assignment.
    TargetEpoch(Option<TargetEpoch>),
    /// The target assignment of a member.
    Target(String, Option<TopicPartitions>),
    /// The current assignment of a member.
    Current(String, Option<ShareAssignment>),
    /// The partitions of the group by progress of their states.
    Initialization(Option<InitializationState>),
}

impl ShareGroupRecord {
    /// Whether it only removes something.
    pub fn is_tombstone(&self) -> bool {
        matches!(
            self,
            ShareGroupRecord::Member(_, None)
                | ShareGroupRecord::Epoch(None)
                | ShareGroupRecord::TargetEpoch(None)
                | ShareGroupRecord::Target(_, None)
                | ShareGroupRecord::Current(_, None)
                | ShareGroupRecord::Initialization(None)
        )
    }

    /// The encoded key and value.
    pub fn encode(&self, group: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        let of_group = |id| key_of(TOPIC, id, &[("groupId", text(group))]);
        let of_member = |id, member: &str| {
            let fields = [("groupId", text(group)), ("memberId", text(member))];
            key_of(TOPIC, id, &fields)
        };
        match self {
            ShareGroupRecord::Member(id, value) => (of_member(MEMBER, id), value.as_ref().map(encode_member)),
            ShareGroupRecord::Epoch(value) => (of_group(EPOCH), value.map(encode_epoch)),
            ShareGroupRecord::TargetEpoch(value) => (of_group(TARGET_EPOCH), value.map(encode_target_epoch)),
            ShareGroupRecord::Target(id, value) => (of_member(TARGET, id), value.as_ref().map(encode_target)),
            ShareGroupRecord::Current(id, value) => {
                (of_member(CURRENT, id), value.as_ref().map(encode_current))
            }
            ShareGroupRecord::Initialization(value) => (
                of_group(INITIALIZATION),
                value.as_ref().map(encode_initialization),
            ),
        }
    }

    /// The group and its change; `None` if the record is of another kind, or cannot be decoded.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Option<(String, Self)> {
        let (id, key) = TOPIC.decode_key(key).ok()?;
        let group = key.text("groupId")?.to_owned();
        let member = || key.text("memberId").map(str::to_owned);
        let value = value
            .map(|value| TOPIC.decode_value(id, value))
            .transpose()
            .ok()?;
        let value = value.as_ref();
        let record = match id {
            MEMBER => ShareGroupRecord::Member(member()?, value.map(decode_member)),
            EPOCH => ShareGroupRecord::Epoch(value.map(|value| GroupEpoch {
                epoch: int(value, "epoch"),
                metadata_hash: value.number("metadataHash"),
            })),
            TARGET_EPOCH => ShareGroupRecord::TargetEpoch(value.map(|value| TargetEpoch {
                epoch: int(value, "assignmentEpoch"),
                at_ms: value.number("assignmentTimestamp"),
            })),
            TARGET => {
                let target = value.map(|value| topic_partitions(value, "topicPartitions"));
                ShareGroupRecord::Target(member()?, target)
            }
            CURRENT => ShareGroupRecord::Current(member()?, value.map(decode_current)),
            INITIALIZATION => ShareGroupRecord::Initialization(value.map(decode_initialization)),
            _ => return None,
        };
        Some((group, record))
    }
}

fn encode_epoch(epoch: GroupEpoch) -> Vec<u8> {
    value_of(TOPIC, EPOCH, |value| {
        value.set("epoch", number(epoch.epoch));
        value.set("metadataHash", number(epoch.metadata_hash));
    })
}

fn encode_target_epoch(target: TargetEpoch) -> Vec<u8> {
    value_of(TOPIC, TARGET_EPOCH, |value| {
        value.set("assignmentEpoch", number(target.epoch));
        value.set("assignmentTimestamp", number(target.at_ms));
    })
}

fn encode_member(member: &ShareMemberMetadata) -> Vec<u8> {
    value_of(TOPIC, MEMBER, |value| {
        value.set("rackId", nullable(member.rack_id.as_deref()));
        value.set("clientId", text(&member.client_id));
        value.set("clientHost", text(&member.client_host));
        let topics = member.topics.iter().map(|name| text(name));
        value.set("subscribedTopicNames", Value::Array(topics.collect()));
    })
}

fn decode_member(value: &StructValue<'_>) -> ShareMemberMetadata {
    let owned = |name| value.text(name).map(str::to_owned);
    ShareMemberMetadata {
        rack_id: owned("rackId"),
        client_id: owned("clientId").unwrap_or_default(),
        client_host: owned("clientHost").unwrap_or_default(),
        topics: texts(value, "subscribedTopicNames"),
    }
}

fn encode_target(target: &TopicPartitions) -> Vec<u8> {
    value_of(TOPIC, TARGET, |value| {
        set_topic_partitions(value, "topicPartitions", target);
    })
}

fn encode_current(current: &ShareAssignment) -> Vec<u8> {
    value_of(TOPIC, CURRENT, |value| {
        value.set("memberEpoch", number(current.epoch));
        value.set("previousMemberEpoch", number(current.previous_epoch));
        set_topic_partitions(value, "assignedPartitions", &current.assigned);
    })
}

fn decode_current(value: &StructValue<'_>) -> ShareAssignment {
    ShareAssignment {
        epoch: int(value, "memberEpoch"),
        previous_epoch: int(value, "previousMemberEpoch"),
        assigned: topic_partitions(value, "assignedPartitions"),
    }
}

fn encode_initialization(state: &InitializationState) -> Vec<u8> {
    value_of(TOPIC, INITIALIZATION, |value| {
        for (name, topics) in [
            ("initializingTopics", &state.initializing),
            ("initializedTopics", &state.initialized),
        ] {
            let topics = topics.iter().filter_map(|(id, topic)| {
                let mut element = value.new_element(name)?;
                let partitions = topic.partitions.iter().map(|partition| number(*partition));
                let fields = [
                    ("topicId", uuid(*id)),
                    ("topicName", text(&topic.name)),
                    ("partitions", Value::Array(partitions.collect())),
                ];
                set_all(&mut element, &fields);
                Some(Value::Struct(element))
            });
            let topics = Value::Array(topics.collect());
            value.set(name, topics);
        }
        let deleting = state.deleting.iter().filter_map(|(id, name)| {
            let mut element = value.new_element("deletingTopics")?;
            set_all(&mut element, &[("topicId", uuid(*id)), ("topicName", text(name))]);
            Some(Value::Struct(element))
        });
        let deleting = Value::Array(deleting.collect());
        value.set("deletingTopics", deleting);
    })
}

fn decode_initialization(value: &StructValue<'_>) -> InitializationState {
    let name = |topic: &StructValue<'_>| topic.text("topicName").unwrap_or_default().to_owned();
    let topics = |field: &str| -> BTreeMap<Uuid, TopicState> {
        let topics = structs(value, field).map(|topic| {
            let partitions: BTreeSet<i32> = numbers(topic, "partitions").collect();
            let state = TopicState {
                name: name(topic),
                partitions,
            };
            (topic_id(topic), state)
        });
        topics.collect()
    };
    let deleting = structs(value, "deletingTopics").map(|topic| (topic_id(topic), name(topic)));
    InitializationState {
        initializing: topics("initializingTopics"),
        initialized: topics("initializedTopics"),
        deleting: deleting.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were() {
        let partitions = TopicPartitions::from([(Uuid::from_u128(7), BTreeSet::from([0, 2]))]);
        let topic = TopicState {
            name: "t".to_owned(),
            partitions: BTreeSet::from([0, 1]),
        };
        let member = ShareMemberMetadata {
            rack_id: None,
            client_id: "c".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            topics: BTreeSet::from(["t".to_owned()]),
        };
        let current = ShareAssignment {
            epoch: 3,
            previous_epoch: 2,
            assigned: partitions.clone(),
        };
        let state = InitializationState {
            initializing: BTreeMap::from([(Uuid::from_u128(8), topic.clone())]),
            initialized: BTreeMap::from([(Uuid::from_u128(7), topic)]),
            deleting: BTreeMap::from([(Uuid::from_u128(9), "gone".to_owned())]),
        };
        let records = [
            ShareGroupRecord::Member("m".to_owned(), Some(member)),
            ShareGroupRecord::Epoch(Some(GroupEpoch {
                epoch: 2,
                metadata_hash: -5,
            })),
            ShareGroupRecord::TargetEpoch(Some(TargetEpoch { epoch: 2, at_ms: 8 })),
            ShareGroupRecord::Target("m".to_owned(), Some(partitions)),
            ShareGroupRecord::Current("m".to_owned(), Some(current)),
            ShareGroupRecord::Initialization(Some(state)),
            ShareGroupRecord::Current("m".to_owned(), None),
            ShareGroupRecord::Epoch(None),
        ];
        for record in records {
            let (key, value) = record.encode("g");
            let decoded = ShareGroupRecord::decode(&key, value.as_deref());
            assert_eq!(decoded, Some(("g".to_owned(), record)));
        }
    }

    /// The sizes are those of the records that Apache Kafka 4.3.1 wrote for a group `g1` of one topic `sa`.
    #[test]
    fn records_are_as_long_as_apache_kafkas() {
        let topic = TopicState {
            name: "sa".to_owned(),
            partitions: BTreeSet::from([0, 1]),
        };
        let state = InitializationState {
            initialized: BTreeMap::from([(Uuid::from_u128(7), topic)]),
            ..InitializationState::default()
        };
        let current = ShareAssignment {
            epoch: 3,
            previous_epoch: 2,
            assigned: TopicPartitions::from([(Uuid::from_u128(7), BTreeSet::from([0, 1]))]),
        };
        let sizes = |record: ShareGroupRecord| {
            let (key, value) = record.encode("g1");
            (key.len(), value.map(|value| value.len()))
        };
        assert_eq!(
            sizes(ShareGroupRecord::Initialization(Some(state))),
            (6, Some(35))
        );
        let member = "FuH-0DbuTviH_rUiDCVmnQ".to_owned();
        assert_eq!(
            sizes(ShareGroupRecord::Current(member, Some(current))),
            (30, Some(39))
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(key in proptest::collection::vec(proptest::num::u8::ANY, 0..60), value in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = ShareGroupRecord::decode(&key, Some(&value));
        }
    }
}
