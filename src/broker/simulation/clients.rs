//! Clients of the simulated cluster. Each has at most one request under way, and remembers what it was told.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    GroupId, OffsetCommitRequest, OffsetFetchRequest, ProduceRequest, TopicName, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;

use super::consumer_group_member::ConsumerGroupMember;
use super::served::{Question, Target, read};
use super::share_member::ShareMember;
use super::transactional_client::TransactionalClient;
use crate::broker::clock::now_ms;
use crate::broker::internal_topics::CONSUMER_OFFSETS;
use crate::reassignment::random::Random;
use crate::records::BatchBuilder;
use crate::records::batch_builder::BatchOptions;
use crate::topic_partition::Offset;

/// The topic that clients write to.
pub(super) const TOPIC: &str = "t";
/// Its partitions.
pub(super) const PARTITIONS: i32 = 2;
/// The partition that coordinates every group.
pub(super) const COORDINATOR: Target = Target {
    topic: CONSUMER_OFFSETS.name,
    index: 0,
};

/// One client.
pub(super) enum Client {
    Sender(Sender),
    Committer(Committer),
    Transactional(TransactionalClient),
    Consumer(Box<ConsumerGroupMember>),
    Share(Box<ShareMember>),
}

impl Client {
    /// Its next request. With `is_closing` it begins nothing new; `None` once it is done.
    pub(super) fn ask(&mut self, random: &mut Random, is_closing: bool) -> Option<Question> {
        match self {
            Self::Sender(client) => (!is_closing).then(|| client.ask(random)),
            Self::Committer(client) => (!is_closing || client.has_to_look).then(|| client.ask(random)),
            Self::Transactional(client) => client.ask(random, is_closing),
            Self::Consumer(client) => client.ask(random, is_closing),
            Self::Share(client) => client.ask(random, is_closing),
        }
    }

    /// Handles the answer, or `None` if the connection was lost. Returns a line for the story.
    pub(super) fn hear(&mut self, answer: Option<Bytes>) -> String {
        match self {
            Self::Sender(client) => client.hear(answer),
            Self::Committer(client) => client.hear(answer),
            Self::Transactional(client) => client.hear(answer),
            Self::Consumer(client) => client.hear(answer),
            Self::Share(client) => client.hear(answer),
        }
    }
}

pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

pub(super) fn group_id(name: &str) -> GroupId {
    GroupId(StrBytes::from_string(name.to_owned()))
}

/// The error of an answer's code.
pub(super) fn error(code: i16) -> Option<ResponseError> {
    ResponseError::try_from_code(code)
}

/// A request with one record for one partition.
pub(super) fn produce(id: Option<&str>, index: i32, value: &str, options: BatchOptions) -> ProduceRequest {
    let mut builder = BatchBuilder::new(options);
    builder.append(now_ms(), None, Some(value.as_bytes()), &[]);
    let data = PartitionProduceData::default()
        .with_index(index)
        .with_records(Some(Bytes::from(builder.finish_uncompressed())));
    let topic = TopicProduceData::default()
        .with_name(topic_name(TOPIC))
        .with_partition_data(vec![data]);
    ProduceRequest::default()
        .with_transactional_id(id.map(|id| TransactionalId(StrBytes::from_string(id.to_owned()))))
        .with_acks(-1)
        .with_timeout_ms(i32::MAX)
        .with_topic_data(vec![topic])
}

/// The error and the offset in the answer to [`produce`].
pub(super) fn produced(answer: Bytes, version: i16) -> Result<Offset, ResponseError> {
    let mut response = read::<ProduceRequest>(answer, version);
    let partition = response.responses.remove(0).partition_responses.remove(0);
    match error(partition.error_code) {
        None => Ok(partition.base_offset),
        Some(error) => Err(error),
    }
}

/// Sends records with acks=all, each once.
#[derive(Debug, Default)]
pub(super) struct Sender {
    sent: usize,
    under_way: (i32, String),
    /// Partition, offset and value of acknowledged records.
    pub(super) acknowledged: Vec<(i32, Offset, String)>,
}

