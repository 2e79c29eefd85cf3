//! What a broker keeps: acknowledged records after a kill in the middle of writes, topics and configs always.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest,
    IncrementalAlterConfigsRequest, InitProducerIdRequest, ListOffsetsRequest, MetadataRequest,
    ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::BatchBuilder;
use kafkit::records::batch_builder::{BatchOptions, Producer};
use kafkit::wire::{Connection, ConnectionOptions, HostPort, WireError};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

fn connect(cluster: &Cluster) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

fn topic(name: &'static str) -> TopicName {
    TopicName(StrBytes::from_static_str(name))
}

fn create(connection: &mut Connection, name: &'static str, configs: &[(&'static str, &'static str)]) {
    let configs = configs.iter().map(|(name, value)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_static_str(name))
            .with_value(Some(StrBytes::from_static_str(value)))
    });
    let wanted = CreatableTopic::default()
        .with_name(topic(name))
        .with_num_partitions(1)
        .with_replication_factor(1)
        .with_configs(configs.collect());
    let response = connection
        .send(
            &CreateTopicsRequest::default()
                .with_topics(vec![wanted])
                .with_timeout_ms(1000),
        )
        .unwrap();
    assert_eq!(
        response.topics[0].error_code, 0,
        "{:?}",
        response.topics[0].error_message
    );
}

/// Produces one batch of ten records; its base offset.
fn produce(connection: &mut Connection, name: &'static str) -> Result<i64, WireError> {
    produce_batch(connection, name, BatchOptions::default())
}

/// The same as a producer that has this id and has not written before.
fn produce_as(connection: &mut Connection, name: &'static str, producer_id: i64) {
    let producer = Producer {
        id: producer_id,
        epoch: 0,
        base_sequence: 0,
    };
    let options = BatchOptions {
        producer: Some(producer),
        ..BatchOptions::default()
    };
    produce_batch(connection, name, options).unwrap();
}

fn produce_batch(
    connection: &mut Connection,
    name: &'static str,
    options: BatchOptions,
) -> Result<i64, WireError> {
    let mut builder = BatchBuilder::new(options);
    for number in 0..10 {
        builder.append(
            1_700_000_000_000,
            None,
            Some(format!("record {number}").as_bytes()),
            &[],
        );
    }
    let records = Bytes::from(builder.finish_uncompressed());
    let data = PartitionProduceData::default()
        .with_index(0)
        .with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(topic(name))
        .with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(1000)
        .with_topic_data(vec![topic]);
    let response = connection.send_as(&request, 11)?;
    let partition = &response.responses[0].partition_responses[0];
    assert_eq!(partition.error_code, 0);
    Ok(partition.base_offset)
}

fn end_offset(connection: &mut Connection, name: &'static str) -> i64 {
    let partition = ListOffsetsPartition::default()
        .with_partition_index(0)
        .with_timestamp(-1);
    let topic = ListOffsetsTopic::default()
        .with_name(topic(name))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(vec![topic]);
    let response = connection.send(&request).unwrap();
    response.topics[0].partitions[0].offset
}

#[test]
fn every_acknowledged_record_survives_a_kill_in_the_middle_of_writes() {
    let mut cluster = Cluster::start();
    let mut first = connect(&cluster);
    create(&mut first, "orders", &[("segment.bytes", "1048576")]);
    for _ in 0..3 {
        let mut writer = connect(&cluster);
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let (acknowledged, progress) = std::sync::mpsc::channel();
        let writing = std::thread::spawn(move || {
            while let Ok(base_offset) = produce(&mut writer, "orders") {
                let _ = acknowledged.send(base_offset + 10);
                assert!(
                    !stop.load(Ordering::Relaxed),
                    "the broker was killed and still answers"
                );
            }
        });
        // Some hundred batches in flight, then the power goes.
        for _ in 0..300 {
            progress.recv().unwrap();
        }
        cluster.crash_and_restart();
        writing.join().unwrap();
        stopped.store(true, Ordering::Relaxed);
        let acknowledged = progress.try_iter().last().unwrap_or(0);
        let kept = end_offset(&mut connect(&cluster), "orders");
        assert!(kept >= acknowledged, "{acknowledged} acknowledged, {kept} kept");
        assert_eq!(kept % 10, 0, "half a batch was kept");
    }
    assert_eq!(produce(&mut connect(&cluster), "orders").unwrap() % 10, 0);
}

#[test]
fn topics_ids_and_configs_are_kept_whether_the_broker_stops_or_dies() {
    let mut cluster = Cluster::start();
    create(&mut connect(&cluster), "orders", &[("retention.ms", "12345")]);
    let id_of = |cluster: &Cluster| {
        let metadata = connect(cluster)
            .send(&MetadataRequest::default().with_topics(None))
            .unwrap();
        (metadata.cluster_id, metadata.topics[0].topic_id)
    };
    let before = id_of(&cluster);
    cluster.restart();
    assert_eq!(id_of(&cluster), before);
    cluster.crash_and_restart();
    assert_eq!(id_of(&cluster), before);
    assert_eq!(retention(&cluster, "orders"), (Some("12345".to_owned()), 1));
}

