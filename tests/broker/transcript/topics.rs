//! What was said about topics and their configs.

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest, DescribeTopicPartitionsRequest, IncrementalAlterConfigsRequest,
    ListPartitionReassignmentsRequest, MetadataRequest, TopicName,
};
use uuid::Uuid;

use super::conversation::{Conversation, text};

impl Conversation {
    pub(super) fn creating(&mut self) {
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

    pub(super) fn describing(&mut self) {
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

    pub(super) fn altering(&mut self) {
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

    pub(super) fn growing_and_deleting(&mut self) {
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
}
