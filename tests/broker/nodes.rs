//! Several nodes in one process: what becomes of records, groups and transactions when nodes stop, die, sleep and return.

use std::collections::BTreeSet;
use std::time::Duration;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{FetchRequest, MetadataRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};
use crate::support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn kafkit(suite: &Suite, cluster: &Cluster, words: &[&str], input: &str) -> Outcome {
    let bootstrap = cluster.bootstrap();
    suite.run_with_input([words, &["-q", "-b", &bootstrap]].concat(), input)
}

/// Makes the topic t, of three partitions with a replica on each node.
fn create_replicated(suite: &Suite, cluster: &Cluster) {
    let words = "topics create t --replication-factor 3 --partitions 3";
    let words: Vec<&str> = words.split(' ').collect();
    kafkit(suite, cluster, &words, "").succeeds();
}

/// A partition, as the first node that answers knows it.
fn partition(cluster: &Cluster, topic: &str, index: usize) -> MetadataResponsePartition {
    let mut topic = described(cluster, topic);
    topic
        .partitions
        .sort_by_key(|partition| partition.partition_index);
    topic.partitions.remove(index)
}

pub(super) fn described(cluster: &Cluster, topic: &str) -> MetadataResponseTopic {
    let addresses = HostPort::parse_list(&cluster.bootstrap()).unwrap();
    let options = ConnectionOptions {
        request_timeout: Duration::from_secs(5),
        ..ConnectionOptions::default()
    };
    let name = TopicName(StrBytes::from_string(topic.to_owned()));
    let wanted = MetadataRequestTopic::default().with_name(Some(name));
    let request = MetadataRequest::default().with_topics(Some(vec![wanted]));
    let answer = addresses.iter().find_map(|address| {
        let mut connection = Connection::open(address, &options).ok()?;
        connection.send(&request).ok()
    });
    answer.expect("a node that answers").topics.remove(0)
}