/// A topic's retention and where the value comes from; 1 is the topic itself.
fn retention(cluster: &Cluster, topic: &'static str) -> (Option<String>, i8) {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(StrBytes::from_static_str(topic))
        .with_configuration_keys(Some(vec![StrBytes::from_static_str("retention.ms")]));
    let configs = connect(cluster)
        .send(&DescribeConfigsRequest::default().with_resources(vec![resource]))
        .unwrap();
    let config = &configs.results[0].configs[0];
    (
        config.value.as_ref().map(ToString::to_string),
        config.config_source,
    )
}

/// The id in a topic's first folder.
fn topic_id(cluster: &Cluster, topic: &str) -> String {
    let file = cluster.data_dir().join(format!("{topic}-0/partition.metadata"));
    let text = std::fs::read_to_string(file).unwrap();
    let (_, id) = text.split_once("topic_id: ").unwrap();
    id.to_owned()
}

/// Everything that was changed is so after a restart, however often the file of the metadata was written anew.
#[test]
fn hundreds_of_changes_are_kept() {
    let mut cluster = Cluster::start();
    let names: Vec<&'static str> = (0..300)
        .map(|number| &*Box::leak(format!("t{number:03}").into_boxed_str()))
        .collect();
    for name in &names {
        create(&mut connect(&cluster), name, &[("segment.bytes", "1048576")]);
    }
    for name in &names[..200] {
        set_retention(&cluster, name);
        delete(&cluster, name);
    }
    for name in &names[200..] {
        set_retention(&cluster, name);
        add_partition(&cluster, name);
    }
    let file = cluster.data_dir().join("bootstrap.checkpoint");
    let size = std::fs::metadata(&file).unwrap().len();
    assert!(size < 200_000, "{size} bytes of history");
    cluster.crash_and_restart();
    let topics = connect(&cluster)
        .send(&MetadataRequest::default().with_topics(None))
        .unwrap()
        .topics;
    let found: Vec<&str> = topics
        .iter()
        .filter_map(|topic| topic.name.as_deref())
        .map(|name| &**name)
        .collect();
    assert_eq!(found, names[200..]);
    assert!(topics.iter().all(|topic| topic.partitions.len() == 2));
    assert_eq!(retention(&cluster, "t250"), (Some("12345".to_owned()), 1));
}

fn new_producer_id(cluster: &Cluster) -> i64 {
    let request = InitProducerIdRequest::default().with_transactional_id(None);
    let response = connect(cluster).send(&request).unwrap();
    assert_eq!(response.error_code, 0);
    response.producer_id.0
}

