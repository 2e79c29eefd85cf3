//! A conversation about topics, configs and records, request by request in every version, held against the one
//! Apache Kafka 4.3.1 had (`tests/golden/protocol-transcript.txt`). To record it anew run this test with
//! `KAFKIT_RECORD_FROM=HOST:PORT` on one node with `num.partitions=1`, `broker.rack=rack1` and automatic topics.

use std::fmt::{Debug, Write};

use bytes::Bytes;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest, DescribeTopicPartitionsRequest, FetchRequest, IncrementalAlterConfigsRequest,
    InitProducerIdRequest, ListOffsetsRequest, ListPartitionReassignmentsRequest, MetadataRequest,
    OffsetForLeaderEpochRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::{Request, StrBytes};
use kafkit::records::batch_builder::{BatchOptions, Producer};
use kafkit::records::{BatchBuilder, Codec};
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use regex::Regex;
use uuid::Uuid;

use crate::support::cluster::Cluster;

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/golden/protocol-transcript.txt"
);
const TIMESTAMP: i64 = 1_700_000_000_000;

#[test]
fn topics_configs_and_records_answer_as_apache_kafka_does() {
    if let Ok(kafka) = std::env::var("KAFKIT_RECORD_FROM") {
        std::fs::write(GOLDEN, Conversation::with(&kafka).all()).unwrap();
        return;
    }
    let cluster = Cluster::start_with(&["broker.rack=rack1"]);
    let wanted = std::fs::read_to_string(GOLDEN).unwrap();
    let seen = Conversation::with(&cluster.bootstrap()).all();
    let pairs = seen
        .lines()
        .zip(wanted.lines())
        .filter(|(seen, wanted)| seen != wanted);
    let differences: Vec<_> = pairs
        .map(|(seen, wanted)| format!("- {wanted}\n+ {seen}"))
        .collect();
    assert!(
        differences.is_empty(),
        "Kafka (-) and we (+):\n{}",
        differences.join("\n")
    );
    assert_eq!(seen.lines().count(), wanted.lines().count());
}

struct Conversation {
    connection: Connection,
    transcript: String,
    prefix: String,
    port: String,
    noise: Vec<(Regex, &'static str)>,
}

fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

fn batch(keys: &[Option<&str>], codec: Codec, producer: Option<Producer>) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        producer,
        ..BatchOptions::default()
    });
    for (number, key) in (0..).zip(keys) {
        builder.append(
            TIMESTAMP + number * 10,
            key.map(str::as_bytes),
            Some(b"value"),
            &[],
        );
    }
    builder.finish().unwrap()
}

