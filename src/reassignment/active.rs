//! The reassignments in progress, as the controller reports them.

use std::collections::BTreeMap;

use crate::topic_partition::{BrokerId, TopicPartition};

/// A reassignment in progress, as `ListPartitionReassignments` reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActiveReassignment {
    /// Every replica, those being added and those being removed included.
    pub replicas: Vec<BrokerId>,
    pub adding: Vec<BrokerId>,
    pub removing: Vec<BrokerId>,
}

impl ActiveReassignment {
    /// The replicas there will be at the end.
    pub fn target(&self) -> Vec<BrokerId> {
        let stays = |broker: &&BrokerId| !self.removing.contains(*broker);
        self.replicas.iter().filter(stays).copied().collect()
    }

    /// The replicas that have the data already: the sources of the copy.
    pub fn sources(&self) -> Vec<BrokerId> {
        let is_source = |broker: &&BrokerId| !self.adding.contains(*broker);
        self.replicas.iter().filter(is_source).copied().collect()
    }
}

/// Every reassignment in progress.
pub type ActiveReassignments = BTreeMap<TopicPartition, ActiveReassignment>;

/// The reassignment of a partition. Allocates no key if there are no reassignments, as in most clusters.
pub fn of_partition<'a>(
    active: &'a ActiveReassignments,
    topic: &str,
    partition: i32,
) -> Option<&'a ActiveReassignment> {
    if active.is_empty() {
        return None;
    }
    active.get(&TopicPartition::new(topic, partition))
}
