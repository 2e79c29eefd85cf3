//! The offset index and the time index of one log, compared with its batches.
//!
//! Owns what is wrong in an index. Its entries are read as far as the walk over the log has come.

use std::iter::Peekable;
use std::path::Path;

use super::finding::{BrokerAction, Finding};
use super::findings::Findings;
use super::problem::{IndexProblem, Problem};
use crate::error::Result;
use crate::records::batch_header::BatchHeader;
use crate::storage::file_name::FileKind;
use crate::storage::offset_index::{OffsetIndex, OffsetPosition};
use crate::storage::read_only::LogDirFile;
use crate::storage::time_index::{TimeIndex, TimestampOffset};

/// Entries of an index, read when the walk needs them.
pub(super) type Entries<T> = Peekable<Box<dyn Iterator<Item = Result<T>> + Send>>;

/// The indexes beside a log.
pub(super) struct IndexCheck<'f> {
    file: &'f LogDirFile,
    offset_entries: Entries<OffsetPosition>,
    last_offset_entry: Option<OffsetPosition>,
    time_entries: Entries<TimestampOffset>,
}

impl<'f> IndexCheck<'f> {
    /// Opens the indexes of the log `file`.
    pub(super) fn open(file: &'f LogDirFile, findings: &mut Findings) -> Self {
        let offset_entries = open_sibling(file, FileKind::OffsetIndex, findings, |path| {
            let index = OffsetIndex::open(path, file.base_offset)?;
            // The first entry of an index that has none yet is preallocated zeros.
            let is_used =
                |entry: &Result<OffsetPosition>| entry.as_ref().map_or(true, |entry| entry.position > 0);
            Ok(Box::new(index.into_entries().filter(is_used)))
        });
        let time_entries = open_sibling(file, FileKind::TimeIndex, findings, |path| {
            let index = TimeIndex::open(path, file.base_offset)?;
            let is_used =
                |entry: &Result<TimestampOffset>| entry.as_ref().map_or(true, |entry| entry.timestamp != 0);
            Ok(Box::new(index.into_entries().filter(is_used)))
        });
        Self {
            file,
            offset_entries,
            last_offset_entry: None,
            time_entries,
        }
    }

    /// Checks no more entries: in a log whose offsets do not ascend they cannot be compared.
    pub(super) fn stop(&mut self) {
        self.offset_entries = no_entries();
        self.time_entries = no_entries();
        self.last_offset_entry = None;
    }

    /// Checks the entries up to this batch, which begins at the byte `batch_at`.
    pub(super) fn batch(&mut self, header: &BatchHeader, batch_at: u64, findings: &mut Findings) {
        let is_due = |entry: &Result<OffsetPosition>| {
            entry
                .as_ref()
                .map_or(true, |entry| u64::from(entry.position) <= batch_at)
        };
        while let Some(entry) = self.offset_entries.next_if(is_due) {
            let problem = match entry {
                Ok(entry) => self.wrong_place(entry, header, batch_at).map(Problem::from),
                Err(error) => Some(error.into()),
            };
            self.push(FileKind::OffsetIndex, problem, findings);
        }
        let newest = header.max_timestamp;
        let last_offset = header.last_offset();
        let is_due = |entry: &Result<TimestampOffset>| {
            entry.as_ref().map_or(true, |entry| entry.offset <= last_offset)
        };
        while let Some(entry) = self.time_entries.next_if(is_due) {
            let problem = match entry {
                Ok(TimestampOffset { timestamp, offset }) => (timestamp != newest).then(|| {
                    let wrong = IndexProblem::WrongTimestamp {
                        offset,
                        timestamp,
                        newest,
                    };
                    wrong.into()
                }),
                Err(error) => Some(error.into()),
            };
            self.push(FileKind::TimeIndex, problem, findings);
        }
    }

    /// What is wrong with an entry for this batch or for what is before it.
    fn wrong_place(
        &mut self,
        entry: OffsetPosition,
        header: &BatchHeader,
        batch_at: u64,
    ) -> Option<IndexProblem> {
        let OffsetPosition { offset, position } = entry;
        let last = self.last_offset_entry.replace(entry);
        if let Some(last) = last.filter(|last| last.offset >= offset) {
            let before = last.offset;
            return Some(IndexProblem::NotAscending { offset, before });
        }
        if u64::from(position) < batch_at {
            return Some(IndexProblem::NoBatchThere { offset, position });
        }
        let batch = header.into();
        (offset < header.base_offset).then_some(IndexProblem::WrongBatch { offset, batch })
    }

    /// Checks the first entry after the last batch, which ends with `last_offset`.
    pub(super) fn end(&mut self, last_offset: Option<i64>, findings: &mut Findings) {
        let beyond = self
            .last_offset_entry
            .filter(|entry| Some(entry.offset) > last_offset);
        let problem = beyond.map(|OffsetPosition { offset, position }| {
            IndexProblem::OffsetNotInLog { offset, position }.into()
        });
        self.push(FileKind::OffsetIndex, problem, findings);
        let problem = self.offset_entries.next().map(|entry| match entry {
            Ok(OffsetPosition { offset, position }) => {
                IndexProblem::AfterLastBatch { offset, position }.into()
            }
            Err(error) => error.into(),
        });
        self.push(FileKind::OffsetIndex, problem, findings);
        let problem = self.time_entries.next().map(|entry| match entry {
            Ok(TimestampOffset { timestamp, offset }) => {
                IndexProblem::TimestampNotInLog { timestamp, offset }.into()
            }
            Err(error) => error.into(),
        });
        self.push(FileKind::TimeIndex, problem, findings);
    }

    fn push(&self, kind: FileKind, problem: Option<Problem>, findings: &mut Findings) {
        if let Some(problem) = problem {
            findings.push_of_index(index_finding(self.file, kind, problem));
        }
    }
}

/// The entries of an index of the log `file`; none if there is no such index, or none that can be read.
pub(super) fn open_sibling<T: 'static>(
    file: &LogDirFile,
    kind: FileKind,
    findings: &mut Findings,
    open: impl FnOnce(&Path) -> Result<Box<dyn Iterator<Item = Result<T>> + Send>>,
) -> Entries<T> {
    let Some(path) = file.sibling(kind) else {
        return no_entries();
    };
    open(&path).map_or_else(
        |error| {
            findings.push_of_index(index_finding(file, kind, error));
            no_entries()
        },
        Iterator::peekable,
    )
}

pub(super) fn no_entries<T: 'static>() -> Entries<T> {
    let none: Box<dyn Iterator<Item = Result<T>> + Send> = Box::new(std::iter::empty());
    none.peekable()
}

/// Something that is wrong with an index of the log `file`.
pub(super) fn index_finding(file: &LogDirFile, kind: FileKind, problem: impl Into<Problem>) -> Finding {
    let path = file.path.with_extension(kind.suffix().trim_start_matches('.'));
    let action = BrokerAction::RebuildIndex {
        misleads_consumers: kind == FileKind::TransactionIndex,
    };
    Finding::of_file(path, problem, action)
}
