//! A `.log` or `.checkpoint` as kafka-dump-log walks it.
//!
//! Owns Java's order of batches, records and failures, and the offsets that do not follow each other.

use std::fs::File;
use std::io::Write;

use crate::output::log_dump::java_log::{LogView, java_header, write_batch, write_record};
use crate::records::batch_header::{BatchHeader, HEADER_LEN, LOG_OVERHEAD};
use crate::records::compression::{self, Codec};
use crate::records::message_set::Messages;
use crate::records::record::{Record, Records};
use crate::storage::segment_scan::{Chunk, ScanEnd, SegmentScan};

use super::in_order::{Early, Output, Stopped, work_in_order};
use super::java::Failure;

/// What a batch may inflate to; nothing that Kafka accepts comes near.
const INFLATE_LIMIT: usize = 1 << 30;

/// Two offsets that stand next to each other in the log and are not neighbours; -1 stands before the first.
pub(super) type Gap = (i64, i64);

/// What one chunk says about offsets.
#[derive(Debug, Default)]
struct Offsets {
    first: Option<i64>,
    last: i64,
    gaps: Vec<Gap>,
}

impl Offsets {
    #[inline]
    fn add(&mut self, offset: i64) {
        match self.first {
            None => self.first = Some(offset),
            Some(_) if offset != self.last.wrapping_add(1) => self.gaps.push((self.last, offset)),
            Some(_) => {}
        }
        self.last = offset;
    }
}

/// Dumps a log from its start to `end`; answers the gaps between records in the order found, and the bytes left over.
pub(super) fn dump<W: Write + Send>(
    file: File,
    end: u64,
    view: LogView,
    out: &mut W,
    name: &str,
) -> Result<(Vec<Gap>, u64), Failure> {
    let mut scan = SegmentScan::new(file, 0, end);
    let mut gaps: Vec<Gap> = Vec::new();
    let mut last = -1_i64;
    let merge = |offsets: Offsets| {
        if let Some(first) = offsets.first {
            if first != last.wrapping_add(1) {
                gaps.push((last, first));
            }
            gaps.extend(offsets.gaps);
            last = offsets.last;
        }
    };
    let worker = || {
        let mut scratch = Vec::new();
        move |chunk: &Chunk, output: &mut Output<'_, '_, W, String>| {
            chunk_to_text(view, chunk, &mut scratch, output)
        }
    };
    work_in_order(&mut scan, end, out, worker, merge).map_err(|stopped| match stopped {
        Stopped::Output(error) => Failure::Output(error),
        Stopped::Input(error) => Failure::Java(format!("cannot read {name}: {error}")),
        Stopped::Work(message) => Failure::Java(message),
    })?;
    match scan.end() {
        Some(ScanEnd::TooSmall { length }) => Err(Failure::Java(format!(
            "Found record size {length} smaller than minimum record overhead (14) in file {name}."
        ))),
        Some(ScanEnd::End { trailing }) => Ok((gaps, trailing)),
        None => Ok((gaps, 0)),
    }
}

fn chunk_to_text<W: Write>(
    view: LogView,
    chunk: &Chunk,
    scratch: &mut Vec<u8>,
    output: &mut Output<'_, '_, W, String>,
) -> Result<Offsets, Early<String>> {
    let mut offsets = Offsets::default();
    let mut at = 0;
    while at < chunk.len {
        let rest = chunk.bytes.get(at..).unwrap_or_default();
        let header = java_header(rest)?;
        let size = LOG_OVERHEAD + usize::try_from(header.batch_length).unwrap_or(0);
        let bytes = rest.get(..size).unwrap_or(rest);
        write_batch(&header, bytes, chunk.position + at as u64, &mut output.text)?;
        if view.deep {
            if header.magic >= 2 {
                records(view, &header, bytes, scratch, &mut offsets, output)?;
            } else {
                messages(view, &header, bytes, scratch, &mut offsets, output)?;
            }
        }
        output.flush_if_long()?;
        at += size;
    }
    Ok(offsets)
}

/// The records of a batch of format 2. Java inflates a compressed batch whole before it shows anything of it, and
/// notices bytes behind the last record before it shows that one.
fn records<W: Write>(
    view: LogView,
    header: &BatchHeader,
    bytes: &[u8],
    scratch: &mut Vec<u8>,
    offsets: &mut Offsets,
    output: &mut Output<'_, '_, W, String>,
) -> Result<(), Early<String>> {
    let Some(body) = bytes.get(HEADER_LEN..) else {
        return Err(Early::Failed(format!(
            "a batch of {} bytes has no room for its header",
            bytes.len()
        )));
    };
    if header.records_count == 0 {
        return Ok(());
    }
    let codec = header.codec().unwrap_or_default();
    let body = if codec == Codec::None {
        body
    } else {
        scratch.clear();
        let inflated = compression::decompress_into(codec, body, scratch, INFLATE_LIMIT);
        inflated.map_err(|error| Early::Failed(format!("Failed to decompress record stream: {error}")))?;
        let mut all = Records::new(header, scratch);
        if let Some(Err(error)) = all.find(Result::is_err) {
            return Err(Early::Failed(error.to_string()));
        }
        scratch.as_slice()
    };
    let mut records = Records::new(header, body);
    let mut next = records.next();
    while let Some(record) = next {
        let record = record.map_err(|error| Early::Failed(error.to_string()))?;
        let is_last = records.is_complete();
        next = records.next();
        if let Some(Err(error)) = &next
            && is_last
        {
            return Err(Early::Failed(error.to_string()));
        }
        one_record(view, header, &record, None, offsets, output)?;
    }
    Ok(())
}

/// The messages of an entry of format 0 or 1.
fn messages<W: Write>(
    view: LogView,
    header: &BatchHeader,
    bytes: &[u8],
    scratch: &mut Vec<u8>,
    offsets: &mut Offsets,
    output: &mut Output<'_, '_, W, String>,
) -> Result<(), Early<String>> {
    let failed = |error: crate::records::error::RecordError| Early::Failed(error.to_string());
    let mut messages = Messages::new(header, bytes, scratch, INFLATE_LIMIT).map_err(failed)?;
    while let Some(message) = messages.next_message() {
        let (record, bytes) = message.map_err(failed)?;
        one_record(view, header, &record, Some(bytes), offsets, output)?;
    }
    Ok(())
}

#[inline]
fn one_record<W: Write>(
    view: LogView,
    header: &BatchHeader,
    record: &Record<'_>,
    message: Option<&[u8]>,
    offsets: &mut Offsets,
    output: &mut Output<'_, '_, W, String>,
) -> Result<(), Early<String>> {
    offsets.add(record.offset);
    write_record(view, header, record, message, &mut output.text)?;
    output.flush_if_long()
}
