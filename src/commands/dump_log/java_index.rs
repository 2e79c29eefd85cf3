//! Offset and time indexes as kafka-dump-log checks them against their log.
//!
//! Owns Java's order of checks; entries that a broker preallocated and has not used are zeros, and end the list.

use std::cmp::Ordering;
use std::fs::File;
use std::io::Write;

use crate::java::hash_order::hash_order;
use crate::output::log_dump::numbers::push_i64;
use crate::output::{Printer, stderr_line};

use super::java::{Failure, add, base_offset, length_of, open};
use super::java_batches::BatchCursor;

/// An index and what belongs to it.
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

/// An offset index in memory.
#[derive(Debug)]
struct OffsetIndex {
    bytes: Vec<u8>,
    base_offset: i64,
}

const OFFSET_ENTRY_LEN: usize = 8;
const TIME_ENTRY_LEN: usize = 12;

fn read_index(path: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::Java(format!("{path}: {error}")))
}

fn int_at(bytes: &[u8], at: usize) -> i32 {
    let field = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
    field.map_or(0, |field| i32::from_be_bytes(*field))
}

fn long_at(bytes: &[u8], at: usize) -> i64 {
    let field = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<8>());
    field.map_or(0, |field| i64::from_be_bytes(*field))
}

impl OffsetIndex {
    fn entries(&self) -> usize {
        self.bytes.len() / OFFSET_ENTRY_LEN
    }

    /// Absolute offset and position.
    fn entry(&self, index: usize) -> (i64, i32) {
        let at = index * OFFSET_ENTRY_LEN;
        (
            self.base_offset.wrapping_add(int_at(&self.bytes, at).into()),
            int_at(&self.bytes, at + 4),
        )
    }

    /// The position of the last entry at or before `offset`, found by Kafka's binary search, which looks at the
    /// youngest 8 KiB first; in the zeros of an index in use it finds the start of the log.
    fn position_of(&self, offset: i64) -> i32 {
        const WARM_ENTRIES: usize = 8192 / OFFSET_ENTRY_LEN;
        let Some(last) = self.entries().checked_sub(1) else {
            return 0;
        };
        let first_hot = last.saturating_sub(WARM_ENTRIES);
        let slot = if self.entry(first_hot).0 < offset {
            self.search(offset, first_hot, last)
        } else if self.entry(0).0 > offset {
            return 0;
        } else {
            self.search(offset, 0, first_hot)
        };
        self.entry(slot).1
    }

    fn search(&self, offset: i64, mut low: usize, mut high: usize) -> usize {
        while low < high {
            let middle = (low + high).div_ceil(2);
            let found = self.entry(middle).0;
            match found.cmp(&offset) {
                Ordering::Greater => high = middle - 1,
                Ordering::Less => low = middle,
                Ordering::Equal => return middle,
            }
        }
        low
    }
}

/// Dumps an `.index`. `options`: sanity check only, verify only.
pub(super) fn dump_offset_index(
    files: &Files,
    absolute: &str,
    (sanity_only, verify_only): (bool, bool),
    max_message_size: i32,
    mismatches: &mut Vec<(i64, i64)>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (log, log_length, log_path) = files.log()?;
    let index = OffsetIndex {
        bytes: read_index(&files.path)?,
        base_offset: files.base_offset,
    };
    let Some(last) = index.entries().checked_sub(1) else {
        return Ok(writeln!(printer.out(), "{} is empty.", files.path)?);
    };
    if sanity_only {
        let last_offset = index.entry(last).0;
        if last_offset < files.base_offset {
            return Err(Failure::Java(format!(
                "Corrupt index found, index file ({absolute}) has non-zero size but the last offset is {last_offset} \
                 which is less than the base offset {}",
                files.base_offset
            )));
        }
        check_length(absolute, "Index", index.bytes.len(), OFFSET_ENTRY_LEN)?;
        return Ok(writeln!(printer.out(), "{} passed sanity check.", files.path)?);
    }
    let mut batches = BatchCursor::new(&log, log_length, &log_path);
    let mut text = Vec::new();
    let mut dump_entries = || {
        for number in 0..=last {
            let (offset, position) = index.entry(number);
            if offset == files.base_offset && number > 0 {
                break;
            }
            let Some(batch) = batches.first_at(position, max_message_size)? else {
                return Err(Failure::Java(format!(
                    "no batch at position {position} of {log_path} within {max_message_size} bytes, where entry \
                     {number} of the index points"
                )));
            };
            if batch.last_offset != offset {
                mismatches.push((offset, batch.last_offset));
            }
            if !verify_only {
                text.extend_from_slice(b"offset: ");
                push_i64(offset, &mut text);
                text.extend_from_slice(b" position: ");
                push_i64(position.into(), &mut text);
                text.push(b'\n');
            }
        }
        Ok(())
    };
    let dumped = dump_entries();
    printer.out().write_all(&text)?;
    dumped
}

