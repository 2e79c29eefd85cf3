//! Groups of the consumer protocol (KIP-848) as their members see them: through librdkafka, by raw heartbeats where a
//! member must not do what it is told, and in `kafkit describe group`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, GroupId,
    IncrementalAlterConfigsRequest, JoinGroupRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
/// Heartbeats so often that a rebalance takes no time.
const QUICK: &str = "group.consumer.heartbeat.interval.ms=50";

fn connect(cluster: &Cluster) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).expect("an address");
    Connection::open(&address, &ConnectionOptions::default()).expect("a connection")
}

fn kafkit(cluster: &Cluster, words: &[&str]) -> String {
    let bootstrap = cluster.bootstrap();
    let outcome = Suite::new().run([words, &["-b", &bootstrap]].concat());
    outcome.succeeds().stdout()
}

fn described(cluster: &Cluster, group: &str) -> Value {
    let text = kafkit(cluster, &["describe", "group", group, "-o", "json"]);
    serde_json::from_str::<Value>(&text).expect("JSON")[0].clone()
}

fn produce(cluster: &Cluster, topic: &str, values: std::ops::Range<u32>) {
    let lines: Vec<String> = values.map(|value| format!("k{value}:{value}\n")).collect();
    let bootstrap = cluster.bootstrap();
    let words = ["produce", topic, "-K", ":", "-b", &bootstrap];
    Suite::new().run_with_input(words, lines.concat()).succeeds();
}

/// A member through librdkafka, which commits what it has read.
struct Member {
    consumer: BaseConsumer,
    read: Vec<u32>,
}

impl Member {
    fn of(cluster: &Cluster, group: &str, topic: &str) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap())
            .set("group.id", group)
            .set("group.protocol", "consumer")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .create()
            .expect("a consumer");
        consumer.subscribe(&[topic]).expect("a subscription");
        Self {
            consumer,
            read: Vec::new(),
        }
    }

    fn poll(&mut self) {
        if let Some(record) = self.consumer.poll(Duration::from_millis(20)) {
            let record = record.expect("a record");
            let value = std::str::from_utf8(record.payload().expect("a value")).expect("text");
            self.read.push(value.parse().expect("a number"));
            self.consumer
                .commit_message(&record, CommitMode::Sync)
                .expect("a commit");
        }
    }

    fn partitions(&self) -> usize {
        self.consumer.assignment().expect("an assignment").count()
    }
}

fn poll_until(members: &mut [&mut Member], what: &str, holds: impl Fn(&[&mut Member]) -> bool) {
    let begun = Instant::now();
    while !holds(members) {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        for member in &mut *members {
            member.poll();
        }
    }
}

fn read_by(members: &[&mut Member]) -> usize {
    members.iter().map(|member| member.read.len()).sum()
}

