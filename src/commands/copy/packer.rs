//! Records out of batches that cannot be sent as they are, or are too small to travel alone, packed into new ones.
//!
//! One packer for each target partition. Records keep keys, values, headers and times; a batch takes records of one codec
//! only, so that what was compressed stays so.

use super::ledger::Origin;
use crate::records::batch_builder::{BatchBuilder, BatchOptions};
use crate::records::{Codec, Header, Record};

/// Bytes of a batch before compression: as many as `max.message.bytes` usually allows, with room for services that keep it
/// a little lower.
pub(super) const BATCH_BYTES: usize = 1_000_000;

/// A batch that is packed, not compressed yet.
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
    /// Bytes of a batch at most, unless it has a single record.
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

    /// Adds a record. Answers with the batch before it, where it does not go into that.
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

    /// The batch as far as it is packed.
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
