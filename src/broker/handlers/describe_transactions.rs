//! DescribeTransactions, version 0: transactional ids with their producers and the partitions of their transactions.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeTransactions>

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_transactions_response::{TopicData, TransactionState};
use kafka_protocol::messages::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, ProducerId, TransactionalId,
};

use super::{text, topic_name};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::transaction::transaction_data::Transaction;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let states = request.transactional_ids.into_iter().map(|id| {
        if id.is_empty() {
            return refused(id, ResponseError::InvalidRequest);
        }
        if let Err(error) = node.transactions.check_owner(&id) {
            return refused(id, error);
        }
        match node.transactions.describe(&id) {
            Some(transaction) => described(id, &transaction),
            None => refused(id, ResponseError::TransactionalIdNotFound),
        }
    });
    DescribeTransactionsResponse::default().with_transaction_states(states.collect())
}

fn refused(id: TransactionalId, error: ResponseError) -> TransactionState {
    TransactionState::default()
        .with_transactional_id(id)
        .with_error_code(error.code())
}

fn described(id: TransactionalId, transaction: &Transaction) -> TransactionState {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in &transaction.partitions {
        let indices = topics.entry(&partition.topic).or_default();
        indices.push(partition.partition);
    }
    let topics = topics.into_iter().map(|(name, partitions)| {
        TopicData::default()
            .with_topic(topic_name(name))
            .with_partitions(partitions)
    });
    TransactionState::default()
        .with_transactional_id(id)
        .with_transaction_state(text(transaction.state.name()))
        .with_transaction_timeout_ms(transaction.timeout_ms)
        .with_transaction_start_time_ms(transaction.started_ms)
        .with_producer_id(ProducerId(transaction.producer.id))
        .with_producer_epoch(transaction.producer.epoch)
        .with_topics(topics.collect())
}
