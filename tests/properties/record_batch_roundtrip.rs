//! What is written as a batch reads back as the same records, with every codec; no bytes make a reader panic.

use std::io::{Seek, Write};

use kafkit::records::batch_builder::{BatchBuilder, BatchOptions, Producer};
use kafkit::records::batch_header::{self, BatchHeader, crc_is_valid, increment_sequence};
use kafkit::records::compression::decompress_into;
use kafkit::records::control_record::EndTransactionMarker;
use kafkit::records::{Batch, Batches, Codec, Header};
use kafkit::storage::{
    checkpoint, leader_epochs, meta_properties, partition_metadata, producer_snapshot, transaction_index,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What random bytes may inflate to; small, so that the limit is met.
const LIMIT: usize = 1 << 16;

#[derive(Clone, Debug)]
struct Input {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

fn input() -> impl Strategy<Value = Input> {
    let headers = vec((bytes(5), option::of(bytes(5))), 0..4);
    (
        any::<i64>(),
        option::of(bytes(40)),
        option::of(bytes(300)),
        headers,
    )
        .prop_map(|(timestamp, key, value, headers)| Input {
            timestamp,
            key,
            value,
            headers,
        })
}

fn codec() -> impl Strategy<Value = Codec> {
    proptest::sample::select(&Codec::ALL)
}

fn build(inputs: &[Input], options: BatchOptions) -> Vec<u8> {
    let mut builder = BatchBuilder::new(options);
    for input in inputs {
        let headers: Vec<Header<'_>> = input
            .headers
            .iter()
            .map(|(key, value)| Header {
                key,
                value: value.as_deref(),
            })
            .collect();
        let (key, value) = (input.key.as_deref(), input.value.as_deref());
        let before = builder.uncompressed_len();
        let expected = builder.record_len(input.timestamp, key, value, &headers);
        builder.append(input.timestamp, key, value, &headers);
        assert_eq!(builder.uncompressed_len() - before, expected);
    }
    builder.finish().unwrap()
}

proptest! {
    #[test]
    fn records_read_back_as_written(
        inputs in vec(input(), 1..20),
        codec in codec(),
        base_offset in 0..i64::MAX - 100,
        base_sequence in 0..i32::MAX,
    ) {
        let producer = Producer { id: 3, epoch: 4, base_sequence };
        let options = BatchOptions { codec, base_offset, producer: Some(producer), ..BatchOptions::default() };
        let bytes = build(&inputs, options);
        prop_assert!(crc_is_valid(&bytes));
        let batch = Batch::parse(&bytes).unwrap();
        prop_assert_eq!(batch.header.last_offset(), base_offset + inputs.len() as i64 - 1);
        prop_assert_eq!(batch.header.max_timestamp, inputs.iter().map(|input| input.timestamp).max().unwrap());
        let mut scratch = Vec::new();
        let records: Vec<_> = batch.records(&mut scratch, 1 << 20).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), inputs.len());
        for (n, (record, input)) in records.iter().zip(&inputs).enumerate() {
            prop_assert_eq!(record.offset, base_offset + n as i64);
            prop_assert_eq!(record.sequence, increment_sequence(base_sequence, n as i32));
            prop_assert_eq!(record.timestamp, input.timestamp);
            prop_assert_eq!(record.key, input.key.as_deref());
            prop_assert_eq!(record.value, input.value.as_deref());
            let headers: Vec<_> =
                record.headers.map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec))).collect();
            prop_assert_eq!(&headers, &input.headers);
        }
    }

    #[test]
    fn placing_a_batch_leaves_its_checksum_right(inputs in vec(input(), 1..5), codec in codec(), offset: i64) {
        let mut bytes = build(&inputs, BatchOptions { codec, ..BatchOptions::default() });
        batch_header::set_base_offset(&mut bytes, offset);
        batch_header::set_leader_epoch(&mut bytes, 12);
        prop_assert!(crc_is_valid(&bytes));
        batch_header::set_log_append_time(&mut bytes, 99);
        prop_assert!(crc_is_valid(&bytes));
        let batch = Batch::parse(&bytes).unwrap();
        prop_assert_eq!(batch.header.partition_leader_epoch, 12);
        for record in batch.records(&mut Vec::new(), 1 << 20).unwrap() {
            prop_assert_eq!(record.unwrap().timestamp, 99);
        }
    }

    #[test]
    fn batches_stop_at_the_last_whole_one(
        batches in vec(vec(input(), 1..4), 1..5),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for inputs in &batches {
            bytes.extend(build(inputs, BatchOptions::default()));
            ends.push(bytes.len());
        }
        let cut = cut.index(bytes.len() + 1);
        let mut walk = Batches::new(&bytes[..cut]);
        let found = walk.by_ref().map(Result::unwrap).count();
        let end = *ends.iter().rev().find(|end| **end <= cut).unwrap();
        prop_assert_eq!((ends[found], walk.position(), walk.remaining()), (end, end, cut - end));
    }

    #[test]
    fn a_damaged_batch_never_panics(
        inputs in vec(input(), 1..8),
        codec in codec(),
        changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        magic in 0..4_u8,
    ) {
        let mut bytes = build(&inputs, BatchOptions { codec, ..BatchOptions::default() });
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_everything(&bytes);
        bytes[16] = magic;
        read_everything(&bytes);
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in bytes(400), length in -5..400_i32, magic in -1..4_i8) {
        read_everything(&bytes);
        for codec in Codec::ALL {
            let mut out = Vec::new();
            let _ = decompress_into(codec, &bytes, &mut out, LIMIT);
            prop_assert!(out.len() <= LIMIT + 1);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let _ = checkpoint::parse_offsets(&text);
        let _ = leader_epochs::parse(&text);
        let _ = meta_properties::MetaProperties::parse(&text);
        let _ = partition_metadata::parse(&text);
        let _ = bytes.as_chunks().0.iter().map(transaction_index::AbortedTransaction::parse).count();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file.rewind().unwrap();
        let _ = producer_snapshot::SnapshotFile::new(file).map(|mut snapshot| snapshot.entries().count());
        if bytes.len() > 17 {
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
            bytes[16] = magic as u8;
            read_everything(&bytes);
        }
    }
}

fn read_everything(bytes: &[u8]) {
    let _ = (BatchHeader::parse(bytes), crc_is_valid(bytes));
    let mut scratch = Vec::new();
    for batch in Batches::new(bytes).flatten() {
        let _ = (
            batch.header.next_offset(),
            batch.header.last_sequence(),
            batch.header.codec(),
        );
        let Ok(records) = batch.records(&mut scratch, LIMIT) else {
            continue;
        };
        for record in records.flatten() {
            let _ = EndTransactionMarker::parse(&record);
            assert!(record.headers.count() <= bytes.len().max(LIMIT));
        }
    }
}
