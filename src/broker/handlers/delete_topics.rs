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
    let repeated = Repeated::among(broker, &wanted);
    let mut answered = HashSet::new();
    let once = wanted
        .into_iter()
        .filter(|wanted| !repeated.ids_of_names.contains(&wanted.topic_id))
        .filter(|wanted| answered.insert((wanted.name.clone(), wanted.topic_id)));
    let responses = once.map(|wanted| {
        let mut result = DeletableTopicResult::default()
            .with_name(wanted.name.clone())
            .with_topic_id(wanted.topic_id);
        match delete(broker, &wanted, &repeated) {
            Ok(topic) => {
                result.name = Some(topic_name(&topic.name));
                result.topic_id = topic.id;
            }
            Err((error, message)) => {
                result.error_code = error.code();
                result.topic_id = repeated.answered_id(broker, &wanted).unwrap_or(result.topic_id);
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

/// What a request names more than once: none of it is deleted.
struct Repeated {
    topics: HashSet<(Option<TopicName>, Uuid)>,
    /// Ids of topics that the request also has by name; answered under the name.
    ids_of_names: HashSet<Uuid>,
}

impl Repeated {
    fn among(broker: &Broker, wanted: &[DeleteTopicState]) -> Self {
        let mut seen = HashSet::new();
        let mut topics = HashSet::new();
        for wanted in wanted {
            let topic = (wanted.name.clone(), wanted.topic_id);
            if !seen.insert(topic.clone()) {
                topics.insert(topic);
            }
        }
        let ids = seen
            .iter()
            .filter_map(|(name, id)| name.as_ref().filter(|_| id.is_nil()))
            .filter_map(|name| broker.metadata.topic(name))
            .map(|topic| topic.id)
            .filter(|id| seen.contains(&(None, *id)));
        Self {
            ids_of_names: ids.collect(),
            topics,
        }
    }

    /// The id of a topic that is here by name and by id.
    fn answered_id(&self, broker: &Broker, wanted: &DeleteTopicState) -> Option<Uuid> {
        let topic = broker.metadata.topic(wanted.name.as_ref()?)?;
        self.ids_of_names.contains(&topic.id).then_some(topic.id)
    }
}

fn delete(broker: &Broker, wanted: &DeleteTopicState, repeated: &Repeated) -> Result<Arc<Topic>, Refused> {
    let invalid = |message: &str| Err((ResponseError::InvalidRequest, message.to_owned()));
    match &wanted.name {
        Some(_) if !wanted.topic_id.is_nil() => {
            return invalid("You may not specify both topic name and topic id.");
        }
        None if wanted.topic_id.is_nil() => return invalid("Neither topic name nor id were specified."),
        _ => {}
    }
    if repeated.topics.contains(&(wanted.name.clone(), wanted.topic_id)) {
        let message = match wanted.name {
            Some(_) => "Duplicate topic name.",
            None => "Duplicate topic id.",
        };
        return invalid(message);
    }
    if repeated.answered_id(broker, wanted).is_some() {
        return invalid("The provided topic name maps to an ID that was already supplied.");
    }
    if !broker.config.flag("delete.topic.enable") {
        return Err((
            ResponseError::TopicDeletionDisabled,
            "Topic deletion is disabled.".to_owned(),
        ));
    }
    let topic = match &wanted.name {
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
