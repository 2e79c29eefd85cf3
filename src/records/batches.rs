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
    /// overwritten; more than `limit` bytes are an error.
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

    /// Appends the value of each record followed by `end`; a null value adds `end` alone. Only for a batch of format 2.
    /// `scratch` and `limit` as in [`Batch::records`]. After an error `out` holds the values before it.
    pub fn append_values(
        &self,
        end: &[u8],
        scratch: &mut Vec<u8>,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let BatchRecords::Current(records) = self.records(scratch, limit)? else {
            return Err(RecordError::Malformed("format"));
        };
        for record in records {
            out.extend_from_slice(record?.value.unwrap_or_default());
            out.extend_from_slice(end);
        }
        Ok(())
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

    /// The byte after the last batch that was returned.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes after the last batch that was returned.
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

#[cfg(test)]
mod tests {
    use super::super::batch_builder::{BatchBuilder, BatchOptions};
    use super::*;

    #[test]
    fn values_of_a_batch_are_those_of_its_records_in_every_codec() {
        for codec in Codec::ALL {
            let mut builder = BatchBuilder::new(BatchOptions {
                codec,
                ..BatchOptions::default()
            });
            let long = vec![b'l'; 20_000];
            builder.append(1, Some(b"key"), Some(b"one"), &[]);
            builder.append(2, None, None, &[]);
            builder.append(3, None, Some(&long), &[]);
            let bytes = builder.finish().unwrap();
            let batch = Batch::parse(&bytes).unwrap();
            let (mut scratch, mut out) = (Vec::new(), b"before ".to_vec());
            batch
                .append_values(b"\n", &mut scratch, 1 << 20, &mut out)
                .unwrap();
            assert_eq!(
                out,
                [b"before one\n\n", long.as_slice(), b"\n"].concat(),
                "{codec}"
            );
        }
    }

    #[test]
    fn a_record_that_is_cut_ends_the_values() {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        builder.append(1, None, Some(b"one"), &[]);
        builder.append(1, None, Some(b"two"), &[]);
        let mut bytes = builder.finish().unwrap();
        let last = bytes.len() - 1;
        // The header count of the last record, which has no headers.
        bytes[last] = 2;
        let batch = Batch::parse(&bytes).unwrap();
        let mut out = Vec::new();
        batch
            .append_values(b"\n", &mut Vec::new(), 1 << 20, &mut out)
            .unwrap_err();
        assert_eq!(out, b"one\n");
    }
}
