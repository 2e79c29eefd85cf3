//! What a topic's records look like on disk and how its files are handled: codecs, open files, other brokers' files.

use std::path::{Path, PathBuf};

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite, outcome_of};
use crate::support::wait::wait_until;

fn lines(count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|number| format!("line {number}\n")).collect();
    lines.concat()
}

fn kafkit(suite: &Suite, cluster: &Cluster, args: &[&str], input: &str) -> Outcome {
    let bootstrap = cluster.bootstrap();
    suite.run_with_input([args, &["-q", "-b", bootstrap.as_str()]].concat(), input)
}

/// The codec of each batch, as Kafka's dump names it.
fn codecs_on_disk(suite: &Suite, folder: &Path) -> Vec<String> {
    let log = folder.join("00000000000000000000.log");
    let dump = suite
        .run(["kafka-dump-log", "--files", &log.to_string_lossy()])
        .succeeds();
    let words = dump.stdout();
    let mut words = words.split_whitespace();
    let mut codecs = Vec::new();
    while let Some(word) = words.next() {
        if word == "compresscodec:" {
            codecs.extend(words.next().map(str::to_owned));
        }
    }
    codecs
}

/// Apache Kafka stores every batch in the topic's codec, whatever the producer chose.
#[test]
fn batches_are_stored_in_the_codec_of_the_topic() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    for (compression_type, stored) in [
        ("gzip", ["gzip"; 3]),
        ("zstd", ["zstd"; 3]),
        ("uncompressed", ["none"; 3]),
        ("producer", ["none", "lz4", "gzip"]),
    ] {
        let config = format!("compression.type={compression_type}");
        kafkit(
            &suite,
            &cluster,
            &["topics", "create", compression_type, "--config", &config],
            "",
        )
        .succeeds();
        for codec in ["none", "lz4", "gzip"] {
            let codec = format!("compression.type={codec}");
            kafkit(
                &suite,
                &cluster,
                &["produce", compression_type, "-X", &codec],
                &lines(100),
            )
            .succeeds();
        }
        let folder = cluster.data_dir().join(format!("{compression_type}-0"));
        assert_eq!(codecs_on_disk(&suite, &folder), stored, "{compression_type}");
        kafkit(&suite, &cluster, &["consume", compression_type, "-e"], "")
            .succeeds()
            .prints(&lines(100).repeat(3));
    }
}

/// The log files that the broker holds open.
fn open_logs(cluster: &Cluster) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", cluster.pid())).unwrap();
    let targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets
        .filter(|target| {
            target
                .extension()
                .is_some_and(|suffix| suffix == "log" || suffix == "index")
        })
        .count()
}

#[test]
fn files_that_nobody_reads_or_writes_any_more_are_closed_and_opened_again() {
    let suite = Suite::new();
    let cluster = Cluster::start_with(&["log.flush.offset.checkpoint.interval.ms=100"]);
    kafkit(
        &suite,
        &cluster,
        &[
            "topics",
            "create",
            "many",
            "-p",
            "5",
            "--config",
            "internal.segment.bytes=5000",
        ],
        "",
    )
    .succeeds();
    for _ in 0..2 {
        for partition in ["0", "1", "2", "3", "4"] {
            for _ in 0..3 {
                kafkit(
                    &suite,
                    &cluster,
                    &["produce", "many", "-p", partition],
                    &lines(300),
                )
                .succeeds();
            }
        }
        let consumed = kafkit(&suite, &cluster, &["consume", "many", "-e"], "").succeeds();
        assert_eq!(consumed.stdout().lines().count() % (5 * 3 * 300), 0);
        wait_until("no log is open", || open_logs(&cluster) == 0);
    }
    let consumed = kafkit(&suite, &cluster, &["consume", "many", "-e"], "").succeeds();
    assert_eq!(consumed.stdout().lines().count(), 2 * 5 * 3 * 300);
}

