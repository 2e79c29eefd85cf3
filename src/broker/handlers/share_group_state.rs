//! The share coordinator's APIs, which only brokers and tools use: `InitializeShareGroupState` (version 0),
//! `ReadShareGroupState` (0), `WriteShareGroupState` (0–1), `DeleteShareGroupState` (0) and `ReadShareGroupStateSummary`
//! (0–1), for the state of one partition in one group (KIP-932).
//!
//! - v1 of write and summary has the number of processed records (KIP-1226).
//! - An empty group, or a request without topics, gets an empty answer.
//!
//! <https://kafka.apache.org/protocol#The_Messages_WriteShareGroupState>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::initialize_share_group_state_response as initialized;
use kafka_protocol::messages::read_share_group_state_response as read;
use kafka_protocol::messages::read_share_group_state_summary_response as summarized;
use kafka_protocol::messages::write_share_group_state_request::StateBatch as WrittenBatch;
use kafka_protocol::messages::write_share_group_state_response as written;
use kafka_protocol::messages::{
    DeleteShareGroupStateRequest, DeleteShareGroupStateResponse, InitializeShareGroupStateRequest,
    InitializeShareGroupStateResponse, ReadShareGroupStateRequest, ReadShareGroupStateResponse,
    ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse, WriteShareGroupStateRequest,
    WriteShareGroupStateResponse, delete_share_group_state_response as deleted,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::share::coordinator::StateWrite;
use crate::broker::coordinator::share::record_state::{RecordState, StateBatch};
use crate::broker::coordinator::share::{Refused, StateKey};
use crate::broker::newer_versions::NewerFields;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

fn key(group: &StrBytes, topic: Uuid, partition: i32) -> StateKey {
    StateKey {
        group: group.to_string(),
        topic,
        partition,
    }
}

/// The error code and the message of an outcome.
fn words<T>(outcome: &Result<T, Refused>) -> (i16, Option<StrBytes>) {
    match outcome {
        Ok(_) => (0, None),
        Err((error, message)) => (error.code(), (!message.is_empty()).then(|| text(message.clone()))),
    }
}

pub fn initialize(
    node: &Arc<Node>,
    _: &RequestContext,
    request: InitializeShareGroupStateRequest,
) -> InitializeShareGroupStateResponse {
    let group = &request.group_id;
    let topics = request.topics.iter().filter(|_| !group.is_empty()).map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let key = key(group, topic.topic_id, partition.partition);
            let states = node.share.states();
            let outcome = states.initialize(&key, partition.state_epoch, partition.start_offset, steady_ms());
            let (code, message) = words(&outcome);
            initialized::PartitionResult::default()
                .with_partition(partition.partition)
                .with_error_code(code)
                .with_error_message(message)
        });
        initialized::InitializeStateResult::default()
            .with_topic_id(topic.topic_id)
            .with_partitions(partitions.collect())
    });
    InitializeShareGroupStateResponse::default().with_results(topics.collect())
}

pub fn read(
    node: &Arc<Node>,
    _: &RequestContext,
    request: ReadShareGroupStateRequest,
) -> ReadShareGroupStateResponse {
    let group = &request.group_id;
    let topics = request.topics.iter().filter(|_| !group.is_empty()).map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let key = key(group, topic.topic_id, partition.partition);
            let outcome = node
                .share
                .states()
                .read(&key, partition.leader_epoch, steady_ms());
            let (code, message) = words(&outcome);
            let result = read::PartitionResult::default()
                .with_partition(partition.partition)
                .with_error_code(code)
                .with_error_message(message);
            let Ok(state) = outcome else { return result };
            let batches = state.batches().into_iter().map(|batch| {
                read::StateBatch::default()
                    .with_first_offset(batch.first)
                    .with_last_offset(batch.last)
                    .with_delivery_state(batch.state.number())
                    .with_delivery_count(batch.delivery_count)
            });
            result
                .with_state_epoch(state.state_epoch)
                .with_start_offset(state.start_offset)
                .with_state_batches(batches.collect())
        });
        read::ReadStateResult::default()
            .with_topic_id(topic.topic_id)
            .with_partitions(partitions.collect())
    });
    ReadShareGroupStateResponse::default().with_results(topics.collect())
}

