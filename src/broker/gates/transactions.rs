//! Gates of idempotent and transactional producers.

use kafka_protocol::ResponseError::{
    self, ClusterAuthorizationFailed as ClusterRefused, GroupAuthorizationFailed as GroupRefused,
    OperationNotAttempted, TopicAuthorizationFailed as TopicRefused,
    TransactionalIdAuthorizationFailed as IdRefused, UnknownTopicOrPartition,
};
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestTopic;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    DescribeTransactionsRequest, EndTxnRequest, EndTxnResponse, InitProducerIdRequest,
    InitProducerIdResponse, ListTransactionsRequest, ProducerId, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};

use super::{Asks, Gated, Passage, passed, passed_then, split};
use crate::broker::access::AclOperation::{Alter, ClusterAction, Describe, IdempotentWrite, Read, Write};
use crate::broker::access::ResourceType;

impl Gated for InitProducerIdRequest {
    /// Without a transactional id, Write on any topic is enough (KIP-679).
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (may, error) = match &self.transactional_id {
            Some(id) => (rights.may_transact(Write, id), IdRefused),
            None => (
                rights.may_cluster(IdempotentWrite) || rights.may_any(Write, ResourceType::Topic),
                ClusterRefused,
            ),
        };
        if may {
            return passed(self);
        }
        let refused = InitProducerIdResponse::default().with_error_code(error.code());
        Passage::Refused(refused.with_producer_id(ProducerId(-1)).with_producer_epoch(-1))
    }
}

impl Gated for AddPartitionsToTxnRequest {
    /// From version 4 on this is for brokers. Before, all partitions are added or none.
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        if asks.context.version >= 4 {
            if rights.may_cluster(ClusterAction) {
                return passed(self);
            }
            let response = AddPartitionsToTxnResponse::default();
            return Passage::Refused(response.with_error_code(ClusterRefused.code()));
        }
        let topics = &self.v3_and_below_topics;
        if !rights.may_transact(Write, &self.v3_and_below_transactional_id) {
            return Passage::Refused(not_added(topics, |_, _| IdRefused));
        }
        if topics.iter().all(|topic| rights.may_topic(Write, &topic.name)) {
            return passed(self);
        }
        Passage::Refused(not_added(topics, |topic, partition| {
            if !rights.may_topic(Write, topic) {
                TopicRefused
            } else if asks.image.partition(topic, partition).is_none() {
                UnknownTopicOrPartition
            } else {
                OperationNotAttempted
            }
        }))
    }
}

fn not_added(
    topics: &[AddPartitionsToTxnTopic],
    error: impl Fn(&str, i32) -> ResponseError,
) -> AddPartitionsToTxnResponse {
    let results = topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|index| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*index)
                .with_partition_error_code(error(&topic.name, *index).code())
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(partitions.collect())
    });
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results.collect())
}

impl Gated for AddOffsetsToTxnRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let error = if !rights.may_transact(Write, &self.transactional_id) {
            IdRefused
        } else if !rights.may_group(Read, &self.group_id) {
            GroupRefused
        } else {
            return passed(self);
        };
        Passage::Refused(AddOffsetsToTxnResponse::default().with_error_code(error.code()))
    }
}

impl Gated for EndTxnRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        if asks.rights().may_transact(Write, &self.transactional_id) {
            return passed(self);
        }
        Passage::Refused(EndTxnResponse::default().with_error_code(IdRefused.code()))
    }
}

impl Gated for TxnOffsetCommitRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let topics = std::mem::take(&mut self.topics);
        let error = if !rights.may_transact(Write, &self.transactional_id) {
            IdRefused
        } else if !rights.may_group(Read, &self.group_id) {
            GroupRefused
        } else {
            let (allowed, refused) = split(topics, |topic| rights.may_topic(Read, &topic.name));
            self.topics = allowed;
            return passed_then(self, move |answer| {
                let refused = refused.into_iter();
                answer
                    .topics
                    .extend(refused.map(|topic| not_committed(topic, TopicRefused)));
            });
        };
        let topics = topics.into_iter().map(|topic| not_committed(topic, error));
        Passage::Refused(TxnOffsetCommitResponse::default().with_topics(topics.collect()))
    }
}

fn not_committed(topic: TxnOffsetCommitRequestTopic, error: ResponseError) -> TxnOffsetCommitResponseTopic {
    let partitions = topic.partitions.into_iter().map(|partition| {
        TxnOffsetCommitResponsePartition::default()
            .with_partition_index(partition.partition_index)
            .with_error_code(error.code())
    });
    TxnOffsetCommitResponseTopic::default()
        .with_name(topic.name)
        .with_partitions(partitions.collect())
}

impl Gated for WriteTxnMarkersRequest {
    /// For brokers, and for administrators who end a hanging transaction (KIP-664).
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        if rights.may_cluster(Alter) || rights.may_cluster(ClusterAction) {
            return passed(self);
        }
        let markers = self.markers.into_iter().map(|marker| {
            let topics = marker.topics.into_iter().map(|topic| {
                let partitions = topic.partition_indexes.into_iter().map(|index| {
                    WritableTxnMarkerPartitionResult::default()
                        .with_partition_index(index)
                        .with_error_code(ClusterRefused.code())
                });
                WritableTxnMarkerTopicResult::default()
                    .with_name(topic.name)
                    .with_partitions(partitions.collect())
            });
            WritableTxnMarkerResult::default()
                .with_producer_id(marker.producer_id)
                .with_topics(topics.collect())
        });
        Passage::Refused(WriteTxnMarkersResponse::default().with_markers(markers.collect()))
    }
}

impl Gated for DescribeTransactionsRequest {
    /// Partitions of topics that the client may not describe are left out.
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.transactional_ids), |id| {
            rights.may_transact(Describe, id)
        });
        let later = asks.later();
        self.transactional_ids = allowed;
        passed_then(self, move |answer| {
            let rights = later.rights();
            for transaction in &mut answer.transaction_states {
                transaction
                    .topics
                    .retain(|topic| rights.may_topic(Describe, &topic.topic));
            }
            answer.transaction_states.extend(refused.into_iter().map(|id| {
                let state = TransactionState::default().with_transactional_id(id);
                state.with_error_code(IdRefused.code())
            }));
        })
    }
}

impl Gated for ListTransactionsRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let later = asks.later();
        passed_then(self, move |answer| {
            let rights = later.rights();
            let states = &mut answer.transaction_states;
            states.retain(|state| rights.may_transact(Describe, &state.transactional_id));
        })
    }
}
