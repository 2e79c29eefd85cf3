//! What was said to requests that change a thing twice, or one without a name.

use kafka_protocol::messages::alter_configs_request::{self, AlterConfigsResource};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_topic_partitions_request::TopicRequest;
use kafka_protocol::messages::incremental_alter_configs_request::{self, AlterableConfig};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    AlterConfigsRequest, BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest,
    DeleteRecordsRequest, DeleteTopicsRequest, DescribeConfigsRequest, DescribeGroupsRequest,
    DescribeTopicPartitionsRequest, FindCoordinatorRequest, GroupId, IncrementalAlterConfigsRequest,
    MetadataRequest, OffsetDeleteRequest, OffsetFetchRequest, OffsetForLeaderEpochRequest, TopicName,
};
use uuid::Uuid;

use super::conversation::{Conversation, text};

impl Conversation {
    pub(super) fn admin_twice(&mut self) {
        let delete = |name: TopicName, partitions: &[(i32, i64)]| {
            let partitions = partitions.iter().map(|(index, offset)| {
                DeleteRecordsPartition::default()
                    .with_partition_index(*index)
                    .with_offset(*offset)
            });
            DeleteRecordsTopic::default()
                .with_name(name)
                .with_partitions(partitions.collect())
        };
        let (t, nowhere) = (self.name("t"), self.name("nowhere"));
        for (what, topics) in [
            ("the same twice", vec![delete(t.clone(), &[(0, 1), (0, 1)])]),
            ("two offsets", vec![delete(t.clone(), &[(0, 1), (0, 2)])]),
            (
                "two offsets, the first is larger",
                vec![delete(t.clone(), &[(0, 3), (0, 2)])],
            ),
            (
                "in two topics",
                vec![delete(t.clone(), &[(0, 3)]), delete(t.clone(), &[(1, 0)])],
            ),
            (
                "the same in two topics",
                vec![delete(t.clone(), &[(0, 4)]), delete(t.clone(), &[(0, 3)])],
            ),
            (
                "no topic twice",
                vec![
                    delete(nowhere.clone(), &[(0, 1), (0, 1)]),
                    delete(nowhere.clone(), &[(1, 1)]),
                ],
            ),
            ("no partition twice", vec![delete(t.clone(), &[(7, 1), (7, 1)])]),
            ("beyond the end", vec![delete(t.clone(), &[(0, 1000), (1, -2)])]),
        ] {
            let request = DeleteRecordsRequest::default()
                .with_timeout_ms(10_000)
                .with_topics(topics);
            let mut answer = self.connection.send_as(&request, 2).unwrap();
            for topic in &mut answer.topics {
                topic
                    .partitions
                    .sort_by_key(|partition| partition.partition_index);
            }
            self.say(&format!("delete records {what} v2"), &answer);
        }
        self.epochs_twice();
        self.partitions_twice();
        self.configs_twice();
        self.groups_twice();
    }

    fn epochs_twice(&mut self) {
        let partition = |index: i32, epoch: i32| {
            OffsetForLeaderPartition::default()
                .with_partition(index)
                .with_current_leader_epoch(-1)
                .with_leader_epoch(epoch)
        };
        let topic = |name: TopicName, partitions: Vec<OffsetForLeaderPartition>| {
            OffsetForLeaderTopic::default()
                .with_topic(name)
                .with_partitions(partitions)
        };
        let (t, nowhere) = (self.name("t"), self.name("nowhere"));
        for (what, topics) in [
            (
                "the same twice",
                vec![topic(t.clone(), vec![partition(0, 0), partition(0, 0)])],
            ),
            (
                "two epochs",
                vec![topic(t.clone(), vec![partition(0, 0), partition(0, 5)])],
            ),
            (
                "in two topics",
                vec![
                    topic(t.clone(), vec![partition(0, 0)]),
                    topic(t, vec![partition(0, 0)]),
                ],
            ),
            (
                "no topic twice",
                vec![topic(nowhere, vec![partition(0, 0), partition(0, 0)])],
            ),
        ] {
            let request = OffsetForLeaderEpochRequest::default()
                .with_replica_id(BrokerId(-2))
                .with_topics(topics);
            self.ask(&format!("end of an epoch, {what}"), 4, &request);
        }
    }

