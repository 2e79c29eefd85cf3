//! What a broker tells of the producers of a partition, and for how long it remembers them.

use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{DescribeProducersRequest, IncrementalAlterConfigsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

fn connect(address: &str) -> Connection {
    let address = HostPort::parse(address).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

/// How many producers a node knows of the first partition of a topic, or its error.
fn producers(address: &str, topic: &'static str) -> Result<usize, (i16, Option<String>)> {
    let topic = TopicRequest::default()
        .with_name(TopicName(StrBytes::from_static_str(topic)))
        .with_partition_indexes(vec![0]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let mut answer = connect(address).send(&request).unwrap();
    let partition = answer.topics.remove(0).partitions.remove(0);
    match partition.error_code {
        0 => Ok(partition.active_producers.len()),
        error => Err((error, partition.error_message.map(|words| words.to_string()))),
    }
}

fn produce(cluster: &Cluster, replicas: &str) {
    let bootstrap = cluster.bootstrap();
    let suite = Suite::new();
    let create = [
        "topics",
        "create",
        "t",
        "--replication-factor",
        replicas,
        "-q",
        "-b",
        &bootstrap,
    ];
    suite.run(create).succeeds();
    let produce = [
        "produce",
        "t",
        "-q",
        "-X",
        "enable.idempotence=true",
        "-b",
        &bootstrap,
    ];
    suite.run_with_input(produce, "a\n").succeeds();
}

#[test]
fn followers_know_the_producers_of_their_leader() {
    let cluster = Cluster::start_nodes(2, &[]);
    produce(&cluster, "2");
    for address in cluster.bootstrap().split(',') {
        wait_until("a producer", || producers(address, "t") == Ok(1));
    }
}

#[test]
fn a_producer_that_is_silent_for_long_is_forgotten() {
    let cluster = Cluster::start_with(&["producer.id.expiration.check.interval.ms=20"]);
    produce(&cluster, "1");
    assert_eq!(producers(&cluster.bootstrap(), "t"), Ok(1));
    let config = AlterableConfig::default()
        .with_name(StrBytes::from_static_str("producer.id.expiration.ms"))
        .with_value(Some(StrBytes::from_static_str("1")));
    let brokers = AlterConfigsResource::default()
        .with_resource_type(4)
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![brokers]);
    let answer = connect(&cluster.bootstrap()).send(&request).unwrap();
    assert_eq!(answer.responses[0].error_code, 0, "{answer:?}");
    wait_until("the end of a producer", || {
        producers(&cluster.bootstrap(), "t") == Ok(0)
    });
}

/// Apache Kafka 4.3.1's errors and words.
#[test]
fn of_what_is_no_topic_no_producers_are_told() {
    let cluster = Cluster::start();
    let refused = |topic| producers(&cluster.bootstrap(), topic).unwrap_err();
    let unknown = "This server does not host this topic-partition.".to_owned();
    assert_eq!(refused("nowhere"), (3, Some(unknown)));
    let invalid = "Topic name is invalid: '.' is not allowed".to_owned();
    assert_eq!(refused("."), (17, Some(invalid)));
}
