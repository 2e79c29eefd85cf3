//! Writes record batches of format 2: records in, the finished bytes of a batch out.
//!
//! Records are encoded straight into the batch's buffer; only a codec needs a second one.

use super::batch_header::{self, HEADER_LEN, TimestampType};
use super::compression::{self, Codec, CompressionError};
use super::fields::put;
use super::record::Header;
use super::varint::{put_i64, size_of_i64};

/// The header fields of a batch that do not follow from its records.
#[derive(Clone, Copy, Debug)]
pub struct BatchOptions {
    pub codec: Codec,
    /// The codec's level; `None` is its default.
    pub level: Option<i32>,
    /// Offset of the first record: 0 on its way to a broker, which sets its own.
    pub base_offset: i64,
    /// -1 on its way to a broker.
    pub partition_leader_epoch: i32,
    pub timestamp_type: TimestampType,
    pub producer: Option<Producer>,
    pub transactional: bool,
    pub control: bool,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            codec: Codec::None,
            level: None,
            base_offset: 0,
            partition_leader_epoch: -1,
            timestamp_type: TimestampType::CreateTime,
            producer: None,
            transactional: false,
            control: false,
        }
    }
}

/// The fields of an idempotent producer (KIP-98).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Producer {
    pub id: i64,
    pub epoch: i16,
    /// Sequence number of the batch's first record; -1 in a control batch.
    pub base_sequence: i32,
}

