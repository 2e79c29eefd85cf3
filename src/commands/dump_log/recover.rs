//! Good batches of a damaged log to a new file.
//!
//! Owns the definition of good: a whole batch with a correct checksum whose offsets follow those of the last good one,
//! at any position. The source is only read.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;

use super::batches::tell_end;
use crate::error::{Error, Result};
use crate::output::log_dump::cells::grouped;
use crate::output::log_dump::progress::FileProgress;
use crate::output::{Printer, counted};
use crate::storage::batch_search::Wanted;
use crate::storage::read_only::LogDirFile;
use crate::storage::read_only::Range;
use crate::storage::read_only::log_walk::{LogWalk, WalkEnd, WholeBatch};

pub(super) fn run(file: &LogDirFile, out: &Path, range: Range, printer: &mut Printer) -> Result<()> {
    let mut segment = LogWalk::open(file, range)?;
    let failed = |error: io::Error| Error::from(error).context(out.display());
    // Never overwrites a file, least of all the source.
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .map_err(failed)?;
    let mut good = Good {
        writer: BufWriter::with_capacity(256 * 1024, opened),
        kept: 0,
        bytes: 0,
        lost: 0,
        next: file.base_offset,
        before_last: None,
        suspect: None,
        is_lost: false,
        magic: 2,
        can_search: !segment.is_pipe(),
    };
    let progress = FileProgress::new(segment.length, &segment.name, printer.is_quiet());
    loop {
        let end = segment.each(&progress, |batch| {
            if batch.header.base_offset >= range.to {
                return Ok(ControlFlow::Break(()));
            }
            if batch.header.last_offset() >= range.from {
                return good.add(&batch).map_err(failed);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        tell_end(&segment.name, &end, printer);
        let Some(behind) = good.lost_from(&end) else {
            break;
        };
        let Some(position) = segment.resume_from(behind, good.wanted())? else {
            break;
        };
        let position = grouped(position);
        printer.note(format_args!("{}: goes on at byte {position}", segment.name));
    }
    progress.finish();
    good.writer.flush().map_err(failed)?;
    good.writer.get_ref().sync_all().map_err(failed)?;
    printer.line(format_args!(
        "{}: {}, {} kept; {} left out",
        out.display(),
        counted(good.kept, "batch", "batches"),
        counted(good.bytes, "byte", "bytes"),
        counted(good.lost, "corrupt batch", "corrupt batches")
    ))
}

/// The output. A batch's base offset is not covered by its checksum, so that it may be wrong in a batch that passes.
struct Good {
    writer: BufWriter<File>,
    kept: u64,
    bytes: u64,
    lost: u64,
    /// The lowest offset that may follow.
    next: i64,
    /// The value of `next` before the last batch, and the length of that batch.
    before_last: Option<(i64, u64)>,
    /// The position of a corrupt batch, until the next batch proves at least its length right.
    suspect: Option<u64>,
    /// Whether the position of the next batch is unknown.
    is_lost: bool,
    /// The format version of the last batch.
    magic: i8,
    /// False where nothing can be read twice, so that every length must be trusted.
    can_search: bool,
}

impl Good {
    /// Adds a good batch; breaks if its length cannot be trusted.
    fn add(&mut self, batch: &WholeBatch<'_>) -> io::Result<ControlFlow<()>> {
        let (first, length) = (batch.header.base_offset, batch.bytes.len());
        if !batch.is_valid() {
            self.lost += 1;
            self.is_lost = self.can_search && self.suspect.is_some();
            self.suspect.get_or_insert(batch.position);
            return Ok(if self.is_lost {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            });
        }
        self.suspect = None;
        self.magic = batch.header.magic;
        if first < self.next {
            match self.before_last {
                // It follows the batch before the last one, whose offset must have been too high.
                Some((next, last)) if first >= next => self.take_back(next, last)?,
                _ => {
                    self.lost += 1;
                    return Ok(ControlFlow::Continue(()));
                }
            }
        }
        batch.bytes.copy_to(&mut self.writer)?;
        self.kept += 1;
        self.bytes += length;
        self.before_last = Some((self.next, length));
        self.next = batch.header.next_offset();
        Ok(ControlFlow::Continue(()))
    }

    /// The position from which the next good batch is searched, if the walk ended before the log.
    fn lost_from(&mut self, end: &WalkEnd) -> Option<u64> {
        let position = match end {
            WalkEnd::NoBatch { position, .. } | WalkEnd::Trailing { position, .. } => Some(*position),
            WalkEnd::Clean | WalkEnd::SetAside { .. } => None,
        };
        let is_lost = std::mem::take(&mut self.is_lost) || position.is_some();
        let from = self.suspect.take().or(position)?;
        is_lost.then_some(from + 1)
    }

    /// The offsets that may follow; the base offset of the last batch may have been too high.
    fn wanted(&self) -> Wanted {
        Wanted {
            magic: self.magic,
            least_offset: self.before_last.map_or(self.next, |(next, _)| next),
        }
    }

    fn take_back(&mut self, next: i64, length: u64) -> io::Result<()> {
        self.kept -= 1;
        self.lost += 1;
        self.bytes -= length;
        self.next = next;
        self.writer.flush()?;
        self.writer.get_ref().set_len(self.bytes)?;
        self.writer.seek(SeekFrom::Start(self.bytes)).map(|_| ())
    }
}
