//! The log dirs of one node: which of them has which replica, and where a new one is created.
//!
//! The first also has the metadata and the node's identity. Moves between log dirs are in `log_dir_moves`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::broker::config::BrokerConfig;
use crate::error::{Error, Result};
use crate::storage::log_dir::FoundPartitions;
use crate::storage::{LogDir, PartitionLog};
use crate::topic_partition::TopicPartition;

/// A log dir, and how many logs are in it.
#[derive(Debug)]
struct Place {
    dir: LogDir,
    logs: AtomicUsize,
}

/// Every log dir of a node, in the order of `log.dirs`.
#[derive(Debug)]
pub(in crate::broker) struct LogDirs {
    first: Place,
    others: Vec<Place>,
    /// The log dirs that `AlterReplicaLogDirs` chose for replicas that do not exist yet.
    wanted: Mutex<HashMap<TopicPartition, PathBuf>>,
}

impl LogDirs {
    /// Locks and reads every log dir. New ones are formatted for this broker, in this cluster or in a new one.
    ///
    /// # Errors
    ///
    /// A log dir cannot be used, or a partition is in two of them.
    pub(in crate::broker) fn open(config: &BrokerConfig, cluster_id: Option<&str>) -> Result<Self> {
        let open = |path: &Path, cluster_id: Option<&str>| {
            let mut dir = LogDir::open(path, config.node_id, cluster_id)?;
            dir.set_sync(config.flush_each_batch);
            Ok(Place {
                dir,
                logs: AtomicUsize::new(0),
            })
        };
        let first = open(&config.data_dir, cluster_id)?;
        let cluster_id = first.dir.meta().cluster_id.as_deref();
        let others = config.other_dirs.iter().map(|path| open(path, cluster_id));
        let dirs = Self {
            others: others.collect::<Result<_>>()?,
            first,
            wanted: Mutex::default(),
        };
        dirs.check_duplicates()?;
        Ok(dirs)
    }

    fn check_duplicates(&self) -> Result<()> {
        let mut known: BTreeMap<TopicPartition, PathBuf> = BTreeMap::new();
        if self.others.is_empty() {
            return Ok(());
        }
        for dir in self.all() {
            for (partition, _) in dir.partitions()?.logs {
                let path = dir.path();
                let Some(other) = known.insert(partition.clone(), path.to_owned()) else {
                    continue;
                };
                let message = format!(
                    "partition {partition} is in two log dirs, {} and {}",
                    other.display(),
                    path.display()
                );
                return Err(Error::failed(message).hint("move the folder that is not wanted away"));
            }
        }
        Ok(())
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub(in crate::broker) fn first(&self) -> &LogDir {
        &self.first.dir
    }

    /// In the order of `log.dirs`.
    pub(in crate::broker) fn all(&self) -> impl Iterator<Item = &LogDir> {
        self.places().map(|place| &place.dir)
    }

    /// The id of the only log dir; nil if there are several, as Apache Kafka states for a replica whose log dir the
    /// controller does not know (KIP-858).
    pub(in crate::broker) fn id(&self) -> Uuid {
        if self.others.is_empty() {
            self.first.dir.meta().directory_id.unwrap_or_default()
        } else {
            Uuid::nil()
        }
    }

    /// The log dir at a path.
    pub(in crate::broker) fn find(&self, path: &Path) -> Option<&LogDir> {
        self.all().find(|dir| dir.path() == path)
    }

    /// The log dir that has a folder of this partition.
    pub(super) fn holding(&self, partition: &TopicPartition) -> Option<&LogDir> {
        self.all().find(|dir| dir.folder(partition).is_dir())
    }

    /// The log dir that a log is in.
    pub(in crate::broker) fn of(&self, log: &PartitionLog) -> &LogDir {
        &self.place_of(log.folder()).dir
    }

    fn place_of(&self, folder: &Path) -> &Place {
        let parent = folder.parent();
        let mut places = self.places();
        let found = places.find(|place| parent == Some(place.dir.path()));
        found.unwrap_or(&self.first)
    }

    /// The log dir for a new replica: the one chosen by `AlterReplicaLogDirs`, otherwise the one with the fewest logs
    /// that is not cordoned.
    pub(super) fn for_new(&self, partition: &TopicPartition, cordoned: &str) -> &LogDir {
        if self.others.is_empty() {
            return &self.first.dir;
        }
        let wanted = self.wanted().remove(partition);
        if let Some(dir) = wanted.and_then(|path| self.find(&path)) {
            return dir;
        }
        let is_open = |place: &&Place| !is_cordoned(&place.dir, cordoned);
        let open = self.places().filter(is_open);
        let fewest = open.min_by_key(|place| place.logs.load(Ordering::Relaxed));
        &fewest.unwrap_or(&self.first).dir
    }

    fn wanted(&self) -> std::sync::MutexGuard<'_, HashMap<TopicPartition, PathBuf>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses the log dir of a replica that does not exist yet.
    pub(super) fn want(&self, partition: TopicPartition, path: &Path) {
        self.wanted().insert(partition, path.to_owned());
    }

    /// Counts a log that was opened.
    pub(super) fn opened(&self, log: &PartitionLog) {
        self.place_of(log.folder()).logs.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a log that is gone.
    pub(super) fn gone(&self, folder: &Path) {
        let logs = &self.place_of(folder).logs;
        let _ = logs.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |logs| logs.checked_sub(1));
    }

    /// The folders in all log dirs that are named like a partition's.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub(super) fn partitions(&self) -> Result<FoundPartitions> {
        let mut all = FoundPartitions::default();
        for dir in self.all() {
            let found = dir.partitions()?;
            all.logs.extend(found.logs);
            all.others.extend(found.others);
        }
        all.logs.sort();
        all.others.sort();
        all.others.dedup();
        Ok(all)
    }

