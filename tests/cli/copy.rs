//! `kafkit copy`: what arrives is what was there, once, whatever happens on the way; on the mini broker.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

/// Everything of a record but its topic and offset.
const RECORD: &str = "%p %T %{key:json} %{value:json} %h\\n";

/// Records of every kind: keys and values that are null, empty or no text, headers, times that go back.
fn assorted(count: usize, partitions: usize) -> String {
    (0..count).fold(String::new(), |mut lines, n| {
        let key = match n % 4 {
            0 => "null".to_owned(),
            1 => "\"\"".to_owned(),
            _ => format!("\"k{}\"", n % 7),
        };
        let value = match n % 5 {
            0 => "null".to_owned(),
            1 => "\"\"".to_owned(),
            _ => format!("\"value {n} {}\"", "x".repeat(n % 90)),
        };
        let headers = match n % 3 {
            0 => "[]",
            1 => r#"[{"name":"a","value":"1"},{"name":"a","value":null}]"#,
            _ => r#"[{"name":"","value":""}]"#,
        };
        let time = 1_577_880_000_000_i64 + (n as i64 * 7919) % 100_000;
        let _ = writeln!(
            lines,
            r#"{{"partition":{},"key":{key},"value":{value},"timestamp":{time},"headers":{headers}}}"#,
            n % partitions
        );
        lines
    })
}

/// What a topic holds, partition by partition, each in its own order.
fn by_partition(shell: &Shell, topic: &str) -> Vec<String> {
    let shown = shell.shown(topic, RECORD);
    let mut lines: Vec<String> = shown.lines().map(ToOwned::to_owned).collect();
    lines.sort_by_key(|line| {
        line.split(' ')
            .next()
            .and_then(|number| number.parse::<i32>().ok())
    });
    lines
}

/// Both hold the same records in the same partitions; a failure names the first that differs.
fn assert_same(shell: &Shell, source: &str, target: &str) {
    let (source, target) = (by_partition(shell, source), by_partition(shell, target));
    let mut pairs = source.iter().zip(&target);
    let differing = pairs.find(|(source, target)| source != target);
    assert!(differing.is_none(), "{differing:?}");
    assert_eq!(source.len(), target.len());
}

fn orders(shell: &Shell, count: usize, produce: &[&str]) {
    shell
        .kafkit(&["topics", "create", "orders", "-p", "3", "-q"])
        .succeeds();
    let args = [&["orders", "--json", "-q"], produce].concat();
    shell.produce(&args, assorted(count, 3)).succeeds();
}

#[test]
fn a_copy_has_every_record_as_it_was_in_every_codec_and_size_of_batch() {
    let shell = Shell::new();
    for (codec, size) in [
        ("none", "1000000"),
        ("gzip", "1000000"),
        ("snappy", "300"),
        ("lz4", "1000000"),
        ("zstd", "20000"),
    ] {
        let source = format!("of-{codec}");
        let target = format!("to-{codec}");
        shell
            .kafkit(&["topics", "create", &source, "-p", "2", "-q"])
            .succeeds();
        let compression = format!("compression.type={codec}");
        let batch = format!("batch.size={size}");
        let args = [&source, "--json", "-q", "-X", &compression, "-X", &batch];
        shell.produce(&args, assorted(3000, 2)).succeeds();
        let copied = shell
            .kafkit(&["copy", &source, &target, "--create", "--verify"])
            .succeeds();
        let said = copied.stderr;
        assert!(said.contains("3 000 records from"), "{said}");
        assert!(
            said.contains("verified: 3 000 records the same on both sides"),
            "{said}"
        );
        assert_same(&shell, &source, &target);
    }
}

#[test]
fn a_topic_that_is_missing_is_made_as_its_source_is_only_where_that_was_said() {
    let shell = Shell::new();
    let config = [
        "--config",
        "max.message.bytes=5000",
        "--config",
        "cleanup.policy=compact",
    ];
    let words = [&["topics", "create", "a", "-p", "3", "-q"], &config[..]].concat();
    shell.kafkit(&words).succeeds();
    shell
        .kafkit(&["copy", "a", "b"])
        .exits(5)
        .complains("--create makes it with the partitions and configs of a");
    let plan = "\
TOPIC  PARTITIONS  OFFSETS  TO  TO PARTITIONS  TARGET
a               3        0  b               3  would be created
";
    shell
        .kafkit(&["copy", "a", "b", "--create", "--dry-run"])
        .succeeds()
        .prints(plan);
    shell.kafkit(&["describe", "topic", "b"]).exits(5);
    shell
        .kafkit(&["copy", "a", "b", "--create"])
        .succeeds()
        .complains("created b (3 partitions");
    let configs = shell
        .kafkit(&["configs", "get", "topic", "b", "-o", "tsv"])
        .succeeds()
        .stdout();
    assert!(configs.contains("cleanup.policy\tcompact"), "{configs}");
    assert!(configs.contains("max.message.bytes\t5000"), "{configs}");
}

