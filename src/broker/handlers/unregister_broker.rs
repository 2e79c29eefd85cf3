//! `UnregisterBroker`, version 0: the one broker is registered as long as it runs; others are unknown.
//!
//! <https://kafka.apache.org/protocol#The_Messages_UnregisterBroker>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: UnregisterBrokerRequest,
) -> UnregisterBrokerResponse {
    let id = request.broker_id.0;
    let response = UnregisterBrokerResponse::default();
    if node.cluster.image().brokers().contains_key(&id) {
        // Apache Kafka takes the registration away and the broker registers again by itself.
        return response.with_error_message(None);
    }
    response
        .with_error_code(ResponseError::BrokerIdNotRegistered.code())
        .with_error_message(Some(text(format!("Broker ID {id} is not currently registered"))))
}
