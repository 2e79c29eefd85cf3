//! Does `kafkit consume` show the records that were asked for, and stop where it should?

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use kafkit::records::batch_builder::BatchOptions;
use kafkit::records::{BatchBuilder, Codec, batch_header};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};
use crate::support::terminal::Terminal;
use crate::support::wait::wait_until;

struct Shell {
    cluster: Cluster,
    suite: Suite,
}

impl Shell {
    /// A topic `t` of the numbers one to ten.
    fn with_ten() -> Self {
        let shell = Self {
            cluster: Cluster::start(),
            suite: Suite::new(),
        };
        let numbers = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
        let bootstrap = shell.cluster.bootstrap();
        let args = ["produce", "-b", &bootstrap, "t", "--timestamp", "1700000000000"];
        shell.suite.run_with_input(args, numbers).succeeds();
        shell
    }

    fn consume(&self, args: &[&str]) -> Outcome {
        let bootstrap = self.cluster.bootstrap();
        self.suite.run(
            ["consume", "-b", &bootstrap]
                .into_iter()
                .chain(args.iter().copied()),
        )
    }
}

#[test]
fn the_whole_topic_to_its_end() {
    let shell = Shell::with_ten();
    shell
        .consume(&["t", "-e"])
        .succeeds()
        .prints("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    shell.consume(&["t", "-n", "2"]).succeeds().prints("1\n2\n");
}

#[test]
fn from_a_number_a_word_or_the_end() {
    let shell = Shell::with_ten();
    shell.consume(&["t", "-e", "--offset", "8"]).prints("9\n10\n");
    shell.consume(&["t", "-e", "--offset", "-2"]).prints("9\n10\n");
    shell
        .consume(&["t", "-e", "--offset", "latest"])
        .succeeds()
        .prints("");
    shell
        .consume(&["t", "-e", "--offset", "-99"])
        .prints("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    shell.consume(&["t", "--offset", "middle"]).exits(2);
}

#[test]
fn a_topic_that_is_named_twice_is_read_once() {
    let shell = Shell::with_ten();
    shell
        .consume(&["t", "t", "-e"])
        .succeeds()
        .prints("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
}

#[test]
fn a_pattern_that_matches_nothing_is_named_and_one_that_is_none_too() {
    let shell = Shell::with_ten();
    shell
        .consume(&["zz.*", "-e", "--regex"])
        .exits(5)
        .complains("no topic matches zz.*");
    shell
        .consume(&["(", "-e", "--regex"])
        .exits(2)
        .complains("\"(\" is no regular expression: at position 1: ");
}

#[test]
fn a_cluster_that_is_not_there_is_named_before_it_is_given_up() {
    let suite = Suite::new();
    let waits = "cannot reach 127.0.0.1:1: connection refused; waiting up to 2 s\n";
    let connection = ["-b", "127.0.0.1:1", "--timeout", "2s"];
    let consumed = suite.run(["consume", "t", "-e"].into_iter().chain(connection));
    consumed.exits(3).complains(waits);
    let produced = suite.run_with_input(["produce", "t"].into_iter().chain(connection), "1\n");
    produced.exits(3).complains(waits);
}

#[test]
fn between_two_times() {
    let shell = Shell::with_ten();
    let bootstrap = shell.cluster.bootstrap();
    let args = ["produce", "-b", &bootstrap, "t", "--timestamp", "1700000100000"];
    shell.suite.run_with_input(args, "late\n").succeeds();
    shell
        .consume(&["t", "-e", "--since", "@1700000050"])
        .prints("late\n");
    shell
        .consume(&[
            "t",
            "--since",
            "@1600000000",
            "--until",
            "@1700000050",
            "-f",
            "%s ",
        ])
        .succeeds()
        .prints("1 2 3 4 5 6 7 8 9 10 ");
}

#[test]
fn a_topic_that_is_not_there_is_exit_5_and_a_guess() {
    let shell = Shell::with_ten();
    let bootstrap = shell.cluster.bootstrap();
    shell
        .suite
        .run(["topics", "create", "-b", &bootstrap, "orders"])
        .succeeds();
    shell.consume(&["ordes", "-e"]).exits(5).complains(&format!(
        "topic \"ordes\" not found on {bootstrap}; did you mean \"orders\"?"
    ));
    shell
        .consume(&["t", "-p", "7", "-e"])
        .exits(5)
        .complains("has no partition 7");
    shell
        .consume(&["t:0", "-e"])
        .exits(6)
        .complains("no topic can be named \"t:0\"")
        .complains("`t -p 0`");
}

#[test]
fn an_empty_topic_ends_at_once() {
    let shell = Shell::with_ten();
    let bootstrap = shell.cluster.bootstrap();
    shell
        .suite
        .run(["topics", "create", "-b", &bootstrap, "empty", "--partitions", "3"])
        .succeeds();
    shell.consume(&["empty", "-e"]).succeeds().prints("");
}

#[test]
fn a_group_goes_on_where_it_was() {
    let shell = Shell::with_ten();
    shell
        .consume(&["t", "--group", "g", "-n", "4"])
        .succeeds()
        .prints("1\n2\n3\n4\n");
    shell
        .consume(&["t", "--group", "g", "-n", "3"])
        .succeeds()
        .prints("5\n6\n7\n");
    shell
        .consume(&["t", "--group", "g", "-e"])
        .succeeds()
        .prints("8\n9\n10\n");
    shell
        .consume(&["t", "--group", "another", "-n", "1"])
        .succeeds()
        .prints("1\n");
}

#[test]
fn a_template_with_a_mistake_is_a_usage_error() {
    Suite::new()
        .run(["consume", "-b", "127.0.0.1:1", "t", "-f", "%q"])
        .exits(2)
        .complains("unknown token %q");
}

#[test]
fn an_offset_that_is_not_there_is_told() {
    let shell = Shell::with_ten();
    let beyond = shell
        .consume(&["t", "-e", "--offset", "11"])
        .succeeds()
        .prints("");
    assert_eq!(
        beyond.stderr,
        "kafkit: offset 11 is not yet in t-0 (ends at 10): nothing to read there\n"
    );
    let end = shell
        .consume(&["t", "-e", "--offset", "10"])
        .succeeds()
        .prints("");
    assert_eq!(end.stderr, "", "the end is a place to wait at");

    let terminal = Terminal::new();
    let address = shell.cluster.bootstrap();
    let waiting = terminal.start(&format!("kafkit consume t -b {address} --offset 1000"));
    waiting.says("offset 1000 is not yet in t-0 (ends at 10): what comes next is read");
    let more = ["produce", "t", "-b", &address];
    shell.suite.run_with_input(more, "eleven\n").succeeds();
    waiting.prints("eleven\n");
}

#[test]
fn offsets_in_short() {
    let shell = Shell::with_ten();
    shell
        .consume(&["t", "-e", "-o", "-2"])
        .succeeds()
        .prints("9\n10\n");
    shell
        .consume(&["t", "-e", "-n", "1", "-o", "@2020-01-01"])
        .succeeds()
        .prints("1\n");
    shell.consume(&["t", "-o", "json"]).exits(2).complains(
        "--offset takes earliest, latest, a number, -N, +N, A..B or @TIME, not \"json\" (records as JSON: --json)",
    );
}

/// A batch of three records at `base` whose records are damaged by `damage`; the checksum is right again.
fn damaged_batch(base: i64, codec: Codec, damage: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        base_offset: base,
        partition_leader_epoch: 0,
        codec,
        ..BatchOptions::default()
    });
    for _ in 0..3 {
        builder.append(1_700_000_000_000, None, Some(b"behind"), &[]);
    }
    let mut batch = builder.finish().unwrap();
    damage(&mut batch);
    let length = i32::try_from(batch.len() - 12).unwrap();
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch_header::set_crc(&mut batch);
    batch
}

/// Where the number of records stands in a batch.
const COUNT: std::ops::Range<usize> = 57..61;
type Damage = fn(&mut Vec<u8>);
/// A topic of each name holds a batch with this damage, about which the run says the last word.
const DAMAGES: [(&str, Codec, Damage, &str); 6] = [
    (
        "truncated",
        Codec::Gzip,
        |batch| batch.truncate(batch.len() - 6),
        "corrupt gzip data",
    ),
    (
        "no-gzip",
        Codec::Gzip,
        |batch| batch[61..].fill(b'x'),
        "corrupt gzip data",
    ),
    (
        "no-zstd",
        Codec::Zstd,
        |batch| batch[61..].fill(b'x'),
        "corrupt zstd data",
    ),
    (
        "junk",
        Codec::None,
        |batch| batch[61..].fill(b'x'),
        "malformed record",
    ),
    (
        "many",
        Codec::None,
        |batch| {
            batch[COUNT].copy_from_slice(&9i32.to_be_bytes());
            batch[23..27].copy_from_slice(&8i32.to_be_bytes());
        },
        "declares 9 records but holds 3",
    ),
    (
        "few",
        Codec::None,
        |batch| {
            batch[COUNT].copy_from_slice(&1i32.to_be_bytes());
            batch[23..27].copy_from_slice(&0i32.to_be_bytes());
        },
        "bytes after the last record",
    ),
];

/// What is before a damaged batch is printed, then the run ends with its place, even where the engine's thread never comes
/// back from it.
#[test]
fn a_damaged_batch_ends_the_run_with_its_place() {
    let mut shell = Shell::with_ten();
    for (topic, ..) in &DAMAGES {
        let bootstrap = shell.cluster.bootstrap();
        shell
            .suite
            .run_with_input(["produce", "-b", &bootstrap, topic], "1\n2\n")
            .succeeds();
    }
    shell.cluster.stop();
    for (topic, codec, damage, _) in &DAMAGES {
        let behind = match *topic {
            "many" => 11,
            "few" => 3,
            _ => 5,
        };
        let path = shell
            .cluster
            .data_dir()
            .join(format!("{topic}-0/00000000000000000000.log"));
        let mut log = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        log.write_all(&damaged_batch(2, *codec, damage)).unwrap();
        log.write_all(&damaged_batch(behind, Codec::None, |_| {}))
            .unwrap();
    }
    shell.cluster.restart();
    for (topic, _, _, told) in &DAMAGES {
        let outcome = shell
            .consume(&[topic, "-e"])
            .exits(6)
            .complains(&format!("{topic}-0 offset 2: damaged batch of offsets 2 to "))
            .complains(told);
        let printed = outcome.stdout();
        assert!(printed.starts_with("1\n2\n"), "{topic}: {printed}");
        // What comes before the fault is shown.
        let behind = match *topic {
            "many" => 3,
            "few" => 1,
            _ => 0,
        };
        assert_eq!(printed.matches("behind").count(), behind, "{topic}: {printed}");
    }
}

/// One SIGTERM ends a run whose engine hangs in a batch: a group's records come over librdkafka, which does.
#[test]
fn a_signal_ends_a_run_whose_engine_hangs() {
    let mut shell = Shell::with_ten();
    shell.cluster.stop();
    let path = shell.cluster.data_dir().join("t-0/00000000000000000000.log");
    let mut log = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    log.write_all(&damaged_batch(10, Codec::Gzip, |batch| {
        batch.truncate(batch.len() - 6);
    }))
    .unwrap();
    shell.cluster.restart();
    let bootstrap = shell.cluster.bootstrap();
    let mut command = shell
        .suite
        .command(["consume", "-b", &bootstrap, "t", "-g", "readers"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A thread that spins has used more of the processor than the start of a program does.
    let pid = child.id();
    wait_until("an engine that hangs", || processor_ticks(pid) > 30);
    let since = Instant::now();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(143));
    assert!(
        since.elapsed() < Duration::from_millis(1500),
        "{:?}",
        since.elapsed()
    );
}

/// Hundredths of a second of the processor's time.
fn processor_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let numbers = fields.split_whitespace().skip(11).take(2);
    numbers.filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

#[test]
fn records_that_brokers_keep_for_themselves_are_shown_decoded() {
    let shell = Shell::with_ten();
    shell.consume(&["t", "-g", "readers", "-e"]).succeeds();
    let commits = shell.consume(&["__consumer_offsets", "-e"]).succeeds().stdout();
    let commit = "{\"type\":\"OffsetCommit\",\"key\":{\"group\":\"readers\",\"topic\":\"t\",\"partition\":0},\"value\":{\"offset\":10,";
    assert!(commits.lines().any(|line| line.starts_with(commit)), "{commits}");
    let keys = shell
        .consume(&["__consumer_offsets", "-e", "-f", "%K "])
        .succeeds()
        .stdout();
    assert!(!keys.contains('{'), "a template shows what is there: {keys}");
}
