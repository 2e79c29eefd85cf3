//! Changes of the cluster as records of Apache Kafka's metadata log (KIP-631).

use std::ops::Range;

use uuid::Uuid;

use crate::broker::config::effective_config::Configs;
use crate::internal_records::cluster_metadata::encode_record;
use crate::internal_records::value::Value;

/// Types of resources that have configs.
pub(in crate::broker) const TOPIC: i64 = 2;
pub(in crate::broker) const BROKER: i64 = 4;
pub(in crate::broker) const GROUP: i64 = 32;
/// `4.0-IV3`: every Apache Kafka 4 starts with it, and `kafka-features` brings it further.
const METADATA_VERSION: i64 = 25;

/// The leader epoch of a new partition. With one node no partition ever gets another leader, so it stays the only one.
pub(in crate::broker) const FIRST_LEADER_EPOCH: i32 = 0;

/// Records that belong together.
pub(in crate::broker) type Records = Vec<Vec<u8>>;

/// Whose partitions they are.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Node {
    pub(in crate::broker) id: i32,
    /// The data directory's id; nil is Kafka's word for an unknown one.
    pub(in crate::broker) directory: Uuid,
}

/// The levels of features that a new cluster has.
pub(in crate::broker) fn features() -> Records {
    let levels = [
        ("metadata.version", METADATA_VERSION),
        ("group.version", 1),
        ("transaction.version", 2),
    ];
    let level = |(name, level)| {
        let fields = [("name", text(name)), ("featureLevel", Value::Number(level))];
        encode_record("FeatureLevelRecord", 0, fields)
    };
    levels.into_iter().filter_map(level).collect()
}

/// A new topic with its partitions and configs.
pub(in crate::broker) fn topic(node: &Node, name: &str, id: Uuid, count: i32, configs: &Configs) -> Records {
    let fields = [("name", text(name)), ("topicId", uuid(id))];
    let mut records: Records = encode_record("TopicRecord", 0, fields).into_iter().collect();
    records.extend(partitions(node, id, 0..count));
    records.extend(config_changes(TOPIC, name, &Configs::new(), configs));
    records
}

/// New partitions of a topic; the node is their only replica and leads them.
pub(in crate::broker) fn partitions(node: &Node, id: Uuid, numbers: Range<i32>) -> Records {
    let partition = |number| {
        let replica = || Value::Array(vec![Value::Number(i64::from(node.id))]);
        let fields = [
            ("partitionId", Value::Number(i64::from(number))),
            ("topicId", uuid(id)),
            ("replicas", replica()),
            ("isr", replica()),
            ("leader", Value::Number(i64::from(node.id))),
            ("leaderEpoch", Value::Number(i64::from(FIRST_LEADER_EPOCH))),
            ("partitionEpoch", Value::Number(0)),
            ("directories", Value::Array(vec![uuid(node.directory)])),
        ];
        encode_record("PartitionRecord", 1, fields)
    };
    numbers.filter_map(partition).collect()
}

/// The topic of this id is gone, with its partitions and configs.
pub(in crate::broker) fn topic_removed(id: Uuid) -> Records {
    encode_record("RemoveTopicRecord", 0, [("topicId", uuid(id))])
        .into_iter()
        .collect()
}

/// What turns one set of configs of a resource into another.
pub(in crate::broker) fn config_changes(
    resource_type: i64,
    resource: &str,
    before: &Configs,
    after: &Configs,
) -> Records {
    let record = |name: &str, value| {
        let fields = [
            ("resourceType", Value::Number(resource_type)),
            ("resourceName", text(resource)),
            ("name", text(name)),
            ("value", value),
        ];
        encode_record("ConfigRecord", 0, fields)
    };
    let set = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(*value));
    let set = set.filter_map(|(name, value)| record(name, text(value)));
    let unset = before.keys().filter(|name| !after.contains_key(*name));
    let unset = unset.filter_map(|name| record(name, Value::Null));
    set.chain(unset).collect()
}

/// Every producer id below this one is used.
pub(in crate::broker) fn producer_ids(node: &Node, next: i64) -> Records {
    let fields = [
        ("brokerId", Value::Number(i64::from(node.id))),
        ("nextProducerId", Value::Number(next)),
    ];
    encode_record("ProducerIdsRecord", 0, fields)
        .into_iter()
        .collect()
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

fn uuid<'a>(id: Uuid) -> Value<'a> {
    Value::Uuid(*id.as_bytes())
}
