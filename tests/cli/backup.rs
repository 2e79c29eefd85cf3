//! `kafkit backup` and `kafkit restore`, on the mini broker.

use std::fs;
use std::path::Path;

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;

/// Everything of a record but its topic and offset.
const RECORD: &str = "%p %T %{key:json} %{value:json} %h\\n";

/// Records of every kind in three partitions.
fn orders(shell: &Shell) {
    let create = [
        "topics",
        "create",
        "orders",
        "-p",
        "3",
        "-q",
        "--config",
        "segment.bytes=1048576",
    ];
    shell.kafkit(&create).succeeds();
    for (round, codec) in ["none", "zstd", "lz4"].into_iter().enumerate() {
        let lines: Vec<String> = (0..600)
            .map(|n| {
                let value = if n % 5 == 0 { "null".to_owned() } else { format!("\"{round} {n}\"") };
                format!(
                    "{{\"partition\":{},\"key\":\"k{}\",\"value\":{value},\"timestamp\":{},\"headers\":[{{\"name\":\"h\",\"value\":null}}]}}\n",
                    n % 3,
                    n % 9,
                    1_577_880_000_000_i64 + n,
                )
            })
            .collect();
        let codec = format!("compression.type={codec}");
        shell
            .produce(&["orders", "--json", "-q", "-X", &codec], lines.concat())
            .succeeds();
    }
}

fn shown(shell: &Shell, bootstrap: &str, topic: &str) -> Vec<String> {
    let words = ["consume", topic, "-e", "-q", "-b", bootstrap, "-f", RECORD];
    let shown = shell.suite.run(words).succeeds().stdout();
    let mut lines: Vec<String> = shown.lines().map(ToOwned::to_owned).collect();
    lines.sort_by_key(|line| line.split(' ').next().map(ToOwned::to_owned));
    lines
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn a_backup_is_a_log_dir_that_dump_log_reads_and_restore_brings_back() {
    let shell = Shell::new();
    orders(&shell);
    shell
        .kafkit(&["records", "delete", "orders:1", "--to", "77", "--yes", "-q"])
        .succeeds();
    let folder = shell.suite.home().join("backups/monday");
    let folder = text(&folder);
    shell
        .kafkit(&["backup", &folder, "--verify"])
        .succeeds()
        .complains("1 723 records from 1 topic");
    // What a broker would find there.
    shell.suite.run(["dump-log", "--verify", &folder]).succeeds();
    let segment = text(&Path::new(&folder).join("orders-1/00000000000000000077.log"));
    let dumped = shell.suite.run(["dump-log", &segment]).succeeds().stdout();
    assert!(dumped.contains("77-"), "{dumped}");

    let other = Cluster::start();
    let there = other.bootstrap();
    shell
        .suite
        .run(["restore", &folder, "--verify", "-b", &there])
        .succeeds()
        .complains("created orders (3 partitions, segment.bytes=1048576)")
        .complains("verified: 1 723 records the same on both sides");
    assert!(shown(&shell, &shell.cluster.bootstrap(), "orders") == shown(&shell, &there, "orders"));
    shell
        .suite
        .run(["restore", &folder, "-b", &there])
        .succeeds()
        .complains("0 records from orders");
    shell
        .suite
        .run([
            "restore", &folder, "orders", "--as", "again", "-p", "2", "-b", &there,
        ])
        .succeeds()
        .complains("600 records from orders to again");
    shell
        .suite
        .run(["restore", &folder, "--restart", "-b", &there])
        .succeeds()
        .complains("orders has up to 1 723 records already: the copies come after them");
}

#[test]
fn a_backup_goes_on_where_it_ended_even_after_half_a_batch() {
    let shell = Shell::new();
    orders(&shell);
    let folder = shell.suite.home().join("backup");
    let name = text(&folder);
    shell
        .kafkit(&["backup", &name])
        .succeeds()
        .complains("1 800 records");
    shell.kafkit(&["backup", &name]).succeeds().complains("0 records");
    shell.produce(&["orders", "-q"], "1\n2\n3\n").succeeds();
    shell
        .kafkit(&["backup", &name, "--verify"])
        .succeeds()
        .complains("3 records");
    // A run that was killed leaves half a batch.
    let segment = folder.join("orders-0/00000000000000000000.log");
    let bytes = fs::read(&segment).expect("a segment");
    fs::write(&segment, bytes.get(..bytes.len() - 10).expect("a batch")).expect("a shorter one");
    shell
        .kafkit(&["backup", &name, "--verify"])
        .succeeds()
        .complains("verified: 1 803 records the same on both sides");
}

#[test]
fn what_is_no_backup_or_of_another_topic_is_refused() {
    let shell = Shell::new();
    orders(&shell);
    let folder = shell.suite.home().join("backup");
    let name = text(&folder);
    shell
        .suite
        .run(["restore", &name, "-b", "127.0.0.1:1"])
        .exits(5)
        .complains("holds no backup");
    shell.kafkit(&["backup", &name, "orders"]).succeeds();
    shell
        .kafkit(&["restore", &name, "other"])
        .exits(5)
        .complains("topic \"other\" is not in the backup");
    shell
        .kafkit(&["topics", "delete", "orders", "--yes", "-q"])
        .succeeds();
    shell.kafkit(&["topics", "create", "orders", "-q"]).succeeds();
    shell
        .kafkit(&["backup", &name])
        .exits(1)
        .complains("holds another topic orders: it was deleted and created again since");
    let segment = folder.join("orders-0/00000000000000000000.log");
    let mut bytes = fs::read(&segment).expect("a segment");
    if let Some(byte) = bytes.get_mut(100) {
        *byte ^= 1;
    }
    fs::write(&segment, bytes).expect("a damaged one");
    shell
        .kafkit(&["restore", &name, "--as", "fresh"])
        .exits(6)
        .complains("does not have its checksum");
}
