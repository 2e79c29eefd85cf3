//! The file that keeps the cluster's metadata: record batches in Apache Kafka's form, one for each change.
//!
//! A change writes its own records only, however large the cluster is. When most of the file is outdated, it is
//! rewritten from the image. Without a metadata log of Apache Kafka beside it, the file is `bootstrap.checkpoint`: an
//! Apache Kafka that is started on the directory later takes its first metadata from there, and would otherwise set
//! the partitions aside as strays (KIP-630, KIP-778).

use std::fs::File;
use std::path::{Path, PathBuf};

use super::image::ClusterImage;
use super::records::Records;
use crate::error::{Error, Result};
use crate::records::batch_builder::BatchOptions;
use crate::records::{Batch, BatchBuilder, Records as BatchRecords};
use crate::storage::batch_reader::{BatchReader, SCAN_BUFFER};
use crate::storage::disk;
use crate::storage::file_name::TEMPORARY_SUFFIX;
use crate::storage::segment_file::SegmentFile;

/// The largest batch to accept, in bytes. A batch is one change: one of ten thousand partitions takes a megabyte.
const BATCH_LIMIT: usize = 64 * 1024 * 1024;
/// Records per batch of a rewritten file.
const BATCH_RECORDS: usize = 1000;
/// Files up to this size in bytes are never rewritten.
const SMALL: u64 = 64 * 1024;
/// A file is rewritten when it is this many times as large as after the last rewrite.
const HISTORY: u64 = 4;

/// The open file.
#[derive(Debug)]
pub(in crate::broker) struct MetadataLog {
    path: PathBuf,
    file: SegmentFile,
    next_offset: i64,
    /// The size of the file in bytes when it was rewritten; 0 if it was not since it was opened.
    snapshot_size: u64,
    /// Whether each change is synced, to survive a power cut.
    sync: bool,
    /// Records that only Apache Kafka understands, kept for it.
    kept: Records,
}

impl MetadataLog {
    /// Opens the file, or creates it, and reads the image from it; `None` if it holds no record. A change at the end
    /// that was not written completely is removed: it was not acknowledged.
    pub(in crate::broker) fn open(path: &Path, sync: bool) -> Result<(Self, Option<ClusterImage>)> {
        let failed = |error: Error| error.context(format_args!("cannot read {}", path.display()));
        let mut log = Self {
            path: path.to_owned(),
            file: SegmentFile::open(path, 0)?,
            next_offset: 0,
            snapshot_size: 0,
            sync,
            kept: Records::new(),
        };
        let mut image = ClusterImage::default();
        let end = log.replay(&mut image).map_err(failed)?;
        log.file.truncate(end).map_err(failed)?;
        let says = log.next_offset > 0;
        Ok((log, says.then_some(image)))
    }

    /// Applies every complete batch. Returns where they end, in bytes.
    fn replay(&mut self, image: &mut ClusterImage) -> Result<u64> {
        let file = File::open(&self.path)?;
        let size = file.metadata()?.len();
        let mut reader = BatchReader::new(&file, 0, size, SCAN_BUFFER);
        let mut bytes = Vec::new();
        let mut end = 0;
        while let Some(found) = reader.next_batch()? {
            let damaged = || {
                Error::bad_data(format!("the batch at byte {end} is damaged"))
                    .hint("restore the file, or move it away: the topics' logs are still there")
            };
            let Ok(position) = found else {
                return Err(damaged());
            };
            if !reader.crc_is_valid(&position)? {
                // After a power cut the end of a file may be damaged; damage before the end is an error.
                return if position.end() == size {
                    Ok(end)
                } else {
                    Err(damaged())
                };
            }
            reader.read_batch(&position, &mut bytes, BATCH_LIMIT)?;
            let batch = Batch::parse(&bytes).map_err(|_| damaged())?;
            for record in BatchRecords::new(&batch.header, batch.body()) {
                let record = record.map_err(|_| damaged())?.value.unwrap_or_default();
                let is_other = !position.header.is_control() && !image.apply(record);
                if is_other && !self.kept.iter().any(|kept| kept == record) {
                    self.kept.push(record.to_vec());
                }
            }
            self.next_offset = self.next_offset.max(position.header.next_offset());
            end = position.end();
        }
        Ok(end)
    }

    /// Appends one change. If that fails, the file is as before.
    pub(in crate::broker) fn append(&mut self, change: &[Vec<u8>]) -> Result<()> {
        if change.is_empty() {
            return Ok(());
        }
        let batch = batch(self.next_offset, change);
        let before = self.file.len();
        let mut appended = self.file.append(&batch);
        if appended.is_ok() && self.sync {
            appended = self.file.sync();
        }
        appended.map_err(|error| {
            let _ = self.file.truncate(before);
            error.context(format_args!("cannot write {}", self.path.display()))
        })?;
        self.next_offset += change.len() as i64;
        Ok(())
    }

