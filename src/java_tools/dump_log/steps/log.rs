//! A `.log` or `.checkpoint` as kafka-dump-log reads it.
//!
//! Owns Java's order of batches, and gaps between offsets; `records` prints the content of a batch.

use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::java_tools::dump_log::words::log::{LogView, java_header, write_batch};
use crate::records::batch_header::{HEADER_LEN, LOG_OVERHEAD, length_field};
use crate::storage::chunk::Chunk;
use crate::storage::read_only::progress::NoProgress;
use crate::storage::segment_scan::{ScanEnd, SegmentScan};

use super::Failure;
use super::gaps::{Gap, Gaps};
use super::records::BatchText;
use crate::storage::read_only::batch_bytes::BatchBytes;
use crate::storage::read_only::in_order::{Early, Output, Stopped, work_in_order};

/// This many gaps of a chunk are kept before its turn.
const MOST_GAPS: usize = 64 * 1024;

/// The offsets of one chunk.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    first: Option<i64>,
    last: i64,
    gaps: Vec<Gap>,
}

impl Offsets {
    #[inline]
    pub(super) fn add(&mut self, offset: i64) {
        match self.first {
            None => self.first = Some(offset),
            Some(_) if offset != self.last.wrapping_add(1) => self.gaps.push((self.last, offset)),
            Some(_) => {}
        }
        self.last = offset;
    }

    /// Whether there is so much output that it is printed before the chunk's end.
    #[inline]
    pub(super) fn are_many(&self) -> bool {
        self.gaps.len() >= MOST_GAPS
    }
}

/// The offsets of a log, added chunk by chunk in their order.
#[derive(Debug)]
pub(super) struct LogOffsets {
    last: i64,
    gaps: Gaps,
}

impl LogOffsets {
    /// Adds the offsets that a chunk has collected so far.
    pub(super) fn take(&mut self, offsets: &mut Offsets) {
        if let Some(first) = offsets.first.take() {
            if first != self.last.wrapping_add(1) {
                self.gaps.push((self.last, first));
            }
            offsets.gaps.drain(..).for_each(|gap| self.gaps.push(gap));
            self.last = offsets.last;
        }
    }
}

/// Dumps a log from its start to `end`; returns the gaps between records, and the bytes left over.
pub(super) fn dump(
    file: File,
    end: u64,
    view: LogView,
    out: &mut (dyn Write + Send),
    name: &str,
) -> Result<(Gaps, u64), Failure> {
    let scan = SegmentScan::of_file(file, 0, end);
    let mut scan = if view.deep { scan } else { scan.in_place() };
    let log = Mutex::new(LogOffsets {
        last: -1,
        gaps: Gaps::default(),
    });
    let merge = |mut offsets: Offsets| {
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(&mut offsets);
    };
    let worker = || {
        let mut text = BatchText::new(view, &log);
        move |chunk: &Chunk, output: &mut Output<'_, '_, String>| chunk_to_text(&mut text, chunk, output)
    };
    work_in_order(&mut scan, end, &NoProgress, out, worker, merge).map_err(|stopped| match stopped {
        Stopped::Output(error) => Failure::Output(error),
        Stopped::Input(error) => Failure::Java(format!("cannot read {name}: {error}")),
        Stopped::Work(message) => Failure::Java(message),
    })?;
    let gaps = log.into_inner().unwrap_or_else(PoisonError::into_inner).gaps;
    match scan.end() {
        Some(ScanEnd::TooSmall { length }) => Err(Failure::Java(format!(
            "Found record size {length} smaller than minimum record overhead (14) in file {name}."
        ))),
        Some(ScanEnd::End { trailing }) => Ok((gaps, trailing)),
        None => Ok((gaps, 0)),
    }
}

fn chunk_to_text(
    text: &mut BatchText<'_>,
    chunk: &Chunk,
    output: &mut Output<'_, '_, String>,
) -> Result<Offsets, Early<String>> {
    if let Some(large) = &chunk.large {
        one_batch(
            text,
            &chunk.bytes,
            BatchBytes::Stored(large),
            chunk.position,
            output,
        )?;
        return Ok(text.take_offsets());
    }
    let mut at = 0;
    while at < chunk.len {
        // A batch that is too short for a header borrows bytes from what follows.
        let mut copy = [0; HEADER_LEN];
        let head = chunk.head(at, &mut copy);
        let length = length_field(head);
        let size = LOG_OVERHEAD + usize::try_from(length).unwrap_or(0);
        let position = chunk.position + at as u64;
        one_batch(text, head, chunk.batch(at, size).into(), position, output)?;
        output.flush_if_long()?;
        at += size;
    }
    Ok(text.take_offsets())
}

fn one_batch(
    text: &mut BatchText<'_>,
    head: &[u8],
    bytes: BatchBytes<'_>,
    position: u64,
    output: &mut Output<'_, '_, String>,
) -> Result<(), Early<String>> {
    let header = java_header(head)?;
    let is_valid = bytes.is_valid(&header);
    write_batch(&header, bytes.len(), is_valid, position, &mut output.text)?;
    if !text.view.deep {
        Ok(())
    } else if header.magic >= 2 {
        text.records(&header, bytes, output)
    } else {
        text.messages(&header, bytes, output)
    }
}
