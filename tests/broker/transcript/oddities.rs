//! What was said to requests that name a thing twice, or none, or one that is gone; and where a text is measured.

use std::fmt::Write;

use bytes::Bytes;
use kafka_protocol::messages::alter_configs_request::{self, AlterConfigsResource};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_topic_partitions_request::TopicRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{self, AlterableConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    AlterConfigsRequest, BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest,
    DeleteRecordsRequest, DeleteTopicsRequest, DescribeConfigsRequest, DescribeGroupsRequest,
    DescribeTopicPartitionsRequest, FetchRequest, FetchResponse, FindCoordinatorRequest, GroupId,
    IncrementalAlterConfigsRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest,
    OffsetDeleteRequest, OffsetFetchRequest, OffsetForLeaderEpochRequest, ProduceRequest, ProduceResponse,
    TopicName,
};
use kafkit::records::Codec;
use uuid::Uuid;

use super::conversation::{Conversation, batch, text};
use crate::support::wait::wait_until;

/// A topic and what is wanted of its partitions.
type Named<'a, Wanted> = (&'a str, &'a [Wanted]);

/// Kafka's order is a hash map's.
fn in_order(answer: &mut ProduceResponse) {
    for topic in &mut answer.responses {
        topic.partition_responses.sort_by_key(|partition| partition.index);
    }
}

impl Conversation {
    /// Everything of this kind.
    pub(super) fn oddities(mut self) -> String {
        for name in ["t", "u"] {
            self.make(name);
        }
        self.offsets_of_nothing();
        self.offsets_twice();
        self.produced_twice();
        self.fetched_twice();
        self.committed_twice();
        self.measured_texts();
        self.admin_twice();
        self.empty_names();
        self.metadata_oddities();
        self.sessions_by_id();
        self.sessions_by_name();
        self.deleted_twice();
        self.transcript()
    }

    fn make(&mut self, name: &str) -> Uuid {
        let topic = CreatableTopic::default()
            .with_name(self.name(name))
            .with_num_partitions(2)
            .with_replication_factor(1);
        let request = CreateTopicsRequest::default()
            .with_timeout_ms(10_000)
            .with_topics(vec![topic]);
        let answer = self.connection.send_as(&request, 7).unwrap();
        for partition in 0..2 {
            self.wait_for_leader(&self.name(name), partition);
        }
        answer.topics[0].topic_id
    }

    fn remove(&mut self, name: &str) {
        let request = DeleteTopicsRequest::default()
            .with_timeout_ms(10_000)
            .with_topic_names(vec![self.name(name)]);
        self.connection.send_as(&request, 5).unwrap();
        let topic = MetadataRequestTopic::default().with_name(Some(self.name(name)));
        let look = MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(false);
        wait_until("the end of a topic", || {
            self.connection.send_as(&look, 12).unwrap().topics[0].error_code == 3
        });
    }

