//! Good batches of a damaged log to a new file.
//!
//! Owns what is good: a whole batch whose checksum holds and whose offsets follow the last good one's, at any position.
//! The source is only read.

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
    // Never over a file that is there, the source least of all.
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

/// What is written. A batch's base offset is outside its checksum, so that it may lie where the checksum holds.
struct Good {
    writer: BufWriter<File>,
    kept: u64,
    bytes: u64,
    lost: u64,
    /// The least offset that may follow.
    next: i64,
    /// What `next` was before the last batch, and that one's length.
    before_last: Option<(i64, u64)>,
    /// Where a batch was corrupt, until the next one shows that at least its length was right.
    suspect: Option<u64>,
    /// Nothing shows where the next batch begins.
    is_lost: bool,
    /// The format of the last batch.
    magic: i8,
    /// Where nothing can be read twice, every length is trusted.
    can_search: bool,
}

impl Good {
    /// Takes a batch that is good; breaks when its length was not to be trusted.
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
                // It follows the batch before the last: that one jumped ahead.
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

    /// From where on the next good batch is to be searched, when the walk has ended before the log.
    fn lost_from(&mut self, end: &WalkEnd) -> Option<u64> {
        let position = match end {
            WalkEnd::NoBatch { position, .. } | WalkEnd::Trailing { position, .. } => Some(*position),
            WalkEnd::Clean | WalkEnd::SetAside { .. } => None,
        };
        let is_lost = std::mem::take(&mut self.is_lost) || position.is_some();
        let from = self.suspect.take().or(position)?;
        is_lost.then_some(from + 1)
    }

    /// What may follow; the last batch may have jumped ahead.
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