#[test]
fn two_members_share_the_partitions_and_the_one_that_stays_gets_all() {
    let cluster = Cluster::start_with(&[QUICK, "group.consumer.assignment.interval.ms=0"]);
    kafkit(&cluster, &["topics", "create", "jobs", "--partitions", "4"]);
    let mut first = Member::of(&cluster, "workers", "jobs");
    let mut second = Member::of(&cluster, "workers", "jobs");
    poll_until(&mut [&mut first, &mut second], "two partitions each", |members| {
        members.iter().all(|member| member.partitions() == 2)
    });
    produce(&cluster, "jobs", 0..100);
    poll_until(&mut [&mut first, &mut second], "every record", |members| {
        read_by(members) >= 100
    });
    let ones: BTreeSet<u32> = first.read.iter().copied().collect();
    let others: BTreeSet<u32> = second.read.iter().copied().collect();
    assert!(ones.is_disjoint(&others) && !ones.is_empty() && !others.is_empty());
    assert_eq!(first.read.len() + second.read.len(), 100, "each record once");
    let group = described(&cluster, "workers");
    assert_eq!(
        (&group["protocol"], &group["state"]),
        (&Value::from("consumer"), &Value::from("stable"))
    );
    assert_eq!(group["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(group["lag"], 0);
    drop(second);
    poll_until(&mut [&mut first], "all partitions", |members| {
        members[0].partitions() == 4
    });
}

#[test]
fn a_group_goes_on_where_it_was_when_the_broker_crashes() {
    // The member cannot say good-bye to a broker that comes back at another port.
    let mut cluster = Cluster::start_with(&[QUICK, "group.consumer.session.timeout.ms=3000"]);
    kafkit(&cluster, &["topics", "create", "log", "--partitions", "3"]);
    produce(&cluster, "log", 0..30);
    let mut member = Member::of(&cluster, "keeper", "log");
    poll_until(&mut [&mut member], "every record", |members| {
        read_by(members) >= 30
    });
    let before = described(&cluster, "keeper");
    cluster.crash_and_restart();
    assert_eq!(
        described(&cluster, "keeper"),
        before,
        "epochs, members and assignments are on disk"
    );
    drop(member);
    produce(&cluster, "log", 30..36);
    let mut next = Member::of(&cluster, "keeper", "log");
    poll_until(&mut [&mut next], "the new records", |members| {
        read_by(members) >= 6
    });
    assert_eq!(
        next.read.iter().copied().collect::<BTreeSet<u32>>(),
        (30..36).collect()
    );
}

fn heartbeat(group: &str, member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
        .with_member_id(StrBytes::from_string(member.to_owned()))
        .with_member_epoch(epoch)
        .with_rebalance_timeout_ms(-1)
        .with_subscribed_topic_names(None)
        .with_topic_partitions(None)
}

fn join(group: &str, member: &str, topic: &str) -> ConsumerGroupHeartbeatRequest {
    heartbeat(group, member, 0)
        .with_rebalance_timeout_ms(200)
        .with_subscribed_topic_names(Some(vec![TopicName(StrBytes::from_string(topic.to_owned()))]))
        .with_topic_partitions(Some(Vec::new()))
}

fn given(answer: &ConsumerGroupHeartbeatResponse) -> Option<Vec<i32>> {
    let assignment = answer.assignment.as_ref()?;
    Some(
        assignment
            .topic_partitions
            .first()
            .map(|topic| topic.partitions.clone())
            .unwrap_or_default(),
    )
}

#[test]
fn a_member_that_does_not_give_back_in_time_is_fenced() {
    let cluster = Cluster::start_with(&["group.consumer.assignment.interval.ms=0"]);
    kafkit(&cluster, &["topics", "create", "t", "--partitions", "2"]);
    let mut connection = connect(&cluster);
    let first = connection.send(&join("g", "slow", "t")).expect("an answer");
    assert_eq!(given(&first), Some(vec![0, 1]));
    let second = connection.send(&join("g", "new", "t")).expect("an answer");
    assert_eq!(given(&second), Some(Vec::new()));
    let told = connection
        .send(&heartbeat("g", "slow", first.member_epoch))
        .expect("an answer");
    assert_eq!(given(&told), Some(vec![0]), "it is to give one back");
    let text = kafkit(&cluster, &["describe", "group", "g"]);
    assert!(
        text.contains("reconciling, consumer protocol, uniform, epoch 3, coordinator 1   2 members"),
        "{text}"
    );
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        rows.contains(&vec!["MEMBER", "EPOCH", "ASSIGNED", "TARGET"]),
        "{text}"
    );
    assert!(
        rows.contains(&vec!["kafkit", "/127.0.0.1", "2", "t:0,1", "t:0"]),
        "{text}"
    );
    assert!(rows.iter().any(|row| row.ends_with(&["3", "t:1"])), "{text}");
    // The heartbeats go on, but the partition stays.
    wait_until("the slow member is thrown out", || {
        let mut beat = heartbeat("g", "slow", first.member_epoch);
        let topic = first.assignment.as_ref().expect("an assignment").topic_partitions[0].topic_id;
        beat.topic_partitions = Some(vec![
            TopicPartitions::default()
                .with_topic_id(topic)
                .with_partitions(vec![0, 1]),
        ]);
        connection.send(&beat).expect("an answer").error_code == 25
    });
    wait_until("the other has everything", || {
        let answer = connection
            .send(&heartbeat("g", "new", second.member_epoch))
            .expect("an answer");
        given(&answer).is_some_and(|partitions| partitions == [0, 1])
            || answer.member_epoch > second.member_epoch
    });
}

#[test]
fn the_protocol_can_be_switched_off() {
    let cluster = Cluster::start_with(&["group.coordinator.rebalance.protocols=classic"]);
    let mut connection = connect(&cluster);
    let answer = connection.send(&join("g", "m", "t")).expect("an answer");
    assert_eq!(
        answer.error_code, 35,
        "as Apache Kafka says to a version that it has not"
    );
    let none = kafkit(&cluster, &["describe", "group"]);
    assert_eq!(none, "", "no group came of it");
}

/// Apache Kafka does not start where a group has records of both kinds.
#[test]
fn a_classic_group_leaves_no_record_behind_when_it_is_upgraded() {
    let mut cluster = Cluster::start();
    kafkit(&cluster, &["topics", "create", "t", "--partitions", "2"]);
    let mut connection = connect(&cluster);
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(StrBytes::from_static_str("range"))
        .with_metadata(Bytes::from_static(&[
            0, 0, 0, 0, 0, 1, 0, 1, b't', 255, 255, 255, 255,
        ]));
    let classic = JoinGroupRequest::default()
        .with_group_id(GroupId(StrBytes::from_static_str("g")))
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(30_000)
        .with_protocol_type(StrBytes::from_static_str("consumer"))
        .with_protocols(vec![protocol]);
    let joined = connection.send_as(&classic, 3).expect("an answer");
    assert_eq!((joined.error_code, joined.generation_id), (0, 1));
    let answer = connection.send(&join("g", "m", "t")).expect("an answer");
    assert_eq!((answer.error_code, answer.member_epoch), (0, 2));
    cluster.stop();
    let log = cluster
        .data_dir()
        .join("__consumer_offsets-0/00000000000000000000.log");
    let log = log.to_str().expect("a path");
    let dump = Suite::new().run(["kafka-dump-log", "--offsets-decoder", "--files", log]);
    let dump = dump.succeeds().stdout();
    let last = dump.lines().rfind(|line| line.contains("\"type\":\"2\""));
    assert!(last.is_some_and(|line| line.ends_with("<DELETE>")), "{dump}");
}

#[test]
fn a_full_group_takes_nobody_more() {
    let cluster = Cluster::start_with(&["group.consumer.max.size=1"]);
    kafkit(&cluster, &["topics", "create", "t", "--partitions", "2"]);
    let mut connection = connect(&cluster);
    let first = connection.send(&join("g", "one", "t")).expect("an answer");
    assert_eq!(first.error_code, 0);
    let second = connection.send(&join("g", "two", "t")).expect("an answer");
    assert_eq!(second.error_code, 81);
    // The words of Apache Kafka 4.3.1.
    let message = "The consumer group has reached its maximum capacity of 1 members.";
    assert_eq!(second.error_message.as_deref(), Some(message));
}

#[test]
fn a_groups_own_session_time_out_holds_and_is_kept() {
    let mut cluster = Cluster::start_with(&[
        "group.consumer.min.session.timeout.ms=100",
        "group.consumer.min.heartbeat.interval.ms=1000",
    ]);
    kafkit(&cluster, &["topics", "create", "t", "--partitions", "1"]);
    let alter = |value: &str| {
        let config = AlterableConfig::default()
            .with_name(StrBytes::from_static_str("consumer.session.timeout.ms"))
            .with_value(Some(StrBytes::from_string(value.to_owned())));
        let heartbeats = AlterableConfig::default()
            .with_name(StrBytes::from_static_str("consumer.heartbeat.interval.ms"))
            .with_value(Some(StrBytes::from_static_str("1000")));
        let resource = AlterConfigsResource::default()
            .with_resource_type(32)
            .with_resource_name(StrBytes::from_static_str("g"))
            .with_configs(vec![config, heartbeats]);
        IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
    };
    let mut connection = connect(&cluster);
    let refused = connection.send(&alter("99")).expect("an answer");
    assert_eq!(refused.responses[0].error_code, 40);
    let message =
        "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms";
    assert_eq!(refused.responses[0].error_message.as_deref(), Some(message));
    let taken = connection.send(&alter("1200")).expect("an answer");
    assert_eq!(taken.responses[0].error_code, 0, "{taken:?}");
    cluster.restart();
    let described_config = kafkit(&cluster, &["describe", "config", "group", "g", "-o", "tsv"]);
    assert!(
        described_config.contains("consumer.session.timeout.ms\t1200"),
        "{described_config}"
    );
    let mut connection = connect(&cluster);
    let answer = connection.send(&join("g", "m", "t")).expect("an answer");
    assert_eq!((answer.error_code, answer.heartbeat_interval_ms), (0, 1000));
    let ask =
        ConsumerGroupDescribeRequest::default().with_group_ids(vec![GroupId(StrBytes::from_static_str("g"))]);
    wait_until("the silent member is thrown out", || {
        let answer = connection.send(&ask).expect("an answer");
        answer.groups[0].group_state.as_str() == "Empty"
    });
}
