//! A walk over a segment finds the same batches whichever way it reads: a file's lengths alone, its bytes in chunks, the
//! file in place, or what a pipe gives.

use std::fs::File;
use std::io::{Cursor, Read, Write};

use kafkit::storage::chunk::{Chunk, ChunkBatch};
use kafkit::storage::segment_scan::{ScanEnd, SegmentScan};
use proptest::prelude::*;

/// Lengths that brokers see: small, around where the walk changes its way, longer than a chunk, longer than is held.
fn batch_length() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 14_usize..400,
        4 => 11_000_usize..14_000,
        2 => 100_000_usize..300_000,
        1 => 1_300_000_usize..1_400_000,
    ]
}

/// Something of that length behind an offset and its length field, and whatever ends the file.
fn log(lengths: &[usize], tail: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, length) in lengths.iter().enumerate() {
        bytes.extend_from_slice(&(number as i64).to_be_bytes());
        bytes.extend_from_slice(&(*length as i32).to_be_bytes());
        bytes.resize(bytes.len() + length, number as u8);
    }
    bytes.extend_from_slice(tail);
    bytes
}

/// What a walk handed out, put together again, and how it ended.
#[derive(Debug, PartialEq)]
struct Walked {
    /// Position and size of each batch.
    batches: Vec<(u64, usize)>,
    bytes: Vec<u8>,
    end: Option<ScanEnd>,
    rest: Vec<u8>,
}

fn walked(mut scan: SegmentScan) -> Walked {
    let (mut batches, mut bytes, mut chunk) = (Vec::new(), Vec::new(), Chunk::default());
    while scan.read_chunk(&mut chunk).unwrap() {
        assert_eq!(
            chunk.position,
            batches.last().map_or(0, |(at, len)| at + *len as u64)
        );
        if let Some(large) = &chunk.large {
            batches.push((chunk.position, large.size as usize));
            continue;
        }
        let mut at = 0;
        while at < chunk.len {
            let mut copy = [0; 61];
            let head = chunk.head(at, &mut copy);
            let size = 12 + i32::from_be_bytes(head[8..12].try_into().unwrap()) as usize;
            batches.push((chunk.position + at as u64, size));
            match chunk.batch(at, size) {
                ChunkBatch::Held(content) => bytes.extend_from_slice(content),
                ChunkBatch::Mapped(mut mapped) => _ = mapped.read_to_end(&mut bytes).unwrap(),
            }
            at += size;
        }
        assert_eq!(at, chunk.len, "a chunk ends with a whole batch");
        chunk.check().unwrap();
    }
    let rest = scan.rest().iter().take(17).copied().collect();
    let end = scan.end();
    Walked {
        batches,
        bytes,
        end,
        rest,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_file_and_a_pipe_give_the_same_batches(
        lengths in proptest::collection::vec(batch_length(), 0..60),
        tail in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let bytes = log(&lengths, &tail);
        let mut file: File = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let of_file = || SegmentScan::of_file(file.try_clone().unwrap(), 0, bytes.len() as u64);
        let (from_file, in_place) = (walked(of_file()), walked(of_file().in_place()));
        let from_pipe = walked(SegmentScan::of_pipe(Box::new(Cursor::new(bytes.clone()))));
        let sizes: Vec<usize> = from_file.batches.iter().map(|(_, size)| *size).collect();
        let written: Vec<usize> = lengths.iter().map(|length| length + 12).collect();
        prop_assert_eq!(&sizes[..written.len().min(sizes.len())], &written[..]);
        prop_assert_eq!(&from_file, &from_pipe);
        prop_assert_eq!(from_file, in_place);
    }
}
