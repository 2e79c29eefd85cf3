//! The replicas of one node: which exist, and their logs in the log dirs.
//!
//! Owns the map from a partition to its replica. Which partitions the cluster has, and which of them this node leads,
//! is in the image (`cluster/`); `topic_changes` has the order of steps when something changes.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use uuid::Uuid;

use super::compaction::Compaction;
use super::fetch_signal::Fetchers;
use super::log_dir_moves::LogDirMoves;
use super::log_dirs::LogDirs;
use super::replica::{Replica, ReplicaName};
use super::replication_quota::ReplicationQuotas;
use super::unreplicated::Unreplicated;
use crate::broker::cluster::Cluster;
use crate::broker::cluster::image::{ClusterImage, TopicImage};
use crate::broker::cluster::partition_image::PartitionImage;
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::{BrokerValues, Configs};
use crate::broker::config::topic_settings::TopicSettings;
use crate::broker::timers::{now_ms, steady_ms};
use crate::error::Result;
use crate::storage::PartitionLog;
use crate::topic_partition::TopicPartition;

/// The replicas of one topic, in the order of their partitions.
pub(super) type TopicReplicas = Vec<Arc<Replica>>;

/// Every replica of a node.
#[derive(Debug)]
pub struct ReplicaManager {
    pub(super) config: Arc<BrokerConfig>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) log_dirs: LogDirs,
    pub(in crate::broker) compaction: Compaction,
    /// The moves of replicas between log dirs.
    pub(in crate::broker) moves: LogDirMoves,
    /// The position of the next folder check, so that every log has its turn.
    pub(super) looked_for: AtomicUsize,
    /// Batches of this node's coordinators that are not committed yet.
    pub(in crate::broker) unreplicated: Unreplicated,
    pub(super) quotas: ReplicationQuotas,
    /// The fetchers of this node, by leader.
    pub(super) fetchers: Fetchers,
    /// By topic id.
    replicas: RwLock<HashMap<Uuid, TopicReplicas>>,
    /// The last field, so that all others are gone when this one is.
    remains: Arc<()>,
}

impl ReplicaManager {
    /// Without any replica.
    pub(super) fn new(config: Arc<BrokerConfig>, cluster: Arc<Cluster>, log_dirs: LogDirs) -> Self {
        Self {
            config,
            cluster,
            log_dirs,
            compaction: Compaction::default(),
            moves: LogDirMoves::default(),
            looked_for: AtomicUsize::new(0),
            quotas: ReplicationQuotas::default(),
            fetchers: Fetchers::default(),
            unreplicated: Unreplicated::default(),
            replicas: RwLock::default(),
            remains: Arc::default(),
        }
    }

    pub(in crate::broker) fn log_dirs(&self) -> &LogDirs {
        &self.log_dirs
    }

    /// Upgrades until nothing is left of this manager: then its log dirs are free.
    pub(in crate::broker) fn remains(&self) -> Weak<()> {
        Arc::downgrade(&self.remains)
    }

