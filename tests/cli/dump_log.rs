//! `kafkit dump-log` on files that Apache Kafka wrote, and on damaged copies of them.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kafkit::storage::producer_snapshot;

use crate::support::suite::Suite;

fn segment(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/segments")
        .join(name)
}

fn dump(words: &[&str], file: &Path) -> crate::support::suite::Outcome {
    let mut args = vec!["dump-log"];
    args.extend(words);
    let file = file.to_string_lossy().into_owned();
    args.push(&file);
    Suite::new().run(args)
}

#[test]
fn a_log_is_one_line_a_batch_with_what_it_is() {
    let shown = dump(&[], &segment("txn/00000000000000000000.log"))
        .succeeds()
        .stdout();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 26, "{shown}");
    assert!(
        lines[1].contains("0-0") && lines[1].ends_with("transactional"),
        "{}",
        lines[1]
    );
    assert!(
        lines[4].contains("3-3") && lines[4].ends_with("control: commit"),
        "{}",
        lines[4]
    );
    assert!(lines[8].ends_with("control: abort"), "{}", lines[8]);
}

#[test]
fn records_come_by_template_and_by_offset_range() {
    let log = segment("plain/00000000000000000000.log");
    dump(&["-f", "%o %s\\n"], &log).prints("0 one\n1 two\n2 three\n3 four\n4 \n5 six\n");
    dump(&["-f", "%o %s\\n", "--offset", "1..4"], &log).prints("1 two\n2 three\n3 four\n");
    dump(&["--values", "--offset", "5"], &log).prints("six\n");
    let many = segment("many/00000000000000000080.log");
    dump(&["-f", "%o\\n", "--offset", "97..99"], &many).prints("97\n98\n");
}

#[test]
fn a_pipe_is_as_good_as_a_file() {
    let log = fs::read(segment("plain/00000000000000000000.log")).unwrap();
    Suite::new()
        .run_with_input(["dump-log", "--values", "--offset", "..2", "-"], log)
        .prints("one\ntwo\n");
}

#[test]
fn a_pipe_with_a_number_for_a_name_begins_where_it_begins() {
    let suite = Suite::new();
    let log = segment("many/00000000000000000000.log");
    let copy = suite.home().join("77");
    fs::copy(&log, &copy).unwrap();
    dump(&["--verify"], &copy).prints("1 file, nothing wrong\n");
    dump(&["-f", "%o\\n", "--offset", "..2"], &copy).prints("0\n1\n");
}

#[test]
fn good_folders_have_nothing_wrong_live_ones_included() {
    for name in ["plain", "many", "txn", "live", "compacted", "zstd", "magic0-none"] {
        let shown = dump(&["--verify"], &segment(name)).succeeds().stdout();
        assert!(shown.ends_with("nothing wrong\n"), "{name}: {shown}");
    }
}

#[test]
fn corruption_is_told_with_its_place_and_what_a_broker_would_do() {
    let suite = Suite::new();
    let mut log = fs::read(segment("many/00000000000000000080.log")).unwrap();
    log[1000] ^= 0x40;
    let copy = suite.file("00000000000000000080.log", &log);
    let shown = dump(&["--verify"], &copy).exits(6).complains("1 problem");
    let report = shown.stdout();
    for part in [
        "byte 8",
        "CRC is 0x",
        "last good offset 9",
        "a broker would truncate",
    ] {
        assert!(report.contains(part), "no {part:?} in {report}");
    }
    let recovered = suite.home().join("recovered.log");
    let out = recovered.to_string_lossy().into_owned();
    dump(&["--recover", &out], &copy).succeeds();
    dump(&["--verify"], &recovered).succeeds();
    assert_eq!(fs::read(&copy).unwrap(), log, "the source was touched");
    dump(&["--recover", &out], &copy).exits(1).complains("exists");
}

#[test]
fn every_corrupt_batch_is_told_and_a_broker_cuts_at_the_first() {
    let suite = Suite::new();
    let mut log = fs::read(segment("many/00000000000000000080.log")).unwrap();
    log[100] ^= 1;
    log[1000] ^= 1;
    log.extend_from_slice(b"what a crash has left");
    let copy = suite.file("00000000000000000080.log", log);
    let report = dump(&["--verify"], &copy)
        .exits(6)
        .complains("3 problems")
        .stdout();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 3, "{report}");
    assert!(
        lines[0].contains("byte 0: CRC")
            && lines[0].ends_with("truncate 20 batches here with 21 bytes behind"),
        "{report}"
    );
    assert!(
        lines[1].contains("byte 8") && lines[1].ends_with("cut it off with what is before"),
        "{report}"
    );
    assert!(lines[2].contains("unknown format version 32"), "{report}");
}

