//! The steps of `kafka-transactions`, in the order of Apache Kafka's own tool.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::admin_tool::Failure;
use super::super::argparse::Namespace;
use super::{exit_for, exit_message, hanging};
use crate::client::admin::producers::{OpenTransaction, ProducerState};
use crate::client::admin::transactions::TransactionDescription;
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::Error;
use crate::java::hash_set_order::{hash_of_topic_partition, in_hash_order};
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::error_codes::{
    CLUSTER_AUTHORIZATION_FAILED, INVALID_PRODUCER_EPOCH, LEADER_NOT_AVAILABLE,
    TRANSACTION_COORDINATOR_FENCED, UNKNOWN_TOPIC_OR_PARTITION,
};

/// The name of the call for producers in messages of Java's client.
pub(super) const DESCRIBE_PRODUCERS: &str = "describeProducers(api=DESCRIBE_PRODUCERS)";

/// The transaction time-out with which Java fences producers, in milliseconds.
const FENCING_TIMEOUT_MS: i32 = 30_000;

pub(super) fn run(given: &Namespace, context: &mut Context) -> Result<(), Failure> {
    match given.command {
        "list" => list(given, context)?,
        "describe" => describe(given.value("transactional-id").unwrap_or_default(), context)?,
        "describe-producers" => describe_producers(given, context)?,
        "abort" => abort(given, context)?,
        "find-hanging" => hanging::find(given, context)?,
        _ => terminate(given.value("transactionalId").unwrap_or_default(), context)?,
    }
    context.printer.flush().map_err(|error| Failure::printing(&error))
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

/// A number that the option parser has checked.
pub(super) fn number<N: std::str::FromStr>(given: &Namespace, option: &str) -> Option<N> {
    given.value(option).and_then(|text| text.parse().ok())
}

/// Columns as wide as their longest cell, each with a tab after it.
pub(super) fn print(headings: &[&str], rows: &[Vec<String>], context: &mut Context) -> Result<(), Failure> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.encode_utf16().count());
        }
    }
    let headings: Vec<String> = headings.iter().map(ToString::to_string).collect();
    for row in std::iter::once(&headings).chain(rows) {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}\t")).collect();
        let line = cells.concat();
        context
            .printer
            .line(line)
            .map_err(|error| Failure::printing(&error))?;
    }
    Ok(())
}

fn list(given: &Namespace, context: &mut Context) -> Result<(), Failure> {
    let failed = |error: &Error| exit_for("Failed to list transactions", error, "listTransactions");
    let duration = number(given, "duration-filter").unwrap_or(-1);
    let pattern = given.value("transactional-id-pattern");
    let admin = context.client.admin().map_err(|error| failed(&error))?;
    let listed = admin.list_transactions_matching(duration, pattern);
    let listed = listed.map_err(|error| match error.cause::<ApiError>() {
        Some(_) => exit_message("Failed to list transactions", &refused_listing(admin)),
        None => failed(&error),
    })?;
    if let Some(why) = admin.take_absent().into_values().next() {
        return Err(exit_message("Failed to list transactions", &why));
    }
    let mut rows: Vec<(BrokerId, Vec<String>)> = listed
        .into_iter()
        .map(|listing| {
            let (coordinator, producer) = (listing.coordinator.to_string(), listing.producer_id.to_string());
            (
                listing.coordinator,
                vec![listing.id, coordinator, producer, listing.state],
            )
        })
        .collect();
    rows.sort_by_key(|(coordinator, _)| *coordinator);
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(_, row)| row).collect();
    let headings = ["TransactionalId", "Coordinator", "ProducerId", "TransactionState"];
    print(&headings, &rows, context)
}

/// What Java says where a broker refuses to list: every broker refuses the same, and the first is named.
fn refused_listing(admin: &mut AdminClient) -> String {
    let first = admin.brokers().ok().and_then(|brokers| brokers.first());
    let broker = first.map_or(-1, |broker| broker.id);
    format!("ListTransactions request sent to broker {broker} failed with an unexpected exception")
}

