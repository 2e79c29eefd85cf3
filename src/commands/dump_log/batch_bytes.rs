//! The bytes of a batch, in memory or where they stand in a file, and the records in them.
//!
//! Owns what of a batch is held: a body that inflates to more is read piece by piece.

use std::io::{self, BufRead, Read, Write};

use crate::records::batch_header::{self, BatchHeader, HEADER_LEN};
use crate::records::compression::{self, Codec, CompressionError};
use crate::records::{Batch, Record, RecordError, RecordStream, inflate};
use crate::storage::large_batch::LargeBatch;

/// What a body that is held may inflate to.
pub(super) const HELD_INFLATED: usize = 2 << 20;
/// What an entry of format 0 or 1 may have, stored and inflated: it cannot be read piece by piece.
pub(super) const LEGACY_LIMIT: usize = 8 << 20;

/// A whole batch's bytes, header included.
#[derive(Clone, Copy, Debug)]
pub(super) enum BatchBytes<'a> {
    Held(&'a [u8]),
    Stored(&'a LargeBatch),
}

impl<'a> BatchBytes<'a> {
    pub(super) fn len(self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Stored(large) => large.size,
        }
    }

    /// The checksum as it should stand in the header; a file that cannot be read has none that fits.
    pub(super) fn computed_crc(self, header: &BatchHeader) -> u32 {
        match self {
            Self::Held(bytes) => batch_header::computed_crc(bytes),
            Self::Stored(large) => large.computed_crc(header).unwrap_or(!header.crc),
        }
    }

    pub(super) fn is_valid(self, header: &BatchHeader) -> bool {
        self.computed_crc(header) == header.crc
    }

    /// Everything from `skip` on.
    pub(super) fn reader(self, skip: usize) -> Box<dyn BufRead + Send + 'a> {
        match self {
            Self::Held(bytes) => Box::new(bytes.get(skip..).unwrap_or_default()),
            Self::Stored(large) => Box::new(large.reader(skip as u64)),
        }
    }

    pub(super) fn copy_to(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Held(bytes) => out.write_all(bytes),
            Self::Stored(large) => io::copy(&mut large.reader(0), out).map(|_| ()),
        }
    }

    /// The records of a batch of format 2, read piece by piece.
    pub(super) fn stream(
        self,
        header: &BatchHeader,
    ) -> Result<RecordStream<Box<dyn Read + Send + 'a>>, RecordError> {
        let codec = header.codec().ok_or(RecordError::NO_CODEC)?;
        let reader =
            inflate::reader(codec, self.reader(HEADER_LEN)).map_err(|error| inflate::error(codec, &error))?;
        Ok(RecordStream::new(header, reader))
    }

    /// All bytes of an entry of format 0 or 1; `buffer` holds those of a large one.
    pub(super) fn legacy<'b>(self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], RecordError>
    where
        'a: 'b,
    {
        match self {
            Self::Held(bytes) => Ok(bytes),
            Self::Stored(large) if large.size > LEGACY_LIMIT as u64 => Err(RecordError::Malformed(
                "a message of format 0 or 1 of more than 8 MiB",
            )),
            Self::Stored(large) => {
                let read = large.reader(0).read_to_end(buffer);
                read.map_err(|error| compression::corrupt(Codec::None, &error))?;
                Ok(buffer)
            }
        }
    }

    /// Visits the records, and at last the error that ended them; answers how many bytes the body inflates to.
    pub(super) fn each_record<E>(
        self,
        header: &BatchHeader,
        scratch: &mut Vec<u8>,
        mut visit: impl FnMut(Result<Record<'_>, RecordError>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let is_legacy = header.magic < 2;
        let mut buffer = Vec::new();
        let bytes = match self {
            Self::Held(bytes) => Some(bytes),
            Self::Stored(_) if is_legacy => match self.legacy(&mut buffer) {
                Ok(bytes) => Some(bytes),
                Err(error) => return visit(Err(error)).map(|()| 0),
            },
            Self::Stored(_) => None,
        };
        if let Some(bytes) = bytes {
            let whole = Batch {
                position: 0,
                header: *header,
                bytes,
            };
            let limit = if is_legacy { LEGACY_LIMIT } else { HELD_INFLATED };
            match whole.records(scratch, limit) {
                Ok(mut records) => {
                    records.try_for_each(&mut visit)?;
                    let inflated = match header.codec() {
                        Some(Codec::None) => bytes.len().saturating_sub(header.body_at()),
                        _ => scratch.len(),
                    };
                    return Ok(inflated as u64);
                }
                Err(RecordError::Compression(CompressionError::TooLarge { .. })) if !is_legacy => {}
                Err(error) => return visit(Err(error)).map(|()| 0),
            }
        }
        // What did not fit is not kept: a window is needed now.
        *scratch = Vec::new();
        let mut stream = match self.stream(header) {
            Ok(stream) => stream,
            Err(error) => return visit(Err(error)).map(|()| 0),
        };
        while let Some(record) = stream.next_record() {
            visit(record)?;
        }
        Ok(stream.bytes())
    }
}
