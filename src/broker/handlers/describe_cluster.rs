//! DescribeCluster, versions 0–2: the one node, which is its own controller.
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

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let brokers = 1;
    if context.version >= 1 && request.endpoint_type != brokers {
        return DescribeClusterResponse::default()
            .with_error_code(ResponseError::UnsupportedEndpointType.code())
            .with_error_message(Some(text(
                "The given endpoint type is not supported by this listener.",
            )));
    }
    let own = BrokerId(node.id);
    let listener = &context.listener;
    let asked = request.include_cluster_authorized_operations;
    let image = node.cluster.image();
    let rights = Rights::of(node, &image, context);
    let operations = rights.operations(asked, ResourceType::Cluster, CLUSTER_NAME);
    DescribeClusterResponse::default()
        .with_endpoint_type(1)
        .with_cluster_id(text(node.cluster.id()))
        .with_controller_id(own)
        .with_cluster_authorized_operations(operations)
        .with_brokers(vec![
            DescribeClusterBroker::default()
                .with_broker_id(own)
                .with_host(text(listener.advertised_host.as_str()))
                .with_port(i32::from(listener.advertised_port))
                .with_rack(node.config.value("broker.rack").map(text)),
        ])
}
