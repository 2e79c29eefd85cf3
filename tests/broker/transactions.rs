//! What transactions are for: several partitions and a place in the input, all or nothing, also when the broker is
//! killed in the middle. Through librdkafka, on the real wire.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use kafkit::records::Batches;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::{Offset, types::RDKafkaErrorCode};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);

fn producer(cluster: &Cluster, id: &str) -> BaseProducer {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", id)
        .create()
        .expect("a producer");
    producer
        .init_transactions(PATIENCE)
        .expect("a transactional producer");
    producer
}

fn send(producer: &BaseProducer, topic: &str, values: &[&str]) {
    for value in values {
        let record = BaseRecord::<str, str>::to(topic).payload(*value);
        producer
            .send(record)
            .map_err(|(error, _)| error)
            .expect("room in the queue");
    }
    producer.flush(PATIENCE).expect("every record delivered");
}

/// Every record up to the end, as a reader of this isolation level sees it.
fn read(cluster: &Cluster, topic: &str, isolation: &str) -> Vec<String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", "unused")
        .set("isolation.level", isolation)
        .set("enable.partition.eof", "true")
        .create()
        .expect("a consumer");
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(topic, 0, Offset::Beginning)
        .expect("a partition");
    consumer.assign(&assignment).expect("an assignment");
    let begun = Instant::now();
    let mut values = Vec::new();
    while begun.elapsed() < PATIENCE {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) => {
                let value = record.payload().expect("a value");
                values.push(String::from_utf8(value.to_vec()).expect("text"));
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return values,
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    panic!("no end of {topic}: {values:?}");
}

fn committed(cluster: &Cluster, group: &str, topic: &str) -> Offset {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", group)
        .create()
        .expect("a consumer");
    let mut asked = TopicPartitionList::new();
    asked.add_partition(topic, 0);
    let found = consumer.committed_offsets(asked, PATIENCE).expect("offsets");
    found.elements()[0].offset()
}

#[test]
fn what_is_committed_is_read_and_what_is_aborted_is_not() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let producer = producer(&cluster, "t");
    producer.begin_transaction().unwrap();
    send(&producer, "a", &["one", "two"]);
    send(&producer, "b", &["three"]);
    producer.commit_transaction(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    send(&producer, "a", &["never"]);
    assert_eq!(read(&cluster, "a", "read_committed"), ["one", "two"]);
    producer.abort_transaction(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    send(&producer, "a", &["four"]);
    producer.commit_transaction(PATIENCE).unwrap();
    assert_eq!(read(&cluster, "a", "read_committed"), ["one", "two", "four"]);
    assert_eq!(read(&cluster, "b", "read_committed"), ["three"]);
    assert_eq!(
        read(&cluster, "a", "read_uncommitted"),
        ["one", "two", "never", "four"]
    );
    assert_eq!(seen(&suite, &cluster, "a"), ["one", "two", "four"]);
}

#[test]
fn a_place_in_the_input_is_committed_with_the_output() {
    let cluster = Cluster::start();
    let producer = producer(&cluster, "copy");
    producer.begin_transaction().unwrap();
    send(&producer, "in", &["a", "b"]);
    producer.commit_transaction(PATIENCE).unwrap();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", "copiers")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&["in"]).unwrap();
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE && consumer.assignment().unwrap().count() == 0 {
        let _ = consumer.poll(Duration::from_millis(50));
    }
    let membership = consumer.group_metadata().expect("a membership");
    for (place, commits) in [(1, false), (2, true)] {
        let mut offsets = TopicPartitionList::new();
        offsets
            .add_partition_offset("in", 0, Offset::Offset(place))
            .unwrap();
        producer.begin_transaction().unwrap();
        send(&producer, "out", &[if commits { "kept" } else { "dropped" }]);
        producer
            .send_offsets_to_transaction(&offsets, &membership, PATIENCE)
            .unwrap();
        if commits {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.abort_transaction(PATIENCE).unwrap();
            assert_eq!(committed(&cluster, "copiers", "in"), Offset::Invalid);
        }
    }
    assert_eq!(committed(&cluster, "copiers", "in"), Offset::Offset(2));
    assert_eq!(read(&cluster, "out", "read_committed"), ["kept"]);
}

#[test]
fn a_second_producer_of_the_same_id_keeps_the_first_out() {
    let cluster = Cluster::start();
    let first = producer(&cluster, "one");
    first.begin_transaction().unwrap();
    send(&first, "a", &["lost"]);
    let second = producer(&cluster, "one");
    let ended = first.commit_transaction(PATIENCE).unwrap_err();
    let KafkaError::Transaction(ended) = ended else {
        panic!("{ended}");
    };
    assert!(ended.is_fatal(), "{ended}");
    assert_eq!(ended.code(), RDKafkaErrorCode::Fenced);
    second.begin_transaction().unwrap();
    send(&second, "a", &["kept"]);
    second.commit_transaction(PATIENCE).unwrap();
    assert_eq!(read(&cluster, "a", "read_committed"), ["kept"]);
}

#[test]
fn a_topic_that_is_deleted_holds_no_transaction_up() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let producer = producer(&cluster, "t");
    producer.begin_transaction().unwrap();
    send(&producer, "a", &["kept"]);
    send(&producer, "b", &["gone"]);
    let bootstrap = cluster.bootstrap();
    let delete = ["topics", "delete", "b", "--yes", "-q", "-b", &bootstrap];
    suite.run(delete).succeeds();
    producer.commit_transaction(PATIENCE).unwrap();
    assert_eq!(seen(&suite, &cluster, "a"), ["kept"]);
    let described = suite.run(["describe", "transaction", "t", "-o", "tsv", "-b", &bootstrap]);
    let described = described.succeeds().stdout();
    assert!(described.contains("CompleteCommit"), "{described}");
}

