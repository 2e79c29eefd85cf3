//! `ListConfigResources`, versions 0–1: which resources have configs. Version 0 lists client metrics subscriptions
//! only.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListConfigResources>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_config_resources_response::ConfigResource;
use kafka_protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ListConfigResourcesRequest,
) -> ListConfigResourcesResponse {
    let known = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];
    let only_metrics = vec![CLIENT_METRICS];
    let types = match context.version {
        0 => &only_metrics,
        _ => &request.resource_types,
    };
    if types.iter().any(|kind| !known.contains(kind)) {
        return ListConfigResourcesResponse::default()
            .with_error_code(ResponseError::UnsupportedVersion.code());
    }
    let wanted = |kind| types.is_empty() || types.contains(&kind);
    let resource = |name: String, kind| {
        ConfigResource::default()
            .with_resource_name(text(name))
            .with_resource_type(kind)
    };
    let own = || node.id.to_string();
    let mut resources = Vec::new();
    for kind in [BROKER_LOGGER, BROKER] {
        resources.extend(wanted(kind).then(|| resource(own(), kind)));
    }
    let image = node.cluster.image();
    if wanted(TOPIC) {
        resources.extend(image.topics().map(|topic| resource(topic.name.clone(), TOPIC)));
    }
    if wanted(GROUP) {
        let groups = image.all_group_configs().keys();
        resources.extend(groups.map(|group| resource(group.clone(), GROUP)));
    }
    if wanted(CLIENT_METRICS) {
        let subscriptions = image.all_client_metrics_configs().keys();
        resources.extend(subscriptions.map(|name| resource(name.clone(), CLIENT_METRICS)));
    }
    ListConfigResourcesResponse::default().with_config_resources(resources)
}
