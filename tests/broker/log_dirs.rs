//! A broker with several log dirs (KIP-113): where partitions come, and how they move from one to another.

use std::path::{Path, PathBuf};

use kafka_protocol::messages::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use kafka_protocol::messages::{AlterReplicaLogDirsRequest, DescribeLogDirsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::terminal::{Program, Terminal};
use crate::support::wait::wait_until;

const THROTTLE: &str = "replica.alter.log.dirs.io.max.bytes.per.second";

fn start(terminal: &Terminal, more: &str) -> Program {
    terminal.start_broker(&format!(
        "kafkit broker --listen HOST:9092 -X log.dirs=a,b -X {THROTTLE}={more}"
    ))
}

/// The two log dirs, the one with the partition first.
fn places(terminal: &Terminal, partition: &str) -> Option<[PathBuf; 2]> {
    let dirs = ["a", "b"].map(|dir| terminal.home().join(dir));
    match [&dirs[0], &dirs[1]].map(|dir| dir.join(partition).is_dir()) {
        [true, false] => Some(dirs),
        [false, true] => {
            let [a, b] = dirs;
            Some([b, a])
        }
        _ => None,
    }
}

fn create(terminal: &Terminal, partitions: u32) {
    terminal
        .run(&format!(
            "kafkit topics create t -q --partitions {partitions} -b HOST:9092"
        ))
        .succeeds();
}

fn send(terminal: &Terminal, text: &str) {
    terminal
        .run_with_input("kafkit produce t -q --partition 0 -b HOST:9092", text)
        .succeeds();
}

#[track_caller]
fn expect_records(terminal: &Terminal, text: &str) {
    terminal
        .run("kafkit consume t -q -e --partition 0 -b HOST:9092")
        .succeeds()
        .prints(text);
}

fn connect(terminal: &Terminal) -> Connection {
    let address = HostPort::new(terminal.host(), 9092);
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

/// Asks for a move of a partition, and returns the error code.
fn alter(terminal: &Terminal, topic: &str, partition: i32, dir: &Path) -> i16 {
    let topic = AlterReplicaLogDirTopic::default()
        .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
        .with_partitions(vec![partition]);
    let dir = AlterReplicaLogDir::default()
        .with_path(StrBytes::from_string(dir.display().to_string()))
        .with_topics(vec![topic]);
    let request = AlterReplicaLogDirsRequest::default().with_dirs(vec![dir]);
    let answer = connect(terminal).send(&request).unwrap();
    answer.results[0].partitions[0].error_code
}

/// Replicas in a log dir: partition, whether it moves there, and how many offsets it lacks.
fn in_dir(terminal: &Terminal, dir: &Path) -> Vec<(i32, bool, i64)> {
    let request = DescribeLogDirsRequest::default().with_topics(None);
    let answer = connect(terminal).send(&request).unwrap();
    let result = answer
        .results
        .iter()
        .find(|result| Path::new(result.log_dir.as_str()) == dir);
    let topics = result.expect("the log dir").topics.iter();
    let partitions = topics.flat_map(|topic| &topic.partitions);
    let mut all: Vec<(i32, bool, i64)> = partitions
        .map(|partition| {
            (
                partition.partition_index,
                partition.is_future_key,
                partition.offset_lag,
            )
        })
        .collect();
    all.sort_unstable();
    all
}

fn lines(count: u32) -> String {
    let lines = (0..count).map(|number| format!("{number} {}\n", "x".repeat(100)));
    lines.collect()
}

#[test]
fn new_partitions_are_spread_over_log_dirs_and_found_again() {
    let terminal = Terminal::new();
    let broker = start(&terminal, "1000000000");
    create(&terminal, 4);
    let found = |terminal: &Terminal| {
        ["a", "b"].map(|dir| {
            let all = in_dir(terminal, &terminal.home().join(dir));
            all.into_iter()
                .map(|(partition, ..)| partition)
                .collect::<Vec<_>>()
        })
    };
    let before = found(&terminal);
    assert_eq!(before, [vec![0, 2], vec![1, 3]]);
    send(&terminal, "one\n");
    broker.kill();
    let _broker = start(&terminal, "1000000000");
    assert_eq!(found(&terminal), before);
    expect_records(&terminal, "one\n");
}

/// By Apache Kafka's own way: `log_dirs` in the plan of a reassignment.
#[test]
fn a_replica_moves_to_another_log_dir_and_takes_its_records_along() {
    let terminal = Terminal::new();
    let broker = start(&terminal, "1000000000");
    create(&terminal, 1);
    let text = lines(2000);
    send(&terminal, &text);
    let [_, other] = places(&terminal, "t-0").expect("a partition");
    let plan = format!(
        r#"{{"version":1,"partitions":[{{"topic":"t","partition":0,"replicas":[1],"log_dirs":["{}"]}}]}}"#,
        other.display()
    );
    terminal.file("move.json", &plan);
    let reassign =
        "bin/kafka-reassign-partitions.sh --bootstrap-server HOST:9092 --reassignment-json-file move.json";
    let words = format!(
        "Successfully started moving log directory to {} for replica t-0 with broker 1",
        other.display()
    );
    let started = terminal.run(&format!("{reassign} --execute")).succeeds().stdout();
    assert!(started.contains(&words), "{started}");
    wait_until("the replica in its new place", || {
        places(&terminal, "t-0").is_some_and(|places| places[0] == other)
    });
    let verified = terminal.run(&format!("{reassign} --verify")).succeeds().stdout();
    assert!(
        verified.contains("Reassignment of replica t-0-1 completed successfully."),
        "{verified}"
    );
    send(&terminal, "the last\n");
    let text = text + "the last\n";
    expect_records(&terminal, &text);
    broker.stop();
    let _broker = start(&terminal, "1000000000");
    expect_records(&terminal, &text);
}

#[test]
fn a_move_that_was_cut_short_goes_on_after_a_restart() {
    let terminal = Terminal::new();
    let slow = "1000";
    let broker = start(&terminal, slow);
    create(&terminal, 1);
    let text = lines(30_000);
    send(&terminal, &text);
    let [first, other] = places(&terminal, "t-0").expect("a partition");
    assert_eq!(alter(&terminal, "t", 0, &other), 0);
    wait_until(
        "some of it is copied",
        || matches!(in_dir(&terminal, &other)[..], [(0, true, lag)] if lag > 0 && lag < 30_000),
    );
    assert_eq!(in_dir(&terminal, &first), [(0, false, 0)]);
    broker.kill();
    let _broker = start(&terminal, "1000000000");
    wait_until("the replica in its new place", || {
        in_dir(&terminal, &other) == [(0, false, 0)] && in_dir(&terminal, &first).is_empty()
    });
    expect_records(&terminal, &text);
}

#[test]
fn a_move_ends_when_the_replica_is_to_stay_or_its_topic_goes() {
    let terminal = Terminal::new();
    let _broker = start(&terminal, "1000");
    create(&terminal, 1);
    send(&terminal, &lines(30_000));
    let [first, other] = places(&terminal, "t-0").expect("a partition");
    assert_eq!(alter(&terminal, "t", 0, &other), 0);
    assert_eq!(in_dir(&terminal, &other).len(), 1);
    assert_eq!(alter(&terminal, "t", 0, &first), 0);
    assert!(in_dir(&terminal, &other).is_empty());
    assert_eq!(alter(&terminal, "t", 0, &other), 0);
    terminal
        .run("kafkit topics delete t -q --yes -b HOST:9092")
        .succeeds();
    let is_empty = |dir: &Path| {
        let mut entries = std::fs::read_dir(dir).expect("a log dir");
        !entries.any(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .starts_with("t-0")
        })
    };
    wait_until("nothing is left", || is_empty(&first) && is_empty(&other));
}

/// As Apache Kafka answers.
#[test]
fn what_cannot_move_is_refused() {
    let (unknown_topic_or_partition, log_dir_not_found) = (3, 57);
    let terminal = Terminal::new();
    let _broker = start(&terminal, "1000");
    create(&terminal, 1);
    let [first, other] = places(&terminal, "t-0").expect("a partition");
    assert_eq!(alter(&terminal, "t", 0, Path::new("/nowhere")), log_dir_not_found);
    assert_eq!(alter(&terminal, "t", 1, &other), unknown_topic_or_partition);
    assert_eq!(alter(&terminal, "none", 0, &other), unknown_topic_or_partition);
    assert_eq!(alter(&terminal, "t", 0, &first), 0);
}
