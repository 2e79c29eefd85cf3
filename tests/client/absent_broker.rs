//! A broker that is down or frozen costs what it alone knows, and no more; a change is awaited on every broker.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::{
    ApiKey, BrokerId, CreateTopicsResponse, DescribeConfigsResponse, DescribeLogDirsResponse,
    ListGroupsResponse, ListOffsetsRequest, ListOffsetsResponse, ListPartitionReassignmentsResponse,
    MetadataResponse, TopicName,
};
use kafka_protocol::protocol::{Decodable, StrBytes};

use super::scripted_broker::{Reply, ScriptedBroker, body, cluster, versions};

/// What is known to a broker of a small cluster.
fn greeting() -> Vec<(ApiKey, i16, i16)> {
    vec![
        (ApiKey::ApiVersions, 0, 3),
        (ApiKey::Metadata, 4, 12),
        (ApiKey::CreateTopics, 2, 7),
        (ApiKey::ListOffsets, 1, 5),
        (ApiKey::ListGroups, 0, 4),
        (ApiKey::DescribeLogDirs, 1, 4),
        (ApiKey::DescribeConfigs, 1, 4),
        (ApiKey::ListPartitionReassignments, 0, 0),
    ]
}

fn topic_name(name: &'static str) -> TopicName {
    TopicName(StrBytes::from_static_str(name))
}

fn partition(number: i32, leader: i32, replicas: &[i32], in_sync: &[i32]) -> MetadataResponsePartition {
    let ids = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect();
    MetadataResponsePartition::default()
        .with_partition_index(number)
        .with_leader_id(BrokerId(leader))
        .with_replica_nodes(ids(replicas))
        .with_isr_nodes(ids(in_sync))
}

/// A cluster of the brokers at these ports with one topic of these partitions.
fn metadata(ports: &[u16], partitions: Vec<MetadataResponsePartition>) -> MetadataResponse {
    let topic = MetadataResponseTopic::default()
        .with_name(Some(topic_name("orders")))
        .with_partitions(partitions);
    cluster(ports).with_topics(vec![topic])
}

/// What each broker of the cluster answers; `metadata` is what it says of it.
fn answer(
    head: &kafkit::wire::header::RequestHead,
    mut request: Bytes,
    metadata: &MetadataResponse,
) -> Reply {
    match ApiKey::try_from(head.api_key).unwrap() {
        ApiKey::ApiVersions => body(&versions(&greeting()), head),
        ApiKey::Metadata => body(metadata, head),
        ApiKey::ListOffsets => {
            let asked = ListOffsetsRequest::decode(&mut request, head.version).unwrap();
            let topics = asked.topics.into_iter().map(|topic| {
                let partitions = topic.partitions.iter().map(|partition| {
                    ListOffsetsPartitionResponse::default()
                        .with_partition_index(partition.partition_index)
                        .with_offset(if partition.timestamp == -2 { 0 } else { 5 })
                });
                ListOffsetsTopicResponse::default()
                    .with_partitions(partitions.collect())
                    .with_name(topic.name)
            });
            body(
                &ListOffsetsResponse::default().with_topics(topics.collect()),
                head,
            )
        }
        ApiKey::DescribeLogDirs => {
            let partitions = [0, 1].map(|number| {
                DescribeLogDirsPartition::default()
                    .with_partition_index(number)
                    .with_partition_size(70)
            });
            let topic = DescribeLogDirsTopic::default()
                .with_name(topic_name("orders"))
                .with_partitions(partitions.to_vec());
            let dir = DescribeLogDirsResult::default()
                .with_log_dir(StrBytes::from_static_str("/data"))
                .with_topics(vec![topic]);
            body(&DescribeLogDirsResponse::default().with_results(vec![dir]), head)
        }
        ApiKey::DescribeConfigs => body(&DescribeConfigsResponse::default(), head),
        ApiKey::ListGroups => body(&ListGroupsResponse::default(), head),
        ApiKey::ListPartitionReassignments => body(&ListPartitionReassignmentsResponse::default(), head),
        _ => Reply::HangUp,
    }
}

