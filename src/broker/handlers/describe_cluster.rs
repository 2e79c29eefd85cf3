//! DescribeCluster, versions 0–2: the nodes, and which of them is told to be the controller.
//!
//! - Asked for controllers (v1), a broker's listener answers `UNSUPPORTED_ENDPOINT_TYPE`, as Kafka's does.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeCluster>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};

use super::text;
use crate::broker::access::{CLUSTER_NAME, ResourceType};
use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::rights::Rights;

/// The endpoint type of brokers.
const BROKERS: i8 = 1;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    if context.version >= 1 && request.endpoint_type != BROKERS {
        return DescribeClusterResponse::default()
            .with_error_code(ResponseError::UnsupportedEndpointType.code())
            .with_error_message(Some(text(
                "The given endpoint type is not supported by this listener.",
            )));
    }
    let image = node.cluster.image();
    let brokers = image.brokers().values().filter_map(|broker| {
        let endpoint = broker.endpoint(&context.listener.name)?;
        let is_told = !broker.is_fenced || request.include_fenced_brokers;
        is_told.then(|| {
            DescribeClusterBroker::default()
                .with_broker_id(BrokerId(broker.id))
                .with_host(text(endpoint.host.as_str()))
                .with_port(i32::from(endpoint.port))
                .with_rack(broker.rack.as_deref().map(text))
                .with_is_fenced(broker.is_fenced)
        })
    });
    let asked = request.include_cluster_authorized_operations;
    let image = node.cluster.image();
    let rights = Rights::of(node, &image, context);
    let operations = rights.operations(asked, ResourceType::Cluster, CLUSTER_NAME);
    DescribeClusterResponse::default()
        .with_endpoint_type(BROKERS)
        .with_cluster_id(text(node.cluster.id()))
        .with_controller_id(BrokerId(image.controller()))
        .with_cluster_authorized_operations(operations)
        .with_brokers(brokers.collect())
}
