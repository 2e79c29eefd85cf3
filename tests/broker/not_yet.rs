//! What the broker cannot do yet it says at once: to the client so that it ends, to whoever runs the broker in a line.

use std::time::{Duration, Instant};

use kafka_protocol::messages::{FindCoordinatorRequest, InitProducerIdRequest, TransactionalId};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::types::RDKafkaErrorCode;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

/// The error that every client takes for final.
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: i16 = 53;

fn said(cluster: &Cluster, part: &str) -> usize {
    let lines = cluster.said();
    lines.iter().filter(|line| line.contains(part)).count()
}

#[test]
fn a_transactional_producer_is_refused_for_good() {
    let cluster = Cluster::start();
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    for version in 1..=4 {
        let request = FindCoordinatorRequest::default().with_key_type(1);
        let key = StrBytes::from_static_str("t");
        let code = if version < 4 {
            let request = request.with_key(key);
            connection.send_as(&request, version).unwrap().error_code
        } else {
            let request = request.with_coordinator_keys(vec![key]);
            connection.send_as(&request, version).unwrap().coordinators[0].error_code
        };
        assert_eq!(code, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "version {version}");
    }
    let id = TransactionalId(StrBytes::from_static_str("t"));
    let request = InitProducerIdRequest::default().with_transactional_id(Some(id));
    let response = connection.send(&request).unwrap();
    assert_eq!(response.error_code, TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    wait_until("the broker says why", || {
        said(&cluster, "no transactions yet") == 1
    });
}

#[test]
fn librdkafka_ends_a_transaction_that_cannot_begin() {
    let cluster = Cluster::start();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", "t")
        .create()
        .unwrap();
    let begun = Instant::now();
    let ended = producer.init_transactions(Duration::from_secs(60)).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(20), "{ended}");
    let KafkaError::Transaction(ended) = ended else {
        panic!("{ended}");
    };
    assert!(ended.is_fatal(), "{ended}");
    assert_eq!(ended.code(), RDKafkaErrorCode::TransactionalIdAuthorizationFailed);
    assert!(ended.string().contains("no transactions yet"), "{ended}");
}

#[test]
fn a_topic_that_wants_compaction_is_named_once() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let kafkit = |args: &[&str]| suite.run([args, &["-q", "-b", &bootstrap]].concat()).succeeds();
    kafkit(&["topics", "create", "a", "--config", "cleanup.policy=compact"]);
    kafkit(&["topics", "create", "b"]);
    kafkit(&[
        "topics",
        "alter",
        "b",
        "--config",
        "cleanup.policy=compact,delete",
    ]);
    kafkit(&["topics", "alter", "b", "--config", "retention.ms=12345"]);
    kafkit(&["topics", "create", "c", "--config", "cleanup.policy=delete"]);
    kafkit(&["topics", "create", "d", "--config", "retention.ms=12345"]);
    wait_until("both are named", || said(&cluster, "does not compact yet") == 2);
    for (topic, times) in [("a", 1), ("b", 1), ("c", 0), ("d", 0)] {
        assert_eq!(said(&cluster, &format!("topic {topic} has")), times, "{topic}");
    }
}
