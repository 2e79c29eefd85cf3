//! The lines of kafka-dump-log for transaction indexes and producer snapshots.
//!
//! Owns their text.

use crate::records::batch_header::decrement_sequence;
use crate::storage::producer_snapshot::{ProducerSnapshotEntry, SnapshotError};

use super::log::optional_long;
use crate::output::digits::{push_i32, push_i64};

/// Appends the line of an aborted transaction and returns its version; nothing is appended if it is not 0.
pub fn write_aborted_transaction(entry: &[u8], out: &mut Vec<u8>) -> i16 {
    // Kafka reads only the first byte of the version.
    let version = entry.first().map_or(0, |byte| i16::from(*byte as i8));
    if version > 0 {
        return version;
    }
    let long = |at: usize| {
        let bytes = entry.get(at..).and_then(|bytes| bytes.first_chunk::<8>());
        bytes.map_or(0, |bytes| i64::from_be_bytes(*bytes))
    };
    out.extend_from_slice(b"version: ");
    push_i32(version.into(), out);
    for (label, at) in [
        (" producerId: ", 2),
        (" firstOffset: ", 10),
        (" lastOffset: ", 18),
        (" lastStableOffset: ", 26),
    ] {
        out.extend_from_slice(label.as_bytes());
        push_i64(long(at), out);
    }
    out.push(b'\n');
    0
}

/// Appends the line of a producer in a snapshot.
pub fn write_producer(entry: &ProducerSnapshotEntry, out: &mut Vec<u8>) {
    let mut field = |label: &str, value: i64| {
        out.extend_from_slice(label.as_bytes());
        push_i64(value, out);
    };
    field("producerId: ", entry.producer_id);
    field(" producerEpoch: ", entry.producer_epoch.into());
    field(" coordinatorEpoch: ", entry.coordinator_epoch.into());
    out.extend_from_slice(b" currentTxnFirstOffset: ");
    let open = entry.current_transaction_first_offset;
    optional_long(Some(open).filter(|offset| *offset >= 0), out);
    let mut field = |label: &str, value: i64| {
        out.extend_from_slice(label.as_bytes());
        push_i64(value, out);
    };
    field(" lastTimestamp: ", entry.timestamp);
    if entry.last_offset >= 0 {
        let first_sequence = decrement_sequence(entry.last_sequence, entry.offset_delta);
        field(" firstSequence: ", first_sequence.into());
        field(" lastSequence: ", entry.last_sequence.into());
        field(" lastOffset: ", entry.last_offset);
        field(" offsetDelta: ", entry.offset_delta.into());
        field(" timestamp: ", entry.timestamp);
    }
    out.push(b'\n');
}

/// Java's message about a file that is not a snapshot.
pub fn snapshot_refusal(error: &SnapshotError) -> String {
    let reason = match error {
        SnapshotError::UnknownVersion(version) => {
            format!("Snapshot contained an unknown file version {version}")
        }
        // An exception without a message.
        SnapshotError::Truncated => "null".to_owned(),
        SnapshotError::NegativeCount => {
            "non-nullable field producerEntries was serialized as null".to_owned()
        }
        SnapshotError::ImpossibleCount { count, bytes } => format!(
            "Tried to allocate a collection of size {count}, but there are only {bytes} bytes remaining."
        ),
        SnapshotError::BadChecksum { stored, computed } => {
            return format!(
                "Snapshot is corrupt (CRC is no longer valid). Stored crc: {stored}. Computed crc: {computed}"
            );
        }
    };
    format!("Snapshot failed schema validation: {reason}")
}
