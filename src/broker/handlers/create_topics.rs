//! CreateTopics, versions 2–7.
//!
//! - A name that stands twice in a request is refused, in one result.
//! - `-1` partitions or replicas mean the broker's defaults (KIP-464); with a manual assignment both must be -1.
//! - Apache Kafka's own metadata topic cannot be made (`INVALID_REQUEST`).
//! - `validate_only` checks everything and creates nothing.
//! - v5 and later return the topic's configs (KIP-525), v7 its id.
//!
//! The order of the checks is Kafka's: name, existence, configs, then partitions and replicas.
//! <https://kafka.apache.org/protocol#The_Messages_CreateTopics>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use uuid::Uuid;

use super::text;
use crate::broker::Broker;
use crate::broker::call::RequestContext;
use crate::broker::config::effective_config::Configs;
use crate::broker::metadata::Topic;
use crate::broker::topic_name;
use crate::storage::file_name::METADATA_TOPIC;
use crate::topic_config::{self, TOPIC_CONFIGS};

/// More partitions than this in one request Kafka refuses.
const MAX_PARTITIONS: i32 = 10_000;

/// An error with Kafka's text for it.
pub(super) type Refused = (ResponseError, String);

/// Beside the runtime: thousands of partitions are many folders and files, and nobody else waits for them.
pub async fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let broker = Arc::clone(broker);
    let names: Vec<TopicName> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    let created = tokio::task::spawn_blocking(move || create_all(&broker, request)).await;
    created.unwrap_or_else(|_| {
        let failed = |name| {
            CreatableTopicResult::default()
                .with_name(name)
                .with_error_code(ResponseError::UnknownServerError.code())
        };
        CreateTopicsResponse::default().with_topics(names.into_iter().map(failed).collect())
    })
}

