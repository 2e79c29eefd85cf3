//! CreatePartitions, versions 0–3: more partitions for a topic, never fewer.
//!
//! <https://kafka.apache.org/protocol#The_Messages_CreatePartitions>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use super::create_topics::{Refused, check_count, check_replicas, duplicate, named_twice};
use super::text;
use crate::broker::Broker;
use crate::broker::call::RequestContext;

pub fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let twice = named_twice(request.topics.iter().map(|topic| &topic.name));
    let mut answered = HashSet::new();
    let once = request.topics.iter().filter(|topic| answered.insert(&topic.name));
    let results = once.map(|topic| {
        let outcome = if twice.contains(&topic.name) {
            Err(duplicate())
        } else {
            add(broker, topic, request.validate_only)
        };
        let result = CreatePartitionsTopicResult::default().with_name(topic.name.clone());
        match outcome {
            Ok(()) => result.with_error_message(None),
            Err((error, message)) => result
                .with_error_code(error.code())
                .with_error_message((!message.is_empty()).then(|| text(message))),
        }
    });
    CreatePartitionsResponse::default().with_results(results.collect())
}

fn add(broker: &Broker, wanted: &CreatePartitionsTopic, validate_only: bool) -> Result<(), Refused> {
    let name = wanted.name.as_str();
    // Kafka has no words for this one.
    let missing = || (ResponseError::UnknownTopicOrPartition, String::new());
    let topic = broker.metadata.topic(name).ok_or_else(missing)?;
    let now = topic.partitions.len() as i32;
    let invalid = |message| Err((ResponseError::InvalidPartitions, message));
    if wanted.count == now {
        return invalid(format!("Topic already has {now} partition(s)."));
    }
    if wanted.count < now {
        return invalid(format!(
            "The topic {name} currently has {now} partition(s); {} would not be an increase.",
            wanted.count
        ));
    }
    let more = wanted.count - now;
    check_count(more)?;
    if let Some(assignments) = &wanted.assignments {
        if assignments.len() as i64 != i64::from(more) {
            let message = format!(
                "Attempted to add {more} additional partition(s), but only {} assignment(s) were specified.",
                assignments.len()
            );
            return Err((ResponseError::InvalidReplicaAssignment, message));
        }
        for assignment in assignments {
            let replicas: Vec<i32> = assignment.broker_ids.iter().map(|id| id.0).collect();
            check_replicas(broker, &replicas, Some(1))?;
        }
    }
    if validate_only {
        return Ok(());
    }
    let added = broker.metadata.add_partitions(name, wanted.count);
    added.map_err(|error| (ResponseError::KafkaStorageError, error.message()))
}