    fn partitions_twice(&mut self) {
        let grow =
            |name: TopicName, count: i32| CreatePartitionsTopic::default().with_name(name).with_count(count);
        let (u, nowhere) = (self.name("u"), self.name("nowhere"));
        for (what, topics) in [
            ("the same twice", vec![grow(u.clone(), 3), grow(u.clone(), 3)]),
            (
                "two counts and another",
                vec![grow(u.clone(), 3), grow(nowhere.clone(), 3), grow(u, 4)],
            ),
            ("no topic twice", vec![grow(nowhere.clone(), 3), grow(nowhere, 3)]),
        ] {
            let request = CreatePartitionsRequest::default()
                .with_timeout_ms(10_000)
                .with_topics(topics);
            let mut answer = self.connection.send_as(&request, 3).unwrap();
            answer.results.sort_by(|one, other| one.name.cmp(&other.name));
            self.say(&format!("create partitions {what} v3"), &answer);
        }
        let new = |name: TopicName, count: i32| {
            CreatableTopic::default()
                .with_name(name)
                .with_num_partitions(count)
                .with_replication_factor(1)
        };
        let bad = TopicName(text("a b"));
        for (what, topics) in [
            (
                "the same twice",
                vec![new(self.name("v"), 1), new(self.name("v"), 1)],
            ),
            (
                "one that exists, twice",
                vec![new(self.name("t"), 1), new(self.name("t"), 1)],
            ),
            ("a bad name twice", vec![new(bad.clone(), 1), new(bad, 1)]),
            (
                "twice, and another",
                vec![
                    new(self.name("v"), 1),
                    new(self.name("w"), 1),
                    new(self.name("v"), 2),
                ],
            ),
        ] {
            let request = CreateTopicsRequest::default()
                .with_timeout_ms(10_000)
                .with_topics(topics)
                .with_validate_only(true);
            let mut answer = self.connection.send_as(&request, 4).unwrap();
            answer.topics.sort_by(|one, other| one.name.cmp(&other.name));
            self.say(&format!("create {what} v4"), &answer);
        }
        let describe = |names: Vec<TopicName>| {
            let topics = names
                .into_iter()
                .map(|name| TopicRequest::default().with_name(name));
            DescribeTopicPartitionsRequest::default()
                .with_topics(topics.collect())
                .with_response_partition_limit(100)
        };
        let twice = describe(vec![
            self.name("t"),
            self.name("nowhere"),
            self.name("t"),
            self.name("nowhere"),
        ]);
        self.ask("describe partitions twice", 0, &twice);
    }

