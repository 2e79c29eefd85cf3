//! What a fault rule says: which requests it is about, and what becomes of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A probability of 1, in the unit of [`Rule::per_million`].
pub const ALWAYS: u32 = 1_000_000;

/// One rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The key of the API; every API where there is none.
    pub api: Option<i16>,
    /// Requests to the node with this id.
    pub node: Option<i32>,
    /// Requests that name this topic.
    pub topic: Option<String>,
    /// Requests of clients with this id.
    pub client_id: Option<String>,
    pub effect: Effect,
    /// The request is carried out, and only its answer is replaced or lost.
    pub is_handled: bool,
    /// So many matching requests pass first.
    pub skip: u64,
    /// So many requests are hit; all where there is no number.
    pub count: Option<u64>,
    /// How likely a request is hit, in millionths.
    pub per_million: u32,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is answered with this error code.
    Fail(i16),
    /// It is carried out after so many milliseconds.
    DelayMs(u64),
    /// It gets no answer, nor does any later one on its connection, as if the broker hung.
    Drop,
    /// Its connection is closed.
    Close,
}

impl Rule {
    /// A rule for every request.
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

    /// Whether the rule is about a request, its topics aside.
    pub(super) fn is_about(&self, asked: Asked<'_>) -> bool {
        self.api.is_none_or(|api| api == asked.api)
            && self.node.is_none_or(|node| node == asked.node)
            && self.client_id.as_deref().is_none_or(|id| id == asked.client_id)
    }
}

/// A request, as far as rules tell it from others without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The key of the API.
    pub api: i16,
    /// The id of the node that is asked.
    pub node: i32,
    pub client_id: &'a str,
}

/// A rule in force, and what it has done so far.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ListedRule {
    /// Names it, as long as the broker runs.
    pub id: u64,
    pub rule: Rule,
    /// Requests that it matched.
    pub matched: u64,
    /// Requests that it hit.
    pub hit: u64,
}

/// What becomes of one request, all rules together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The ids of the rules that have hit.
    pub rules: Vec<u64>,
    /// Waits of several rules add up.
    pub delay: Duration,
    /// Of the first rule that hits and is no delay.
    pub end: Option<End>,
}

/// How a request ends that is not answered as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Never a delay.
    pub effect: Effect,
    pub is_handled: bool,
}
