//! Changing what exists: topics, partitions, configs, producer ids.
//!
//! Each change is on disk before readers see it, and each is whole: a broker that is killed has made it or not.
//! Folders of partitions come before the metadata that names them and go after it, so that at worst a folder is
//! left over, which the next start takes for a topic of its own.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use super::cluster::producer_ids::ProducerIds;
use super::cluster::records::{self, BROKER, GROUP, Records, TOPIC};
use super::config::effective_config::Configs;
use super::config::topic_settings::TopicSettings;
use super::internal_topics::InternalTopic;
use super::metadata::{Changes, Metadata, State, Topic};
use super::node::replica::Replica;
use super::timers::now_ms;
use crate::error::{Error, Result};
use crate::storage::PartitionLog;
use crate::storage::log_dir::Checkpoint;
use crate::storage::partition_metadata::random_id;
use crate::topic_partition::TopicPartition;

impl Metadata {
    /// Makes new partitions of a topic: all of them, or none.
    fn create_partitions(
        &self,
        topic: &str,
        indices: Range<i32>,
        id: Uuid,
        settings: &Arc<TopicSettings>,
    ) -> Result<Vec<Arc<Replica>>> {
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

    pub(super) fn create_partition(
        &self,
        partition: &TopicPartition,
        id: Uuid,
        settings: &Arc<TopicSettings>,
    ) -> Result<Arc<Replica>> {
        let config = settings.log_config(&self.config);
        let log = self.log_dir.create_partition(partition, id, config, now_ms())?;
        lead(partition, log, settings)
    }

    /// Writes the metadata's file anew from what is so now.
    pub(super) fn rewrite(&self, changes: &mut Changes) -> Result<()> {
        let records = self.all_records(changes.ids);
        changes.log.rewrite(&records)
    }

    fn all_records(&self, ids: ProducerIds) -> Records {
        let state = self.read();
        let mut all = Records::new();
        for (kind, resources) in [(BROKER, &state.broker_configs), (GROUP, &state.group_configs)] {
            for (resource, configs) in resources {
                all.extend(records::config_changes(kind, resource, &Configs::new(), configs));
            }
        }
        for topic in state.topics.values() {
            let count = topic.partitions.len() as i32;
            all.extend(records::topic(
                &self.node,
                &topic.name,
                topic.id,
                count,
                &topic.configs,
            ));
        }
        all.extend(records::producer_ids(&self.node, ids.reserved()));
        all
    }

    /// Puts a change on disk.
    fn keep(&self, changes: &mut Changes, change: &[Vec<u8>]) -> Result<()> {
        if changes.log.is_due() {
            // Without room for a second file the first goes on.
            let _ = self.rewrite(changes);
        }
        changes.log.append(change)
    }

    /// Makes a topic; the caller has checked everything but that it does not exist yet.
    pub fn create_topic(&self, name: &str, partitions: i32, configs: Configs) -> Result<Arc<Topic>> {
        let mut changes = self.lock_changes();
        if self.topic(name).is_some() {
            return Err(Error::failed(format!("Topic '{name}' already exists.")));
        }
        let id = random_id()?;
        let settings = Arc::new(TopicSettings::resolve(self.values_in(&self.read()), &configs));
        let topic = Arc::new(Topic {
            name: name.to_owned(),
            id,
            partitions: self.create_partitions(name, 0..partitions, id, &settings)?,
            configs,
        });
        let change = records::topic(&self.node, name, id, partitions, &topic.configs);
        if let Err(error) = self.keep(&mut changes, &change) {
            self.discard_partitions(name, 0..partitions);
            return Err(error);
        }
        self.state_mut().insert(Arc::clone(&topic));
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

    /// An internal topic, created now if it does not exist yet.
    pub fn internal_topic(&self, wanted: &InternalTopic) -> Result<Arc<Topic>> {
        if let Some(topic) = self.topic(wanted.name) {
            return Ok(topic);
        }
        let partitions = i32::try_from(self.config.number(wanted.partitions_setting).max(1));
        let segment_bytes = self.config.value(wanted.segment_bytes_setting);
        let configs = Configs::from([
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("compression.type".to_owned(), wanted.compression_type.to_owned()),
            (
                "segment.bytes".to_owned(),
                segment_bytes.unwrap_or_default().to_owned(),
            ),
        ]);
        let created = self.create_topic(wanted.name, partitions.unwrap_or(1), configs);
        created.or_else(|error| self.topic(wanted.name).ok_or(error))
    }

    /// Removes a topic; its files go in the background.
    pub fn delete_topic(&self, name: &str) -> Result<()> {
        let mut changes = self.lock_changes();
        let topic = self.existing(name)?;
        self.keep(&mut changes, &records::topic_removed(topic.id))?;
        self.state_mut().remove(&topic);
        for partition in &topic.partitions {
            // A producer may be appending now: the folder is renamed under the lock of the log.
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

    fn existing(&self, name: &str) -> Result<Arc<Topic>> {
        let missing = || Error::not_found(format!("topic '{name}' does not exist"));
        self.topic(name).ok_or_else(missing)
    }

    /// Adds partitions up to `count` in all.
    pub fn add_partitions(&self, name: &str, count: i32) -> Result<()> {
        let mut changes = self.lock_changes();
        let mut topic = Topic::clone(&*self.existing(name)?);
        let settings = Arc::new(TopicSettings::resolve(
            self.values_in(&self.read()),
            &topic.configs,
        ));
        let new = topic.partitions.len() as i32..count;
        let made = self.create_partitions(name, new.clone(), topic.id, &settings)?;
        topic.partitions.extend(made);
        let change = records::partitions(&self.node, topic.id, new.clone());
        if let Err(error) = self.keep(&mut changes, &change) {
            self.discard_partitions(name, new);
            return Err(error);
        }
        self.state_mut().insert(Arc::new(topic));
        Ok(())
    }

    /// Replaces a topic's own configs; they hold from now on.
    pub fn set_topic_configs(&self, name: &str, configs: Configs) -> Result<()> {
        let mut changes = self.lock_changes();
        let mut topic = Topic::clone(&*self.existing(name)?);
        let change = records::config_changes(TOPIC, name, &topic.configs, &configs);
        self.keep(&mut changes, &change)?;
        topic.configs = configs;
        let topic = Arc::new(topic);
        self.state_mut().insert(Arc::clone(&topic));
        self.apply_configs(&self.read(), [&topic]);
        Ok(())
    }

    /// Replaces the dynamic configs of one node, or of the cluster (""); they hold from now on.
    pub fn set_broker_configs(&self, resource: &str, configs: Configs) -> Result<()> {
        let mut changes = self.lock_changes();
        let before = self.broker_configs(resource);
        let change = records::config_changes(BROKER, resource, &before, &configs);
        self.keep(&mut changes, &change)?;
        self.state_mut()
            .broker_configs
            .insert(resource.to_owned(), configs);
        let state = self.read();
        self.apply_configs(&state, state.topics.values());
        Ok(())
    }

    /// Replaces the configs of a group; they hold from its next heartbeat on.
    pub fn set_group_configs(&self, group: &str, configs: Configs) -> Result<()> {
        let mut changes = self.lock_changes();
        let before = self.group_configs(group);
        let change = records::config_changes(GROUP, group, &before, &configs);
        self.keep(&mut changes, &change)?;
        let mut state = self.state_mut();
        if configs.is_empty() {
            state.group_configs.remove(group);
        } else {
            state.group_configs.insert(group.to_owned(), configs);
        }
        Ok(())
    }

    /// Hands the configs of topics to their partitions.
    fn apply_configs<'a>(&self, state: &State, topics: impl IntoIterator<Item = &'a Arc<Topic>>) {
        for topic in topics {
            let settings = Arc::new(TopicSettings::resolve(self.values_in(state), &topic.configs));
            for partition in &topic.partitions {
                partition.set_settings(&settings, settings.log_config(&self.config));
            }
        }
    }

    /// A producer id that was never given before.
    pub fn new_producer_id(&self) -> Result<i64> {
        let mut changes = self.lock_changes();
        loop {
            if let Some(id) = changes.ids.take() {
                return Ok(id);
            }
            let more = changes.ids.with_next_block();
            let more = more.ok_or_else(|| Error::failed("there are no more producer ids"))?;
            let change = records::producer_ids(&self.node, more.reserved());
            self.keep(&mut changes, &change)?;
            changes.ids = more;
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
            high_watermarks.insert(name, partition.high_watermark());
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
        let _changes = self.lock_changes();
        for topic in self.topics() {
            for partition in &topic.partitions {
                partition.log().close(self.config.flush_each_batch)?;
            }
        }
        self.write_checkpoints()?;
        self.log_dir.mark_clean_shutdown()
    }
}

/// The replica whose log this is, with this node as the leader of its partition.
pub(super) fn lead(
    partition: &TopicPartition,
    log: PartitionLog,
    settings: &Arc<TopicSettings>,
) -> Result<Arc<Replica>> {
    let replica = Replica::new(&partition.topic, partition.partition, log, Arc::clone(settings));
    replica.become_leader(records::FIRST_LEADER_EPOCH)?;
    Ok(Arc::new(replica))
}
