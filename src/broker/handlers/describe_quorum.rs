//! `DescribeQuorum`, versions 0–2: the controllers are the voters, the other nodes observe. All nodes share one
//! metadata log, so every running node has all of it; a stopped voter has what the log held when it stopped.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeQuorum>

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_quorum_response::{
    self, Listener, PartitionData, ReplicaState, TopicData,
};
use kafka_protocol::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse};
use uuid::Uuid;

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::image::{ClusterImage, EndpointImage, Voter};
use crate::broker::node::Node;
use crate::broker::timers::now_ms;

const METADATA_TOPIC: &str = "__cluster_metadata";
/// The leader epoch is constant: the process that runs the cluster is the only leader.
const LEADER_EPOCH: i32 = 1;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DescribeQuorumRequest,
) -> DescribeQuorumResponse {
    let image = node.cluster.image();
    let quorum = Quorum {
        node,
        voters: voters(node, &image),
        image: &image,
        now_ms: now_ms(),
    };
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            if topic.topic_name.as_str() == METADATA_TOPIC && index == 0 {
                quorum.describe()
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
    response.with_nodes(quorum.nodes(&context.listener.name))
}

/// The controllers that have registered, and those that the settings list beside them.
fn voters(node: &Node, image: &ClusterImage) -> BTreeMap<i32, Voter> {
    let mut voters = image.voters().clone();
    for (id, endpoint) in node.config.listed_voters() {
        let endpoint = EndpointImage {
            listener: endpoint.name,
            host: endpoint.host,
            port: endpoint.port,
        };
        voters.entry(id).or_insert_with(|| Voter {
            endpoints: vec![endpoint],
            ..Voter::default()
        });
    }
    voters
}

struct Quorum<'a> {
    node: &'a Node,
    image: &'a ClusterImage,
    voters: BTreeMap<i32, Voter>,
    /// Milliseconds since 1970.
    now_ms: i64,
}

impl Quorum<'_> {
    /// Whether a node runs; a controller that is no broker does as long as it is registered.
    fn is_there(&self, id: i32) -> bool {
        let is_known = self.image.voters().contains_key(&id) || self.image.brokers().contains_key(&id);
        is_known && (self.node.peers.ids().contains(&id) || !self.image.brokers().contains_key(&id))
    }

    fn leader(&self) -> i32 {
        let mut voters = self.voters.keys().copied();
        voters
            .find(|id| self.is_there(*id))
            .unwrap_or_else(|| self.image.controller())
    }

    fn describe(&self) -> PartitionData {
        let voters = self
            .voters
            .iter()
            .map(|(id, voter)| self.state(*id, voter.directory));
        let observers = self.image.brokers().values().filter(|broker| {
            let is_voter = self.voters.contains_key(&broker.id);
            !is_voter && self.is_there(broker.id)
        });
        let observers = observers.map(|broker| self.state(broker.id, broker.directory));
        PartitionData::default()
            .with_partition_index(0)
            .with_leader_id(BrokerId(self.leader()))
            .with_leader_epoch(LEADER_EPOCH)
            .with_high_watermark(self.node.cluster.metadata_end_offset())
            .with_current_voters(voters.collect())
            .with_observers(observers.collect())
    }

    fn state(&self, id: i32, directory: Uuid) -> ReplicaState {
        let (end_offset, at_ms) = if self.is_there(id) {
            (self.node.cluster.metadata_end_offset(), self.now_ms)
        } else {
            // A node that never ran has fetched nothing.
            let left = self.node.peers.left(id);
            left.map_or((-1, -1), |left| (left.metadata_end_offset, left.at_ms))
        };
        ReplicaState::default()
            .with_replica_id(BrokerId(id))
            .with_replica_directory_id(directory)
            .with_log_end_offset(end_offset)
            .with_last_fetch_timestamp(at_ms)
            .with_last_caught_up_timestamp(at_ms)
    }

    /// The endpoints of the voters; if they have no listeners for controllers, the ones on the client's own listener.
    fn nodes(&self, listener: &str) -> Vec<describe_quorum_response::Node> {
        let nodes = self.voters.iter().map(|(id, voter)| {
            let broker = self.image.brokers().get(id);
            let own = broker.and_then(|broker| broker.endpoint(listener));
            let listeners = if voter.endpoints.is_empty() {
                own.into_iter().map(shown).collect()
            } else {
                voter.endpoints.iter().map(shown).collect()
            };
            describe_quorum_response::Node::default()
                .with_node_id(BrokerId(*id))
                .with_listeners(listeners)
        });
        nodes.collect()
    }
}

fn shown(endpoint: &EndpointImage) -> Listener {
    Listener::default()
        .with_name(text(endpoint.listener.as_str()))
        .with_host(text(endpoint.host.as_str()))
        .with_port(endpoint.port)
}