pub(super) fn connect(cluster: &Cluster, id: i32) -> Connection {
    let address = HostPort::parse(&address(cluster, id)).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

/// Where a node listens.
pub(super) fn address(cluster: &Cluster, id: i32) -> String {
    let bootstrap = cluster.bootstrap();
    let address = bootstrap.split(',').nth(usize::try_from(id - 1).unwrap());
    address.unwrap().to_owned()
}

pub(super) fn isr(cluster: &Cluster, topic: &str, index: usize) -> BTreeSet<i32> {
    let partition = partition(cluster, topic, index);
    partition.isr_nodes.iter().map(|id| id.0).collect()
}

pub(super) fn leader(cluster: &Cluster, topic: &str, index: usize) -> i32 {
    partition(cluster, topic, index).leader_id.0
}

pub(super) fn numbers(range: std::ops::RangeInclusive<u32>) -> String {
    let lines: Vec<String> = range.map(|number| number.to_string()).collect();
    lines.join("\n") + "\n"
}

fn consumed(suite: &Suite, cluster: &Cluster, topic: &str) -> BTreeSet<u32> {
    let outcome = kafkit(suite, cluster, &["consume", topic, "-e"], "").succeeds();
    let all: Vec<u32> = outcome
        .stdout()
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let distinct: BTreeSet<u32> = all.iter().copied().collect();
    assert_eq!(all.len(), distinct.len(), "a record came twice");
    distinct
}

/// The log files of a partition on each node.
fn log_files(cluster: &Cluster, partition: &str) -> Vec<Vec<u8>> {
    let file = |id| {
        let folder = cluster.data_dir().join(format!("node-{id}")).join(partition);
        std::fs::read(folder.join("00000000000000000000.log")).unwrap_or_default()
    };
    (1..=3).map(file).collect()
}

#[test]
fn records_outlive_the_leader_and_it_comes_back_with_the_same_log() {
    let suite = Suite::new();
    // Nobody waits for a node that has left, however long one may be behind.
    let cluster = Cluster::start_nodes(3, &["replica.lag.time.max.ms=600000"]);
    let create = ["topics", "create", "t", "--replication-factor", "3"];
    kafkit(&suite, &cluster, &create, "").succeeds();
    let send = |range| {
        kafkit(
            &suite,
            &cluster,
            &["produce", "t", "-X", "acks=all"],
            &numbers(range),
        )
        .succeeds()
    };
    send(1..=100);
    let all = BTreeSet::from([1, 2, 3]);
    assert_eq!(isr(&cluster, "t", 0), all);
    let first = leader(&cluster, "t", 0);
    cluster.node("kill", first);
    wait_until("another leader", || leader(&cluster, "t", 0) != first);
    send(101..=200);
    cluster.node("start", first);
    wait_until("all in sync", || isr(&cluster, "t", 0) == all);
    let second = leader(&cluster, "t", 0);
    cluster.node("stop", second);
    // In order: others lead as soon as the command has returned.
    assert_ne!(leader(&cluster, "t", 0), second);
    send(201..=300);
    cluster.node("start", second);
    wait_until("all in sync", || isr(&cluster, "t", 0) == all);
    assert_eq!(consumed(&suite, &cluster, "t"), (1..=300).collect());
    let logs = log_files(&cluster, "t-0");
    assert!(!logs[0].is_empty() && logs.iter().all(|log| *log == logs[0]));
}

#[test]
fn a_node_that_sleeps_is_missed_and_comes_back() {
    let suite = Suite::new();
    let cluster = Cluster::start_nodes(3, &[]);
    let create = ["topics", "create", "t", "--replication-factor", "3"];
    kafkit(&suite, &cluster, &create, "").succeeds();
    let first = leader(&cluster, "t", 0);
    let follower = if first == 3 { 2 } else { 3 };
    cluster.node("pause", follower);
    let awake = address(&cluster, first);
    wait_until("a smaller ISR", || !isr(&cluster, "t", 0).contains(&follower));
    let send = ["produce", "t", "-X", "acks=all", "-q", "-b", &awake];
    suite.run_with_input(send, numbers(1..=10)).succeeds();
    cluster.node("resume", follower);
    wait_until("all in sync", || isr(&cluster, "t", 0).len() == 3);
    assert_eq!(consumed(&suite, &cluster, "t"), (1..=10).collect());
}

#[test]
fn below_min_insync_replicas_nothing_is_taken() {
    let suite = Suite::new();
    let cluster = Cluster::start_nodes(3, &[]);
    let create = [
        "topics",
        "create",
        "t",
        "--replication-factor",
        "3",
        "--config",
        "min.insync.replicas=2",
    ];
    kafkit(&suite, &cluster, &create, "").succeeds();
    let first = leader(&cluster, "t", 0);
    for id in (1..=3).filter(|id| *id != first) {
        cluster.node("stop", id);
    }
    assert_eq!(isr(&cluster, "t", 0), BTreeSet::from([first]));
    let words = ["produce", "t", "-X", "acks=all", "-X", "delivery.timeout.ms=1500"];
    let refused = kafkit(&suite, &cluster, &words, "a\n");
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(refused.stderr.contains("NOT_ENOUGH_REPLICAS"), "{refused:?}");
    let other = if first == 1 { 2 } else { 1 };
    cluster.node("start", other);
    wait_until("two in sync", || isr(&cluster, "t", 0).len() == 2);
    kafkit(&suite, &cluster, &["produce", "t", "-X", "acks=all"], "1\n").succeeds();
}

#[test]
fn everything_is_there_again_after_a_restart_of_the_whole() {
    let suite = Suite::new();
    let mut cluster = Cluster::start_nodes(3, &[]);
    create_replicated(&suite, &cluster);
    kafkit(
        &suite,
        &cluster,
        &["produce", "t", "-X", "acks=all"],
        &numbers(1..=50),
    )
    .succeeds();
    cluster.restart();
    assert_eq!(consumed(&suite, &cluster, "t"), (1..=50).collect());
    cluster.crash_and_restart();
    for index in 0..3 {
        wait_until("all in sync", || isr(&cluster, "t", index).len() == 3);
    }
    assert_eq!(consumed(&suite, &cluster, "t"), (1..=50).collect());
}

#[test]
fn what_only_a_dead_leader_had_is_gone_from_it_when_it_is_back() {
    let suite = Suite::new();
    // Whoever sleeps stays in the ISR for as long as this test takes.
    let cluster = Cluster::start_nodes(3, &["broker.session.timeout.ms=600000"]);
    let create = ["topics", "create", "t", "--replication-factor", "3"];
    kafkit(&suite, &cluster, &create, "").succeeds();
    let first = leader(&cluster, "t", 0);
    for id in (1..=3).filter(|id| *id != first) {
        cluster.node("pause", id);
    }
    // Nobody copies this; the leader alone answers for it.
    let awake = address(&cluster, first);
    let send = ["produce", "t", "-X", "acks=1", "-q", "-b", &awake];
    suite.run_with_input(send, "lost\n").succeeds();
    cluster.node("kill", first);
    for id in (1..=3).filter(|id| *id != first) {
        cluster.node("resume", id);
    }
    cluster.node("start", first);
    wait_until("a leader", || leader(&cluster, "t", 0) >= 0);
    kafkit(
        &suite,
        &cluster,
        &["produce", "t", "-X", "acks=all"],
        &numbers(1..=3),
    )
    .succeeds();
    wait_until("equal logs", || {
        let logs = log_files(&cluster, "t-0");
        logs.iter().all(|log| *log == logs[0])
    });
    assert_eq!(consumed(&suite, &cluster, "t"), (1..=3).collect());
}

#[test]
fn a_group_goes_on_when_its_coordinator_dies() {
    let suite = Suite::new();
    let cluster = Cluster::start_nodes(3, &["offsets.topic.num.partitions=1"]);
    let create = ["topics", "create", "t", "--replication-factor", "3"];
    kafkit(&suite, &cluster, &create, "").succeeds();
    kafkit(
        &suite,
        &cluster,
        &["produce", "t", "-X", "acks=all"],
        &numbers(1..=10),
    )
    .succeeds();
    let consumer = || -> BaseConsumer {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap())
            .set("group.id", "g")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .set("session.timeout.ms", "6000")
            .create()
            .unwrap();
        consumer.subscribe(&["t"]).unwrap();
        consumer
    };
    let read = |consumer: &BaseConsumer, count: usize| {
        let mut seen = Vec::new();
        wait_until("records", || {
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
                seen.push(String::from_utf8_lossy(message.payload().unwrap()).into_owned());
            }
            seen.len() >= count
        });
        seen
    };
    let first = consumer();
    assert_eq!(read(&first, 10).len(), 10);
    first.commit_consumer_state(CommitMode::Sync).unwrap();
    let coordinator = leader(&cluster, "__consumer_offsets", 0);
    cluster.node("kill", coordinator);
    wait_until("another coordinator", || {
        let now = leader(&cluster, "__consumer_offsets", 0);
        now >= 0 && now != coordinator
    });
    kafkit(
        &suite,
        &cluster,
        &["produce", "t", "-X", "acks=all"],
        &numbers(11..=20),
    )
    .succeeds();
    let more = read(&first, 10);
    assert_eq!(
        more,
        (11..=20).map(|number| number.to_string()).collect::<Vec<_>>()
    );
    first.commit_consumer_state(CommitMode::Sync).unwrap();
    drop(first);
    // What was committed is known to whoever coordinates now.
    cluster.node("start", coordinator);
    kafkit(&suite, &cluster, &["produce", "t", "-X", "acks=all"], "21\n").succeeds();
    assert_eq!(read(&consumer(), 1), ["21"]);
}