    /// The offset of the next record.
    pub(in crate::broker) fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// Whether most of the file is outdated.
    pub(in crate::broker) fn is_due(&self) -> bool {
        self.file.len() > (self.snapshot_size * HISTORY).max(SMALL)
    }

    /// Replaces the file by one with only these records. If that fails, the old file stays in use.
    pub(in crate::broker) fn rewrite(&mut self, state: &[Vec<u8>]) -> Result<()> {
        let mut temporary = self.path.as_os_str().to_owned();
        temporary.push(TEMPORARY_SUFFIX);
        let temporary = Path::new(&temporary);
        let records: Vec<&[u8]> = state.iter().chain(&self.kept).map(Vec::as_slice).collect();
        let mut file = SegmentFile::open(temporary, 0)?;
        file.truncate(0)?;
        let mut next_offset = 0;
        for chunk in records.chunks(BATCH_RECORDS) {
            file.append(&batch(next_offset, chunk))?;
            next_offset += chunk.len() as i64;
        }
        if self.sync {
            file.sync()?;
        }
        disk::rename(temporary, &self.path).map_err(|error| {
            Error::from(error).context(format_args!("cannot write {}", self.path.display()))
        })?;
        self.snapshot_size = file.len();
        self.next_offset = next_offset;
        self.file = file;
        Ok(())
    }
}

/// One batch of these records.
fn batch<R: AsRef<[u8]>>(base_offset: i64, records: &[R]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        base_offset,
        partition_leader_epoch: 0,
        ..BatchOptions::default()
    });
    for record in records {
        builder.append(0, None, Some(record.as_ref()), &[]);
    }
    builder.finish_uncompressed()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uuid::Uuid;

    use super::*;
    use crate::broker::cluster::partition_image::PartitionImage;
    use crate::broker::cluster::records::{producer_ids, topic};
    use crate::broker::config::effective_config::Configs;

    fn topics(path: &Path) -> Vec<String> {
        let (_, image) = MetadataLog::open(path, false).unwrap();
        names(&image.unwrap())
    }

    fn names(image: &ClusterImage) -> Vec<String> {
        image.topics().map(|topic| topic.name.clone()).collect()
    }

    fn made(name: &str, id: u128) -> Records {
        let partition = PartitionImage::new(vec![1], vec![Uuid::nil()]);
        topic(name, Uuid::from_u128(id), &[(0, partition)], &Configs::new())
    }

    #[test]
    fn a_change_that_was_cut_off_is_gone_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let (mut log, image) = MetadataLog::open(&path, true).unwrap();
        assert_eq!(image, None);
        log.append(&made("a", 1)).unwrap();
        let whole = fs::metadata(&path).unwrap().len();
        log.append(&made("b", 2)).unwrap();
        drop(log);
        let bytes = fs::read(&path).unwrap();
        for end in whole as usize..bytes.len() {
            fs::write(&path, &bytes[..end]).unwrap();
            assert_eq!(topics(&path), ["a"], "cut off after {end} bytes");
            assert_eq!(fs::metadata(&path).unwrap().len(), whole);
        }
        let mut damaged = bytes.clone();
        damaged[whole as usize - 1] ^= 1;
        fs::write(&path, damaged).unwrap();
        let error = MetadataLog::open(&path, false).unwrap_err();
        assert!(error.to_string().contains("byte 0 is damaged"), "{error}");
    }

    #[test]
    fn a_file_that_was_opened_again_and_again_is_still_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut next = 0;
        let is_due = (0..100).any(|_| {
            let (mut log, _) = MetadataLog::open(&path, false).unwrap();
            for _ in 0..100 {
                next += 1000;
                log.append(&producer_ids(next)).unwrap();
            }
            log.is_due()
        });
        assert!(is_due);
    }

    #[test]
    fn history_goes_when_the_file_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let (mut log, _) = MetadataLog::open(&path, false).unwrap();
        log.rewrite(&made("a", 1)).unwrap();
        let mut next = 0;
        while !log.is_due() {
            next += 1000;
            log.append(&producer_ids(next)).unwrap();
        }
        log.rewrite(&[made("a", 1), producer_ids(next)].concat()).unwrap();
        log.append(&made("b", 2)).unwrap();
        assert!(fs::metadata(&path).unwrap().len() < 2000);
        let (_, image) = MetadataLog::open(&path, false).unwrap();
        let image = image.unwrap();
        assert_eq!(image.next_producer_id, next);
        assert_eq!(names(&image), ["a", "b"]);
    }
}