#[test]
fn an_id_that_is_not_used_any_more_expires() {
    let suite = Suite::new();
    let mut cluster = Cluster::start_with(&[
        "transactional.id.expiration.ms=300",
        "transaction.remove.expired.transaction.cleanup.interval.ms=100",
    ]);
    let open = producer(&cluster, "open");
    open.begin_transaction().unwrap();
    send(&open, "a", &["one"]);
    let used = producer(&cluster, "used");
    used.begin_transaction().unwrap();
    send(&used, "a", &["two"]);
    used.commit_transaction(PATIENCE).unwrap();
    let ids = |cluster: &Cluster| {
        let list = [
            "describe",
            "transaction",
            "-o",
            "name",
            "-b",
            &cluster.bootstrap(),
        ];
        suite.run(list).succeeds().stdout()
    };
    wait_until("the id without a transaction is gone", || {
        ids(&cluster) == "open\n"
    });
    cluster.crash_and_restart();
    assert_eq!(ids(&cluster), "open\n", "and stays so");
    let again = producer(&cluster, "used");
    again.begin_transaction().unwrap();
    send(&again, "a", &["three"]);
    again.commit_transaction(PATIENCE).unwrap();
    drop((open, used));
}

#[test]
fn a_kill_leaves_a_transaction_whole_or_not_at_all() {
    let mut cluster = Cluster::start();
    let committing = producer(&cluster, "committing");
    committing.begin_transaction().unwrap();
    send(&committing, "a", &["kept"]);
    committing.commit_transaction(PATIENCE).unwrap();
    let open = producer(&cluster, "open");
    open.begin_transaction().unwrap();
    send(&open, "a", &["open"]);
    drop((committing, open));
    cluster.crash_and_restart();
    assert_eq!(
        read(&cluster, "a", "read_committed"),
        ["kept"],
        "the open one holds readers back"
    );
    // Its successor ends it.
    let successor = producer(&cluster, "open");
    successor.begin_transaction().unwrap();
    send(&successor, "a", &["after"]);
    successor.commit_transaction(PATIENCE).unwrap();
    assert_eq!(read(&cluster, "a", "read_committed"), ["kept", "after"]);
    cluster.restart();
    assert_eq!(read(&cluster, "a", "read_committed"), ["kept", "after"]);
}

/// A client that looks offsets up and reads no records.
fn asker(cluster: &Cluster, isolation: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", "unused")
        .set("isolation.level", isolation)
        .create()
        .expect("a consumer")
}

#[test]
fn a_time_leads_to_no_record_of_an_open_transaction() {
    let cluster = Cluster::start();
    let producer = producer(&cluster, "t");
    producer.begin_transaction().unwrap();
    send(&producer, "a", &["open"]);
    let found = |isolation| {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_offset("a", 0, Offset::Offset(0)).unwrap();
        let found = asker(&cluster, isolation)
            .offsets_for_times(asked, PATIENCE)
            .unwrap();
        found.elements()[0].offset()
    };
    assert_eq!(found("read_uncommitted"), Offset::Offset(0));
    assert_eq!(found("read_committed"), Offset::End);
    producer.commit_transaction(PATIENCE).unwrap();
    assert_eq!(found("read_committed"), Offset::Offset(0));
}

