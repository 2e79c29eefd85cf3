//! The segment that a pass writes, and how it replaces those that it was made from.
//!
//! The names are Apache Kafka's, so that either broker can finish a replacement that the other began. The files are
//! written as `.cleaned`; a start of the broker removes these. The replacement takes effect when the log file is
//! renamed to `.swap`: a start after that finishes it, one before that discards it. See `folder_files`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cleaning_pass::Source;
use crate::error::{Error, Result};
use crate::records::BatchHeader;
use crate::storage::disk;
use crate::storage::file_name::{CLEANED_SUFFIX, DELETED_SUFFIX, FileKind, SWAP_SUFFIX, file_name};
use crate::storage::log_folder::LogFolder;
use crate::storage::segment::Segment;
use crate::storage::transaction_index::{self, AbortedTransaction};
use crate::topic_partition::Offset;

/// Batches are written together up to about this many bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// The kinds of files that a replacement has.
const KINDS: [FileKind; 4] = [
    FileKind::OffsetIndex,
    FileKind::TimeIndex,
    FileKind::TransactionIndex,
    FileKind::Log,
];

/// Writes the segment.
#[derive(Debug)]
pub(super) struct CleanedWriter {
    folder: Arc<LogFolder>,
    segment: Segment,
    interval: u64,
    chunk: Vec<u8>,
    headers: Vec<BatchHeader>,
    has_aborted: bool,
}

impl CleanedWriter {
    pub(super) fn create(folder: &Arc<LogFolder>, base_offset: Offset, interval: u64) -> Result<Self> {
        remove(&path(
            folder,
            base_offset,
            FileKind::TransactionIndex,
            CLEANED_SUFFIX,
        ))?;
        let mut segment = Segment::create_cleaned(folder, base_offset)?;
        segment.open_writer(0)?;
        Ok(Self {
            folder: Arc::clone(folder),
            segment,
            interval,
            chunk: Vec::new(),
            headers: Vec::new(),
            has_aborted: false,
        })
    }

    /// Appends one whole batch.
    pub(super) fn append(&mut self, batch: &[u8]) -> Result<()> {
        self.headers.push(BatchHeader::parse(batch)?);
        self.chunk.extend_from_slice(batch);
        if self.chunk.len() < CHUNK_BYTES {
            return Ok(());
        }
        self.write_chunk()
    }

    fn write_chunk(&mut self) -> Result<()> {
        self.segment
            .append_all(&self.chunk, &self.headers, self.interval)?;
        self.chunk.clear();
        self.headers.clear();
        Ok(())
    }

    /// Adds a row to the transaction index.
    pub(super) fn append_aborted(&mut self, aborted: AbortedTransaction) -> Result<()> {
        self.has_aborted = true;
        transaction_index::append(&self.segment.path(FileKind::TransactionIndex), aborted)
    }

    /// Syncs the files. The log file gets the modification time of the newest source, by which retention judges
    /// records without a timestamp.
    pub(super) fn finish(mut self, sources: Vec<Source>, sync: bool) -> Result<CleanedSegment> {
        let finished = self
            .write_chunk()
            .and_then(|()| self.segment.close(true))
            .and_then(|()| {
                let newest = sources
                    .last()
                    .map_or(self.segment.base_offset(), |source| source.base_offset);
                let modified = fs::metadata(path(&self.folder, newest, FileKind::Log, ""))?.modified()?;
                let log = File::options()
                    .write(true)
                    .open(self.segment.path(FileKind::Log))?;
                Ok(log.set_modified(modified)?)
            });
        match finished {
            Ok(()) => Ok(CleanedSegment {
                folder: self.folder,
                base_offset: self.segment.base_offset(),
                size: self.segment.size(),
                has_aborted: self.has_aborted,
                sync,
                sources,
            }),
            Err(error) => {
                self.discard();
                Err(error)
            }
        }
    }

    /// Removes what was written.
    pub(super) fn discard(self) {
        discard(&self.folder, self.segment.base_offset());
    }
}

/// A segment that is written and on disk, and waits to take the place of a group of segments.
#[derive(Debug)]
pub struct CleanedSegment {
    folder: Arc<LogFolder>,
    base_offset: Offset,
    size: u64,
    has_aborted: bool,
    /// The steps are synced, so that a power failure leaves them in their order on any file system.
    sync: bool,
    sources: Vec<Source>,
}

