//! Client quotas: what is kept of them, and how a client that exceeds one is slowed down.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::alter_user_scram_credentials_request::ScramCredentialUpsertion;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterUserScramCredentialsRequest, CreateTopicsRequest,
    DescribeClientQuotasRequest, DescribeUserScramCredentialsRequest, FetchRequest, ProduceRequest,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::BatchBuilder;
use kafkit::records::batch_builder::BatchOptions;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

fn connect_as(cluster: &Cluster, client_id: &str) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    let options = ConnectionOptions {
        client_id: client_id.to_owned(),
        ..ConnectionOptions::default()
    };
    Connection::open(&address, &options).unwrap()
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Sets a quota, or removes it; the error code and message.
fn alter(cluster: &Cluster, entity: &[(&str, Option<&str>)], key: &str, limit: Option<f64>) -> (i16, String) {
    let parts = entity.iter().map(|(kind, name)| {
        EntityData::default()
            .with_entity_type(text(kind))
            .with_entity_name(name.map(text))
    });
    let op = OpData::default()
        .with_key(text(key))
        .with_value(limit.unwrap_or_default())
        .with_remove(limit.is_none());
    let entry = EntryData::default()
        .with_entity(parts.collect())
        .with_ops(vec![op]);
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    let answer = connect_as(cluster, "admin")
        .send(&request)
        .unwrap()
        .entries
        .remove(0);
    (
        answer.error_code,
        answer
            .error_message
            .map(|message| message.to_string())
            .unwrap_or_default(),
    )
}

/// The quotas of every entity with a client id, as `type=name … key=limit`.
fn of_client_ids(cluster: &Cluster) -> Vec<String> {
    let any = ComponentData::default()
        .with_entity_type(text("client-id"))
        .with_match_type(2)
        .with_match(None);
    let request = DescribeClientQuotasRequest::default().with_components(vec![any]);
    let entries = connect_as(cluster, "admin")
        .send(&request)
        .unwrap()
        .entries
        .unwrap();
    let lines = entries.iter().map(|entry| {
        let parts = entry.entity.iter().map(|part| {
            let name = part.entity_name.as_ref().map_or("default", |name| name.as_str());
            format!("{}={name}", part.entity_type.as_str())
        });
        let values = entry
            .values
            .iter()
            .map(|value| format!("{}={}", value.key.as_str(), value.value));
        parts.chain(values).collect::<Vec<_>>().join(" ")
    });
    lines.collect()
}

#[test]
fn quotas_are_kept_over_a_restart_and_removed() {
    let mut cluster = Cluster::start();
    let both = [("user", Some("u")), ("client-id", None)];
    assert_eq!(alter(&cluster, &both, "producer_byte_rate", Some(1000.0)).0, 0);
    assert_eq!(
        alter(
            &cluster,
            &[("client-id", Some("c"))],
            "request_percentage",
            Some(12.5)
        )
        .0,
        0
    );
    let refused = alter(&cluster, &both, "producer_byte_rate", Some(0.5));
    assert_eq!(
        refused,
        (42, "producer_byte_rate cannot be a fractional value.".to_owned())
    );
    cluster.restart();
    assert_eq!(
        of_client_ids(&cluster),
        [
            "client-id=default user=u producer_byte_rate=1000",
            "client-id=c request_percentage=12.5"
        ]
    );
    assert_eq!(alter(&cluster, &both, "producer_byte_rate", None).0, 0);
    assert_eq!(of_client_ids(&cluster), ["client-id=c request_percentage=12.5"]);
}

/// One batch with a value of this many bytes for partition 0 of topic `t`.
fn produce(bytes: usize) -> ProduceRequest {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.append(0, None, Some(&vec![b'x'; bytes]), &[]);
    let partition = PartitionProduceData::default()
        .with_index(0)
        .with_records(Some(Bytes::from(builder.finish_uncompressed())));
    let topic = TopicProduceData::default()
        .with_name(TopicName(text("t")))
        .with_partition_data(vec![partition]);
    ProduceRequest::default()
        .with_acks(1)
        .with_timeout_ms(1000)
        .with_topic_data(vec![topic])
}

