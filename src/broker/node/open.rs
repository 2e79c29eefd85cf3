//! Opening a data directory: a cluster is made from what the metadata and the folders of partitions say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::adoption;
use super::join::{registration, voter};
use super::log_dirs::LogDirs;
use super::replica_manager::{ReplicaManager, TopicReplicas};
use crate::broker::cluster::Cluster;
use crate::broker::cluster::apache_kafka;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::cluster::metadata_file;
use crate::broker::cluster::metadata_log::MetadataLog;
use crate::broker::cluster::partition_image::{PartitionImage, Partitions};
use crate::broker::cluster::producer_ids::{ProducerIds, UsedIds};
use crate::broker::cluster::records::{self, Records};
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::Configs;
use crate::broker::server::connections::Listener;
use crate::error::Result;
use crate::storage::LogDir;
use crate::storage::file_name::{BOOTSTRAP_CHECKPOINT, METADATA_TOPIC};
use crate::topic_partition::TopicPartition;

/// The name of the metadata file beside a metadata log of Apache Kafka, which ignores a file of this name.
const BESIDE_APACHE_KAFKA: &str = "kafkit-metadata.checkpoint";

/// An opened data directory.
pub(in crate::broker) struct Opened {
    pub(in crate::broker) cluster: Arc<Cluster>,
    pub(in crate::broker) replicas: Arc<ReplicaManager>,
    /// The file with the metadata.
    pub(in crate::broker) metadata: PathBuf,
    /// Lines to report to the user.
    pub(in crate::broker) notes: Vec<String>,
}

/// The metadata of a directory, before its folders are looked at.
struct Found {
    image: ClusterImage,
    log: MetadataLog,
    /// The topic configs in Apache Kafka's metadata log, if there is no metadata file of ours.
    inherited: BTreeMap<String, Configs>,
    used_ids: UsedIds,
    /// Whether `log` has to be written anew: it lacks some of `image`, or an older file was read.
    is_stale: bool,
    /// Whether there was nothing: neither a file of ours nor a metadata log of Apache Kafka.
    is_new: bool,
    notes: Vec<String>,
}

impl Found {
    /// `own` is the state of partitions in older files, which keep only their number.
    fn read(config: &BrokerConfig, log_dir: &LogDir, own: &PartitionImage) -> Result<Self> {
        let dir = &config.data_dir;
        let mut notes = Vec::new();
        let mut older = metadata_file::read(dir)?;
        let is_older = older.is_some();
        let unreliable = older
            .as_ref()
            .is_some_and(|older| !older.producer_ids_are_reliable());
        if let Some(topic) = older
            .as_mut()
            .and_then(|older| older.topics.remove(METADATA_TOPIC))
        {
            // kafkit 0.1.0 let clients create a topic of this name. A folder of Apache Kafka's own with it stays.
            let renamed = log_dir.set_aside(METADATA_TOPIC, topic.id)?;
            let note = |name| format!("{METADATA_TOPIC} is no topic any more; its records are in {name}");
            notes.extend(renamed.map(note));
        }
        let beside_apache_kafka = apache_kafka::has_log(dir);
        let (log, kept) = MetadataLog::open(&path(dir, beside_apache_kafka), config.flush_each_batch)?;
        let is_stale = is_older || kept.is_none();
        let is_new = !is_older && kept.is_none();
        let mut inherited = BTreeMap::new();
        let mut image = ClusterImage::default();
        if let Some(older) = older {
            image.apply_all(&older.into_records(own));
        } else if let Some(kept) = kept {
            image = kept;
        } else {
            let theirs = apache_kafka::read(dir)?;
            if theirs.broker_configs("").is_none() {
                image.apply_all(&records::first_configs(config));
            }
            image.apply_all(&records_without_topics(&theirs));
            let topics = theirs.topics();
            inherited = topics
                .map(|topic| (topic.name.clone(), topic.configs.clone()))
                .collect();
        }
        Ok(Self {
            used_ids: UsedIds {
                reserved: image.next_producer_id,
                unreliable,
                largest_in_logs: None,
                beside_apache_kafka,
            },
            image,
            log,
            inherited,
            is_stale,
            is_new: is_new && !beside_apache_kafka,
            notes,
        })
    }
}

/// The records for an image's feature levels, configs, quotas, credentials and producer ids.
fn records_without_topics(image: &ClusterImage) -> Records {
    let mut records = records::set_levels(image);
    records.extend(records::given(image));
    records.extend(records::producer_ids(image.next_producer_id));
    records
}

