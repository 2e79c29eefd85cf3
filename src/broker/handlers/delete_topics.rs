//! DeleteTopics, versions 1–6: topics by name, from v6 on also by id.
//!
//! - A topic that occurs twice in a request is refused.
//! - `delete.topic.enable=false` refuses everything.
//! - Groups lose their committed offsets for it.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DeleteTopics>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use uuid::Uuid;

use super::{count_mutations, text, topic_name};
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::{self, Refused, Repeated, TopicSelection};
use crate::broker::cluster::image::TopicImage;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let wanted: Vec<DeleteTopicState> = if context.version >= 6 {
        request.topics
    } else {
        let named = |name: TopicName| DeleteTopicState::default().with_name(Some(name));
        request.topic_names.into_iter().map(named).collect()
    };
    let wanted: Vec<TopicSelection> = wanted.iter().map(selection).collect();
    let image = node.cluster.image();
    let repeated = Repeated::among(&image, &wanted);
    let mut answered = HashSet::new();
    let once = wanted
        .iter()
        .filter(|wanted| !repeated.is_answered_by_name(wanted))
        .filter(|wanted| answered.insert(*wanted));
    let responses = once.map(|wanted| {
        let mut result = DeletableTopicResult::default()
            .with_name(wanted.name.as_deref().map(topic_name))
            .with_topic_id(wanted.id);
        match delete(node, context, wanted, &repeated) {
            Ok(topic) => {
                result.name = Some(topic_name(&topic.name));
                result.topic_id = topic.id;
            }
            Err((error, message)) => {
                let answered_id = repeated.answered_id(&image, wanted);
                result.error_code = error.code();
                result.topic_id = answered_id.unwrap_or(result.topic_id);
                result.error_message = (context.version >= 5).then(|| text(message));
            }
        }
        if context.version < 6 {
            result.topic_id = Uuid::nil();
        }
        result
    });
    let response = DeleteTopicsResponse::default().with_responses(responses.collect());
    let replicas = Arc::clone(&node.replicas);
    // Removing files may take long, and nothing depends on it.
    tokio::task::spawn_blocking(move || replicas.purge_deleted());
    response
}

fn delete(
    node: &Node,
    context: &RequestContext,
    wanted: &TopicSelection,
    repeated: &Repeated,
) -> Result<Arc<TopicImage>, Refused> {
    let is_enabled = node.config.flag("delete.topic.enable");
    let topic = controller::delete_topic(&node.cluster.image(), wanted, repeated, is_enabled)?;
    count_mutations(node, context, context.version >= 5, topic.partitions.len())?;
    node.replicas
        .delete_topic(&topic.name)
        .map_err(|error| (ResponseError::KafkaStorageError, error.message()))?;
    for node in node.peers.all() {
        node.groups.forget_topic(&topic.name, steady_ms());
        node.share.forget_topic(topic.id, steady_ms());
    }
    Ok(topic)
}

fn selection(wanted: &DeleteTopicState) -> TopicSelection {
    TopicSelection {
        name: wanted.name.as_ref().map(|name| name.to_string()),
        id: wanted.topic_id,
    }
}
