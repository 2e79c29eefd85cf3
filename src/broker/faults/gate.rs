//! Where requests pass between their header and their handler, and what rules make of them there.

use std::time::Duration;

use kafka_protocol::messages::ApiKey;

use crate::broker::apis::{Api, Outcome};
use crate::broker::call::Call;
use crate::broker::response::Answer;

use super::rule::{Asked, Effect, End, Verdict};
use super::{error_answer, topics};

/// The answer to a request: its handler's, or what rules make of it; and the ids of those rules.
pub(in crate::broker) fn outcome(api: &'static Api, call: Call) -> (Outcome, Vec<u64>) {
    let context = &call.context;
    let faults = &call.node.config.rehearsal.faults;
    let asked = Asked {
        api: context.api as i16,
        node: call.node.id,
        client_id: &context.client_id,
    };
    let verdict = faults.decide(asked, || topics::named_in(&call));
    match verdict {
        None => (api.call(call), Vec::new()),
        Some(Verdict { rules, delay, end }) => (ended(api, call, delay, end), rules),
    }
}

fn ended(api: &'static Api, call: Call, delay: Duration, end: Option<End>) -> Outcome {
    Box::pin(async move {
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let Some(End { effect, is_handled }) = end else {
            return api.call(call).await;
        };
        // The error answer is made of the request, which the handler takes.
        let copy = matches!(effect, Effect::Fail(_)).then(|| call.clone());
        // A fetch changes nothing but its session, which the error answer takes a step further itself.
        if is_handled && !(api.key == ApiKey::Fetch && copy.is_some()) {
            api.call(call).await?;
        }
        match (effect, copy) {
            (Effect::Fail(code), Some(call)) => error_answer::make(call, code),
            (Effect::Drop, _) => Ok(Answer::Silence),
            _ => Ok(Answer::Close),
        }
    })
}
