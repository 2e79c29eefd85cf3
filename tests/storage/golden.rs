//! Files that Apache Kafka wrote, read back and held against the text of Apache Kafka's own dump tool.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use kafkit::records::batch_header::crc_is_valid;
use kafkit::records::batches::BatchRecords;
use kafkit::records::control_record::{ControlType, EndTransactionMarker};
use kafkit::records::message_set::StoredMessage;
use kafkit::records::record::Record;
use kafkit::records::{Batch, BatchHeader, Batches};
use kafkit::storage::file_name::{self, FileKind};
use kafkit::storage::offset_index::OffsetIndex;
use kafkit::storage::time_index::TimeIndex;
use kafkit::storage::{LogConfig, producer_snapshot, transaction_index};

use super::write::{offsets, reopen, reopen_after_crash};

fn segments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/segments")
}

fn copy_of(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(segments().join(name)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn optional(number: Option<i64>) -> String {
    number.map_or("OptionalLong.empty".to_owned(), |number| {
        format!("OptionalLong[{number}]")
    })
}

fn batch_line(batch: &Batch<'_>) -> String {
    let header = &batch.header;
    let begin = if header.magic < 2 {
        format!("offset: {}", header.last_offset())
    } else {
        format!(
            "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} \
             producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {}",
            header.base_offset,
            header.last_offset(),
            header.records_count,
            header.base_sequence,
            header.last_sequence(),
            header.producer_id,
            header.producer_epoch,
            header.partition_leader_epoch,
            header.is_transactional(),
            header.is_control(),
            optional(header.delete_horizon_ms()),
        )
    };
    format!(
        "{begin} position: {} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {}",
        batch.position,
        header.timestamp_type().name(),
        header.max_timestamp,
        header.size_in_bytes(),
        header.magic,
        header.codec().unwrap(),
        header.crc,
        crc_is_valid(batch.bytes),
    )
}

/// `message` is what has a checksum of its own, in the formats before 2.
fn record_line(batch: &Batch<'_>, record: &Record<'_>, message: Option<&[u8]>) -> String {
    let len = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
    let mut line = format!(
        "| offset: {} {}: {} keySize: {} valueSize: {}",
        record.offset,
        batch.header.timestamp_type().name(),
        record.timestamp,
        len(record.key),
        len(record.value),
    );
    if batch.header.magic == 2 {
        let keys: Vec<String> = record.headers.map(|header| text(header.key)).collect();
        write!(
            line,
            " sequence: {} headerKeys: [{}]",
            record.sequence,
            keys.join(",")
        )
        .unwrap();
    }
    if let Some(message) = message {
        let crc = BatchHeader::parse(message).unwrap().crc;
        write!(line, " isValid: {} crc: {crc}", crc_is_valid(message)).unwrap();
    }
    if batch.header.is_control() {
        let marker = EndTransactionMarker::parse(record).unwrap();
        assert_eq!(
            marker.committed,
            ControlType::parse(record.key.unwrap()) == Some(ControlType::Commit)
        );
        let name = if marker.committed { "COMMIT" } else { "ABORT" };
        write!(
            line,
            " endTxnMarker: {name} coordinatorEpoch: {}",
            marker.coordinator_epoch
        )
        .unwrap();
        return line;
    }
    for (name, bytes) in [("key", record.key), ("payload", record.value)] {
        if let Some(bytes) = bytes {
            write!(line, " {name}: {}", text(bytes)).unwrap();
        }
    }
    line
}

/// What the dump tool says of the file, from our own reading of it.
fn describe(path: &Path, base_offset: i64, kind: FileKind) -> Vec<String> {
    match kind {
        FileKind::Log => {
            let bytes = fs::read(path).unwrap();
            let mut lines = vec![format!("Log starting offset: {base_offset}")];
            for batch in Batches::new(&bytes) {
                let batch = batch.unwrap();
                lines.push(batch_line(&batch));
                match batch.records(&mut Vec::new(), 1 << 20).unwrap() {
                    BatchRecords::Current(records) => {
                        lines.extend(records.map(|record| record_line(&batch, &record.unwrap(), None)));
                    }
                    BatchRecords::Legacy(mut messages) => {
                        while let Some(message) = messages.next_message() {
                            let StoredMessage { record, bytes, .. } = message.unwrap();
                            lines.push(record_line(&batch, &record, Some(bytes)));
                        }
                    }
                }
            }
            lines
        }
        FileKind::OffsetIndex => {
            let index = OffsetIndex::open(path, base_offset).unwrap();
            let entry = |at| index.get(at).unwrap();
            let line = |at| format!("offset: {} position: {}", entry(at).offset, entry(at).position);
            (0..index.len()).map(line).collect()
        }
        FileKind::TimeIndex => {
            let index = TimeIndex::open(path, base_offset).unwrap();
            let entry = |at| index.get(at).unwrap();
            let line = |at| format!("timestamp: {} offset: {}", entry(at).timestamp, entry(at).offset);
            (0..index.len()).map(line).collect()
        }
        FileKind::TransactionIndex => {
            let line = |row: &transaction_index::AbortedTransaction| {
                format!(
                    "version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}",
                    row.producer_id, row.first_offset, row.last_offset, row.last_stable_offset
                )
            };
            transaction_index::read(path).unwrap().iter().map(line).collect()
        }
        FileKind::ProducerSnapshot => {
            let entries = producer_snapshot::read(path).unwrap();
            entries.iter().map(snapshot_line).collect()
        }
    }
}

fn snapshot_line(entry: &producer_snapshot::ProducerSnapshotEntry) -> String {
    let open = Some(entry.current_transaction_first_offset).filter(|offset| *offset >= 0);
    let mut line = format!(
        "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} lastTimestamp: {}",
        entry.producer_id,
        entry.producer_epoch,
        entry.coordinator_epoch,
        optional(open),
        entry.timestamp,
    );
    if entry.last_offset >= 0 {
        write!(
            line,
            " firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
            entry.last_sequence - entry.offset_delta,
            entry.last_sequence,
            entry.last_offset,
            entry.offset_delta,
            entry.timestamp,
        )
        .unwrap();
    }
    line
}

#[test]
fn every_file_says_what_apache_kafka_says_it_says() {
    let dump = fs::read_to_string(segments().join("dump.txt")).unwrap();
    let mut files = 0;
    for section in dump.split("Dumping ").skip(1) {
        let (name, rest) = section.split_once('\n').unwrap();
        let path = segments().join(name);
        let (base_offset, kind) = file_name::parse(path.file_name().unwrap().to_str().unwrap()).unwrap();
        let expected: Vec<&str> = rest
            .lines()
            .filter(|line| !line.ends_with(" is empty."))
            .collect();
        assert_eq!(describe(&path, base_offset, kind), expected, "{name}");
        files += 1;
    }
    assert!(files > 60, "the dump text names all files, not {files}");
}

#[test]
fn snapshots_are_written_as_apache_kafka_writes_them() {
    for name in [
        "plain/00000000000000000006.snapshot",
        "txn/00000000000000000026.snapshot",
    ] {
        let path = segments().join(name);
        let entries = producer_snapshot::read(&path).unwrap();
        assert_eq!(producer_snapshot::format(entries), fs::read(path).unwrap());
    }
}

/// Recovery forgets Kafka's indexes, producer states and transaction index and makes its own: they must be equal.
#[test]
fn recovery_makes_the_files_that_apache_kafka_made() {
    for (name, interval) in [("many", 60), ("txn", 4096), ("plain", 4096)] {
        let copy = copy_of(name);
        let config = LogConfig {
            index_interval_bytes: interval,
            producer_id_expiration_ms: i64::MAX,
            ..LogConfig::default()
        };
        for entry in fs::read_dir(copy.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().unwrap() != "log" {
                fs::remove_file(path).unwrap();
            }
        }
        let mut log = reopen_after_crash(copy.path(), &config);
        log.close(false).unwrap();
        for entry in fs::read_dir(segments().join(name)).unwrap() {
            let original = entry.unwrap().path();
            let ours = copy.path().join(original.file_name().unwrap());
            let (_, kind) = file_name::parse(original.file_name().unwrap().to_str().unwrap()).unwrap();
            // Only the last snapshot is made anew; the order of its entries is nobody's.
            if kind != FileKind::ProducerSnapshot {
                assert_eq!(
                    fs::read(&ours).unwrap(),
                    fs::read(&original).unwrap(),
                    "{}",
                    original.display()
                );
            } else if ours.exists() {
                let sorted = |path: &Path| {
                    let mut entries = producer_snapshot::read(path).unwrap();
                    entries.sort_by_key(|entry| entry.producer_id);
                    entries
                };
                assert_eq!(sorted(&ours), sorted(&original), "{}", original.display());
            }
        }
    }
}

#[test]
fn logs_of_apache_kafka_are_opened_read_and_appended_to() {
    for (name, count) in [
        ("many", 200),
        ("compacted", 12),
        ("txn", 26),
        ("live", 30),
        ("magic1-gzip", 6),
    ] {
        let copy = copy_of(name);
        let config = LogConfig::default();
        let mut log = reopen(copy.path(), &config);
        assert_eq!(log.log_end_offset(), count, "{name}");
        let before = offsets(&log, 0);
        assert!(
            before.is_sorted() && before.last() == Some(&(count - 1)),
            "{name}: {before:?}"
        );
        for &offset in &before {
            assert_eq!(offsets(&log, offset).first(), Some(&offset), "{name}");
        }
        assert_eq!(super::write::append(&mut log, 0, 2).base_offset, count);
        log.close(false).unwrap();
        assert_eq!(reopen(copy.path(), &config).log_end_offset(), count + 2);
        assert_eq!(
            offsets(&reopen_after_crash(copy.path(), &config), 0).len(),
            before.len() + 2
        );
    }
}

#[test]
fn transactions_of_apache_kafka_are_known() {
    let copy = copy_of("txn");
    let mut log = reopen_after_crash(copy.path(), &LogConfig::default());
    log.high_watermark_moved(26);
    let aborted = log.aborted_transactions(0, log.log_end_offset()).unwrap();
    let rows = transaction_index::read(&segments().join("txn/00000000000000000000.txnindex")).unwrap();
    assert_eq!(aborted, rows);
    assert_eq!(aborted.len(), 2);
    // The transaction that was left open holds readers of committed records back.
    assert_eq!(log.last_stable_offset(26), 24);
    assert!(
        log.aborted_transactions(aborted[1].last_offset + 1, 26)
            .unwrap()
            .is_empty()
    );
}
