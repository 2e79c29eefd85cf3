//! ListPartitionReassignments, version 0: the partitions that are being moved, with the replicas that are added and
//! removed.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListPartitionReassignments>

use std::sync::Arc;

use kafka_protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use kafka_protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};

use super::{broker_ids, topic_name};
use crate::broker::call::RequestContext;
use crate::broker::cluster::image::TopicImage;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    let image = node.cluster.image();
    let topics: Vec<OngoingTopicReassignment> = match &request.topics {
        None => image
            .topics()
            .filter_map(|topic| moving(topic, |_| true))
            .collect(),
        Some(wanted) => wanted
            .iter()
            .filter_map(|wanted| {
                let topic = image.topic(wanted.name.as_str())?;
                moving(topic, |index| wanted.partition_indexes.contains(&index))
            })
            .collect(),
    };
    ListPartitionReassignmentsResponse::default()
        .with_error_message(None)
        .with_topics(topics)
}

/// The wanted partitions of a topic that are being moved; `None` if there are none.
fn moving(topic: &TopicImage, is_wanted: impl Fn(i32) -> bool) -> Option<OngoingTopicReassignment> {
    let partitions = topic.partitions.iter().filter(|(index, partition)| {
        is_wanted(*index) && !(partition.adding.is_empty() && partition.removing.is_empty())
    });
    let partitions: Vec<_> = partitions
        .map(|(index, partition)| {
            OngoingPartitionReassignment::default()
                .with_partition_index(*index)
                .with_replicas(broker_ids(&partition.replicas))
                .with_adding_replicas(broker_ids(&partition.adding))
                .with_removing_replicas(broker_ids(&partition.removing))
        })
        .collect();
    (!partitions.is_empty()).then(|| {
        OngoingTopicReassignment::default()
            .with_partitions(partitions)
            .with_name(topic_name(&topic.name))
    })
}
