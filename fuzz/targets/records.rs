//! Record batches of every format and codec, and the records that brokers write for themselves.

use kafkit::internal_records::coordinator::Topic;
use kafkit::internal_records::{cluster_metadata, control, json, remote_log};
use kafkit::records::batch_builder::{BatchBuilder, BatchOptions, Producer};
use kafkit::records::record_walk::{walk_compressed, walk_plain};
use kafkit::records::{Batch, Batches, Codec, batch_header, compacted_batch, recast};

use super::recorded;

/// No batch is inflated to more than this.
const LIMIT: usize = 1 << 20;

/// As they are, and with a checksum that fits: behind one, more is looked at.
pub(super) fn batches(bytes: &[u8]) {
    walk(bytes);
    if bytes.len() > batch_header::HEADER_LEN && bytes[batch_header::MAGIC_AT] == 2 {
        let mut sealed = bytes.to_vec();
        let length = (sealed.len() - 12) as i32;
        sealed[8..12].copy_from_slice(&length.to_be_bytes());
        batch_header::set_crc(&mut sealed);
        walk(&sealed);
    }
}

fn walk(bytes: &[u8]) {
    for batch in Batches::new(bytes) {
        let Ok(batch) = batch else { return };
        records(&batch);
    }
}

fn records(batch: &Batch<'_>) {
    let header = &batch.header;
    let mut scratch = Vec::new();
    let mut kept = Vec::new();
    if let Ok(records) = batch.records(&mut scratch, LIMIT) {
        for record in records {
            let Ok(record) = record else { break };
            for header in record.headers {
                let _ = (header.key, header.value);
            }
            kept.push(record);
        }
    }
    if header.magic < 2 {
        return;
    }
    let mut out = Vec::new();
    let _ = compacted_batch::with_records(batch, &kept, None, &mut out);
    compacted_batch::without_records(batch, &mut out);
    let _ = batch.stream(1000, |stream| while let Some(Ok(_)) = stream.next_record() {});
    match header.codec() {
        Some(Codec::None) => drop(walk_plain(batch.body(), header.records_count, |_| {})),
        Some(codec) => drop(walk_compressed(codec, batch.body(), header.records_count, |_| {})),
        None => {}
    }
    let _ = recast::can_be_sent(header);
}

/// What Apache Kafka has written, batch by batch, and batches of every codec.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for log in recorded("segments") {
        for batch in Batches::new(&log).flatten().take(3) {
            seeds.push(batch.bytes.to_vec());
        }
    }
    for codec in Codec::ALL {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec,
            producer: Some(Producer {
                id: 1,
                epoch: 0,
                base_sequence: 0,
            }),
            ..BatchOptions::default()
        });
        for n in 0..20 {
            builder.append(
                1_700_000_000_000 + n,
                Some(b"key"),
                Some(b"value value value"),
                &[],
            );
        }
        seeds.extend(builder.finish());
    }
    seeds
}

/// The first byte says how many are the key's.
pub(super) fn internal_records(bytes: &[u8]) {
    let mut out = Vec::new();
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let (key, value) = rest.split_at(usize::from(*first).min(rest.len()));
    for topic in [
        Topic::ConsumerOffsets,
        Topic::TransactionState,
        Topic::ShareGroupState,
    ] {
        let _ = topic.decode(key, Some(value));
        let _ = topic.decode(key, None);
    }
    if let Ok(record) = cluster_metadata::decode_record(rest) {
        record.write_json(&mut out);
    }
    let _ = remote_log::to_text(rest);
    for control_type in 2..7 {
        if let Some(Ok(record)) = control::decode_value(control_type, rest) {
            json::write_struct(&record, &mut out);
        }
    }
}

pub(super) fn internal_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for log in recorded("segments")
        .into_iter()
        .chain(recorded("kraft-directory"))
    {
        for batch in Batches::new(&log).flatten() {
            let mut scratch = Vec::new();
            let Ok(records) = batch.records(&mut scratch, LIMIT) else {
                continue;
            };
            for record in records.flatten() {
                let key = record.key.unwrap_or_default();
                let parts = [&[key.len() as u8][..], key, record.value.unwrap_or_default()];
                seeds.push(parts.concat());
            }
        }
    }
    seeds.truncate(400);
    seeds.push([&[0][..], &[0, 2, 0, 1].repeat(12)].concat());
    seeds
}
