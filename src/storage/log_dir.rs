//! A log dir: the lock, `meta.properties`, the checkpoints, and a folder for each partition.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};
use uuid::Uuid;

use super::checkpoint;
use super::disk;
use super::file_name::{
    CLEAN_SHUTDOWN, CLEANER_OFFSETS, HIGH_WATERMARKS, LOCK, LOG_START_OFFSETS, META_PROPERTIES,
    METADATA_TOPIC, RECOVERY_POINTS, deleted_folder, is_deleted_folder, parse_partition_folder,
    partition_folder, stray_folder,
};
use super::log_config::{LogConfig, Recovery};
use super::log_folder::DiskHealth;
use super::meta_properties::MetaProperties;
use super::partition_folder;
use super::partition_log::PartitionLog;
use super::partition_metadata::{self, encode_id, random_id};
use crate::error::{Error, Result};
use crate::lock_file::LockFile;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// What Apache Kafka writes on a clean shutdown of a broker without an epoch.
const CLEAN_SHUTDOWN_TEXT: &[u8] = br#"{"version":0,"brokerEpoch":-1}"#;

/// One of the four offsets that a log dir keeps for each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    RecoveryPoints,
    LogStartOffsets,
    HighWatermarks,
    /// The ends of the last passes of compaction.
    CleanerOffsets,
}

impl Checkpoint {
    fn file_name(self) -> &'static str {
        match self {
            Self::RecoveryPoints => RECOVERY_POINTS,
            Self::LogStartOffsets => LOG_START_OFFSETS,
            Self::HighWatermarks => HIGH_WATERMARKS,
            Self::CleanerOffsets => CLEANER_OFFSETS,
        }
    }
}

/// The folders of a log dir that are named like a partition's, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FoundPartitions {
    /// Those that hold a log, with the topic id if the folder states it.
    pub logs: Vec<(TopicPartition, Option<Uuid>)>,
    /// Those that do not: no broker made them.
    pub others: Vec<TopicPartition>,
}

/// A log dir that this process holds the lock of.
#[derive(Debug)]
pub struct LogDir {
    path: PathBuf,
    meta: MetaProperties,
    clean_shutdown: bool,
    recovery_points: BTreeMap<TopicPartition, Offset>,
    log_start_offsets: BTreeMap<TopicPartition, Offset>,
    high_watermarks: BTreeMap<TopicPartition, Offset>,
    cleaner_offsets: BTreeMap<TopicPartition, Offset>,
    sync: bool,
    disk: DiskHealth,
    _lock: LockFile,
}

impl LogDir {
    /// Locks and reads the log dir at `path`. A missing or empty folder is formatted for the broker `node_id`; the
    /// cluster id is random unless `cluster_id` gives it.
    pub fn open(path: &Path, node_id: BrokerId, cluster_id: Option<&str>) -> Result<Self> {
        Self::open_locked(path, node_id, cluster_id)
            .map_err(|error| error.context(format_args!("data directory {}", path.display())))
    }

    fn open_locked(path: &Path, node_id: BrokerId, cluster_id: Option<&str>) -> Result<Self> {
        fs::create_dir_all(path)?;
        let lock = lock(path)?;
        let meta = match MetaProperties::read(path)? {
            Some(meta) => check_meta(meta, node_id, cluster_id)?,
            None => format(path, node_id, cluster_id)?,
        };
        let offsets = |kind: Checkpoint| read_offsets(path, kind);
        let log_dir = Self {
            clean_shutdown: path.join(CLEAN_SHUTDOWN).exists(),
            recovery_points: offsets(Checkpoint::RecoveryPoints),
            log_start_offsets: offsets(Checkpoint::LogStartOffsets),
            high_watermarks: offsets(Checkpoint::HighWatermarks),
            cleaner_offsets: offsets(Checkpoint::CleanerOffsets),
            path: path.to_owned(),
            meta,
            sync: false,
            disk: DiskHealth::default(),
            _lock: lock,
        };
        if log_dir.clean_shutdown {
            // From here on a crash needs a recovery.
            disk::remove_file(&path.join(CLEAN_SHUTDOWN))?;
        }
        Ok(log_dir)
    }

