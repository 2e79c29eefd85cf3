//! The cluster as its answers describe it: brokers, topics, the leader of each partition. Plain data, without a
//! connection.
//!
//! Owns the rule that older information never replaces newer: of two answers about the same topic id the one with
//! the higher leader epoch counts. A topic with another id is another topic.

use std::collections::HashMap;

use kafka_protocol::messages::MetadataResponse;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use uuid::Uuid;

use crate::topic_partition::BrokerId;
use crate::wire::HostPort;

/// A partition as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartitionInfo {
    pub(super) leader: Option<BrokerId>,
    /// -1 from brokers without leader epochs.
    pub(super) leader_epoch: i32,
    pub(super) replicas: Vec<BrokerId>,
    pub(super) offline: Vec<BrokerId>,
}

/// A topic as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TopicInfo {
    /// Nil from brokers without topic ids.
    pub(super) id: Uuid,
    /// Kafka's error code for the whole topic; 0 is none.
    pub(super) code: i16,
    /// By partition number, from 0 on.
    pub(super) partitions: Vec<PartitionInfo>,
}

/// What is known of a cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Cluster {
    pub(super) brokers: Vec<(BrokerId, HostPort)>,
    topics: HashMap<String, TopicInfo>,
}

impl Cluster {
    /// A topic, if the cluster was asked for it.
    pub(super) fn topic(&self, name: &str) -> Option<&TopicInfo> {
        self.topics.get(name)
    }

    /// A partition of a topic.
    pub(super) fn partition(&self, topic: &str, partition: i32) -> Option<&PartitionInfo> {
        let index = usize::try_from(partition).ok()?;
        self.topics.get(topic)?.partitions.get(index)
    }

    /// Takes a whole answer. A topic that has an error keeps what was known of its partitions.
    pub(super) fn apply(&mut self, answer: &MetadataResponse) {
        self.brokers = answer
            .brokers
            .iter()
            .filter_map(|broker| {
                let port = u16::try_from(broker.port).ok()?;
                Some((broker.node_id.0, HostPort::new(broker.host.to_string(), port)))
            })
            .collect();
        for topic in &answer.topics {
            if let Some(name) = &topic.name {
                self.apply_topic(name, topic);
            }
        }
    }

    fn apply_topic(&mut self, name: &str, answer: &MetadataResponseTopic) {
        let known = self.topics.entry(name.to_owned()).or_default();
        known.code = answer.error_code;
        if answer.error_code != 0 && answer.partitions.is_empty() {
            return;
        }
        let is_same = known.id == answer.topic_id;
        known.id = answer.topic_id;
        let count = answer.partitions.len();
        let mut partitions = vec![PartitionInfo::default(); count];
        for partition in &answer.partitions {
            let index = usize::try_from(partition.partition_index).unwrap_or(usize::MAX);
            let before = known.partitions.get(index).filter(|_| is_same);
            if let Some(place) = partitions.get_mut(index) {
                *place = merged(before, partition);
            }
        }
        // An old answer does not remove partitions.
        if is_same && known.partitions.len() > count {
            partitions.extend_from_slice(known.partitions.get(count..).unwrap_or_default());
        }
        known.partitions = partitions;
    }

    /// Takes a broker's hint about a partition's new leader (KIP-951); returns whether it was newer.
    pub(super) fn apply_hint(&mut self, topic: &str, partition: i32, leader: BrokerId, epoch: i32) -> bool {
        let known = self.topics.get_mut(topic);
        let index = usize::try_from(partition).unwrap_or(usize::MAX);
        let Some(known) = known.and_then(|topic| topic.partitions.get_mut(index)) else {
            return false;
        };
        let is_known_broker = self.brokers.iter().any(|(id, _)| *id == leader);
        if leader < 0 || epoch <= known.leader_epoch || !is_known_broker {
            return false;
        }
        known.leader = Some(leader);
        known.leader_epoch = epoch;
        true
    }
}

fn merged(before: Option<&PartitionInfo>, answer: &MetadataResponsePartition) -> PartitionInfo {
    let told = PartitionInfo {
        leader: Some(answer.leader_id.0).filter(|id| *id >= 0),
        leader_epoch: answer.leader_epoch,
        replicas: answer.replica_nodes.iter().map(|id| id.0).collect(),
        offline: answer.offline_replicas.iter().map(|id| id.0).collect(),
    };
    match before {
        Some(before) if answer.leader_epoch >= 0 && before.leader_epoch > answer.leader_epoch => {
            PartitionInfo {
                leader: before.leader,
                leader_epoch: before.leader_epoch,
                ..told
            }
        }
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::metadata_response::MetadataResponseBroker;
    use kafka_protocol::protocol::StrBytes;

    fn answer(id: u128, leader: i32, epoch: i32) -> MetadataResponse {
        let brokers = [1, 2].map(|id| {
            MetadataResponseBroker::default()
                .with_node_id(id.into())
                .with_host(StrBytes::from_static_str("h"))
                .with_port(1)
        });
        let partition = MetadataResponsePartition::default()
            .with_leader_id(leader.into())
            .with_leader_epoch(epoch);
        let topic = MetadataResponseTopic::default()
            .with_name(Some(TopicName(StrBytes::from_static_str("t"))))
            .with_topic_id(Uuid::from_u128(id))
            .with_partitions(vec![partition]);
        MetadataResponse::default()
            .with_brokers(brokers.to_vec())
            .with_topics(vec![topic])
    }

    fn leader(cluster: &Cluster) -> (Option<i32>, i32) {
        let partition = cluster.partition("t", 0).unwrap();
        (partition.leader, partition.leader_epoch)
    }

    #[test]
    fn an_older_epoch_never_wins_unless_the_topic_is_another() {
        let mut cluster = Cluster::default();
        cluster.apply(&answer(7, 1, 5));
        cluster.apply(&answer(7, 2, 4));
        assert_eq!(leader(&cluster), (Some(1), 5), "stale");
        cluster.apply(&answer(7, 2, 5));
        assert_eq!(leader(&cluster), (Some(2), 5), "the same epoch is no older");
        cluster.apply(&answer(7, -1, 6));
        assert_eq!(leader(&cluster), (None, 6), "an election");
        cluster.apply(&answer(8, 1, 0));
        assert_eq!(leader(&cluster), (Some(1), 0), "deleted and created again");
    }

    #[test]
    fn a_hint_counts_when_it_is_newer_and_names_a_broker_that_is_known() {
        let mut cluster = Cluster::default();
        cluster.apply(&answer(7, 1, 5));
        assert!(!cluster.apply_hint("t", 0, 2, 5));
        assert!(!cluster.apply_hint("t", 0, 9, 6));
        assert!(!cluster.apply_hint("t", 1, 2, 6));
        assert!(cluster.apply_hint("t", 0, 2, 6));
        assert_eq!(leader(&cluster), (Some(2), 6));
    }
}
