//! A transactional producer's requests to coordinators: its producer id, the partitions and offsets of the transaction,
//! and its end (KIP-98). Records are sent elsewhere.
//!
//! <https://kafka.apache.org/protocol#The_Messages_EndTxn>

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest, ProducerId,
    TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::answers::coordinator_moves;
use super::grouped::by_topic;
use super::groups::{CommittedOffset, group_id};
use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::client::record_sink::TransactionalProducer;
use crate::error::Result;
use crate::topic_partition::TopicPartition;
use crate::wire::error_codes::CONCURRENT_TRANSACTIONS;

/// The pause before a coordinator is asked again: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

impl AdminClient {
    /// Begins to produce under a transactional id: an open transaction of an earlier producer is aborted, and that
    /// producer is fenced. The coordinator aborts a transaction that is open for longer than `timeout`.
    pub fn init_transactions(&mut self, id: &str, timeout: Duration) -> Result<TransactionalProducer> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(transactional_id(id)))
            .with_transaction_timeout_ms(i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX))
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let answer = self.until_settled(|admin| {
            let answer = admin.send_to_transaction_coordinator(id, request.clone())?;
            Ok((answer.error_code, answer))
        })?;
        ApiError::check(answer.error_code, None::<String>)?;
        Ok(TransactionalProducer {
            transactional_id: id.to_owned(),
            id: answer.producer_id.0,
            epoch: answer.producer_epoch,
        })
    }

    /// Adds a partition to the transaction, before the first record for it is sent; the first partition begins the
    /// transaction.
    pub fn add_to_transaction(
        &mut self,
        producer: &TransactionalProducer,
        partition: &TopicPartition,
    ) -> Result<()> {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(topic_name(&partition.topic))
            .with_partitions(vec![partition.partition]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(transactional_id(&producer.transactional_id))
            .with_v3_and_below_producer_id(ProducerId(producer.id))
            .with_v3_and_below_producer_epoch(producer.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let code = self.until_settled(|admin| {
            let answer =
                admin.send_to_transaction_coordinator(&producer.transactional_id, request.clone())?;
            let results = answer.results_by_topic_v3_and_below.iter();
            let mut codes = results.flat_map(|topic| &topic.results_by_partition);
            let code = codes.next().map_or(0, |result| result.partition_error_code);
            Ok((code, code))
        })?;
        Ok(ApiError::check(code, None::<String>)?)
    }

    /// Commits offsets for a group as part of the transaction: they take effect only if it is committed.
    pub fn send_offsets_to_transaction(
        &mut self,
        producer: &TransactionalProducer,
        group: &str,
        offsets: &BTreeMap<TopicPartition, CommittedOffset>,
    ) -> Result<()> {
        let id = transactional_id(&producer.transactional_id);
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(id.clone())
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_group_id(group_id(group));
        let code = self.until_settled(|admin| {
            let answer =
                admin.send_to_transaction_coordinator(&producer.transactional_id, request.clone())?;
            Ok((answer.error_code, answer.error_code))
        })?;
        ApiError::check(code, None::<String>)?;
        let topics = by_topic(offsets.iter().map(|(partition, committed)| {
            let wanted = TxnOffsetCommitRequestPartition::default()
                .with_partition_index(partition.partition)
                .with_committed_offset(committed.offset)
                .with_committed_leader_epoch(committed.leader_epoch)
                .with_committed_metadata(Some(StrBytes::from_string(committed.metadata.clone())));
            (partition, wanted)
        }));
        let topics = topics.into_iter().map(|(topic, partitions)| {
            TxnOffsetCommitRequestTopic::default()
                .with_name(topic_name(topic))
                .with_partitions(partitions)
        });
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(id)
            .with_group_id(group_id(group))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_topics(topics.collect());
        let code = self.until_settled(|admin| {
            let answer = admin.send_to_coordinator(group, request.clone())?;
            let mut partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
            let refused = partitions.find(|partition| partition.error_code != 0);
            let code = refused.map_or(0, |partition| partition.error_code);
            Ok((code, code))
        })?;
        Ok(ApiError::check(code, None::<String>)?)
    }

    /// Commits the transaction, or aborts it.
    pub fn end_transaction(&mut self, producer: &TransactionalProducer, is_committed: bool) -> Result<()> {
        let request = EndTxnRequest::default()
            .with_transactional_id(transactional_id(&producer.transactional_id))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_committed(is_committed);
        let code = self.until_settled(|admin| {
            let answer =
                admin.send_to_transaction_coordinator(&producer.transactional_id, request.clone())?;
            Ok((answer.error_code, answer.error_code))
        })?;
        Ok(ApiError::check(code, None::<String>)?)
    }

    /// Asks again while the coordinator is busy with the end of the previous transaction, or has just moved.
    fn until_settled<T>(&mut self, mut ask: impl FnMut(&mut Self) -> Result<(i16, T)>) -> Result<T> {
        let end = Instant::now() + self.time_left();
        let mut pause = FIRST_PAUSE;
        loop {
            let (code, answer) = ask(self)?;
            let is_passing = code == CONCURRENT_TRANSACTIONS || coordinator_moves(code);
            if !is_passing || Instant::now() + pause >= end {
                return Ok(answer);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn transactional_id(id: &str) -> TransactionalId {
    TransactionalId(StrBytes::from_string(id.to_owned()))
}
