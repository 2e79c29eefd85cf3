//! The requests of members of consumer groups (KIP-848) and share groups (KIP-932).

use std::collections::BTreeSet;

use kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::share_acknowledge_request::{
    AcknowledgePartition, AcknowledgeTopic, AcknowledgementBatch,
};
use kafka_protocol::messages::share_fetch_request::{self, FetchPartition, FetchTopic};
use kafka_protocol::messages::{
    ConsumerGroupHeartbeatRequest, OffsetCommitRequest, OffsetFetchRequest, ShareAcknowledgeRequest,
    ShareFetchRequest, ShareGroupHeartbeatRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::cast::{PATIENCE_MS, topic_id, topic_named};
use super::clients::{COORDINATOR, TOPIC, group_id, topic_name};
use super::consumer_group_member::Partition;
use super::served::{Question, Target};
use super::share_ledger::Place;
use crate::broker::share::acknowledge_type::AcknowledgeType;
use crate::topic_partition::Offset;

pub(super) const CONSUMER_GROUP: &str = "consumers";
pub(super) const SHARE_GROUP: &str = "sharers";
pub(super) const CONSUMER_HEARTBEAT_VERSION: i16 = 1;
pub(super) const COMMIT_VERSION: i16 = 9;
pub(super) const FETCH_VERSION: i16 = 9;
/// The version of every API of share groups.
pub(super) const SHARE_VERSION: i16 = 1;

fn name(id: &str) -> StrBytes {
    StrBytes::from_string(id.to_owned())
}

/// A heartbeat of a consumer group member; `None` for "unchanged".
pub(super) struct ConsumerHeartbeat<'a> {
    pub(super) member: String,
    pub(super) epoch: i32,
    pub(super) topics: Option<&'a [&'static str]>,
    pub(super) owned: Option<&'a BTreeSet<Partition>>,
}

pub(super) fn consumer_heartbeat(says: &ConsumerHeartbeat<'_>) -> Question {
    let names = |topics: &[&str]| topics.iter().map(|topic| topic_name(topic)).collect();
    let patience_ms = says.topics.map(|_| i32::try_from(PATIENCE_MS).unwrap());
    let owned = says.owned.map(|owned| {
        let topics = owned.iter().map(|(topic, index)| {
            TopicPartitions::default()
                .with_topic_id(*topic)
                .with_partitions(vec![*index])
        });
        topics.collect()
    });
    let request = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(group_id(CONSUMER_GROUP))
        .with_member_id(name(&says.member))
        .with_member_epoch(says.epoch)
        .with_rebalance_timeout_ms(patience_ms.unwrap_or(-1))
        .with_subscribed_topic_names(says.topics.map(names))
        .with_topic_partitions(owned);
    Question::new(&request, CONSUMER_HEARTBEAT_VERSION, COORDINATOR)
}

pub(super) fn commit(member: &str, epoch: i32, partition: Partition, offset: Offset) -> Question {
    let at = OffsetCommitRequestPartition::default()
        .with_partition_index(partition.1)
        .with_committed_offset(offset);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_name(topic_named(partition.0)))
        .with_partitions(vec![at]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group_id(CONSUMER_GROUP))
        .with_member_id(name(member))
        .with_generation_id_or_member_epoch(epoch)
        .with_topics(vec![topic]);
    Question::new(&request, COMMIT_VERSION, COORDINATOR)
}

/// Fetches a committed offset.
pub(super) fn look(member: &str, epoch: i32, partition: Partition) -> Question {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(topic_name(topic_named(partition.0)))
        .with_partition_indexes(vec![partition.1]);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(group_id(CONSUMER_GROUP))
        .with_member_id(Some(name(member)))
        .with_member_epoch(epoch)
        .with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default()
        .with_groups(vec![group])
        .with_require_stable(true);
    Question::new(&request, FETCH_VERSION, COORDINATOR)
}

/// An acknowledgement of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) place: Place,
    pub(super) count: i16,
    pub(super) what: AcknowledgeType,
}

impl Said {
    /// Whether the record must not be delivered again.
    pub(super) fn ends_it(&self) -> bool {
        !matches!(self.what, AcknowledgeType::Release)
    }

    fn number(&self) -> i8 {
        match self.what {
            AcknowledgeType::Gap => 0,
            AcknowledgeType::Accept => 1,
            AcknowledgeType::Release => 2,
            AcknowledgeType::Reject => 3,
            AcknowledgeType::Renew => 4,
        }
    }
}

/// A heartbeat of a share group member; `joins`: with its subscription.
pub(super) fn share_heartbeat(member: &str, epoch: i32, joins: bool) -> Question {
    let request = ShareGroupHeartbeatRequest::default()
        .with_group_id(group_id(SHARE_GROUP))
        .with_member_id(name(member))
        .with_member_epoch(epoch)
        .with_subscribed_topic_names(joins.then(|| vec![topic_name(TOPIC)]));
    Question::new(&request, SHARE_VERSION, COORDINATOR)
}

/// A request to the leader of a partition.
pub(super) struct Asking<'a> {
    pub(super) member: String,
    pub(super) index: i32,
    /// The epoch of its share session.
    pub(super) epoch: i32,
    /// Its acknowledgements.
    pub(super) said: &'a [Said],
}

pub(super) fn fetch(asking: &Asking<'_>, max_records: i32, max_wait_ms: i32) -> Question {
    let batches = asking.said.iter().map(|said| {
        share_fetch_request::AcknowledgementBatch::default()
            .with_first_offset(said.place.1)
            .with_last_offset(said.place.1)
            .with_acknowledge_types(vec![said.number()])
    });
    let partition = FetchPartition::default()
        .with_partition_index(asking.index)
        .with_acknowledgement_batches(batches.collect());
    let topic = FetchTopic::default()
        .with_topic_id(topic_id(TOPIC))
        .with_partitions(vec![partition]);
    let request = ShareFetchRequest::default()
        .with_group_id(Some(group_id(SHARE_GROUP)))
        .with_member_id(Some(name(&asking.member)))
        .with_share_session_epoch(asking.epoch)
        .with_max_wait_ms(max_wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_max_records(max_records)
        .with_batch_size(max_records)
        .with_topics(vec![topic]);
    Question::new(&request, SHARE_VERSION, target(asking.index))
}

pub(super) fn acknowledge(asking: &Asking<'_>) -> Question {
    let batches = asking.said.iter().map(|said| {
        AcknowledgementBatch::default()
            .with_first_offset(said.place.1)
            .with_last_offset(said.place.1)
            .with_acknowledge_types(vec![said.number()])
    });
    let partition = AcknowledgePartition::default()
        .with_partition_index(asking.index)
        .with_acknowledgement_batches(batches.collect());
    let topic = AcknowledgeTopic::default()
        .with_topic_id(topic_id(TOPIC))
        .with_partitions(vec![partition]);
    let request = ShareAcknowledgeRequest::default()
        .with_group_id(Some(group_id(SHARE_GROUP)))
        .with_member_id(Some(name(&asking.member)))
        .with_share_session_epoch(asking.epoch)
        .with_topics(vec![topic]);
    Question::new(&request, SHARE_VERSION, target(asking.index))
}

fn target(index: i32) -> Target {
    Target { topic: TOPIC, index }
}
