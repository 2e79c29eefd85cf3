//! Partitions as requests have them: by topic, or by broker and topic.

use std::collections::BTreeMap;

use crate::topic_partition::{BrokerId, TopicPartition};

/// What is asked of each partition, by topic.
pub(super) type ByTopic<'a, T> = BTreeMap<&'a str, Vec<T>>;

/// Groups by topic, in the order given.
pub(super) fn by_topic<'a, T>(
    partitions: impl IntoIterator<Item = (&'a TopicPartition, T)>,
) -> ByTopic<'a, T> {
    let mut topics = ByTopic::new();
    for (partition, wanted) in partitions {
        topics.entry(partition.topic.as_str()).or_default().push(wanted);
    }
    topics
}

/// Groups by broker and topic.
pub(super) fn by_broker<'a, T>(
    partitions: impl IntoIterator<Item = (BrokerId, &'a TopicPartition, T)>,
) -> BTreeMap<BrokerId, ByTopic<'a, T>> {
    let mut brokers: BTreeMap<BrokerId, ByTopic<'a, T>> = BTreeMap::new();
    for (broker, partition, wanted) in partitions {
        let topics = brokers.entry(broker).or_default();
        topics.entry(partition.topic.as_str()).or_default().push(wanted);
    }
    brokers
}
