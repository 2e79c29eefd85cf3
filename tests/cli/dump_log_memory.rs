//! What `kafkit dump-log` needs of memory for files that would need much: the system refuses it more than a little.

use std::os::unix::fs::FileExt;
use std::process::Command;

use kafkit::records::batch_header;
use kafkit::records::compression::{Codec, compress};

use crate::support::suite::{Outcome, Suite, outcome_of};

/// Kilobytes of heap and stacks: 32 MB, and two for the stack of each of up to four threads.
const MOST_KILOBYTES: u32 = 32 * 1024 + 4 * 2048;
const VALUE_BYTES: usize = 1000;
const RECORDS: usize = 80_000;
const LOG: &str = "00000000000000000000.log";

/// A batch of format 2 with the same record again and again: its value is zeros, which compress to nothing.
fn batch(codec: Codec, value_bytes: usize, records: usize) -> Vec<u8> {
    let number = |number: usize| {
        let mut bytes = Vec::new();
        kafkit::records::varint::put_i64(&mut bytes, number as i64);
        bytes
    };
    // Attributes, timestamp delta, offset delta, a key of one byte.
    let mut record = vec![0, 0, 0, 2, b'k'];
    record.extend(number(value_bytes));
    record.resize(record.len() + value_bytes + 1, 0);
    let framed = [number(record.len()), record].concat();
    let mut batch = vec![0; batch_header::HEADER_LEN];
    compress(codec, &framed.repeat(records), &mut batch).unwrap();
    let length = (batch.len() - batch_header::LOG_OVERHEAD) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[16] = 2;
    batch[22] = codec.id() as u8;
    // No producer.
    batch[43..57].fill(0xff);
    batch[57..61].copy_from_slice(&(records as i32).to_be_bytes());
    batch_header::set_crc(&mut batch);
    batch
}

/// Runs kafkit where no process may have more memory than it should need.
fn run_within_limit(suite: &Suite, args: &[&str], input: &[u8]) -> Outcome {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit -d {MOST_KILOBYTES} && exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_kafkit"))
        .args(args)
        .current_dir(suite.home())
        .env("HOME", suite.home());
    outcome_of(command, input)
}

#[test]
fn a_batch_that_inflates_to_much_is_read_piece_by_piece() {
    for codec in [Codec::Zstd, Codec::Gzip, Codec::Lz4, Codec::Snappy, Codec::None] {
        let suite = Suite::new();
        suite.file(LOG, batch(codec, VALUE_BYTES, RECORDS));
        run_within_limit(&suite, &["dump-log", "--verify", LOG], b"")
            .succeeds()
            .prints("1 file, nothing wrong\n");
        let shown = run_within_limit(&suite, &["dump-log", "-f", "%o %S\\n", LOG], b"").succeeds();
        assert_eq!(
            shown.stdout(),
            format!("0 {VALUE_BYTES}\n").repeat(RECORDS),
            "{codec}"
        );
        let java = ["kafka-dump-log", "--deep-iteration", "--files", LOG];
        let shown = run_within_limit(&suite, &java, b"").succeeds().stdout();
        assert!(shown.contains("isvalid: true"), "{codec}");
        assert_eq!(shown.matches("| offset: 0 ").count(), RECORDS, "{codec}");
    }
}

#[test]
fn a_pipe_with_a_large_batch_is_not_held_either() {
    let suite = Suite::new();
    let log = batch(Codec::None, VALUE_BYTES, RECORDS);
    let shown = run_within_limit(&suite, &["dump-log", "--stats", "-o", "jsonl", "-"], &log).succeeds();
    assert!(
        shown.stdout().contains(&format!("\"records\":{RECORDS},")),
        "{shown:?}"
    );
}

#[test]
fn a_long_log_takes_no_more_than_a_short_one() {
    let suite = Suite::new();
    let mut log = Vec::new();
    let batch = batch(Codec::None, 100, 600);
    for number in 0..1_000_i64 {
        let at = log.len();
        log.extend_from_slice(&batch);
        batch_header::set_base_offset(&mut log[at..], number * 600);
    }
    suite.file(LOG, log);
    let java = ["kafka-dump-log", "--deep-iteration", "--files", LOG];
    for args in [&["dump-log", "--verify", LOG][..], &["dump-log", LOG], &java] {
        run_within_limit(&suite, args, b"").succeeds();
    }
}

