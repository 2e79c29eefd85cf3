//! Bytes of any kind as each kind of file that dump-log reads: no panic, no loop, no room taken on a length's word.

#![no_main]

use std::io::Cursor;

use kafkit::internal_records::coordinator::Topic;
use kafkit::internal_records::{cluster_metadata, control, json, producer_snapshot, remote_log};
use kafkit::output::log_dump::java_log;
use kafkit::records::Batch;
use kafkit::storage::segment_scan::{Chunk, SegmentScan};
use libfuzzer_sys::fuzz_target;

const INFLATE_LIMIT: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut out = Vec::new();
    let mut scan = SegmentScan::of_pipe(Box::new(Cursor::new(bytes.to_vec())));
    let (mut chunk, mut scratch) = (Chunk::default(), Vec::new());
    while scan.read_chunk(&mut chunk).unwrap_or(false) {
        let mut at = 0;
        while let Some(rest) = chunk.bytes.get(at..chunk.len).filter(|rest| !rest.is_empty()) {
            if let Ok(header) = java_log::java_header(rest) {
                let _ = java_log::write_batch(&header, rest.len() as u64, true, 0, &mut out);
            }
            let Ok(batch) = Batch::parse(rest) else { break };
            at += batch.bytes.len();
            if let Ok(records) = batch.records(&mut scratch, INFLATE_LIMIT) {
                for record in records.map_while(Result::ok) {
                    for topic in [Topic::ConsumerOffsets, Topic::TransactionState, Topic::ShareGroupState] {
                        let _ = topic.decode(record.key.unwrap_or_default(), record.value);
                    }
                }
            }
        }
    }
    if let Ok(record) = cluster_metadata::decode_record(bytes) {
        record.write_json(&mut out);
    }
    let _ = (remote_log::to_text(bytes), producer_snapshot::read(bytes));
    for control_type in 2..7 {
        if let Some(Ok(record)) = control::decode_value(control_type, bytes) {
            json::write_struct(&record, &mut out);
        }
    }
});
