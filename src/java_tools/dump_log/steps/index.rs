//! Offset and time indexes as kafka-dump-log checks them against their log.
//!
//! Owns Java's order of checks; entries that a broker preallocated and has not used are zeros, and end the list.

use std::cmp::Ordering;
use std::fs::File;
use std::io::Write;

use crate::java_tools::dump_log::words::findings::Finding;
use crate::output::Printer;
use crate::output::digits::push_i64;
use crate::storage::entry_file::EntryFile;
use crate::storage::offset_index::{self, OffsetPosition};
use crate::storage::time_index::{self, TimestampOffset};

use super::batches::BatchCursor;
use super::findings::{Findings, sorted};
use super::gaps::Gaps;
use super::{Failure, base_offset, length_of, open};

/// An index and the files that belong to it.
#[derive(Debug)]
pub(super) struct Files {
    path: String,
    /// The folder with its slash, and the name up to the first dot.
    stem: String,
    base_offset: i64,
}

impl Files {
    pub(super) fn of(path: &str, name: &str) -> Result<Self, Failure> {
        let folder = path.strip_suffix(name).unwrap_or_default();
        let stem = name.split('.').next().unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            stem: format!("{folder}{stem}"),
            base_offset: base_offset(name)?,
        })
    }

    fn log(&self) -> Result<(File, u64, String), Failure> {
        let path = format!("{}.log", self.stem);
        let file = open(&path)?;
        let length = length_of(&file, &path)?;
        Ok((file, length, path))
    }
}

/// An offset index of any length.
#[derive(Debug)]
struct OffsetIndex {
    entries: EntryFile<{ offset_index::ENTRY_LEN }>,
    base_offset: i64,
}

/// Opens an index; returns its length in bytes, too.
fn open_index<const N: usize>(path: &str) -> Result<(EntryFile<N>, u64), Failure> {
    let file = open(path)?;
    let length = length_of(&file, path)?;
    let entries = EntryFile::new(file, 0).map_err(|error| cannot_read(path, &error))?;
    Ok((entries, length))
}

fn cannot_read(path: &str, error: &std::io::Error) -> Failure {
    Failure::Java(format!("{path}: {error}"))
}

impl OffsetIndex {
    /// Absolute offset and position.
    fn entry(&mut self, index: u64) -> std::io::Result<(i64, i32)> {
        let entry = OffsetPosition::parse(self.entries.get(index)?, self.base_offset);
        Ok((entry.offset, entry.position as i32))
    }

    /// The position of the last entry at or before `offset`, found by Kafka's binary search, which searches the last 8
    /// KiB first; in the preallocated zeros of an active index it finds the start of the log.
    fn position_of(&mut self, offset: i64) -> std::io::Result<i32> {
        const WARM_ENTRIES: u64 = 8192 / offset_index::ENTRY_LEN as u64;
        let Some(last) = self.entries.len().checked_sub(1) else {
            return Ok(0);
        };
        let first_hot = last.saturating_sub(WARM_ENTRIES);
        let slot = if self.entry(first_hot)?.0 < offset {
            self.search(offset, first_hot, last)?
        } else if self.entry(0)?.0 > offset {
            return Ok(0);
        } else {
            self.search(offset, 0, first_hot)?
        };
        Ok(self.entry(slot)?.1)
    }

