//! `find-hanging` of `kafka-transactions`: open transactions in partitions that no coordinator will end (KIP-664).

use std::collections::BTreeMap;

use super::super::admin_tool::Failure;
use super::super::argparse::Namespace;
use super::steps::{DESCRIBE_PRODUCERS, now_ms, number, print};
use super::{exit_for, exit_message};
use crate::client::admin::producers::ProducerState;
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::Error;
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

/// The default of `--max-transaction-timeout`, in minutes: the default of `transaction.max.timeout.ms`.
const MAX_TIMEOUT: i64 = 15;
const MINUTE_MS: i64 = 60_000;

/// An open transaction of a partition.
type Open = (TopicPartition, ProducerState);

pub(super) fn find(given: &Namespace, context: &mut Context) -> Result<(), Failure> {
    if !given.has("topic") && !given.has("broker-id") {
        return Err(Failure::of(
            "The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search",
        ));
    }
    if given.has("partition") && !given.has("topic") {
        return Err(Failure::of(
            "The --partition argument requires --topic to be provided",
        ));
    }
    let minutes: i64 = number(given, "max-transaction-timeout").unwrap_or(MAX_TIMEOUT);
    let admin = context
        .client
        .admin()
        .map_err(|error| exit_for("Failed to list topics", &error, "listTopics"))?;
    let partitions = partitions(given, admin)?;
    let open = open_transactions(&partitions, minutes * MINUTE_MS, admin)?;
    let hanging = if open.is_empty() {
        open
    } else {
        keep_hanging(open, admin)?
    };
    show(&hanging, context)
}

/// The partitions to search, each with the broker to ask.
fn partitions(
    given: &Namespace,
    admin: &mut AdminClient,
) -> Result<Vec<(TopicPartition, BrokerId)>, Failure> {
    let topics = admin
        .all_topics()
        .map_err(|error| exit_for("Failed to list topics", &error, "listTopics"))?;
    let broker: Option<BrokerId> = number(given, "broker-id");
    let number: Option<i32> = number(given, "partition");
    let wanted = given.value("topic");
    if wanted.is_some_and(|wanted| !topics.iter().any(|topic| topic.name == wanted)) {
        let missing = ApiError {
            code: UNKNOWN_TOPIC_OR_PARTITION,
            message: None,
        };
        return Err(exit_message(
            "Failed to describe 1 topics",
            missing.java_message(),
        ));
    }
    let is_wanted = |topic: &&TopicDescription| wanted.is_none_or(|wanted| topic.name == wanted);
    let mut chosen = Vec::new();
    for topic in topics.iter().filter(is_wanted) {
        for partition in &topic.partitions {
            if number.is_some_and(|number| number != partition.partition) {
                continue;
            }
            if let Some(asked) = asked(broker, partition) {
                let name = TopicPartition::new(topic.name.as_str(), partition.partition);
                chosen.push((name, asked));
            }
        }
    }
    Ok(chosen)
}

/// The broker to ask about a partition: the one in the options, if it has a replica, or else the leader.
fn asked(broker: Option<BrokerId>, partition: &PartitionDescription) -> Option<BrokerId> {
    match broker {
        Some(broker) => partition.replicas.contains(&broker).then_some(broker),
        None => partition.leader,
    }
}

fn open_transactions(
    partitions: &[(TopicPartition, BrokerId)],
    max_ms: i64,
    admin: &mut AdminClient,
) -> Result<Vec<Open>, Failure> {
    let what = format!("Failed to describe producers for {} partitions", partitions.len());
    let answers = admin
        .describe_producers(partitions)
        .map_err(|error| exit_for(&what, &error, DESCRIBE_PRODUCERS))?;
    if let Some(why) = admin.take_absent().into_values().next() {
        return Err(exit_message(&what, &why));
    }
    let now_ms = now_ms();
    let mut open = Vec::new();
    for (partition, answer) in answers {
        let states = answer.map_err(|refusal| exit_message(&what, refusal.java_message()))?;
        let old = states
            .into_iter()
            .filter(|state| state.transaction_start.is_some() && now_ms - state.last_timestamp > max_ms);
        open.extend(old.map(|state| (partition.clone(), state)));
    }
    Ok(open)
}

/// Removes those that a coordinator knows: it will write their markers.
fn keep_hanging(open: Vec<Open>, admin: &mut AdminClient) -> Result<Vec<Open>, Failure> {
    let what = format!("Failed to list transactions for {} producers", open.len());
    let failed = |error: &Error| exit_for(&what, error, "listTransactions");
    let listed = admin.list_transactions().map_err(|error| failed(&error))?;
    let mut known: BTreeMap<i64, Vec<TopicPartition>> = BTreeMap::new();
    for transaction in listed {
        if !open
            .iter()
            .any(|(_, state)| state.producer_id == transaction.producer_id)
        {
            continue;
        }
        let described = admin.describe_transaction(&transaction.id).map_err(|error| {
            exit_for(
                "Failed to describe 1 transactions",
                &error,
                "describeTransactions",
            )
        })?;
        let partitions = match described {
            Ok(described) => described.partitions,
            Err(refusal) if refusal.name() == "TRANSACTIONAL_ID_NOT_FOUND" => Vec::new(),
            Err(refusal) => {
                let what = "Failed to describe 1 transactions";
                return Err(exit_message(what, refusal.java_message()));
            }
        };
        known.insert(transaction.producer_id, partitions);
    }
    let is_hanging = |(partition, state): &Open| {
        let partitions = known.get(&state.producer_id);
        partitions.is_none_or(|partitions| !partitions.contains(partition))
    };
    Ok(open.into_iter().filter(is_hanging).collect())
}

fn show(hanging: &[Open], context: &mut Context) -> Result<(), Failure> {
    let now_ms = now_ms();
    let rows: Vec<Vec<String>> = hanging
        .iter()
        .map(|(partition, state)| {
            vec![
                partition.topic.clone(),
                partition.partition.to_string(),
                state.producer_id.to_string(),
                state.producer_epoch.to_string(),
                state.coordinator_epoch.unwrap_or(-1).to_string(),
                state.transaction_start.unwrap_or(-1).to_string(),
                state.last_timestamp.to_string(),
                ((now_ms - state.last_timestamp) / MINUTE_MS).to_string(),
            ]
        })
        .collect();
    let headings = [
        "Topic",
        "Partition",
        "ProducerId",
        "ProducerEpoch",
        "CoordinatorEpoch",
        "StartOffset",
        "LastTimestamp",
        "Duration(min)",
    ];
    print(&headings, &rows, context)
}
