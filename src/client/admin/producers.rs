//! The producers that the replicas of a partition know, and the marker that ends a transaction unknown to its
//! coordinator: `DescribeProducers` (v0), `WriteTxnMarkers` (v1).
//!
//! <https://cwiki.apache.org/confluence/display/KAFKA/KIP-664%3A+Provide+tooling+to+detect+and+abort+hanging+transactions>

use std::collections::BTreeMap;

use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{DescribeProducersRequest, ProducerId, WriteTxnMarkersRequest};

use super::grouped::{ByTopic, by_broker};
use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// One producer of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerState {
    pub producer_id: i64,
    /// 32 bits, unlike in other messages of the protocol.
    pub producer_epoch: i32,
    /// Of its last record here; -1 after a marker.
    pub last_sequence: i32,
    /// Of its last batch here, in milliseconds since 1970.
    pub last_timestamp: i64,
    /// Of the coordinator that wrote the last marker; `None` before the first.
    pub coordinator_epoch: Option<i32>,
    /// The first offset of its open transaction.
    pub transaction_start: Option<Offset>,
}

/// The producers of each requested partition; a partition whose broker is absent is left out.
pub type Producers = BTreeMap<TopicPartition, Result<Vec<ProducerState>, ApiError>>;

/// An open transaction of one partition, named by its producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTransaction {
    pub partition: TopicPartition,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// No marker of an older coordinator is accepted after one of this epoch.
    pub coordinator_epoch: i32,
}

impl AdminClient {
    /// The producers of each partition, as the given broker knows them.
    pub fn describe_producers(&mut self, partitions: &[(TopicPartition, BrokerId)]) -> Result<Producers> {
        let partitions = partitions.iter();
        let by_broker =
            by_broker(partitions.map(|(partition, broker)| (*broker, partition, partition.partition)));
        let request = |topics: ByTopic<'_, i32>| {
            let topics = topics.into_iter().map(|(topic, partitions)| {
                TopicRequest::default()
                    .with_name(topic_name(topic))
                    .with_partition_indexes(partitions)
            });
            DescribeProducersRequest::default().with_topics(topics.collect())
        };
        let requests = by_broker
            .into_iter()
            .map(|(broker, topics)| (broker, request(topics)));
        let mut producers = Producers::new();
        for answer in self.send_to_each(requests.collect())?.into_values() {
            for topic in answer?.topics {
                for partition in topic.partitions {
                    let name = TopicPartition::new(topic.name.as_str(), partition.partition_index);
                    let outcome = ApiError::check(partition.error_code, partition.error_message.as_deref());
                    let active = partition.active_producers.into_iter();
                    let active = active.map(|producer| ProducerState {
                        producer_id: producer.producer_id.0,
                        producer_epoch: producer.producer_epoch,
                        last_sequence: producer.last_sequence,
                        last_timestamp: producer.last_timestamp,
                        coordinator_epoch: Some(producer.coordinator_epoch).filter(|epoch| *epoch >= 0),
                        transaction_start: Some(producer.current_txn_start_offset)
                            .filter(|offset| *offset >= 0),
                    });
                    producers.insert(name, outcome.map(|()| active.collect()));
                }
            }
        }
        Ok(producers)
    }

    /// Writes an abort marker for one transaction into one partition, without the coordinator.
    pub fn write_abort_marker(
        &mut self,
        transaction: &OpenTransaction,
        leader: BrokerId,
    ) -> Result<Result<(), ApiError>> {
        let partition = &transaction.partition;
        let topic = WritableTxnMarkerTopic::default()
            .with_name(topic_name(&partition.topic))
            .with_partition_indexes(vec![partition.partition]);
        let marker = WritableTxnMarker::default()
            .with_producer_id(ProducerId(transaction.producer_id))
            .with_producer_epoch(transaction.producer_epoch)
            .with_coordinator_epoch(transaction.coordinator_epoch)
            .with_transaction_result(false)
            .with_topics(vec![topic]);
        let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
        let answer = self.send_to(leader, request)?;
        let topics = answer.markers.into_iter().flat_map(|marker| marker.topics);
        let result = topics.flat_map(|topic| topic.partitions).next();
        // An answer without the partition is an unknown error.
        let code = result.map_or(-1, |result| result.error_code);
        Ok(ApiError::check(code, None::<String>))
    }
}