#[test]
fn the_same_command_goes_on_where_it_ended_and_copies_what_came_since() {
    let shell = Shell::new();
    orders(&shell, 90, &[]);
    let copy = ["copy", "orders", "again", "--create"];
    shell
        .kafkit(&copy)
        .succeeds()
        .complains("90 records from orders to again");
    shell
        .kafkit(&copy)
        .succeeds()
        .complains("0 records from orders to again");
    shell
        .produce(&["orders", "--json", "-q"], assorted(30, 3))
        .succeeds();
    shell
        .kafkit(&copy)
        .succeeds()
        .complains("30 records from orders to again");
    assert_same(&shell, "orders", "again");
    // A target that was deleted and created again is another topic: nothing of it is copied.
    shell
        .kafkit(&["topics", "delete", "again", "--yes", "-q"])
        .succeeds();
    shell
        .kafkit(&copy)
        .succeeds()
        .complains("120 records from orders to again");
    shell
        .kafkit(&["copy", "orders", "again", "--restart"])
        .succeeds()
        .complains("120 records from orders to again");
}

/// Begins a copy and kills it as soon as it has written something, three times.
fn kill_again_and_again(shell: &Shell, words: &[&str], target: &str) {
    let copied = || -> u64 {
        let rows = shell
            .kafkit(&["offsets", target, "-o", "tsv"])
            .succeeds()
            .stdout();
        let next = |row: &str| row.split('\t').nth(3).and_then(|next| next.parse::<u64>().ok());
        rows.lines().filter_map(next).sum()
    };
    for _ in 0..3 {
        let before = copied();
        let mut command = shell.suite.command(words);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("a copy");
        wait_until("something is copied", || {
            copied() > before || child.try_wait().expect("its state").is_some()
        });
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[test]
fn a_copy_that_is_killed_again_and_again_brings_every_record_once() {
    let shell = Shell::new();
    shell
        .kafkit(&["topics", "create", "big", "-p", "2", "-q"])
        .succeeds();
    let lines = (0..60_000).fold(String::new(), |mut lines, n| {
        let _ = writeln!(lines, "{n} {}", "y".repeat(100));
        lines
    });
    shell
        .produce(&["big", "-q", "-X", "batch.size=20000"], lines)
        .succeeds();
    shell
        .kafkit(&["topics", "create", "copied", "-p", "2", "-q"])
        .succeeds();
    let address = shell.cluster.bootstrap();
    let file = shell.suite.home().join("progress.json");
    let file = file.to_string_lossy().into_owned();
    let words = ["copy", "big", "copied", "--checkpoint", &file, "-b", &address];
    kill_again_and_again(&shell, &words, "copied");
    shell.suite.run(words).succeeds();
    assert_same(&shell, "big", "copied");
}

/// Where a leader's log ends: for consumers (replica id -1), or written and perhaps not replicated (-2).
fn end_of(address: &str, topic: &str, replica_id: i32) -> i64 {
    let (host, port) = address.rsplit_once(':').expect("host and port");
    let address = HostPort::new(host, port.parse().expect("a port"));
    let mut leader = Connection::open(&address, &ConnectionOptions::default()).expect("a connection");
    let partition = ListOffsetsPartition::default().with_timestamp(-1);
    let topic = ListOffsetsTopic::default()
        .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(replica_id))
        .with_topics(vec![topic]);
    let answer = leader.send_as(&request, 4).expect("an answer");
    answer.topics[0].partitions[0].offset
}

#[test]
fn a_copy_waits_for_what_a_killed_run_has_written_and_no_follower_has() {
    let shell = Shell {
        cluster: Cluster::start_nodes(
            2,
            &[
                "replica.lag.time.max.ms=600000",
                "broker.session.timeout.ms=600000",
            ],
        ),
        suite: Suite::new(),
    };
    let nodes = shell.cluster.bootstrap();
    let leader = nodes.split(',').next().expect("the first node");
    for (topic, replicas) in [("source", "1"), ("copied", "1:2")] {
        let create = [
            "kafka-topics",
            "--create",
            "--topic",
            topic,
            "--replica-assignment",
        ];
        let words = [&create, &[replicas, "--bootstrap-server", &nodes][..]].concat();
        shell.suite.run(words).succeeds();
    }
    shell
        .produce(&["source", "--json", "-q"], assorted(500, 1))
        .succeeds();
    let words = [
        "copy",
        "source",
        "copied",
        "--checkpoint",
        "progress",
        "-b",
        &nodes,
    ];
    shell.cluster.node("pause", 2);
    let mut first = shell.suite.command(words).spawn().expect("a copy");
    wait_until("the copies are written", || end_of(leader, "copied", -2) == 500);
    first.kill().expect("a copy to kill");
    first.wait().expect("its end");
    assert_eq!(end_of(leader, "copied", -1), 0, "no reader sees them");
    let mut second = shell.suite.command(words);
    let mut second = second.stderr(Stdio::piped()).spawn().expect("a copy");
    let mut said = BufReader::new(second.stderr.take().expect("its stderr")).lines();
    let waits = said.find(|line| {
        line.as_ref()
            .is_ok_and(|line| line.starts_with("waiting: 500 offsets"))
    });
    assert!(waits.is_some(), "it ends without a wait");
    shell.cluster.node("resume", 2);
    assert!(second.wait().expect("its end").success());
    assert_same(&shell, "source", "copied");
}

fn transaction(cluster: &Cluster, topic: &str, values: &[String], commits: bool) {
    let patience = Duration::from_secs(60);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", "t")
        .create()
        .expect("a producer");
    producer
        .init_transactions(patience)
        .expect("a transactional producer");
    producer.begin_transaction().expect("a transaction");
    for value in values {
        let record = BaseRecord::<str, str>::to(topic).payload(value);
        producer
            .send(record)
            .map_err(|(error, _)| error)
            .expect("room in the queue");
    }
    producer.flush(patience).expect("every record delivered");
    if commits {
        producer.commit_transaction(patience).expect("a commit");
    } else {
        producer.abort_transaction(patience).expect("an abort");
    }
}

#[test]
fn what_was_aborted_is_left_out_and_markers_are_no_records() {
    let shell = Shell::new();
    shell.kafkit(&["topics", "create", "paid", "-q"]).succeeds();
    for round in 0..4 {
        let values: Vec<String> = (0..700)
            .map(|n| format!("{round} {n} {}", "z".repeat(50)))
            .collect();
        transaction(&shell.cluster, "paid", &values, round % 2 == 0);
    }
    shell
        .kafkit(&["copy", "paid", "settled", "--create", "--verify"])
        .succeeds()
        .complains("1 400 records from paid to settled");
    let shown = shell.shown("settled", "%s\\n");
    assert_eq!(shown.lines().count(), 1400);
    assert!(
        shown
            .lines()
            .all(|line| line.starts_with("0 ") || line.starts_with("2 "))
    );
    shell
        .kafkit(&["copy", "paid", "settled"])
        .succeeds()
        .complains("0 records from");
}

#[test]
fn conditions_times_and_partitions_choose_what_is_copied() {
    let shell = Shell::new();
    orders(&shell, 300, &[]);
    let words = [
        "copy",
        "orders",
        "some",
        "--create",
        "--where",
        "key == \"k3\"",
        "--verify",
    ];
    shell.kafkit(&words).succeeds();
    let only = |topic: &str| {
        shell
            .kafkit(&["consume", topic, "-e", "-q", "--key", "k3", "-f", RECORD])
            .stdout()
    };
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    };
    let all = shell.shown("some", RECORD);
    assert!(!all.is_empty());
    assert_eq!(sorted(all), sorted(only("orders")));
    shell
        .kafkit(&[
            "copy", "orders", "part", "--create", "-p", "1", "--offset", "10..25", "--verify",
        ])
        .succeeds()
        .complains("15 records from");
    let offsets = shell
        .kafkit(&["offsets", "part", "-o", "tsv"])
        .succeeds()
        .stdout();
    assert!(offsets.contains("part\t1\t0\t15\t15"), "{offsets}");
}