    fn configs_twice(&mut self) {
        let name = self.name("u").0;
        let set = |key: &str, value: &str| {
            AlterableConfig::default()
                .with_name(text(key))
                .with_config_operation(0)
                .with_value(Some(text(value)))
        };
        let resource = |configs: Vec<AlterableConfig>| {
            incremental_alter_configs_request::AlterConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(name.clone())
                .with_configs(configs)
        };
        for (what, resources) in [
            (
                "a resource twice",
                vec![
                    resource(vec![set("retention.ms", "1")]),
                    resource(vec![set("retention.ms", "2")]),
                ],
            ),
            (
                "a resource twice, other keys",
                vec![
                    resource(vec![set("retention.ms", "1")]),
                    resource(vec![set("segment.ms", "2")]),
                ],
            ),
            (
                "a key twice",
                vec![resource(vec![set("retention.ms", "1"), set("retention.ms", "2")])],
            ),
            (
                "a bad key twice",
                vec![resource(vec![set("x", "1"), set("x", "2")])],
            ),
            ("no keys", vec![resource(vec![])]),
        ] {
            let request = IncrementalAlterConfigsRequest::default().with_resources(resources);
            self.ask(&format!("alter {what}"), 1, &request);
        }
        let old = |values: &[(&str, &str)]| {
            let configs = values.iter().map(|(key, value)| {
                alter_configs_request::AlterableConfig::default()
                    .with_name(text(*key))
                    .with_value(Some(text(*value)))
            });
            AlterConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(name.clone())
                .with_configs(configs.collect())
        };
        // Kafka never answers when a resource is there twice.
        let request = AlterConfigsRequest::default()
            .with_resources(vec![old(&[("retention.ms", "1"), ("retention.ms", "2")])]);
        self.ask("alter all, a key twice", 2, &request);
        let asked = |name: kafka_protocol::protocol::StrBytes| {
            DescribeConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(name)
                .with_configuration_keys(Some(vec![text("retention.ms"), text("retention.ms"), text("x")]))
        };
        let missing = self.name("nowhere").0;
        let resources = vec![
            asked(name.clone()),
            asked(missing.clone()),
            asked(name),
            asked(missing),
        ];
        let request = DescribeConfigsRequest::default().with_resources(resources);
        let mut answer = self.connection.send_as(&request, 4).unwrap();
        answer
            .results
            .sort_by(|one, other| one.resource_name.cmp(&other.resource_name));
        self.say("describe configs twice v4", &answer);
    }

    fn groups_twice(&mut self) {
        let group = |name: &str, conversation: &Self| GroupId(conversation.name(name).0);
        let (known, unknown) = (group("twice", self), group("unknown", self));
        for version in [0, 4, 6] {
            let request = DescribeGroupsRequest::default().with_groups(vec![
                known.clone(),
                unknown.clone(),
                known.clone(),
                unknown.clone(),
            ]);
            let mut answer = self.connection.send_as(&request, version).unwrap();
            answer
                .groups
                .sort_by(|one, other| one.group_id.cmp(&other.group_id));
            self.say(&format!("describe groups twice v{version}"), &answer);
        }
        let partition = |index: i32| OffsetDeleteRequestPartition::default().with_partition_index(index);
        let topic = |name: TopicName, partitions: &[i32]| {
            OffsetDeleteRequestTopic::default()
                .with_name(name)
                .with_partitions(partitions.iter().copied().map(partition).collect())
        };
        let (t, nowhere) = (self.name("t"), self.name("nowhere"));
        for (what, topics) in [
            ("the same twice", vec![topic(t.clone(), &[0, 0])]),
            (
                "in two topics",
                vec![topic(t.clone(), &[0]), topic(t.clone(), &[1, 0])],
            ),
            (
                "a mix",
                vec![topic(t.clone(), &[0, 7, 1]), topic(nowhere, &[0, 0])],
            ),
            ("no partitions", vec![topic(t, &[])]),
        ] {
            let request = OffsetDeleteRequest::default()
                .with_group_id(known.clone())
                .with_topics(topics);
            self.ask(&format!("delete offsets {what}"), 0, &request);
        }
        for version in 0..=2 {
            let request = DeleteGroupsRequest::default().with_groups_names(vec![
                known.clone(),
                unknown.clone(),
                known.clone(),
            ]);
            let mut answer = self.connection.send_as(&request, version).unwrap();
            answer
                .results
                .sort_by(|one, other| one.group_id.cmp(&other.group_id));
            self.say(&format!("delete groups twice v{version}"), &answer);
        }
        for version in [4, 6] {
            let request = FindCoordinatorRequest::default()
                .with_key_type(0)
                .with_coordinator_keys(vec![text("one"), text("one"), text("")]);
            self.ask("find coordinators twice", version, &request);
        }
    }

