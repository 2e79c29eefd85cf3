//! `UnregisterBroker`, version 0: forgets a broker that is not running. One that runs stays: Apache Kafka's would
//! register itself again.
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
    let is_away = node.peers.reachable(id).is_none();
    let is_known = node.cluster.image().brokers().contains_key(&id);
    let forgotten = if is_away {
        node.cluster.unregister(id)
    } else {
        Ok(is_known)
    };
    if forgotten.is_ok_and(|is_known| is_known) {
        return response.with_error_message(None);
    }
    response
        .with_error_code(ResponseError::BrokerIdNotRegistered.code())
        .with_error_message(Some(text(format!("Broker ID {id} is not currently registered"))))
}
