//! The records of a group of the consumer protocol in `__consumer_offsets`: types 3 to 8 and 16 in Kafka's schemas.
//!
//! The state of a group is the sum of its records; nothing else changes it (see `group.rs`).

use std::collections::{BTreeMap, BTreeSet};

use super::member::{ClassicMember, CurrentAssignment, HeldPartitions, MemberMetadata, MemberState};
use crate::broker::coordinator::group::assignor::TopicPartitions;
use crate::broker::coordinator::record_fields::{
    int, key_of, nullable, number, numbers, set_all, set_topic_partitions, structs, text, texts, topic_id,
    topic_partitions, uuid, value_of,
};
use crate::internal_records::coordinator::Topic;
use crate::internal_records::value::{StructValue, Value};
use bytes::Bytes;

const TOPIC: Topic = Topic::ConsumerOffsets;

const EPOCH: i16 = 3;
/// Written up to Apache Kafka 4.0; later versions write only tombstones.
const PARTITION_METADATA: i16 = 4;
const MEMBER: i16 = 5;
const TARGET_EPOCH: i16 = 6;
const TARGET: i16 = 7;
const CURRENT: i16 = 8;
const REGEX: i16 = 16;

/// One change of a group. `None` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupRecord {
    /// The epoch of the group itself; its tombstone ends the group.
    Epoch(Option<GroupEpoch>),
    /// The topic metadata of older versions; always a tombstone.
    NoPartitionMetadata,
    Member(String, Option<MemberMetadata>),
    /// The epoch of the target assignment.
    TargetEpoch(Option<TargetEpoch>),
    /// The target assignment of a member.
    Target(String, Option<TopicPartitions>),
    /// The current assignment of a member.
    Current(String, Option<CurrentAssignment>),
    /// The topics that a regular expression matches.
    Regex(String, Option<ResolvedRegex>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupEpoch {
    pub epoch: i32,
    /// A hash of the subscribed topics at that epoch (`topics.rs`).
    pub metadata_hash: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetEpoch {
    pub epoch: i32,
    /// When the assignor ran; milliseconds since 1970.
    pub at_ms: i64,
}

/// The topics that a regular expression matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedRegex {
    pub topics: BTreeSet<String>,
    /// The version of the topics that it was matched with; counts from the broker's start.
    pub version: i64,
    /// When it was matched; milliseconds since 1970.
    pub at_ms: i64,
}

impl GroupRecord {
    /// Whether it only removes something.
    pub fn is_tombstone(&self) -> bool {
        matches!(
            self,
            GroupRecord::Epoch(None)
                | GroupRecord::NoPartitionMetadata
                | GroupRecord::Member(_, None)
                | GroupRecord::TargetEpoch(None)
                | GroupRecord::Target(_, None)
                | GroupRecord::Current(_, None)
                | GroupRecord::Regex(_, None)
        )
    }

    /// The encoded key and value.
    pub fn encode(&self, group: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        let of_group = |id| key(id, &[("groupId", text(group))]);
        let of_member = |id, member: &str| key(id, &[("groupId", text(group)), ("memberId", text(member))]);
        match self {
            GroupRecord::Epoch(value) => (of_group(EPOCH), value.map(encode_epoch)),
            GroupRecord::NoPartitionMetadata => (of_group(PARTITION_METADATA), None),
            GroupRecord::Member(id, value) => (of_member(MEMBER, id), value.as_ref().map(encode_member)),
            GroupRecord::TargetEpoch(value) => (of_group(TARGET_EPOCH), value.map(encode_target_epoch)),
            GroupRecord::Target(id, value) => (of_member(TARGET, id), value.as_ref().map(encode_target)),
            GroupRecord::Current(id, value) => (of_member(CURRENT, id), value.as_ref().map(encode_current)),
            GroupRecord::Regex(pattern, value) => {
                let fields = [("groupId", text(group)), ("regularExpression", text(pattern))];
                (key(REGEX, &fields), value.as_ref().map(encode_regex))
            }
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
            EPOCH => GroupRecord::Epoch(value.map(|value| GroupEpoch {
                epoch: int(value, "epoch"),
                metadata_hash: value.number("metadataHash"),
            })),
            PARTITION_METADATA => GroupRecord::NoPartitionMetadata,
            MEMBER => GroupRecord::Member(member()?, value.map(decode_member)),
            TARGET_EPOCH => GroupRecord::TargetEpoch(value.map(|value| TargetEpoch {
                epoch: int(value, "assignmentEpoch"),
                at_ms: value.number("assignmentTimestamp"),
            })),
            TARGET => GroupRecord::Target(member()?, value.map(decode_target)),
            CURRENT => GroupRecord::Current(member()?, value.map(decode_current)),
            REGEX => GroupRecord::Regex(key.text("regularExpression")?.to_owned(), value.map(decode_regex)),
            _ => return None,
        };
        Some((group, record))
    }
}

fn key(id: i16, fields: &[(&str, Value<'_>)]) -> Vec<u8> {
    key_of(TOPIC, id, fields)
}

fn value<'a>(id: i16, fill: impl FnOnce(&mut StructValue<'a>)) -> Vec<u8> {
    value_of(TOPIC, id, fill)
}

fn encode_epoch(epoch: GroupEpoch) -> Vec<u8> {
    value(EPOCH, |value| {
        value.set("epoch", number(epoch.epoch));
        value.set("metadataHash", number(epoch.metadata_hash));
    })
}

fn encode_target_epoch(target: TargetEpoch) -> Vec<u8> {
    value(TARGET_EPOCH, |value| {
        value.set("assignmentEpoch", number(target.epoch));
        value.set("assignmentTimestamp", number(target.at_ms));
    })
}

fn encode_member(member: &MemberMetadata) -> Vec<u8> {
    value(MEMBER, |value| {
        value.set("instanceId", nullable(member.instance_id.as_deref()));
        value.set("rackId", nullable(member.rack_id.as_deref()));
        value.set("clientId", text(&member.client_id));
        value.set("clientHost", text(&member.client_host));
        value.set(
            "subscribedTopicNames",
            Value::Array(member.topics.iter().map(|name| text(name)).collect()),
        );
        value.set("subscribedTopicRegex", text(&member.regex));
        value.set("rebalanceTimeoutMs", number(member.rebalance_timeout_ms));
        value.set("serverAssignor", nullable(member.assignor.as_deref()));
        let classic = member.classic.as_ref().and_then(|classic| {
            let mut fields = value.new_struct("classicMemberMetadata")?;
            let protocols = classic.protocols.iter().filter_map(|(name, metadata)| {
                let mut protocol = fields.new_element("supportedProtocols")?;
                set_all(
                    &mut protocol,
                    &[("name", text(name)), ("metadata", Value::Bytes(metadata))],
                );
                Some(Value::Struct(protocol))
            });
            let protocols = Value::Array(protocols.collect());
            fields.set("sessionTimeoutMs", number(classic.session_timeout_ms));
            fields.set("supportedProtocols", protocols);
            Some(Value::Struct(fields))
        });
        value.set("classicMemberMetadata", classic.unwrap_or(Value::Null));
    })
}

fn decode_member(value: &StructValue<'_>) -> MemberMetadata {
    let owned = |name| value.text(name).map(str::to_owned);
    let classic = value.get("classicMemberMetadata").and_then(Value::as_struct);
    MemberMetadata {
        instance_id: owned("instanceId"),
        rack_id: owned("rackId"),
        client_id: owned("clientId").unwrap_or_default(),
        client_host: owned("clientHost").unwrap_or_default(),
        topics: texts(value, "subscribedTopicNames"),
        regex: owned("subscribedTopicRegex").unwrap_or_default(),
        rebalance_timeout_ms: int(value, "rebalanceTimeoutMs"),
        assignor: owned("serverAssignor"),
        classic: classic.map(|classic| ClassicMember {
            session_timeout_ms: int(classic, "sessionTimeoutMs"),
            protocols: structs(classic, "supportedProtocols")
                .map(|protocol| {
                    let metadata = Bytes::copy_from_slice(protocol.bytes("metadata").unwrap_or_default());
                    (protocol.text("name").unwrap_or_default().to_owned(), metadata)
                })
                .collect(),
        }),
    }
}

fn encode_target(target: &TopicPartitions) -> Vec<u8> {
    value(TARGET, |value| {
        set_topic_partitions(value, "topicPartitions", target);
    })
}

fn decode_target(value: &StructValue<'_>) -> TopicPartitions {
    topic_partitions(value, "topicPartitions")
}

fn encode_current(current: &CurrentAssignment) -> Vec<u8> {
    value(CURRENT, |value| {
        value.set("memberEpoch", number(current.epoch));
        value.set("previousMemberEpoch", number(current.previous_epoch));
        value.set("state", number(current.state as i32));
        for (name, held) in [
            ("assignedPartitions", &current.assigned),
            ("partitionsPendingRevocation", &current.pending_revocation),
        ] {
            let topics = held.iter().filter_map(|(topic, partitions)| {
                let mut element = value.new_element(name)?;
                let fields = [
                    ("topicId", uuid(*topic)),
                    (
                        "partitions",
                        Value::Array(partitions.keys().map(|partition| number(*partition)).collect()),
                    ),
                    (
                        "assignmentEpochs",
                        Value::Array(partitions.values().map(|epoch| number(*epoch)).collect()),
                    ),
                ];
                set_all(&mut element, &fields);
                Some(Value::Struct(element))
            });
            let topics = Value::Array(topics.collect());
            value.set(name, topics);
        }
    })
}

fn decode_current(value: &StructValue<'_>) -> CurrentAssignment {
    let epoch = int(value, "memberEpoch");
    CurrentAssignment {
        epoch,
        previous_epoch: int(value, "previousMemberEpoch"),
        state: MemberState::of(value.number("state")),
        assigned: decode_held(value, "assignedPartitions", epoch),
        pending_revocation: decode_held(value, "partitionsPendingRevocation", epoch),
    }
}

/// Records of Apache Kafka before 4.3 have no epochs of partitions: the member's is used.
fn decode_held(value: &StructValue<'_>, name: &str, member_epoch: i32) -> HeldPartitions {
    let topics = structs(value, name);
    topics
        .map(|topic| {
            let epochs = numbers(topic, "assignmentEpochs").chain(std::iter::repeat(member_epoch));
            let partitions: BTreeMap<i32, i32> = numbers(topic, "partitions").zip(epochs).collect();
            (topic_id(topic), partitions)
        })
        .collect()
}

fn encode_regex(resolved: &ResolvedRegex) -> Vec<u8> {
    value(REGEX, |value| {
        value.set(
            "topics",
            Value::Array(resolved.topics.iter().map(|name| text(name)).collect()),
        );
        value.set("version", number(resolved.version));
        value.set("timestamp", number(resolved.at_ms));
    })
}

fn decode_regex(value: &StructValue<'_>) -> ResolvedRegex {
    ResolvedRegex {
        topics: texts(value, "topics"),
        version: value.number("version"),
        at_ms: value.number("timestamp"),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn held() -> HeldPartitions {
        BTreeMap::from([(Uuid::from_u128(7), BTreeMap::from([(0, 3), (2, 4)]))])
    }

    #[test]
    fn records_come_back_as_they_were() {
        let member = MemberMetadata {
            instance_id: Some("i".to_owned()),
            client_id: "c".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            topics: BTreeSet::from(["t".to_owned()]),
            regex: "r.*".to_owned(),
            rebalance_timeout_ms: 5,
            assignor: Some("range".to_owned()),
            classic: Some(ClassicMember {
                session_timeout_ms: 9,
                protocols: vec![("range".to_owned(), Bytes::from_static(b"x"))],
            }),
            ..MemberMetadata::default()
        };
        let current = CurrentAssignment {
            epoch: 4,
            previous_epoch: 3,
            state: MemberState::UnrevokedPartitions,
            assigned: held(),
            pending_revocation: held(),
        };
        let target = BTreeMap::from([(Uuid::from_u128(7), BTreeSet::from([0, 2]))]);
        let records = [
            GroupRecord::Epoch(Some(GroupEpoch {
                epoch: 2,
                metadata_hash: -5,
            })),
            GroupRecord::Epoch(None),
            GroupRecord::NoPartitionMetadata,
            GroupRecord::Member("m".to_owned(), Some(member)),
            GroupRecord::Member("m".to_owned(), Some(MemberMetadata::default())),
            GroupRecord::TargetEpoch(Some(TargetEpoch { epoch: 2, at_ms: 8 })),
            GroupRecord::Target("m".to_owned(), Some(target)),
            GroupRecord::Current("m".to_owned(), Some(current)),
            GroupRecord::Current("m".to_owned(), None),
            GroupRecord::Regex(
                "r.*".to_owned(),
                Some(ResolvedRegex {
                    topics: BTreeSet::from(["rt".to_owned()]),
                    version: 1,
                    at_ms: 2,
                }),
            ),
        ];
        for record in records {
            let (key, value) = record.encode("g");
            assert_eq!(
                GroupRecord::decode(&key, value.as_deref()),
                Some(("g".to_owned(), record))
            );
        }
    }

    /// The record that kafka-dump-log's offsets decoder shows as `{"epoch":3}`: 5 bytes of key, 7 of value.
    #[test]
    fn an_epoch_is_written_as_apache_kafka_writes_it() {
        let (key, value) = GroupRecord::Epoch(Some(GroupEpoch {
            epoch: 3,
            metadata_hash: 0,
        }))
        .encode("g");
        assert_eq!(key, [0, 3, 0, 1, b'g']);
        assert_eq!(value.as_deref(), Some(&[0, 0, 0, 0, 0, 3, 0][..]));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(key in proptest::collection::vec(proptest::num::u8::ANY, 0..60), value in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = GroupRecord::decode(&key, Some(&value));
        }
    }
}
