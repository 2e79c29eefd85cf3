//! Changes of topics, partitions and configs, in an order that survives a crash.
//!
//! Each change is on disk before readers see it, and is atomic: after a kill it is made or not. The folders of
//! partitions are created before the records that name them and removed after, so that at worst a folder is left
//! over, which the next start adopts as a topic.

use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use super::replica_manager::{ReplicaManager, TopicReplicas};
use crate::broker::cluster::controller::PlannedTopic;
use crate::broker::cluster::image::{ClusterImage, TopicImage};
use crate::broker::cluster::partition_image::{PartitionImage, Partitions};
use crate::broker::cluster::records::{self, BROKER, CLIENT_METRICS, GROUP, TOPIC};
use crate::broker::config::effective_config::Configs;
use crate::broker::config::topic_settings::TopicSettings;
use crate::broker::internal_topics::InternalTopic;
use crate::error::{Error, Result};
use crate::storage::partition_metadata::random_id;
use crate::topic_partition::TopicPartition;

impl ReplicaManager {
    /// Creates a topic; the caller has checked everything except that it does not exist.
    pub(in crate::broker) fn create_topic(
        &self,
        name: &str,
        planned: &PlannedTopic,
    ) -> Result<Arc<TopicImage>> {
        let mut change = self.cluster.change();
        let image = self.cluster.image();
        if image.topic(name).is_some() {
            return Err(Error::failed(format!("Topic '{name}' already exists.")));
        }
        let id = random_id()?;
        let settings = self.settings(&image, &planned.configs);
        let partitions = new_partitions(&image, 0, &planned.assignments);
        drop(image);
        let replicas = self.create_replicas(name, id, &partitions, &settings)?;
        let records = records::topic(name, id, &partitions, &planned.configs);
        // A reader that finds the topic must find its replicas; those on other nodes are created when the record
        // reaches them.
        self.insert(id, replicas);
        for (index, partition) in self.own(&partitions) {
            self.follow(id, index, partition);
        }
        if let Err(error) = change.commit(&records) {
            self.remove(id);
            self.discard(name, 0..planned.partition_count());
            return Err(error);
        }
        self.existing(name)
    }

    /// Creates this node's replicas of new partitions: all of them, or none.
    fn create_replicas(
        &self,
        topic: &str,
        id: Uuid,
        partitions: &[(i32, PartitionImage)],
        settings: &Arc<TopicSettings>,
    ) -> Result<TopicReplicas> {
        let mut created = TopicReplicas::new();
        for (index, partition) in self.own(partitions) {
            match self.create(&TopicPartition::new(topic, index), id, partition, settings) {
                Ok(replica) => created.push(replica),
                Err(error) => {
                    for replica in created {
                        self.discard(topic, replica.index..replica.index + 1);
                    }
                    return Err(error);
                }
            }
        }
        Ok(created)
    }