/// The usual limit of 1024 files would end at some three hundred partitions.
#[test]
fn more_partitions_are_written_than_the_usual_limit_of_files_allows() {
    let suite = Suite::new();
    let script = "ulimit -n && \"$0\" topics create wide -q -p 60 && seq 6000 | \"$0\" produce wide -q \
                  && \"$0\" consume wide -q -e | wc -l";
    let mut command = suite.command([] as [&str; 0]);
    let kafkit = command.get_program().to_owned();
    command = std::process::Command::new("sh");
    command
        .args(["-c", "ulimit -Sn 64; exec \"$0\" broker -- sh -c \"$1\" \"$0\""])
        .arg(kafkit)
        .arg(script)
        .current_dir(suite.home())
        .env("HOME", suite.home());
    let outcome = outcome_of(command, b"").succeeds();
    // The command itself has the limit that it was started with.
    assert_eq!(
        outcome.stdout().split_whitespace().collect::<Vec<_>>(),
        ["64", "6000"]
    );
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// The folder was written by Apache Kafka for a transactional producer; see `golden/segments/README.md`.
#[test]
fn readers_of_committed_records_see_no_aborted_and_no_open_transaction() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    cluster.stop();
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/segments/txn");
    copy_folder(&golden, &cluster.data_dir().join("txn-0"));
    cluster.restart();
    let read = |isolation: &str| {
        let isolation = format!("isolation.level={isolation}");
        let consumed = kafkit(
            &suite,
            &cluster,
            &["consume", "txn", "-e", "-X", &isolation, "-f", "%o "],
            "",
        );
        let offsets = consumed.succeeds().stdout();
        let offsets = offsets.split_whitespace().map(|offset| offset.parse().unwrap());
        offsets.collect::<Vec<i64>>()
    };
    let all = read("read_uncommitted");
    let committed = read("read_committed");
    let aborted = |offset: &i64| (4..7).contains(offset) || (16..19).contains(offset);
    let expected: Vec<i64> = all
        .iter()
        .copied()
        .filter(|offset| *offset < 24 && !aborted(offset))
        .collect();
    assert_eq!((committed.len(), committed), (12, expected));
    assert!(all.len() > 18 && all.iter().any(aborted), "{all:?}");
}

/// The directory was written by Apache Kafka; see `golden/kraft-directory/README.md`.
#[test]
fn a_directory_of_apache_kafka_keeps_its_topics_with_their_configs() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    cluster.stop();
    let data_dir = cluster.data_dir();
    std::fs::remove_dir_all(&data_dir).unwrap();
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kraft-directory");
    for folder in ["__cluster_metadata-0", "a-0", "a-1"] {
        copy_folder(&golden.join(folder), &data_dir.join(folder));
    }
    std::fs::copy(golden.join("meta.properties"), data_dir.join("meta.properties")).unwrap();
    cluster.restart();
    let described = kafkit(&suite, &cluster, &["describe", "topic", "a"], "").succeeds();
    let described = described.stdout();
    assert!(described.contains("id 1zUQVKx_QDSroHF74NKlIA"), "{described}");
    assert!(
        described.contains("set on it: retention.ms=123456\n"),
        "{described}"
    );
    // Retention would take them away in some minutes.
    let consumed = kafkit(&suite, &cluster, &["consume", "a", "-e"], "").succeeds();
    assert_eq!(consumed.stdout().lines().count(), 100);
    // Apache Kafka goes on from 1000 when it comes back: ours are none that it could reach.
    let produced = kafkit(
        &suite,
        &cluster,
        &["produce", "a", "-p", "0", "-X", "enable.idempotence=true"],
        &lines(3),
    );
    produced.succeeds();
    let files = std::fs::read_dir(data_dir.join("a-0")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|suffix| suffix == "log"));
    let newest = logs.max().unwrap();
    let dump = suite
        .run(["kafka-dump-log", "--files", newest.to_str().unwrap()])
        .succeeds();
    assert!(
        dump.stdout().contains("producerId: 1000000000000 "),
        "{}",
        dump.stdout()
    );
    // Apache Kafka's own metadata stay in its log: nothing is written beside it.
    assert!(!data_dir.join("bootstrap.checkpoint").exists());
}
