//! Changing what exists: topics, partitions, configs, producer ids.
//!
//! Each change is on disk before readers see it, and each is whole: a broker that is killed has made it or not.
//! Folders of partitions come before the metadata that names them and go after it, so that at worst a folder is
//! left over, which the next start takes for a topic of its own.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use uuid::Uuid;

use super::adoption;
use super::cluster_metadata::{self, Inherited, Node};
use super::config::BrokerConfig;
use super::effective_config::Configs;
use super::group::offsets_topic::OFFSETS_TOPIC;
use super::metadata::{Metadata, REMEMBERED, State, Topic};
use super::metadata_file::{self, StoredMetadata, StoredTopic};
use super::partition::Partition;
use super::producer_ids::{ProducerIds, UsedIds};
use super::timers::now_ms;
use super::topic_settings::TopicSettings;
use crate::error::{Error, Result};
use crate::storage::file_name::METADATA_TOPIC;
use crate::storage::log_dir::Checkpoint;
use crate::storage::partition_metadata::random_id;
use crate::storage::{LogDir, PartitionLog};
use crate::topic_partition::TopicPartition;

impl State {
    /// The largest producer id that a log has seen.
    fn largest_producer_id(&self) -> Option<i64> {
        let partitions = self.topics.values().flat_map(|topic| &topic.partitions);
        partitions
            .filter_map(|partition| partition.log().producers().largest_id())
            .max()
    }
}

impl Metadata {
    /// Reads what the data directory keeps, and makes what a new one must have. Partitions that another Kafka left
    /// here are taken over as they are.
    pub fn open(config: Arc<BrokerConfig>) -> Result<Self> {
        let mut log_dir = LogDir::open(&config.data_dir, config.node_id, None)?;
        log_dir.set_sync(config.flush_each_batch);
        let stored = metadata_file::read(&config.data_dir)?;
        let is_new = stored.is_none();
        let mut stored = stored.unwrap_or_else(StoredMetadata::new);
        let mut notes = Vec::new();
        if let Some(topic) = stored.topics.remove(METADATA_TOPIC) {
            // kafkit 0.1.0 let clients make a topic of this name. Where the folder is Apache Kafka's own it stays.
            let renamed = log_dir.set_aside(METADATA_TOPIC, topic.id)?;
            notes.extend(
                renamed
                    .map(|name| format!("{METADATA_TOPIC} is no topic any more; its records are in {name}")),
            );
        }
        let mut inherited = Inherited::default();
        if is_new {
            inherited = cluster_metadata::read(&config.data_dir)?;
            stored.broker_configs.append(&mut inherited.broker_configs);
            stored.next_producer_id = inherited.next_producer_id;
        }
        let mut used = UsedIds {
            reserved: stored.next_producer_id,
            unreliable: stored.version < metadata_file::RELIABLE_PRODUCER_IDS,
            largest_in_logs: None,
            beside_apache_kafka: cluster_metadata::has_log(&config.data_dir),
        };
        let mut metadata = Self {
            cluster_id: log_dir.meta().cluster_id.clone().unwrap_or_default(),
            config,
            log_dir,
            state: RwLock::default(),
            change: Mutex::default(),
            notes,
        };
        let mut state = State {
            broker_configs: stored.broker_configs,
            ..State::default()
        };
        let mut topics = stored.topics;
        let adopted = adoption::adopt(metadata.log_dir.partitions()?, &mut topics, inherited)?;
        metadata
            .notes
            .extend(left_alone(&metadata.config, &adopted.left_alone));
        let adopted = adopted.any;
        for (name, topic) in topics {
            let topic = metadata.open_topic(&state, &name, topic)?;
            state.ids.insert(topic.id, Arc::clone(&topic));
            state.topics.insert(name, topic);
        }
        used.largest_in_logs = state.largest_producer_id();
        // Logs without any metadata beside them: what was saved is lost.
        used.unreliable |= is_new && adopted && !used.beside_apache_kafka;
        let ids = ProducerIds::above(used);
        if is_new || adopted || ids.reserved() != used.reserved || used.unreliable {
            metadata.save(&state, ids)?;
        }
        *metadata.lock_changes() = ids;
        metadata.show(state);
        Ok(metadata)
    }