impl Conversation {
    fn with(bootstrap: &str) -> Self {
        let address = HostPort::parse(bootstrap).unwrap();
        let noise = [
            (r", unknown_tagged_fields: \{\}", ""),
            (
                r"[0-9a-f]{8}-[0-9a-f]{4}-[1-9a-f][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
                "ID",
            ),
            (r"session_id: [1-9]\d*", "session_id: SESSION"),
            (r" producer_id: \d+,", " producer_id: P,"),
            (r#"cluster_id: Some\("[^"]*"\)"#, "cluster_id: C"),
        ];
        Self {
            connection: Connection::open(&address, &ConnectionOptions::default()).unwrap(),
            transcript: String::new(),
            prefix: format!("protocol-{}-", std::process::id()),
            port: format!("port: {}", bootstrap.rsplit(':').next().unwrap()),
            noise: noise
                .map(|(noise, word)| (Regex::new(noise).unwrap(), word))
                .into(),
        }
    }

    fn name(&self, topic: &str) -> TopicName {
        TopicName(text(format!("{}{topic}", self.prefix)))
    }

    fn say(&mut self, what: &str, answer: &impl Debug) {
        let mut line = format!("{what}: {answer:?}")
            .replace(&self.prefix, "")
            .replace(&self.port, "port: PORT");
        for (noise, word) in &self.noise {
            line = noise.replace_all(&line, *word).into_owned();
        }
        writeln!(self.transcript, "{line}").unwrap();
    }

    fn ask<R: Request>(&mut self, what: &str, version: i16, request: &R) -> R::Response
    where
        R::Response: Debug,
    {
        let answer = self.connection.send_as(request, version).unwrap();
        self.say(&format!("{what} v{version}"), &answer);
        answer
    }

    fn all(mut self) -> String {
        self.creating();
        self.describing();
        self.producing();
        self.producing_what_is_refused();
        self.fetching();
        self.looking_up_offsets();
        self.altering();
        self.growing_and_deleting();
        self.transcript
    }

    fn topic(&self, name: &str, partitions: i32, replicas: i16) -> CreatableTopic {
        CreatableTopic::default()
            .with_name(self.name(name))
            .with_num_partitions(partitions)
            .with_replication_factor(replicas)
    }

    fn create(&mut self, what: &str, version: i16, topics: Vec<CreatableTopic>) {
        let request = CreateTopicsRequest::default()
            .with_timeout_ms(10_000)
            .with_topics(topics);
        let mut answer = self.connection.send_as(&request, version).unwrap();
        for topic in &mut answer.topics {
            // Kafka's order is a hash map's.
            let configs = topic.configs.iter_mut().flatten();
            let mut configs: Vec<_> = configs
                .map(|config| {
                    format!(
                        "{}={:?}/{}",
                        config.name.as_str(),
                        config.value.as_deref(),
                        config.config_source
                    )
                })
                .collect();
            configs.sort();
            topic.configs = None;
            let configs: Vec<_> = configs
                .into_iter()
                .filter(|config| {
                    !config.starts_with("remote.")
                        && !config.starts_with("internal.")
                        && !config.starts_with("errors.")
                })
                .collect();
            if version >= 5 && topic.error_code == 0 {
                self.say("  configs", &configs);
            }
        }
        answer.topics.sort_by_key(|topic| topic.name.to_string());
        self.say(&format!("{what} v{version}"), &answer);
    }

    fn creating(&mut self) {
        for version in 2..=7 {
            self.create("create", version, vec![self.topic(&format!("t{version}"), 2, 1)]);
        }
        self.create("defaults", 7, vec![self.topic("d", -1, -1)]);
        let config = |name: &str, value: Option<&str>| {
            CreatableTopicConfig::default()
                .with_name(text(name))
                .with_value(value.map(text))
        };
        let compacted = self
            .topic("compacted", 1, 1)
            .with_configs(vec![config("cleanup.policy", Some("compact"))]);
        self.create("compacted", 7, vec![compacted]);
        self.creating_what_is_refused();
    }

    fn creating_what_is_refused(&mut self) {
        let config = |name: &str, value: Option<&str>| {
            CreatableTopicConfig::default()
                .with_name(text(name))
                .with_value(value.map(text))
        };
        let assigned = |replicas: &[&[i32]]| {
            let assignments = replicas.iter().zip(0..).map(|(replicas, index)| {
                CreatableReplicaAssignment::default()
                    .with_partition_index(index)
                    .with_broker_ids(replicas.iter().map(|id| BrokerId(*id)).collect())
            });
            assignments.collect::<Vec<_>>()
        };
        for (what, topic) in [
            ("exists", self.topic("t7", 1, 1)),
            ("no partitions", self.topic("x", 0, 1)),
            ("no replicas", self.topic("x", 1, 0)),
            ("too many replicas", self.topic("x", 1, 3)),
            (
                "unknown config",
                self.topic("x", 1, 1)
                    .with_configs(vec![config("nonsense", Some("1"))]),
            ),
            (
                "bad config",
                self.topic("x", 1, 1)
                    .with_configs(vec![config("retention.ms", Some("soon"))]),
            ),
            (
                "null config",
                self.topic("x", 1, 1)
                    .with_configs(vec![config("retention.ms", None)]),
            ),
            (
                "assigned and counted",
                self.topic("x", 1, -1).with_assignments(assigned(&[&[1]])),
            ),
            (
                "assigned and replicated",
                self.topic("x", -1, 1).with_assignments(assigned(&[&[1]])),
            ),
            (
                "assigned",
                self.topic("assigned", -1, -1)
                    .with_assignments(assigned(&[&[1], &[1]])),
            ),
            (
                "assigned to nobody",
                self.topic("x", -1, -1).with_assignments(assigned(&[&[]])),
            ),
            (
                "assigned to a stranger",
                self.topic("x", -1, -1).with_assignments(assigned(&[&[9]])),
            ),
            (
                "assigned twice",
                self.topic("x", -1, -1).with_assignments(assigned(&[&[1, 1]])),
            ),
            (
                "assigned unevenly",
                self.topic("x", -1, -1)
                    .with_assignments(assigned(&[&[1], &[1, 1]])),
            ),
        ] {
            self.create(what, 7, vec![topic]);
        }
        let mut gap = assigned(&[&[1], &[1]]);
        gap[1].partition_index = 2;
        self.create(
            "assigned with a gap",
            7,
            vec![self.topic("x", -1, -1).with_assignments(gap)],
        );
        self.create("twice", 7, vec![self.topic("x", 1, 1), self.topic("x", 1, 1)]);
        let bad = self.topic("x", 1, 1).with_name(TopicName(text("no spaces")));
        self.create("bad name", 7, vec![bad]);
    }

    fn describing(&mut self) {
        let named = |name: TopicName| MetadataRequestTopic::default().with_name(Some(name));
        for version in 0..=13 {
            let mut request = MetadataRequest::default().with_topics(Some(vec![named(self.name("t7"))]));
            request.allow_auto_topic_creation = version < 4;
            self.ask("metadata", version, &request);
        }
        let missing = |topic: MetadataRequestTopic, create: bool| {
            MetadataRequest::default()
                .with_topics(Some(vec![topic]))
                .with_allow_auto_topic_creation(create)
        };
        let missing_topic = named(self.name("missing"));
        self.ask("metadata of what is missing", 12, &missing(missing_topic, false));
        self.ask(
            "metadata of a bad name",
            12,
            &missing(named(TopicName(text("a b"))), true),
        );
        let by_id = MetadataRequestTopic::default()
            .with_name(None)
            .with_topic_id(Uuid::from_bytes([9; 16]));
        self.ask("metadata of an unknown id", 12, &missing(by_id, false));
        let topic = |name: TopicName| TopicRequest::default().with_name(name);
        let request = DescribeTopicPartitionsRequest::default()
            .with_topics(vec![
                topic(self.name("t6")),
                topic(self.name("t7")),
                topic(self.name("missing")),
            ])
            .with_response_partition_limit(3);
        self.ask("describe partitions", 0, &request);
        let cursor = Cursor::default()
            .with_topic_name(self.name("t7"))
            .with_partition_index(1);
        let next = request.with_cursor(Some(cursor));
        self.ask("describe partitions, next page", 0, &next);
        let reassignments = ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(1000)
            .with_topics(None);
        self.ask("reassignments", 0, &reassignments);
    }

    fn produce(&mut self, what: &str, version: i16, topic: &str, records: Vec<u8>) {
        let data = PartitionProduceData::default()
            .with_index(0)
            .with_records(Some(Bytes::from(records)));
        let topic = TopicProduceData::default()
            .with_name(self.name(topic))
            .with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(1000)
            .with_topic_data(vec![topic]);
        self.ask(what, version, &request);
    }

    fn producing(&mut self) {
        for version in 3..=12 {
            self.produce(
                "produce",
                version,
                "t7",
                batch(&[None, Some("k")], Codec::None, None),
            );
        }
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let records = batch(&[None, Some("k")], codec, None);
            self.produce(&format!("produce {}", codec.name()), 9, "t7", records);
        }
        let producer = |base_sequence, epoch| {
            let producer = Producer {
                id: 4_000_000,
                epoch,
                base_sequence,
            };
            batch(&[None, None], Codec::None, Some(producer))
        };
        self.produce("idempotent", 9, "t6", producer(0, 0));
        self.produce("idempotent, next", 9, "t6", producer(2, 0));
        self.produce("idempotent, again", 9, "t6", producer(0, 0));
        let new = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(1000);
        for version in 0..=5 {
            self.ask("producer id", version, &new);
        }
    }