impl CleanedSegment {
    /// The base offset of the first segment of the group, which becomes its own.
    pub fn base_offset(&self) -> Offset {
        self.base_offset
    }

    /// Bytes of its log file.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(in crate::storage) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Removes the files: the group stays as it is.
    pub(in crate::storage) fn discard(self) {
        discard(&self.folder, self.base_offset);
    }

    /// What has to be done in this order. A crash between any two steps leaves what a start can finish or forget.
    pub fn steps(&self) -> Vec<FileStep> {
        let own = |kind, suffix| path(&self.folder, self.base_offset, kind, suffix);
        let brought: Vec<FileKind> = KINDS
            .into_iter()
            .filter(|kind| *kind != FileKind::TransactionIndex || self.has_aborted)
            .collect();
        // The log last: once it has its new name, so have the others.
        let mut steps: Vec<FileStep> = brought
            .iter()
            .map(|kind| FileStep::Rename(own(*kind, CLEANED_SUFFIX), own(*kind, SWAP_SUFFIX)))
            .collect();
        if self.sync {
            steps.push(FileStep::SyncFolder(self.folder.to_path_buf()));
        }
        steps.extend(self.old_files().map(FileStep::SetAside));
        // The log first: as long as it has the old name, so have the others.
        for kind in brought.iter().rev() {
            steps.push(FileStep::Rename(own(*kind, SWAP_SUFFIX), own(*kind, "")));
        }
        steps
    }

    /// The files of the group, except the producer snapshot at its start, which is still used.
    fn old_files(&self) -> impl Iterator<Item = PathBuf> {
        let of_source = move |source: &Source| {
            let base_offset = source.base_offset;
            let is_first = base_offset == self.base_offset;
            let kinds = FileKind::ALL.into_iter();
            let kinds = kinds.filter(move |kind| !is_first || *kind != FileKind::ProducerSnapshot);
            kinds.map(move |kind| path(&self.folder, base_offset, kind, ""))
        };
        self.sources.iter().flat_map(of_source)
    }

    /// The files that are no longer needed once all steps are done.
    pub(in crate::storage) fn into_old_files(self) -> OldFiles {
        OldFiles(self.old_files().map(|path| set_aside(&path)).collect())
    }
}

/// One change of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileStep {
    /// From, to; an existing file is replaced.
    Rename(PathBuf, PathBuf),
    /// Renames a file, which may be missing, to a name that marks it as deleted: to delete it may take long.
    SetAside(PathBuf),
    /// Syncs the folder, so that the changes before survive a power failure.
    SyncFolder(PathBuf),
}

impl FileStep {
    /// # Errors
    ///
    /// An I/O error; names the file.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Rename(from, to) => disk::rename(from, to).map_err(|error| {
                Error::from(error).context(format_args!("cannot rename {}", from.display()))
            }),
            Self::SetAside(path) => match disk::rename(path, &set_aside(path)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(Error::from(error).context(format_args!("cannot rename {}", path.display())))
                }
                _ => Ok(()),
            },
            Self::SyncFolder(folder) => File::open(folder)
                .and_then(|folder| disk::sync_all(&folder))
                .map_err(|error| {
                    Error::from(error).context(format_args!("cannot flush {}", folder.display()))
                }),
        }
    }
}

/// The files that were replaced. Readers may still have them open.
#[must_use = "the files stay until they are removed"]
#[derive(Debug)]
pub struct OldFiles(Vec<PathBuf>);

impl OldFiles {
    /// Deletes them, which may take a while. Files that cannot be deleted now are deleted at the next start.
    pub fn remove(self) {
        for path in self.0 {
            let _ = remove(&path);
        }
    }
}

fn set_aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(DELETED_SUFFIX);
    name.into()
}

fn path(folder: &Path, base_offset: Offset, kind: FileKind, suffix: &str) -> PathBuf {
    folder.join(format!("{}{suffix}", file_name(base_offset, kind)))
}

fn remove(path: &Path) -> Result<()> {
    match disk::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::from(error).context(format_args!("cannot delete {}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Files that cannot be removed now are removed at the next start.
fn discard(folder: &Path, base_offset: Offset) {
    for kind in KINDS {
        let _ = remove(&path(folder, base_offset, kind, CLEANED_SUFFIX));
    }
}