fn check_length(absolute: &str, what: &str, length: usize, entry: usize) -> Result<(), Failure> {
    if length.is_multiple_of(entry) {
        return Ok(());
    }
    Err(Failure::Java(format!(
        "{what} file {absolute} is corrupt, found {length} bytes which is neither positive nor a multiple of {entry}"
    )))
}

/// What is wrong with time indexes, by absolute path.
#[derive(Debug, Default)]
pub(super) struct TimeIndexErrors {
    mismatches: Vec<(String, Vec<(i64, i64)>)>,
    out_of_order: Vec<(String, Vec<(i64, i64)>)>,
    not_found: Vec<(String, Vec<(i64, i64)>)>,
}

impl TimeIndexErrors {
    pub(super) fn tell(self) {
        let mut text = String::new();
        let mut line = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        for (path, pairs) in hash_order(self.mismatches, |(path, _)| path) {
            line(format!("Found timestamp mismatch in :{path}"));
            for (index, log) in pairs {
                line(format!("  Index timestamp: {index}, log timestamp: {log}"));
            }
        }
        for (path, pairs) in hash_order(self.out_of_order, |(path, _)| path) {
            line(format!("Found out of order timestamp in :{path}"));
            for (index, previous) in pairs {
                line(format!(
                    "  Index timestamp: {index}, Previously indexed timestamp: {previous}"
                ));
            }
        }
        for (path, pairs) in hash_order(self.not_found, |(path, _)| path) {
            line(format!("The following indexed offsets are not found in :{path}"));
            for (index, log) in pairs {
                line(format!("Indexed offset: {index}, found log offset: {log}"));
            }
        }
        if !text.is_empty() {
            stderr_line(text.trim_end());
        }
    }
}

/// Dumps a `.timeindex`. `options`: sanity check only, verify only.
pub(super) fn dump_time_index(
    files: &Files,
    absolute: &str,
    (sanity_only, verify_only): (bool, bool),
    errors: &mut TimeIndexErrors,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (log, log_length, log_path) = files.log()?;
    let index = OffsetIndex {
        bytes: read_index(&format!("{}.index", files.stem))?,
        base_offset: files.base_offset,
    };
    let bytes = read_index(&files.path)?;
    let entries: Vec<(i64, i64)> = bytes
        .chunks_exact(TIME_ENTRY_LEN)
        .map(|entry| {
            (
                long_at(entry, 0),
                files.base_offset.wrapping_add(int_at(entry, 8).into()),
            )
        })
        .collect();
    if sanity_only {
        check_time_index(&entries, files.base_offset, absolute)?;
        check_length(absolute, "Time index", bytes.len(), TIME_ENTRY_LEN)?;
        return Ok(writeln!(printer.out(), "{} passed sanity check.", files.path)?);
    }
    let used = entries
        .iter()
        .skip(1)
        .position(|(_, offset)| *offset == files.base_offset);
    let used = used.map_or(entries.as_slice(), |end| entries.get(..=end).unwrap_or_default());
    let mut batches = BatchCursor::new(&log, log_length, &log_path);
    let mut text = Vec::new();
    let mut previous = -1_i64;
    let mut dump_entries = || {
        for &(timestamp, offset) in used {
            let position = index.position_of(offset);
            match batches.first_reaching(position, offset)? {
                None => add(&mut errors.not_found, absolute, [(offset, -1)]),
                Some(batch) if batch.last_offset != offset => {
                    add(&mut errors.not_found, absolute, [(offset, batch.last_offset)]);
                }
                Some(batch) => {
                    let newest = batches.newest_timestamp(batch)?;
                    if newest != timestamp {
                        add(&mut errors.mismatches, absolute, [(timestamp, newest)]);
                    }
                    if previous >= timestamp {
                        add(&mut errors.out_of_order, absolute, [(timestamp, previous)]);
                    }
                }
            }
            if !verify_only {
                text.extend_from_slice(b"timestamp: ");
                push_i64(timestamp, &mut text);
                text.extend_from_slice(b" offset: ");
                push_i64(offset, &mut text);
                text.push(b'\n');
            }
            previous = timestamp;
        }
        Ok(())
    };
    let dumped = dump_entries();
    printer.out().write_all(&text)?;
    dumped
}

fn check_time_index(entries: &[(i64, i64)], base_offset: i64, absolute: &str) -> Result<(), Failure> {
    let (Some((first, _)), Some((last, last_offset))) = (entries.first(), entries.last()) else {
        return Ok(());
    };
    if last < first {
        return Err(Failure::Java(format!(
            "Corrupt time index found, time index file ({absolute}) has non-zero size but the last timestamp is {last} \
             which is less than the first timestamp {first}"
        )));
    }
    if *last_offset < base_offset {
        return Err(Failure::Java(format!(
            "Corrupt time index found, time index file ({absolute}) has non-zero size but the last offset is \
             {last_offset} which is less than the first offset {base_offset}"
        )));
    }
    Ok(())
}