    /// Opens the topic's logs. One that is missing is made anew: its folder went while no broker ran.
    fn open_topic(&self, state: &State, name: &str, stored: StoredTopic) -> Result<Arc<Topic>> {
        let settings = Arc::new(TopicSettings::resolve(self.values_in(state), &stored.configs));
        let open = |index| {
            let partition = TopicPartition::new(name, index);
            if !self.log_dir.folder(&partition).is_dir() {
                return self.create_partition(&partition, stored.id, &settings);
            }
            let config = settings.log_config(&self.config);
            let log = self.log_dir.open_partition(&partition, config, now_ms())?;
            lead(&partition, log, &settings)
        };
        let partitions = (0..stored.partitions).map(open).collect::<Result<_>>()?;
        Ok(Arc::new(Topic {
            name: name.to_owned(),
            id: stored.id,
            partitions,
            configs: stored.configs,
        }))
    }

    /// Makes new partitions of a topic: all of them, or none.
    fn create_partitions(
        &self,
        topic: &str,
        indices: Range<i32>,
        id: Uuid,
        settings: &Arc<TopicSettings>,
    ) -> Result<Vec<Arc<Partition>>> {
        let mut made = Vec::new();
        for index in indices.clone() {
            match self.create_partition(&TopicPartition::new(topic, index), id, settings) {
                Ok(partition) => made.push(partition),
                Err(error) => {
                    self.discard_partitions(topic, indices.start..index);
                    return Err(error);
                }
            }
        }
        Ok(made)
    }

    fn create_partition(
        &self,
        partition: &TopicPartition,
        id: Uuid,
        settings: &Arc<TopicSettings>,
    ) -> Result<Arc<Partition>> {
        let config = settings.log_config(&self.config);
        let log = self.log_dir.create_partition(partition, id, config, now_ms())?;
        lead(partition, log, settings)
    }

    fn save(&self, state: &State, ids: ProducerIds) -> Result<()> {
        let topics = state.topics.iter().map(|(name, topic)| {
            let stored = StoredTopic {
                id: topic.id,
                partitions: topic.partitions.len() as i32,
                configs: topic.configs.clone(),
            };
            (name.clone(), stored)
        });
        let stored = StoredMetadata {
            version: metadata_file::VERSION,
            topics: topics.collect(),
            broker_configs: state.broker_configs.clone(),
            next_producer_id: ids.reserved(),
        };
        let dir = &self.config.data_dir;
        let node = Node {
            id: self.config.node_id,
            directory: self.log_dir.meta().directory_id.unwrap_or_default(),
        };
        cluster_metadata::write(dir, &node, state, ids.reserved())?;
        metadata_file::write(dir, &stored, self.config.flush_each_batch)
    }

