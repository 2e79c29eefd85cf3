//! The results and errors of appending to a partition's log and of reading from it.

use std::fmt;

use super::producer_state::ProducerError;
use crate::error::Error;
use crate::topic_partition::Offset;

/// Who made a batch, which decides what is checked of its producer before it is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A client: its sequence numbers must be consecutive, and a duplicate batch is recognized.
    Client {
        /// A producer that the log does not know must begin at sequence number 0. Otherwise it may begin at any
        /// number: the log may have forgotten it.
        from_zero: bool,
    },
    /// A coordinator, on behalf of a producer: only the epoch is checked.
    Coordinator,
    /// The transaction coordinator, with the end of a transaction.
    Marker {
        /// The producer's epoch was raised for this marker (KIP-890): it must be above the one in the log.
        raises_epoch: bool,
    },
}

impl Origin {
    /// A client whose producer may have been forgotten.
    pub const CLIENT: Self = Self::Client { from_zero: false };
}

/// The result of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub base_offset: Offset,
    pub last_offset: Offset,
    /// Milliseconds; -1 unless `message.timestamp.type` is `LogAppendTime`.
    pub log_append_time: i64,
    pub log_start_offset: Offset,
    /// The batch was in the log already; nothing was appended.
    pub duplicate: bool,
}

/// Why a batch was not appended.
#[derive(Debug)]
pub enum AppendError {
    /// The batch breaks its producer's sequence, epoch or transaction.
    Producer(ProducerError),
    /// `RECORD_LIST_TOO_LARGE`: larger than a segment may be.
    TooLarge { size: usize, segment_bytes: u64 },
    /// Not exactly one whole batch of format 2.
    Malformed(String),
    /// An I/O error.
    Storage(Error),
    /// The log's folder was deleted or moved away, or a sync of its disk has failed.
    Gone(Error),
    /// This replica is a follower: it takes batches from its leader alone.
    NotLeader,
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Producer(error) => error.fmt(f),
            Self::TooLarge { size, segment_bytes } => {
                write!(
                    f,
                    "batch of {size} bytes is larger than a segment may be ({segment_bytes} bytes)"
                )
            }
            Self::Malformed(reason) => f.write_str(reason),
            Self::Storage(error) | Self::Gone(error) => error.fmt(f),
            Self::NotLeader => f.write_str("the log is a follower's"),
        }
    }
}

impl std::error::Error for AppendError {}

impl From<ProducerError> for AppendError {
    fn from(error: ProducerError) -> Self {
        Self::Producer(error)
    }
}

impl From<Error> for AppendError {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}

/// Why nothing was read.
#[derive(Debug)]
pub enum ReadError {
    /// Before the log's start or after its end.
    OffsetOutOfRange {
        log_start_offset: Offset,
        log_end_offset: Offset,
    },
    /// An I/O error.
    Storage(Error),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::OffsetOutOfRange {
                log_start_offset,
                log_end_offset,
            } => Error::not_found(format!(
                "offset is outside the log's {log_start_offset} to {log_end_offset}"
            )),
            ReadError::Storage(error) => error,
        }
    }
}
