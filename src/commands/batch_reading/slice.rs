//! The part of a batch that is in its range, and its records as conditions read them.

use crate::client::batch_bytes::BatchBytes;
use crate::error::{Error, Result};
use crate::filter::Fields;
use crate::records::batch_header::{HEADER_LEN, WRONG_CHECKSUM, crc_is_valid};
use crate::records::compression::CompressionError;
use crate::records::{Batch, Record, RecordError, StreamedRecord};
use crate::topic_partition::Offset;
use crate::wire::SharedSlice;

/// A batch that decompresses to more bytes is not held in memory as a whole.
const HELD_AT_ONCE: usize = 8 << 20;
/// The largest record, in bytes.
const LARGEST: usize = 1 << 30;

/// The part of a batch that is in its range.
#[derive(Debug)]
pub(in crate::commands) struct Slice<'a> {
    pub(in crate::commands) topic: &'a str,
    pub(in crate::commands) partition: i32,
    pub(in crate::commands) batch: &'a Batch<'a>,
    /// The checksum has not been checked yet; it is when the records are read.
    pub(in crate::commands) is_unchecked: bool,
    /// The memory that the batch is in, where a reference to it may be kept.
    pub(in crate::commands) memory: Option<&'a SharedSlice>,
    /// The first offset of the range in the batch.
    pub(in crate::commands) from: Offset,
    /// The first offset after the range.
    pub(in crate::commands) end: Offset,
}

impl Slice<'_> {
    /// Whether all records of the batch are in the range. Of old formats that is not known before they are decoded.
    pub(in crate::commands) fn is_whole(&self) -> bool {
        let header = &self.batch.header;
        header.magic >= 2 && self.from <= header.base_offset && header.next_offset() <= self.end
    }

    /// The batch to be passed on, with the header that `change` makes; `change` gets the first bytes of the batch, and
    /// how many bytes follow them. Records are not copied where a reference to their memory may be kept.
    pub(in crate::commands) fn passed_on(&self, change: impl FnOnce(&mut [u8], usize)) -> BatchBytes {
        let bytes = self.batch.bytes;
        let begin = self.batch.position;
        let records = self
            .memory
            .and_then(|memory| memory.part(begin + HEADER_LEN..begin + bytes.len()));
        let (mut head, elsewhere) = match &records {
            Some(records) => (
                bytes.get(..HEADER_LEN).unwrap_or_default().to_vec(),
                records.len(),
            ),
            None => (bytes.to_vec(), 0),
        };
        change(&mut head, elsewhere);
        match records {
            Some(records) => BatchBytes::over(head, records),
            None => BatchBytes::from(head),
        }
    }

    /// The offset after the slice.
    pub(in crate::commands) fn next(&self) -> Offset {
        self.batch.header.next_offset().min(self.end)
    }

    /// Calls `take` with each record of the slice, in order.
    ///
    /// # Errors
    ///
    /// The errors of `take`, and data that cannot be decoded.
    pub(in crate::commands) fn each_record(
        &self,
        scratch: &mut Vec<u8>,
        mut take: impl FnMut(&Record<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.is_unchecked && !crc_is_valid(self.batch.bytes) {
            return Err(self.damaged(&WRONG_CHECKSUM));
        }
        let header = &self.batch.header;
        let mut take = |record: &Record<'_>| {
            if (self.from..self.end).contains(&record.offset) {
                take(record)
            } else {
                Ok(())
            }
        };
        let limit = if header.magic < 2 { LARGEST } else { HELD_AT_ONCE };
        match self.batch.records(scratch, limit) {
            Ok(records) => {
                for record in records {
                    take(&record.map_err(|error| self.damaged(&error))?)?;
                }
                Ok(())
            }
            Err(RecordError::Compression(CompressionError::TooLarge { .. })) if header.magic >= 2 => {
                self.each_streamed(&mut take)
            }
            Err(error) => Err(self.damaged(&error)),
        }
    }

    fn each_streamed(&self, take: &mut dyn FnMut(&Record<'_>) -> Result<()>) -> Result<()> {
        let outcome = self.batch.stream(LARGEST, |records| {
            while let Some(record) = records.next_record() {
                match record.map_err(|error| self.damaged(&error))? {
                    StreamedRecord::Held(record) => take(&record)?,
                    StreamedRecord::Large(_) => {
                        return Err(self.damaged(&"a record is over 1 GB"));
                    }
                }
            }
            Ok(())
        });
        outcome.map_err(|error| self.damaged(&error))?
    }

    fn damaged(&self, why: &dyn std::fmt::Display) -> Error {
        let (first, last) = (self.batch.header.base_offset, self.batch.header.last_offset());
        Error::bad_data(format!(
            "{}-{} offset {first}: damaged batch of offsets {first} to {last}: {why}",
            self.topic, self.partition
        ))
    }
}

/// A record of a batch, as conditions read it.
pub(in crate::commands) struct RecordFields<'a> {
    pub(in crate::commands) topic: &'a str,
    pub(in crate::commands) partition: i32,
    pub(in crate::commands) record: &'a Record<'a>,
}

impl Fields for RecordFields<'_> {
    fn topic(&self) -> &str {
        self.topic
    }

    fn partition(&self) -> i32 {
        self.partition
    }

    fn offset(&self) -> i64 {
        self.record.offset
    }

    fn time(&self) -> i64 {
        self.record.timestamp
    }

    fn key(&self) -> Option<&[u8]> {
        self.record.key
    }

    fn value(&self) -> Option<&[u8]> {
        self.record.value
    }

    fn header(&self, name: &str) -> Option<Option<&[u8]>> {
        let of_name = self.record.headers.filter(|header| header.key == name.as_bytes());
        of_name.last().map(|header| header.value)
    }
}