    pub(super) fn empty_names(&mut self) {
        let empty = || GroupId(text(""));
        for version in 0..=2 {
            let request = DeleteGroupsRequest::default().with_groups_names(vec![empty(), empty()]);
            self.ask("delete the empty group", version, &request);
        }
        for version in [2, 8, 9] {
            let mut request = self.commit("x", &[("t", &[(0, 1, "m")])]);
            request.group_id = empty();
            self.ask("commit in the empty group", version, &request);
            request.generation_id_or_member_epoch = 1;
            request.member_id = text("someone");
            self.ask("commit in the empty group as a member", version, &request);
        }
        for version in 0..=2 {
            let request = DeleteGroupsRequest::default().with_groups_names(vec![empty()]);
            self.ask("delete the empty group that has offsets", version, &request);
        }
        for version in [0, 4, 6] {
            let request = DescribeGroupsRequest::default().with_groups(vec![empty()]);
            self.ask("describe the empty group", version, &request);
        }
        let topic = OffsetFetchRequestTopic::default()
            .with_name(self.name("t"))
            .with_partition_indexes(vec![0]);
        let request = OffsetFetchRequest::default()
            .with_group_id(empty())
            .with_topics(Some(vec![topic]));
        self.ask("committed in the empty group", 7, &request);
        let topic = OffsetDeleteRequestTopic::default()
            .with_name(self.name("t"))
            .with_partitions(vec![OffsetDeleteRequestPartition::default()]);
        let request = OffsetDeleteRequest::default()
            .with_group_id(empty())
            .with_topics(vec![topic]);
        self.ask("delete offsets of the empty group", 0, &request);
        for version in [0, 2, 3] {
            let request = FindCoordinatorRequest::default()
                .with_key_type(0)
                .with_key(text(""));
            self.ask("find the coordinator of the empty group", version, &request);
        }
    }

    pub(super) fn deleted_twice(&mut self) {
        let (t, nowhere) = (self.name("t"), self.name("nowhere"));
        let request = DeleteTopicsRequest::default()
            .with_timeout_ms(10_000)
            .with_topic_names(vec![nowhere.clone(), nowhere.clone()]);
        self.delete("no topic twice", 5, &request);
        let named = |name: &TopicName| DeleteTopicState::default().with_name(Some(name.clone()));
        let by_id = |id: Uuid| DeleteTopicState::default().with_name(None).with_topic_id(id);
        let (id, other) = (self.topic_id("t"), Uuid::from_bytes([9; 16]));
        for (what, topics) in [
            ("no topic twice", vec![named(&nowhere), named(&nowhere)]),
            ("unknown ids twice", vec![by_id(other), by_id(other)]),
            ("the zero id without a name", vec![by_id(Uuid::nil())]),
            ("a name with its id", vec![named(&t).with_topic_id(id)]),
            ("a name and its id", vec![named(&t), by_id(id)]),
            ("twice", vec![named(&t), named(&t)]),
            ("ids twice", vec![by_id(id), by_id(id)]),
        ] {
            let request = DeleteTopicsRequest::default()
                .with_timeout_ms(10_000)
                .with_topics(topics);
            self.delete(what, 6, &request);
        }
        let request = DeleteTopicsRequest::default()
            .with_timeout_ms(10_000)
            .with_topic_names(vec![t.clone(), self.name("u"), t]);
        self.delete("twice and another", 5, &request);
    }

    fn delete(&mut self, what: &str, version: i16, request: &DeleteTopicsRequest) {
        let mut answer = self.connection.send_as(request, version).unwrap();
        answer
            .responses
            .sort_by_key(|topic| (topic.name.clone(), topic.topic_id, topic.error_code));
        self.say(&format!("delete {what} v{version}"), &answer);
        let t = MetadataRequestTopic::default().with_name(Some(self.name("t")));
        let look = MetadataRequest::default()
            .with_topics(Some(vec![t]))
            .with_allow_auto_topic_creation(false);
        let answer = self.connection.send_as(&look, 12).unwrap();
        self.line(&format!("then t: error {}", answer.topics[0].error_code));
    }
}
