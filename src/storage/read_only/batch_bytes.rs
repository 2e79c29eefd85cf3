//! The bytes of a batch, in memory or in a file, and the records in them.
//!
//! Owns how much of a batch is in memory at a time: a body that inflates to more is read piece by piece.

use std::io::{self, BufRead, BufReader, Read, Write};

use crate::records::batch_header::{self, BatchHeader, HEADER_LEN};
use crate::records::compression::{self, Codec, CompressionError};
use crate::records::record_stream::Span;
use crate::records::{Batch, RecordError, RecordStream, StreamedRecord, inflate};
use crate::storage::chunk::ChunkBatch;
use crate::storage::file_window::MappedBatch;
use crate::storage::large_batch::LargeBatch;

/// The most bytes that a body may inflate to in memory.
pub(crate) const HELD_INFLATED: usize = 2 << 20;
/// The most bytes of an entry of format 0 or 1, stored and inflated: it cannot be read piece by piece.
pub(crate) const LEGACY_LIMIT: usize = 8 << 20;

/// A whole batch's bytes, header included.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BatchBytes<'a> {
    Held(&'a [u8]),
    Mapped(MappedBatch<'a>),
    Stored(&'a LargeBatch),
}

impl<'a> From<ChunkBatch<'a>> for BatchBytes<'a> {
    fn from(batch: ChunkBatch<'a>) -> Self {
        match batch {
            ChunkBatch::Held(bytes) => Self::Held(bytes),
            ChunkBatch::Mapped(mapped) => Self::Mapped(mapped),
        }
    }
}

impl<'a> BatchBytes<'a> {
    pub(crate) fn len(self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Mapped(mapped) => mapped.size(),
            Self::Stored(large) => large.size,
        }
    }

    /// The checksum that the header should state. If the bytes cannot be read, it differs from the stated one.
    pub(crate) fn computed_crc(self, header: &BatchHeader) -> u32 {
        match self {
            Self::Held(bytes) => batch_header::computed_crc(bytes),
            Self::Mapped(mapped) => mapped.computed_crc(header.magic),
            Self::Stored(large) => large.computed_crc(header).unwrap_or(!header.crc),
        }
    }

    pub(crate) fn is_valid(self, header: &BatchHeader) -> bool {
        self.computed_crc(header) == header.crc
    }

    /// Everything from `skip` on.
    pub(crate) fn reader(self, skip: usize) -> Box<dyn BufRead + Send + 'a> {
        match self {
            Self::Held(bytes) => Box::new(bytes.get(skip..).unwrap_or_default()),
            Self::Mapped(mapped) => Box::new(BufReader::new(mapped.behind(skip))),
            Self::Stored(large) => Box::new(large.reader(skip as u64)),
        }
    }

    pub(crate) fn copy_to(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Held(bytes) => out.write_all(bytes),
            Self::Mapped(mut mapped) => io::copy(&mut mapped, out).map(|_| ()),
            Self::Stored(large) => io::copy(&mut large.reader(0), out).map(|_| ()),
        }
    }

    /// The records of a batch of format 2, read piece by piece.
    pub(crate) fn stream(
        self,
        header: &BatchHeader,
    ) -> Result<RecordStream<Box<dyn Read + Send + 'a>>, RecordError> {
        let codec = header.codec().ok_or(RecordError::NO_CODEC)?;
        let reader =
            inflate::reader(codec, self.reader(HEADER_LEN)).map_err(|error| inflate::error(codec, &error))?;
        Ok(RecordStream::new(header, reader))
    }

    /// All bytes of an entry of format 0 or 1; `buffer` holds those of a large one.
    pub(crate) fn legacy<'b>(self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], RecordError>
    where
        'a: 'b,
    {
        match self {
            Self::Held(bytes) => Ok(bytes),
            _ if self.len() > LEGACY_LIMIT as u64 => Err(RecordError::Malformed(
                "a message of format 0 or 1 of more than 8 MiB",
            )),
            Self::Mapped(_) | Self::Stored(_) => {
                let read = self.reader(0).read_to_end(buffer);
                read.map_err(|error| compression::corrupt(Codec::None, &error))?;
                Ok(buffer)
            }
        }
    }

    /// Visits the records, and last of all the error that ended them. Returns how many bytes the body inflates to.
    pub(crate) fn each_record<E>(
        self,
        header: &BatchHeader,
        scratch: &mut Vec<u8>,
        mut visit: impl FnMut(Result<StreamedRecord<'_>, RecordError>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let is_legacy = header.magic < 2;
        let mut buffer = Vec::new();
        let bytes = match self {
            Self::Held(bytes) => Some(bytes),
            Self::Mapped(_) | Self::Stored(_) if is_legacy => match self.legacy(&mut buffer) {
                Ok(bytes) => Some(bytes),
                Err(error) => return visit(Err(error)).map(|()| 0),
            },
            Self::Mapped(_) | Self::Stored(_) => None,
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
                    records.try_for_each(|record| visit(record.map(StreamedRecord::Held)))?;
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
        // Frees what was inflated so far: the records are read through a window now.
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

/// Bytes of a piece of a key or value that is not held: a multiple of three, for base64.
const PIECE_BYTES: usize = 48 * 1024;

/// Reads parts of a batch's inflated body, one after the other.
pub(crate) struct Spans<'a> {
    bytes: BatchBytes<'a>,
    codec: Codec,
    reader: Option<Box<dyn Read + Send + 'a>>,
    at: u64,
}

impl<'a> Spans<'a> {
    pub(crate) fn new(bytes: BatchBytes<'a>, header: &BatchHeader) -> Self {
        Self {
            bytes,
            codec: header.codec().unwrap_or_default(),
            reader: None,
            at: 0,
        }
    }

    /// Hands out the bytes of a span piece by piece; each but the last has [`PIECE_BYTES`].
    pub(crate) fn copy<E: From<RecordError>>(
        &mut self,
        span: Span,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let codec = self.codec;
        let failed = |error: &io::Error| RecordError::from(inflate::error(codec, error));
        let ahead = self.reader.take().filter(|_| self.at <= span.start);
        let mut reader = if let Some(reader) = ahead {
            reader
        } else {
            self.at = 0;
            inflate::reader(codec, self.bytes.reader(HEADER_LEN)).map_err(|error| failed(&error))?
        };
        let mut before = reader.by_ref().take(span.start - self.at);
        io::copy(&mut before, &mut io::sink()).map_err(|error| failed(&error))?;
        let mut left = span.len;
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        while left > 0 {
            piece.clear();
            let most = left.min(PIECE_BYTES as u64);
            let read = reader.by_ref().take(most).read_to_end(&mut piece);
            read.map_err(|error| failed(&error))?;
            if piece.is_empty() {
                return Err(RecordError::Malformed("value").into());
            }
            take(&piece)?;
            left -= piece.len() as u64;
        }
        self.at = span.start + span.len;
        self.reader = Some(reader);
        Ok(())
    }
}