pub fn write(
    node: &Arc<Node>,
    context: &RequestContext,
    request: WriteShareGroupStateRequest,
) -> WriteShareGroupStateResponse {
    let group = &request.group_id;
    let mut newer = NewerFields::new(&context.newer_fields);
    let topics = request.topics.iter().filter(|_| !group.is_empty()).map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let delivery_complete_count = newer.int32().unwrap_or(-1);
            let key = key(group, topic.topic_id, partition.partition);
            let outcome = state_batches(&partition.state_batches).and_then(|batches| {
                let write = StateWrite {
                    state_epoch: partition.state_epoch,
                    leader_epoch: partition.leader_epoch,
                    start_offset: partition.start_offset,
                    delivery_complete_count,
                    batches,
                };
                node.share.states().write(&key, write, steady_ms())
            });
            let (code, message) = words(&outcome);
            written::PartitionResult::default()
                .with_partition(partition.partition)
                .with_error_code(code)
                .with_error_message(message)
        });
        written::WriteStateResult::default()
            .with_topic_id(topic.topic_id)
            .with_partitions(partitions.collect())
    });
    WriteShareGroupStateResponse::default().with_results(topics.collect())
}

fn state_batches(batches: &[WrittenBatch]) -> Result<Vec<StateBatch>, Refused> {
    let unknown = || {
        (
            ResponseError::InvalidRequest,
            "Unknown delivery state.".to_owned(),
        )
    };
    let batches = batches.iter().map(|batch| {
        Ok(StateBatch {
            first: batch.first_offset,
            last: batch.last_offset,
            state: RecordState::of(batch.delivery_state).ok_or_else(unknown)?,
            delivery_count: batch.delivery_count,
        })
    });
    batches.collect()
}

pub fn delete(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DeleteShareGroupStateRequest,
) -> DeleteShareGroupStateResponse {
    let group = &request.group_id;
    let topics = request.topics.iter().filter(|_| !group.is_empty()).map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let key = key(group, topic.topic_id, partition.partition);
            let (code, message) = words(&node.share.states().delete(&key, steady_ms()));
            deleted::PartitionResult::default()
                .with_partition(partition.partition)
                .with_error_code(code)
                .with_error_message(message)
        });
        deleted::DeleteStateResult::default()
            .with_topic_id(topic.topic_id)
            .with_partitions(partitions.collect())
    });
    DeleteShareGroupStateResponse::default().with_results(topics.collect())
}

/// The response, and the bytes of its newer fields: the number of processed records of each partition.
pub fn summary(
    node: &Arc<Node>,
    _: &RequestContext,
    request: ReadShareGroupStateSummaryRequest,
) -> (ReadShareGroupStateSummaryResponse, Vec<u8>) {
    let group = &request.group_id;
    let mut newer = Vec::new();
    let topics = request.topics.iter().filter(|_| !group.is_empty()).map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let key = key(group, topic.topic_id, partition.partition);
            let result = summarized::PartitionResult::default().with_partition(partition.partition);
            let state = node.share.states().summary(&key);
            let count = state.as_ref().map_or(-1, |state| state.delivery_complete_count);
            newer.extend(count.to_be_bytes());
            match state {
                Some(state) => result
                    .with_state_epoch(state.state_epoch)
                    .with_leader_epoch(state.leader_epoch)
                    .with_start_offset(state.start_offset),
                None => result.with_start_offset(-1),
            }
        });
        summarized::ReadStateSummaryResult::default()
            .with_topic_id(topic.topic_id)
            .with_partitions(partitions.collect())
    });
    let response = ReadShareGroupStateSummaryResponse::default().with_results(topics.collect());
    (response, newer)
}
