//! `DescribeQuorum`, versions 0–2: a quorum of one, the node that is told to be the controller. It keeps no log of its
//! metadata that others could follow, so that every offset is 0.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeQuorum>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_quorum_response::{
    self, Listener, PartitionData, ReplicaState, TopicData,
};
use kafka_protocol::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::timers::now_ms;

const METADATA_TOPIC: &str = "__cluster_metadata";

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DescribeQuorumRequest,
) -> DescribeQuorumResponse {
    let image = node.cluster.image();
    let controller = BrokerId(image.controller());
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            if topic.topic_name.as_str() == METADATA_TOPIC && index == 0 {
                quorum(controller)
            } else {
                PartitionData::default()
                    .with_partition_index(index)
                    .with_error_code(ResponseError::UnknownTopicOrPartition.code())
            }
        });
        TopicData::default()
            .with_topic_name(topic.topic_name.clone())
            .with_partitions(partitions.collect())
    });
    let response = DescribeQuorumResponse::default().with_topics(topics.collect());
    if context.version < 2 || request.topics.is_empty() {
        return response;
    }
    let broker = image.brokers().get(&controller.0);
    let endpoint = broker.and_then(|broker| broker.endpoint(&context.listener.name));
    let listeners = endpoint.into_iter().map(|endpoint| {
        Listener::default()
            .with_name(text(endpoint.listener.as_str()))
            .with_host(text(endpoint.host.as_str()))
            .with_port(endpoint.port)
    });
    response.with_nodes(vec![
        describe_quorum_response::Node::default()
            .with_node_id(controller)
            .with_listeners(listeners.collect()),
    ])
}

fn quorum(controller: BrokerId) -> PartitionData {
    let voter = ReplicaState::default()
        .with_replica_id(controller)
        .with_log_end_offset(0)
        .with_last_fetch_timestamp(now_ms())
        .with_last_caught_up_timestamp(now_ms());
    PartitionData::default()
        .with_partition_index(0)
        .with_leader_id(controller)
        .with_leader_epoch(1)
        .with_high_watermark(0)
        .with_current_voters(vec![voter])
}
