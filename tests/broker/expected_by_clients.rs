//! What other people's clients, and the tests they come with, count on; each seen on Apache Kafka.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    AlterReplicaLogDirsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest,
    DescribeQuorumRequest, ElectLeadersRequest, ListConfigResourcesRequest, MetadataRequest,
    OffsetDeleteRequest, ProduceRequest, TopicName,
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

fn elected(
    connection: &mut Connection,
    election: i8,
    wanted: Option<(&str, Vec<i32>)>,
) -> Vec<(i32, i16, String)> {
    let wanted = wanted.map(|(topic, partitions)| {
        let wanted = TopicPartitions::default().with_topic(name(topic));
        vec![wanted.with_partitions(partitions)]
    });
    let request = ElectLeadersRequest::default()
        .with_election_type(election)
        .with_topic_partitions(wanted);
    let answer = connection.send(&request).expect("an answer");
    let results = answer.replica_election_results.into_iter();
    results
        .flat_map(|topic| topic.partition_result)
        .map(|result| {
            let message = result.error_message.unwrap_or_default();
            (result.partition_id, result.error_code, message.to_string())
        })
        .collect()
}

/// kafka-python's admin tests elect leaders.
#[test]
fn one_node_leads_everything_and_no_election_is_needed() {
    let cluster = Cluster::start();
    let mut connection = connect(&cluster);
    assert_eq!(ask_for(&mut connection, "el"), 0);
    let seen = elected(&mut connection, 0, Some(("el", vec![0, 7])));
    let not_needed = "Leader election not needed for topic partition.".to_owned();
    let unknown = "No such partition as el-7".to_owned();
    assert_eq!(seen, [(0, 84, not_needed), (7, 3, unknown)]);
    let seen = elected(&mut connection, 1, Some(("nosuch", vec![0])));
    assert_eq!(seen, [(0, 3, "No such topic as nosuch".to_owned())]);
    let seen = elected(&mut connection, 5, Some(("el", vec![0])));
    assert_eq!(seen, [(0, 42, "Unknown election type 5".to_owned())]);
    assert_eq!(elected(&mut connection, 0, None), []);
}

/// So do they list what has configs, and describe the quorum.
#[test]
fn what_has_configs_is_listed_by_type() {
    let cluster = Cluster::start();
    let mut connection = connect(&cluster);
    assert_eq!(ask_for(&mut connection, "el"), 0);
    let mut listed = |types: &[i8]| {
        let request = ListConfigResourcesRequest::default().with_resource_types(types.to_vec());
        let answer = connection.send(&request).expect("an answer");
        let resources = answer.config_resources.into_iter();
        let resources =
            resources.map(|resource| (resource.resource_type, resource.resource_name.to_string()));
        (answer.error_code, resources.collect::<Vec<_>>())
    };
    let of = |kind: i8, name: &str| (kind, name.to_owned());
    assert_eq!(listed(&[]), (0, vec![of(8, "1"), of(4, "1"), of(2, "el")]));
    assert_eq!(listed(&[4, 4, 8]), (0, vec![of(8, "1"), of(4, "1")]));
    assert_eq!(listed(&[16, 32]), (0, vec![]));
    assert_eq!(listed(&[3]), (ResponseError::UnsupportedVersion.code(), vec![]));
}

#[test]
fn the_quorum_is_this_node() {
    let cluster = Cluster::start();
    let mut connection = connect(&cluster);
    let partitions = vec![
        PartitionData::default(),
        PartitionData::default().with_partition_index(1),
    ];
    let topic = TopicData::default()
        .with_topic_name(name("__cluster_metadata"))
        .with_partitions(partitions);
    let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
    let answer = connection.send(&request).expect("an answer");
    let quorum = &answer.topics[0].partitions;
    assert_eq!((quorum[0].error_code, quorum[1].error_code), (0, 3));
    assert_eq!((quorum[0].leader_id.0, quorum[0].leader_epoch), (1, 1));
    assert_eq!(quorum[0].current_voters[0].replica_id.0, 1);
    assert_eq!(answer.nodes[0].listeners[0].host.as_str(), "127.0.0.1");
}