fn describe(id: &str, context: &mut Context) -> Result<(), Failure> {
    let what = format!("Failed to describe transaction state of transactional-id `{id}`");
    let failed = |error: &Error| exit_for(&what, error, "describeTransactions");
    let admin = context.client.admin().map_err(|error| failed(&error))?;
    let described = admin.describe_transaction(id).map_err(|error| failed(&error))?;
    let described = described.map_err(|refusal| {
        let why = if refusal.name() == "TRANSACTIONAL_ID_NOT_FOUND" {
            "because the ID could not be found"
        } else {
            "due to unexpected error"
        };
        let why = format!("DescribeTransactions request for transactionalId `{id}` failed {why}");
        exit_message(&what, &why)
    })?;
    let listed = admin.list_transactions().map_err(|error| failed(&error))?;
    let coordinator = listed.iter().find(|listing| listing.id == id);
    let coordinator = coordinator.map_or(-1, |listing| listing.coordinator);
    let partitions = in_hash_order(described.partitions, |partition| {
        hash_of_topic_partition(&partition.topic, partition.partition)
    });
    let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    let (started, duration) = match described.started_ms {
        Some(started_ms) => (started_ms.to_string(), (now_ms() - started_ms).to_string()),
        None => ("None".to_owned(), "None".to_owned()),
    };
    let row = vec![
        coordinator.to_string(),
        id.to_owned(),
        described.producer_id.to_string(),
        described.producer_epoch.to_string(),
        described.state,
        described.timeout_ms.to_string(),
        started,
        duration,
        partitions.join(","),
    ];
    let headings = [
        "CoordinatorId",
        "TransactionalId",
        "ProducerId",
        "ProducerEpoch",
        "TransactionState",
        "TransactionTimeoutMs",
        "CurrentTransactionStartTimeMs",
        "TransactionDurationMs",
        "TopicPartitions",
    ];
    print(&headings, &[row], context)
}

/// The partition that the options name.
fn partition(given: &Namespace) -> TopicPartition {
    let topic = given.value("topic").unwrap_or_default();
    TopicPartition::new(topic, number(given, "partition").unwrap_or_default())
}

/// The producers of one partition, as one broker or the leader reports them; `what` begins the message of a failure.
fn producers_of(
    partition: &TopicPartition,
    broker: Option<BrokerId>,
    what: &str,
    context: &mut Context,
) -> Result<(Vec<ProducerState>, BrokerId), Failure> {
    let failed = |error: &Error| exit_for(what, error, DESCRIBE_PRODUCERS);
    let refused = |code: i16| exit_message(what, ApiError { code, message: None }.java_message());
    let admin = context.client.admin().map_err(|error| failed(&error))?;
    let broker = if let Some(broker) = broker {
        let up = admin.brokers().map_err(|error| failed(&error))?;
        if !up.iter().any(|known| known.id == broker) {
            let why = format!("Timed out waiting for a node assignment. Call: {DESCRIBE_PRODUCERS}");
            return Err(exit_message(what, &why));
        }
        broker
    } else {
        let topics = admin.all_topics().map_err(|error| failed(&error))?;
        let topic = topics.iter().find(|topic| topic.name == partition.topic);
        let found = topic.and_then(|topic| {
            let mut partitions = topic.partitions.iter();
            partitions.find(|known| known.partition == partition.partition)
        });
        let found = found.ok_or_else(|| refused(UNKNOWN_TOPIC_OR_PARTITION))?;
        found.leader.ok_or_else(|| refused(LEADER_NOT_AVAILABLE))?
    };
    let mut answers = admin
        .describe_producers(&[(partition.clone(), broker)])
        .map_err(|error| failed(&error))?;
    match answers.remove(partition) {
        Some(Ok(states)) => Ok((states, broker)),
        Some(Err(refusal)) => Err(exit_message(what, refusal.java_message())),
        None => {
            let why = admin.take_absent().into_values().next().unwrap_or_default();
            Err(exit_message(what, &why))
        }
    }
}

fn describe_producers(given: &Namespace, context: &mut Context) -> Result<(), Failure> {
    let partition = partition(given);
    let broker = number(given, "broker-id");
    let place = broker.map_or("leader".to_owned(), |broker: BrokerId| format!("broker {broker}"));
    let what = format!("Failed to describe producers for partition {partition} on {place}");
    let (states, _) = producers_of(&partition, broker, &what, context)?;
    let rows: Vec<Vec<String>> = states
        .iter()
        .map(|state| {
            let start = state.transaction_start;
            vec![
                state.producer_id.to_string(),
                state.producer_epoch.to_string(),
                state.coordinator_epoch.unwrap_or(-1).to_string(),
                state.last_sequence.to_string(),
                state.last_timestamp.to_string(),
                start.map_or("None".to_owned(), |offset| offset.to_string()),
            ]
        })
        .collect();
    let headings = [
        "ProducerId",
        "ProducerEpoch",
        "LatestCoordinatorEpoch",
        "LastSequence",
        "LastTimestamp",
        "CurrentTransactionStartOffset",
    ];
    print(&headings, &rows, context)
}