#[test]
fn a_transaction_is_whole_whoever_dies() {
    let suite = Suite::new();
    let cluster = Cluster::start_nodes(3, &["transaction.state.log.num.partitions=1"]);
    create_replicated(&suite, &cluster);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", "x")
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    let mut expected = BTreeSet::new();
    for round in 0..3_u32 {
        producer.begin_transaction().unwrap();
        for number in 0..30 {
            let value = (round * 100 + number).to_string();
            let record = BaseRecord::<str, str>::to("t")
                .partition(i32::try_from(number % 3).unwrap())
                .payload(&value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
            if round != 1 {
                expected.insert(round * 100 + number);
            }
        }
        producer.flush(PATIENCE).unwrap();
        let coordinator = leader(&cluster, "__transaction_state", 0);
        cluster.node("kill", coordinator);
        if round == 1 {
            producer.abort_transaction(PATIENCE).unwrap();
        } else {
            producer.commit_transaction(PATIENCE).unwrap();
        }
        cluster.node("start", coordinator);
        wait_until("all in sync", || {
            (0..3).all(|index| isr(&cluster, "t", index).len() == 3)
                && isr(&cluster, "__transaction_state", 0).len() == 3
        });
    }
    let words = ["consume", "t", "-e", "-X", "isolation.level=read_committed"];
    wait_until("every marker", || {
        let outcome = kafkit(&suite, &cluster, &words, "").succeeds();
        let seen: Vec<u32> = outcome
            .stdout()
            .lines()
            .map(|line| line.parse().unwrap())
            .collect();
        seen.len() == expected.len() && seen.into_iter().collect::<BTreeSet<_>>() == expected
    });
}

#[test]
fn a_partition_moves_to_another_node_and_takes_its_records_along() {
    let suite = Suite::new();
    let cluster = Cluster::start_nodes(3, &[]);
    kafkit(&suite, &cluster, &["topics", "create", "t"], "").succeeds();
    kafkit(&suite, &cluster, &["produce", "t"], &numbers(1..=100)).succeeds();
    let from = leader(&cluster, "t", 0);
    let to = from % 3 + 1;
    let plan = format!(r#"{{"version":1,"partitions":[{{"topic":"t","partition":0,"replicas":[{to}]}}]}}"#);
    let plan = suite.file("plan.json", plan);
    let execute = ["reassign", "execute", plan.to_str().unwrap()];
    kafkit(&suite, &cluster, &execute, "").succeeds();
    wait_until("the move", || {
        let partition = partition(&cluster, "t", 0);
        partition.leader_id.0 == to && partition.replica_nodes.len() == 1
    });
    assert_eq!(consumed(&suite, &cluster, "t"), (1..=100).collect());
    let left = cluster.data_dir().join(format!("node-{from}/t-0"));
    wait_until("the folder goes", || !left.exists());
}

#[test]
fn the_preferred_leader_leads_again_when_it_is_asked_to() {
    let suite = Suite::new();
    let cluster = Cluster::start_nodes(3, &[]);
    let create = ["topics", "create", "t", "--replication-factor", "2"];
    kafkit(&suite, &cluster, &create, "").succeeds();
    let preferred = leader(&cluster, "t", 0);
    cluster.node("stop", preferred);
    assert_ne!(leader(&cluster, "t", 0), preferred);
    cluster.node("start", preferred);
    wait_until("both in sync", || isr(&cluster, "t", 0).len() == 2);
    assert_ne!(leader(&cluster, "t", 0), preferred);
    kafkit(&suite, &cluster, &["leaders", "elect", "--all", "--yes"], "").succeeds();
    assert_eq!(leader(&cluster, "t", 0), preferred);
}

#[test]
fn a_reader_is_sent_to_the_replica_in_its_rack_and_gets_records_there() {
    let suite = Suite::new();
    let selector = "replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector";
    let cluster = Cluster::start_with_flags(&["--nodes", "3", "--racks", "a,b,c"], &[selector]);
    let create = ["topics", "create", "t", "--replication-factor", "3"];
    kafkit(&suite, &cluster, &create, "").succeeds();
    kafkit(&suite, &cluster, &["produce", "t", "-X", "acks=all"], "1\n").succeeds();
    let topic = described(&cluster, "t");
    let first = topic.partitions[0].leader_id.0;
    let other = first % 3 + 1;
    let rack = ["a", "b", "c"][usize::try_from(other - 1).unwrap()];
    let fetch = |id: i32, rack: &str| {
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_partition_max_bytes(1 << 20);
        let wanted = FetchTopic::default()
            .with_topic(topic.name.clone().unwrap())
            .with_topic_id(topic.topic_id)
            .with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_max_bytes(1 << 20)
            .with_session_epoch(-1)
            .with_rack_id(StrBytes::from_string(rack.to_owned()))
            .with_topics(vec![wanted]);
        let mut answer = connect(&cluster, id).send(&request).unwrap();
        answer.responses.remove(0).partitions.remove(0)
    };
    let sent_on = fetch(first, rack);
    assert_eq!((sent_on.error_code, sent_on.preferred_read_replica.0), (0, other));
    assert!(sent_on.records.is_none_or(|records| records.is_empty()));
    // A follower knows a moment later what is committed.
    wait_until("records from the follower", || {
        fetch(other, rack)
            .records
            .is_some_and(|records| !records.is_empty())
    });
    let nobody_is_nearer = fetch(first, "elsewhere");
    assert_eq!(nobody_is_nearer.preferred_read_replica.0, -1);
    assert!(
        nobody_is_nearer
            .records
            .is_some_and(|records| !records.is_empty())
    );
}

#[test]
fn who_does_not_lead_says_who_does() {
    let suite = Suite::new();
    let cluster = Cluster::start_nodes(3, &[]);
    let create = ["topics", "create", "t", "--replication-factor", "3"];
    kafkit(&suite, &cluster, &create, "").succeeds();
    let topic = described(&cluster, "t");
    let first = topic.partitions[0].leader_id;
    let other = first.0 % 3 + 1;
    let records = PartitionProduceData::default()
        .with_index(0)
        .with_records(Some(vec![0; 70].into()));
    let data = TopicProduceData::default()
        .with_name(topic.name.clone().unwrap())
        .with_topic_id(topic.topic_id)
        .with_partition_data(vec![records]);
    let request = ProduceRequest::default()
        .with_acks(1)
        .with_timeout_ms(1000)
        .with_topic_data(vec![data]);
    let answer = connect(&cluster, other).send(&request).unwrap();
    let partition = &answer.responses[0].partition_responses[0];
    let not_leader_or_follower = 6;
    assert_eq!(partition.error_code, not_leader_or_follower);
    assert_eq!(partition.current_leader.leader_id, first);
    let told: Vec<_> = answer.node_endpoints.iter().map(|node| node.node_id).collect();
    assert_eq!(told, [first]);
}

#[test]
fn a_command_takes_a_node_of_its_own_broker_away_and_gives_it_back() {
    let suite = Suite::new();
    let kafkit = env!("CARGO_BIN_EXE_kafkit");
    let script = format!(
        "{kafkit} broker node kill 2 -q && {kafkit} broker node list -o jsonl && {kafkit} broker node start 2 -q && \
         {kafkit} broker node list -o name; {kafkit} broker node stop 7"
    );
    let outcome = suite
        .run(["broker", "--nodes", "3", "--", "sh", "-c", &script])
        .exits(1);
    let stdout = outcome.stdout();
    assert!(stdout.contains(r#""node":2,"state":"killed""#), "{outcome:?}");
    assert_eq!(stdout.lines().skip(3).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(outcome.stderr.contains("there is no node 7"), "{outcome:?}");
}
