//! Gates of partitions: offsets, epochs, producers, and deleting records.

use kafka_protocol::ResponseError::TopicAuthorizationFailed as Refused;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::describe_producers_response::{PartitionResponse, TopicResponse};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{
    DeleteRecordsRequest, DescribeProducersRequest, ListOffsetsRequest, OffsetForLeaderEpochRequest,
};

use super::{Asks, Gated, Passage, passed, passed_then, split, words};
use crate::broker::access::AclOperation::{ClusterAction, Delete, Describe, Read};

impl Gated for ListOffsetsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Describe, &topic.name)
        });
        self.topics = allowed;
        passed_then(self, move |answer| {
            answer.topics.extend(refused.into_iter().map(|topic| {
                let partitions = topic.partitions.into_iter().map(|partition| {
                    ListOffsetsPartitionResponse::default()
                        .with_partition_index(partition.partition_index)
                        .with_error_code(Refused.code())
                });
                ListOffsetsTopicResponse::default()
                    .with_name(topic.name)
                    .with_partitions(partitions.collect())
            }));
        })
    }
}

impl Gated for OffsetForLeaderEpochRequest {
    /// Brokers were the first clients of this API; with `ClusterAction` all topics are allowed (KIP-320).
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        if rights.may_cluster(ClusterAction) {
            return passed(self);
        }
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Describe, &topic.topic)
        });
        self.topics = allowed;
        passed_then(self, move |answer| {
            answer.topics.extend(refused.into_iter().map(|topic| {
                let partitions = topic.partitions.into_iter().map(|partition| {
                    EpochEndOffset::default()
                        .with_partition(partition.partition)
                        .with_error_code(Refused.code())
                });
                OffsetForLeaderTopicResult::default()
                    .with_topic(topic.topic)
                    .with_partitions(partitions.collect())
            }));
        })
    }
}

impl Gated for DeleteRecordsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Delete, &topic.name)
        });
        self.topics = allowed;
        passed_then(self, move |answer| {
            answer.topics.extend(refused.into_iter().map(|topic| {
                let partitions = topic.partitions.into_iter().map(|partition| {
                    DeleteRecordsPartitionResult::default()
                        .with_partition_index(partition.partition_index)
                        .with_low_watermark(-1)
                        .with_error_code(Refused.code())
                });
                DeleteRecordsTopicResult::default()
                    .with_name(topic.name)
                    .with_partitions(partitions.collect())
            }));
        })
    }
}

impl Gated for DescribeProducersRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Read, &topic.name)
        });
        self.topics = allowed;
        passed_then(self, move |answer| {
            answer.topics.extend(refused.into_iter().map(|topic| {
                let partitions = topic.partition_indexes.into_iter().map(|index| {
                    PartitionResponse::default()
                        .with_partition_index(index)
                        .with_error_code(Refused.code())
                        .with_error_message(words(Refused))
                });
                TopicResponse::default()
                    .with_name(topic.name)
                    .with_partitions(partitions.collect())
            }));
        })
    }
}