#[test]
fn one_record_larger_than_the_memory_comes_through_in_pieces() {
    const RECORD_BYTES: usize = 100_000_000;
    for codec in [Codec::None, Codec::Zstd] {
        let suite = Suite::new();
        suite.file(LOG, batch(codec, RECORD_BYTES, 1));
        run_within_limit(&suite, &["dump-log", "--verify", LOG], b"")
            .succeeds()
            .prints("1 file, nothing wrong\n");
        run_within_limit(&suite, &["dump-log", "-f", "%o %K %k %S\\n", LOG], b"")
            .succeeds()
            .prints(&format!("0 1 k {RECORD_BYTES}\n"));
        let shown = run_within_limit(&suite, &["dump-log", "--values", LOG], b"").succeeds();
        assert_eq!(shown.stdout().len(), RECORD_BYTES + 1, "{codec}");
        let java = ["kafka-dump-log", "--print-data-log", "--files", LOG];
        let shown = run_within_limit(&suite, &java, b"").succeeds().stdout();
        let line = shown.lines().last().unwrap();
        let head = format!(
            "| offset: 0 CreateTime: 0 keySize: 1 valueSize: {RECORD_BYTES} sequence: -1 headerKeys: [] key: k payload: \0"
        );
        assert!(line.starts_with(&head), "{codec}: {}", &line[..200]);
        assert_eq!(line.len(), head.len() - 1 + RECORD_BYTES, "{codec}");
        run_within_limit(&suite, &["dump-log", "--json", LOG], b"")
            .exits(1)
            .complains("record 0: its 100 000 001 bytes are too many for JSON, left out");
    }
}

#[test]
fn indexes_and_snapshots_of_any_length_are_read_through_a_window() {
    const BYTES: u64 = 100_000_000;
    let suite = Suite::new();
    let entries = (0..2_000_000_u32).map(u32::to_be_bytes);
    let index: Vec<u8> = entries.flat_map(|number| [number, number].concat()).collect();
    suite.file("00000000000000000000.index", index);
    for name in ["00000000000000000000.txnindex", "00000000000000000000.snapshot"] {
        let file = std::fs::File::create(suite.home().join(name)).unwrap();
        file.set_len(BYTES).unwrap();
    }
    let snapshot: Vec<u8> = [&[0, 1, 0, 0, 0, 0], &1_000_000_u32.to_be_bytes()[..]].concat();
    let mut file = std::fs::OpenOptions::new();
    let file = file
        .write(true)
        .open(suite.home().join("00000000000000000000.snapshot"))
        .unwrap();
    file.write_all_at(&snapshot, 0).unwrap();
    for (name, verified) in [("index", 0), ("txnindex", 6), ("snapshot", 6)] {
        let file = format!("00000000000000000000.{name}");
        run_within_limit(&suite, &["dump-log", "--verify", &file], b"").exits(verified);
        let java = ["kafka-dump-log", "--files", &file];
        run_within_limit(&suite, &java, b"").exits(i32::from(name == "index"));
    }
    run_within_limit(
        &suite,
        &["dump-log", "-o", "tsv", "00000000000000000000.txnindex"],
        b"",
    )
    .succeeds();
    for name in [
        "leader-epoch-checkpoint",
        "recovery-point-offset-checkpoint",
        "meta.properties",
        "quorum-state",
    ] {
        std::fs::File::create(suite.home().join(name))
            .unwrap()
            .set_len(BYTES)
            .unwrap();
        let refused = run_within_limit(&suite, &["dump-log", name], b"").exits(6);
        refused.complains("as no such file is");
    }
}

/// All entries of these indexes are wrong, which Java's tool tells when it has read them.
#[test]
fn what_is_wrong_with_indexes_of_any_length_is_not_all_in_memory() {
    const ENTRIES: u32 = 2_200_000;
    let suite = Suite::new();
    let log = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/segments/gzip")
        .join(LOG);
    suite.file(LOG, std::fs::read(log).unwrap());
    let entries = (0..ENTRIES).map(|number| number + 1000);
    // The batch at the start of the log is no entry's.
    let index: Vec<u8> = entries
        .clone()
        .flat_map(|offset| [offset, 0].map(u32::to_be_bytes).concat())
        .collect();
    suite.file("00000000000000000000.index", index);
    let times = entries.flat_map(|offset| [0, 0, offset].map(u32::to_be_bytes).concat());
    suite.file("00000000000000000000.timeindex", times.collect::<Vec<_>>());
    for (name, heading, first, last) in [
        (
            "index",
            "Mismatches in :",
            "  Index offset: 2200999, log offset: 29",
            "  Index offset: 1000, log offset: 29",
        ),
        (
            "timeindex",
            "The following indexed offsets are not found in :",
            "Indexed offset: 1000, found log offset: -1",
            "Indexed offset: 2200999, found log offset: -1",
        ),
    ] {
        let file = format!("00000000000000000000.{name}");
        let java = ["kafka-dump-log", "--verify-index-only", "--files", &file];
        let told = run_within_limit(&suite, &java, b"").succeeds();
        // A time index is looked up in its offset index, entry by entry.
        suite.file("00000000000000000000.index", "");
        let mut lines = told.stderr.lines();
        assert!(
            lines.next().is_some_and(|line| line.starts_with(heading)),
            "{name}"
        );
        assert_eq!(lines.next(), Some(first));
        assert_eq!(lines.clone().count(), ENTRIES as usize - 1, "{name}");
        assert_eq!(lines.next_back(), Some(last));
    }
}
