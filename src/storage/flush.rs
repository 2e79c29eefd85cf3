//! Syncs finished segments without blocking the log: ask what to sync, sync it elsewhere, report back.

use std::path::PathBuf;
use std::sync::Arc;

use super::log_folder::LogFolder;
use super::partition_log::PartitionLog;
use super::segment::Segment;
use crate::error::Result;
use crate::topic_partition::Offset;

/// Finished segments that may not be on disk yet.
#[derive(Clone, Debug)]
pub struct PendingFlush {
    folder: Arc<LogFolder>,
    files: Vec<PathBuf>,
    up_to: Offset,
}

impl PendingFlush {
    /// Syncs the files; may take as long as the disk needs.
    pub fn run(&self) -> Result<()> {
        for path in &self.files {
            self.folder.sync_file(path)?;
        }
        Ok(())
    }
}

impl PartitionLog {
    /// The segments that rolls have left unsynced; `None` if there are none.
    pub fn pending_flush(&self) -> Option<PendingFlush> {
        let (active, finished) = self.segments.split_last()?;
        let unsynced = finished.iter().filter(|segment| segment.is_unsynced());
        let files: Vec<PathBuf> = unsynced.flat_map(Segment::paths_to_sync).collect();
        let up_to = active.base_offset();
        (!files.is_empty() || self.recovery_point < up_to).then(|| PendingFlush {
            folder: Arc::clone(&self.folder),
            files,
            up_to,
        })
    }

    /// Reports that [`PendingFlush::run`] succeeded: recovery after a crash trusts everything below.
    pub fn flushed(&mut self, done: &PendingFlush) {
        self.recovery_point = self.recovery_point.max(done.up_to);
        for segment in &mut self.segments {
            if segment.base_offset() < done.up_to {
                segment.set_synced();
            }
        }
    }
}
