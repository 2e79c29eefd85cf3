//! `.txnindex`: the aborted transactions of a segment, in the order of their abort markers.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

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
    /// The last stable offset once the marker was written.
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

/// The entries of an index of any length, one after the other; what follows the last whole one is left out.
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

/// Adds an entry; the first one of a segment makes the file.
pub fn append(path: &Path, transaction: AbortedTransaction) -> Result<()> {
    let write = || {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(&transaction.to_bytes())
    };
    write().map_err(|error| Error::from(error).context(format_args!("cannot write {}", path.display())))
}
