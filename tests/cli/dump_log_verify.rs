//! `kafkit dump-log --verify` on logs whose checksums hold and which are wrong nevertheless, and on what stands beside
//! them. What a broker would do is what the recovery of Apache Kafka 4.3 did with logs damaged like these.

use kafkit::records::batch_builder::{BatchBuilder, BatchOptions, Producer};

use crate::support::suite::Suite;

const FIRST: &str = "t-0/00000000000000000000.log";

/// A batch of one record with a value of so many bytes.
fn batch(base_offset: i64, value_bytes: usize, options: BatchOptions) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        base_offset,
        ..options
    });
    builder.append(
        1000 + base_offset,
        Some(b"k"),
        Some(&vec![b'x'; value_bytes]),
        &[],
    );
    builder.finish_uncompressed()
}

/// Batches of one record each under these offsets.
fn log(offsets: &[i64], value_bytes: usize) -> Vec<u8> {
    let one = |offset: &i64| batch(*offset, value_bytes, BatchOptions::default());
    offsets.iter().flat_map(one).collect()
}

fn verify(suite: &Suite, code: i32) -> String {
    let folder = suite.home().join("t-0").to_string_lossy().into_owned();
    suite.run(["dump-log", "--verify", &folder]).exits(code).stdout()
}

/// The report on two segments, the first with these bytes, the second from offset 100 on.
fn two_segments(first: Vec<u8>) -> String {
    let suite = Suite::new();
    suite.file(FIRST, first);
    suite.file("t-0/00000000000000000100.log", log(&[100, 101], 10));
    verify(&suite, 6)
}

#[test]
fn a_batch_out_of_place_is_told_with_what_becomes_of_the_segment() {
    // Two batches behind each other take more than an index interval only when they are large.
    let (small, large) = (10, 5000);
    let keeps = "keep it, and consumers get offsets out of order";
    let empties = "empty the whole segment, and delete the next segment";
    for (offsets, value_bytes, parts) in [
        (
            &[0, 1, 2, 2, 3][..],
            small,
            ["offset 2 follows 2 (batch 2-2); last good offset 2", keeps],
        ),
        (
            &[0, 1, 2, 2, 3],
            large,
            ["offset 2 follows 2 (batch 2-2); last good offset 2", empties],
        ),
        (
            &[0, 1, 3, 2, 4],
            large,
            [
                "offset 2 comes behind it (batch 3-3); last good offset 1",
                empties,
            ],
        ),
        (
            &[0, 1, 40, 3, 4],
            small,
            [
                "offset 3 comes behind it (batch 40-40); last good offset 1",
                keeps,
            ],
        ),
        (
            &[0, 1, 200, 3, 4],
            small,
            [
                "offset 200 is not before the next segment's 100 (batch 200-200); last good offset 1",
                keeps,
            ],
        ),
        (
            &[0, 1, 1 << 40, 3, 4],
            small,
            ["is not before the next segment's 100", "a broker would not start"],
        ),
        (
            &[0, 1, -3, 3, 4],
            small,
            ["offset -3 is before the segment's 0", "a broker would not start"],
        ),
    ] {
        let report = two_segments(log(offsets, value_bytes));
        assert_eq!(report.lines().count(), 1, "{offsets:?}: {report}");
        for part in parts {
            assert!(report.contains(part), "no {part:?} in {report}");
        }
    }
}

#[test]
fn segments_behind_one_that_is_cut_off_are_deleted() {
    let good = log(&[0, 1, 2], 10);
    let mut flipped = good.clone();
    flipped[good.len() - 1] ^= 1;
    for (bytes, part) in [
        (flipped, "truncate 1 batch here, and delete the next segment"),
        (
            [&good[..], &[0xa5; 30]].concat(),
            "truncate the log here, and delete the next segment",
        ),
        (
            [&good[..], &[0; 4000]].concat(),
            "4 000 zeros, though other segments follow; last good offset 2; a broker would truncate the log here",
        ),
    ] {
        let report = two_segments(bytes);
        assert!(report.contains(part), "no {part:?} in {report}");
    }
    let suite = Suite::new();
    suite.file(FIRST, [&good[..], &[0; 4000]].concat());
    assert!(verify(&suite, 0).ends_with("nothing wrong\n"));
}

#[test]
fn what_lets_no_broker_start_is_told_though_checksums_hold() {
    let options = BatchOptions {
        producer: Some(Producer {
            id: 7,
            epoch: 0,
            base_sequence: 0,
        }),
        ..BatchOptions::default()
    };
    let transactional = BatchOptions {
        transactional: true,
        ..options
    };
    let control = BatchOptions {
        control: true,
        ..transactional
    };
    for (second, part) in [
        (
            control,
            "a control batch of a producer that ends no transaction (batch 1-1); a broker would not start",
        ),
        (
            options,
            "producer 7 writes without a transaction in the one it began at offset 0 (batch 1-1); a broker would not start",
        ),
    ] {
        let suite = Suite::new();
        let batches = [
            batch(0, 10, transactional),
            batch(1, 10, second),
            batch(2, 10, second),
        ];
        suite.file(FIRST, batches.concat());
        let report = verify(&suite, 6);
        assert!(report.contains(part), "no {part:?} in {report}");
    }
}

