//! What the broker says of replicas, leaders and the ISR, where Apache Kafka with one node says the same.

use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{BrokerId, CreatePartitionsRequest, MetadataRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

fn connect(cluster: &Cluster) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

fn name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

fn described(cluster: &Cluster, topic: &str) -> MetadataResponseTopic {
    let wanted = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request = MetadataRequest::default().with_topics(Some(vec![wanted]));
    connect(cluster).send(&request).unwrap().topics.remove(0)
}

/// Apache Kafka 4.3.1 takes the records: a partition with one replica has no second one to wait for.
#[test]
fn min_insync_replicas_asks_for_no_more_replicas_than_there_are() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let kafkit = |words: &[&str]| suite.run_with_input([words, &["-q", "-b", &bootstrap]].concat(), "a\n");
    kafkit(&["topics", "create", "careful", "--config", "min.insync.replicas=2"]).succeeds();
    kafkit(&["produce", "careful", "-X", "acks=all"]).succeeds();
    kafkit(&["consume", "careful", "-e"]).prints("a\n");
}

#[test]
fn partitions_that_are_added_are_led_by_the_node_and_survive_a_restart() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    let create = ["topics", "create", "growing", "-q", "-b", &cluster.bootstrap()];
    suite.run_with_input(create, "").succeeds();
    let assigned = |id| CreatePartitionsAssignment::default().with_broker_ids(vec![BrokerId(id)]);
    let grow = |cluster: &Cluster, count, assignments| {
        let wanted = CreatePartitionsTopic::default()
            .with_name(name("growing"))
            .with_count(count)
            .with_assignments(assignments);
        let request = CreatePartitionsRequest::default()
            .with_topics(vec![wanted])
            .with_timeout_ms(1000);
        let result = connect(cluster).send(&request).unwrap().results.remove(0);
        (
            result.error_code,
            result.error_message.map(|message| message.to_string()),
        )
    };
    let words = "The manual partition assignment includes broker 9, but no such broker is registered.";
    let invalid_replica_assignment = 39;
    assert_eq!(
        grow(&cluster, 2, Some(vec![assigned(9)])),
        (invalid_replica_assignment, Some(words.to_owned()))
    );
    assert_eq!(grow(&cluster, 2, Some(vec![assigned(1)])), (0, None));
    assert_eq!(grow(&cluster, 4, None), (0, None));
    for _start in 1..=2 {
        let topic = described(&cluster, "growing");
        let mut partitions = topic.partitions.iter();
        let is_led = partitions.all(|partition| {
            let node = vec![BrokerId(1)];
            partition.leader_id == BrokerId(1)
                && (partition.leader_epoch, partition.error_code) == (0, 0)
                && (&partition.replica_nodes, &partition.isr_nodes) == (&node, &node)
        });
        assert!(is_led && topic.partitions.len() == 4, "{topic:?}");
        cluster.crash_and_restart();
    }
}
