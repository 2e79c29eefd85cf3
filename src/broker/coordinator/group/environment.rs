//! What the broker lends the coordinator beside its log: the topics that there are, and the configs of groups.

use std::fmt::Debug;
use std::sync::Arc;

use uuid::Uuid;

use super::consumer_group::{TopicCatalog, TopicShape};
use crate::broker::metadata::Metadata;

/// What groups ask of the rest of the broker.
pub trait Environment: TopicCatalog + Debug {
    /// A config that was set for this very group.
    fn group_config(&self, group: &str, name: &str) -> Option<String>;
}

/// The environment of a broker that runs.
#[derive(Debug)]
pub struct BrokerEnvironment {
    metadata: Arc<Metadata>,
}

impl BrokerEnvironment {
    pub fn new(metadata: Arc<Metadata>) -> Self {
        Self { metadata }
    }
}

impl TopicCatalog for BrokerEnvironment {
    fn version(&self) -> i64 {
        self.metadata.topics_version()
    }

    fn topic(&self, name: &str) -> Option<TopicShape> {
        let topic = self.metadata.topic(name)?;
        let rack = self.metadata.rack();
        Some(TopicShape {
            id: topic.id,
            partition_racks: topic
                .partitions
                .iter()
                .map(|_| rack.iter().cloned().collect())
                .collect(),
        })
    }

    fn topic_name(&self, id: Uuid) -> Option<String> {
        self.metadata.topic_by_id(id).map(|topic| topic.name.clone())
    }

    fn topic_names(&self) -> Vec<String> {
        let topics = self.metadata.topics();
        topics.iter().map(|topic| topic.name.clone()).collect()
    }
}

impl Environment for BrokerEnvironment {
    fn group_config(&self, group: &str, name: &str) -> Option<String> {
        self.metadata.group_config(group, name)
    }
}
