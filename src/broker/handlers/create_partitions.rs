//! CreatePartitions, versions 0–3: more partitions for a topic, never fewer.
//!
//! <https://kafka.apache.org/protocol#The_Messages_CreatePartitions>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use super::{count_mutations, text};
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::{self, Refused, duplicate_topic_name, named_twice};
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let twice = named_twice(request.topics.iter().map(|topic| topic.name.clone()));
    let mut answered = HashSet::new();
    let once = request.topics.iter().filter(|topic| answered.insert(&topic.name));
    let results = once.map(|topic| {
        let outcome = if twice.contains(&topic.name) {
            Err(duplicate_topic_name())
        } else {
            add(node, context, topic, request.validate_only)
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

fn add(
    node: &Node,
    context: &RequestContext,
    wanted: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<(), Refused> {
    let name = wanted.name.as_str();
    let assignments: Option<Vec<Vec<i32>>> = wanted.assignments.as_ref().map(|assignments| {
        let replicas = assignments.iter().map(|assignment| &assignment.broker_ids);
        replicas.map(|ids| ids.iter().map(|id| id.0).collect()).collect()
    });
    let image = node.cluster.image();
    let assignments = controller::create_partitions(&image, name, wanted.count, assignments)?;
    count_mutations(node, context, context.version >= 3, assignments.len())?;
    if validate_only {
        return Ok(());
    }
    let first = image.topic(name).map_or(0, |topic| topic.partition_count());
    drop(image);
    let added = node.replicas.add_partitions(name, first, &assignments);
    added.map_err(|error| (ResponseError::KafkaStorageError, error.message()))
}