    /// Stops compaction and moves between log dirs.
    pub(in crate::broker) fn stop_background(&self) {
        self.compaction.stop();
        self.moves.stop();
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Uuid, TopicReplicas>> {
        self.replicas.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Uuid, TopicReplicas>> {
        self.replicas.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The replica of a partition on this node; `None` if there is none.
    pub fn partition(&self, topic: &str, index: i32) -> Option<Arc<Replica>> {
        let id = self.cluster.image().topic(topic)?.id;
        self.replica(id, index)
    }

    /// The same by topic id.
    pub(in crate::broker) fn replica(&self, topic: Uuid, index: i32) -> Option<Arc<Replica>> {
        let replicas = self.read();
        let replicas = replicas.get(&topic)?;
        let place = replicas.binary_search_by_key(&index, |replica| replica.index);
        replicas.get(place.ok()?).map(Arc::clone)
    }

    /// The replicas of one topic on this node, in the order of their partitions.
    pub(in crate::broker) fn of_topic(&self, topic: Uuid) -> Vec<Arc<Replica>> {
        self.read().get(&topic).cloned().unwrap_or_default()
    }

    /// The same by topic name; empty if the topic does not exist.
    pub(in crate::broker) fn of_topic_named(&self, name: &str) -> Vec<Arc<Replica>> {
        let image = self.cluster.image();
        let topic = image.topic(name);
        topic.map(|topic| self.of_topic(topic.id)).unwrap_or_default()
    }

    /// Every replica on this node, in no order.
    pub(in crate::broker) fn all(&self) -> Vec<Arc<Replica>> {
        let replicas = self.read();
        replicas.values().flatten().map(Arc::clone).collect()
    }

    pub(in crate::broker) fn count(&self) -> usize {
        self.read().values().flatten().count()
    }

    /// Ends all leaderships when the node was killed, so that everything that waits here fails.
    pub(in crate::broker) fn resign(&self) {
        for replica in self.all() {
            replica.resign();
        }
    }

    /// The size of all logs, in bytes.
    pub fn size(&self) -> u64 {
        self.all().iter().map(|replica| replica.log().size()).sum()
    }

    /// The sources of this node's config values.
    pub(in crate::broker) fn broker_values<'a>(&'a self, image: &'a ClusterImage) -> BrokerValues<'a> {
        BrokerValues {
            config: &self.config,
            node: image.broker_configs(&self.config.node_id.to_string()),
            cluster: image.broker_configs(""),
        }
    }

    /// The configs of a topic in force on this node.
    pub(super) fn settings(&self, image: &ClusterImage, topic: &Configs) -> Arc<TopicSettings> {
        Arc::new(TopicSettings::resolve(self.broker_values(image), topic))
    }

    /// Applies the configs of a topic to its replicas.
    pub(super) fn apply_configs(&self, image: &ClusterImage, topic: &TopicImage) {
        let settings = self.settings(image, &topic.configs);
        for replica in self.of_topic(topic.id) {
            replica.set_settings(&settings, settings.log_config(&self.config));
        }
    }

    /// Adds replicas to those of a topic.
    pub(super) fn insert(&self, topic: Uuid, replicas: TopicReplicas) {
        let mut all = self.write();
        let known = all.entry(topic).or_default();
        known.extend(replicas);
        known.sort_unstable_by_key(|replica| replica.index);
    }

    /// Removes one replica from the map.
    pub(super) fn forget(&self, topic: Uuid, index: i32) {
        if let Some(replicas) = self.write().get_mut(&topic) {
            replicas.retain(|replica| replica.index != index);
        }
    }

    /// Removes the replicas of a topic from the map; their logs stay on disk.
    pub(super) fn remove(&self, topic: Uuid) -> TopicReplicas {
        self.write().remove(&topic).unwrap_or_default()
    }

    /// Creates the log of a new replica.
    pub(super) fn create(
        &self,
        partition: &TopicPartition,
        topic: Uuid,
        image: &PartitionImage,
        settings: &Arc<TopicSettings>,
    ) -> Result<Arc<Replica>> {
        let config = settings.log_config(&self.config);
        let dir = {
            let image = self.cluster.image();
            let values = self.broker_values(&image);
            let cordoned = values.value("cordoned.log.dirs").unwrap_or_default();
            self.log_dirs.for_new(partition, cordoned)
        };
        let log = dir.create_partition(partition, topic, config, now_ms())?;
        self.start(partition, topic, log, image, settings)
    }

    /// Opens the log of a replica; a missing folder is created. If the log of a partition that this node leads has a
    /// later leader epoch than the image, because Apache Kafka wrote it, the replica takes that epoch: clients ignore
    /// metadata with an earlier epoch than one they have seen.
    pub(super) fn open(
        &self,
        partition: &TopicPartition,
        topic: Uuid,
        image: &PartitionImage,
        settings: &Arc<TopicSettings>,
    ) -> Result<Arc<Replica>> {
        let Some(dir) = self.log_dirs.holding(partition) else {
            return self.create(partition, topic, image, settings);
        };
        let config = settings.log_config(&self.config);
        let log = dir.open_partition(partition, config, now_ms())?;
        let mut image = image.clone();
        if image.leader == self.config.node_id {
            let latest = log.leader_epochs().latest().unwrap_or_default();
            image.leader_epoch = image.leader_epoch.max(latest);
        }
        self.start(partition, topic, log, &image, settings)
    }

    /// The replica of an opened log, in the role that the image gives it.
    fn start(
        &self,
        partition: &TopicPartition,
        topic: Uuid,
        log: PartitionLog,
        image: &PartitionImage,
        settings: &Arc<TopicSettings>,
    ) -> Result<Arc<Replica>> {
        let name = ReplicaName {
            topic: partition.topic.clone(),
            topic_id: topic,
            index: partition.partition,
            node: self.config.node_id,
        };
        let high_watermark = self.log_dirs.of(&log).high_watermark(partition);
        self.log_dirs.opened(&log);
        let max_lag_ms = self.config.number("replica.lag.time.max.ms");
        let replica = Replica::new(
            &name,
            log,
            high_watermark,
            Arc::clone(settings),
            max_lag_ms,
            steady_ms,
        );
        replica.follow_image(image)?;
        Ok(Arc::new(replica))
    }
}