    /// Whether checkpoints are synced, so that they survive a power failure and not only the end of the process.
    pub fn set_sync(&mut self, sync: bool) {
        self.sync = sync;
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether every sync to the disk has succeeded.
    pub fn disk(&self) -> &DiskHealth {
        &self.disk
    }

    pub fn meta(&self) -> &MetaProperties {
        &self.meta
    }

    /// Whether the last broker here shut down cleanly.
    pub fn was_clean_shutdown(&self) -> bool {
        self.clean_shutdown
    }

    /// The high watermark in the checkpoint for a partition; 0 without one.
    pub fn high_watermark(&self, partition: &TopicPartition) -> Offset {
        self.high_watermarks.get(partition).copied().unwrap_or(0)
    }

    /// The folders that are named like a partition's, without Apache Kafka's metadata log.
    pub fn partitions(&self) -> Result<FoundPartitions> {
        let mut found = FoundPartitions::default();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(partition) = name.to_str().and_then(parse_partition_folder) else {
                continue;
            };
            let path = entry.path();
            if partition.topic == METADATA_TOPIC || !path.is_dir() {
                continue;
            }
            if partition_folder::holds_log(&path)? {
                found.logs.push((partition, partition_metadata::read(&path)?));
            } else {
                found.others.push(partition);
            }
        }
        found.logs.sort();
        found.others.sort();
        Ok(found)
    }

    /// The folder of a partition, whether it is there or not.
    pub fn folder(&self, partition: &TopicPartition) -> PathBuf {
        self.path.join(partition_folder(partition))
    }

    /// Opens the log of a partition that is there.
    pub fn open_partition(
        &self,
        partition: &TopicPartition,
        config: LogConfig,
        now_ms: i64,
    ) -> Result<PartitionLog> {
        let recovery = Recovery {
            clean_shutdown: self.clean_shutdown,
            recovery_point: self.recovery_points.get(partition).copied().unwrap_or(0),
            log_start_offset: self.log_start_offsets.get(partition).copied().unwrap_or(0),
            cleaned_up_to: self.cleaner_offsets.get(partition).copied(),
        };
        PartitionLog::open_on(&self.disk, &self.folder(partition), config, recovery, now_ms)
    }

    /// Creates the folder of a new partition and its empty log. An existing folder that is not empty is an error and
    /// stays as it is; after any other failure nothing is left behind.
    pub fn create_partition(
        &self,
        partition: &TopicPartition,
        topic_id: Uuid,
        config: LogConfig,
        now_ms: i64,
    ) -> Result<PartitionLog> {
        let folder = self.folder(partition);
        match disk::create_dir(&folder) {
            Err(error) if folder.is_dir() && !partition_folder::is_empty(&folder)? => {
                return Err(Error::from(error)
                    .context(format_args!("cannot create {}", folder.display()))
                    .hint("a folder that holds something else is in the way"));
            }
            Err(error) if !folder.is_dir() => {
                return Err(Error::from(error).context(format_args!("cannot create {}", folder.display())));
            }
            _ => {}
        }
        let opened = partition_metadata::write(&folder, topic_id)
            .and_then(|()| PartitionLog::open_on(&self.disk, &folder, config, Recovery::default(), now_ms));
        if opened.is_err() {
            // A disk that failed once may fail here too: then the folder stays.
            let _ = partition_folder::remove(&folder);
        }
        opened
    }

    /// Renames the folder of a partition for deletion; [`LogDir::purge_deleted`] removes its files. The log must not be
    /// used afterwards, though readers may still hold slices of it. A folder that also holds foreign files keeps its
    /// name and those files. A missing folder counts as deleted.
    pub fn delete_partition(&self, partition: &TopicPartition) -> Result<()> {
        let folder = self.folder(partition);
        if !folder.try_exists()? {
            return Ok(());
        }
        if partition_folder::holds_others(&folder)? {
            return partition_folder::remove(&folder);
        }
        let target = self.path.join(deleted_folder(partition, random_id()?.as_u128()));
        disk::rename(&folder, &target)
            .map_err(|error| Error::from(error).context(format_args!("cannot delete {partition}")))
    }

