//! The lines of kafka-dump-log for transaction indexes and producer snapshots.
//!
//! Owns their text.

use crate::internal_records::value::StructValue;

use super::java_log::optional_long;
use super::numbers::{push_i32, push_i64};

/// Bytes of an entry of a transaction index.
pub const ABORTED_TRANSACTION_LEN: usize = 34;

/// Appends the line of an aborted transaction and answers its version; of another version than 0 nothing is written.
pub fn write_aborted_transaction(entry: &[u8], out: &mut Vec<u8>) -> i16 {
    // Kafka looks at the first byte of the version only.
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

/// Appends the line of a producer of a snapshot.
pub fn write_producer(entry: &StructValue<'_>, first_sequence: i32, out: &mut Vec<u8>) {
    let mut field = |label: &str, value: i64| {
        out.extend_from_slice(label.as_bytes());
        push_i64(value, out);
    };
    field("producerId: ", entry.number("producerId"));
    field(" producerEpoch: ", entry.number("epoch"));
    field(" coordinatorEpoch: ", entry.number("coordinatorEpoch"));
    out.extend_from_slice(b" currentTxnFirstOffset: ");
    optional_long(
        Some(entry.number("currentTxnFirstOffset")).filter(|offset| *offset >= 0),
        out,
    );
    let mut field = |label: &str, value: i64| {
        out.extend_from_slice(label.as_bytes());
        push_i64(value, out);
    };
    field(" lastTimestamp: ", entry.number("timestamp"));
    if entry.number("lastOffset") >= 0 {
        field(" firstSequence: ", first_sequence.into());
        field(" lastSequence: ", entry.number("lastSequence"));
        field(" lastOffset: ", entry.number("lastOffset"));
        field(" offsetDelta: ", entry.number("offsetDelta"));
        field(" timestamp: ", entry.number("timestamp"));
    }
    out.push(b'\n');
}
