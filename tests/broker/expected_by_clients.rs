//! What other people's clients, and the tests they come with, count on; each seen on Apache Kafka.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;

fn connect(cluster: &Cluster) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).expect("an address");
    Connection::open(&address, &ConnectionOptions::default()).expect("a connection")
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

/// The error code of a topic in a Metadata answer that may make it.
fn ask_for(connection: &mut Connection, topic: &str) -> i16 {
    let topic = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![topic]))
        .with_allow_auto_topic_creation(true);
    connection.send(&request).expect("an answer").topics[0].error_code
}

/// segmentio's tests look for a topic they deleted in a way that makes it anew.
#[test]
fn the_first_question_after_a_deleted_topic_hears_that_it_is_gone() {
    let cluster = Cluster::start();
    let mut connection = connect(&cluster);
    let topic = CreatableTopic::default()
        .with_name(name("gone"))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]);
    assert_eq!(
        connection.send(&request).expect("an answer").topics[0].error_code,
        0
    );
    let request = DeleteTopicsRequest::default().with_topic_names(vec![name("gone")]);
    let answer = connection.send_with::<DeleteTopicsRequest>(|version| {
        if version < 6 {
            return request.clone();
        }
        let topic = kafka_protocol::messages::delete_topics_request::DeleteTopicState::default();
        DeleteTopicsRequest::default().with_topics(vec![topic.with_name(Some(name("gone")))])
    });
    assert_eq!(answer.expect("an answer").responses[0].error_code, 0);
    let gone = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(ask_for(&mut connection, "gone"), gone);
    assert_eq!(ask_for(&mut connection, "gone"), 0, "made by the first question");
    assert_eq!(ask_for(&mut connection, "never-there"), 0, "made at once");
}

/// kafka-python's tests: a broker was told its listeners, whoever told it.
#[test]
fn listeners_are_configs_given_at_the_start() {
    const STATIC_BROKER_CONFIG: i8 = 4;
    let cluster = Cluster::start();
    let resource = DescribeConfigsResource::default()
        .with_resource_type(4)
        .with_configuration_keys(None)
        .with_resource_name(StrBytes::from_static_str("1"));
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true);
    let answer = connect(&cluster).send(&request).expect("an answer");
    for setting in ["listeners", "advertised.listeners"] {
        let mut configs = answer.results[0].configs.iter();
        let config = configs
            .find(|config| config.name.as_str() == setting)
            .expect(setting);
        let address = format!("PLAINTEXT://{}", cluster.bootstrap());
        assert_eq!(config.value.as_deref(), Some(address.as_str()), "{setting}");
        assert_eq!(config.config_source, STATIC_BROKER_CONFIG, "{setting}");
        assert_eq!(config.synonyms[0].source, STATIC_BROKER_CONFIG, "{setting}");
    }
}
