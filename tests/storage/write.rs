//! Batches and logs for the tests of this folder.

use std::path::Path;

use kafkit::records::batch_builder::{BatchBuilder, BatchOptions, Producer};
use kafkit::records::{Batches, Codec};
use kafkit::storage::{Appended, LogConfig, PartitionLog, Recovery};

/// A moment that all tests begin at.
pub const NOW_MS: i64 = 1_800_000_000_000;

/// A batch of `count` records, one millisecond apart from `timestamp` on, each about a hundred bytes.
pub fn batch(codec: Codec, timestamp: i64, count: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        ..BatchOptions::default()
    });
    for n in 0..count {
        let value = format!("record {n:086}");
        builder.append(timestamp + n, Some(b"key"), Some(value.as_bytes()), &[]);
    }
    builder.finish().unwrap()
}

/// A batch of one record of an idempotent or transactional producer.
pub fn producer_batch(producer: Producer, transactional: bool) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        producer: Some(producer),
        transactional,
        ..BatchOptions::default()
    });
    builder.append(NOW_MS, None, Some(b"value"), &[]);
    builder.finish_uncompressed()
}

/// Opens the log as a broker does that knows nothing of how the last one ended.
pub fn reopen_after_crash(folder: &Path, config: &LogConfig) -> PartitionLog {
    PartitionLog::open(folder, config.clone(), Recovery::default(), NOW_MS).unwrap()
}

/// Opens the log as a broker does after a clean shutdown.
pub fn reopen(folder: &Path, config: &LogConfig) -> PartitionLog {
    let recovery = Recovery {
        clean_shutdown: true,
        ..Recovery::default()
    };
    PartitionLog::open(folder, config.clone(), recovery, NOW_MS).unwrap()
}

/// Appends a batch of `count` plain records.
pub fn append(log: &mut PartitionLog, timestamp: i64, count: i64) -> Appended {
    log.append(&mut batch(Codec::None, timestamp, count), 0, NOW_MS)
        .unwrap()
}

/// The offsets of all records from `offset` to the log's end, read as a consumer does.
pub fn offsets(log: &PartitionLog, from: i64) -> Vec<i64> {
    let mut offsets = Vec::new();
    let mut next = from;
    while next < log.log_end_offset() {
        let bytes = log
            .read(next, 700, log.log_end_offset(), true)
            .unwrap()
            .to_vec()
            .unwrap();
        let before = next;
        let mut batches = Batches::new(&bytes);
        for batch in &mut batches {
            let batch = batch.unwrap();
            assert!(kafkit::records::batch_header::crc_is_valid(batch.bytes));
            for record in batch.records(&mut Vec::new(), 1 << 20).unwrap() {
                offsets.push(record.unwrap().offset);
            }
            next = batch.header.next_offset();
        }
        assert_eq!(batches.remaining(), 0, "slices hold whole batches");
        assert!(next > before, "a read at {before} gives something new");
    }
    offsets.retain(|offset| *offset >= from);
    offsets
}