    fn show(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn lock_changes(&self) -> MutexGuard<'_, ProducerIds> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a topic; the caller has checked everything but that it does not exist yet.
    pub fn create_topic(&self, name: &str, partitions: i32, configs: Configs) -> Result<Arc<Topic>> {
        let ids = self.lock_changes();
        let mut state = self.read().clone();
        if state.topics.contains_key(name) {
            return Err(Error::failed(format!("Topic '{name}' already exists.")));
        }
        let id = random_id()?;
        let settings = Arc::new(TopicSettings::resolve(self.values_in(&state), &configs));
        let topic = Arc::new(Topic {
            name: name.to_owned(),
            id,
            partitions: self.create_partitions(name, 0..partitions, id, &settings)?,
            configs,
        });
        state.ids.insert(id, Arc::clone(&topic));
        state.topics.insert(name.to_owned(), Arc::clone(&topic));
        state.deleted.remove(name);
        if let Err(error) = self.save(&state, *ids) {
            self.discard_partitions(name, 0..partitions);
            return Err(error);
        }
        self.show(state);
        Ok(topic)
    }

    /// Takes away partitions that were made for nothing: the next start would take their folders for a topic.
    fn discard_partitions(&self, topic: &str, indices: Range<i32>) {
        for index in indices {
            let partition = TopicPartition::new(topic, index);
            if self.log_dir.folder(&partition).is_dir() {
                // The disk that refused to make it may refuse this as well: the folder is then left over.
                let _ = self.log_dir.delete_partition(&partition);
            }
        }
        let _ = self.log_dir.purge_deleted();
    }

    /// `__consumer_offsets`, made now if it does not exist yet.
    pub fn offsets_topic(&self) -> Result<Arc<Topic>> {
        if let Some(topic) = self.topic(OFFSETS_TOPIC) {
            return Ok(topic);
        }
        let partitions = i32::try_from(self.config.number("offsets.topic.num.partitions").max(1));
        let value = |name: &str| self.config.value(name).unwrap_or_default().to_owned();
        let configs = Configs::from([
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("compression.type".to_owned(), "producer".to_owned()),
            ("segment.bytes".to_owned(), value("offsets.topic.segment.bytes")),
        ]);
        let created = self.create_topic(OFFSETS_TOPIC, partitions.unwrap_or(1), configs);
        created.or_else(|error| self.topic(OFFSETS_TOPIC).ok_or(error))
    }

    /// Removes a topic; its files go in the background.
    pub fn delete_topic(&self, name: &str) -> Result<()> {
        let ids = self.lock_changes();
        let mut state = self.read().clone();
        let Some(topic) = state.topics.remove(name) else {
            return Err(Error::not_found(format!("topic '{name}' does not exist")));
        };
        state.ids.remove(&topic.id);
        if state.deleted.len() < REMEMBERED {
            state.deleted.insert(name.to_owned());
        }
        self.save(&state, *ids)?;
        self.show(state);
        for partition in &topic.partitions {
            // Whoever appends now still holds the log: it is renamed under the lock.
            let _log = partition.log();
            self.log_dir
                .delete_partition(&TopicPartition::new(name, partition.index))?;
        }
        for partition in &topic.partitions {
            partition.waiters.wake_all();
        }
        Ok(())
    }

    /// Removes what deleted topics left on disk.
    pub fn purge_deleted(&self) -> Result<()> {
        self.log_dir.purge_deleted()
    }

    /// Adds partitions up to `count` in all.
    pub fn add_partitions(&self, name: &str, count: i32) -> Result<()> {
        let ids = self.lock_changes();
        let mut state = self.read().clone();
        let Some(before) = state.topics.get(name).map(Arc::clone) else {
            return Err(Error::not_found(format!("topic '{name}' does not exist")));
        };
        let settings = Arc::new(TopicSettings::resolve(self.values_in(&state), &before.configs));
        let mut topic = Topic::clone(&before);
        let new = before.partitions.len() as i32..count;
        topic
            .partitions
            .extend(self.create_partitions(name, new.clone(), topic.id, &settings)?);
        replace_topic(&mut state, topic);
        if let Err(error) = self.save(&state, *ids) {
            self.discard_partitions(name, new);
            return Err(error);
        }
        self.show(state);
        Ok(())
    }

    /// Replaces a topic's own configs; they hold from now on.
    pub fn set_topic_configs(&self, name: &str, configs: Configs) -> Result<()> {
        let ids = self.lock_changes();
        let mut state = self.read().clone();
        let Some(before) = state.topics.get(name).map(Arc::clone) else {
            return Err(Error::not_found(format!("topic '{name}' does not exist")));
        };
        let mut topic = Topic::clone(&before);
        topic.configs = configs;
        replace_topic(&mut state, topic);
        self.save(&state, *ids)?;
        self.apply_configs(&state, Some(name));
        self.show(state);
        Ok(())
    }

    /// Replaces the dynamic configs of one node, or of the cluster (""); they hold from now on.
    pub fn set_broker_configs(&self, resource: &str, configs: Configs) -> Result<()> {
        let ids = self.lock_changes();
        let mut state = self.read().clone();
        state.broker_configs.insert(resource.to_owned(), configs);
        self.save(&state, *ids)?;
        self.apply_configs(&state, None);
        self.show(state);
        Ok(())
    }

    /// Hands the configs of one topic, or of all, to its partitions.
    fn apply_configs(&self, state: &State, only: Option<&str>) {
        for topic in state
            .topics
            .values()
            .filter(|topic| only.is_none_or(|only| only == topic.name))
        {
            let settings = Arc::new(TopicSettings::resolve(self.values_in(state), &topic.configs));
            for partition in &topic.partitions {
                partition.set_settings(&settings, settings.log_config(&self.config));
            }
        }
    }

    /// A producer id that nobody ever had.
    pub fn new_producer_id(&self) -> Result<i64> {
        let mut ids = self.lock_changes();
        loop {
            if let Some(id) = ids.take() {
                return Ok(id);
            }
            let more = ids.with_next_block();
            let more = more.ok_or_else(|| Error::failed("there are no more producer ids"))?;
            self.save(&self.read(), more)?;
            *ids = more;
        }
    }

    /// Writes down where every log starts and ends, and what is safe on disk.
    pub fn write_checkpoints(&self) -> Result<()> {
        let topics = self.topics();
        let mut starts = BTreeMap::new();
        let mut high_watermarks = BTreeMap::new();
        let mut recovery_points = BTreeMap::new();
        for partition in topics.iter().flat_map(|topic| &topic.partitions) {
            let name = TopicPartition::new(partition.topic.as_str(), partition.index);
            let log = partition.log();
            if log.log_start_offset() > 0 {
                starts.insert(name.clone(), log.log_start_offset());
            }
            recovery_points.insert(name.clone(), log.recovery_point());
            high_watermarks.insert(name, log.log_end_offset());
        }
        self.log_dir
            .write_checkpoint(Checkpoint::LogStartOffsets, &starts)?;
        self.log_dir
            .write_checkpoint(Checkpoint::RecoveryPoints, &recovery_points)?;
        self.log_dir
            .write_checkpoint(Checkpoint::HighWatermarks, &high_watermarks)
    }

    /// Brings segments that are full to the disk, so that a start after a crash need not look at them again.
    pub fn flush_finished_segments(&self) -> Result<()> {
        let mut any = false;
        for topic in self.topics() {
            for partition in &topic.partitions {
                let pending = partition.log().pending_flush();
                if let Some(pending) = pending {
                    pending.run()?;
                    partition.log().flushed(&pending);
                    any = true;
                }
            }
        }
        if any {
            self.write_checkpoints()?;
        }
        Ok(())
    }

    /// Closes the files of logs that have been left alone.
    pub fn close_unused_files(&self) -> Result<()> {
        for topic in self.topics() {
            for partition in &topic.partitions {
                partition.log().close_unused_files()?;
            }
        }
        Ok(())
    }

    /// Removes segments that retention no longer keeps.
    pub fn apply_retention(&self, now_ms: i64) -> Result<()> {
        let mut removed = 0;
        for topic in self.topics() {
            for partition in &topic.partitions {
                let mut log = partition.log();
                removed += log.apply_retention(now_ms, partition.high_watermark())?;
                partition.publish(&mut log);
            }
        }
        if removed > 0 {
            self.write_checkpoints()?;
        }
        Ok(())
    }

    /// Leaves the data directory as a clean stop does.
    pub fn close(&self) -> Result<()> {
        let _change = self.lock_changes();
        for topic in self.topics() {
            for partition in &topic.partitions {
                partition.log().close(self.config.flush_each_batch)?;
            }
        }
        self.write_checkpoints()?;
        self.log_dir.mark_clean_shutdown()
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

/// The partition whose log this is, with this node as its leader.
fn lead(
    partition: &TopicPartition,
    log: PartitionLog,
    settings: &Arc<TopicSettings>,
) -> Result<Arc<Partition>> {
    let partition = Partition::new(&partition.topic, partition.partition, log, Arc::clone(settings));
    partition.begin_leadership()?;
    Ok(Arc::new(partition))
}

fn replace_topic(state: &mut State, topic: Topic) {
    let topic = Arc::new(topic);
    state.ids.insert(topic.id, Arc::clone(&topic));
    state.topics.insert(topic.name.clone(), topic);
}