/// How the second broker is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Absence {
    /// It accepts connections and says nothing, as a process that was stopped.
    Frozen,
    /// Nothing listens.
    Dead,
}

/// The first of two brokers; the second one is absent and leads partition 1. With the port of the second.
fn half_a_cluster(absence: Absence) -> (ScriptedBroker, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    match absence {
        // The system accepts for it; it must last as long as the test.
        Absence::Frozen => std::mem::forget(listener),
        Absence::Dead => drop(listener),
    }
    let own = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&own);
    let broker = ScriptedBroker::plain(move |head, request| {
        let own = u16::try_from(told.load(Ordering::SeqCst)).unwrap();
        let partitions = vec![partition(0, 1, &[1], &[1]), partition(1, 2, &[2], &[2])];
        answer(head, request, &metadata(&[own, port], partitions))
    });
    own.store(usize::from(broker.port), Ordering::SeqCst);
    (broker, port)
}

/// Runs the binary to its end, which must come within `limit`.
fn run(words: &[&str], servers: &str, limit: Duration) -> Output {
    let home = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_kafkit"))
        .args(words)
        .args(["--bootstrap-server", servers])
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert!(began.elapsed() < limit, "{words:?}: {:?}", began.elapsed());
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_broker_that_is_absent_costs_only_its_own_rows() {
    for absence in [Absence::Frozen, Absence::Dead] {
        let (broker, port) = half_a_cluster(absence);
        for (words, rows) in [
            (
                &["topics", "list"][..],
                &["orders           2         1        -     -"][..],
            ),
            (
                &["describe", "topic", "orders"],
                &[
                    "0       1  1         1        0     5  70 B",
                    "1       2  2         2        -     -     -",
                ],
            ),
            (&["describe", "log-dirs"], &["1  /data", "2  -"]),
            (&["describe", "broker"], &["140 B", "NO ANSWER"]),
            (&["describe", "broker", "2"], &["NO ANSWER"]),
            (&["describe", "config", "broker", "2"], &[]),
            (&["describe", "group"], &[]),
            (&["reassign", "list"], &["nothing is moving"]),
        ] {
            let words = [words, &["--timeout", "3s"]].concat();
            let output = run(&words, &broker.address(), Duration::from_secs(6));
            let (shown, told) = (text(&output.stdout), text(&output.stderr));
            assert_eq!(
                output.status.code(),
                Some(1),
                "{absence:?} {words:?}: {shown}{told}"
            );
            let all = format!("{shown}{told}");
            assert!(
                rows.iter().all(|row| all.contains(row)),
                "{absence:?} {words:?}: {all}"
            );
            let name = format!("kafkit: broker 2 at 127.0.0.1:{port}: ");
            assert_eq!(told.matches(&name).count(), 1, "{absence:?} {words:?}: {told}");
        }
        let output = run(
            &["topics", "list", "-o", "json", "--timeout", "3s"],
            &broker.address(),
            Duration::from_secs(6),
        );
        let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(rows[0]["records"], serde_json::Value::Null);
    }
}

/// Brokers of which each leads a partition; the last one is frozen.
fn many_brokers(count: usize) -> Vec<ScriptedBroker> {
    let ports: Arc<OnceLock<Vec<u16>>> = Arc::default();
    let brokers: Vec<ScriptedBroker> = (1..count)
        .map(|_| {
            let ports = Arc::clone(&ports);
            ScriptedBroker::plain(move |head, request| {
                let ports = ports.get().expect("the ports of all brokers");
                let partition = |number: i32| partition(number, number + 1, &[number + 1], &[number + 1]);
                let partitions = (0..).take(ports.len()).map(partition).collect();
                answer(head, request, &metadata(ports, partitions))
            })
        })
        .collect();
    let frozen = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut all: Vec<u16> = brokers.iter().map(|broker| broker.port).collect();
    all.push(frozen.local_addr().unwrap().port());
    std::mem::forget(frozen);
    ports.set(all).expect("a cell of this test's own");
    brokers
}

#[test]
fn of_many_brokers_a_silent_one_is_not_waited_for_as_long_as_of_a_few() {
    let brokers = many_brokers(40);
    // A third of this would be forty seconds.
    let words = ["offsets", "--timeout", "120s"];
    let output = run(&words, &brokers[0].address(), Duration::from_secs(38));
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("kafkit: broker 40 at 127.0.0.1:"), "{told}");
    let shown = text(&output.stdout);
    let unknown = shown.lines().filter(|line| line.ends_with('-')).count();
    assert_eq!((shown.lines().count(), unknown), (41, 1), "{shown}");
}

