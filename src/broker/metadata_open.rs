//! Opening a data directory: what the metadata say, what the folders hold, and one answer out of both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use super::adoption;
use super::cluster::apache_kafka;
use super::cluster::image::{ClusterImage, TopicImage};
use super::cluster::metadata_file;
use super::cluster::metadata_log::MetadataLog;
use super::cluster::producer_ids::{ProducerIds, UsedIds};
use super::cluster::records::Node;
use super::config::BrokerConfig;
use super::config::effective_config::Configs;
use super::config::topic_settings::TopicSettings;
use super::metadata::{Changes, Metadata, State, Topic};
use super::timers::now_ms;
use crate::error::Result;
use crate::storage::LogDir;
use crate::storage::file_name::{BOOTSTRAP_CHECKPOINT, METADATA_TOPIC};
use crate::topic_partition::TopicPartition;

/// The metadata's file beside a metadata log of Apache Kafka, which reads no other file then.
const BESIDE_APACHE_KAFKA: &str = "kafkit-metadata.checkpoint";

/// What the metadata of a directory say before its folders are looked at.
struct Found {
    image: ClusterImage,
    log: MetadataLog,
    /// What Apache Kafka's metadata log says of topics, where nothing else does.
    inherited: BTreeMap<String, Configs>,
    used_ids: UsedIds,
    /// The file says less than `image`, or in an older form.
    is_stale: bool,
    /// There was nothing: neither a file of ours nor a metadata log of Apache Kafka.
    is_new: bool,
    notes: Vec<String>,
}

impl Found {
    fn read(config: &BrokerConfig, log_dir: &LogDir) -> Result<Self> {
        let dir = &config.data_dir;
        let mut notes = Vec::new();
        let older = metadata_file::read(dir)?;
        let is_older = older.is_some();
        let unreliable = older
            .as_ref()
            .is_some_and(|older| !older.producer_ids_are_reliable());
        let mut older = older.map(metadata_file::StoredMetadata::into_image);
        if let Some(topic) = older
            .as_mut()
            .and_then(|image| image.topics.remove(METADATA_TOPIC))
        {
            // kafkit 0.1.0 let clients make a topic of this name. Where the folder is Apache Kafka's own it stays.
            let renamed = log_dir.set_aside(METADATA_TOPIC, topic.id)?;
            let note = |name| format!("{METADATA_TOPIC} is no topic any more; its records are in {name}");
            notes.extend(renamed.map(note));
        }
        let beside_apache_kafka = apache_kafka::has_log(dir);
        let (log, own) = MetadataLog::open(&path(dir, beside_apache_kafka), config.flush_each_batch)?;
        let is_stale = is_older || own.is_none();
        let mut inherited = BTreeMap::new();
        let is_new = older.is_none() && own.is_none();
        let image = if let Some(image) = older.or(own) {
            image
        } else {
            let mut image = ClusterImage::new();
            let theirs = apache_kafka::read(dir)?;
            image.broker_configs.extend(theirs.broker_configs);
            image.group_configs.extend(theirs.group_configs);
            image.next_producer_id = theirs.next_producer_id;
            let configs = theirs
                .topics
                .into_iter()
                .map(|(name, topic)| (name, topic.configs));
            inherited = configs.collect();
            image
        };
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

/// Where the metadata are kept.
fn path(data_dir: &Path, beside_apache_kafka: bool) -> PathBuf {
    data_dir.join(if beside_apache_kafka {
        BESIDE_APACHE_KAFKA
    } else {
        BOOTSTRAP_CHECKPOINT
    })
}

impl Metadata {
    /// Reads what the data directory keeps, and makes what a new one must have. Partitions that another Kafka left
    /// here are taken over as they are.
    pub fn open(config: Arc<BrokerConfig>) -> Result<Self> {
        let mut log_dir = LogDir::open(&config.data_dir, config.node_id, None)?;
        log_dir.set_sync(config.flush_each_batch);
        let found = Found::read(&config, &log_dir)?;
        let mut topics = found.image.topics;
        let folders = log_dir.partitions()?;
        if found.used_ids.beside_apache_kafka {
            adoption::catch_up(&folders, &mut topics);
        }
        let adopted = adoption::adopt(folders, &mut topics, found.inherited)?;
        let mut notes = found.notes;
        notes.extend(left_alone(&config, &adopted.left_alone));
        let node = Node {
            id: config.node_id,
            directory: log_dir.meta().directory_id.unwrap_or_default(),
        };
        let metadata = Self {
            cluster_id: log_dir.meta().cluster_id.clone().unwrap_or_default(),
            config,
            log_dir,
            node,
            state: RwLock::default(),
            changes: Mutex::new(Changes {
                ids: ProducerIds::default(),
                log: found.log,
            }),
            notes,
        };
        let mut state = State {
            broker_configs: found.image.broker_configs,
            group_configs: found.image.group_configs,
            ..State::default()
        };
        for (name, topic) in topics {
            state.insert(metadata.open_topic(&state, &name, topic)?);
        }
        let mut used = found.used_ids;
        used.largest_in_logs = state.largest_producer_id();
        // Logs without any metadata beside them: what was saved is lost.
        used.unreliable |= found.is_new && adopted.any;
        let ids = ProducerIds::above(used);
        // Beside Apache Kafka topics may have gone or grown.
        let is_stale =
            found.is_stale || adopted.any || used.beside_apache_kafka || ids.reserved() != used.reserved;
        *metadata.state_mut() = state;
        let mut changes = metadata.lock_changes();
        changes.ids = ids;
        if is_stale {
            metadata.rewrite(&mut changes)?;
            metadata_file::remove(&metadata.config.data_dir)?;
        }
        drop(changes);
        Ok(metadata)
    }

    /// Opens the topic's logs. One that is missing is made anew: its folder went while no broker ran.
    fn open_topic(&self, state: &State, name: &str, stored: TopicImage) -> Result<Arc<Topic>> {
        let settings = Arc::new(TopicSettings::resolve(self.values_in(state), &stored.configs));
        let open = |index| {
            let partition = TopicPartition::new(name, index);
            if !self.log_dir.folder(&partition).is_dir() {
                return self.create_partition(&partition, stored.id, &settings);
            }
            let config = settings.log_config(&self.config);
            let log = self.log_dir.open_partition(&partition, config, now_ms())?;
            super::metadata_changes::lead(&partition, log, &settings)
        };
        let partitions = (0..stored.partitions).map(open).collect::<Result<_>>()?;
        Ok(Arc::new(Topic {
            name: name.to_owned(),
            id: stored.id,
            partitions,
            configs: stored.configs,
        }))
    }
}

/// One line on the folders that look like a partition's and were not taken; at most so many names that it can be read.
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
