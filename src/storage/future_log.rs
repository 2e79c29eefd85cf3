//! A replica's log that is being moved to another log dir of its broker (KIP-113): it has its own folder there, which
//! replaces the old one once it has all records.

use std::fs;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::disk;
use super::file_name::{future_folder, parse_future_folder};
use super::log_config::{LogConfig, Recovery};
use super::log_dir::LogDir;
use super::partition_folder;
use super::partition_log::PartitionLog;
use super::partition_metadata::{self, random_id};
use crate::error::{Error, Result};
use crate::topic_partition::{Offset, TopicPartition};

/// A folder that an earlier run did not finish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFuture {
    pub folder: PathBuf,
    pub topic_id: Uuid,
    pub index: i32,
}

impl LogDir {
    /// Creates the log of a replica that begins to move here.
    ///
    /// # Errors
    ///
    /// An I/O error; what was created is removed then, if possible.
    pub fn create_future(
        &self,
        partition: &TopicPartition,
        topic_id: Uuid,
        config: LogConfig,
        now_ms: i64,
    ) -> Result<PartitionLog> {
        let name = future_folder(partition, random_id()?.as_u128());
        let folder = self.path().join(name);
        disk::create_dir(&folder).map_err(|error| {
            Error::from(error).context(format_args!("cannot create {}", folder.display()))
        })?;
        let opened = partition_metadata::write(&folder, topic_id)
            .and_then(|()| PartitionLog::open(&folder, config, Recovery::default(), now_ms));
        if opened.is_err() {
            let _ = partition_folder::remove(&folder);
        }
        opened
    }

    /// The folders of replicas that were being moved here when the broker last stopped.
    ///
    /// # Errors
    ///
    /// An I/O error.
    pub fn futures(&self) -> Result<Vec<FoundFuture>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.path())? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(partition) = name.to_str().and_then(parse_future_folder) else {
                continue;
            };
            let folder = entry.path();
            if let Some(topic_id) = partition_metadata::read(&folder)? {
                found.push(FoundFuture {
                    folder,
                    topic_id,
                    index: partition.partition,
                });
            }
        }
        Ok(found)
    }

    /// Opens the log in such a folder.
    ///
    /// # Errors
    ///
    /// The log is damaged, or an I/O error.
    pub fn open_future(&self, folder: &Path, config: LogConfig, now_ms: i64) -> Result<PartitionLog> {
        let recovery = Recovery {
            clean_shutdown: self.was_clean_shutdown(),
            ..Recovery::default()
        };
        PartitionLog::open(folder, config, recovery, now_ms)
    }

    /// Gives a folder of a replica that has moved here the name of its partition, whose folder elsewhere is gone.
    ///
    /// # Errors
    ///
    /// An I/O error.
    pub fn promote(&self, folder: &Path, partition: &TopicPartition) -> Result<()> {
        disk::rename(folder, &self.folder(partition))
            .map_err(|error| Error::from(error).context(format_args!("cannot rename {}", folder.display())))
    }

    /// Opens the log of a partition that was just closed cleanly under another name.
    ///
    /// # Errors
    ///
    /// An I/O error.
    pub fn open_moved(
        &self,
        partition: &TopicPartition,
        config: LogConfig,
        of: &PartitionLog,
        now_ms: i64,
    ) -> Result<PartitionLog> {
        let recovery = Recovery {
            clean_shutdown: true,
            recovery_point: of.log_end_offset(),
            log_start_offset: of.log_start_offset(),
            cleaned_up_to: of.cleaned_up_to(),
        };
        PartitionLog::open(&self.folder(partition), config, recovery, now_ms)
    }
}

/// Removes the files of a replica that does not move any more.
///
/// # Errors
///
/// An I/O error.
pub fn remove(folder: &Path) -> Result<()> {
    partition_folder::remove(folder)
}

impl PartitionLog {
    /// Continues at `offset`, as another log does that has no records between this one's end and `offset`.
    ///
    /// # Errors
    ///
    /// An I/O error.
    pub fn skip_to(&mut self, offset: Offset, now_ms: i64) -> Result<()> {
        if offset <= self.log_end_offset {
            return Ok(());
        }
        self.log_end_offset = offset;
        self.roll(now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_log_is_found_again_and_takes_the_name_of_its_partition() {
        let folder = tempfile::tempdir().unwrap();
        let dir = LogDir::open(folder.path(), 1, None).unwrap();
        let partition = TopicPartition::new("t", 3);
        let id = Uuid::from_u128(7);
        let log = dir
            .create_future(&partition, id, LogConfig::default(), 0)
            .unwrap();
        let path = log.folder().to_owned();
        drop(log);
        let found = dir.futures().unwrap();
        assert_eq!(
            found,
            [FoundFuture {
                folder: path.clone(),
                topic_id: id,
                index: 3
            }]
        );
        assert_eq!(dir.partitions().unwrap().logs, []);
        dir.promote(&path, &partition).unwrap();
        assert_eq!(dir.partitions().unwrap().logs, [(partition, Some(id))]);
    }

    #[test]
    fn a_log_that_skips_to_an_offset_ends_there_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let open = || PartitionLog::open(folder.path(), LogConfig::default(), Recovery::default(), 0);
        let mut log = open().unwrap();
        log.skip_to(7, 0).unwrap();
        assert_eq!(log.log_end_offset(), 7);
        log.close(false).unwrap();
        assert_eq!(open().unwrap().log_end_offset(), 7);
    }
}