#[test]
fn the_java_spellings_name_no_more_than_their_rows_need() {
    let (broker, _) = half_a_cluster(Absence::Frozen);
    let limit = Duration::from_secs(5);
    let output = run(
        &["kafka-topics", "--describe", "--topic", "orders"],
        &broker.address(),
        limit,
    );
    assert!(
        text(&output.stdout).contains("Partition: 1\tLeader: 2"),
        "{output:?}"
    );
    let output = run(&["kafka-topics", "--list"], &broker.address(), limit);
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(0), "orders\n")
    );
}

#[test]
fn a_bootstrap_broker_that_does_not_answer_is_passed_over() {
    for absence in [Absence::Frozen, Absence::Dead] {
        let (broker, port) = half_a_cluster(absence);
        // 192.0.2.1 belongs to nobody (RFC 5737): what is sent there is lost.
        for servers in [
            format!("127.0.0.1:{port},{}", broker.address()),
            format!("192.0.2.1:9092,127.0.0.1:{port},{}", broker.address()),
        ] {
            let output = run(
                &["topics", "list", "-o", "name"],
                &servers,
                Duration::from_secs(6),
            );
            assert_eq!(text(&output.stdout), "orders\n", "{absence:?}: {output:?}");
            let output = run(&["kafka-topics", "--list"], &servers, Duration::from_secs(6));
            assert_eq!(text(&output.stdout), "orders\n", "{absence:?}: {output:?}");
        }
    }
}