#[test]
fn deleted_records_of_an_open_transaction_leave_no_end_before_the_start() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let producer = producer(&cluster, "t");
    producer.begin_transaction().unwrap();
    send(&producer, "a", &["one", "two"]);
    let delete = [
        "records",
        "delete",
        "a",
        "--to",
        "2",
        "--yes",
        "-q",
        "-b",
        &cluster.bootstrap(),
    ];
    suite.run(delete).succeeds();
    let bounds = |isolation| {
        asker(&cluster, isolation)
            .fetch_watermarks("a", 0, PATIENCE)
            .unwrap()
    };
    assert_eq!(bounds("read_committed"), (2, 2));
    send(&producer, "a", &["three"]);
    assert_eq!(bounds("read_committed"), (2, 2), "the transaction is still open");
    producer.commit_transaction(PATIENCE).unwrap();
    assert_eq!(read(&cluster, "a", "read_committed"), ["three"]);
}

/// How many batches of a log are left after a crash.
type Left = usize;

/// Cuts a partition's log after so many batches, as a crash leaves it.
fn cut(data_dir: &Path, partition: &str, left: Left) {
    let folder = data_dir.join(partition);
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        match path.extension().and_then(|kind| kind.to_str()) {
            Some("log") => {
                let bytes = fs::read(&path).unwrap();
                let kept: usize = Batches::new(&bytes)
                    .map_while(Result::ok)
                    .take(left)
                    .map(|batch| batch.bytes.len())
                    .sum();
                fs::write(&path, &bytes[..kept]).unwrap();
            }
            Some("snapshot" | "txnindex") => fs::remove_file(&path).unwrap(),
            _ => {}
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, copy).unwrap();
        }
    }
}

/// What the direct lane of kafkit reads of committed records.
fn seen(suite: &Suite, cluster: &Cluster, topic: &str) -> Vec<String> {
    let bootstrap = cluster.bootstrap();
    let read = suite.run([
        "consume",
        topic,
        "-e",
        "-q",
        "--isolation",
        "read_committed",
        "-b",
        &bootstrap,
    ]);
    read.succeeds().stdout().lines().map(str::to_owned).collect()
}

/// One transaction is committed and one is aborted, each over two partitions. What is on disk at each moment is played
/// back: the records of the coordinator, and which partition has its marker already.
#[test]
fn a_crash_in_any_state_of_a_transaction_leaves_it_whole() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    let ends = producer(&cluster, "t");
    for (value, commits) in [("one", true), ("two", false)] {
        ends.begin_transaction().unwrap();
        send(&ends, "a", &[value]);
        send(&ends, "b", &[value]);
        if commits {
            ends.commit_transaction(PATIENCE).unwrap();
        } else {
            ends.abort_transaction(PATIENCE).unwrap();
        }
    }
    drop(ends);
    cluster.stop();
    let data_dir = cluster.data_dir();
    let whole = tempfile::tempdir().unwrap();
    copy_folder(&data_dir, whole.path());
    // Empty, Ongoing with a, Ongoing with both, PrepareCommit, CompleteCommit, and the same up to CompleteAbort.
    let points: [(Left, Left, Left, &[&str]); 11] = [
        (1, 0, 0, &[]),
        (3, 1, 1, &[]),
        (4, 1, 1, &["one"]),
        (4, 2, 1, &["one"]),
        (4, 2, 2, &["one"]),
        (5, 2, 2, &["one"]),
        (7, 3, 3, &["one"]),
        (8, 3, 3, &["one"]),
        (8, 4, 3, &["one"]),
        (8, 4, 4, &["one"]),
        (9, 4, 4, &["one"]),
    ];
    for point in points {
        let (states, in_a, in_b, wanted) = point;
        fs::remove_dir_all(&data_dir).unwrap();
        copy_folder(whole.path(), &data_dir);
        fs::remove_file(data_dir.join(".kafka_cleanshutdown")).unwrap();
        cut(&data_dir, "__transaction_state-0", states);
        cut(&data_dir, "a-0", in_a);
        cut(&data_dir, "b-0", in_b);
        cluster.restart();
        for topic in ["a", "b"] {
            assert_eq!(seen(&suite, &cluster, topic), wanted, "{topic} after {point:?}");
        }
        let successor = producer(&cluster, "t");
        successor.begin_transaction().unwrap();
        send(&successor, "a", &["after"]);
        send(&successor, "b", &["after"]);
        successor.commit_transaction(PATIENCE).unwrap();
        for topic in ["a", "b"] {
            let wanted = [wanted, &["after"]].concat();
            assert_eq!(
                seen(&suite, &cluster, topic),
                wanted,
                "{topic} at last after {point:?}"
            );
        }
        drop(successor);
        cluster.stop();
    }
}
