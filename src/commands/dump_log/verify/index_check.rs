//! The offset and the time index of one log, held against its batches.
//!
//! Owns what counts as wrong in an index. Reads its entries as far as the walk over the log has come.

use std::iter::Peekable;
use std::path::Path;

use super::problems::{Problem, Problems};
use crate::commands::dump_log::files::DumpFile;
use crate::error::Result;
use crate::records::batch_header::BatchHeader;
use crate::storage::file_name::FileKind;
use crate::storage::offset_index::{OffsetIndex, OffsetPosition};
use crate::storage::time_index::{TimeIndex, TimestampOffset};

/// Entries of an index, read as the walk needs them.
pub(super) type Entries<T> = Peekable<Box<dyn Iterator<Item = Result<T>> + Send>>;

/// The indexes beside a log.
pub(super) struct IndexCheck<'f> {
    file: &'f DumpFile,
    offset_entries: Entries<OffsetPosition>,
    last_offset_entry: Option<OffsetPosition>,
    time_entries: Entries<TimestampOffset>,
}

impl<'f> IndexCheck<'f> {
    /// Opens what stands beside `file`.
    pub(super) fn open(file: &'f DumpFile, problems: &mut Problems) -> Self {
        let offset_entries = open_sibling(file, FileKind::OffsetIndex, problems, |path| {
            let index = OffsetIndex::open(path, file.base_offset)?;
            // The first entry of an index that has none yet is preallocated zeros.
            let is_used =
                |entry: &Result<OffsetPosition>| entry.as_ref().map_or(true, |entry| entry.position > 0);
            Ok(Box::new(index.into_entries().filter(is_used)))
        });
        let time_entries = open_sibling(file, FileKind::TimeIndex, problems, |path| {
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

    /// Looks at no entry any more: in a log out of order none has a place.
    pub(super) fn stop(&mut self) {
        self.offset_entries = no_entries();
        self.time_entries = no_entries();
        self.last_offset_entry = None;
    }

    /// Looks at the entries up to this batch, which a broker would keep.
    pub(super) fn batch(&mut self, header: &BatchHeader, batch_at: u64, problems: &mut Problems) {
        let is_due = |entry: &Result<OffsetPosition>| {
            entry
                .as_ref()
                .map_or(true, |entry| u64::from(entry.position) <= batch_at)
        };
        while let Some(entry) = self.offset_entries.next_if(is_due) {
            let what = match entry {
                Ok(entry) => self.wrong_place(entry, header, batch_at),
                Err(error) => Some(error.message()),
            };
            self.tell(FileKind::OffsetIndex, what, problems);
        }
        let newest = header.max_timestamp;
        let last_offset = header.last_offset();
        let is_due = |entry: &Result<TimestampOffset>| {
            entry.as_ref().map_or(true, |entry| entry.offset <= last_offset)
        };
        while let Some(entry) = self.time_entries.next_if(is_due) {
            let what = match entry {
                Ok(TimestampOffset { timestamp, offset }) => (timestamp != newest).then(|| {
                    format!(
                        "offset {offset} is entered with time {timestamp}, its batch's newest is {newest}"
                    )
                }),
                Err(error) => Some(error.message()),
            };
            self.tell(FileKind::TimeIndex, what, problems);
        }
    }

    /// What is wrong with an entry for this batch or for what is before it.
    fn wrong_place(&mut self, entry: OffsetPosition, header: &BatchHeader, batch_at: u64) -> Option<String> {
        let OffsetPosition { offset, position } = entry;
        let last = self.last_offset_entry.replace(entry);
        if let Some(last) = last.filter(|last| last.offset >= offset) {
            return Some(format!(
                "the entry for offset {offset} follows that for {}",
                last.offset
            ));
        }
        if u64::from(position) < batch_at {
            return Some(format!(
                "the entry for offset {offset} points to byte {position}, where no batch begins"
            ));
        }
        (offset < header.base_offset).then(|| {
            format!(
                "the entry for offset {offset} points to batch {}-{}",
                header.base_offset,
                header.last_offset()
            )
        })
    }

    /// Looks at the first entry behind the last batch, which ends with `last_offset`.
    pub(super) fn end(&mut self, last_offset: Option<i64>, problems: &mut Problems) {
        let beyond = self
            .last_offset_entry
            .filter(|entry| Some(entry.offset) > last_offset);
        let what = beyond.map(|entry| {
            let OffsetPosition { offset, position } = entry;
            format!("the entry for byte {position} is of offset {offset}, which the log has not")
        });
        self.tell(FileKind::OffsetIndex, what, problems);
        let what = self.offset_entries.next().map(|entry| match entry {
            Ok(OffsetPosition { offset, position }) => {
                format!("the entry for offset {offset} points to byte {position}, behind the last batch")
            }
            Err(error) => error.message(),
        });
        self.tell(FileKind::OffsetIndex, what, problems);
        let what = self.time_entries.next().map(|entry| match entry {
            Ok(TimestampOffset { timestamp, offset }) => {
                format!("the entry of time {timestamp} is for offset {offset}, which the log has not")
            }
            Err(error) => error.message(),
        });
        self.tell(FileKind::TimeIndex, what, problems);
    }

    fn tell(&self, kind: FileKind, what: Option<String>, problems: &mut Problems) {
        if let Some(what) = what {
            problems.push_of_index(index_problem(self.file, kind, what));
        }
    }
}

/// The entries of an index beside `file`; none if there is no such index, or none that can be read.
pub(super) fn open_sibling<T: 'static>(
    file: &DumpFile,
    kind: FileKind,
    problems: &mut Problems,
    open: impl FnOnce(&Path) -> Result<Box<dyn Iterator<Item = Result<T>> + Send>>,
) -> Entries<T> {
    let Some(path) = file.sibling(kind) else {
        return no_entries();
    };
    open(&path).map_or_else(
        |error| {
            problems.push_of_index(index_problem(file, kind, error.message()));
            no_entries()
        },
        Iterator::peekable,
    )
}

pub(super) fn no_entries<T: 'static>() -> Entries<T> {
    let none: Box<dyn Iterator<Item = Result<T>> + Send> = Box::new(std::iter::empty());
    none.peekable()
}

/// What is wrong with an index beside `file`.
pub(super) fn index_problem(file: &DumpFile, kind: FileKind, what: String) -> Problem {
    let broker = match kind {
        FileKind::TransactionIndex => {
            "rebuild it when it recovers the segment; until then it misleads read_committed consumers"
        }
        _ => "rebuild it when it recovers the segment",
    };
    let path = file.path.with_extension(kind.suffix().trim_start_matches('.'));
    let sibling = DumpFile { path, ..file.clone() };
    Problem::new(sibling.short_name(), None, what, broker)
}
