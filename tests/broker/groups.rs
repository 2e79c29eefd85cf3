//! What consumer groups are for, as a tutorial tells it: a queue among members, a broadcast among groups, and a place
//! that is kept. Through librdkafka, on the real wire.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::support::cluster::Cluster;

const PATIENCE: Duration = Duration::from_secs(30);

fn create_topic(cluster: &Cluster, name: &str, partitions: i32) {
    let address = HostPort::parse(&cluster.bootstrap()).expect("an address");
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).expect("a connection");
    let topic = CreatableTopic::default()
        .with_name(TopicName(StrBytes::from_string(name.to_owned())))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    let answer = connection.send(&request).expect("an answer");
    assert_eq!(answer.topics[0].error_code, 0);
}

/// Sends the numbers of `range`, each with the key that `key` makes for it.
fn send(cluster: &Cluster, topic: &str, range: std::ops::Range<u32>, key: impl Fn(u32) -> Option<String>) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("sticky.partitioning.linger.ms", "0")
        .create()
        .expect("a producer");
    for number in range {
        let (value, key) = (number.to_string(), key(number));
        let mut record = BaseRecord::<str, str>::to(topic).payload(&value);
        if let Some(key) = &key {
            record = record.key(key);
        }
        producer
            .send(record)
            .map_err(|(error, _)| error)
            .expect("room in the queue");
    }
    producer.flush(PATIENCE).expect("every record delivered");
}

/// A member of a group that commits only when it is told to.
struct Member {
    consumer: BaseConsumer,
    read: Vec<(i32, u32)>,
}

impl Member {
    fn of(cluster: &Cluster, group: &str, topic: &str) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap())
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "100")
            .create()
            .expect("a consumer");
        consumer.subscribe(&[topic]).expect("a subscription");
        Self {
            consumer,
            read: Vec::new(),
        }
    }

    /// Reads what comes in the next moment; commits it if asked to.
    fn poll(&mut self, commit: bool) {
        if let Some(record) = self.consumer.poll(Duration::from_millis(20)) {
            let record = record.expect("a record");
            let value = std::str::from_utf8(record.payload().expect("a value")).expect("text");
            self.read
                .push((record.partition(), value.parse().expect("a number")));
            if commit {
                self.consumer
                    .commit_message(&record, CommitMode::Sync)
                    .expect("a commit");
            }
        }
    }

    fn read_until(&mut self, count: usize, commit: bool) -> BTreeSet<u32> {
        let begun = Instant::now();
        while self.read.len() < count {
            assert!(
                begun.elapsed() < PATIENCE,
                "{} of {count} records came",
                self.read.len()
            );
            self.poll(commit);
        }
        self.numbers()
    }

    fn partitions(&self) -> usize {
        self.consumer.assignment().expect("an assignment").count()
    }

    fn numbers(&self) -> BTreeSet<u32> {
        self.read.iter().map(|(_, number)| *number).collect()
    }
}

#[test]
fn a_group_is_a_queue_each_record_goes_to_one_member() {
    let cluster = Cluster::start();
    create_topic(&cluster, "jobs", 4);
    let mut first = Member::of(&cluster, "workers", "jobs");
    let mut second = Member::of(&cluster, "workers", "jobs");
    let begun = Instant::now();
    while first.partitions() != 2 || second.partitions() != 2 {
        assert!(
            begun.elapsed() < PATIENCE,
            "the members do not share the partitions"
        );
        first.poll(true);
        second.poll(true);
    }
    send(&cluster, "jobs", 0..200, |number| Some(number.to_string()));
    while first.read.len() + second.read.len() < 200 {
        assert!(begun.elapsed() < PATIENCE, "not every record came");
        first.poll(true);
        second.poll(true);
    }
    let (ones, others) = (first.numbers(), second.numbers());
    assert!(!ones.is_empty() && !others.is_empty(), "both have work");
    assert!(ones.is_disjoint(&others), "no record goes to both");
    assert_eq!(ones.len() + others.len(), 200);
}

#[test]
fn every_group_reads_everything_whenever_it_comes() {
    let cluster = Cluster::start();
    create_topic(&cluster, "news", 2);
    send(&cluster, "news", 0..50, |_| None);
    let all: BTreeSet<u32> = (0..50).collect();
    let early = Member::of(&cluster, "subscribers", "news").read_until(50, true);
    assert_eq!(early, all);
    // The records are still there for a group that comes later.
    let late = Member::of(&cluster, "latecomers", "news").read_until(50, true);
    assert_eq!(late, all);
}

#[test]
fn a_consumer_that_fails_before_its_commit_reads_again() {
    let cluster = Cluster::start();
    create_topic(&cluster, "orders", 1);
    send(&cluster, "orders", 0..10, |_| None);
    let mut failing = Member::of(&cluster, "billing", "orders");
    failing.read_until(4, true);
    failing.read_until(7, false);
    drop(failing);
    let again = Member::of(&cluster, "billing", "orders").read_until(6, true);
    assert_eq!(
        again,
        (4..10).collect(),
        "what was read but not committed comes again"
    );
}

#[test]
fn a_group_keeps_its_place_when_the_broker_crashes_and_records_stay_when_it_stops() {
    let mut cluster = Cluster::start();
    create_topic(&cluster, "log", 3);
    send(&cluster, "log", 0..60, |number| Some(number.to_string()));
    Member::of(&cluster, "keeper", "log").read_until(60, true);
    cluster.crash_and_restart();
    send(&cluster, "log", 60..66, |number| Some(number.to_string()));
    let after = Member::of(&cluster, "keeper", "log").read_until(6, true);
    assert_eq!(after, (60..66).collect());
    cluster.restart();
    let everything = Member::of(&cluster, "newcomer", "log").read_until(66, true);
    assert_eq!(everything, (0..66).collect());
}

#[test]
fn a_key_stays_in_its_partition_and_records_without_one_are_spread() {
    let cluster = Cluster::start();
    create_topic(&cluster, "keyed", 3);
    create_topic(&cluster, "spread", 3);
    send(&cluster, "keyed", 0..90, |number| {
        Some(format!("key {}", number % 9))
    });
    send(&cluster, "spread", 0..300, |_| None);
    let mut keyed = Member::of(&cluster, "k", "keyed");
    keyed.read_until(90, true);
    let mut homes: BTreeMap<u32, BTreeSet<i32>> = BTreeMap::new();
    for (partition, number) in &keyed.read {
        homes.entry(number % 9).or_default().insert(*partition);
    }
    assert!(
        homes.values().all(|partitions| partitions.len() == 1),
        "{homes:?}"
    );
    let mut spread = Member::of(&cluster, "s", "spread");
    spread.read_until(300, true);
    let used: BTreeSet<i32> = spread.read.iter().map(|(partition, _)| *partition).collect();
    assert_eq!(used, BTreeSet::from([0, 1, 2]));
}