    fn producing_what_is_refused(&mut self) {
        let producer = |base_sequence, epoch| {
            let producer = Producer {
                id: 4_000_000,
                epoch,
                base_sequence,
            };
            batch(&[None, None], Codec::None, Some(producer))
        };
        let refused = |conversation: &mut Self, what: &str, version: i16, topic: &str, records: Vec<u8>| {
            // The texts of these errors are for logs; the codes and the records at fault are for clients.
            let data = PartitionProduceData::default()
                .with_index(0)
                .with_records(Some(Bytes::from(records)));
            let topic = TopicProduceData::default()
                .with_name(conversation.name(topic))
                .with_partition_data(vec![data]);
            let request = ProduceRequest::default()
                .with_acks(-1)
                .with_timeout_ms(1000)
                .with_topic_data(vec![topic]);
            let mut answer = conversation.connection.send_as(&request, version).unwrap();
            let partition = &mut answer.responses[0].partition_responses[0];
            partition.error_message = None;
            conversation.say(&format!("{what} v{version}"), &answer);
        };
        let good = batch(&[None, Some("k")], Codec::None, None);
        refused(self, "sequence with a gap", 9, "t6", producer(9, 0));
        refused(self, "new epoch in the middle", 9, "t6", producer(5, 1));
        refused(
            self,
            "no key",
            9,
            "compacted",
            batch(&[Some("k"), None], Codec::None, None),
        );
        refused(self, "nothing", 9, "t7", Vec::new());
        refused(
            self,
            "two batches",
            9,
            "t7",
            [good.clone(), good.clone()].concat(),
        );
        refused(
            self,
            "zstd before its time",
            6,
            "t7",
            batch(&[None], Codec::Zstd, None),
        );
        refused(self, "topic that is missing", 9, "nowhere", good.clone());
        let mut changed = good.clone();
        *changed.last_mut().unwrap() ^= 1;
        refused(self, "corrupt", 9, "t7", changed);
        let mut from_five = good;
        from_five[7] = 5;
        refused(self, "base offset", 9, "t7", from_five);
        let huge = "x".repeat(1_100_000);
        refused(
            self,
            "too large",
            9,
            "t7",
            batch(&[Some(huge.as_str())], Codec::None, None),
        );
    }