    /// Renames the folder of a topic with one partition to that of a stray one, and returns the new name; the content
    /// stays as it is. Does nothing if the folder does not state this topic id.
    pub fn set_aside(&self, topic: &str, id: Uuid) -> Result<Option<String>> {
        let partition = TopicPartition::new(topic, 0);
        let folder = self.folder(&partition);
        if !folder.is_dir() || partition_metadata::read(&folder)? != Some(id) {
            return Ok(None);
        }
        let name = stray_folder(&partition, random_id()?.as_u128());
        disk::rename(&folder, &self.path.join(&name))?;
        Ok(Some(name))
    }

    /// Renames the folder of a partition that is stray: it no longer belongs here. The content stays as it is.
    pub fn set_stray(&self, partition: &TopicPartition) -> Result<()> {
        let name = stray_folder(partition, random_id()?.as_u128());
        disk::rename(&self.folder(partition), &self.path.join(name))
            .map_err(|error| Error::from(error).context(format_args!("cannot rename {partition}")))
    }

    /// Removes the files of deleted partitions, which may take a while.
    pub fn purge_deleted(&self) -> Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(is_deleted_folder) {
                partition_folder::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Replaces one of the four offset checkpoints as a whole.
    pub fn write_checkpoint(
        &self,
        kind: Checkpoint,
        offsets: &BTreeMap<TopicPartition, Offset>,
    ) -> Result<()> {
        let text = checkpoint::format_offsets(offsets);
        checkpoint::write(&self.path.join(kind.file_name()), text.as_bytes(), self.sync)
    }

    /// Notes that all logs were closed, so that the next start needs no recovery. The last step of a shutdown.
    pub fn mark_clean_shutdown(&self) -> Result<()> {
        checkpoint::write(&self.path.join(CLEAN_SHUTDOWN), CLEAN_SHUTDOWN_TEXT, self.sync)
    }
}

/// Takes both kinds of lock: `flock`, which this process and others of ours respect, and `fcntl`, as Apache Kafka does.
fn lock(path: &Path) -> Result<LockFile> {
    let in_use =
        || Error::failed("is in use by another broker").hint("stop that broker, or choose another directory");
    let lock = LockFile::take(&path.join(LOCK)).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => in_use(),
        _ => error.into(),
    })?;
    fcntl_lock(lock.file(), FlockOperation::NonBlockingLockExclusive).map_err(|_| in_use())?;
    Ok(lock)
}

fn check_meta(meta: MetaProperties, node_id: BrokerId, cluster_id: Option<&str>) -> Result<MetaProperties> {
    if meta.node_id != node_id {
        return Err(Error::failed(format!(
            "belongs to broker {}, not to broker {node_id}",
            meta.node_id
        )));
    }
    match (&meta.cluster_id, cluster_id) {
        (Some(found), Some(wanted)) if found != wanted => Err(Error::failed(format!(
            "belongs to cluster {found}, not to cluster {wanted}"
        ))),
        _ => Ok(meta),
    }
}

/// Formats an empty folder as a log dir.
fn format(path: &Path, node_id: BrokerId, cluster_id: Option<&str>) -> Result<MetaProperties> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let hidden = name
            .to_str()
            .is_some_and(|name| name.starts_with('.') || name == "lost+found");
        if !hidden {
            let hint = "choose an empty directory";
            let found = name.to_string_lossy();
            return Err(Error::failed(format!(
                "is no log dir: it has no {META_PROPERTIES} but holds '{found}'"
            ))
            .hint(hint));
        }
    }
    let cluster_id = match cluster_id {
        Some(id) => id.to_owned(),
        None => encode_id(random_id()?),
    };
    let meta = MetaProperties {
        cluster_id: Some(cluster_id),
        node_id,
        directory_id: Some(random_id()?),
    };
    meta.write(path, false)?;
    Ok(meta)
}

/// A checkpoint that cannot be read is as good as none: offsets are then found by scanning, as Apache Kafka does.
fn read_offsets(path: &Path, kind: Checkpoint) -> BTreeMap<TopicPartition, Offset> {
    let text = checkpoint::read(&path.join(kind.file_name()));
    text.and_then(|text| checkpoint::parse_offsets(&text))
        .unwrap_or_default()
}
