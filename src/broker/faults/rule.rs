//! A fault rule: which requests it matches, and what happens to them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A probability of 1, in the unit of [`Rule::per_million`].
pub const ALWAYS: u32 = 1_000_000;

/// One rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The key of the API; `None` for every API.
    pub api: Option<i16>,
    /// Only requests to the node of this id.
    pub node: Option<i32>,
    /// Only requests that name this topic.
    pub topic: Option<String>,
    /// Only requests of clients with this id.
    pub client_id: Option<String>,
    pub effect: Effect,
    /// Whether the request is handled first, so that only its answer is replaced or lost.
    pub is_handled: bool,
    /// How many matching requests pass first.
    pub skip: u64,
    /// The most requests to hit; `None` for no limit.
    pub count: Option<u64>,
    /// The probability of a hit, in millionths.
    pub per_million: u32,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is answered with this error code.
    Fail(i16),
    /// It is handled after a delay, in ms.
    DelayMs(u64),
    /// It gets no answer, nor does any later one on its connection, as if the broker hung.
    Drop,
    /// Its connection is closed.
    Close,
}

impl Rule {
    /// A rule that hits every request.
    pub fn new(effect: Effect) -> Self {
        Self {
            api: None,
            node: None,
            topic: None,
            client_id: None,
            effect,
            is_handled: false,
            skip: 0,
            count: None,
            per_million: ALWAYS,
        }
    }

    /// Whether the rule matches a request, apart from its topics.
    pub(super) fn is_about(&self, asked: Asked<'_>) -> bool {
        self.api.is_none_or(|api| api == asked.api)
            && self.node.is_none_or(|node| node == asked.node)
            && self.client_id.as_deref().is_none_or(|id| id == asked.client_id)
    }
}

/// The properties of a request that are known without decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The key of the API.
    pub api: i16,
    /// The id of the node that received it.
    pub node: i32,
    pub client_id: &'a str,
}

/// A rule in force, and its counts.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ListedRule {
    /// Its id, unique while the broker runs.
    pub id: u64,
    pub rule: Rule,
    /// Requests that it has matched.
    pub matched: u64,
    /// Requests that it has hit.
    pub hit: u64,
}

/// The effect of all rules on one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The ids of the rules that hit.
    pub rules: Vec<u64>,
    /// The sum of all delays.
    pub delay: Duration,
    /// The effect of the first rule that hits and is no delay.
    pub end: Option<End>,
}

/// How a request ends that is not answered as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Never a delay.
    pub effect: Effect,
    pub is_handled: bool,
}
