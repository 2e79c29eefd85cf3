//! Topics, dynamic configs and producer ids as plain data.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::records::{BROKER, GROUP, TOPIC};
use crate::broker::config::effective_config::Configs;
use crate::internal_records::cluster_metadata::decode_record;
use crate::internal_records::value::{StructValue, Value};

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct TopicImage {
    pub(in crate::broker) id: Uuid,
    /// They are numbered from 0.
    pub(in crate::broker) partitions: i32,
    pub(in crate::broker) configs: Configs,
}

/// Everything that a cluster has to remember beside its logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker) struct ClusterImage {
    pub(in crate::broker) topics: BTreeMap<String, TopicImage>,
    names: BTreeMap<Uuid, String>,
    /// The cluster's defaults under "", a node's own under its id.
    pub(in crate::broker) broker_configs: BTreeMap<String, Configs>,
    /// By group id.
    pub(in crate::broker) group_configs: BTreeMap<String, Configs>,
    /// No producer has this id or a larger one.
    pub(in crate::broker) next_producer_id: i64,
}

impl ClusterImage {
    /// What a new cluster starts with; `kafka-storage format` sets the same cluster-wide default since 4.1.
    pub(in crate::broker) fn new() -> Self {
        let defaults = Configs::from([("min.insync.replicas".to_owned(), "1".to_owned())]);
        Self {
            broker_configs: BTreeMap::from([(String::new(), defaults)]),
            ..Self::default()
        }
    }

    /// Applies one record of a metadata log. A record of another kind, or one that cannot be decoded, changes nothing
    /// and answers false.
    pub(in crate::broker) fn apply(&mut self, record: &[u8]) -> bool {
        let Ok(record) = decode_record(record) else {
            return false;
        };
        let value = &record.value;
        match value.schema.name {
            "TopicRecord" => self.add_topic(value),
            "PartitionRecord" => self.add_partition(value),
            "RemoveTopicRecord" => self.remove_topic(value),
            "ConfigRecord" => return self.set_config(value),
            "ProducerIdsRecord" => self.next_producer_id = value.number("nextProducerId"),
            _ => return false,
        }
        true
    }

    fn add_topic(&mut self, value: &StructValue<'_>) {
        let id = topic_id(value);
        let name = value.text("name").unwrap_or_default().to_owned();
        self.names.insert(id, name.clone());
        let topic = TopicImage {
            id,
            partitions: 0,
            configs: Configs::new(),
        };
        self.topics.insert(name, topic);
    }

    fn topic_mut(&mut self, id: Uuid) -> Option<&mut TopicImage> {
        let topic = self.topics.get_mut(self.names.get(&id)?)?;
        (topic.id == id).then_some(topic)
    }

    fn add_partition(&mut self, value: &StructValue<'_>) {
        let number = i32::try_from(value.number("partitionId")).unwrap_or(0);
        if let Some(topic) = self.topic_mut(topic_id(value)) {
            topic.partitions = topic.partitions.max(number.saturating_add(1));
        }
    }

    fn remove_topic(&mut self, value: &StructValue<'_>) {
        let id = topic_id(value);
        let known = self.topic_mut(id).is_some();
        if let Some(name) = self.names.remove(&id).filter(|_| known) {
            self.topics.remove(&name);
        }
    }

    fn set_config(&mut self, value: &StructValue<'_>) -> bool {
        let resource = value.text("resourceName").unwrap_or_default();
        let configs = match value.number("resourceType") {
            TOPIC => match self.topics.get_mut(resource) {
                Some(topic) => &mut topic.configs,
                None => return true,
            },
            BROKER => self.broker_configs.entry(resource.to_owned()).or_default(),
            GROUP => self.group_configs.entry(resource.to_owned()).or_default(),
            _ => return false,
        };
        let name = value.text("name").unwrap_or_default();
        match value.text("value") {
            Some(value) => configs.insert(name.to_owned(), value.to_owned()),
            None => configs.remove(name),
        };
        true
    }
}

fn topic_id(value: &StructValue<'_>) -> Uuid {
    match value.get("topicId") {
        Some(Value::Uuid(id)) => Uuid::from_bytes(*id),
        _ => Uuid::nil(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::cluster::records::{self, Node};

    const NODE: Node = Node {
        id: 1,
        directory: Uuid::nil(),
    };

    fn configs(pairs: &[(&str, &str)]) -> Configs {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect()
    }

    fn apply(image: &mut ClusterImage, records: Vec<Vec<u8>>) {
        for record in records {
            assert!(image.apply(&record));
        }
    }

    #[test]
    fn records_make_change_and_remove_a_topic() {
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut image = ClusterImage::new();
        let old = configs(&[("retention.ms", "1"), ("segment.ms", "2")]);
        apply(&mut image, records::topic(&NODE, "t", first, 3, &old));
        apply(&mut image, records::partitions(&NODE, first, 3..5));
        let new = configs(&[("retention.ms", "9")]);
        apply(&mut image, records::config_changes(TOPIC, "t", &old, &new));
        assert_eq!(
            (image.topics["t"].partitions, &image.topics["t"].configs),
            (5, &new)
        );
        apply(&mut image, records::topic_removed(first));
        assert!(image.topics.is_empty());
        apply(&mut image, records::topic(&NODE, "t", second, 1, &Configs::new()));
        // A removal that is read a second time is about the first topic of that name.
        apply(&mut image, records::topic_removed(first));
        assert_eq!(image.topics["t"].id, second);
    }

    #[test]
    fn bytes_that_are_no_record_change_nothing() {
        let mut image = ClusterImage::new();
        for bytes in [&b""[..], b"x", &[1, 2, 0], &[1, 255, 255, 3, 0]] {
            assert!(!image.apply(bytes));
        }
        assert_eq!(image, ClusterImage::new());
    }
}
