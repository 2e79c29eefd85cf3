//! The authorizer's checks: one gate for each API, before its handler.
//!
//! A gate removes from a request what the client may not do, and adds the errors for that to the answer. The handler
//! gets the rest, and knows nothing of gates. The rows of the table in `apis` enter the gate before the handler. Produce
//! and Fetch, which are decoded and encoded by hand, ask [`super::rights`] themselves.

mod acls;
mod cluster;
mod configs;
mod delegation_tokens;
mod groups;
mod offsets;
mod partitions;
mod share;
mod topics;
mod transactions;

use std::fmt;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::protocol::{Request, StrBytes};

use super::call::RequestContext;
use super::cluster::image::ClusterImage;
use super::node::Node;
use super::rights::Rights;

/// The outcome of a gate.
pub(super) enum Passage<R: Request> {
    /// The whole request is refused, with this answer.
    Refused(R::Response),
    /// The handler answers what is left; then the errors are added to its answer.
    Passed(R, Finish<R::Response>),
}

/// What has to be added to the handler's answer.
pub(super) struct Finish<A>(Option<Change<A>>);

type Change<A> = Box<dyn FnOnce(&mut A) + Send>;

impl<A> Finish<A> {
    /// Completes the answer. Returns whether there was anything to do.
    pub(super) fn run(self, answer: &mut A) -> bool {
        let Some(finish) = self.0 else { return false };
        finish(answer);
        true
    }
}

/// A request with a gate.
pub(super) trait Gated: Request + Sized {
    /// Checks the request. Called only if there is an authorizer.
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self>;
}

/// The client that asks, and the context of its request.
pub(super) struct Asks<'a> {
    node: &'a Arc<Node>,
    image: Arc<ClusterImage>,
    context: &'a mut RequestContext,
}

/// The same for checks of the handler's answer.
struct Later {
    node: Arc<Node>,
    image: Arc<ClusterImage>,
    context: RequestContext,
}

/// Passes a request through its gate.
pub(super) fn enter<R: Gated>(node: &Arc<Node>, context: &mut RequestContext, request: R) -> Passage<R> {
    if node.authorizer.is_none() {
        return passed(request);
    }
    let image = node.cluster.image();
    request.pass(&mut Asks { node, image, context })
}

/// Lets the whole request pass.
fn passed<R: Request>(request: R) -> Passage<R> {
    Passage::Passed(request, Finish(None))
}

/// Lets the request pass; `finish` completes the handler's answer.
fn passed_then<R: Request>(request: R, finish: impl FnOnce(&mut R::Response) + Send + 'static) -> Passage<R> {
    Passage::Passed(request, Finish(Some(Box::new(finish))))
}

impl Asks<'_> {
    fn rights(&self) -> Rights<'_> {
        Rights::of(self.node, &self.image, self.context)
    }

    fn later(&self) -> Later {
        Later {
            node: Arc::clone(self.node),
            image: Arc::clone(&self.image),
            context: self.context.clone(),
        }
    }
}

impl Later {
    fn rights(&self) -> Rights<'_> {
        Rights::of(&self.node, &self.image, &self.context)
    }
}

impl fmt::Debug for Asks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asks")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl<R: Request> fmt::Debug for Passage<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "Refused",
            Self::Passed(..) => "Passed",
        })
    }
}

/// Splits items into those that are allowed and those that are not.
fn split<T>(items: Vec<T>, is_allowed: impl Fn(&T) -> bool) -> (Vec<T>, Vec<T>) {
    items.into_iter().partition(is_allowed)
}

/// Kafka's message for an authorization error.
fn words(error: ResponseError) -> Option<StrBytes> {
    let words = match error {
        ResponseError::TopicAuthorizationFailed => "Topic authorization failed.",
        ResponseError::GroupAuthorizationFailed => "Group authorization failed.",
        ResponseError::ClusterAuthorizationFailed => "Cluster authorization failed.",
        ResponseError::TransactionalIdAuthorizationFailed => "Transactional Id authorization failed.",
        _ => return None,
    };
    Some(StrBytes::from_static_str(words))
}
