//! The kind of a file whose name does not state it, by its bytes.
//!
//! Owns the guess: what has a checksum comes first; entries of indexes are recognized by their order alone.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::log_dir_file::Kind;
use crate::error::{Error, Result};
use crate::records::batch_header::{BatchHeader, crc_is_valid};
use crate::records::fields::{i32_at, i64_at};
use crate::storage::producer_snapshot::SnapshotFile;
use crate::storage::transaction_index::AbortedTransaction;
use crate::storage::{offset_index, time_index, transaction_index};

/// How many bytes of a file are read.
const LOOKED_AT: u64 = 64 * 1024;

/// The kind of a file by its first bytes; `None` for bytes that no file of Kafka has.
pub(super) fn kind_of(path: &Path) -> Result<Option<Kind>> {
    let failed = |error: io::Error| Error::from(error).context(path.display());
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut bytes = Vec::new();
    (&file).take(LOOKED_AT).read_to_end(&mut bytes).map_err(failed)?;
    let header = BatchHeader::parse(&bytes).ok();
    if header.is_some_and(|header| is_sound(&header, &bytes)) {
        return Ok(Some(Kind::Log));
    }
    if File::open(path)
        .map_err(Error::from)
        .and_then(SnapshotFile::new)
        .is_ok()
    {
        return Ok(Some(Kind::ProducerSnapshot));
    }
    if let Some(kind) = std::str::from_utf8(&bytes).ok().and_then(of_text) {
        return Ok(Some(kind));
    }
    // With a damaged first message it may still be a log of an old format.
    let is_log = header.is_some_and(|header| header.size_in_bytes() as u64 <= length);
    Ok(of_entries(&bytes, length).or_else(|| is_log.then_some(Kind::Log)))
}

/// Whether nothing but a log begins like this.
fn is_sound(header: &BatchHeader, bytes: &[u8]) -> bool {
    let whole = bytes.get(..header.size_in_bytes());
    whole.is_some_and(crc_is_valid)
        || header.magic == 2
            && header.base_offset >= 0
            && header.last_offset_delta >= 0
            && header.partition_leader_epoch >= -1
            && (0..0x80).contains(&header.attributes)
}

fn of_text(text: &str) -> Option<Kind> {
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some("version: 0"), Some(second)) if second.starts_with("topic_id:") => {
            Some(Kind::PartitionMetadata)
        }
        (Some("0"), Some(count)) if count.trim().parse::<u32>().is_ok() => match lines.next() {
            Some(entry) if entry.split(' ').count() == 2 => Some(Kind::LeaderEpochs),
            _ => Some(Kind::Offsets),
        },
        _ if text.lines().any(|line| line.starts_with("cluster.id=")) => Some(Kind::Properties),
        _ => None,
    }
}

/// By the order of the entries, of those that an index of this length may have.
fn of_entries(bytes: &[u8], length: u64) -> Option<Kind> {
    let aborted = |entry: &[u8; transaction_index::ENTRY_LEN]| {
        let transaction = AbortedTransaction::parse(entry)?;
        (entry.starts_with(&[0, 0]) && transaction.first_offset <= transaction.last_offset)
            .then_some((transaction.last_offset, 0))
    };
    let timed = |entry: &[u8; time_index::ENTRY_LEN]| {
        let timestamp = i64_at(entry, 0);
        // A time after 1971 and before 2200, which no entry of an offset index looks like.
        (31_536_000_000..7_258_118_400_000)
            .contains(&timestamp)
            .then_some((timestamp, i64::from(i32_at(entry, 8))))
    };
    let placed = |entry: &[u8; offset_index::ENTRY_LEN]| {
        let (offset, position) = (i32_at(entry, 0), i32_at(entry, 4));
        (offset > 0 && position > 0).then_some((i64::from(offset), i64::from(position)))
    };
    if ascend(bytes, length, aborted) {
        Some(Kind::TransactionIndex)
    } else if ascend(bytes, length, timed) {
        Some(Kind::TimeIndex)
    } else if ascend(bytes, length, placed) {
        Some(Kind::OffsetIndex)
    } else {
        None
    }
}

/// Whether there are entries, and all of them up to preallocated zeros have ascending numbers, the first numbers
/// strictly.
fn ascend<const N: usize>(
    bytes: &[u8],
    length: u64,
    numbers: impl Fn(&[u8; N]) -> Option<(i64, i64)>,
) -> bool {
    let (entries, _) = bytes.as_chunks::<N>();
    let mut last = None;
    for entry in entries
        .iter()
        .take_while(|entry| entry.iter().any(|byte| *byte != 0))
    {
        let Some((first, second)) = numbers(entry) else {
            return false;
        };
        if last.is_some_and(|last: (i64, i64)| first <= last.0 || second < last.1) {
            return false;
        }
        last = Some((first, second));
    }
    last.is_some() && length.is_multiple_of(N as u64)
}
