//! A batch of format 2 without the records that compaction removed, written as Apache Kafka writes it.
//!
//! The batch keeps its base offset, last offset, producer, sequence numbers, leader epoch and codec; removed records
//! leave gaps in the offsets. Why a record is removed is not known here. KIP-534 defines the delete horizon.

use super::batch_builder::{put_bytes, size_of_bytes};
use super::batch_header::{self, HEADER_LEN, TimestampType};
use super::batches::Batch;
use super::compression::{self, Codec, CompressionError};
use super::record::Record;
use super::varint::{put_i64, size_of_i64};

/// Appends to `out` the batch with `records`, a selection of its own in their order, at least one. With a delete
/// horizon (ms since 1970) the header states it in place of the base timestamp.
///
/// # Errors
///
/// The codec fails, or the batch has a codec number without a meaning; `out` is then as it was.
pub fn with_records(
    batch: &Batch<'_>,
    records: &[Record<'_>],
    delete_horizon_ms: Option<i64>,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let offsets = (batch.header.base_offset, batch.header.last_offset());
    with_records_between(batch, records, offsets, delete_horizon_ms, out)
}

/// [`with_records`] for a part of the batch: the new one spans the offsets from `offsets.0` to `offsets.1`, inclusive.
pub fn with_records_between(
    batch: &Batch<'_>,
    records: &[Record<'_>],
    offsets: (i64, i64),
    delete_horizon_ms: Option<i64>,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let header = &batch.header;
    let first = records
        .first()
        .map_or(header.base_timestamp, |record| record.timestamp);
    let base_timestamp = delete_horizon_ms.unwrap_or(first);
    let max_timestamp = if header.timestamp_type() == TimestampType::LogAppendTime {
        header.max_timestamp
    } else {
        records.iter().map(|record| record.timestamp).max().unwrap_or(-1)
    };
    let start = out.len();
    out.extend_from_slice(batch.bytes.get(..HEADER_LEN).unwrap_or_default());
    let codec = header.codec().unwrap_or_default();
    let mut plain = Vec::new();
    let body = if codec == Codec::None {
        &mut *out
    } else {
        &mut plain
    };
    for record in records {
        put_record(body, record, base_timestamp, offsets.0);
    }
    if codec != Codec::None
        && let Err(error) = compression::compress_at_level(codec, None, &plain, out)
    {
        out.truncate(start);
        return Err(error);
    }
    let written = out.get_mut(start..).unwrap_or_default();
    let times = (base_timestamp, max_timestamp);
    batch_header::set_offsets(written, offsets.0, (offsets.1 - offsets.0) as i32);
    batch_header::set_contents(
        written,
        records.len() as i32,
        times,
        delete_horizon_ms.is_some(),
        codec,
    );
    Ok(())
}

/// Appends to `out` the batch's header without any record: it keeps the producer's last sequence number, or the offset
/// at which the log continues.
pub fn without_records(batch: &Batch<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(batch.bytes.get(..HEADER_LEN).unwrap_or_default());
    let written = out.get_mut(start..).unwrap_or_default();
    let times = (batch.header.max_timestamp, batch.header.max_timestamp);
    batch_header::set_contents(written, 0, times, false, Codec::None);
}

fn put_record(out: &mut Vec<u8>, record: &Record<'_>, base_timestamp: i64, base_offset: i64) {
    let timestamp_delta = record.timestamp.wrapping_sub(base_timestamp);
    let offset_delta = record.offset.wrapping_sub(base_offset);
    let header_count = record.headers.len();
    let mut len = 1
        + size_of_i64(timestamp_delta)
        + size_of_i64(offset_delta)
        + size_of_bytes(record.key)
        + size_of_bytes(record.value)
        + size_of_i64(header_count as i64);
    for header in record.headers {
        len += size_of_bytes(Some(header.key)) + size_of_bytes(header.value);
    }
    put_i64(out, len as i64);
    out.push(0);
    put_i64(out, timestamp_delta);
    put_i64(out, offset_delta);
    put_bytes(out, record.key);
    put_bytes(out, record.value);
    put_i64(out, header_count as i64);
    for header in record.headers {
        put_bytes(out, Some(header.key));
        put_bytes(out, header.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Header;
    use crate::records::batch_builder::{BatchBuilder, BatchOptions, Producer};

    #[test]
    fn what_is_left_reads_as_before_in_every_codec() {
        for codec in Codec::ALL {
            let mut builder = BatchBuilder::new(BatchOptions {
                codec,
                base_offset: 100,
                partition_leader_epoch: 3,
                producer: Some(Producer {
                    id: 7,
                    epoch: 1,
                    base_sequence: 40,
                }),
                ..BatchOptions::default()
            });
            let headers = [Header {
                key: b"h",
                value: None,
            }];
            for n in 0..6_i64 {
                let value = (n != 4).then_some(&b"value"[..]);
                builder.append(5000 + n * 10, Some(&[n as u8]), value, &headers);
            }
            let bytes = builder.finish().unwrap();
            let batch = Batch::parse(&bytes).unwrap();
            let mut scratch = Vec::new();
            let all: Vec<_> = batch
                .records(&mut scratch, 1 << 20)
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let kept = [all[1], all[4]];
            for horizon in [None, Some(9_000_000)] {
                let mut out = b"before".to_vec();
                with_records(&batch, &kept, horizon, &mut out).unwrap();
                let left = Batch::parse(&out[6..]).unwrap();
                assert!(batch_header::crc_is_valid(left.bytes));
                assert_eq!(left.bytes.len(), out.len() - 6);
                let header = left.header;
                assert_eq!((header.base_offset, header.last_offset()), (100, 105));
                assert_eq!(
                    (header.producer_id, header.base_sequence, header.last_sequence()),
                    (7, 40, 45)
                );
                assert_eq!((header.partition_leader_epoch, header.records_count), (3, 2));
                assert_eq!(
                    (header.max_timestamp, header.delete_horizon_ms()),
                    (5040, horizon)
                );
                assert_eq!(header.codec(), Some(codec));
                let mut scratch = Vec::new();
                let found: Vec<_> = left
                    .records(&mut scratch, 1 << 20)
                    .unwrap()
                    .map(Result::unwrap)
                    .collect();
                assert_eq!(found, kept);
            }
            let mut out = Vec::new();
            with_records_between(&batch, &all[2..5], (102, 104), None, &mut out).unwrap();
            let part = Batch::parse(&out).unwrap();
            assert!(batch_header::crc_is_valid(part.bytes));
            assert_eq!((part.header.base_offset, part.header.last_offset()), (102, 104));
            let mut scratch = Vec::new();
            let found = part.records(&mut scratch, 1 << 20).unwrap();
            let offsets: Vec<i64> = found.map(|record| record.unwrap().offset).collect();
            assert_eq!(offsets, [102, 103, 104]);
            let mut out = Vec::new();
            without_records(&batch, &mut out);
            let left = Batch::parse(&out).unwrap();
            assert!(batch_header::crc_is_valid(left.bytes) && left.body().is_empty());
            assert_eq!(
                (left.header.records_count, left.header.codec()),
                (0, Some(Codec::None))
            );
            assert_eq!(
                (left.header.last_sequence(), left.header.max_timestamp),
                (45, 5050)
            );
        }
    }
}