fn abort(given: &Namespace, context: &mut Context) -> Result<(), Failure> {
    let partition = partition(given);
    let start: Option<i64> = number(given, "start-offset");
    let producer_id: Option<i64> = number(given, "producer-id");
    let missing = |option: &str| Failure::of(format!("Missing required argument --{option}"));
    let transaction = match (start, producer_id) {
        (Some(start), _) => transaction_at(&partition, start, context)?,
        (None, Some(producer_id)) => {
            let epoch: i32 = number(given, "coordinator-epoch").unwrap_or(-1);
            let producer_epoch = number(given, "producer-epoch").ok_or_else(|| missing("producer-epoch"))?;
            if !given.has("coordinator-epoch") {
                return Err(missing("coordinator-epoch"));
            }
            OpenTransaction {
                partition: partition.clone(),
                producer_id,
                producer_epoch,
                coordinator_epoch: epoch.max(0),
            }
        }
        (None, None) => {
            return Err(Failure::of(
                "The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) or \
                 with --producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)",
            ));
        }
    };
    let wanted = format!(
        "AbortTransactionSpec(topicPartition={partition}, producerId={}, producerEpoch={}, coordinatorEpoch={})",
        transaction.producer_id, transaction.producer_epoch, transaction.coordinator_epoch
    );
    let what = format!("Failed to abort transaction {wanted}");
    let failed = |error: &Error| exit_for(&what, error, "abortTransaction");
    let leader = leader_of(&partition, &what, context)?;
    let admin = context.client.admin().map_err(|error| failed(&error))?;
    let written = admin.write_abort_marker(&transaction, leader);
    let written = written.map_err(|error| failed(&error))?;
    written.map_err(|refusal| {
        let why = why_not_aborted(&refusal, transaction.coordinator_epoch);
        exit_message(
            &what,
            &format!("WriteTxnMarkers request with {wanted} failed {why}"),
        )
    })
}

fn why_not_aborted(refusal: &ApiError, epoch: i32) -> String {
    match refusal.code {
        INVALID_PRODUCER_EPOCH => "due an invalid producer epoch".to_owned(),
        TRANSACTION_COORDINATOR_FENCED => {
            format!("since the provided coordinator epoch {epoch} has been fenced by the active coordinator")
        }
        CLUSTER_AUTHORIZATION_FAILED => "due to cluster authorization error".to_owned(),
        _ => format!("due to unexpected error: {}", refusal.java_message()),
    }
}

fn leader_of(partition: &TopicPartition, what: &str, context: &mut Context) -> Result<BrokerId, Failure> {
    producers_of(partition, None, what, context).map(|(_, leader)| leader)
}

/// The open transaction that begins at an offset.
fn transaction_at(
    partition: &TopicPartition,
    start: i64,
    context: &mut Context,
) -> Result<OpenTransaction, Failure> {
    let what = format!("Failed to validate producer state for partition {partition}");
    let (states, _) = producers_of(partition, None, &what, context)?;
    let found = states.iter().find(|state| state.transaction_start == Some(start));
    let found = found.ok_or_else(|| {
        Failure::of(format!(
            "Could not find any open transactions starting at offset {start} on partition {partition}"
        ))
    })?;
    Ok(OpenTransaction {
        partition: partition.clone(),
        producer_id: found.producer_id,
        producer_epoch: i16::try_from(found.producer_epoch).unwrap_or(i16::MAX),
        coordinator_epoch: found.coordinator_epoch.unwrap_or(0),
    })
}

/// Fences the producer of a transactional id; an unknown id is created, as in Java.
fn terminate(id: &str, context: &mut Context) -> Result<(), Failure> {
    let what = format!("Failed to force terminate transactionalId `{id}`");
    let failed = |error: &Error| exit_for(&what, error, "fenceProducers");
    let transaction = TransactionDescription {
        id: id.to_owned(),
        state: String::new(),
        producer_id: -1,
        producer_epoch: -1,
        timeout_ms: FENCING_TIMEOUT_MS,
        started_ms: None,
        partitions: Vec::new(),
    };
    let admin = context.client.admin().map_err(|error| failed(&error))?;
    let aborted = admin
        .abort_transaction(&transaction)
        .map_err(|error| failed(&error))?;
    aborted.map_err(|refusal| exit_message(&what, refusal.java_message()))
}