#[test]
fn a_producer_id_is_given_once_whatever_is_saved_between() {
    let mut cluster = Cluster::start();
    let mut seen = BTreeSet::new();
    let names: [&'static str; 6] = ["a", "b", "c", "d", "e", "f"];
    let mut give_two = |cluster: &Cluster| {
        for _ in 0..2 {
            let id = new_producer_id(cluster);
            assert!(seen.insert(id), "id {id} is given twice");
        }
    };
    for (round, name) in names.into_iter().enumerate() {
        give_two(&cluster);
        create(&mut connect(&cluster), name, &[]);
        give_two(&cluster);
        set_retention(&cluster, name);
        give_two(&cluster);
        add_partition(&cluster, name);
        give_two(&cluster);
        if round % 3 == 2 {
            delete(&cluster, name);
            give_two(&cluster);
        }
        if round % 2 == 0 {
            cluster.restart();
        } else {
            cluster.crash_and_restart();
        }
    }
    give_two(&cluster);
}

/// The sequence of a report: the second producer must not be taken for the first.
#[test]
fn records_of_a_producer_after_a_restart_are_no_duplicates() {
    let suite = Suite::new();
    suite
        .run_with_input(["produce", "hello"], "1\n2\n3\n4\n5\n")
        .succeeds();
    suite.run_with_input(["produce", "notes"], "1\n2\n3\n").succeeds();
    suite.run(["broker", "stop"]).succeeds();
    suite.run_with_input(["produce", "notes"], "4\n5\n6\n").succeeds();
    suite.run(["consume", "notes", "-e"]).prints("1\n2\n3\n4\n5\n6\n");
    suite.run(["broker", "stop"]).succeeds();
}

/// kafkit 0.1.0 saved a number below the ids that it had given.
#[test]
fn a_directory_of_version_0_1_0_goes_on_above_the_ids_that_it_gave() {
    let mut cluster = Cluster::start();
    create(&mut connect(&cluster), "orders", &[]);
    // Ids of the future: the broker that gave them is 0.1.0 in this story.
    let given = 5_000_000;
    produce_as(&mut connect(&cluster), "orders", given);
    cluster.stop();
    let configs = serde_json::json!({ "retention.ms": "12345" });
    let topic =
        serde_json::json!({ "id": topic_id(&cluster, "orders"), "partitions": 1, "configs": configs });
    let stored = serde_json::json!({ "version": 1, "topics": { "orders": topic }, "next_producer_id": 1 });
    let file = cluster.data_dir().join("kafkit-metadata.json");
    std::fs::write(&file, stored.to_string()).unwrap();
    cluster.restart();
    assert!(!file.exists(), "it is taken over once");
    assert_eq!(retention(&cluster, "orders"), (Some("12345".to_owned()), 1));
    let first = new_producer_id(&cluster);
    assert!(first > given, "{first} may be in use");
    cluster.crash_and_restart();
    assert!(new_producer_id(&cluster) > first);
}

/// An id that no broker gave must not leave the others without one.
#[test]
fn a_made_up_producer_id_uses_up_no_others() {
    let mut cluster = Cluster::start();
    create(&mut connect(&cluster), "orders", &[]);
    produce_as(&mut connect(&cluster), "orders", i64::MAX);
    cluster.restart();
    assert!(new_producer_id(&cluster) < 1_000_000);
}

fn set_retention(cluster: &Cluster, name: &'static str) {
    let config = AlterableConfig::default()
        .with_name(StrBytes::from_static_str("retention.ms"))
        .with_value(Some(StrBytes::from_static_str("12345")));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(StrBytes::from_static_str(name))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = connect(cluster).send(&request).unwrap();
    assert_eq!(response.responses[0].error_code, 0);
}

fn add_partition(cluster: &Cluster, name: &'static str) {
    let wanted = CreatePartitionsTopic::default()
        .with_name(topic(name))
        .with_count(2)
        .with_assignments(None);
    let request = CreatePartitionsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(1000);
    assert_eq!(connect(cluster).send(&request).unwrap().results[0].error_code, 0);
}

fn delete(cluster: &Cluster, name: &'static str) {
    let wanted = DeleteTopicState::default().with_name(Some(topic(name)));
    let request = DeleteTopicsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(1000);
    assert_eq!(
        connect(cluster).send(&request).unwrap().responses[0].error_code,
        0
    );
}

/// Creates a topic of so many partitions; the error code.
fn create_partitions(cluster: &Cluster, name: &'static str, partitions: i32) -> i16 {
    let wanted = CreatableTopic::default()
        .with_name(topic(name))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(60_000);
    connect(cluster).send(&request).unwrap().topics[0].error_code
}

#[test]
fn a_topic_that_could_not_be_made_leaves_nothing_behind() {
    let mut cluster = Cluster::start();
    // In the place of the third partition's folder there is something else.
    let obstacle = cluster.data_dir().join("half-2");
    std::fs::write(&obstacle, "").unwrap();
    let storage_error = 56;
    assert_eq!(create_partitions(&cluster, "half", 5), storage_error);
    cluster.crash_and_restart();
    let metadata = connect(&cluster)
        .send(&MetadataRequest::default().with_topics(None))
        .unwrap();
    assert_eq!(metadata.topics, [], "the refused topic is there after a restart");
    std::fs::remove_file(&obstacle).unwrap();
    assert_eq!(create_partitions(&cluster, "half", 5), 0);
}

#[test]
fn after_a_crash_no_partition_keeps_its_files_open() {
    let mut cluster = Cluster::start();
    assert_eq!(create_partitions(&cluster, "wide", 100), 0);
    cluster.crash_and_restart();
    assert_eq!(open_files(&cluster, "/wide-"), 0);
}

/// How many files the broker has open in folders of this name.
fn open_files(cluster: &Cluster, folder: &str) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", cluster.pid())).unwrap();
    open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.to_string_lossy().contains(folder))
        .count()
}

#[test]
fn a_partition_with_few_records_keeps_one_file_open() {
    let cluster = Cluster::start();
    assert_eq!(create_partitions(&cluster, "few", 1), 0);
    produce(&mut connect(&cluster), "few").unwrap();
    assert_eq!(open_files(&cluster, "/few-"), 1);
}

#[test]
fn what_was_deleted_and_cannot_be_removed_keeps_no_broker_from_starting() {
    let mut cluster = Cluster::start();
    cluster.stop();
    let name = "gone-0.0123456789abcdef0123456789abcdef-delete";
    std::fs::write(cluster.data_dir().join(name), "a file where a folder belongs").unwrap();
    cluster.restart();
    assert_eq!(create_partitions(&cluster, "orders", 1), 0);
}