/// Collects the records of one batch at a time.
#[derive(Debug)]
pub struct BatchBuilder {
    options: BatchOptions,
    /// Room for the header, then the encoded records.
    buffer: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl BatchBuilder {
    pub fn new(options: BatchOptions) -> Self {
        Self::with_buffer(options, Vec::new())
    }

    /// Uses the memory of `buffer`, whose content is dropped.
    pub fn with_buffer(options: BatchOptions, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(HEADER_LEN, 0);
        Self {
            options,
            buffer,
            count: 0,
            base_timestamp: -1,
            max_timestamp: -1,
        }
    }

    /// Records appended so far.
    pub fn count(&self) -> i32 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch so far, before compression.
    pub fn uncompressed_len(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes that [`BatchBuilder::append`] would add for this record; `timestamp` in ms.
    pub fn record_len(
        &self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) -> usize {
        let body = self.body_len(timestamp, key, value, headers);
        size_of_i64(body as i64) + body
    }

    /// Adds one record with `timestamp` (ms since 1970) at the next offset of the batch. Keys, values and headers are
    /// each at most 2³¹-1 bytes long: a batch's length field could not hold more.
    #[inline]
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let body = self.body_len(timestamp, key, value, headers);
        let buffer = &mut self.buffer;
        buffer.reserve(body + 10);
        put_i64(buffer, body as i64);
        buffer.push(0);
        put_i64(buffer, timestamp.wrapping_sub(self.base_timestamp));
        put_i64(buffer, i64::from(self.count));
        put_bytes(buffer, key);
        put_bytes(buffer, value);
        put_i64(buffer, headers.len() as i64);
        for header in headers {
            put_bytes(buffer, Some(header.key));
            put_bytes(buffer, header.value);
        }
        self.count += 1;
    }

    /// Adds a record that has only a value, and returns how many bytes it took; `None` if the batch would grow beyond
    /// `limit` bytes. The first record of a batch may have any size.
    #[inline]
    pub fn append_value(&mut self, timestamp: i64, value: &[u8], limit: usize) -> Option<usize> {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        let delta = timestamp.wrapping_sub(self.base_timestamp);
        let (offset_delta, len) = (i64::from(self.count), value.len() as i64);
        // Attributes, null key and count of headers take a byte each.
        let body = 3 + size_of_i64(delta) + size_of_i64(offset_delta) + size_of_i64(len) + value.len();
        let bytes = size_of_i64(body as i64) + body;
        if self.count > 0 && self.buffer.len() + bytes > limit {
            return None;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let buffer = &mut self.buffer;
        buffer.reserve(bytes);
        put_i64(buffer, body as i64);
        buffer.push(0);
        put_i64(buffer, delta);
        put_i64(buffer, offset_delta);
        put_i64(buffer, -1);
        put_i64(buffer, len);
        buffer.extend_from_slice(value);
        buffer.push(0);
        self.count += 1;
        Some(bytes)
    }

    #[inline]
    fn body_len(
        &self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) -> usize {
        let base = if self.count == 0 {
            timestamp
        } else {
            self.base_timestamp
        };
        let mut len = 1
            + size_of_i64(timestamp.wrapping_sub(base))
            + size_of_i64(i64::from(self.count))
            + size_of_bytes(key)
            + size_of_bytes(value)
            + size_of_i64(headers.len() as i64);
        for header in headers {
            len += size_of_bytes(Some(header.key)) + size_of_bytes(header.value);
        }
        len
    }

    /// The finished batch; the builder is empty afterwards and takes the next batch's records.
    pub fn finish(&mut self) -> Result<Vec<u8>, CompressionError> {
        if self.options.codec == Codec::None {
            return Ok(self.finish_uncompressed());
        }
        let records = self.buffer.get(HEADER_LEN..).unwrap_or_default();
        let mut batch = Vec::with_capacity(HEADER_LEN + records.len() / 2);
        batch.resize(HEADER_LEN, 0);
        compression::compress_at_level(self.options.codec, self.options.level, records, &mut batch)?;
        self.write_header(&mut batch, self.options.codec);
        self.buffer.truncate(HEADER_LEN);
        self.count = 0;
        Ok(batch)
    }

    /// The finished batch without compression, even if a codec was asked for.
    pub fn finish_uncompressed(&mut self) -> Vec<u8> {
        let next = vec![0; HEADER_LEN];
        let mut batch = std::mem::replace(&mut self.buffer, next);
        self.write_header(&mut batch, Codec::None);
        self.count = 0;
        batch
    }

    /// The finished batch without compression and checksum: `producer_fields::stamp` sets the latter.
    pub fn finish_unsealed(&mut self) -> Vec<u8> {
        let next = vec![0; HEADER_LEN];
        let mut batch = std::mem::replace(&mut self.buffer, next);
        self.write_fields(&mut batch, Codec::None);
        self.count = 0;
        batch
    }

    fn write_header(&self, batch: &mut [u8], codec: Codec) {
        self.write_fields(batch, codec);
        batch_header::set_crc(batch);
    }

    fn write_fields(&self, batch: &mut [u8], codec: Codec) {
        let options = &self.options;
        let producer = options.producer.unwrap_or(Producer {
            id: -1,
            epoch: -1,
            base_sequence: -1,
        });
        let attributes = batch_header::attributes(
            codec,
            options.timestamp_type,
            options.transactional,
            options.control,
        );
        let length = (batch.len() - batch_header::LOG_OVERHEAD) as i32;
        put(batch, 0, &options.base_offset.to_be_bytes());
        put(batch, 8, &length.to_be_bytes());
        put(batch, 12, &options.partition_leader_epoch.to_be_bytes());
        put(batch, 16, &[2]);
        put(batch, 21, &attributes.to_be_bytes());
        put(batch, 23, &(self.count - 1).to_be_bytes());
        put(batch, 27, &self.base_timestamp.to_be_bytes());
        put(batch, 35, &self.max_timestamp.to_be_bytes());
        put(batch, 43, &producer.id.to_be_bytes());
        put(batch, 51, &producer.epoch.to_be_bytes());
        put(batch, 53, &producer.base_sequence.to_be_bytes());
        put(batch, 57, &self.count.to_be_bytes());
    }
}

#[inline]
pub(super) fn size_of_bytes(bytes: Option<&[u8]>) -> usize {
    match bytes {
        Some(bytes) => size_of_i64(bytes.len() as i64) + bytes.len(),
        None => 1,
    }
}

#[inline]
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_i64(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
        None => put_i64(out, -1),
    }
}

/// A finished batch of one record of this producer, for tests of what is written into batches afterwards.
#[cfg(test)]
pub(crate) fn one_record(producer: Option<Producer>) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        producer,
        ..BatchOptions::default()
    });
    builder.append(1000, Some(b"k"), Some(b"v"), &[]);
    builder.finish_uncompressed()
}
