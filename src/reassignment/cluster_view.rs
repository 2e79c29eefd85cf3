//! The facts about a cluster that a plan is made from and measured against.

use std::collections::{BTreeMap, BTreeSet};

use super::Assignment;
use crate::topic_partition::{BrokerId, TopicPartition};

/// A broker that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveBroker {
    pub id: BrokerId,
    pub rack: Option<String>,
}

/// One partition as the brokers report it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionFacts {
    /// The preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// Bytes of its largest replica; 0 where it is not known.
    pub bytes: u64,
}

/// Live brokers and every partition, also those whose brokers are down.
#[derive(Clone, Debug, Default)]
pub struct ClusterView {
    pub brokers: Vec<LiveBroker>,
    pub partitions: BTreeMap<TopicPartition, PartitionFacts>,
}

impl ClusterView {
    pub fn is_alive(&self, broker: BrokerId) -> bool {
        self.brokers.iter().any(|live| live.id == broker)
    }

    /// Live brokers, and those that appear only in replica lists.
    pub fn known_brokers(&self) -> BTreeSet<BrokerId> {
        let named = self
            .partitions
            .values()
            .flat_map(|facts| facts.replicas.iter().copied());
        self.brokers.iter().map(|live| live.id).chain(named).collect()
    }

    /// Where every partition is.
    pub fn assignment(&self) -> Assignment {
        self.partitions
            .iter()
            .map(|(topic_partition, facts)| (topic_partition.clone(), facts.replicas.clone()))
            .collect()
    }

    /// The rack of each live broker; `None` if one of them has no rack: then racks cannot be respected.
    pub fn racks(&self) -> Option<BTreeMap<BrokerId, &str>> {
        self.brokers
            .iter()
            .map(|live| live.rack.as_deref().map(|rack| (live.id, rack)))
            .collect()
    }
}