#[test]
fn records_placed_by_their_keys_are_where_java_s_producer_puts_them() {
    let shell = Shell::new();
    orders(&shell, 300, &[]);
    shell
        .kafkit(&["topics", "create", "wide", "-p", "7", "-q"])
        .succeeds();
    shell.kafkit(&["copy", "orders", "wide"]).succeeds();
    shell
        .kafkit(&["topics", "create", "hashed", "-p", "7", "-q"])
        .succeeds();
    shell
        .kafkit(&["copy", "orders", "hashed", "--partitions", "hash"])
        .succeeds();
    let keys = shell.shown("hashed", "%p %k\\n");
    // murmur2 of "k3" among 7, as Java's producer has it, is what `kafkit produce` does too.
    shell
        .kafkit(&["topics", "create", "asked", "-p", "7", "-q"])
        .succeeds();
    shell
        .produce(&["asked", "-K", ":", "-q"], "k2:\nk3:\nk5:\n")
        .succeeds();
    for line in shell.shown("asked", "%p %k\\n").lines() {
        let (_, key) = line.split_once(' ').expect("a partition and a key");
        let ours: Vec<&str> = keys
            .lines()
            .filter(|line| line.split_once(' ').is_some_and(|(_, k)| k == key))
            .collect();
        assert!(
            !ours.is_empty() && ours.iter().all(|other| *other == line),
            "{line}: {ours:?}"
        );
    }
    assert_eq!(keys.lines().count(), 300);
}

