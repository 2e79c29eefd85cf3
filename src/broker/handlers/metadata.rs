//! Metadata, versions 0–13: the nodes, and topics with their partitions.
//!
//! - No topics named: all of them (v0: an empty list; later: null). From v1 on an empty list means none.
//! - A topic that does not exist is created if the broker and the request allow it, and the answer contains it.
//!   Apache Kafka first answers that it does not exist; here only for a topic that was deleted, as clients check in
//!   this way whether the deletion has finished.
//! - From v12 on a topic may be named by its id alone; before, an id or a missing name fails the request.
//! - Nodes are listed with the address of the listener on which the request came.
//!
//! <https://kafka.apache.org/protocol#The_Messages_Metadata>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse};

use super::create_topics;
use super::{broker_ids, text, topic_name};
use crate::broker::access::{CLUSTER_NAME, ResourceType};
use crate::broker::call::RequestContext;
use crate::broker::cluster::image::{ClusterImage, TopicImage};
use crate::broker::cluster::partition_image::NO_LEADER;
use crate::broker::node::Node;
use crate::broker::rights::Rights;
use crate::broker::topic_name::validate;

pub fn handle(node: &Arc<Node>, context: &RequestContext, request: MetadataRequest) -> MetadataResponse {
    let may_create =
        node.config.auto_create_topics && (context.version < 4 || request.allow_auto_topic_creation);
    let wanted = request
        .topics
        .filter(|topics| context.version > 0 || !topics.is_empty());
    let mut topics: Vec<MetadataResponseTopic> = match wanted {
        None => {
            let image = node.cluster.image();
            image.topics().map(|topic| found(&image, topic)).collect()
        }
        Some(wanted) => {
            // If any topic has an id, names are ignored.
            let by_id = wanted.iter().any(|topic| !topic.topic_id.is_nil());
            if !by_id && wanted.iter().any(|topic| topic.name.is_none()) {
                return failed(wanted);
            }
            // A topic that is named twice is answered once.
            let mut asked = HashSet::new();
            let wanted = wanted
                .into_iter()
                .filter(|topic| !by_id || !topic.topic_id.is_nil())
                .map(|topic| if by_id { topic.with_name(None) } else { topic });
            let once = wanted.filter(|topic| asked.insert((topic.name.clone(), topic.topic_id)));
            once.map(|topic| look_up(node, &topic, may_create)).collect()
        }
    };
    let image = node.cluster.image();
    let rights = Rights::of(node, &image, context);
    let asked = request.include_topic_authorized_operations;
    for topic in &mut topics {
        // Authorized operations are stated for topics that do not exist, too.
        let Some(name) = &topic.name else { continue };
        topic.topic_authorized_operations = rights.operations(asked, ResourceType::Topic, name);
    }
    let image = node.cluster.image();
    let reachable = image.reachable_by(&context.listener.name);
    let brokers = reachable.map(|(broker, endpoint)| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(broker.id))
            .with_host(text(endpoint.host.as_str()))
            .with_port(i32::from(endpoint.port))
            .with_rack(broker.rack.as_deref().map(text))
    });
    let mut response = MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_cluster_id(Some(text(node.cluster.id())))
        .with_controller_id(BrokerId(image.controller()))
        .with_topics(topics);
    let asked = request.include_cluster_authorized_operations;
    response.cluster_authorized_operations = rights.operations(asked, ResourceType::Cluster, CLUSTER_NAME);
    response
}

/// The answer to a request with a topic that has neither a name nor an id.
fn failed(wanted: Vec<MetadataRequestTopic>) -> MetadataResponse {
    let topics = wanted.into_iter().map(|topic| {
        MetadataResponseTopic::default()
            .with_error_code(ResponseError::UnknownServerError.code())
            .with_name(Some(topic.name.unwrap_or_default()))
    });
    MetadataResponse::default().with_topics(topics.collect())
}

/// One topic by name, or by id alone.
fn look_up(node: &Node, wanted: &MetadataRequestTopic, may_create: bool) -> MetadataResponseTopic {
    let image = node.cluster.image();
    let by_name = wanted.name.as_ref().filter(|_| wanted.topic_id.is_nil());
    let Some(name) = by_name else {
        return match image.topic_by_id(wanted.topic_id) {
            Some(topic) => found(&image, topic),
            None => MetadataResponseTopic::default()
                .with_error_code(ResponseError::UnknownTopicId.code())
                .with_topic_id(wanted.topic_id)
                .with_name(None),
        };
    };
    if let Some(topic) = image.topic(name) {
        return found(&image, topic);
    }
    let error = if validate(name).is_err() {
        ResponseError::InvalidTopicException
    } else if !may_create {
        ResponseError::UnknownTopicOrPartition
    } else {
        let was_deleted = image.was_deleted(name);
        drop(image);
        match create_topics::create_automatically(node, name) {
            Ok(_) if was_deleted => ResponseError::UnknownTopicOrPartition,
            Ok(topic) => return found(&node.cluster.image(), &topic),
            // Kafka answers that the topic does not exist, even if its controller then refuses the name.
            Err(ResponseError::InvalidTopicException) => ResponseError::UnknownTopicOrPartition,
            Err(error) => error,
        }
    };
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(name.clone()))
}

/// A topic that exists. A partition without a leader has an error, so that clients ask again.
fn found(image: &ClusterImage, topic: &TopicImage) -> MetadataResponseTopic {
    let partitions = topic.partitions.iter().map(|(index, partition)| {
        let is_offline = |id: &i32| !image.is_active(*id);
        let offline: Vec<i32> = partition.replicas.iter().copied().filter(is_offline).collect();
        let has_no_leader = partition.leader == NO_LEADER;
        let error = has_no_leader.then_some(ResponseError::LeaderNotAvailable.code());
        MetadataResponsePartition::default()
            .with_error_code(error.unwrap_or(0))
            .with_offline_replicas(broker_ids(&offline))
            .with_partition_index(*index)
            .with_leader_id(BrokerId(partition.leader))
            .with_leader_epoch(partition.leader_epoch)
            .with_replica_nodes(broker_ids(&partition.replicas))
            .with_isr_nodes(broker_ids(&partition.isr))
    });
    MetadataResponseTopic::default()
        .with_name(Some(topic_name(&topic.name)))
        .with_topic_id(topic.id)
        .with_is_internal(topic.is_internal())
        .with_partitions(partitions.collect())
}