    /// Whether the last shutdown was clean in every log dir.
    pub(super) fn was_clean_shutdown(&self) -> bool {
        self.all().all(LogDir::was_clean_shutdown)
    }

    /// Removes the files of deleted partitions.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub(super) fn purge_deleted(&self) -> Result<()> {
        self.all().try_for_each(LogDir::purge_deleted)
    }
}

/// Whether `cordoned.log.dirs` names a log dir (KIP-1066).
pub(in crate::broker) fn is_cordoned(dir: &LogDir, cordoned: &str) -> bool {
    let mut words = cordoned.split(',').map(str::trim);
    words.any(|word| word == "*" || (!word.is_empty() && Path::new(word) == dir.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::LogConfig;

    fn opened(paths: &[&Path]) -> Result<LogDirs> {
        let mut config = BrokerConfig::new(paths[0].to_owned(), []).unwrap();
        config.other_dirs = paths[1..].iter().map(|path| (*path).to_owned()).collect();
        LogDirs::open(&config, None)
    }

    #[test]
    fn a_new_log_goes_where_the_fewest_are_or_where_it_is_wanted() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [a, b] = [folders[0].path(), folders[1].path()];
        let dirs = opened(&[a, b]).unwrap();
        let partition = |index| TopicPartition::new("t", index);
        let place = |index, cordoned: &str| {
            let dir = dirs.for_new(&partition(index), cordoned);
            let log = dir
                .create_partition(&partition(index), Uuid::from_u128(1), LogConfig::default(), 0)
                .unwrap();
            dirs.opened(&log);
            dir.path().to_owned()
        };
        assert_eq!(place(0, ""), a);
        assert_eq!(place(1, ""), b);
        assert_eq!(place(2, &b.display().to_string()), a);
        assert_eq!(place(3, &b.display().to_string()), a);
        dirs.want(partition(4), a);
        assert_eq!(place(4, ""), a);
        assert_eq!(place(5, ""), b);
        assert_eq!(dirs.holding(&partition(5)).unwrap().path(), b);
        dirs.gone(&a.join("t-0"));
        dirs.gone(&a.join("t-2"));
        dirs.gone(&a.join("t-3"));
        assert_eq!(place(6, ""), a);
    }

    #[test]
    fn every_log_dir_is_of_one_cluster_and_no_partition_is_in_two() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let paths = [folders[0].path(), folders[1].path()];
        let dirs = opened(&paths).unwrap();
        let ids: Vec<_> = dirs.all().map(|dir| dir.meta().cluster_id.clone()).collect();
        assert_eq!(ids[0], ids[1]);
        for dir in dirs.all() {
            let partition = TopicPartition::new("t", 0);
            dir.create_partition(&partition, Uuid::from_u128(1), LogConfig::default(), 0)
                .unwrap();
        }
        drop(dirs);
        let refused = opened(&paths).unwrap_err().to_string();
        assert!(refused.contains("partition t-0 is in two log dirs"), "{refused}");
    }
}