#[test]
fn a_problem_is_told_of_the_file_that_has_it() {
    let suite = Suite::new();
    for number in ["000", "080"] {
        for kind in ["log", "index"] {
            let name = format!("00000000000000000{number}.{kind}");
            let mut bytes = fs::read(segment(&format!("many/{name}"))).unwrap();
            if name == "00000000000000000080.index" {
                bytes[7] ^= 1;
            }
            suite.file(&format!("many-0/{name}"), bytes);
        }
    }
    let folder = suite.home().join("many-0");
    fs::remove_file(folder.join("00000000000000000000.log")).unwrap();
    let report = dump(&["--verify", "-o", "tsv"], &folder).exits(6).stdout();
    let problems: Vec<Vec<&str>> = report.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(problems.len(), 3, "{report}");
    assert_eq!(problems[0][..3], ["FILE", "POSITION", "PROBLEM"], "{report}");
    assert_eq!(problems[1][0], "many-0/00000000000000000000.index", "{report}");
    assert_eq!(problems[1][2], "an index without its log", "{report}");
    assert_eq!(problems[2][0], "many-0/00000000000000000080.index", "{report}");
    assert!(problems[2][2].ends_with("where no batch begins"), "{report}");
}

/// A copy of the folder `txn`, in which one file is other than Apache Kafka wrote it.
fn transactions_with(name: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let suite = Suite::new();
    for entry in fs::read_dir(segment("txn")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        let bytes = if file.ends_with(name) {
            change(bytes)
        } else {
            bytes
        };
        suite.file(&format!("txn-0/{file}"), bytes);
    }
    let outcome = dump(&["--verify"], &suite.home().join("txn-0"));
    assert_eq!(
        outcome.code,
        Some(if outcome.stdout().contains("nothing wrong") {
            0
        } else {
            6
        })
    );
    outcome.stdout()
}

#[test]
fn a_transaction_index_is_held_against_the_markers_of_the_log() {
    let without_first = |bytes: Vec<u8>| bytes[34..].to_vec();
    let begins_late = |mut bytes: Vec<u8>| {
        bytes[17] += 1;
        bytes
    };
    let no_marker = |mut bytes: Vec<u8>| {
        bytes[25] += 1;
        bytes
    };
    let odd = |mut bytes: Vec<u8>| {
        bytes.extend_from_slice(b"odd");
        bytes
    };
    for (change, part) in [
        (
            &without_first as &dyn Fn(Vec<u8>) -> Vec<u8>,
            "no entry for the transaction of producer 21 from offset 4 to its abort marker 7",
        ),
        (&|_| Vec::new(), "from offset 16 to its abort marker 19"),
        (
            &begins_late,
            "aborted at offset 7 began at 5, in the log it began at 4",
        ),
        (&no_marker, "at offset 8, where the log has no abort marker"),
        (&odd, "3 bytes behind the last whole entry"),
        (&|bytes| bytes, "nothing wrong"),
    ] {
        let report = transactions_with("000.txnindex", change);
        assert!(report.contains(part), "no {part:?} in {report}");
    }
}

#[test]
fn a_snapshot_is_held_against_the_producers_of_the_log() {
    let path = segment("txn/00000000000000000025.snapshot");
    let entries = producer_snapshot::read(&path).unwrap();
    let with = |change: fn(&mut producer_snapshot::ProducerSnapshotEntry)| {
        let mut entries = entries.clone();
        let last = entries.iter_mut().find(|entry| entry.producer_id == 22).unwrap();
        change(last);
        transactions_with("25.snapshot", |_| producer_snapshot::format(entries.clone()))
    };
    for (report, part) in [
        (
            with(|entry| entry.last_offset = 20),
            "producer 22 wrote last at offset 20 here, at 24 in the log",
        ),
        (
            with(|entry| entry.last_sequence = 7),
            "at epoch 0 and sequence 7 here, at epoch 0 and sequence 0 in the log",
        ),
        (
            with(|entry| entry.current_transaction_first_offset = -1),
            "no open transaction here, one since offset 24",
        ),
        (
            with(|entry| entry.last_offset = 25),
            "offset 25, which is not before the snapshot's 25",
        ),
        (with(|_| ()), "nothing wrong"),
    ] {
        assert!(report.contains(part), "no {part:?} in {report}");
    }
}

#[test]
fn a_recovered_log_has_no_batch_out_of_order() {
    let suite = Suite::new();
    let good = fs::read(segment("many/00000000000000000080.log")).unwrap();
    let first = 12 + usize::try_from(i32::from_be_bytes(good[8..12].try_into().unwrap())).unwrap();
    for offset in [3_i64, 1 << 40] {
        // The base offset is outside the checksum: the second batch is as good as ever but for its place.
        let mut log = good.clone();
        log[first..first + 8].copy_from_slice(&offset.to_be_bytes());
        let copy = suite.file(&format!("{offset}/00000000000000000080.log"), &log);
        let out = suite.home().join(format!("recovered-{offset}.log"));
        let shown = dump(&["--recover", &out.to_string_lossy()], &copy).succeeds();
        assert!(shown.stdout().contains("; 1 corrupt batch"), "{shown:?}");
        dump(&["--verify"], &out).succeeds();
    }
}

