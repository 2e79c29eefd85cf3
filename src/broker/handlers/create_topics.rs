//! CreateTopics, versions 2–7.
//!
//! - A name that occurs twice in a request is refused, with one result.
//! - `-1` partitions or replicas mean the broker's defaults (KIP-464); with a manual assignment both must be -1.
//! - Apache Kafka's own metadata topic cannot be created (`INVALID_REQUEST`).
//! - `validate_only` checks everything and creates nothing.
//! - From v6 on topics are refused while the client is over its quota of partition mutations (KIP-599).
//! - v5 and later return the topic's configs (KIP-525), v7 its id.
//!
//! The checks and their order are the controller's ([`controller::create_topic`]).
//! <https://kafka.apache.org/protocol#The_Messages_CreateTopics>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use uuid::Uuid;

use super::{count_mutations, text};
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::{
    self, PlannedTopic, Refused, RequestedTopic, TopicDefaults, duplicate_topic_name, named_twice,
};
use crate::broker::cluster::image::TopicImage;
use crate::broker::config::effective_config::Configs;
use crate::broker::internal_topics::INTERNAL_TOPICS;
use crate::broker::node::Node;
use crate::storage::file_name::METADATA_TOPIC;
use crate::topic_config::TOPIC_CONFIGS;

/// Runs on a blocking thread: thousands of partitions are many folders and files, and other requests must not wait
/// for them.
pub async fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let node = Arc::clone(node);
    let context = context.clone();
    let names: Vec<TopicName> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    let created = tokio::task::spawn_blocking(move || create_all(&node, &context, request)).await;
    created.unwrap_or_else(|_| {
        let failed = |name| {
            CreatableTopicResult::default()
                .with_name(name)
                .with_error_code(ResponseError::UnknownServerError.code())
        };
        CreateTopicsResponse::default().with_topics(names.into_iter().map(failed).collect())
    })
}

fn create_all(
    node: &Arc<Node>,
    context: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let twice = named_twice(request.topics.iter().map(|topic| topic.name.clone()));
    let validate_only = request.validate_only;
    let mut answered = HashSet::new();
    let topics = request
        .topics
        .into_iter()
        .filter(|topic| answered.insert(topic.name.clone()));
    let results = topics.map(|topic| {
        let name = topic.name.clone();
        let result = if twice.contains(&name) {
            Err(duplicate_topic_name())
        } else {
            create(node, context, &topic, validate_only)
        };
        let result = result.unwrap_or_else(|(error, message)| {
            CreatableTopicResult::default()
                .with_error_code(error.code())
                .with_error_message(Some(text(message)))
                .with_num_partitions(-1)
                .with_replication_factor(-1)
        });
        result.with_name(name)
    });
    CreateTopicsResponse::default().with_topics(results.collect())
}

/// Creates a topic that a request names (`auto.create.topics.enable`), with the broker's defaults.
pub(super) fn create_automatically(node: &Node, name: &str) -> Result<Arc<TopicImage>, ResponseError> {
    if name == METADATA_TOPIC {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    controller::check_new_name(&node.cluster.image(), name).map_err(|(error, _)| error)?;
    let internal = INTERNAL_TOPICS.iter().find(|topic| topic.name == name);
    let created = if let Some(internal) = internal {
        node.replicas.internal_topic(internal)
    } else {
        let partitions = node.config.num_partitions;
        let replicas = node.config.number("default.replication.factor");
        let planned = PlannedTopic::of_some(&node.cluster.image(), partitions, replicas, Configs::new());
        node.replicas.create_topic(name, &planned)
    };
    // Another request may have created it meanwhile.
    created.or_else(|_| {
        let image = node.cluster.image();
        image.topic(name).cloned().ok_or(ResponseError::KafkaStorageError)
    })
}

fn create(
    node: &Node,
    context: &RequestContext,
    topic: &CreatableTopic,
    validate_only: bool,
) -> Result<CreatableTopicResult, Refused> {
    let defaults = TopicDefaults {
        partitions: node.config.num_partitions,
        replication_factor: node.config.number("default.replication.factor"),
    };
    let planned = controller::create_topic(&node.cluster.image(), defaults, &requested(topic))?;
    count_mutations(node, context, context.version >= 6, planned.assignments.len())?;
    let name = topic.name.as_str();
    let id = if validate_only {
        Uuid::nil()
    } else {
        let created = node.replicas.create_topic(name, &planned);
        created
            .map_err(|error| {
                // Another request may have created it meanwhile.
                let refused = controller::check_new_name(&node.cluster.image(), name).err();
                refused.unwrap_or_else(|| (ResponseError::KafkaStorageError, error.message()))
            })?
            .id
    };
    Ok(CreatableTopicResult::default()
        .with_error_message(None)
        .with_topic_id(id)
        .with_num_partitions(planned.partition_count())
        .with_replication_factor(planned.replication_factor())
        .with_configs(Some(effective_configs(node, &planned.configs))))
}

fn requested(topic: &CreatableTopic) -> RequestedTopic {
    let replicas = |assignment: &CreatableReplicaAssignment| {
        let brokers = assignment.broker_ids.iter().map(|id| id.0);
        (assignment.partition_index, brokers.collect())
    };
    let config = |config: &CreatableTopicConfig| {
        let value = config.value.as_ref().map(ToString::to_string);
        (config.name.to_string(), value)
    };
    RequestedTopic {
        name: topic.name.to_string(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic.assignments.iter().map(replicas).collect(),
        configs: topic.configs.iter().map(config).collect(),
    }
}

fn effective_configs(node: &Node, configs: &Configs) -> Vec<CreatableTopicConfigs> {
    let image = node.cluster.image();
    let values = node.broker_values(&image);
    let all = TOPIC_CONFIGS.iter().map(|config| {
        let (value, source) = values.topic_value(config, configs);
        CreatableTopicConfigs::default()
            .with_name(text(config.name))
            .with_value(Some(text(value)))
            .with_config_source(source as i8)
    });
    all.collect()
}
