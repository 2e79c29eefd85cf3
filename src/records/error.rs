//! What can be wrong with the bytes of a batch or of a record.

use std::fmt;

use super::compression::{Codec, CompressionError};
use crate::error::{Error, Kind};

/// Why bytes are no record batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// The bytes end before the batch does; `needed` counts from the batch's start.
    Truncated { needed: usize, available: usize },
    /// The length field leaves no room for the fields that every batch has.
    TooSmall { length: i32, minimum: usize },
    /// A format version later than 2, or a negative one.
    UnknownMagic(i8),
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, available } => {
                write!(f, "record batch of {needed} bytes is cut off after {available}")
            }
            Self::TooSmall { length, minimum } => {
                write!(
                    f,
                    "record batch claims a length of {length}, less than the minimum of {minimum}"
                )
            }
            Self::UnknownMagic(magic) => write!(f, "record batch has the unknown format version {magic}"),
        }
    }
}

impl std::error::Error for BatchError {}

impl From<BatchError> for Error {
    fn from(error: BatchError) -> Self {
        Error::from_cause(Kind::BadData, error)
    }
}

/// Why the body of a batch holds no records, or not those that its header promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// A length points outside the record, or the record outside the batch.
    Malformed(&'static str),
    /// The header's count and the records found differ.
    CountMismatch { declared: i32, found: i32 },
    /// A negative record count, which no writer makes.
    NegativeCount(i32),
    /// The body could not be decompressed.
    Compression(CompressionError),
    /// A message set inside a message set inside a message set.
    NestedTooDeep,
    /// The messages inside a compressed message have another format version than it.
    MixedMagic { wrapper: i8, inner: i8 },
    /// A codec that the format version does not have.
    CodecNotAllowed { codec: Codec, magic: i8 },
    /// The bytes are no batch.
    Batch(BatchError),
}

impl RecordError {
    pub(crate) const NO_CODEC: Self = Self::Malformed("no codec has the number in the batch's attributes");
    pub(super) const BYTES_BEHIND: Self = Self::Malformed("bytes after the last record of the batch");
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "malformed record: {what}"),
            Self::CountMismatch { declared, found } => {
                write!(f, "record batch declares {declared} records but holds {found}")
            }
            Self::NegativeCount(count) => write!(f, "record batch declares {count} records"),
            Self::Compression(error) => error.fmt(f),
            Self::NestedTooDeep => f.write_str("a compressed message inside a compressed message"),
            Self::MixedMagic { wrapper, inner } => {
                write!(
                    f,
                    "a message of format {inner} inside a compressed message of format {wrapper}"
                )
            }
            Self::CodecNotAllowed { codec, magic } => {
                write!(f, "{codec} compression in message format {magic}, which has none")
            }
            Self::Batch(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecordError {}

impl From<CompressionError> for RecordError {
    fn from(error: CompressionError) -> Self {
        Self::Compression(error)
    }
}

impl From<BatchError> for RecordError {
    fn from(error: BatchError) -> Self {
        Self::Batch(error)
    }
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        Error::from_cause(Kind::BadData, error)
    }
}