/// Where each batch of a log begins, and where the last one ends.
fn batch_ends(log: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    while let Some(field) = log
        .get(ends[ends.len() - 1] + 8..)
        .and_then(|rest| rest.first_chunk())
    {
        ends.push(ends[ends.len() - 1] + 12 + usize::try_from(i32::from_be_bytes(*field)).unwrap());
    }
    ends
}

#[test]
fn what_is_good_behind_a_wrong_length_is_recovered_too() {
    let suite = Suite::new();
    for (name, number) in [("many", "80"), ("magic1-none", "0"), ("magic0-none", "0")] {
        let log_name = format!("{number:0>20}.log");
        let good = fs::read(segment(name).join(&log_name)).unwrap();
        let ends = batch_ends(&good);
        assert!(ends.len() > 3, "{name} has too few batches");
        let second = ends[1]..ends[2];
        let with = |at: usize, bytes: &[u8]| {
            let mut log = good.clone();
            log[at..at + bytes.len()].copy_from_slice(bytes);
            log
        };
        let damaged = [
            ("no length", with(ends[1] + 8, &[0; 4])),
            ("a length behind the file's end", with(ends[1] + 8, &[0x7f; 4])),
            (
                "a length into the next batch",
                with(ends[1] + 8, &(second.len() as i32 + 3).to_be_bytes()),
            ),
            ("a page of zeros", with(ends[1], &vec![0; second.len()])),
            (
                "bytes lost",
                [&good[..ends[1] + 5], &good[ends[1] + 9..]].concat(),
            ),
        ];
        let kept = [&good[..ends[1]], &good[ends[2]..]].concat();
        for (number, (what, log)) in damaged.into_iter().enumerate() {
            let copy = suite.file(&format!("{name}-{number}/{log_name}"), log);
            let out = suite.home().join(format!("{name}-{number}.log"));
            dump(&["--recover", &out.to_string_lossy()], &copy)
                .succeeds()
                .complains("goes on at byte");
            assert!(fs::read(&out).unwrap() == kept, "{name}: {what}");
        }
    }
}

