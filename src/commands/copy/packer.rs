//! Records of batches that cannot be sent unchanged, or are too small to be sent alone, packed into new batches.
//!
//! One packer for each target partition. Records keep keys, values, headers and times; a batch has records of one codec
//! only, so that what was compressed stays compressed.

use super::ledger::Origin;
use crate::records::batch_builder::{BatchBuilder, BatchOptions};
use crate::records::{Codec, Header, Record};

/// The bytes of a batch before compression: the usual `max.message.bytes`, with some space for services whose limit is
/// a little lower.
pub(super) const BATCH_BYTES: usize = 1_000_000;

/// A packed batch, not compressed yet.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) codec: Codec,
    pub(super) origins: Vec<Origin>,
}

/// Packs the records of one target partition.
#[derive(Debug)]
pub(super) struct Packer {
    builder: BatchBuilder,
    codec: Codec,
    origins: Vec<Origin>,
    /// The most bytes of a batch, unless it has a single record.
    limit: usize,
}

impl Packer {
    pub(super) fn new(limit: usize, is_transactional: bool) -> Self {
        Self {
            builder: BatchBuilder::new(BatchOptions {
                transactional: is_transactional,
                ..BatchOptions::default()
            }),
            codec: Codec::None,
            origins: Vec::new(),
            limit,
        }
    }

    /// Adds a record. Returns the previous batch, if the record does not fit into it.
    pub(super) fn add(&mut self, record: &Record<'_>, codec: Codec, origin: Origin) -> Option<Packed> {
        let headers: Vec<Header<'_>> = record.headers.collect();
        let bytes = self
            .builder
            .record_len(record.timestamp, record.key, record.value, &headers);
        let is_full = !self.builder.is_empty()
            && (codec != self.codec || self.builder.uncompressed_len() + bytes > self.limit);
        let full = if is_full { self.take() } else { None };
        self.codec = codec;
        self.builder
            .append(record.timestamp, record.key, record.value, &headers);
        self.origins.push(origin);
        full
    }

    /// The batch packed so far.
    pub(super) fn take(&mut self) -> Option<Packed> {
        if self.builder.is_empty() {
            return None;
        }
        Some(Packed {
            bytes: self.builder.finish_unsealed(),
            codec: self.codec,
            origins: std::mem::take(&mut self.origins),
        })
    }
}