#[test]
fn leader_epochs_are_held_against_their_checkpoint() {
    let epoch = |offset: i64, epoch: i32| {
        let options = BatchOptions {
            partition_leader_epoch: epoch,
            ..BatchOptions::default()
        };
        batch(offset, 10, options)
    };
    let good = [epoch(0, 1), epoch(1, 1), epoch(2, 4)].concat();
    let back = [epoch(0, 1), epoch(1, 4), epoch(2, 1)].concat();
    for (bytes, checkpoint, part) in [
        (&good, "0\n2\n1 0\n4 2\n", "nothing wrong"),
        // The leader of epoch 6 has written nothing yet, and offset 0 has been deleted.
        (&good, "0\n3\n1 1\n4 2\n6 3\n", "nothing wrong"),
        (
            &good,
            "0\n1\n1 0\n",
            "checkpoint: says epoch 1 for offset 2, in the log it is 4; a broker would keep it",
        ),
        (
            &good,
            "0\n3\n1 0\n4 2\n6 9\n",
            "epoch 6 begins at offset 9, the log ends before 3; a broker would drop the entry",
        ),
        (
            &good,
            "0\n2\n4 2\n1 0\n",
            "epoch 1 from offset 0 follows epoch 4 from 2",
        ),
        (
            &good,
            "0\n0\n",
            "has no entry for epoch 1 of offset 0; a broker would write it anew",
        ),
        (
            &back,
            "0\n2\n1 0\n4 1\n",
            ".log: byte 158: leader epoch 1 follows 4 (batch 2-2)",
        ),
    ] {
        let suite = Suite::new();
        suite.file(FIRST, bytes);
        suite.file("t-0/leader-epoch-checkpoint", checkpoint);
        let report = verify(&suite, if part == "nothing wrong" { 0 } else { 6 });
        assert!(report.contains(part), "{checkpoint:?}: no {part:?} in {report}");
    }
}

#[test]
fn files_of_some_words_are_held_against_what_a_broker_reads() {
    for (name, text) in [
        ("partition.metadata", "version: 0\ntopic_id: nonsense\n"),
        ("meta.properties", "version=1\ncluster.id=c\n"),
    ] {
        let suite = Suite::new();
        suite.file(&format!("t-0/{name}"), text);
        let report = verify(&suite, 6);
        assert!(report.contains("a broker would not start with it"), "{report}");
    }
}

#[test]
fn a_problem_of_the_log_is_never_lost_among_those_of_an_index() {
    let suite = Suite::new();
    let mut bytes = log(&(0..100).collect::<Vec<_>>(), 10);
    let length = bytes.len();
    bytes[length - 1] ^= 1;
    suite.file(FIRST, &bytes);
    // One of them points to a batch, though not to its own: a search from there still finds what it looks for.
    let entries = (0..90_i32).flat_map(|number| [number.to_be_bytes(), (number + 1).to_be_bytes()]);
    suite.file(
        "t-0/00000000000000000000.index",
        entries.collect::<Vec<_>>().concat(),
    );
    let report = verify(&suite, 6);
    let lines: Vec<&str> = report.lines().collect();
    assert!(
        lines[0].contains(".log: byte ") && lines[0].contains("CRC is"),
        "{report}"
    );
    assert!(
        lines[1].contains(".index: the entry for offset 0 points to byte 1"),
        "{report}"
    );
    assert!(
        lines
            .last()
            .unwrap()
            .ends_with("84 problems more that are not told"),
        "{report}"
    );
}

#[test]
fn an_index_entry_beyond_the_log_and_room_that_nobody_set_aside_are_told() {
    let good = log(&[0, 1, 2], 10);
    let second = i32::try_from(good.len() / 3).unwrap();
    let entry = |offset: i32, position: i32| [offset.to_be_bytes(), position.to_be_bytes()].concat();
    for (index, part) in [
        (entry(1000, second), "is of offset 1000, which the log has not"),
        (
            [entry(1, second), vec![0; 80]].concat(),
            "byte 8: 80 bytes behind its entries are none, though other segments follow",
        ),
    ] {
        let suite = Suite::new();
        suite.file(FIRST, &good);
        suite.file("t-0/00000000000000000000.index", index);
        suite.file("t-0/00000000000000000100.log", log(&[100], 10));
        let report = verify(&suite, 6);
        assert!(report.contains(part), "no {part:?} in {report}");
    }
}

#[test]
fn records_that_only_mislead_stop_no_consumer() {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.append(5000, None, Some(b"v"), &[]);
    let mut bytes = builder.finish_uncompressed();
    // The newest time is covered by the checksum, which is made anew.
    bytes[35..43].copy_from_slice(&4000_i64.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    let suite = Suite::new();
    suite.file(FIRST, bytes);
    let report = verify(&suite, 6);
    assert!(
        report.contains("keep it, and who looks for a time may miss the record"),
        "{report}"
    );
}
