//! ListTransactions, versions 0–2: transactional ids that pass every filter of the request.
//!
//! - States by name; unknown names are listed in the answer. Producer ids.
//! - v1: transactions open for longer than a duration in ms; -1 for no filter. An id without a transaction began at
//!   -1.
//! - v2: a regular expression that the whole id must match; `INVALID_REGULAR_EXPRESSION` if it is malformed.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListTransactions>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_transactions_response::TransactionState as Listed;
use kafka_protocol::messages::{
    ListTransactionsRequest, ListTransactionsResponse, ProducerId, TransactionalId,
};
use regex::Regex;

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::transaction::transaction_data::Transaction;
use crate::broker::coordinator::transaction::transaction_state::TransactionState;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ListTransactionsRequest,
) -> ListTransactionsResponse {
    let pattern = request
        .transactional_id_pattern
        .as_deref()
        .filter(|pattern| !pattern.is_empty());
    let Ok(pattern) = pattern.map(whole_match).transpose() else {
        let error = ResponseError::InvalidRegularExpression;
        return ListTransactionsResponse::default().with_error_code(error.code());
    };
    let mut states = Vec::new();
    let mut unknown = Vec::new();
    for name in &request.state_filters {
        match TransactionState::from_name(name) {
            Some(state) => states.push(state),
            None => unknown.push(name.clone()),
        }
    }
    let now_ms = steady_ms();
    let is_listed = |id: &str, transaction: &Transaction| {
        let has_state = request.state_filters.is_empty() || states.contains(&transaction.state);
        let has_producer = request.producer_id_filters.is_empty()
            || request
                .producer_id_filters
                .contains(&ProducerId(transaction.producer.id));
        let is_long = context.version < 1
            || request.duration_filter < 0
            || now_ms.saturating_sub(transaction.started_ms) > request.duration_filter;
        let matches = pattern.as_ref().is_none_or(|pattern| pattern.is_match(id));
        has_state && has_producer && is_long && matches
    };
    let listed = node.transactions.list().into_iter();
    let listed = listed
        .filter(|(id, transaction)| is_listed(id, transaction))
        .map(|(id, transaction)| {
            Listed::default()
                .with_transactional_id(TransactionalId(text(id)))
                .with_producer_id(ProducerId(transaction.producer.id))
                .with_transaction_state(text(transaction.state.name()))
        });
    ListTransactionsResponse::default()
        .with_unknown_state_filters(unknown)
        .with_transaction_states(listed.collect())
}

/// A client's regular expression, of bounded cost, that has to match a whole id.
fn whole_match(pattern: &str) -> Result<Regex, regex::Error> {
    // First by itself: a pattern must not close the group around it.
    Regex::new(pattern)?;
    Regex::new(&format!("^(?:{pattern})$"))
}
