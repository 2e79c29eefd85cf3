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
use crate::broker::Broker;
use crate::broker::call::RequestContext;

/// "Not asked for" in every field of authorized operations.
pub(super) const NO_OPERATIONS: i32 = i32::MIN;
/// What anybody may do with the cluster where nobody is checked: create, alter, describe, cluster action, describe
/// and alter configs, idempotent write; bits by Kafka's operation codes.
pub(super) const ALL_CLUSTER_OPERATIONS: i32 =
    1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;

pub fn handle(
    broker: &Arc<Broker>,
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
    let node = BrokerId(broker.config.node_id);
    let listener = &context.listener;
    let operations = if request.include_cluster_authorized_operations {
        ALL_CLUSTER_OPERATIONS
    } else {
        NO_OPERATIONS
    };
    DescribeClusterResponse::default()
        .with_endpoint_type(1)
        .with_cluster_id(text(broker.metadata.cluster_id()))
        .with_controller_id(node)
        .with_cluster_authorized_operations(operations)
        .with_brokers(vec![
            DescribeClusterBroker::default()
                .with_broker_id(node)
                .with_host(text(listener.advertised_host.as_str()))
                .with_port(i32::from(listener.advertised_port))
                .with_rack(broker.config.value("broker.rack").map(text)),
        ])
}