#[test]
fn a_target_that_takes_smaller_batches_gets_smaller_ones_and_names_what_it_refuses() {
    let shell = Shell::new();
    shell.kafkit(&["topics", "create", "large", "-q"]).succeeds();
    let mut lines = (0..400).fold(String::new(), |mut lines, n| {
        let _ = writeln!(lines, "{n} {}", "w".repeat(500));
        lines
    });
    shell.produce(&["large", "-q"], &lines).succeeds();
    let create = [
        "topics",
        "create",
        "narrow",
        "-q",
        "--config",
        "max.message.bytes=4000",
    ];
    shell.kafkit(&create).succeeds();
    shell.kafkit(&["copy", "large", "narrow", "--verify"]).succeeds();
    lines = format!("{}\nlast\n", "v".repeat(9000));
    shell.produce(&["large", "-q"], &lines).succeeds();
    shell
        .kafkit(&["copy", "large", "narrow"])
        .exits(6)
        .complains("large-0 offset 400 is not copied");
    shell
        .kafkit(&["copy", "large", "narrow", "--skip-failed"])
        .exits(1)
        .complains("1 record was not copied");
    let shown = shell.shown("narrow", "%s\\n");
    assert_eq!((shown.lines().count(), shown.lines().last()), (401, Some("last")));
    shell
        .kafkit(&["copy", "large", "narrow"])
        .succeeds()
        .complains("0 records from");
}

#[test]
fn a_cluster_is_copied_to_another_by_a_pattern_or_as_a_whole() {
    let shell = Shell::new();
    orders(&shell, 60, &[]);
    shell.produce(&["shop-b", "-q"], "1\n2\n").succeeds();
    let other = Cluster::start();
    let to = other.bootstrap();
    shell
        .kafkit(&["copy", "shop-(.*)", "old-$1", "--regex", "--create", "--to", &to])
        .succeeds()
        .complains("2 records from shop-b to old-b");
    shell
        .kafkit(&["copy", "--all", "--create", "--to", &to, "--verify"])
        .succeeds()
        .complains("62 records from 2 topics");
    let there = |topic: &str| {
        shell
            .suite
            .run(["consume", topic, "-e", "-q", "-b", &to])
            .succeeds()
            .stdout()
    };
    assert_eq!(
        (there("old-b"), there("shop-b")),
        ("1\n2\n".to_owned(), "1\n2\n".to_owned())
    );
    assert_eq!(there("orders").lines().count(), 60);
    shell
        .kafkit(&["copy", "orders", "--to", &shell.cluster.bootstrap()])
        .exits(2)
        .complains("orders would be copied into itself");
    shell
        .kafkit(&["copy", "orders"])
        .exits(2)
        .complains("a target is missing");
    shell
        .kafkit(&["copy", "order", "x", "--create"])
        .exits(5)
        .complains("did you mean \"orders\"?");
}

#[test]
fn a_copy_that_follows_brings_what_comes_until_it_is_interrupted() {
    let shell = Shell::new();
    orders(&shell, 30, &[]);
    shell
        .kafkit(&["topics", "create", "mirror", "-p", "3", "-q"])
        .succeeds();
    let address = shell.cluster.bootstrap();
    let mut command = shell
        .suite
        .command(["copy", "orders", "mirror", "--follow", "-b", &address]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().expect("a copy");
    let arrived = |count: usize| {
        wait_until("records to arrive", || {
            shell.shown("mirror", "%p\\n").lines().count() >= count
        });
    };
    arrived(30);
    shell
        .produce(&["orders", "--json", "-q"], assorted(12, 3))
        .succeeds();
    arrived(42);
    let pid = child.id().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let ended = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("42 records from orders to mirror"), "{said}");
    shell
        .kafkit(&["copy", "orders", "mirror"])
        .succeeds()
        .complains("0 records from");
    assert_same(&shell, "orders", "mirror");
}

