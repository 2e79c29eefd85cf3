//! Transactional ids and their transactions: list, describe (KIP-664), abort.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeTransactions>

use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::{
    DescribeTransactionsRequest, InitProducerIdRequest, ListTransactionsRequest, ProducerId, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;

use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, TopicPartition};

/// A transactional id as its coordinator lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionListing {
    pub id: String,
    /// `Ongoing`, `CompleteCommit`, …
    pub state: String,
    pub producer_id: i64,
    pub coordinator: BrokerId,
}

/// A transactional id with its transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionDescription {
    pub id: String,
    /// `Ongoing`, `CompleteCommit`, …
    pub state: String,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Milliseconds after which an open transaction is aborted.
    pub timeout_ms: i32,
    /// When the last transaction began, in milliseconds since 1970; `None` before the first.
    pub started_ms: Option<i64>,
    /// The partitions in the open transaction, in order.
    pub partitions: Vec<TopicPartition>,
}

/// The pause before a coordinator is asked again whether an abort is done: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

impl AdminClient {
    /// Aborts the open transaction of a transactional id, and waits until its markers are written. As when a new
    /// producer begins with the id, the producer of the transaction is fenced.
    pub fn abort_transaction(
        &mut self,
        transaction: &TransactionDescription,
    ) -> Result<Result<(), ApiError>> {
        let id = TransactionalId(StrBytes::from_string(transaction.id.clone()));
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(id))
            .with_transaction_timeout_ms(transaction.timeout_ms)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let end = Instant::now() + self.time_left();
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = self.send_to_transaction_coordinator(&transaction.id, request.clone())?;
            match ApiError::of(answer.error_code, None::<String>) {
                None => return Ok(Ok(())),
                // The abort is in progress, or the coordinator moves.
                Some(refusal) if refusal.is_retriable() && Instant::now() + pause < end => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Some(refusal) => return Ok(Err(refusal)),
            }
        }
    }

    /// Every transactional id of the cluster, by name.
    pub fn list_transactions(&mut self) -> Result<Vec<TransactionListing>> {
        self.list_transactions_matching(-1, None)
    }

    /// The transactional ids whose transactions have been open for longer than `duration_ms` (-1 is all, KIP-994), and
    /// whose names match a regular expression (KIP-1152).
    pub fn list_transactions_matching(
        &mut self,
        duration_ms: i64,
        pattern: Option<&str>,
    ) -> Result<Vec<TransactionListing>> {
        let pattern = pattern.map(|pattern| StrBytes::from_string(pattern.to_owned()));
        let brokers: Vec<BrokerId> = self.brokers()?.iter().map(|broker| broker.id).collect();
        let requests = brokers.into_iter().map(|broker| {
            (
                broker,
                ListTransactionsRequest::default()
                    .with_duration_filter(duration_ms)
                    .with_transactional_id_pattern(pattern.clone()),
            )
        });
        let mut transactions = Vec::new();
        for (broker, answer) in self.send_to_each(requests.collect())? {
            let answer = answer?;
            ApiError::check(answer.error_code, None::<String>)?;
            let listed = answer.transaction_states.into_iter();
            transactions.extend(listed.map(|state| TransactionListing {
                id: state.transactional_id.to_string(),
                state: state.transaction_state.to_string(),
                producer_id: state.producer_id.0,
                coordinator: broker,
            }));
        }
        transactions.sort();
        Ok(transactions)
    }

    /// One transactional id with its transaction; an error of code 105 when there is no such id.
    pub fn describe_transaction(&mut self, id: &str) -> Result<Result<TransactionDescription, ApiError>> {
        let wanted = TransactionalId(StrBytes::from_string(id.to_owned()));
        let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![wanted]);
        let answer = self.send_to_transaction_coordinator(id, request)?;
        let Some(state) = answer.transaction_states.into_iter().next() else {
            return Ok(Err(ApiError {
                code: -1,
                message: None,
            }));
        };
        if let Some(error) = ApiError::of(state.error_code, None::<String>) {
            return Ok(Err(error));
        }
        let mut partitions: Vec<TopicPartition> = state
            .topics
            .iter()
            .flat_map(|topic| {
                let indices = topic.partitions.iter();
                indices.map(|index| TopicPartition::new(topic.topic.as_str(), *index))
            })
            .collect();
        partitions.sort();
        Ok(Ok(TransactionDescription {
            id: state.transactional_id.to_string(),
            state: state.transaction_state.to_string(),
            producer_id: state.producer_id.0,
            producer_epoch: state.producer_epoch,
            timeout_ms: state.transaction_timeout_ms,
            started_ms: Some(state.transaction_start_time_ms).filter(|at_ms| *at_ms >= 0),
            partitions,
        }))
    }
}