impl Sender {
    const VERSION: i16 = 12;

    fn ask(&mut self, random: &mut Random) -> Question {
        self.sent += 1;
        let index = i32::try_from(random.below(PARTITIONS as usize)).unwrap();
        self.under_way = (index, format!("plain/{}", self.sent));
        let request = produce(None, index, &self.under_way.1, BatchOptions::default());
        let target = Target { topic: TOPIC, index };
        Question::new(&request, Self::VERSION, target)
    }

    fn hear(&mut self, answer: Option<Bytes>) -> String {
        let (index, value) = self.under_way.clone();
        match answer.map(|answer| produced(answer, Self::VERSION)) {
            Some(Ok(offset)) => {
                self.acknowledged.push((index, offset, value.clone()));
                format!("{value} is at {offset} of {index}")
            }
            other => format!("{value} in {index}: {other:?}"),
        }
    }
}

/// Commits increasing offsets of a group, and reads the committed one.
#[derive(Debug, Default)]
pub(super) struct Committer {
    attempted: Offset,
    /// The largest offset that was acknowledged, or seen.
    floor: Offset,
    looks: bool,
    has_to_look: bool,
}

impl Committer {
    const GROUP: &'static str = "plain";
    const COMMIT_VERSION: i16 = 8;
    const FETCH_VERSION: i16 = 7;

    fn ask(&mut self, random: &mut Random) -> Question {
        self.looks = self.has_to_look || random.below(2) == 0;
        if self.looks {
            return fetch_offset(Self::GROUP, Self::FETCH_VERSION);
        }
        self.attempted += 1;
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(0)
            .with_committed_offset(self.attempted);
        let topic = OffsetCommitRequestTopic::default()
            .with_name(topic_name(TOPIC))
            .with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(group_id(Self::GROUP))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        Question::new(&request, Self::COMMIT_VERSION, COORDINATOR)
    }

    fn hear(&mut self, answer: Option<Bytes>) -> String {
        let Some(answer) = answer else {
            return "a commit or a look at it is not answered".to_owned();
        };
        if self.looks {
            return self.look(answer);
        }
        let mut response = read::<OffsetCommitRequest>(answer, Self::COMMIT_VERSION);
        let code = response.topics.remove(0).partitions.remove(0).error_code;
        if code == 0 {
            self.floor = self.attempted;
        }
        format!("commit of {}: {:?}", self.attempted, error(code))
    }

    fn look(&mut self, answer: Bytes) -> String {
        let found = fetched_offset(answer, Self::FETCH_VERSION);
        if let Ok(offset) = found {
            let offset = offset.max(0);
            assert!(
                (self.floor..=self.attempted).contains(&offset),
                "offset {offset} is committed, after {} was; {} was the last attempt",
                self.floor,
                self.attempted
            );
            self.floor = offset;
            self.has_to_look = false;
        }
        format!("committed is {found:?}")
    }

    /// Makes it read once more before it is done.
    pub(super) fn look_again(&mut self) {
        self.has_to_look = true;
    }
}

/// Fetches the committed offset of partition 0; a pending one is an error.
pub(super) fn fetch_offset(group: &str, version: i16) -> Question {
    let topic = OffsetFetchRequestTopic::default()
        .with_name(topic_name(TOPIC))
        .with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default()
        .with_group_id(group_id(group))
        .with_topics(Some(vec![topic]))
        .with_require_stable(true);
    Question::new(&request, version, COORDINATOR)
}

/// The offset in the answer to [`fetch_offset`]; -1 if none is committed.
pub(super) fn fetched_offset(answer: Bytes, version: i16) -> Result<Offset, ResponseError> {
    let mut response = read::<OffsetFetchRequest>(answer, version);
    if let Some(error) = error(response.error_code) {
        return Err(error);
    }
    let partition = response.topics.remove(0).partitions.remove(0);
    match error(partition.error_code) {
        None => Ok(partition.committed_offset),
        Some(error) => Err(error),
    }
}