    /// The partitions with a replica on this node.
    pub(super) fn own<'a>(
        &self,
        partitions: &'a [(i32, PartitionImage)],
    ) -> impl Iterator<Item = (i32, &'a PartitionImage)> {
        let own = self.config.node_id;
        let partitions = partitions.iter().map(|(index, partition)| (*index, partition));
        partitions.filter(move |(_, partition)| partition.replicas.contains(&own))
    }

    /// Removes folders of partitions that no record names: the next start would adopt them as a topic.
    fn discard(&self, topic: &str, indices: Range<i32>) {
        for index in indices {
            let partition = TopicPartition::new(topic, index);
            if let Some(dir) = self.log_dirs.holding(&partition) {
                // The disk may refuse this as it refused the creation: the folder is left over then.
                let _ = dir.delete_partition(&partition);
                self.log_dirs.gone(&dir.folder(&partition));
            }
        }
        let _ = self.log_dirs.purge_deleted();
    }

    /// An internal topic, created if it does not exist. Its replication factor is that of its setting, capped at the
    /// number of brokers: a cluster of two needs coordinators as well.
    pub(in crate::broker) fn internal_topic(&self, wanted: &InternalTopic) -> Result<Arc<TopicImage>> {
        let image = self.cluster.image();
        if let Some(topic) = image.topic(wanted.name) {
            return Ok(Arc::clone(topic));
        }
        let partitions = i32::try_from(self.config.number(wanted.partitions_setting).max(1));
        let segment_bytes = self.config.value(wanted.segment_bytes_setting);
        let mut configs = Configs::from([
            ("cleanup.policy".to_owned(), wanted.cleanup_policy.to_owned()),
            ("compression.type".to_owned(), wanted.compression_type.to_owned()),
            (
                "segment.bytes".to_owned(),
                segment_bytes.unwrap_or_default().to_owned(),
            ),
        ]);
        if wanted.cleanup_policy == "delete" {
            configs.insert("retention.ms".to_owned(), "-1".to_owned());
        }
        let replicas = self.config.number(wanted.replication_factor_setting);
        let planned = PlannedTopic::of_some(&image, partitions.unwrap_or(1), replicas, configs);
        drop(image);
        let created = self.create_topic(wanted.name, &planned);
        // Another request may have created it meanwhile.
        created.or_else(|error| self.existing(wanted.name).map_err(|_| error))
    }

    /// Deletes a topic; its files are removed in the background.
    pub(in crate::broker) fn delete_topic(&self, name: &str) -> Result<()> {
        let mut change = self.cluster.change();
        let topic = self.existing(name)?;
        change.commit(&records::topic_removed(topic.id))?;
        // With several nodes, each has followed the change already.
        for replica in self.remove(topic.id) {
            self.delete_log(&replica)?;
        }
        Ok(())
    }

    /// Removes the files of deleted topics.
    pub(in crate::broker) fn purge_deleted(&self) -> Result<()> {
        self.log_dirs.purge_deleted()
    }

    fn existing(&self, name: &str) -> Result<Arc<TopicImage>> {
        let missing = || Error::not_found(format!("topic '{name}' does not exist"));
        self.cluster.image().topic(name).cloned().ok_or_else(missing)
    }

    /// Adds partitions with these assignments to a topic that has `first` partitions.
    pub(in crate::broker) fn add_partitions(
        &self,
        name: &str,
        first: i32,
        assignments: &[Vec<i32>],
    ) -> Result<()> {
        let mut change = self.cluster.change();
        let image = self.cluster.image();
        let topic = self.existing(name)?;
        if topic.partition_count() != first {
            return Err(Error::failed(format!("topic '{name}' has other partitions now")));
        }
        let settings = self.settings(&image, &topic.configs);
        let partitions = new_partitions(&image, first, assignments);
        drop(image);
        let replicas = self.create_replicas(name, topic.id, &partitions, &settings)?;
        self.insert(topic.id, replicas);
        if let Err(error) = change.commit(&records::partitions(topic.id, &partitions)) {
            for (index, _) in &partitions {
                self.forget(topic.id, *index);
            }
            self.discard(name, first..first.saturating_add(partitions.len() as i32));
            return Err(error);
        }
        Ok(())
    }

    /// Replaces a topic's own configs, with effect at once.
    pub(in crate::broker) fn set_topic_configs(&self, name: &str, configs: &Configs) -> Result<()> {
        let mut change = self.cluster.change();
        let topic = self.existing(name)?;
        let records = records::config_changes(TOPIC, name, &topic.configs, configs);
        change.commit(&records)?;
        let topic = self.existing(name)?;
        self.apply_configs(&self.cluster.image(), &topic);
        drop(change);
        self.cluster.elect_for_leaderless()
    }

    /// Replaces the dynamic configs of one broker, or of the cluster (""), with effect at once.
    pub(in crate::broker) fn set_broker_configs(&self, resource: &str, configs: &Configs) -> Result<()> {
        let mut change = self.cluster.change();
        let before = self.cluster.image().broker_configs(resource).cloned();
        let before = before.unwrap_or_default();
        change.commit(&records::config_changes(BROKER, resource, &before, configs))?;
        let image = self.cluster.image();
        for topic in image.topics() {
            self.apply_configs(&image, topic);
        }
        drop(image);
        drop(change);
        self.cluster.broker_configs_changed();
        self.cluster.elect_for_leaderless()
    }

    /// Replaces the configs of a group, with effect from its next heartbeat on.
    pub(in crate::broker) fn set_group_configs(&self, group: &str, configs: &Configs) -> Result<()> {
        let mut change = self.cluster.change();
        let before = self.cluster.image().group_configs(group).cloned();
        let before = before.unwrap_or_default();
        change.commit(&records::config_changes(GROUP, group, &before, configs))
    }

    /// Replaces the configs of a client metrics subscription.
    pub(in crate::broker) fn set_client_metrics_configs(&self, name: &str, configs: &Configs) -> Result<()> {
        let mut change = self.cluster.change();
        let image = self.cluster.image();
        let before = image.all_client_metrics_configs().get(name).cloned();
        drop(image);
        let before = before.unwrap_or_default();
        change.commit(&records::config_changes(CLIENT_METRICS, name, &before, configs))
    }
}

/// The images of new partitions with these assignments, numbered from `first` on.
fn new_partitions(image: &ClusterImage, first: i32, assignments: &[Vec<i32>]) -> Partitions {
    (first..)
        .zip(assignments)
        .map(|(index, replicas)| (index, image.new_partition(replicas)))
        .collect()
}