    fn search(&mut self, offset: i64, mut low: u64, mut high: u64) -> std::io::Result<u64> {
        while low < high {
            let middle = (low + high).div_ceil(2);
            let found = self.entry(middle)?.0;
            match found.cmp(&offset) {
                Ordering::Greater => high = middle - 1,
                Ordering::Less => low = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Ok(low)
    }
}

/// Dumps an `.index`. `options`: sanity check only, verify only.
pub(super) fn dump_offset_index(
    files: &Files,
    absolute: &str,
    (sanity_only, verify_only): (bool, bool),
    max_message_size: i32,
    findings: &mut Findings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (log, log_length, log_path) = files.log()?;
    let (entries, length) = open_index(&files.path)?;
    let mut index = OffsetIndex {
        entries,
        base_offset: files.base_offset,
    };
    let mut entry = |number| {
        index
            .entry(number)
            .map_err(|error| cannot_read(&files.path, &error))
    };
    let Some(last) = (length / offset_index::ENTRY_LEN as u64).checked_sub(1) else {
        return Ok(writeln!(printer.out(), "{} is empty.", files.path)?);
    };
    if sanity_only {
        let last_offset = entry(last)?.0;
        if last_offset < files.base_offset {
            return Err(Failure::Java(format!(
                "Corrupt index found, index file ({absolute}) has non-zero size but the last offset is {last_offset} \
                 which is less than the base offset {}",
                files.base_offset
            )));
        }
        check_length(absolute, "Index", length, offset_index::ENTRY_LEN)?;
        return Ok(writeln!(printer.out(), "{} passed sanity check.", files.path)?);
    }
    let mut mismatches = Gaps::default();
    let mut batches = BatchCursor::new(&log, log_length, &log_path);
    for number in 0..=last {
        let (offset, position) = entry(number)?;
        if offset == files.base_offset && number > 0 {
            break;
        }
        let Some(batch) = batches.first_at(position, max_message_size)? else {
            return Err(Failure::Java(format!(
                "no batch at position {position} of {log_path} within {max_message_size} bytes, where entry {number} \
                 of the index points"
            )));
        };
        if batch.last_offset != offset {
            mismatches.push(sorted(Finding::IndexMismatch, (offset, batch.last_offset)));
        }
        if !verify_only {
            write_entry([("offset: ", offset), (" position: ", position.into())], printer)?;
        }
    }
    findings.add_sorted(Finding::IndexMismatch, absolute, mismatches);
    Ok(())
}

fn write_entry(fields: [(&str, i64); 2], printer: &mut Printer) -> Result<(), Failure> {
    let mut line = Vec::with_capacity(64);
    for (label, value) in fields {
        line.extend_from_slice(label.as_bytes());
        push_i64(value, &mut line);
    }
    line.push(b'\n');
    Ok(printer.out().write_all(&line)?)
}

fn check_length(absolute: &str, what: &str, length: u64, entry: usize) -> Result<(), Failure> {
    if length.is_multiple_of(entry as u64) {
        return Ok(());
    }
    Err(Failure::Java(format!(
        "{what} file {absolute} is corrupt, found {length} bytes which is neither positive nor a multiple of {entry}"
    )))
}

/// Dumps a `.timeindex`. `options`: sanity check only, verify only.
pub(super) fn dump_time_index(
    files: &Files,
    absolute: &str,
    (sanity_only, verify_only): (bool, bool),
    findings: &mut Findings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (log, log_length, log_path) = files.log()?;
    let index_path = format!("{}.index", files.stem);
    let mut index = OffsetIndex {
        entries: open_index(&index_path)?.0,
        base_offset: files.base_offset,
    };
    let (mut entries, length) = open_index::<{ time_index::ENTRY_LEN }>(&files.path)?;
    let mut entry = |number| match entries.get(number) {
        Ok(entry) => Ok(TimestampOffset::parse(entry, files.base_offset)),
        Err(error) => Err(cannot_read(&files.path, &error)),
    };
    let last = (length / time_index::ENTRY_LEN as u64).checked_sub(1);
    if sanity_only {
        if let Some(last) = last {
            check_time_index(entry(0)?, entry(last)?, files.base_offset, absolute)?;
        }
        check_length(absolute, "Time index", length, time_index::ENTRY_LEN)?;
        return Ok(writeln!(printer.out(), "{} passed sanity check.", files.path)?);
    }
    let mut batches = BatchCursor::new(&log, log_length, &log_path);
    let mut previous = -1_i64;
    for number in last.map_or(0..0, |last| 0..last + 1) {
        let TimestampOffset { timestamp, offset } = entry(number)?;
        if offset == files.base_offset && number > 0 {
            break;
        }
        let position = index
            .position_of(offset)
            .map_err(|error| cannot_read(&index_path, &error))?;
        match batches.first_reaching(position, offset)? {
            None => findings.add(Finding::OffsetNotFound, absolute, (offset, -1)),
            Some(batch) if batch.last_offset != offset => {
                findings.add(Finding::OffsetNotFound, absolute, (offset, batch.last_offset));
            }
            Some(batch) => {
                let newest = batches.newest_timestamp(batch)?;
                if newest != timestamp {
                    findings.add(Finding::TimestampMismatch, absolute, (timestamp, newest));
                }
                if previous >= timestamp {
                    findings.add(Finding::OutOfOrder, absolute, (timestamp, previous));
                }
            }
        }
        if !verify_only {
            write_entry([("timestamp: ", timestamp), (" offset: ", offset)], printer)?;
        }
        previous = timestamp;
    }
    Ok(())
}

fn check_time_index(
    first: TimestampOffset,
    last: TimestampOffset,
    base_offset: i64,
    absolute: &str,
) -> Result<(), Failure> {
    if last.timestamp < first.timestamp {
        return Err(Failure::Java(format!(
            "Corrupt time index found, time index file ({absolute}) has non-zero size but the last timestamp is {} \
             which is less than the first timestamp {}",
            last.timestamp, first.timestamp
        )));
    }
    if last.offset < base_offset {
        return Err(Failure::Java(format!(
            "Corrupt time index found, time index file ({absolute}) has non-zero size but the last offset is \
             {} which is less than the first offset {base_offset}",
            last.offset
        )));
    }
    Ok(())
}
