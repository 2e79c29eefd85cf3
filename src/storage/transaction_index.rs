//! `.txnindex`: the aborted transactions of a segment, in the order of their abort markers.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use super::disk;
use super::entry_file::EntryFile;
use crate::error::{Error, Result};
use crate::records::fields::i64_at;
use crate::topic_partition::Offset;

/// Bytes of an entry: a two-byte version and four numbers.
pub const ENTRY_LEN: usize = 34;
/// The only version there is.
pub const VERSION: i16 = 0;

/// A transaction that was aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: Offset,
    /// Offset of the abort marker.
    pub last_offset: Offset,
    /// The last stable offset after the marker was written.
    pub last_stable_offset: Offset,
}

impl AbortedTransaction {
    /// Reads an entry; `None` for an unknown version.
    pub fn parse(entry: &[u8; ENTRY_LEN]) -> Option<Self> {
        // Kafka reads only the first byte of the two.
        entry.starts_with(&[VERSION as u8]).then(|| Self {
            producer_id: i64_at(entry, 2),
            first_offset: i64_at(entry, 10),
            last_offset: i64_at(entry, 18),
            last_stable_offset: i64_at(entry, 26),
        })
    }

    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = VERSION.to_be_bytes().to_vec();
        for number in [
            self.producer_id,
            self.first_offset,
            self.last_offset,
            self.last_stable_offset,
        ] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes
    }
}

/// The entries of an index of any length, one after the other; bytes after the last whole one are ignored.
pub fn entries(path: &Path) -> Result<impl Iterator<Item = Result<AbortedTransaction>> + use<>> {
    let context = |error: Error| error.context(format_args!("cannot read {}", path.display()));
    let mut file = File::open(path)
        .and_then(|file| EntryFile::<ENTRY_LEN>::new(file, 0))
        .map_err(|error| context(error.into()))?;
    let mut at = 0;
    Ok(std::iter::from_fn(move || {
        let entry = (at < file.len()).then(|| file.get(at))?;
        at += 1;
        let unknown = || Error::bad_data("transaction index entry of an unknown version");
        Some(
            entry
                .map_err(Error::from)
                .and_then(|entry| AbortedTransaction::parse(&entry).ok_or_else(unknown)),
        )
    }))
}

/// Reads an index whole; a missing file has no entries.
pub fn read(path: &Path) -> Result<Vec<AbortedTransaction>> {
    if !path.try_exists()? {
        return Ok(Vec::new());
    }
    let context = |error: Error| error.context(format_args!("cannot read {}", path.display()));
    entries(path)?.collect::<Result<_>>().map_err(context)
}

/// The transactions of this index that a `read_committed` reader of `offset` up to `upper_bound` must leave out: those
/// aborted at `offset` or later that began before `upper_bound`. The flag is true if no later segment has more. Reads
/// those entries and few others, however long the index is; a missing file has none.
pub fn overlapping(
    path: &Path,
    offset: Offset,
    upper_bound: Offset,
) -> Result<(Vec<AbortedTransaction>, bool)> {
    let context = |error: Error| error.context(format_args!("cannot read {}", path.display()));
    let opened = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), false)),
        opened => opened,
    };
    let file = opened.and_then(|file| EntryFile::new(file, 0));
    let mut file = file.map_err(|error| context(error.into()))?;
    overlapping_in(&mut file, offset, upper_bound).map_err(context)
}

fn overlapping_in(
    file: &mut EntryFile<ENTRY_LEN>,
    offset: Offset,
    upper_bound: Offset,
) -> Result<(Vec<AbortedTransaction>, bool)> {
    let unknown = || Error::bad_data("transaction index entry of an unknown version");
    let read = |entry: &[u8; ENTRY_LEN]| AbortedTransaction::parse(entry).ok_or_else(unknown);
    let first = file.partition_point(|entry| Ok::<_, Error>(read(entry)?.last_offset < offset))?;
    let mut found = Vec::new();
    for at in first..file.len() {
        let transaction = read(&file.get(at)?)?;
        if transaction.first_offset < upper_bound {
            found.push(transaction);
        }
        if transaction.last_stable_offset >= upper_bound {
            return Ok((found, true));
        }
    }
    Ok((found, false))
}

/// Adds an entry; the first one of a segment makes the file. It is written after the last whole entry, over the
/// remains of a failed attempt.
pub fn append(path: &Path, transaction: AbortedTransaction) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let write = || {
        let file = disk::open(&options, path)?;
        let len = file.metadata()?.len();
        disk::write_all_at(&file, &transaction.to_bytes(), len - len % ENTRY_LEN as u64)
    };
    write().map_err(|error| Error::from(error).context(format_args!("cannot write {}", path.display())))
}

/// Removes the last entry again. If that fails it stays: a retry of the marker then adds the same abort once more.
pub(super) fn remove_last(path: &Path) {
    let remove = || {
        let file = disk::open(OpenOptions::new().write(true), path)?;
        let entries = file.metadata()?.len() / ENTRY_LEN as u64;
        disk::set_len(&file, entries.saturating_sub(1) * ENTRY_LEN as u64)
    };
    let _: std::io::Result<()> = remove();
}

/// Removes the index; it may be missing.
pub(super) fn remove(path: &Path) -> Result<()> {
    match disk::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::from(error).context(format_args!("cannot delete {}", path.display())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Transaction number `n` has the ten offsets from `10 * n` on, the last of which is its abort marker.
    fn transaction(number: i64) -> AbortedTransaction {
        AbortedTransaction {
            producer_id: number,
            first_offset: 10 * number,
            last_offset: 10 * number + 9,
            last_stable_offset: 10 * number + 10,
        }
    }

    fn index(count: i64) -> EntryFile<ENTRY_LEN> {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..count)
            .flat_map(|number| transaction(number).to_bytes())
            .collect();
        file.write_all(&bytes).unwrap();
        EntryFile::new(file, 0).unwrap()
    }

    #[test]
    fn a_part_of_a_long_index_is_found_without_reading_the_rest() {
        const COUNT: i64 = 100_000;
        for number in [0, 1, 511, 512, 50_000, COUNT - 2] {
            let mut file = index(COUNT);
            let (offset, end) = (10 * number + 5, 10 * number + 15);
            let (found, is_complete) = overlapping_in(&mut file, offset, end).unwrap();
            assert_eq!(found, [transaction(number), transaction(number + 1)]);
            assert!(is_complete);
            // Seventeen to find the first, and one window of entries from there.
            assert!(
                file.entries_read() <= 17 + 512,
                "{} for {number}",
                file.entries_read()
            );
        }
    }

    #[test]
    fn all_that_ends_at_the_offset_or_later_and_begins_before_the_bound_is_found() {
        let all: Vec<AbortedTransaction> = (0..40).map(transaction).collect();
        for offset in 0..400 {
            for bound in [offset + 1, offset + 9, offset + 10, offset + 31, 1000] {
                let (found, _) = overlapping_in(&mut index(40), offset, bound).unwrap();
                let wanted = all
                    .iter()
                    .filter(|one| one.last_offset >= offset && one.first_offset < bound);
                assert_eq!(found, wanted.copied().collect::<Vec<_>>(), "{offset}..{bound}");
            }
        }
        assert_eq!(overlapping_in(&mut index(0), 5, 9).unwrap(), (Vec::new(), false));
    }
}
