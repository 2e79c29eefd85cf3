//! What was said to requests that name a thing twice, or none, or one that is gone; and where a text is measured.

use std::fmt::Write;

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteTopicsRequest, FindCoordinatorRequest, GroupId, ListOffsetsRequest,
    MetadataRequest, OffsetCommitRequest, OffsetFetchRequest, ProduceRequest, ProduceResponse, TopicName,
};
use kafkit::records::Codec;
use uuid::Uuid;

use super::conversation::{Conversation, batch, text};
use crate::support::wait::wait_until;

/// A topic and what is wanted of its partitions.
pub(super) type Named<'a, Wanted> = (&'a str, &'a [Wanted]);

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

    pub(super) fn make(&mut self, name: &str) -> Uuid {
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

    pub(super) fn remove(&mut self, name: &str) {
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

    pub(super) fn topic_id(&mut self, name: &str) -> Uuid {
        let topic = MetadataRequestTopic::default().with_name(Some(self.name(name)));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(false);
        self.connection.send_as(&request, 12).unwrap().topics[0].topic_id
    }

    pub(super) fn commit(&self, group: &str, topics: &[Named<'_, (i32, i64, &str)>]) -> OffsetCommitRequest {
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
}
