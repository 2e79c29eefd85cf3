//! A transactional producer: a record into each partition, then commit or abort, and what became of each transaction.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, EndTxnRequest, ProducerId, TopicName, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::batch_builder::Producer;

use super::link::{Link, check};
use super::producers::{init, produce};
use super::{PARTITIONS, Shared};

const ID: &str = "torture";
const TOPIC: &str = "transactions";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Committed,
    Aborted,
    /// The cluster has ended it, and did not say how.
    Unknown,
}

/// What became of each transaction.
#[derive(Debug, Default)]
pub(super) struct Ended(BTreeMap<u64, Outcome>);

impl Ended {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Committed ones are visible in every partition, aborted ones in none, and others in all or none; in order.
    pub(super) fn check(&self, shared: &Shared, found: &BTreeMap<i32, Vec<(i64, String)>>) {
        let mut seen: BTreeMap<u64, BTreeSet<i32>> = BTreeMap::new();
        for (partition, records) in found {
            let numbers: Vec<u64> = records
                .iter()
                .map(|(_, value)| value.parse().expect("a number"))
                .collect();
            if !numbers.is_sorted_by(|a, b| a < b) {
                shared.broke(format!(
                    "transactions of {partition} are not in order, or twice: {numbers:?}"
                ));
            }
            for number in numbers {
                seen.entry(number).or_default().insert(*partition);
            }
        }
        for (number, outcome) in &self.0 {
            let parts = seen.get(number).map_or(0, BTreeSet::len);
            let is_right = match outcome {
                Outcome::Committed => parts == PARTITIONS as usize,
                Outcome::Aborted => parts == 0,
                Outcome::Unknown => parts == 0 || parts == PARTITIONS as usize,
            };
            if !is_right {
                shared.broke(format!(
                    "transaction {number} is {outcome:?}, and {parts} parts are visible"
                ));
            }
        }
    }
}

pub(super) fn run(shared: &Shared) -> Ended {
    let mut coordinator = Link::new(shared);
    let mut leaders = Link::new(shared);
    let mut producer = init(&mut coordinator, Some(ID));
    let mut ended = Ended::default();
    let mut sequence = 0;
    let mut number = 0;
    while !shared.is_over() {
        let current = Producer {
            base_sequence: sequence,
            ..producer
        };
        let commits = number % 4 != 3;
        let outcome = transact(&mut coordinator, &mut leaders, current, number, commits);
        match outcome {
            Ok(()) => {
                let outcome = if commits {
                    Outcome::Committed
                } else {
                    Outcome::Aborted
                };
                ended.0.insert(number, outcome);
                sequence += 1;
            }
            // It took too long: begin anew. Only lost records could bring the sequence out of order.
            Err(error) => {
                if error == ResponseError::OutOfOrderSequenceNumber {
                    shared.broke(format!("transaction {number}: {error}"));
                }
                ended.0.insert(number, Outcome::Unknown);
                producer = init(&mut coordinator, Some(ID));
                sequence = 0;
            }
        }
        number += 1;
    }
    ended
}

fn transact(
    coordinator: &mut Link,
    leaders: &mut Link,
    producer: Producer,
    number: u64,
    commits: bool,
) -> Result<(), ResponseError> {
    let id = || TransactionalId(StrBytes::from_static_str(ID));
    let topic = AddPartitionsToTxnTopic::default()
        .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
        .with_partitions((0..PARTITIONS).collect());
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(id())
        .with_v3_and_below_producer_id(ProducerId(producer.id))
        .with_v3_and_below_producer_epoch(producer.epoch)
        .with_v3_and_below_topics(vec![topic]);
    coordinator.ask(&request, 3, |response| {
        let results = &response.results_by_topic_v3_and_below[0].results_by_partition;
        results
            .iter()
            .try_for_each(|result| check(result.partition_error_code))
    })?;
    for partition in 0..PARTITIONS {
        produce(
            leaders,
            Some(ID),
            (TOPIC, partition),
            producer,
            &number.to_string(),
        )?;
    }
    let request = EndTxnRequest::default()
        .with_transactional_id(id())
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_committed(commits);
    coordinator.ask(&request, 3, |response| check(response.error_code))
}
