//! Periodic work on the logs of a node: checkpoints, flushes, retention, closing files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::replica::Replica;
use super::replica_manager::ReplicaManager;
use crate::error::Result;
use crate::storage::LogDir;
use crate::storage::log_dir::Checkpoint;
use crate::topic_partition::TopicPartition;

/// The most folders to check at a time.
const FOLDERS_AT_ONCE: usize = 500;

impl ReplicaManager {
    /// Writes the checkpoints of every log dir: log start offsets, recovery points, cleaner offsets, high watermarks.
    pub(in crate::broker) fn write_checkpoints(&self) -> Result<()> {
        for dir in self.log_dirs.all() {
            self.write_checkpoints_of(dir)?;
        }
        Ok(())
    }

    fn write_checkpoints_of(&self, dir: &LogDir) -> Result<()> {
        let mut starts = BTreeMap::new();
        let mut high_watermarks = BTreeMap::new();
        let mut recovery_points = BTreeMap::new();
        let mut cleaner_offsets = BTreeMap::new();
        for replica in self.all() {
            let log = replica.log();
            if self.log_dirs.of(&log).path() != dir.path() {
                continue;
            }
            let name = TopicPartition::new(replica.topic.as_str(), replica.index);
            if log.log_start_offset() > 0 {
                starts.insert(name.clone(), log.log_start_offset());
            }
            recovery_points.insert(name.clone(), log.recovery_point());
            if let Some(end) = log.cleaned_up_to() {
                cleaner_offsets.insert(name.clone(), end);
            }
            high_watermarks.insert(name, replica.high_watermark());
        }
        dir.write_checkpoint(Checkpoint::LogStartOffsets, &starts)?;
        dir.write_checkpoint(Checkpoint::RecoveryPoints, &recovery_points)?;
        dir.write_checkpoint(Checkpoint::CleanerOffsets, &cleaner_offsets)?;
        dir.write_checkpoint(Checkpoint::HighWatermarks, &high_watermarks)
    }

    /// Flushes finished segments, so that a start after a crash need not read them.
    pub(in crate::broker) fn flush_finished_segments(&self) -> Result<()> {
        let mut any = false;
        for replica in self.all() {
            let pending = replica.log().pending_flush();
            if let Some(pending) = pending {
                pending.run()?;
                replica.log().flushed(&pending);
                any = true;
            }
        }
        if any {
            self.write_checkpoints()?;
        }
        Ok(())
    }

    /// Closes the files of logs that have not been used for a while.
    pub(in crate::broker) fn close_unused_files(&self) -> Result<()> {
        for replica in self.all() {
            replica.log().close_unused_files()?;
        }
        Ok(())
    }

    /// Checks that the folders of open logs exist, at most [`FOLDERS_AT_ONCE`] of them, which takes some
    /// milliseconds. Returns a line to report for each missing one.
    pub(in crate::broker) fn look_for_folders(&self) -> Vec<String> {
        let all = self.all();
        let first = self.looked_for.fetch_add(FOLDERS_AT_ONCE, Ordering::Relaxed);
        let count = all.len().min(FOLDERS_AT_ONCE);
        let next = all.iter().cycle().skip(first.checked_rem(all.len()).unwrap_or(0));
        next.take(count)
            .filter_map(|replica| replica.log().look_for_folder().err())
            .map(|error| error.to_string())
            .collect()
    }

    /// Deletes segments that retention does not keep any more.
    pub(in crate::broker) fn apply_retention(&self, now_ms: i64) -> Result<()> {
        self.apply_retention_to(self.all(), now_ms)
    }

    /// The same for some replicas.
    pub(super) fn apply_retention_to(&self, replicas: Vec<Arc<Replica>>, now_ms: i64) -> Result<()> {
        let mut removed = 0;
        for replica in replicas {
            let mut log = replica.log();
            removed += log.apply_retention(now_ms, replica.high_watermark())?;
            replica.publish(&mut log);
        }
        if removed > 0 {
            self.write_checkpoints()?;
        }
        Ok(())
    }

    /// Forgets producers that have been idle for too long.
    pub(in crate::broker) fn expire_producers(&self, now_ms: i64) {
        for replica in self.all() {
            replica.log().expire_producers(now_ms);
        }
    }

    /// Closes the data directory as a clean shutdown.
    pub(in crate::broker) fn close(&self) -> Result<()> {
        // No change of the cluster may begin any more.
        let _change = self.cluster.change();
        for replica in self.all() {
            replica.log().close(self.config.flush_each_batch)?;
        }
        self.close_moving()?;
        self.write_checkpoints()?;
        for dir in self.log_dirs.all() {
            dir.disk().check()?;
        }
        self.log_dirs.all().try_for_each(LogDir::mark_clean_shutdown)
    }
}
