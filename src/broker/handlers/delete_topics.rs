//! DeleteTopics, versions 1–6: topics by name, from v6 by id too.
//!
//! - A topic that stands twice in a request is refused.
//! - `delete.topic.enable=false` refuses everything.
//! - Groups forget what they committed for it.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DeleteTopics>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use uuid::Uuid;

use super::create_topics::Refused;
use super::{text, topic_name};
use crate::broker::Broker;
use crate::broker::call::RequestContext;
use crate::broker::metadata::Topic;
use crate::broker::timers::steady_ms;

pub fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let wanted: Vec<DeleteTopicState> = if context.version >= 6 {
        request.topics
    } else {
        let named = |name: TopicName| DeleteTopicState::default().with_name(Some(name));
        request.topic_names.into_iter().map(named).collect()
    };
    let mut seen = HashSet::new();
    let responses = wanted.into_iter().map(|wanted| {
        let once = seen.insert((wanted.name.clone(), wanted.topic_id));
        let mut result = DeletableTopicResult::default()
            .with_name(wanted.name.clone())
            .with_topic_id(wanted.topic_id);
        match delete(broker, &wanted, once) {
            Ok(topic) => {
                result.name = Some(topic_name(&topic.name));
                result.topic_id = topic.id;
            }
            Err((error, message)) => {
                result.error_code = error.code();
                result.error_message = (context.version >= 5).then(|| text(message));
            }
        }
        if context.version < 6 {
            result.topic_id = Uuid::nil();
        }
        result
    });
    let response = DeleteTopicsResponse::default().with_responses(responses.collect());
    let metadata = Arc::clone(&broker.metadata);
    // Removing files may take long; nothing depends on it.
    tokio::task::spawn_blocking(move || metadata.purge_deleted());
    response
}

fn delete(broker: &Broker, wanted: &DeleteTopicState, once: bool) -> Result<Arc<Topic>, Refused> {
    if !once {
        let message = "Duplicate topic name.";
        return Err((ResponseError::InvalidRequest, message.to_owned()));
    }
    if !broker.config.flag("delete.topic.enable") {
        return Err((
            ResponseError::TopicDeletionDisabled,
            "Topic deletion is disabled.".to_owned(),
        ));
    }
    let topic = match &wanted.name {
        Some(_) if !wanted.topic_id.is_nil() => {
            let message = "You may not specify both topic name and topic id.";
            return Err((ResponseError::InvalidRequest, message.to_owned()));
        }
        None if wanted.topic_id.is_nil() => {
            let message = "Neither topic name nor id were specified.";
            return Err((ResponseError::InvalidRequest, message.to_owned()));
        }
        Some(name) => broker
            .metadata
            .topic(name)
            .ok_or(ResponseError::UnknownTopicOrPartition),
        None => broker
            .metadata
            .topic_by_id(wanted.topic_id)
            .ok_or(ResponseError::UnknownTopicId),
    };
    let topic = topic.map_err(|error| {
        let message = match error {
            ResponseError::UnknownTopicId => "This server does not host this topic ID.",
            _ => "This server does not host this topic-partition.",
        };
        (error, message.to_owned())
    })?;
    broker
        .metadata
        .delete_topic(&topic.name)
        .map_err(|error| (ResponseError::KafkaStorageError, error.message()))?;
    broker.groups.forget_topic(&topic.name, steady_ms());
    Ok(topic)
}
