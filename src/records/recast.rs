//! A batch that is copied from one log to another: whether a broker accepts its bytes from a producer, and the header
//! fields that are set if it does.
//!
//! What a leader checks of a producer's batch is in Apache Kafka's `LogValidator`: offsets without gaps, times given by
//! the producer, no marker. <https://kafka.apache.org/documentation/#recordbatch>

use super::batch_builder::Producer;
use super::batch_header::{self, BatchHeader, TimestampType};
use super::checksum_change::{change_header, change_header_before};
use super::producer_fields;

/// Whether a producer may send this batch as it is in a log, with the header of [`set_header`]. A batch with gaps, with
/// times given by a broker, with a delete horizon or of an old format must be rewritten.
pub fn can_be_sent(header: &BatchHeader) -> bool {
    header.magic == 2
        && !header.is_control()
        && header.timestamp_type() == TimestampType::CreateTime
        && header.delete_horizon_ms().is_none()
        && header.codec().is_some()
        && header.records_count > 0
        && i64::from(header.last_offset_delta) + 1 == i64::from(header.records_count)
}

/// Makes a producer's batch out of one that [`can_be_sent`]: offsets from 0 on, no leader epoch, no attribute but the
/// codec and whether it is part of a transaction. A correct checksum stays correct. `bytes` begins with the header and
/// lacks the last `elsewhere` bytes of the batch.
pub fn set_header(bytes: &mut [u8], elsewhere: usize, is_transactional: bool) {
    batch_header::set_base_offset(bytes, 0);
    batch_header::set_leader_epoch(bytes, -1);
    change_header_before(bytes, elsewhere, |bytes| {
        batch_header::keep_codec(bytes, is_transactional);
    });
}

/// Removes the producer's id, epoch and sequence number and the transactional attribute: readers see the same records,
/// and the batch may be anywhere in a log. A correct checksum stays correct.
pub fn forget_producer(bytes: &mut [u8]) {
    change_header(bytes, batch_header::clear_transactional);
    let nobody = Producer {
        id: -1,
        epoch: -1,
        base_sequence: -1,
    };
    producer_fields::stamp_sealed(bytes, 0, nobody);
}

#[cfg(test)]
mod tests {
    use super::super::batch_builder::{BatchBuilder, BatchOptions, Producer};
    use super::super::compacted_batch;
    use super::super::{Batch, Codec};
    use super::*;

    fn batch(options: BatchOptions) -> Vec<u8> {
        let mut builder = BatchBuilder::new(options);
        for n in 0..3_u8 {
            builder.append(1000 + i64::from(n), Some(&[n]), None, &[]);
        }
        builder.finish().unwrap()
    }

    fn logged() -> BatchOptions {
        BatchOptions {
            codec: Codec::Zstd,
            base_offset: 500,
            partition_leader_epoch: 9,
            producer: Some(Producer {
                id: 4,
                epoch: 1,
                base_sequence: 77,
            }),
            transactional: true,
            ..BatchOptions::default()
        }
    }

    #[test]
    fn a_batch_of_a_log_becomes_a_producer_s() {
        let mut bytes = batch(logged());
        assert!(can_be_sent(&BatchHeader::parse(&bytes).unwrap()));
        set_header(&mut bytes, 0, false);
        super::super::producer_fields::stamp_sealed(
            &mut bytes,
            0,
            Producer {
                id: 8,
                epoch: 0,
                base_sequence: 0,
            },
        );
        assert_eq!(
            bytes,
            batch(BatchOptions {
                codec: Codec::Zstd,
                producer: Some(Producer {
                    id: 8,
                    epoch: 0,
                    base_sequence: 0
                }),
                ..BatchOptions::default()
            })
        );
    }

    #[test]
    fn a_batch_without_its_producer_is_one_that_never_had_any() {
        let mut bytes = batch(BatchOptions {
            timestamp_type: TimestampType::LogAppendTime,
            ..logged()
        });
        forget_producer(&mut bytes);
        let plain = batch(BatchOptions {
            timestamp_type: TimestampType::LogAppendTime,
            producer: None,
            transactional: false,
            ..logged()
        });
        assert_eq!(bytes, plain);
    }

    #[test]
    fn what_a_broker_would_refuse_or_misread_is_written_anew() {
        let append_time = batch(BatchOptions {
            timestamp_type: TimestampType::LogAppendTime,
            ..logged()
        });
        assert!(!can_be_sent(&BatchHeader::parse(&append_time).unwrap()));
        let marker = batch(BatchOptions {
            control: true,
            ..logged()
        });
        assert!(!can_be_sent(&BatchHeader::parse(&marker).unwrap()));
        let whole = batch(logged());
        let whole = Batch::parse(&whole).unwrap();
        let mut scratch = Vec::new();
        let records = whole.records(&mut scratch, 1 << 20).unwrap();
        let records: Vec<_> = records.map(Result::unwrap).collect();
        let mut gap = Vec::new();
        compacted_batch::with_records(&whole, &records[..2], None, &mut gap).unwrap();
        assert!(!can_be_sent(&BatchHeader::parse(&gap).unwrap()));
        let mut horizon = Vec::new();
        compacted_batch::with_records(&whole, &records, Some(5), &mut horizon).unwrap();
        assert!(!can_be_sent(&BatchHeader::parse(&horizon).unwrap()));
        let mut empty = Vec::new();
        compacted_batch::without_records(&whole, &mut empty);
        assert!(!can_be_sent(&BatchHeader::parse(&empty).unwrap()));
    }
}
