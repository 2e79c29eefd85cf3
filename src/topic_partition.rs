//! The words every room uses: a partition of a topic, an offset, a broker.

use std::fmt;

/// A record's place in its partition. Kafka's special values (-1 latest, -2 earliest …) are not offsets and
/// are never held in one.
pub type Offset = i64;

/// A broker's node id.
pub type BrokerId = i32;

/// Whether Kafka keeps the topic of this name for itself: offsets of groups, transactions, state of share groups.
pub fn is_internal_topic(name: &str) -> bool {
    matches!(
        name,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

/// One partition of one topic; ordered by topic name, then by number, as Kafka's tools print them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: String,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