#[test]
fn the_time_of_a_command_is_what_timeout_says() {
    let frozen = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = frozen.local_addr().unwrap().to_string();
    let output = run(
        &["topics", "list", "--timeout", "500ms"],
        &address,
        Duration::from_secs(4),
    );
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("no answer in 500 ms"), "{output:?}");
    for words in [
        &["topics", "list"][..],
        &["consume", "t", "-e"],
        &["consume", "t", "-e", "-g", "g"],
        &["produce", "t", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")],
    ] {
        let output = run(
            &[words, &["--timeout", "2s"]].concat(),
            &address,
            Duration::from_secs(9),
        );
        let told = text(&output.stderr);
        let is_told =
            |line: &str| line.contains(": no answer in 2 s (") && line.contains("--timeout waits longer");
        assert!(told.lines().any(is_told), "{words:?}: {told}");
        assert!(!told.contains("500 ms"), "{words:?}: {told}");
    }
    for wrong in ["0s", "10", "soon"] {
        let output = run(
            &["topics", "list", "--timeout", wrong],
            &address,
            Duration::from_secs(5),
        );
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

/// Two brokers of which the second one shows a new topic only when it is asked for it the `late`th time.
fn late_cluster(late: usize) -> (ScriptedBroker, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let ports: Arc<[AtomicUsize; 2]> = Arc::default();
    let start = |is_late: bool| {
        let (asked, ports) = (Arc::clone(&asked), Arc::clone(&ports));
        ScriptedBroker::plain(move |head, request| {
            let ports =
                [0, 1].map(|place: usize| u16::try_from(ports[place].load(Ordering::SeqCst)).unwrap());
            if head.api_key == ApiKey::CreateTopics as i16 {
                let topic = CreatableTopicResult::default()
                    .with_name(topic_name("orders"))
                    .with_num_partitions(1);
                return body(&CreateTopicsResponse::default().with_topics(vec![topic]), head);
            }
            let knows = !is_late
                || head.api_key != ApiKey::Metadata as i16
                || asked.fetch_add(1, Ordering::SeqCst) + 1 >= late;
            let metadata = if knows {
                metadata(&ports, vec![partition(0, 1, &[1], &[1])])
            } else {
                let unknown = MetadataResponseTopic::default()
                    .with_name(Some(topic_name("orders")))
                    .with_error_code(3);
                cluster(&ports).with_topics(vec![unknown])
            };
            answer(head, request, &metadata)
        })
    };
    let (first, second) = (start(false), start(true));
    ports[0].store(usize::from(first.port), Ordering::SeqCst);
    ports[1].store(usize::from(second.port), Ordering::SeqCst);
    (first, asked)
}

#[test]
fn a_command_comes_back_when_every_broker_shows_what_it_did() {
    for words in [
        &["topics", "create", "orders"][..],
        &["kafka-topics", "--create", "--topic", "orders"],
    ] {
        let (broker, asked) = late_cluster(4);
        let output = run(words, &broker.address(), Duration::from_secs(5));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 4, "{words:?}");
    }
}

#[test]
fn a_broker_that_never_shows_it_is_a_note() {
    let (broker, _) = late_cluster(usize::MAX);
    let words = ["topics", "create", "orders", "--timeout", "600ms"];
    let output = run(&words, &broker.address(), Duration::from_secs(3));
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stderr),
        "created orders\nkafkit: broker 2 does not show topic orders yet\n"
    );
}

#[test]
fn a_partition_on_its_way_is_moving_and_lacks_no_replica() {
    // From 1,2 to 1,3: the third replica is being added and not in sync yet.
    let own = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&own);
    let broker = ScriptedBroker::plain(move |head, request| {
        if head.api_key == ApiKey::ListPartitionReassignments as i16 {
            let ids = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect::<Vec<_>>();
            let moving = OngoingPartitionReassignment::default()
                .with_replicas(ids(&[1, 3, 2]))
                .with_adding_replicas(ids(&[3]))
                .with_removing_replicas(ids(&[2]));
            let topic = OngoingTopicReassignment::default()
                .with_name(topic_name("orders"))
                .with_partitions(vec![moving]);
            return body(
                &ListPartitionReassignmentsResponse::default().with_topics(vec![topic]),
                head,
            );
        }
        let own = u16::try_from(told.load(Ordering::SeqCst)).unwrap();
        // All three brokers are this one.
        let partitions = vec![partition(0, 1, &[1, 3, 2], &[1, 2])];
        answer(head, request, &metadata(&[own, own, own], partitions))
    });
    own.store(usize::from(broker.port), Ordering::SeqCst);
    let shown = |words: &[&str]| {
        let output = run(words, &broker.address(), Duration::from_secs(5));
        assert!(output.status.success(), "{words:?}: {output:?}");
        text(&output.stdout)
    };
    let described = shown(&["describe", "topic", "orders"]);
    assert!(described.contains("MOVING 1,2→1,3"), "{described}");
    assert!(
        described.contains("2 replicas") && !described.contains("UNDER-REPLICATED"),
        "{described}"
    );
    let listed = shown(&["topics", "list"]);
    assert!(
        listed.contains("MOVING 1/1") && !listed.contains("UNDER-REPLICATED"),
        "{listed}"
    );
    let whole = shown(&["describe", "cluster"]);
    assert!(
        whole.contains("1 MOVING") && !whole.contains("UNDER-REPLICATED"),
        "{whole}"
    );
    let ill = shown(&["kafka-topics", "--describe", "--under-replicated-partitions"]);
    assert_eq!(ill, "\n".trim_start(), "{ill}");
}
