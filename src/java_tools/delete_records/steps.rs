//! The steps of `kafka-delete-records`: the file, one request to each leader, and a line for each partition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::admin_tool::{Failure, refusal_message};
use crate::client::admin::record_deletion::Cut;
use crate::client::admin::volumes::leaders;
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::java::hash_set_order::{hash_of_topic_partition, in_hash_order};
use crate::topic_partition::{BrokerId, Offset, TopicPartition};
use crate::wire::error_codes::{LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION};

/// The new log start offset of each partition.
pub(super) fn cuts(text: &str) -> Result<Vec<(TopicPartition, Offset)>, Failure> {
    // Java reads no further than the first value.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next().and_then(Result::ok);
    let value = value.ok_or_else(|| Failure::of("The input string is not a valid JSON"))?;
    let object = value
        .as_object()
        .ok_or_else(|| Failure::of(format!("Expected JSON object, received {value}")))?;
    if let Some(version) = object.get("version") {
        match integer(version)? {
            1 => {}
            other => return Err(Failure::of(format!("Not supported version field value {other}"))),
        }
    }
    let partitions = object
        .get("partitions")
        .ok_or_else(|| Failure::of("Missing partitions field"))?;
    let partitions = partitions
        .as_array()
        .ok_or_else(|| Failure::of(format!("Expected JSON array, received {partitions}")))?;
    let rows = partitions.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let mut cuts: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
    let mut twice = BTreeSet::new();
    for (partition, offset) in rows {
        if cuts.insert(partition.clone(), offset).is_some() {
            twice.insert(partition);
        }
    }
    if !twice.is_empty() {
        let hash = |name: &TopicPartition| hash_of_topic_partition(&name.topic, name.partition);
        let twice = in_hash_order(twice.into_iter().collect::<Vec<_>>(), hash);
        let names: Vec<String> = twice.iter().map(ToString::to_string).collect();
        return Err(Failure::of(format!(
            "Offset json file contains duplicate topic partitions: {}",
            names.join(",")
        )));
    }
    // Java prints them in an order that differs from run to run.
    Ok(cuts.into_iter().collect())
}

fn wrong(kind: &str, value: &Value) -> Failure {
    Failure::of(format!("Expected `{kind}` value, received {value}"))
}

fn integer(value: &Value) -> Result<i32, Failure> {
    let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| wrong("Integer", value))
}

fn row(value: &Value) -> Result<(TopicPartition, Offset), Failure> {
    if !value.is_object() {
        return Err(Failure::of(format!("Expected JSON object, received {value}")));
    }
    let field = |name: &str| {
        value
            .get(name)
            .ok_or_else(|| Failure::of(format!("No such field exists: `{name}`")))
    };
    let (topic, partition, offset) = (field("topic")?, field("partition")?, field("offset")?);
    let number = integer(partition)?;
    let name = topic.as_str().ok_or_else(|| wrong("String", topic))?;
    let offset = offset.as_i64().ok_or_else(|| wrong("Long", offset))?;
    Ok((TopicPartition::new(name, number), offset))
}

/// Deletes records, and prints the result for each partition; a refusal does not change the exit code.
pub(super) fn run(cuts: &[(TopicPartition, Offset)], context: &mut Context) -> Result<(), Failure> {
    let printing = |error| Failure::printing(&error);
    context
        .printer
        .line("Executing records delete operation")
        .map_err(printing)?;
    let mut outcomes = delete(cuts, context);
    let absent = context.client.connected_admin().map(AdminClient::take_absent);
    let silent = absent
        .unwrap_or_default()
        .into_values()
        .collect::<Vec<_>>()
        .join("; ");
    context
        .printer
        .line("Records delete operation completed:")
        .map_err(printing)?;
    for (partition, _) in cuts {
        let line = match outcomes.remove(partition) {
            Some(Ok(first)) => format!("partition: {partition}\tlow_watermark: {first}"),
            Some(Err(problem)) => format!("partition: {partition}\terror: {problem}"),
            None => format!(
                "partition: {partition}\terror: org.apache.kafka.common.errors.TimeoutException: {silent}"
            ),
        };
        context.printer.line(line).map_err(printing)?;
    }
    context.printer.flush().map_err(printing)
}

/// The result for each partition whose leader answers: the log start offset, or a message.
fn delete(
    cuts: &[(TopicPartition, Offset)],
    context: &mut Context,
) -> BTreeMap<TopicPartition, Result<Offset, String>> {
    match try_to_delete(cuts, context) {
        Ok(outcomes) => outcomes,
        Err(failure) => {
            let all = cuts.iter();
            all.map(|(partition, _)| (partition.clone(), Err(failure.message.clone())))
                .collect()
        }
    }
}

fn try_to_delete(
    cuts: &[(TopicPartition, Offset)],
    context: &mut Context,
) -> Result<BTreeMap<TopicPartition, Result<Offset, String>>, Failure> {
    let mut outcomes = BTreeMap::new();
    if cuts.is_empty() {
        return Ok(outcomes);
    }
    let call = "deleteRecords(api=METADATA)";
    let asking = |error: &crate::error::Error| Failure::executing(error, call);
    let admin = context.client.admin().map_err(|error| asking(&error))?;
    let topics = admin.all_topics().map_err(|error| asking(&error))?;
    let led: BTreeMap<TopicPartition, BrokerId> = leaders(&topics).into_iter().collect();
    let exists = |name: &TopicPartition| {
        let topic = topics.iter().find(|topic| topic.name == name.topic);
        topic.is_some_and(|topic| {
            let mut partitions = topic.partitions.iter();
            partitions.any(|partition| partition.partition == name.partition)
        })
    };
    let mut wanted: Vec<Cut> = Vec::new();
    for (partition, offset) in cuts {
        if !is_name(&partition.topic) {
            let message = format!(
                "org.apache.kafka.common.errors.InvalidTopicException: Failed to fetch metadata for partition \
                 {partition} due to invalid topic `{}`",
                partition.topic
            );
            outcomes.insert(partition.clone(), Err(message));
            continue;
        }
        if let Some(leader) = led.get(partition) {
            wanted.push((partition.clone(), *leader, *offset));
            continue;
        }
        let code = if exists(partition) {
            LEADER_NOT_AVAILABLE
        } else {
            UNKNOWN_TOPIC_OR_PARTITION
        };
        let refusal = ApiError { code, message: None };
        outcomes.insert(partition.clone(), Err(refusal_message(&refusal)));
    }
    let answers = admin.delete_records(&wanted).map_err(|error| asking(&error))?;
    outcomes.extend(
        answers
            .into_iter()
            .map(|(partition, answer)| (partition, answer.map_err(|refusal| refusal_message(&refusal)))),
    );
    Ok(outcomes)
}

/// Whether a topic can be called so.
fn is_name(topic: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    !topic.is_empty() && topic.len() <= 249 && topic != "." && topic != ".." && topic.chars().all(is_letter)
}