fn create_all(broker: &Arc<Broker>, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let twice = named_twice(request.topics.iter().map(|topic| &topic.name));
    let validate_only = request.validate_only;
    let mut answered = HashSet::new();
    let topics = request
        .topics
        .into_iter()
        .filter(|topic| answered.insert(topic.name.clone()));
    let results = topics.map(|topic| {
        let name = topic.name.clone();
        let result = if twice.contains(&name) {
            Err(duplicate())
        } else {
            create(broker, topic, validate_only)
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

/// The names that stand in a request more than once.
pub(super) fn named_twice<'a>(names: impl Iterator<Item = &'a TopicName>) -> HashSet<TopicName> {
    let mut seen = HashSet::new();
    names.filter(|name| !seen.insert(*name)).cloned().collect()
}

/// What each of those is told.
pub(super) fn duplicate() -> Refused {
    (ResponseError::InvalidRequest, "Duplicate topic name.".to_owned())
}

/// Makes a topic that somebody mentioned, with the broker's defaults.
pub(super) fn create_automatically(broker: &Broker, name: &str) -> Result<Arc<Topic>, ResponseError> {
    if name == METADATA_TOPIC {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    check_name(broker, name).map_err(|(error, _)| error)?;
    let internal = name == crate::broker::coordinator::group::offsets_topic::OFFSETS_TOPIC;
    let created = if internal {
        broker.metadata.offsets_topic()
    } else {
        let partitions = broker.config.num_partitions;
        let created = broker.metadata.create_topic(name, partitions, Configs::new());
        created.inspect(|_| broker.note_compaction(name))
    };
    // Somebody else may have been faster.
    created.or_else(|_| {
        broker
            .metadata
            .topic(name)
            .ok_or(ResponseError::KafkaStorageError)
    })
}

fn create(
    broker: &Broker,
    topic: CreatableTopic,
    validate_only: bool,
) -> Result<CreatableTopicResult, Refused> {
    let name = topic.name.as_str();
    if name == METADATA_TOPIC {
        let message = format!("Creation of internal topic {name} is prohibited.");
        return Err((ResponseError::InvalidRequest, message));
    }
    check_name(broker, name)?;
    let mut configs = Configs::new();
    for config in &topic.configs {
        let Some(value) = &config.value else {
            let message = format!(
                "Null value not supported for topic configs: {}",
                config.name.as_str()
            );
            return Err((ResponseError::InvalidConfig, message));
        };
        configs.insert(config.name.to_string(), value.to_string());
    }
    let pairs: Vec<(&str, &str)> = configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    topic_config::validate(&pairs).map_err(|message| (ResponseError::InvalidConfig, message))?;
    let partitions = if topic.assignments.is_empty() {
        partitions_and_replicas(broker, topic.num_partitions, topic.replication_factor)?
    } else {
        check_not_both(&topic)?;
        check_assignments(broker, &topic.assignments)?
    };
    let id = if validate_only {
        Uuid::nil()
    } else {
        let created = broker.metadata.create_topic(name, partitions, configs.clone());
        created
            .inspect(|_| broker.note_compaction(name))
            .map_err(|error| {
                // Somebody else may have made it since it was looked for.
                let refused = check_name(broker, name).err();
                refused.unwrap_or_else(|| (ResponseError::KafkaStorageError, error.message()))
            })?
            .id
    };
    Ok(CreatableTopicResult::default()
        .with_error_message(None)
        .with_topic_id(id)
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(Some(effective_configs(broker, &configs))))
}

fn check_name(broker: &Broker, name: &str) -> Result<(), Refused> {
    topic_name::validate(name).map_err(|message| (ResponseError::InvalidTopicException, message))?;
    if broker.metadata.topic(name).is_some() {
        let message = format!("Topic '{name}' already exists.");
        return Err((ResponseError::TopicAlreadyExists, message));
    }
    if let Some(other) = broker.metadata.colliding_topic(name) {
        let message = format!("Topic '{name}' collides with existing topic: {other}");
        return Err((ResponseError::InvalidTopicException, message));
    }
    Ok(())
}

fn partitions_and_replicas(broker: &Broker, partitions: i32, replicas: i16) -> Result<i32, Refused> {
    if replicas < -1 || replicas == 0 {
        let message = "Replication factor must be larger than 0, or -1 to use the default value.";
        return Err((ResponseError::InvalidReplicationFactor, message.to_owned()));
    }
    if partitions < -1 || partitions == 0 {
        let message = "Number of partitions was set to an invalid non-positive value.";
        return Err((ResponseError::InvalidPartitions, message.to_owned()));
    }
    let partitions = if partitions == -1 {
        broker.config.num_partitions
    } else {
        partitions
    };
    check_count(partitions)?;
    let replicas = if replicas == -1 {
        broker.config.number("default.replication.factor")
    } else {
        i64::from(replicas)
    };
    if replicas > 1 {
        let message = format!(
            "Unable to replicate the partition {replicas} time(s): The target replication factor of {replicas} \
             cannot be reached because only 1 broker(s) are registered or some brokers have all their log \
             directories cordoned."
        );
        return Err((ResponseError::InvalidReplicationFactor, message));
    }
    Ok(partitions)
}

pub(super) fn check_count(partitions: i32) -> Result<(), Refused> {
    if partitions <= MAX_PARTITIONS {
        return Ok(());
    }
    let message = "Excessively large number of partitions per request.";
    Err((ResponseError::PolicyViolation, message.to_owned()))
}

fn check_not_both(topic: &CreatableTopic) -> Result<(), Refused> {
    let refused = |what| {
        let message = format!("A manual partition assignment was specified, but {what} was not set to -1.");
        Err((ResponseError::InvalidRequest, message))
    };
    if topic.replication_factor != -1 {
        return refused("replication factor");
    }
    if topic.num_partitions != -1 {
        return refused("numPartitions");
    }
    Ok(())
}

/// Checks a manual assignment; the number of partitions it makes.
fn check_assignments(broker: &Broker, assignments: &[CreatableReplicaAssignment]) -> Result<i32, Refused> {
    let mut indexes = Vec::with_capacity(assignments.len());
    let mut previous = None;
    for assignment in assignments {
        let index = assignment.partition_index;
        if indexes.contains(&index) {
            let message = format!("Found multiple manual partition assignments for partition {index}");
            return Err((ResponseError::InvalidReplicaAssignment, message));
        }
        indexes.push(index);
        let replicas: Vec<i32> = assignment.broker_ids.iter().map(|id| id.0).collect();
        check_replicas(broker, &replicas, previous)?;
        previous = Some(replicas.len());
    }
    indexes.sort_unstable();
    if indexes
        .iter()
        .zip(0..)
        .any(|(index, expected)| *index != expected)
    {
        let message = "partitions should be a consecutive 0-based integer sequence";
        return Err((ResponseError::InvalidReplicaAssignment, message.to_owned()));
    }
    let count = i32::try_from(indexes.len()).unwrap_or(i32::MAX);
    check_count(count)?;
    Ok(count)
}

/// Checks the replicas of one partition; `previous` is how many the partitions before it have.
pub(super) fn check_replicas(
    broker: &Broker,
    replicas: &[i32],
    previous: Option<usize>,
) -> Result<(), Refused> {
    let refused = |message: String| Err((ResponseError::InvalidReplicaAssignment, message));
    if replicas.is_empty() {
        return refused("The manual partition assignment includes an empty replica list.".to_owned());
    }
    let mut sorted = replicas.to_vec();
    sorted.sort_unstable();
    let mut before = None;
    for replica in sorted {
        if replica < 0 {
            return refused(format!(
                "The manual partition assignment includes invalid broker id {replica}."
            ));
        }
        if replica != broker.config.node_id {
            return refused(format!(
                "The manual partition assignment includes broker {replica}, but no such broker is registered."
            ));
        }
        if before == Some(replica) {
            return refused(format!(
                "The manual partition assignment includes the broker {replica} more than once."
            ));
        }
        before = Some(replica);
    }
    let count = replicas.len();
    match previous {
        Some(previous) if previous != count => refused(format!(
            "The manual partition assignment includes a partition with {count} replica(s), but this is not \
             consistent with previous partitions, which have {previous} replica(s)."
        )),
        _ => Ok(()),
    }
}

fn effective_configs(broker: &Broker, configs: &Configs) -> Vec<CreatableTopicConfigs> {
    broker.metadata.with_broker_values(|values| {
        let all = TOPIC_CONFIGS.iter().map(|config| {
            let (value, source) = values.topic_value(config, configs);
            CreatableTopicConfigs::default()
                .with_name(text(config.name))
                .with_value(Some(text(value)))
                .with_config_source(source as i8)
        });
        all.collect()
    })
}