    fn fetch_request(&self, topic: &str, offset: i64) -> FetchRequest {
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(200);
        FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(0)
            .with_min_bytes(1)
            .with_max_bytes(1000)
            .with_session_epoch(-1)
            .with_topics(vec![
                FetchTopic::default()
                    .with_topic(self.name(topic))
                    .with_partitions(vec![partition]),
            ])
    }

    fn fetching(&mut self) {
        for version in 4..=12 {
            self.ask("fetch", version, &self.fetch_request("t6", 0));
        }
        self.ask("fetch from inside a batch", 12, &self.fetch_request("t6", 3));
        self.ask("fetch at the end", 12, &self.fetch_request("t6", 4));
        self.ask("fetch beyond the end", 12, &self.fetch_request("t6", 5));
        self.ask("fetch what is missing", 12, &self.fetch_request("nowhere", 0));
        let mut small = self.fetch_request("t6", 0);
        small.max_bytes = 1;
        small.topics[0].partitions[0].partition_max_bytes = 1;
        self.ask("fetch with too small a limit", 12, &small);
        let mut epoch = self.fetch_request("t6", 0);
        epoch.topics[0].partitions[0].current_leader_epoch = 7;
        self.ask("fetch in an unknown epoch", 12, &epoch);
        let mut committed = self.fetch_request("t6", 4);
        committed.isolation_level = 1;
        self.ask("fetch what is committed", 12, &committed);
        let mut session = self.fetch_request("t6", 4);
        session.session_epoch = 0;
        let opened = self.ask("fetch with a session", 12, &session);
        let mut next = session
            .clone()
            .with_session_id(opened.session_id)
            .with_session_epoch(1);
        next.topics.clear();
        self.ask("fetch in the session", 12, &next);
        self.ask("fetch in the session out of turn", 12, &next);
        next.session_id = 1;
        self.ask("fetch in no session", 12, &next);
    }

