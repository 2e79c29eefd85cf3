//! One readable line per request: who asked what, and how it was answered.

use std::time::Duration;

use crate::broker::call::{Call, RequestContext};
use crate::broker::faults::topics;
use crate::broker::response::{Answer, Piece};

/// A request that has not been answered yet.
#[derive(Debug)]
pub(super) struct LoggedRequest {
    context: RequestContext,
    /// The node that answers, if there are several.
    node: Option<i32>,
    topics: Vec<String>,
    bytes: usize,
}

impl LoggedRequest {
    pub(super) fn of(call: &Call) -> Self {
        let mut topics = topics::named_in(call);
        topics.sort();
        topics.dedup();
        Self {
            node: (call.node.cluster.image().brokers().len() > 1).then_some(call.node.id),
            context: call.context.clone(),
            topics,
            bytes: call.body.len(),
        }
    }

    /// `Produce v11 from app-1 (127.0.0.1), orders: 123 bytes, answered with 54 bytes in 0.8 ms`. `rules`: the fault
    /// rules that have hit it.
    pub(super) fn line(&self, answer: &Answer, took: Duration, rules: &str) -> String {
        let context = &self.context;
        let client = match context.client_id.as_str() {
            "" => "a client without an id",
            id => id,
        };
        let topics = match self.topics.as_slice() {
            [] => String::new(),
            topics => format!(", {}", topics.join(" ")),
        };
        let node = self.node.map(|id| format!("node {id}: ")).unwrap_or_default();
        let rules = match rules {
            "" => String::new(),
            rules => format!(", by fault rule {rules}"),
        };
        format!(
            "{node}{:?} v{} from {} ({}){topics}: {} bytes, {} in {:.1} ms{rules}",
            context.api,
            context.version,
            // Clients choose their ids: line ends and terminal escapes are escaped.
            client.escape_debug(),
            context.client_host,
            self.bytes,
            ended(answer),
            took.as_secs_f64() * 1000.0,
        )
    }
}

fn ended(answer: &Answer) -> String {
    match answer {
        Answer::Nothing => "without an answer".to_owned(),
        Answer::Frame(frame) => format!("answered with {} bytes", frame.len()),
        Answer::Pieces(pieces) => {
            let length = |piece: &Piece| match piece {
                Piece::Bytes(bytes) => bytes.len(),
                Piece::Range { length, .. } => *length,
            };
            format!("answered with {} bytes", pieces.iter().map(length).sum::<usize>())
        }
        Answer::Silence => "dropped".to_owned(),
        Answer::Close => "closed".to_owned(),
    }
}
