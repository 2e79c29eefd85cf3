//! The arguments of a handler: the node, the context of the request, and the request.
//!
//! Owns neither the table of handlers (`apis`) nor the connection (`session`).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::Request;

use super::access::Principal;
use super::newer_versions;
use super::node::Node;
use super::quotas::Sender;
use super::refusal::Refusal;
use super::request_shape;
use super::security::authentication::Authentication;
use super::server::connections::Listener;
use crate::wire::security_protocol::SecurityProtocol;

/// Which client sent the request, and how; every handler gets it beside the request.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub api: ApiKey,
    pub version: i16,
    pub correlation_id: i32,
    /// Empty if the client gave none.
    pub client_id: String,
    pub client_host: IpAddr,
    pub principal: Principal,
    pub(super) authentication: Arc<Authentication>,
    /// The listener of the connection: its address is the one to advertise.
    pub listener: Arc<Listener>,
    /// The number of the connection, unique since the broker started.
    pub connection: u64,
    /// Fields of the request that the crate with the messages lacks (`newer_versions`), one after the other.
    pub newer_fields: Bytes,
    /// For how long the client is slowed down after this request.
    pub throttle: Throttle,
}

impl RequestContext {
    /// Whether the client may ask about delegation tokens: it has authenticated, and not with such a token.
    pub(super) fn may_ask_for_tokens(&self) -> bool {
        let has_proved = match self.listener.protocol() {
            SecurityProtocol::Plaintext => false,
            SecurityProtocol::Ssl => self.principal != Principal::ANONYMOUS,
            SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl => true,
        };
        has_proved && !self.authentication.is_by_token()
    }

    /// The client as quotas name it.
    pub(super) fn sender(&self) -> Sender<'_> {
        Sender {
            user: &self.principal.name,
            client_id: &self.client_id,
        }
    }
}

/// For how long the connection is muted after the answer to this request (KIP-219): the handler sets it, the session
/// obeys it. In milliseconds, 0 for not at all.
#[derive(Clone, Debug, Default)]
pub struct Throttle(Arc<AtomicI32>);

impl Throttle {
    /// Sets the time.
    pub(super) fn set_ms(&self, ms: i32) {
        self.0.store(ms, Ordering::Relaxed);
    }

    /// The time.
    pub(super) fn ms(&self) -> i32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the time unless a longer one is set.
    pub(super) fn raise_ms(&self, ms: i32) {
        self.0.fetch_max(ms, Ordering::Relaxed);
    }

    /// Returns the time and resets it for the next request.
    pub(super) fn take_ms(&self) -> i32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// One request on its way to its handler: the body only, its header is in `context`.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) node: Arc<Node>,
    pub(super) context: RequestContext,
    pub(super) body: BytesMut,
    /// The shape that the body must have ([`request_shape`]).
    pub(super) shape: &'static str,
}

/// Decodes the body after its lengths have been checked. A body that does not decode is refused.
pub(super) fn decode<R: Request>(call: Call) -> Result<(Arc<Node>, RequestContext, R), Refusal> {
    let mut context = call.context;
    let (api, version) = (context.api, context.version);
    if !request_shape::is_well_formed(call.shape, &call.body) {
        return Err(Refusal::new("a request whose lengths do not fit its size"));
    }
    let (mut body, newer_fields) = newer_versions::split_request(api, version, call.body)
        .ok_or_else(|| Refusal::new("a request that is not as its version has it"))?;
    context.newer_fields = newer_fields;
    let request = R::decode(&mut body, newer_versions::request_as(api, version))
        .map_err(|error| Refusal::new(format!("a request that cannot be decoded: {error:#}")))?;
    Ok((call.node, context, request))
}
