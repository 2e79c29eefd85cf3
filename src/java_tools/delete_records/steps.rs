//! The steps of `kafka-delete-records`: the file, one request to each leader, and a line for each partition.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::admin_tool::{Failure, refusal_message};
use crate::client::admin::record_deletion::Cut;
use crate::client::admin::volumes::leaders;
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};
use crate::wire::error_codes::{LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION};

/// The new log start offset of each partition.
pub(super) fn cuts(text: &str) -> Result<Vec<(TopicPartition, Offset)>, Failure> {
    let value: Value =
        serde_json::from_str(text).map_err(|_| Failure::of("The input string is not a valid JSON"))?;
    let object = value
        .as_object()
        .ok_or_else(|| Failure::of(format!("Expected JSON object, received {value}")))?;
    if let Some(version) = object.get("version")
        && version.as_i64() != Some(1)
    {
        return Err(Failure::of(format!(
            "Not supported version field value {version}"
        )));
    }
    let partitions = object
        .get("partitions")
        .ok_or_else(|| Failure::of("Missing partitions field"))?;
    let partitions = partitions
        .as_array()
        .ok_or_else(|| Failure::of(format!("Expected JSON array, received {partitions}")))?;
    let rows = partitions.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let mut cuts: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
    for (partition, offset) in rows {
        if cuts.insert(partition.clone(), offset).is_some() {
            return Err(Failure::of(format!(
                "Offset json file contains duplicate topic partitions: {partition}"
            )));
        }
    }
    // Java prints them in an order that differs from run to run.
    Ok(cuts.into_iter().collect())
}

fn row(value: &Value) -> Result<(TopicPartition, Offset), Failure> {
    let field = |name: &str| {
        value
            .get(name)
            .ok_or_else(|| Failure::of(format!("No such field exists: `{name}`")))
    };
    let wrong = |kind: &str, value: &Value| Failure::of(format!("Expected `{kind}` value, received {value}"));
    let (topic, partition, offset) = (field("topic")?, field("partition")?, field("offset")?);
    let number = partition.as_i64().and_then(|number| i32::try_from(number).ok());
    let number = number.ok_or_else(|| wrong("Integer", partition))?;
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
        if partition.topic.is_empty() {
            let message = format!(
                "org.apache.kafka.common.errors.InvalidTopicException: Failed to fetch metadata for partition \
                 {partition} due to invalid topic ``"
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
