//! Bringing the replicas of a node in line with the image after a change: which exist, which of them lead, and which
//! have to be removed.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::replica::{Replica, Role};
use super::replica_manager::ReplicaManager;
use crate::broker::cluster::image::{ClusterImage, TopicImage};
use crate::broker::cluster::partition_image::PartitionImage;
use crate::error::Result;
use crate::topic_partition::TopicPartition;

/// The new role of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct RoleChange {
    pub(in crate::broker) topic: String,
    pub(in crate::broker) index: i32,
    /// `None`: the replica was removed.
    pub(in crate::broker) role: Option<Role>,
}

/// The outcome of bringing a node in line.
#[derive(Debug, Default)]
pub(in crate::broker) struct Reconciled {
    pub(in crate::broker) roles: Vec<RoleChange>,
    /// Failures of the disk, a line each.
    pub(in crate::broker) notes: Vec<String>,
}

impl ReplicaManager {
    /// Carries out the image of these topics on this node.
    pub(in crate::broker) fn reconcile(&self, topics: &BTreeSet<Uuid>) -> Reconciled {
        let image = self.cluster.image();
        let mut reconciled = Reconciled::default();
        for id in topics {
            match image.topic_by_id(*id) {
                Some(topic) => self.reconcile_topic(&image, topic, &mut reconciled),
                None => self.drop_topic(*id, &mut reconciled),
            }
        }
        reconciled
    }

    fn reconcile_topic(&self, image: &ClusterImage, topic: &TopicImage, reconciled: &mut Reconciled) {
        let settings = self.settings(image, &topic.configs);
        for replica in self.of_topic(topic.id) {
            replica.set_settings(&settings, settings.log_config(&self.config));
            let partition = topic.partition(replica.index);
            if !partition.is_some_and(|partition| partition.replicas.contains(&self.config.node_id)) {
                self.forget(topic.id, replica.index);
                self.delete(&replica, reconciled);
            }
        }
        for (index, partition) in self.own(&topic.partitions) {
            let known = self.replica(topic.id, index);
            let before = known.as_ref().map(|replica| replica.role());
            let followed = if let Some(replica) = &known {
                replica.follow_image(partition)
            } else {
                let name = TopicPartition::new(topic.name.as_str(), index);
                let opened = self.open(&name, topic.id, partition, &settings);
                opened.map(|replica| self.insert(topic.id, vec![replica]))
            };
            self.follow(topic.id, index, partition);
            let role = Role::of(self.config.node_id, partition);
            match followed {
                Ok(()) if before == Some(role) => {}
                Ok(()) => reconciled.roles.push(RoleChange {
                    topic: topic.name.clone(),
                    index,
                    role: Some(role),
                }),
                Err(error) => reconciled.notes.push(format!("{}-{index}: {error}", topic.name)),
            }
        }
    }

    /// Makes the fetcher of the partition's leader fetch, if this node follows.
    pub(super) fn follow(&self, topic: Uuid, index: i32, partition: &PartitionImage) {
        if partition.leader >= 0 && partition.leader != self.config.node_id {
            self.fetchers.of(partition.leader).ring(topic, index);
        }
    }

    /// Makes a fetcher fetch everything that this node follows from its leader.
    pub(super) fn follow_all(&self, leader: i32) {
        let signal = self.fetchers.of(leader);
        for replica in self.all() {
            if matches!(replica.role(), Role::Follower { leader: its, .. } if its == leader) {
                signal.ring(replica.topic_id, replica.index);
            }
        }
    }

    fn drop_topic(&self, id: Uuid, reconciled: &mut Reconciled) {
        for replica in self.remove(id) {
            self.delete(&replica, reconciled);
        }
    }

    fn delete(&self, replica: &Arc<Replica>, reconciled: &mut Reconciled) {
        let deleted = self.delete_log(replica);
        reconciled.notes.extend(
            deleted
                .err()
                .map(|error| format!("cannot delete {}: {error}", replica.name)),
        );
        reconciled.roles.push(RoleChange {
            topic: replica.topic.clone(),
            index: replica.index,
            role: None,
        });
    }

    /// Renames the folder of a replica for deletion; its files are removed in the background.
    pub(super) fn delete_log(&self, replica: &Replica) -> Result<()> {
        self.cancel_move(replica.topic_id, replica.index);
        {
            // A producer may be appending: the folder is renamed under the lock of the log.
            let mut log = replica.log();
            log.end_cleaning();
            let name = TopicPartition::new(replica.topic.as_str(), replica.index);
            self.log_dirs.of(&log).delete_partition(&name)?;
            self.log_dirs.gone(log.folder());
        }
        replica.wake_everybody();
        Ok(())
    }

    /// A broker is out of reach: its replicas do not count as caught up any more.
    pub(in crate::broker) fn broker_lost(&self, id: i32) {
        for replica in self.all() {
            replica.broker_lost(id);
        }
    }
}
