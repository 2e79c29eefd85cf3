//! DescribeCluster, versions 0–2: the nodes, and which of them clients should take for the controller.
//!
//! - A request for controllers (v1) on a broker's listener is answered with `UNSUPPORTED_ENDPOINT_TYPE`, as by Kafka.
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
/// The endpoint type of controllers, which a broker's listener does not serve.
const CONTROLLERS: i8 = 2;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    if context.version >= 1 && request.endpoint_type != BROKERS {
        return refused(request.endpoint_type);
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

/// Kafka's answer to a request for other endpoints than those of brokers.
fn refused(endpoint_type: i8) -> DescribeClusterResponse {
    let (error, words) = match endpoint_type {
        CONTROLLERS => (
            ResponseError::MismatchedEndpointType,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
                .to_owned(),
        ),
        other => (
            ResponseError::UnsupportedEndpointType,
            format!("Unsupported endpoint type {other}"),
        ),
    };
    DescribeClusterResponse::default()
        .with_error_code(error.code())
        .with_error_message(Some(text(words)))
}
