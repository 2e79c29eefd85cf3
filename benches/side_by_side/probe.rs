//! The lower bound for the cost of clients: a program that only encodes batches and writes them to a socket, and one
//! that only decodes what it fetches. No settings, no error handling, one partition, one connection.
//!
//! Run as a process of its own, so that it is measured as the clients are: `side_by_side probe-produce ADDRESS TOPIC FILE`,
//! `side_by_side probe-consume ADDRESS TOPIC RECORDS`, `side_by_side probe-copy ADDRESS SOURCE TARGET RECORDS`.

use std::io::{BufWriter, Write};
use std::time::Duration;

use kafkit::records::{Batch, Batches};

use crate::load::Load;

/// Bytes of a batch, as in the clients.
const BATCH_BYTES: usize = 1_000_000;
const HEADER_LEN: usize = 61;
/// Bytes of one fetch.
const FETCH_BYTES: i32 = 4 << 20;

/// Runs a probe if the words ask for one; returns whether they did.
pub fn run(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["probe-produce", address, topic, file] => produce(address, topic, file),
        ["probe-consume", address, topic, records] => {
            consume(address, topic, records.parse().expect("a number"));
        }
        ["probe-copy", address, source, target, records] => {
            copy(address, source, target, records.parse().expect("a number"));
        }
        _ => return false,
    }
    true
}

fn produce(address: &str, topic: &str, file: &str) {
    let mut load = Load::connect(address, Duration::from_secs(10));
    load.create_topic(topic);
    let text = std::fs::read(file).expect("a file");
    let mut batch = Vec::with_capacity(BATCH_BYTES + 1000);
    let mut count = 0_u32;
    let mut rest = text.as_slice();
    while let Some(end) = memchr::memchr(b'\n', rest) {
        if batch.is_empty() {
            batch.resize(HEADER_LEN, 0);
        }
        append(&mut batch, count, &rest[..end]);
        count += 1;
        rest = &rest[end + 1..];
        if batch.len() >= BATCH_BYTES || rest.is_empty() {
            finish(&mut batch, count);
            load.produce_unanswered(topic, &batch);
            batch.clear();
            count = 0;
        }
    }
    load.await_answers(topic);
}

/// Appends one record: no key, no headers, no time of its own.
fn append(batch: &mut Vec<u8>, offset_delta: u32, value: &[u8]) {
    let offset = varint(offset_delta);
    let len = varint(value.len() as u32);
    let fields = 3 + offset.1 + len.1 + value.len() + 1;
    let size = varint(fields as u32);
    batch.extend_from_slice(&size.0[..size.1]);
    batch.extend_from_slice(&[0, 0]);
    batch.extend_from_slice(&offset.0[..offset.1]);
    batch.push(1);
    batch.extend_from_slice(&len.0[..len.1]);
    batch.extend_from_slice(value);
    batch.push(0);
}

/// A number as a zig-zag varint, and its length in bytes.
fn varint(number: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut rest = u64::from(number) << 1;
    let mut at = 0;
    while rest >= 0x80 {
        bytes[at] = rest as u8 | 0x80;
        rest >>= 7;
        at += 1;
    }
    bytes[at] = rest as u8;
    (bytes, at + 1)
}

fn finish(batch: &mut [u8], count: u32) {
    let length = (batch.len() - 12) as u32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[16] = 2;
    batch[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    // The time of the first and of the last record: a broker soon deletes records with times of 1970.
    let now_ms = std::time::UNIX_EPOCH
        .elapsed()
        .map_or(0, |now| now.as_millis() as u64);
    batch[27..35].copy_from_slice(&now_ms.to_be_bytes());
    batch[35..43].copy_from_slice(&now_ms.to_be_bytes());
    // No producer.
    batch[43..57].fill(0xff);
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    let crc = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// Fetches batches and produces them unchanged, on two connections.
fn copy(address: &str, source: &str, target: &str, records: usize) {
    let mut reader = Load::connect(address, Duration::from_secs(10));
    let mut writer = Load::connect(address, Duration::from_secs(10));
    let (mut offset, mut seen) = (0, 0);
    while seen < records {
        let answer = reader.fetch_records(source, offset, FETCH_BYTES);
        for batch in Batches::new(answer) {
            let batch: Batch<'_> = batch.expect("a batch");
            writer.produce_unanswered(target, batch.bytes);
            seen += usize::try_from(batch.header.records_count).expect("a count");
            offset = batch.header.next_offset();
        }
    }
    writer.await_answers(target);
}

fn consume(address: &str, topic: &str, records: usize) {
    let mut load = Load::connect(address, Duration::from_secs(10));
    let mut out = BufWriter::with_capacity(256 * 1024, std::io::stdout().lock());
    let mut scratch = Vec::new();
    let (mut offset, mut seen) = (0, 0);
    while seen < records {
        let answer = load.fetch_records(topic, offset, FETCH_BYTES);
        for batch in Batches::new(answer) {
            let batch: Batch<'_> = batch.expect("a batch");
            assert!(kafkit::records::batch_header::crc_is_valid(batch.bytes));
            for record in batch.records(&mut scratch, usize::MAX).expect("records") {
                let record = record.expect("a record");
                out.write_all(record.value.unwrap_or_default()).expect("room");
                out.write_all(b"\n").expect("room");
                seen += 1;
            }
            offset = batch.header.next_offset();
        }
    }
}