/// The path of the metadata file.
fn path(data_dir: &Path, beside_apache_kafka: bool) -> PathBuf {
    data_dir.join(if beside_apache_kafka {
        BESIDE_APACHE_KAFKA
    } else {
        BOOTSTRAP_CHECKPOINT
    })
}

impl Opened {
    /// Reads a data directory, or formats a new one. Partitions of Apache Kafka are adopted as they are.
    pub(in crate::broker) fn new(config: &Arc<BrokerConfig>, listeners: &[Arc<Listener>]) -> Result<Self> {
        let log_dirs = LogDirs::open(config, None)?;
        let broker = registration(config, &log_dirs, listeners);
        let own = PartitionImage::new(vec![broker.id], vec![broker.directory]);
        let found = Found::read(config, log_dirs.first(), &own)?;
        let mut image = found.image;
        image.register(broker);
        image.enlist(config.node_id, voter(config, Some(log_dirs.first())));
        let folders = log_dirs.partitions()?;
        if found.used_ids.beside_apache_kafka {
            image.apply_all(&adoption::catch_up(&folders, &image, &own));
        }
        let adopted = adoption::adopt(folders, &image, &own, found.inherited)?;
        image.apply_all(&adopted.records);
        let moved = adoption::take_over(&image, &own);
        image.apply_all(&moved);
        image.forget_deleted();
        let mut notes = found.notes;
        notes.extend(left_alone(config, &adopted.left_alone));

        let cluster_id = log_dirs.first().meta().cluster_id.clone().unwrap_or_default();
        let cluster = Arc::new(Cluster::new(cluster_id, image, found.log));
        let replicas = ReplicaManager::new(Arc::clone(config), Arc::clone(&cluster), log_dirs);
        let later_epochs = replicas.open_all()?;
        let mut used = found.used_ids;
        used.largest_in_logs = replicas.largest_producer_id();
        // Logs without any metadata: the metadata were lost.
        used.unreliable |= found.is_new && !adopted.records.is_empty();
        let ids = ProducerIds::above(used);
        // Beside Apache Kafka, topics may have been deleted or extended.
        let is_stale = found.is_stale
            || !adopted.records.is_empty()
            || !moved.is_empty()
            || !later_epochs.is_empty()
            || used.beside_apache_kafka
            || ids.reserved() != used.reserved;
        cluster.start(ids, &later_epochs, is_stale)?;
        if is_stale {
            metadata_file::remove(&config.data_dir)?;
        }
        Ok(Self {
            cluster,
            replicas: Arc::new(replicas),
            metadata: path(&config.data_dir, used.beside_apache_kafka),
            notes,
        })
    }
}

impl ReplicaManager {
    /// Opens the logs of all replicas of this node in the image. Returns records for partitions whose log has a later
    /// leader epoch, with that epoch.
    pub(super) fn open_all(&self) -> Result<Records> {
        self.find_moves()?;
        let image = self.cluster.image();
        let mut later_epochs = Records::new();
        for topic in image.topics() {
            let settings = self.settings(&image, &topic.configs);
            let mut replicas = TopicReplicas::new();
            let mut later = Partitions::new();
            for (index, partition) in self.own(&topic.partitions) {
                let name = TopicPartition::new(topic.name.as_str(), index);
                let replica = self.open(&name, topic.id, partition, &settings)?;
                let leader_epoch = replica.leader_epoch();
                self.follow(topic.id, index, partition);
                if leader_epoch > partition.leader_epoch {
                    let partition = PartitionImage {
                        leader_epoch,
                        ..partition.clone()
                    };
                    later.push((index, partition));
                }
                replicas.push(replica);
            }
            self.insert(topic.id, replicas);
            later_epochs.extend(records::partitions(topic.id, &later));
        }
        Ok(later_epochs)
    }

    /// The largest producer id in any log.
    fn largest_producer_id(&self) -> Option<i64> {
        let all = self.all();
        let largest = all
            .iter()
            .filter_map(|replica| replica.log().producers().largest_id());
        largest.max()
    }
}

/// One line on the folders that are named like a partition's and were not adopted. It names only a few of them, so
/// that it stays readable.
fn left_alone(config: &BrokerConfig, folders: &[TopicPartition]) -> Option<String> {
    const NAMED: usize = 10;
    let mut names: Vec<String> = folders.iter().take(NAMED).map(ToString::to_string).collect();
    if folders.len() > NAMED {
        names.push(format!("and {} more", folders.len() - NAMED));
    }
    let names = names.join(", ");
    let dir = config.data_dir.display();
    (!folders.is_empty())
        .then(|| format!("left alone in {dir}, as they hold no partition of a topic: {names}"))
}