    fn list_offsets(&self, topics: &[Named<'_, (i32, i64, i32)>]) -> ListOffsetsRequest {
        let topics = topics.iter().map(|(name, partitions)| {
            let partitions = partitions.iter().map(|(index, timestamp, epoch)| {
                ListOffsetsPartition::default()
                    .with_partition_index(*index)
                    .with_timestamp(*timestamp)
                    .with_current_leader_epoch(*epoch)
            });
            ListOffsetsTopic::default()
                .with_name(self.name(name))
                .with_partitions(partitions.collect())
        });
        ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(topics.collect())
    }

    fn say_offsets(&mut self, what: &str, version: i16, request: &ListOffsetsRequest) {
        let answer = self.connection.send_as(request, version).unwrap();
        let mut said: Vec<_> = answer
            .topics
            .iter()
            .map(|topic| {
                let mut partitions: Vec<_> = topic.partitions.iter().collect();
                partitions.sort_by_key(|partition| partition.partition_index);
                let partitions = partitions.into_iter().map(|partition| {
                    format!(
                        " {}: error {} offset {} time {} epoch {}",
                        partition.partition_index,
                        partition.error_code,
                        partition.offset,
                        partition.timestamp,
                        partition.leader_epoch
                    )
                });
                format!(" {}{}", topic.name.as_str(), partitions.collect::<String>())
            })
            .collect();
        said.sort();
        self.line(&format!("offsets v{version} {what}:{}", said.concat()));
    }

    fn offsets_of_nothing(&mut self) {
        for version in 1..=10 {
            for timestamp in [-1, -3, -4, -5, -6, -9] {
                for (what, topic, partition, epoch) in [
                    ("of a partition", "t", 0, -1),
                    ("in an epoch to come", "t", 0, 5),
                    ("of no partition", "t", 7, -1),
                    ("of a negative partition", "t", -1, -1),
                    ("of no topic", "nowhere", 0, -1),
                    ("of a bad name", "a b", 0, -1),
                ] {
                    let request = self.list_offsets(&[(topic, &[(partition, timestamp, epoch)])]);
                    self.say_offsets(&format!("at {timestamp} {what}"), version, &request);
                }
            }
        }
    }

    fn offsets_twice(&mut self) {
        for version in [1, 5, 7, 10] {
            for (what, topics) in [
                ("the same twice", &[("t", &[(0, -1, -1), (0, -1, -1)][..])][..]),
                ("two times", &[("t", &[(0, -2, -1), (0, -1, -1)])]),
                (
                    "three and another",
                    &[("t", &[(0, -1, -1), (1, -1, -1), (0, -1, -1), (0, -1, -1)])],
                ),
                ("in two topics", &[("t", &[(0, -1, -1)]), ("t", &[(0, -1, -1)])]),
                (
                    "two partitions in two topics",
                    &[("t", &[(0, -1, -1)]), ("t", &[(1, -1, -1)])],
                ),
                ("no topic twice", &[("nowhere", &[(0, -1, -1), (0, -1, -1)])]),
                ("no partition twice", &[("t", &[(7, -1, -1), (7, -1, -1)])]),
                (
                    "twice at a time that is none",
                    &[("t", &[(0, -9, -1), (0, -9, -1)])],
                ),
                ("no partitions", &[("t", &[])]),
            ] {
                let request = self.list_offsets(topics);
                self.say_offsets(what, version, &request);
            }
        }
    }

    fn produce_data(&self, partitions: &[i32]) -> TopicProduceData {
        let partitions = partitions.iter().map(|index| {
            PartitionProduceData::default()
                .with_index(*index)
                .with_records(Some(Bytes::from(batch(&[Some("k")], Codec::None, None))))
        });
        TopicProduceData::default()
            .with_name(self.name("t"))
            .with_partition_data(partitions.collect())
    }

    fn produced_twice(&mut self) {
        let ids = [self.topic_id("t"), Uuid::nil(), Uuid::from_bytes([9; 16])];
        for (what, topics) in [
            ("the same twice", vec![self.produce_data(&[0, 0])]),
            (
                "in two topics",
                vec![self.produce_data(&[0]), self.produce_data(&[0])],
            ),
            (
                "two partitions in two topics",
                vec![self.produce_data(&[0]), self.produce_data(&[1])],
            ),
            ("no partition twice", vec![self.produce_data(&[7, 7])]),
            ("nothing", vec![self.produce_data(&[])]),
        ] {
            let request = ProduceRequest::default()
                .with_acks(-1)
                .with_timeout_ms(1000)
                .with_topic_data(topics);
            for version in [3, 9, 12] {
                let mut answer = self.connection.send_as(&request, version).unwrap();
                in_order(&mut answer);
                self.say(&format!("produce {what} v{version}"), &answer);
            }
            for id in ids {
                let mut request = request.clone();
                for topic in &mut request.topic_data {
                    topic.topic_id = id;
                }
                let mut answer = self.connection.send_as(&request, 13).unwrap();
                in_order(&mut answer);
                self.say(&format!("produce {what} v13"), &answer);
            }
        }
    }

    fn topic_id(&mut self, name: &str) -> Uuid {
        let topic = MetadataRequestTopic::default().with_name(Some(self.name(name)));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(false);
        self.connection.send_as(&request, 12).unwrap().topics[0].topic_id
    }

    fn fetch_topics(&self, id: Uuid, topics: &[(&str, &[(i32, i64)])]) -> FetchRequest {
        let topics = topics.iter().map(|(name, partitions)| {
            let partitions = partitions.iter().map(|(index, offset)| {
                FetchPartition::default()
                    .with_partition(*index)
                    .with_fetch_offset(*offset)
                    .with_partition_max_bytes(1000)
            });
            FetchTopic::default()
                .with_topic(self.name(name))
                .with_topic_id(id)
                .with_partitions(partitions.collect())
        });
        FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(0)
            .with_min_bytes(0)
            .with_max_bytes(10_000)
            .with_session_epoch(-1)
            .with_topics(topics.collect())
    }

    fn say_fetched(&mut self, what: &str, version: i16, request: &FetchRequest) -> FetchResponse {
        let answer = self.connection.send_as(request, version).unwrap();
        let said = answer.responses.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                format!(
                    " {}: error {} bytes {:?} start {} end {} aborted {:?}",
                    partition.partition_index,
                    partition.error_code,
                    partition.records.as_ref().map(Bytes::len),
                    partition.log_start_offset,
                    partition.high_watermark,
                    partition.aborted_transactions.as_ref().map(Vec::len),
                )
            });
            let id = if topic.topic_id.is_nil() { "" } else { " ID" };
            format!(
                " [{}{id}{}]",
                topic.topic.as_str(),
                partitions.collect::<String>()
            )
        });
        let session = if answer.session_id == 0 {
            ""
        } else {
            " in a session"
        };
        let said = said.collect::<String>();
        self.line(&format!(
            "fetch v{version} {what}: error {}{session}{said}",
            answer.error_code
        ));
        answer
    }

    fn fetched_twice(&mut self) {
        let id = self.topic_id("t");
        for (what, topics) in [
            ("the same twice", &[("t", &[(0, 1), (0, 1)][..])][..]),
            ("two offsets", &[("t", &[(0, 0), (0, 1)])]),
            ("in two topics", &[("t", &[(0, 1)]), ("t", &[(0, 0)])]),
            ("no partition twice", &[("t", &[(7, 0), (7, 0)])]),
            ("a negative partition", &[("t", &[(-1, 0)])]),
            ("no partitions", &[("t", &[])]),
            ("no topics", &[]),
        ] {
            let mut request = self.fetch_topics(id, topics);
            for version in [4, 12, 13] {
                request.session_epoch = -1;
                self.say_fetched(what, version, &request);
                if version >= 12 {
                    request.session_epoch = 0;
                    self.say_fetched(&format!("{what}, session"), version, &request);
                }
            }
        }
        for id in [Uuid::nil(), Uuid::from_bytes([9; 16])] {
            let mut request = self.fetch_topics(id, &[("t", &[(0, 0), (1, 0)])]);
            self.say_fetched("an unknown id", 13, &request);
            request.session_epoch = 0;
            let opened = self.say_fetched("an unknown id, session", 13, &request);
            request.topics.clear();
            (request.session_id, request.session_epoch) = (opened.session_id, 1);
            if opened.session_id != 0 {
                self.say_fetched("an unknown id, next", 13, &request);
            }
        }
        for (what, name) in [
            ("nowhere", "nowhere"),
            ("a bad name", "a b"),
            ("an empty name", ""),
        ] {
            let mut request = self.fetch_topics(Uuid::nil(), &[(name, &[(0, 0)])]);
            if name.is_empty() {
                request.topics[0].topic = TopicName(text(""));
            }
            self.say_fetched(what, 12, &request);
        }
    }

    fn commit(&self, group: &str, topics: &[Named<'_, (i32, i64, &str)>]) -> OffsetCommitRequest {
        let topics = topics.iter().map(|(name, partitions)| {
            let partitions = partitions.iter().map(|(index, offset, metadata)| {
                OffsetCommitRequestPartition::default()
                    .with_partition_index(*index)
                    .with_committed_offset(*offset)
                    .with_committed_metadata(Some(text(*metadata)))
            });
            OffsetCommitRequestTopic::default()
                .with_name(self.name(name))
                .with_partitions(partitions.collect())
        });
        OffsetCommitRequest::default()
            .with_group_id(GroupId(self.name(group).0))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(topics.collect())
    }

    fn wait_for_groups(&mut self) {
        let request = self.commit("first", &[("t", &[(0, 0, "")])]);
        wait_until("a coordinator", || {
            let answer = self.connection.send_as(&request, 8).unwrap();
            answer.topics[0].partitions[0].error_code == 0
        });
    }

    fn committed_twice(&mut self) {
        let find = FindCoordinatorRequest::default()
            .with_key_type(0)
            .with_key(text("first"));
        self.connection.send_as(&find, 2).unwrap();
        self.wait_for_groups();
        for version in [2, 8, 9] {
            for (what, topics) in [
                ("the same twice", &[("t", &[(0, 1, "a"), (0, 2, "b")][..])][..]),
                (
                    "in two topics",
                    &[("t", &[(0, 4, "a")]), ("t", &[(0, 3, "b"), (1, 9, "")])],
                ),
                (
                    "no topic twice",
                    &[("nowhere", &[(0, 1, ""), (0, 1, "")]), ("nowhere", &[(0, 1, "")])],
                ),
                ("no partition twice", &[("t", &[(7, 1, ""), (7, 1, "")])]),
                (
                    "a mix",
                    &[
                        ("t", &[(0, 5, ""), (7, 1, ""), (1, 6, "")]),
                        ("nowhere", &[(0, 1, "")]),
                    ],
                ),
                ("no partitions", &[("t", &[])]),
                ("negative offsets", &[("t", &[(0, -1, ""), (1, -5, "")])]),
            ] {
                let request = self.commit("twice", topics);
                self.ask(&format!("commit {what}"), version, &request);
                self.committed("twice");
            }
        }
    }

    /// What was committed, asked for twice and in pieces.
    fn committed(&mut self, group: &str) {
        let group = GroupId(self.name(group).0);
        let asked = [
            (self.name("t"), vec![0, 0, 7]),
            (self.name("t"), vec![1]),
            (self.name("nowhere"), vec![0, 0]),
        ];
        let old = asked.clone().map(|(name, partitions)| {
            OffsetFetchRequestTopic::default()
                .with_name(name)
                .with_partition_indexes(partitions)
        });
        let request = OffsetFetchRequest::default()
            .with_group_id(group.clone())
            .with_topics(Some(old.to_vec()));
        let answer = self.connection.send_as(&request, 7).unwrap();
        let mut said = String::new();
        for topic in &answer.topics {
            write!(said, " [{}", topic.name.as_str()).unwrap();
            for partition in &topic.partitions {
                let (index, offset) = (partition.partition_index, partition.committed_offset);
                write!(said, " {index}: {offset} {:?}", partition.metadata.as_deref()).unwrap();
            }
            said.push(']');
        }
        self.line(&format!("committed v7:{said}"));
        let new = asked.map(|(name, partitions)| {
            OffsetFetchRequestTopics::default()
                .with_name(name)
                .with_partition_indexes(partitions)
        });
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(group)
            .with_topics(Some(new.to_vec()));
        let request = OffsetFetchRequest::default().with_groups(vec![group.clone(), group]);
        let answer = self.connection.send_as(&request, 8).unwrap();
        let offsets = |group: &OffsetFetchResponseGroup| {
            let topics = group.topics.iter();
            let partitions = topics.flat_map(|topic| &topic.partitions);
            partitions
                .map(|partition| (partition.partition_index, partition.committed_offset))
                .collect::<Vec<_>>()
        };
        let groups: Vec<_> = answer.groups.iter().map(offsets).collect();
        self.line(&format!("committed v8: {groups:?}"));
    }

    /// Java measures a text in units of UTF-16.
    fn measured_texts(&mut self) {
        for version in 2..=9 {
            for (letter, units) in [("a", 1), ("é", 1), ("€", 1), ("😀", 2)] {
                for length in [4096, 4097, 4098] {
                    let metadata = letter.repeat(length / units);
                    let request = self.commit("measured", &[("t", &[(0, 1, &metadata)])]);
                    let answer = self.connection.send_as(&request, version).unwrap();
                    let error = answer.topics[0].partitions[0].error_code;
                    self.line(&format!(
                        "commit v{version} with {letter} to {length}: error {error}"
                    ));
                }
            }
        }
        for letter in ["a", "é", "😀"] {
            for length in [248, 249, 250, 124, 125] {
                let topic = CreatableTopic::default()
                    .with_name(TopicName(text(letter.repeat(length))))
                    .with_num_partitions(0)
                    .with_replication_factor(1);
                let request = CreateTopicsRequest::default()
                    .with_timeout_ms(10_000)
                    .with_topics(vec![topic])
                    .with_validate_only(true);
                self.ask("create a long name", 7, &request);
            }
        }
    }

    fn admin_twice(&mut self) {
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

    fn empty_names(&mut self) {
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

    fn metadata_oddities(&mut self) {
        let named = |name: TopicName| MetadataRequestTopic::default().with_name(Some(name));
        let by_id = |id: Uuid| MetadataRequestTopic::default().with_name(None).with_topic_id(id);
        let id = self.topic_id("t");
        let (none, other) = (Uuid::nil(), Uuid::from_bytes([9; 16]));
        let (t, nowhere) = (self.name("t"), self.name("nowhere"));
        for (what, topics) in [
            (
                "the zero id beside an unknown one",
                vec![by_id(none), by_id(other)],
            ),
            (
                "an unknown id beside the zero id",
                vec![by_id(other), by_id(none)],
            ),
            ("the zero id beside a known one", vec![by_id(none), by_id(id)]),
            (
                "ids twice",
                vec![by_id(id), by_id(other), by_id(id), by_id(other)],
            ),
            ("a name and its id", vec![named(t.clone()), by_id(id)]),
            (
                "a missing name and an id",
                vec![named(nowhere.clone()), by_id(id)],
            ),
            ("a name with an id", vec![named(t.clone()).with_topic_id(id)]),
            (
                "a name with another id",
                vec![named(t.clone()).with_topic_id(other)],
            ),
            (
                "names twice",
                vec![named(t.clone()), named(nowhere.clone()), named(t), named(nowhere)],
            ),
            ("the empty name", vec![named(TopicName(text("")))]),
        ] {
            let request = MetadataRequest::default()
                .with_topics(Some(topics))
                .with_allow_auto_topic_creation(false);
            for version in [12, 13] {
                self.topics_said(what, version, &request);
            }
        }
        for (what, topics) in [
            ("the zero id", vec![by_id(none)]),
            (
                "the zero id beside a name",
                vec![by_id(none), named(self.name("t"))],
            ),
        ] {
            let request = MetadataRequest::default().with_topics(Some(topics));
            self.ask(&format!("metadata of {what}"), 12, &request);
        }
        self.make("a.b");
        for (what, names) in [("a_b beside a.b", vec!["a_b"]), ("a_b twice", vec!["a_b", "a_b"])] {
            let topics = names.iter().map(|name| named(self.name(name)));
            let request = MetadataRequest::default()
                .with_topics(Some(topics.collect()))
                .with_allow_auto_topic_creation(true);
            for version in [1, 12] {
                self.topics_said(&format!("making {what}"), version, &request);
            }
        }
        let long = |length: usize, letter: &str| TopicName(text(letter.repeat(length)));
        for (what, name) in [
            ("250 letters", long(250, "a")),
            ("130 letters of two bytes", long(130, "é")),
            ("..", TopicName(text(".."))),
        ] {
            let request = MetadataRequest::default().with_topics(Some(vec![named(name)]));
            self.topics_said(&format!("making {what}"), 12, &request);
        }
    }

    fn topics_said(&mut self, what: &str, version: i16, request: &MetadataRequest) {
        let answer = self.connection.send_as(request, version).unwrap();
        let mut said: Vec<_> = answer
            .topics
            .iter()
            .map(|topic| {
                let id = match topic.topic_id {
                    id if id.is_nil() => "none".to_owned(),
                    id if id == Uuid::from_bytes([9; 16]) => "other".to_owned(),
                    _ => "ID".to_owned(),
                };
                let name = topic.name.as_ref().map(|name| name.as_str());
                format!(" [error {} name {name:?} id {id}]", topic.error_code)
            })
            .collect();
        said.sort();
        self.line(&format!("metadata v{version} {what}:{}", said.concat()));
    }

    fn session(
        &mut self,
        what: &str,
        version: i16,
        session: (i32, i32),
        request: &FetchRequest,
    ) -> FetchResponse {
        let request = request
            .clone()
            .with_session_id(session.0)
            .with_session_epoch(session.1);
        self.say_fetched(what, version, &request)
    }

    fn forget(&self, name: &str, id: Uuid, partitions: &[i32]) -> ForgottenTopic {
        ForgottenTopic::default()
            .with_topic(self.name(name))
            .with_topic_id(id)
            .with_partitions(partitions.to_vec())
    }

    fn sessions_by_id(&mut self) {
        for version in [13, 17] {
            let old = self.make("gone");
            let kept = self.topic_id("t");
            let mut open = self.fetch_topics(old, &[("gone", &[(0, 0), (1, 0)])]);
            open.topics
                .extend(self.fetch_topics(kept, &[("t", &[(1, 0)])]).topics);
            let idle = self.fetch_topics(old, &[]);
            let id = self.session("opens", version, (0, 0), &open).session_id;
            self.session("nothing new", version, (id, 1), &idle);
            self.remove("gone");
            self.session("deleted", version, (id, 2), &idle);
            self.session("deleted, again", version, (id, 3), &idle);
            let more = self.fetch_topics(old, &[("gone", &[(1, 0), (2, 0)])]);
            self.session("deleted, named again and one added", version, (id, 4), &more);
            let new = self.make("gone");
            self.session("made again", version, (id, 5), &idle);
            self.session("made again, again", version, (id, 6), &idle);
            let added = self.fetch_topics(new, &[("gone", &[(0, 0)])]);
            self.session("the new one is added", version, (id, 7), &added);
            let mut forget = idle.clone();
            forget.forgotten_topics_data = vec![self.forget("gone", old, &[0])];
            self.session("one is forgotten", version, (id, 8), &forget);
            forget.forgotten_topics_data =
                vec![self.forget("gone", old, &[1, 2]), self.forget("gone", kept, &[5])];
            self.session("the old ones are forgotten", version, (id, 9), &forget);
            let unknown = self.fetch_topics(Uuid::from_bytes([9; 16]), &[("x", &[(0, 0)])]);
            self.session("an unknown id is added", version, (id, 10), &unknown);
            self.session("an unknown id, again", version, (id, 11), &idle);
            let zero = self.fetch_topics(Uuid::nil(), &[("x", &[(0, 0)])]);
            self.session("the zero id is added", version, (id, 12), &zero);
            self.session("the zero id, again", version, (id, 13), &idle);
            self.session("out of turn", version, (id, 13), &idle);
            self.session("no session", version, (id.wrapping_add(1), 14), &idle);
            self.session("of another version", 12, (id, 14), &idle);
            self.session("after another version", version, (id, 14), &idle);
            let full = self.fetch_topics(old, &[("gone", &[(0, 0)])]);
            self.session("the old id without a session", version, (0, -1), &full);
            self.session("a session of the old id", version, (0, 0), &full);
            self.session("ends", version, (id, -1), &full);
            self.session("ended", version, (id, 15), &idle);
            self.remove("gone");
        }
    }

    fn sessions_by_name(&mut self) {
        let none = Uuid::nil();
        for version in [7, 12] {
            self.make("gone");
            let open = self.fetch_topics(none, &[("gone", &[(0, 0), (1, 0)]), ("t", &[(1, 0)])]);
            let idle = self.fetch_topics(none, &[]);
            let id = self.session("opens", version, (0, 0), &open).session_id;
            self.session("nothing new", version, (id, 1), &idle);
            self.remove("gone");
            self.session("deleted", version, (id, 2), &idle);
            self.session("deleted, again", version, (id, 3), &idle);
            let more = self.fetch_topics(none, &[("gone", &[(1, 0), (2, 0)])]);
            self.session("deleted, named again and one added", version, (id, 4), &more);
            self.make("gone");
            self.session("made again", version, (id, 5), &idle);
            self.session("made again, again", version, (id, 6), &idle);
            let mut forget = idle.clone();
            forget.forgotten_topics_data =
                vec![self.forget("gone", none, &[0, 9]), self.forget("x", none, &[0])];
            self.session("one is forgotten", version, (id, 7), &forget);
            let mut both = self.fetch_topics(none, &[("gone", &[(1, 0)])]);
            both.forgotten_topics_data = vec![self.forget("gone", none, &[1])];
            self.session("one is named and forgotten", version, (id, 8), &both);
            self.session("out of turn", version, (id, 8), &idle);
            self.session("of another version", 13, (id, 9), &idle);
            self.session("after another version", version, (id, 9), &idle);
            self.session("ends", version, (id, -1), &idle);
            self.remove("gone");
        }
    }

    fn deleted_twice(&mut self) {
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
