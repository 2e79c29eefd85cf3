//! Bringing finished segments to the disk without holding up the log: ask, sync elsewhere, report back.

use std::fs::File;
use std::path::PathBuf;

use super::file_name::FileKind;
use super::partition_log::PartitionLog;
use super::segment::sync_file;
use crate::error::Result;
use crate::topic_partition::Offset;

/// Finished segments that may not be on disk yet.
#[derive(Clone, Debug)]
pub struct PendingFlush {
    files: Vec<PathBuf>,
    up_to: Offset,
}

impl PendingFlush {
    /// Syncs the files; may take as long as the disk needs. A file that is gone was deleted by retention.
    pub fn run(&self) -> Result<()> {
        for path in &self.files {
            match File::open(path) {
                Ok(file) => sync_file(&file)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl PartitionLog {
    /// What a roll left to be synced; `None` if nothing.
    pub fn pending_flush(&self) -> Option<PendingFlush> {
        let (active, finished) = self.segments.split_last()?;
        let unsynced = finished.iter().filter(|segment| segment.is_unsynced());
        let files: Vec<PathBuf> = unsynced.map(|segment| segment.path(FileKind::Log)).collect();
        let up_to = active.base_offset();
        (!files.is_empty() || self.recovery_point < up_to).then_some(PendingFlush { files, up_to })
    }

    /// Reports that [`PendingFlush::run`] succeeded: start-up after a crash trusts everything below.
    pub fn flushed(&mut self, done: &PendingFlush) {
        self.recovery_point = self.recovery_point.max(done.up_to);
        for segment in &mut self.segments {
            if segment.base_offset() < done.up_to {
                segment.set_synced();
            }
        }
    }
}
