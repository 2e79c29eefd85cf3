//! `--delete` and `--delete-offsets`.

use std::collections::BTreeMap;

use crate::client::admin::topics::PARTITIONS_PER_ANSWER;
use crate::commands::context::Context;
use crate::java::hash_order::hash_order;
use crate::java_tools::consumer_groups::words;
use crate::java_tools::group_tools::failure::{Result, Thrown, admin};
use crate::java_tools::group_tools::resets;
use crate::java_tools::group_tools::words as group_words;
use crate::java_tools::option_parser::Parsed;
use crate::topic_partition::TopicPartition;

/// The error of each partition, if there is one.
type Rows = BTreeMap<TopicPartition, Option<Thrown>>;

pub(super) fn groups(parsed: &Parsed, context: &mut Context) -> Result<()> {
    const CALL: &str = "deleteConsumerGroups(api=FIND_COORDINATOR)";
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    let mut groups = super::groups(parsed, context)?;
    groups.sort();
    groups.dedup();
    for group in groups {
        let outcome = admin(context, CALL).and_then(|admin| {
            let outcome = admin.delete_group(&group);
            outcome.map_err(|error| Thrown::asking(&error, CALL))
        });
        match outcome.and_then(|outcome| outcome.map_err(|refusal| Thrown::refused(&refusal))) {
            Ok(()) => deleted.push(group),
            Err(thrown) => failed.push((group, thrown.to_string())),
        }
    }
    let deleted = hash_order(deleted, |group| group);
    let failed = hash_order(failed, |(group, _)| group);
    group_words::deleted_groups(&mut context.printer, "consumer", &deleted, &failed)?;
    Ok(())
}

pub(super) fn offsets(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let group = parsed.value("group")?.unwrap_or_default().to_owned();
    let (with_partitions, topics): (Vec<&String>, Vec<&String>) =
        parsed.values("topic").iter().partition(|word| word.contains(':'));
    let mut partitions = Vec::new();
    for word in with_partitions {
        partitions.extend(resets::partitions_of(word)?);
    }
    let mut rows = Rows::new();
    for topic in topics {
        match partitions_of_topic(topic, context) {
            Ok(found) => partitions.extend(found),
            Err(thrown) => drop(rows.insert(TopicPartition::new(topic, -1), Some(thrown))),
        }
    }
    partitions.sort();
    partitions.dedup();
    let failure = match delete(&group, &partitions, context) {
        Ok(outcomes) => {
            rows.extend(outcomes);
            let mut failures = partitions.iter().filter_map(|name| rows.get(name)?.clone());
            failures.next_back()
        }
        Err(thrown) => {
            let all = partitions.iter().cloned();
            rows.extend(all.map(|partition| (partition, Some(thrown.clone()))));
            Some(thrown)
        }
    };
    summary(&group, failure.as_ref(), context)?;
    let mut rows: Vec<(TopicPartition, Option<String>)> = rows
        .into_iter()
        .map(|(partition, thrown)| (partition, thrown.map(|thrown| thrown.to_string())))
        .collect();
    rows.sort_by_key(|(name, _)| format!("{}{}", name.topic, name.partition));
    words::deleted_offsets(&mut context.printer, &rows)?;
    Ok(())
}

fn partitions_of_topic(topic: &str, context: &mut Context) -> Result<Vec<TopicPartition>, Thrown> {
    const CALL: &str = "listNodes";
    let found = admin(context, CALL)?.describe_topics(&[topic.to_owned()], PARTITIONS_PER_ANSWER);
    let found = found.map_err(|error| Thrown::asking(&error, CALL))?;
    let mut partitions = Vec::new();
    for (name, description) in found {
        let description = description.map_err(|refusal| Thrown::refused(&refusal))?;
        let numbers = description.partitions.iter().map(|partition| partition.partition);
        partitions.extend(numbers.map(|number| TopicPartition::new(name.as_str(), number)));
    }
    Ok(partitions)
}

/// The result for each partition; or why nothing was deleted.
fn delete(group: &str, partitions: &[TopicPartition], context: &mut Context) -> Result<Rows, Thrown> {
    const CALL: &str = "deleteConsumerGroupOffsets(api=FIND_COORDINATOR)";
    let outcomes = admin(context, CALL)?.delete_offsets(group, partitions);
    let outcomes = outcomes.map_err(|error| Thrown::asking(&error, CALL))?;
    let outcomes = outcomes.map_err(|refusal| Thrown::refused(&refusal))?;
    let row = |(partition, outcome): (TopicPartition, Result<(), _>)| {
        let thrown = outcome.err().map(|refusal| Thrown::refused(&refusal));
        (partition, thrown)
    };
    Ok(outcomes.into_iter().map(row).collect())
}

fn summary(group: &str, failure: Option<&Thrown>, context: &mut Context) -> Result<()> {
    let printer = &mut context.printer;
    let of_a_partition = [
        "GroupSubscribedToTopicException",
        "TopicAuthorizationException",
        "UnknownTopicOrPartitionException",
    ];
    let of_the_group = [
        "InvalidGroupIdException",
        "GroupIdNotFoundException",
        "GroupAuthorizationException",
        "GroupNotEmptyException",
    ];
    match failure {
        None => printer.line(format_args!(
            "Request succeeded for deleting offsets from group {group}."
        ))?,
        Some(thrown) if of_the_group.iter().any(|class| thrown.is(class)) => {
            group_words::error(printer, thrown.standard_message())?;
        }
        Some(thrown) if of_a_partition.iter().any(|class| thrown.is(class)) => group_words::error(
            printer,
            "Encountered some partition-level error, see the follow-up details.",
        )?,
        Some(thrown) => group_words::error(
            printer,
            format_args!("Encountered some unknown error: {}", thrown.code_name()),
        )?,
    }
    Ok(())
}