/// A replica that is told to go where it is stays there; no other folder is known.
#[test]
fn a_replica_may_be_moved_to_the_folder_it_is_in() {
    let cluster = Cluster::start();
    let mut connection = connect(&cluster);
    assert_eq!(ask_for(&mut connection, "el"), 0);
    let mut moved = |path: &str, topic: &str| {
        let topic = AlterReplicaLogDirTopic::default()
            .with_name(name(topic))
            .with_partitions(vec![0]);
        let dir = AlterReplicaLogDir::default()
            .with_path(StrBytes::from_string(path.to_owned()))
            .with_topics(vec![topic]);
        let request = AlterReplicaLogDirsRequest::default().with_dirs(vec![dir]);
        connection.send(&request).expect("an answer").results[0].partitions[0].error_code
    };
    let own = cluster.data_dir().display().to_string();
    assert_eq!(moved(&own, "el"), 0);
    assert_eq!(
        moved(&own, "nosuch"),
        ResponseError::UnknownTopicOrPartition.code()
    );
    assert_eq!(moved("/nowhere", "el"), ResponseError::LogDirNotFound.code());
}

/// What Apache Kafka answers to requests that are put oddly.
#[test]
fn odd_requests_are_answered_as_apache_kafka_does() {
    let cluster = Cluster::start();
    let mut connection = connect(&cluster);
    assert_eq!(ask_for(&mut connection, "odd"), 0);
    // A topic named twice is answered once.
    let twice = vec![MetadataRequestTopic::default().with_name(Some(name("odd"))); 2];
    let request = MetadataRequest::default().with_topics(Some(twice));
    assert_eq!(connection.send(&request).expect("an answer").topics.len(), 1);
    // No config names are all of them.
    let mut described = |keys| {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(StrBytes::from_static_str("odd"))
            .with_configuration_keys(keys);
        let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        connection.send(&request).expect("an answer").results[0]
            .configs
            .len()
    };
    assert!(described(None) > 20);
    assert_eq!(described(Some(vec![])), described(None));
    // A topic without a name and without an id.
    let request =
        DeleteTopicsRequest::default().with_topics(vec![DeleteTopicState::default().with_name(None)]);
    let refused = connection.send(&request).expect("an answer").responses.remove(0);
    let words = "Neither topic name nor id were specified.";
    assert_eq!(
        (refused.error_code, refused.error_message.as_deref()),
        (42, Some(words))
    );
    // No group is called nothing here.
    let request = OffsetDeleteRequest::default();
    assert_eq!(connection.send(&request).expect("an answer").error_code, 24);
}

/// `CORRUPT_MESSAGE` makes a producer try again for ever, `INVALID_RECORD` does not: records of before Kafka 0.11, and
/// batches that do not end, are the second.
#[test]
fn old_and_unfinished_batches_are_refused_for_good() {
    let cluster = Cluster::start();
    let mut connection = connect(&cluster);
    assert_eq!(ask_for(&mut connection, "old"), 0);
    let mut refused = |records: &[u8]| {
        let partition = PartitionProduceData::default().with_records(Some(records.to_vec().into()));
        let topic = TopicProduceData::default()
            .with_name(name("old"))
            .with_partition_data(vec![partition]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(1000)
            .with_topic_data(vec![topic]);
        let answer = connection.send_as(&request, 9).expect("an answer");
        answer.responses[0].partition_responses[0].error_code
    };
    let with_length = |length: i32, magic: u8, size: usize| {
        let mut bytes = [&[0; 8][..], &length.to_be_bytes(), &[0; 4], &[magic]].concat();
        bytes.resize(size, 0);
        bytes
    };
    let (corrupt, invalid) = (2, 87);
    assert_eq!(refused(&with_length(23, 1, 35)), invalid, "format 1");
    assert_eq!(refused(&with_length(100, 2, 80)), invalid, "unfinished");
    assert_eq!(refused(&[0; 10]), invalid, "hardly begun");
    assert_eq!(
        refused(&with_length(13, 2, 80)),
        corrupt,
        "a length that no batch has"
    );
    assert_eq!(
        refused(&with_length(60, 120, 80)),
        corrupt,
        "a format there is not"
    );
}
