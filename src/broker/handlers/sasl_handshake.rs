//! `SaslHandshake`, versions 0–1: the client chooses a mechanism.
//!
//! - After version 0 the client's tokens come as frames without a request header.
//! - An unsupported mechanism closes the connection after the answer, which lists the supported ones.
//!
//! <https://kafka.apache.org/protocol#The_Messages_SaslHandshake>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{SaslHandshakeRequest, SaslHandshakeResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(
    _: &Arc<Node>,
    context: &RequestContext,
    request: SaslHandshakeRequest,
) -> SaslHandshakeResponse {
    let authentication = &context.authentication;
    let chosen = authentication.choose(&request.mechanism, context.version == 0, steady_ms());
    let response = SaslHandshakeResponse::default();
    let response = match chosen {
        Ok(()) => response,
        Err(ResponseError::IllegalSaslState) => {
            return response.with_error_code(ResponseError::IllegalSaslState.code());
        }
        Err(error) => response.with_error_code(error.code()),
    };
    let mechanisms = authentication.mechanisms().into_iter().map(text);
    response.with_mechanisms(mechanisms.collect())
}
