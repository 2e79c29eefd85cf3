//! Requests of clients, and a node's work on one: the handler that a session would call, and what a session waits for
//! before it answers.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::ResponseHeader;
use kafka_protocol::protocol::{Decodable, HeaderVersion, Request};

use crate::broker::access::Principal;
use crate::broker::apis;
use crate::broker::call::{Call, RequestContext, Throttle};
use crate::broker::config::BrokerConfig;
use crate::broker::node::Node;
use crate::broker::notices::NoticeSink;
use crate::broker::response::Answer;
use crate::broker::security::ListenerSecurity;
use crate::broker::security::authentication::Authentication;
use crate::broker::server::connections::Listener;

/// Which node has to answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) topic: &'static str,
    /// The partition whose leader is asked.
    pub(super) index: i32,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Question {
    key: i16,
    version: i16,
    body: BytesMut,
    pub(super) target: Target,
    /// The node to ask, whichever leads.
    pub(super) to: Option<i32>,
    /// The connection; 0 if it does not matter.
    pub(super) connection: u64,
    /// Whether it may arrive after its client has given up.
    pub(super) may_be_late: bool,
}

impl Question {
    pub(super) fn new<R: Request>(request: &R, version: i16, target: Target) -> Self {
        let mut body = BytesMut::new();
        request.encode(&mut body, version).unwrap();
        Self {
            key: R::KEY,
            version,
            body,
            target,
            to: None,
            connection: 0,
            may_be_late: false,
        }
    }
}

/// The answer to a request of this type and version.
pub(super) fn read<R: Request>(answer: Bytes, version: i16) -> R::Response {
    let mut answer = answer;
    // The length.
    answer.advance(4);
    ResponseHeader::decode(&mut answer, R::Response::header_version(version)).unwrap();
    R::Response::decode(&mut answer, version).unwrap()
}

/// A listener without a socket.
pub(super) fn listener(config: &BrokerConfig) -> Arc<Listener> {
    let endpoint = &config.listeners[0];
    let notices: NoticeSink = Arc::new(|_: &str| {});
    Arc::new(Listener {
        name: endpoint.name.clone(),
        bound: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), endpoint.port),
        advertised_host: endpoint.host.clone(),
        advertised_port: endpoint.port,
        security: Arc::new(ListenerSecurity::new(config, endpoint, &notices).unwrap()),
    })
}

/// Unfinished work of a node. Its result is `None` if the connection is closed without an answer.
pub(super) struct Work(Pin<Box<dyn Future<Output = Option<Bytes>>>>);

impl Work {
    pub(super) fn new(work: impl Future<Output = Option<Bytes>> + 'static) -> Self {
        Self(Box::pin(work))
    }

    /// Begins to answer a request on `node`.
    pub(super) fn answering(node: &Arc<Node>, question: Question) -> Self {
        let api = apis::find(question.key, question.version).unwrap();
        let listener = Arc::clone(&node.listeners[0]);
        let call = Call {
            context: RequestContext {
                api: api.key,
                version: question.version,
                correlation_id: 0,
                client_id: String::new(),
                client_host: IpAddr::V4(Ipv4Addr::LOCALHOST),
                principal: Principal::ANONYMOUS,
                authentication: Arc::new(Authentication::new(Arc::clone(&listener.security))),
                listener,
                connection: question.connection,
                newer_fields: Bytes::new(),
                throttle: Throttle::default(),
            },
            node: Arc::clone(node),
            body: question.body,
            shape: api.shape(question.version),
        };
        let node = Arc::clone(node);
        Self::new(async move {
            let losses = node.coordinator_losses();
            let answer = api.call(call).await;
            if api.is_coordinated() && !node.coordinators_are_replicated(losses).await {
                return None;
            }
            match answer {
                Ok(Answer::Frame(frame)) => Some(frame.freeze()),
                _ => None,
            }
        })
    }

    /// Continues the work.
    pub(super) fn go_on(&mut self) -> Poll<Option<Bytes>> {
        self.0.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }
}
