//! Error answers for partitions and topics: produce, fetch, transactions.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{self as m, ApiKey};
use uuid::Uuid;

use super::{Made, build, whole};
use crate::broker::call::{Call, decode};
use crate::broker::fetch::fetch_response::{self, PartitionAnswer, TopicAnswer};
use crate::broker::handlers::metadata;
use crate::broker::refusal::Refusal;
use crate::broker::response::{self, Answer};
use crate::broker::timers::steady_ms;

pub(super) fn make(call: Box<Call>, code: i16) -> Made {
    Ok(match call.context.api {
        ApiKey::Produce => produce(*call, code),
        ApiKey::Fetch => fetch(*call, code),
        ApiKey::Metadata => metadata(*call, code),
        ApiKey::ListOffsets => list_offsets(*call, code),
        ApiKey::OffsetForLeaderEpoch => offset_for_leader_epoch(*call, code),
        ApiKey::AddPartitionsToTxn => add_partitions_to_txn(*call, code),
        _ => {
            return whole!(
                call, code,
                InitProducerId InitProducerIdRequest InitProducerIdResponse,
                AddOffsetsToTxn AddOffsetsToTxnRequest AddOffsetsToTxnResponse,
                EndTxn EndTxnRequest EndTxnResponse,
                ShareFetch ShareFetchRequest ShareFetchResponse,
                ShareAcknowledge ShareAcknowledgeRequest ShareAcknowledgeResponse,
            );
        }
    })
}

/// With acks=0 the connection is closed, which is how the producer learns of an error.
fn produce(call: Call, code: i16) -> Result<Answer, Refusal> {
    let (_, context, request) = decode::<m::ProduceRequest>(call)?;
    if request.acks == 0 {
        return Ok(Answer::Close);
    }
    let topics = request.topic_data.into_iter().map(|topic| {
        let partitions = topic.partition_data.iter().map(|partition| {
            PartitionProduceResponse::default()
                .with_index(partition.index)
                .with_error_code(code)
                .with_base_offset(-1)
                .with_log_append_time_ms(-1)
                .with_log_start_offset(-1)
        });
        TopicProduceResponse::default()
            .with_partition_responses(partitions.collect())
            .with_name(topic.name)
            .with_topic_id(topic.topic_id)
    });
    let response = m::ProduceResponse::default().with_responses(topics.collect());
    response::encode::<m::ProduceRequest>(&context, &response)
}

/// Every partition of the fetch has the error, also those of its session; the session goes on.
fn fetch(call: Call, code: i16) -> Result<Answer, Refusal> {
    let (node, context, request) = decode::<m::FetchRequest>(call)?;
    let image = node.cluster.image();
    let name_of = |id: Uuid| image.topic_by_id(id).map(|topic| topic.name.clone());
    let plan = node
        .fetch_sessions
        .plan(&request, context.version, steady_ms(), name_of);
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => return fetch_response::encode(&context, error.code(), 0, Vec::new(), &[]),
    };
    let mut topics: Vec<TopicAnswer> = Vec::new();
    for (target, _) in &plan.targets {
        let answer = PartitionAnswer::error(target.partition, code);
        match topics
            .iter_mut()
            .find(|topic| topic.is_of(target.id, &target.topic))
        {
            Some(topic) => topic.partitions.push(answer),
            None => topics.push(TopicAnswer {
                name: target.topic.clone(),
                id: target.id,
                partitions: vec![answer],
            }),
        }
    }
    fetch_response::encode(&context, 0, plan.session_id, topics, &[])
}

/// The brokers are listed as usual; the requested topics have the error.
fn metadata(call: Call, code: i16) -> Result<Answer, Refusal> {
    let (node, context, request) = decode::<m::MetadataRequest>(call)?;
    let request = request.with_allow_auto_topic_creation(false);
    let names_topics = request.topics.as_ref().is_some_and(|topics| !topics.is_empty());
    let mut response = metadata::handle(&node, &context, request);
    for topic in &mut response.topics {
        topic.error_code = code;
        topic.partitions.clear();
    }
    if !names_topics && context.version >= 13 {
        response.error_code = code;
    }
    response::encode::<m::MetadataRequest>(&context, &response)
}

fn list_offsets(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::ListOffsetsRequest>(call, |_, request| {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                ListOffsetsPartitionResponse::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(code)
                    .with_timestamp(-1)
                    .with_offset(-1)
            });
            ListOffsetsTopicResponse::default()
                .with_partitions(partitions.collect())
                .with_name(topic.name)
        });
        m::ListOffsetsResponse::default().with_topics(topics.collect())
    })
}

fn offset_for_leader_epoch(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::OffsetForLeaderEpochRequest>(call, |_, request| {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                EpochEndOffset::default()
                    .with_partition(partition.partition)
                    .with_error_code(code)
            });
            OffsetForLeaderTopicResult::default()
                .with_partitions(partitions.collect())
                .with_topic(topic.topic)
        });
        m::OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
    })
}

fn add_partitions_to_txn(call: Call, code: i16) -> Result<Answer, Refusal> {
    let results = |topics: Vec<AddPartitionsToTxnTopic>| {
        let topics = topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                AddPartitionsToTxnPartitionResult::default()
                    .with_partition_index(*partition)
                    .with_partition_error_code(code)
            });
            AddPartitionsToTxnTopicResult::default()
                .with_results_by_partition(partitions.collect())
                .with_name(topic.name)
        });
        topics.collect::<Vec<_>>()
    };
    build::<m::AddPartitionsToTxnRequest>(call, |context, request| {
        let response = m::AddPartitionsToTxnResponse::default();
        if context.version < 4 {
            return response.with_results_by_topic_v3_and_below(results(request.v3_and_below_topics));
        }
        let transactions = request.transactions.into_iter().map(|transaction| {
            AddPartitionsToTxnResult::default()
                .with_transactional_id(transaction.transactional_id)
                .with_topic_results(results(transaction.topics))
        });
        response.with_results_by_transaction(transactions.collect())
    })
}