    fn looking_up_offsets(&mut self) {
        let at = |name: TopicName, timestamp: i64, index: i32| {
            let partition = ListOffsetsPartition::default()
                .with_partition_index(index)
                .with_current_leader_epoch(-1)
                .with_timestamp(timestamp);
            let topic = ListOffsetsTopic::default()
                .with_name(name)
                .with_partitions(vec![partition]);
            ListOffsetsRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_topics(vec![topic])
        };
        for version in 1..=10 {
            for timestamp in [-1, -2, TIMESTAMP + 5] {
                self.ask(
                    &format!("offset at {timestamp}"),
                    version,
                    &at(self.name("t7"), timestamp, 0),
                );
            }
        }
        for timestamp in [-3, -4, -5, TIMESTAMP, TIMESTAMP + 11, 0] {
            self.ask(
                &format!("offset at {timestamp}"),
                10,
                &at(self.name("t7"), timestamp, 0),
            );
            self.ask(
                &format!("offset at {timestamp} of nothing"),
                10,
                &at(self.name("t7"), timestamp, 1),
            );
        }
        self.ask("offset of what is missing", 10, &at(self.name("nowhere"), -1, 0));
        for version in 2..=4 {
            let partition = |epoch| {
                OffsetForLeaderPartition::default()
                    .with_partition(0)
                    .with_current_leader_epoch(-1)
                    .with_leader_epoch(epoch)
            };
            let topic = OffsetForLeaderTopic::default()
                .with_topic(self.name("t7"))
                .with_partitions(vec![partition(0), partition(5)]);
            let request = OffsetForLeaderEpochRequest::default()
                .with_replica_id(BrokerId(-2))
                .with_topics(vec![topic]);
            self.ask("end of an epoch", version, &request);
        }
    }

    fn altering(&mut self) {
        for (what, name, operation, value) in [
            ("set", "retention.ms", 0, Some("1000")),
            ("append", "cleanup.policy", 2, Some("compact")),
            ("subtract", "cleanup.policy", 3, Some("delete")),
            ("append to a number", "retention.ms", 2, Some("1")),
            ("delete", "retention.ms", 1, None),
            ("bad value", "segment.bytes", 0, Some("1")),
            ("bad name", "nonsense", 0, Some("1")),
            ("null", "retention.ms", 0, None),
        ] {
            let config = AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(operation)
                .with_value(value.map(text));
            let resource = AlterConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(self.name("t7").0)
                .with_configs(vec![config]);
            let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
            self.ask(what, 1, &request);
        }
        for version in 1..=4 {
            let keys = ["cleanup.policy", "min.insync.replicas", "retention.ms"];
            let resource = DescribeConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(self.name("t7").0)
                .with_configuration_keys(Some(keys.map(text).into()));
            let request = DescribeConfigsRequest::default()
                .with_include_synonyms(true)
                .with_resources(vec![resource]);
            let mut answer = self.connection.send_as(&request, version).unwrap();
            answer.results[0]
                .configs
                .sort_by_key(|config| config.name.to_string());
            self.say(&format!("describe configs v{version}"), &answer);
        }
    }

    fn growing_and_deleting(&mut self) {
        let grow = |name: TopicName, count: i32| {
            let topic = CreatePartitionsTopic::default()
                .with_name(name)
                .with_count(count)
                .with_assignments(None);
            CreatePartitionsRequest::default()
                .with_topics(vec![topic])
                .with_timeout_ms(10_000)
        };
        for (what, count) in [("fewer", 1), ("as many", 2), ("more", 4)] {
            self.ask(what, 3, &grow(self.name("t6"), count));
        }
        self.ask("more of what is missing", 3, &grow(self.name("nowhere"), 4));
        let records = |name: TopicName, offset: i64| {
            let partition = DeleteRecordsPartition::default()
                .with_partition_index(0)
                .with_offset(offset);
            let topic = DeleteRecordsTopic::default()
                .with_name(name)
                .with_partitions(vec![partition]);
            DeleteRecordsRequest::default()
                .with_topics(vec![topic])
                .with_timeout_ms(10_000)
        };
        for offset in [3, 99, -1] {
            self.ask(
                &format!("delete records up to {offset}"),
                2,
                &records(self.name("t6"), offset),
            );
        }
        self.ask(
            "delete records of a compacted topic",
            2,
            &records(self.name("compacted"), 0),
        );
        self.ask("fetch what was deleted", 12, &self.fetch_request("t6", 0));
        for version in 1..=5 {
            let request = DeleteTopicsRequest::default()
                .with_timeout_ms(10_000)
                .with_topic_names(vec![self.name(&format!("t{}", version + 1))]);
            self.ask("delete", version, &request);
            self.ask("delete again", version, &request);
        }
        for name in ["t7", "d", "compacted", "assigned"] {
            let topic = kafka_protocol::messages::delete_topics_request::DeleteTopicState::default()
                .with_name(Some(self.name(name)));
            self.ask(
                "delete",
                6,
                &DeleteTopicsRequest::default()
                    .with_timeout_ms(10_000)
                    .with_topics(vec![topic]),
            );
        }
    }
}
