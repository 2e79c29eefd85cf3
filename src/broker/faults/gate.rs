//! Applies fault rules to requests between their header and their handler.

use std::time::Duration;

use kafka_protocol::messages::ApiKey;

use crate::broker::apis::{Api, Outcome};
use crate::broker::call::Call;
use crate::broker::response::Answer;

use super::rule::{Asked, Effect, End, Verdict};
use super::{error_answer, topics};

/// The answer of the handler or of the rules, and the ids of the rules that hit.
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
        // The error answer needs the request, which the handler consumes.
        let copy = matches!(effect, Effect::Fail(_)).then(|| call.clone());
        // A Fetch changes only its session, which the error answer advances itself.
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
