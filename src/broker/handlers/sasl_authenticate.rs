//! `SaslAuthenticate`, versions 0–2: one message of the client's SASL mechanism, and the reply (KIP-152, KIP-368).
//!
//! - A failed login closes the connection after the answer.
//! - v1 says for how long the login is valid.
//!
//! <https://kafka.apache.org/protocol#The_Messages_SaslAuthenticate>

use std::sync::Arc;

use kafka_protocol::messages::{SaslAuthenticateRequest, SaslAuthenticateResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::timers::{now_ms, steady_ms};

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: SaslAuthenticateRequest,
) -> SaslAuthenticateResponse {
    let image = node.cluster.image();
    let authentication = &context.authentication;
    let reply = authentication.token(&request.auth_bytes, &image, steady_ms(), now_ms());
    let (code, message) = match reply.error {
        Some((error, words)) => (error.code(), Some(text(words))),
        None => (0, Some(text(""))),
    };
    SaslAuthenticateResponse::default()
        .with_error_code(code)
        .with_error_message(message)
        .with_auth_bytes(reply.bytes.into())
        .with_session_lifetime_ms(reply.session_lifetime_ms)
}
