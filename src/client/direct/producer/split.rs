//! Splits a batch that is larger than `max.message.bytes` of its topic (KIP-126).

use super::partition_queue::Batch;
use super::tags::Tags;
use crate::client::batch_bytes::BatchBytes;
use crate::records::batch_builder::{BatchBuilder, BatchOptions};
use crate::records::record::Header;
use crate::records::{self, Record};

/// The limit for inflating one of our own batches, in bytes.
const LARGEST_BATCH: usize = 1 << 30;

/// Two batches of about half the bytes each, with the records of `batch` in their order. They keep its codec; a batch
/// of two records or more always becomes smaller.
pub(super) fn halves(batch: &Batch, next_id: &mut u64) -> Vec<Batch> {
    let bytes = batch.bytes.as_ref().map(BatchBytes::whole).unwrap_or_default();
    let Ok(stored) = records::Batch::parse(&bytes) else {
        return Vec::new();
    };
    let mut scratch = Vec::new();
    let codec = stored.header.codec().unwrap_or_default();
    let Ok(found) = stored.records(&mut scratch, LARGEST_BATCH) else {
        return Vec::new();
    };
    let found: Vec<Record<'_>> = found.filter_map(Result::ok).collect();
    let tags: Vec<u64> = batch.tags.iter().collect();
    let middle = middle_of(&found);
    let mut parts = Vec::with_capacity(2);
    for (first, end) in [(0, middle), (middle, found.len())] {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec,
            transactional: stored.header.is_transactional(),
            ..BatchOptions::default()
        });
        let mut part_tags = Tags::default();
        for (record, tag) in found.iter().zip(&tags).take(end).skip(first) {
            let headers: Vec<Header<'_>> = record.headers.collect();
            builder.append(record.timestamp, record.key, record.value, &headers);
            part_tags.push(*tag);
        }
        let bytes = builder.finish().unwrap_or_else(|_| builder.finish_uncompressed());
        let count = (end - first) as u32;
        let mut part = batch.part(*next_id, first as u32, count, part_tags, bytes);
        part.memory = batch.memory * (end - first) / found.len().max(1);
        *next_id += 1;
        parts.push(part);
    }
    parts
}

/// How many records from the first on hold about half of the bytes: at least one, and not all.
fn middle_of(records: &[Record<'_>]) -> usize {
    let size =
        |record: &Record<'_>| record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + 8;
    let half = records.iter().map(size).sum::<usize>() / 2;
    let mut bytes = 0;
    let fits = |record: &&Record<'_>| {
        bytes += size(record);
        bytes <= half
    };
    let count = records.iter().take_while(fits).count();
    count.clamp(1, records.len().saturating_sub(1).max(1))
}
