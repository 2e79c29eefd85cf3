//! `.snapshot`: what a log knows of its producers at one offset, with a checksum.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::entry_file::EntryFile;
use crate::error::{Error, Kind, Result};
use crate::records::fields::{i16_at, i32_at, i64_at, put, u32_at};
use crate::topic_partition::Offset;

/// The only version that Kafka 4 reads.
pub const VERSION: i16 = 1;
const HEADER_LEN: usize = 10;
const CRC_AT: usize = 2;
/// The first byte that the checksum covers.
const COVERED_AT: usize = 6;
const ENTRY_LEN: usize = 46;
/// Bytes read at once for the checksum.
const READ_BYTES: usize = 128 * 1024;

/// One producer's entry of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerSnapshotEntry {
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// -1 if the producer wrote no data since its epoch began.
    pub last_sequence: i32,
    /// Of the last data batch; -1 without one.
    pub last_offset: Offset,
    /// Last offset less first offset of the last data batch.
    pub offset_delta: i32,
    /// Milliseconds.
    pub timestamp: i64,
    pub coordinator_epoch: i32,
    /// First offset of the open transaction; -1 without one.
    pub current_transaction_first_offset: Offset,
}

/// Why a file is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    UnknownVersion(i16),
    /// Shorter than its header or its own count of entries.
    Truncated,
    NegativeCount,
    /// More entries than there are bytes.
    ImpossibleCount {
        count: u64,
        bytes: u64,
    },
    BadChecksum {
        stored: u32,
        computed: u32,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVersion(version) => write!(f, "producer snapshot of the unknown version {version}"),
            Self::Truncated => f.write_str("producer snapshot is cut off"),
            Self::NegativeCount => f.write_str("producer snapshot with less than no entries"),
            Self::ImpossibleCount { count, bytes } => {
                write!(f, "producer snapshot of {count} entries in {bytes} bytes")
            }
            Self::BadChecksum { stored, computed } => {
                write!(
                    f,
                    "producer snapshot has checksum {computed}, not {stored} as it states"
                )
            }
        }
    }
}

impl std::error::Error for SnapshotError {}

impl From<SnapshotError> for Error {
    fn from(error: SnapshotError) -> Self {
        Error::from_cause(Kind::BadData, error)
    }
}

/// The entries of a valid snapshot of any length.
#[derive(Debug)]
pub struct SnapshotFile(EntryFile<ENTRY_LEN>);

impl SnapshotFile {
    /// Checks the whole file. The checksum covers everything after it, so that a wrong count or length is found.
    pub fn new(mut file: File) -> Result<Self> {
        let mut head = Vec::with_capacity(HEADER_LEN);
        file.by_ref().take(HEADER_LEN as u64).read_to_end(&mut head)?;
        let (stored, count) = read_header(&head, file.metadata()?.len())?;
        let mut covered = BufReader::with_capacity(READ_BYTES, &file);
        covered.seek(SeekFrom::Start(COVERED_AT as u64))?;
        let mut computed = 0;
        loop {
            let bytes = covered.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            computed = crc32c::crc32c_append(computed, bytes);
            let read = bytes.len();
            covered.consume(read);
        }
        if stored != computed {
            return Err(SnapshotError::BadChecksum { stored, computed }.into());
        }
        Ok(Self(EntryFile::new(file, HEADER_LEN as u64)?.truncated(count)))
    }

    pub fn entries(&mut self) -> impl Iterator<Item = Result<ProducerSnapshotEntry>> {
        self.0.iter().map(|entry| Ok(parse_entry(&entry?)))
    }
}

/// Reads a snapshot whole.
pub fn read(path: &Path) -> Result<Vec<ProducerSnapshotEntry>> {
    let read = || {
        SnapshotFile::new(File::open(path)?)?
            .entries()
            .collect::<Result<_>>()
    };
    read().map_err(|error: Error| error.context(path.display()))
}

/// The checksum and the count of entries that `head` states, the first bytes of a file of `len`.
fn read_header(head: &[u8], len: u64) -> std::result::Result<(u32, u64), SnapshotError> {
    if head.len() < 2 {
        return Err(SnapshotError::Truncated);
    }
    match i16_at(head, 0) {
        VERSION => {}
        version => return Err(SnapshotError::UnknownVersion(version)),
    }
    if head.len() < HEADER_LEN {
        return Err(SnapshotError::Truncated);
    }
    let count = u64::try_from(i32_at(head, COVERED_AT)).map_err(|_| SnapshotError::NegativeCount)?;
    let bytes = len.saturating_sub(HEADER_LEN as u64);
    if count > bytes {
        return Err(SnapshotError::ImpossibleCount { count, bytes });
    }
    if count > bytes / ENTRY_LEN as u64 {
        return Err(SnapshotError::Truncated);
    }
    Ok((u32_at(head, CRC_AT), count))
}

fn parse_entry(entry: &[u8]) -> ProducerSnapshotEntry {
    ProducerSnapshotEntry {
        producer_id: i64_at(entry, 0),
        producer_epoch: i16_at(entry, 8),
        last_sequence: i32_at(entry, 10),
        last_offset: i64_at(entry, 14),
        offset_delta: i32_at(entry, 22),
        timestamp: i64_at(entry, 26),
        coordinator_epoch: i32_at(entry, 34),
        current_transaction_first_offset: i64_at(entry, 38),
    }
}

/// The bytes of a snapshot.
pub fn format(entries: impl IntoIterator<Item = ProducerSnapshotEntry>) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LEN];
    let mut count = 0i32;
    for entry in entries {
        count += 1;
        bytes.extend_from_slice(&entry.producer_id.to_be_bytes());
        bytes.extend_from_slice(&entry.producer_epoch.to_be_bytes());
        bytes.extend_from_slice(&entry.last_sequence.to_be_bytes());
        bytes.extend_from_slice(&entry.last_offset.to_be_bytes());
        bytes.extend_from_slice(&entry.offset_delta.to_be_bytes());
        bytes.extend_from_slice(&entry.timestamp.to_be_bytes());
        bytes.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
        bytes.extend_from_slice(&entry.current_transaction_first_offset.to_be_bytes());
    }
    put(&mut bytes, 0, &VERSION.to_be_bytes());
    put(&mut bytes, COVERED_AT, &count.to_be_bytes());
    let crc = crc32c::crc32c(bytes.get(COVERED_AT..).unwrap_or_default());
    put(&mut bytes, CRC_AT, &crc.to_be_bytes());
    bytes
}