/// A rate is measured over ten seconds at least: 3000 bytes and some more are 300 a second, and at a quota of 250 they
/// take two seconds longer. Apache Kafka 4.3.1 told a Java producer times of the same kind.
#[test]
fn a_producer_beyond_its_quota_is_told_how_long_it_is_not_read_and_then_is_not() {
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let create = ["topics", "create", "t", "-q", "-b", &bootstrap];
    Suite::new().run_with_input(create, "").succeeds();
    let client = [("client-id", Some("slow"))];
    assert_eq!(alter(&cluster, &client, "producer_byte_rate", Some(250.0)).0, 0);
    let mut slow = connect_as(&cluster, "slow");
    let mut other = connect_as(&cluster, "other");
    assert_eq!(slow.send_as(&produce(100), 9).unwrap().throttle_time_ms, 0);
    let told = slow.send_as(&produce(2800), 9).unwrap();
    assert_eq!(told.responses[0].partition_responses[0].error_code, 0);
    let throttle_ms = u64::try_from(told.throttle_time_ms).unwrap();
    assert!((1_000..4_000).contains(&throttle_ms), "{throttle_ms}");
    assert_eq!(other.send_as(&produce(2800), 9).unwrap().throttle_time_ms, 0);
    let before = Instant::now();
    slow.send(&DescribeClientQuotasRequest::default()).unwrap();
    let waited = before.elapsed();
    assert!(
        waited > Duration::from_millis(throttle_ms / 2),
        "{waited:?} of {throttle_ms} ms"
    );
}

/// A fetch of partition 0 of topic `t` that takes one batch.
fn fetch(offset: i64) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1);
    let topic = FetchTopic::default()
        .with_topic(TopicName(text("t")))
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_wait_ms(100)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic])
}

/// 1500 bytes and some more are 150 a second, and twice that is beyond a quota of 250. Apache Kafka 4.3.1 answers the same
/// conversation alike.
#[test]
fn a_consumer_beyond_its_quota_gets_nothing_and_then_the_same_again() {
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let create = ["topics", "create", "t", "-q", "-b", &bootstrap];
    Suite::new().run_with_input(create, "").succeeds();
    let mut other = connect_as(&cluster, "other");
    for _ in 0..2 {
        let written = other.send_as(&produce(1500), 9).unwrap();
        assert_eq!(written.responses[0].partition_responses[0].error_code, 0);
    }
    let client = [("client-id", Some("slow"))];
    assert_eq!(alter(&cluster, &client, "consumer_byte_rate", Some(250.0)).0, 0);
    let mut slow = connect_as(&cluster, "slow");
    let mut read = |offset| {
        let answer = slow.send_as(&fetch(offset), 11).unwrap();
        let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let bytes = partitions.filter_map(|partition| partition.records.as_ref().map(Bytes::len));
        (answer.throttle_time_ms, bytes.sum::<usize>())
    };
    let (throttle_ms, bytes) = read(0);
    assert!(throttle_ms == 0 && bytes > 1500, "{throttle_ms} {bytes}");
    let (throttle_ms, bytes) = read(1);
    assert!(
        (500..4_000).contains(&throttle_ms) && bytes == 0,
        "{throttle_ms} {bytes}"
    );
    let before = Instant::now();
    wait_until("the second batch", || read(1).1 > 1500);
    let waited = before.elapsed();
    assert!(
        waited > Duration::from_millis(throttle_ms as u64 / 2),
        "{waited:?}"
    );
    let unlimited = other.send_as(&fetch(0), 11).unwrap();
    assert_eq!(unlimited.throttle_time_ms, 0);
}