#[test]
fn sums_and_json_name_what_they_count() {
    let shown = dump(
        &["--stats", "-o", "jsonl"],
        &segment("gzip/00000000000000000000.log"),
    )
    .succeeds()
    .stdout();
    for part in [
        "\"records\":30",
        "\"batches\":1",
        "\"inflated_bytes\":1011",
        r#""codecs":{"gzip":{"batches":1,"stored_bytes":205,"inflated_bytes":1011}}"#,
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
}

#[test]
fn records_and_sums_want_a_log() {
    let index = segment("plain/00000000000000000000.index");
    for view in ["--records", "--json", "--stats", "--recover=out"] {
        dump(&[view], &index).exits(5).complains("no log among 1 file");
    }
}

#[test]
fn what_is_no_file_of_kafka_is_refused() {
    let suite = Suite::new();
    let file = suite.file("notes.txt", "hello");
    dump(&[], &file).exits(6).complains("neither a log");
    dump(&[], &suite.home().join("missing.log"))
        .exits(5)
        .complains("missing.log");
}

#[test]
fn a_file_under_another_name_is_what_its_bytes_say() {
    let suite = Suite::new();
    for (file, heading) in [
        ("many/00000000000000000080.log", "BATCH "),
        ("magic0-none/00000000000000000000.log", "BATCH "),
        ("magic1-gzip/00000000000000000000.log", "BATCH "),
        ("txn/00000000000000000000.txnindex", "PRODUCER_ID  FIRST_OFFSET"),
        ("txn/00000000000000000025.snapshot", "PRODUCER_ID  EPOCH"),
        ("many/00000000000000000080.timeindex", "TIMESTAMP "),
        ("many/00000000000000000080.index", "OFFSET "),
    ] {
        let bytes = fs::read(segment(file)).unwrap();
        let copy = suite.file("a copy", bytes);
        let shown = dump(&[], &copy).succeeds().stdout();
        assert!(shown.starts_with(heading), "{file}: {shown}");
    }
    // A log stays one when its first batch is damaged.
    let mut bytes = fs::read(segment("many/00000000000000000080.log")).unwrap();
    bytes[70] ^= 1;
    let shown = dump(&[], &suite.file("a copy", bytes)).exits(6).stdout();
    assert!(shown.contains("CORRUPT"), "{shown}");
}

#[test]
fn what_is_corrupt_has_its_exit_code_in_every_view() {
    let suite = Suite::new();
    let mut log = fs::read(segment("many/00000000000000000000.log")).unwrap();
    let whole = log.clone();
    log[100] ^= 1;
    let changed = suite.file("changed/00000000000000000000.log", log);
    for view in [&[][..], &["--json"], &["--values"], &["--stats"], &["--verify"]] {
        dump(view, &changed).exits(6);
    }
    let noise: Vec<u8> = (0..5000_u32).map(|n| (n * n / 7) as u8).collect();
    let noise = suite.file("noise/00000000000000000000.log", noise);
    for view in [&[][..], &["--json"], &["--stats"], &["--verify"]] {
        dump(view, &noise).exits(6);
    }
    // What a broker is writing, and room that it has set aside, are nothing bad.
    let writing = suite.file("writing/00000000000000000000.log", &whole[..whole.len() - 30]);
    dump(&[], &writing).succeeds();
    let aside = suite.file(
        "aside/00000000000000000000.log",
        [whole, vec![0; 1 << 20]].concat(),
    );
    dump(&["--verify"], &aside).succeeds();
    dump(&[], &aside).succeeds().complains("1 048 576 bytes at byte");
}

#[test]
fn a_snapshot_of_metadata_begins_at_its_own_first_offset() {
    let suite = Suite::new();
    let log = fs::read(segment("plain/00000000000000000000.log")).unwrap();
    suite.file(
        "__cluster_metadata-0/00000000000000007259-0000000002.checkpoint",
        log,
    );
    // An index of the segment that begins where the snapshot ends is none of the snapshot's.
    suite.file("__cluster_metadata-0/00000000000000007259.log", "");
    suite.file(
        "__cluster_metadata-0/00000000000000007259.index",
        [0, 0, 0, 1, 0, 0, 0, 9],
    );
    let checkpoint = suite
        .home()
        .join("__cluster_metadata-0/00000000000000007259-0000000002.checkpoint");
    dump(&["--verify"], &checkpoint)
        .succeeds()
        .prints("1 file, nothing wrong\n");
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let suite = Suite::new();
    suite.file(
        "a-0/00000000000000000000.log",
        fs::read(segment("zstd/00000000000000000000.log")).unwrap(),
    );
    suite.file("a-0/leader-epoch-checkpoint", "nonsense");
    suite.file("a-0/00000000000000000009.snapshot", "nonsense");
    suite.file(
        "b-0/00000000000000000000.log",
        fs::read(segment("plain/00000000000000000000.log")).unwrap(),
    );
    let shown = dump(&[], suite.home()).exits(6);
    shown
        .complains("leader-epoch-checkpoint")
        .complains("2 of 4 files could not be read");
    let out = dump(&[], suite.home()).stdout();
    assert!(
        out.contains("a-0/00000000000000000000.log") && out.contains("b-0/"),
        "{out}"
    );
}

#[test]
fn a_named_pipe_is_read_as_one_and_left_alone_in_a_folder() {
    let suite = Suite::new();
    let pipe = suite.home().join("00000000000000000007.log");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    dump(&[], suite.home())
        .exits(5)
        .complains("no file of a Kafka log");
    let log = segment("plain/00000000000000000000.log");
    let direct = dump(&["--values"], &log).succeeds().stdout();
    let to = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(to, fs::read(log).unwrap()));
    assert_eq!(dump(&["--values"], &pipe).succeeds().stdout(), direct);
    writer.join().unwrap().unwrap();
}

/// A log whose lines fill any pipe many times over.
fn long_log() -> Vec<u8> {
    let batch = fs::read(segment("plain/00000000000000000000.log")).unwrap();
    let length = 12 + i32::from_be_bytes(batch[8..12].try_into().unwrap()) as usize;
    batch[..length].repeat((16 << 20) / length)
}

#[test]
fn a_log_that_is_cut_while_it_is_read_ends_with_an_error() {
    let suite = Suite::new();
    for words in [["kafka-dump-log", "--files"], ["dump-log", "--quiet"]] {
        let log = suite.file("00000000000000000000.log", long_log());
        let mut child = Command::new(env!("CARGO_BIN_EXE_kafkit"))
            .args(words)
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut shown = child.stdout.take().unwrap();
        // Some has been read, and the rest waits until there is room in the pipe.
        shown.read_exact(&mut [0; 100]).unwrap();
        fs::File::options()
            .write(true)
            .open(&log)
            .unwrap()
            .set_len(4096)
            .unwrap();
        io::copy(&mut shown, &mut io::sink()).unwrap();
        let outcome = child.wait_with_output().unwrap();
        let told = String::from_utf8(outcome.stderr).unwrap();
        assert_eq!(outcome.status.code(), Some(1), "{words:?}: {told}");
        assert!(
            told.contains("the file was cut while it was read"),
            "{words:?}: {told}"
        );
    }
}