/// What a reader of committed records sees.
fn committed(shell: &Shell, topic: &str) -> Vec<String> {
    let words = [
        "consume",
        topic,
        "-e",
        "-q",
        "--isolation",
        "read_committed",
        "-f",
        RECORD,
    ];
    let shown = shell.kafkit(&words).succeeds().stdout();
    let mut lines: Vec<String> = shown.lines().map(ToOwned::to_owned).collect();
    lines.sort_by_key(|line| line.split(' ').next().map(ToOwned::to_owned));
    lines
}

#[test]
fn exactly_once_is_once_for_readers_of_committed_records_however_often_it_is_killed() {
    let shell = Shell::new();
    orders(&shell, 9000, &["-X", "batch.size=3000"]);
    shell
        .kafkit(&["topics", "create", "once", "-p", "3", "-q"])
        .succeeds();
    let address = shell.cluster.bootstrap();
    let words = ["copy", "orders", "once", "--exactly-once", "-b", &address];
    kill_again_and_again(&shell, &words, "once");
    let patient = [&words[..], &["--timeout", "60s"]].concat();
    shell.suite.run(&patient).succeeds();
    assert!(committed(&shell, "once") == committed(&shell, "orders"));
    shell
        .produce(&["orders", "--json", "-q"], assorted(60, 3))
        .succeeds();
    let again = shell.suite.run(&patient).succeeds();
    again
        .complains("60 records from orders to once")
        .complains("going on where it ended");
    assert!(committed(&shell, "once") == committed(&shell, "orders"));
    let groups = shell
        .kafkit(&["groups", "list", "-o", "name"])
        .succeeds()
        .stdout();
    assert!(groups.starts_with("kafkit-copy-orders-"), "{groups}");
    shell
        .suite
        .run([&words[..], &["--partitions", "hash"]].concat())
        .exits(2)
        .complains("goes with --partitions keep");
}

/// A topic with three batches that are large enough to be sent as they are, the second of which is damaged on the disk.
fn damaged(shell: &Shell) {
    shell.kafkit(&["topics", "create", "damaged", "-q"]).succeeds();
    for n in 0..3 {
        let line = format!("{n}{}\n", "x".repeat(LONG));
        shell.produce(&["damaged", "-q"], line).succeeds();
    }
    let log = shell
        .cluster
        .data_dir()
        .join("damaged-0/00000000000000000000.log");
    let mut bytes = std::fs::read(&log).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&log, bytes).expect("a changed segment");
}

const LONG: usize = 20_000;

#[test]
fn a_batch_that_is_damaged_in_the_source_is_named_whoever_finds_it() {
    let shell = Shell::new();
    damaged(&shell);
    let unanswered = ["-X", "acks=0", "-X", "enable.idempotence=false"];
    for (target, words, copied) in [
        ("answered", &[][..], "0"),
        ("without-idempotence", &["-X", "enable.idempotence=false"], "0"),
        ("unanswered", &unanswered, "0"),
        ("at-once", &["--exactly-once"], ""),
        ("looked-at", &["--where", "value ~ 'x'"], ""),
    ] {
        let words = [&["copy", "damaged", target, "--create"], words].concat();
        shell
            .kafkit(&words)
            .exits(6)
            .complains("damaged-0 offset 1")
            .complains("its checksum does not match its bytes");
        assert_eq!(first_bytes(&shell, target), copied, "{target}");
    }
    shell
        .kafkit(&["copy", "damaged", "at-once", "--exactly-once"])
        .exits(6)
        .complains("0 records from damaged to at-once");
    shell
        .kafkit(&["copy", "damaged", "passed-over", "--create", "--skip-failed"])
        .exits(1)
        .complains("damaged-0 offset 1 is not copied: damaged batch: its checksum does not match its bytes");
    assert_eq!(first_bytes(&shell, "passed-over"), "02");
}

/// The first byte of each record that readers of committed ones see.
fn first_bytes(shell: &Shell, topic: &str) -> String {
    let args = ["consume", topic, "-e", "-q", "--isolation", "read_committed"];
    let shown = shell.kafkit(&args).succeeds().stdout();
    shown.lines().filter_map(|line| line.chars().next()).collect()
}
