//! The batches of one partition's folder from an offset on, a few at a time: for programs that pull instead of being called.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::log_dir_file;
use crate::error::{Error, Result};
use crate::records::Batch;
use crate::storage::batch_reader::{BatchReader, SCAN_BUFFER};
use crate::storage::file_name::{FileKind, file_name};
use crate::topic_partition::Offset;

/// The largest batch that is read into memory, in bytes.
const LARGEST: usize = 1 << 30;

/// Reads the segments of a folder one after the other.
#[derive(Debug)]
pub struct SegmentsReader {
    folder: PathBuf,
    /// Base offsets of the segments that are not open yet, the next one last.
    to_come: Vec<Offset>,
    open: Option<(File, PathBuf)>,
    position: u64,
    /// Batches that end before it are skipped.
    from: Offset,
}

impl SegmentsReader {
    /// Begins with the batch that holds `from`. Nothing is opened yet.
    pub fn new(folder: &Path, from: Offset) -> Self {
        let mut to_come = log_dir_file::segments(folder);
        let first = to_come.partition_point(|base| *base <= from).saturating_sub(1);
        to_come.drain(..first);
        to_come.reverse();
        Self {
            folder: folder.to_owned(),
            to_come,
            open: None,
            position: 0,
            from,
        }
    }

    /// Calls `visit` with the next batches, about `bytes` bytes of them; returns whether there may be more. An
    /// incomplete batch at the end of the last segment is ignored.
    ///
    /// # Errors
    ///
    /// Those of `visit`, of the disk, and bytes that are no batch.
    pub fn read_some(
        &mut self,
        bytes: usize,
        mut visit: impl FnMut(&Batch<'_>) -> Result<()>,
    ) -> Result<bool> {
        if self.open.is_none() {
            let Some(base) = self.to_come.pop() else {
                return Ok(false);
            };
            let path = self.folder.join(file_name(base, FileKind::Log));
            let file = File::open(&path).map_err(|error| Error::from(error).context(path.display()))?;
            self.open = Some((file, path));
            self.position = 0;
        }
        let Some((file, path)) = &self.open else {
            return Ok(false);
        };
        let failed = |error: Error| error.context(path.display());
        let end = file.metadata()?.len();
        let mut reader = BatchReader::new(file, self.position, end, SCAN_BUFFER);
        let (mut buffer, mut read) = (Vec::new(), 0);
        while read < bytes {
            let Some(place) = reader.next_batch().map_err(failed)? else {
                self.open = None;
                return Ok(!self.to_come.is_empty());
            };
            let place = place.map_err(|error| {
                Error::bad_data(format!("{} byte {}: {error}", path.display(), reader.position()))
            })?;
            self.position = place.end();
            if place.header.next_offset() <= self.from {
                continue;
            }
            reader.read_batch(&place, &mut buffer, LARGEST).map_err(failed)?;
            read += buffer.len();
            let batch = Batch::parse(&buffer).map_err(|error| {
                Error::bad_data(format!("{} byte {}: {error}", path.display(), place.position))
            })?;
            visit(&batch)?;
        }
        Ok(true)
    }
}