#[test]
fn scram_credentials_are_kept_without_the_password() {
    let mut cluster = Cluster::start();
    let salted = b"the salted password of one user!";
    let upsertion = ScramCredentialUpsertion::default()
        .with_name(text("alice"))
        .with_mechanism(1)
        .with_iterations(4096)
        .with_salt(Bytes::from_static(b"salt"))
        .with_salted_password(Bytes::from_static(salted));
    let request = AlterUserScramCredentialsRequest::default().with_upsertions(vec![upsertion]);
    let answer = connect_as(&cluster, "admin").send(&request).unwrap();
    assert_eq!(answer.results[0].error_code, 0, "{answer:?}");
    cluster.restart();
    let everyone = DescribeUserScramCredentialsRequest::default().with_users(None);
    let described = connect_as(&cluster, "admin").send(&everyone).unwrap().results;
    assert_eq!(described.len(), 1);
    assert_eq!(described[0].user.as_str(), "alice");
    let info = &described[0].credential_infos[0];
    assert_eq!((info.mechanism, info.iterations), (1, 4096));
    for file in std::fs::read_dir(cluster.data_dir()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let holds = bytes.windows(salted.len()).any(|window| window == salted);
            assert!(!holds, "{} holds the salted password", path.display());
        }
    }
}

/// A request takes some microseconds, which over ten seconds is far more than a millionth of a percent of a thread.
#[test]
fn a_client_that_takes_too_much_time_is_slowed_down_for_a_second_at_most() {
    let cluster = Cluster::start();
    let client = [("client-id", Some("busy"))];
    assert_eq!(alter(&cluster, &client, "request_percentage", Some(1e-6)).0, 0);
    let mut busy = connect_as(&cluster, "busy");
    let told = busy.send(&DescribeClientQuotasRequest::default()).unwrap();
    assert!((1..=1000).contains(&told.throttle_time_ms), "{told:?}");
    let before = Instant::now();
    busy.send(&DescribeClientQuotasRequest::default()).unwrap();
    let waited = before.elapsed();
    assert!(waited > Duration::from_millis(500), "{waited:?}");
    let other = connect_as(&cluster, "other").send(&DescribeClientQuotasRequest::default());
    assert_eq!(other.unwrap().throttle_time_ms, 0);
}

/// Asks for a topic; the error code and message, and for how long the client is slowed down.
fn create(connection: &mut Connection, version: i16, name: &str, partitions: i32) -> (i16, String, i32) {
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_timeout_ms(1000)
        .with_topics(vec![topic]);
    let answer = connection.send_as(&request, version).unwrap();
    let result = &answer.topics[0];
    let message = result.error_message.as_ref().map(ToString::to_string);
    (
        result.error_code,
        message.unwrap_or_default(),
        answer.throttle_time_ms,
    )
}

/// At one in ten seconds over a window of eleven a client has one partition at once. Apache Kafka 4.3.1 has the same
/// conversation.
#[test]
fn a_client_that_changes_too_much_is_refused_until_it_may_again() {
    const QUOTA_EXCEEDED: i16 = 89;
    let cluster = Cluster::start();
    let client = [("client-id", Some("eager"))];
    let set = |limit| {
        let answer = alter(&cluster, &client, "controller_mutation_rate", Some(limit));
        assert_eq!(answer.0, 0);
    };
    set(0.1);
    let mut eager = connect_as(&cluster, "eager");
    assert_eq!(create(&mut eager, 7, "a", 3), (0, String::new(), 0));
    let refused = create(&mut eager, 7, "b", 1);
    let words = "The throttling quota has been exceeded.";
    assert_eq!((refused.0, refused.1.as_str()), (QUOTA_EXCEEDED, words));
    assert!((1..=19_000).contains(&refused.2), "{}", refused.2);
    drop(eager);
    // Before version 6 a client does not know how to be refused.
    let mut older = connect_as(&cluster, "eager");
    let taken = create(&mut older, 5, "c", 1);
    assert_eq!(taken.0, 0);
    assert!((1..=29_000).contains(&taken.2), "{}", taken.2);
    drop(older);
    let mut other = connect_as(&cluster, "other");
    assert_eq!(create(&mut other, 7, "d", 20).0, 0);
    set(1000.0);
    wait_until("the client may create again", || {
        create(&mut connect_as(&cluster, "eager"), 7, "b", 1).0 == 0
    });
}
