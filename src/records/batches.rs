//! The batches in a slice of a log; stops at the last whole one and says where.

use std::io::Read;

use super::batch_header::BatchHeader;
use super::compression::{self, Codec};
use super::error::{BatchError, RecordError};
use super::inflate;
use super::message_set::Messages;
use super::record::{Record, Records};
use super::record_stream::RecordStream;

/// One whole batch and where it starts, counted from the slice's start.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    pub position: usize,
    pub header: BatchHeader,
    /// The whole batch, header included.
    pub bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Takes the one batch at the start of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        let needed = header.size_in_bytes();
        let bytes = bytes.get(..needed).ok_or(BatchError::Truncated {
            needed,
            available: bytes.len(),
        })?;
        Ok(Self {
            position: 0,
            header,
            bytes,
        })
    }

    /// Everything after the header; compressed where the header names a codec.
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(self.header.body_at()..).unwrap_or_default()
    }

    /// The records in the order of the log, for every format. A compressed body is inflated into `scratch`, which is
    /// overwritten, and which may grow to `limit` bytes before an error is answered.
    pub fn records<'b>(&self, scratch: &'b mut Vec<u8>, limit: usize) -> Result<BatchRecords<'b>, RecordError>
    where
        'a: 'b,
    {
        if self.header.magic < 2 {
            return Messages::new(&self.header, self.bytes, scratch, limit).map(BatchRecords::Legacy);
        }
        let body = match self.header.codec() {
            Some(Codec::None) => self.body(),
            Some(codec) => {
                scratch.clear();
                compression::decompress_into(codec, self.body(), scratch, limit)?;
                scratch.as_slice()
            }
            None => {
                return Err(RecordError::NO_CODEC);
            }
        };
        Ok(BatchRecords::Current(Records::new(&self.header, body)))
    }

    /// Calls `read` with the records of a batch of format 2 as a stream, for a batch that inflates to more than should be
    /// held at once. Records of up to `largest` bytes are held, one at a time.
    pub fn stream<T>(
        &self,
        largest: usize,
        read: impl FnOnce(&mut RecordStream<&mut dyn Read>) -> T,
    ) -> Result<T, RecordError> {
        let codec = self.header.codec().ok_or(RecordError::NO_CODEC)?;
        let header = &self.header;
        inflate::with_reader(codec, self.body(), |reader| {
            read(&mut RecordStream::new(header, reader).holding(largest))
        })
        .map_err(|error| RecordError::Compression(inflate::error(codec, &error)))
    }
}

/// The records of a batch of any format.
#[derive(Clone, Debug)]
pub enum BatchRecords<'a> {
    Current(Records<'a>),
    Legacy(Messages<'a>),
}

impl<'a> Iterator for BatchRecords<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Current(records) => records.next(),
            Self::Legacy(messages) => messages.next(),
        }
    }
}

/// Walks whole batches. After the end, or after an error, [`Batches::position`] is the byte after the last whole
/// batch; bytes that start a batch but do not finish it are no error but [`Batches::remaining`].
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    bytes: &'a [u8],
    position: usize,
    failed: bool,
}

impl<'a> Batches<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            failed: false,
        }
    }

    /// The byte after the last batch that was answered.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes that no answered batch covers.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.position..)?;
        if self.failed || rest.is_empty() {
            return None;
        }
        match Batch::parse(rest) {
            Ok(batch) => {
                let position = self.position;
                self.position += batch.bytes.len();
                Some(Ok(Batch { position, ..batch }))
            }
            Err(error) => {
                self.failed = true;
                match error {
                    BatchError::Truncated { .. } => None,
                    _ => Some(Err(error)),
                }
            }
        }
    }
}
