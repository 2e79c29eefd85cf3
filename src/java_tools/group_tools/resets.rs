//! The targets of a reset of a group's offsets: the named partitions, and the new offset of each.
//!
//! Owns the order of requests of Apache Kafka's tools and their messages about missing answers; they keep offsets in
//! hash maps, whose order shows in their output.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use super::failure::{Failure, Result, Thrown, admin};
use super::plan_file;
use crate::client::admin::group_changes::PartitionOutcomes;
use crate::client::admin::offsets::{EARLIEST, LATEST};
use crate::client::admin::topics::{PARTITIONS_PER_ANSWER, TopicDescription};
use crate::commands::context::Context;
use crate::java::hash_order::{hash_order_presized, partition_order};
use crate::java::split::split;
use crate::java::time;
use crate::java_tools::log_line;
use crate::output::stderr_line;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The option with the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scenario {
    ToOffset(Offset),
    ToEarliest,
    ToLatest,
    ShiftBy(i64),
    ToDateTime(String),
    ByDuration(String),
    FromFile(String),
    ToCurrent,
}

/// A new offset for each partition, in the order of a hash map.
pub type NewOffsets = Vec<(TopicPartition, Offset)>;

/// The committed offset of a group in each partition.
pub type Current = BTreeMap<TopicPartition, Offset>;

/// The leader of each existing partition; `None` if it has none.
type Leaders = BTreeMap<TopicPartition, Option<BrokerId>>;

/// The partitions named by words of `--topic`: `t` or `t:0,1`.
pub fn named(words: &[String], context: &mut Context) -> Result<Vec<TopicPartition>> {
    let (with_partitions, topics): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|word| word.contains(':'));
    let mut partitions = Vec::new();
    for word in with_partitions {
        partitions.extend(partitions_of(word)?);
    }
    if topics.is_empty() {
        return Ok(partitions);
    }
    let names: BTreeSet<String> = topics.into_iter().cloned().collect();
    let described = describe(&names, context).map_err(Thrown::bare)?;
    for (topic, description) in hash_order_presized(described, |(name, _)| name) {
        let numbers = description.partitions.iter().map(|partition| partition.partition);
        partitions.extend(numbers.map(|number| TopicPartition::new(topic.as_str(), number)));
    }
    Ok(partitions)
}

/// The partitions of one word with a colon.
pub fn partitions_of(word: &str) -> Result<Vec<TopicPartition>> {
    let parts = split(word, ':');
    let [topic, numbers] = parts[..] else {
        return Err(Failure::Usage(format!(
            "Invalid topic arg '{word}', expected topic name and partitions"
        )));
    };
    let read = |text: &str| match text.strip_prefix('+').unwrap_or(text).parse() {
        Ok(number) => Ok(TopicPartition::new(topic, number)),
        Err(_) => Err(Failure::Usage(format!(
            "Invalid partition '{text}' specified in topic arg '{word}''"
        ))),
    };
    split(numbers, ',').into_iter().map(read).collect()
}

/// Fails unless all partitions exist and have leaders.
pub fn check_valid(partitions: &[TopicPartition], context: &mut Context) -> Result<()> {
    let leaders = leaders(partitions, context)?;
    let text = |partitions: &[&TopicPartition]| {
        let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        names.join(",")
    };
    let missing: Vec<_> = partitions
        .iter()
        .filter(|partition| !leaders.contains_key(partition))
        .collect();
    if !missing.is_empty() {
        let message = format!("The partitions \"{}\" do not exist", text(&missing));
        return Err(Thrown::of_kafka("UnknownTopicOrPartitionException", message).bare());
    }
    let leaderless: Vec<_> = partitions
        .iter()
        .filter(|partition| leaders.get(partition).is_some_and(Option::is_none))
        .collect();
    if !leaderless.is_empty() {
        let message = format!("The partitions \"{}\" have no leader", text(&leaderless));
        return Err(Thrown::of_kafka("LeaderNotAvailableException", message).bare());
    }
    Ok(())
}

/// The new offset of each partition. `groups` are all of the command line, `current` returns the offsets of `group`.
pub fn new_offsets(
    scenario: &Scenario,
    partitions: &[TopicPartition],
    (groups, group): (&[String], &str),
    current: impl FnOnce(&mut Context) -> Result<Current>,
    context: &mut Context,
) -> Result<NewOffsets> {
    match scenario {
        Scenario::ToOffset(offset) => {
            check_duplicates(partitions, &offset.to_string())?;
            let wanted = partitions.iter().map(|partition| (partition.clone(), *offset));
            within_bounds(wanted.collect(), context)
        }
        Scenario::ToEarliest => bounds(partitions, EARLIEST, context).map(in_order),
        Scenario::ToLatest => bounds(partitions, LATEST, context).map(in_order),
        Scenario::ShiftBy(count) => {
            let current = current(context)?;
            let shifted = shifted(partitions, &current, *count)?;
            within_bounds(shifted, context)
        }
        Scenario::ToDateTime(text) => {
            let time = time::date_time(text)
                .map_err(|message| Failure::executing(format!("java.text.ParseException: {message}")))?;
            at_time(partitions, time, context)
        }
        Scenario::ByDuration(text) => {
            let back = time::duration_millis(text).map_err(Failure::executing)?;
            at_time(partitions, now().saturating_sub(back), context)
        }
        Scenario::FromFile(file) => {
            let mut plan = plan_file::read(file, groups)?;
            let Some(wanted) = plan.remove(group) else {
                let message = format!("\nError: No reset plan for group {group} found");
                context.printer.line(message)?;
                return Ok(NewOffsets::new());
            };
            within_bounds(wanted.into_iter().collect(), context)
        }
        Scenario::ToCurrent => {
            let current = current(context)?;
            let (known, unknown): (Vec<_>, Vec<_>) = partitions
                .iter()
                .cloned()
                .partition(|partition| current.contains_key(partition));
            let mut found = bounds(&unknown, LATEST, context)?;
            found.extend(known.into_iter().filter_map(|partition| {
                let offset = *current.get(&partition)?;
                Some((partition, offset))
            }));
            Ok(in_order(found))
        }
    }
}

fn shifted(partitions: &[TopicPartition], current: &Current, count: i64) -> Result<NewOffsets> {
    let shift = |partition: &TopicPartition| match current.get(partition) {
        Some(offset) => Ok((partition.clone(), offset.saturating_add(count))),
        None => Err(Failure::Usage(format!(
            "Cannot shift offset for partition {partition} since there is no current committed offset"
        ))),
    };
    partitions.iter().map(shift).collect()
}

/// The offsets of the first records at or after a time; the end, with a message, where there is none.
fn at_time(partitions: &[TopicPartition], time: i64, context: &mut Context) -> Result<NewOffsets> {
    let mut found = bounds(partitions, time, context)?;
    let later: Vec<TopicPartition> = found
        .iter()
        .filter(|(_, offset)| **offset < 0)
        .map(|(partition, _)| partition.clone())
        .collect();
    let later = partition_order(later, |partition| (&partition.topic, partition.partition));
    for TopicPartition { topic, partition } in &later {
        context.printer.line(format_args!(
            "\nWarn: Partition {partition} from topic {topic} is empty. Falling back to latest known offset."
        ))?;
    }
    found.extend(bounds(&later, LATEST, context)?);
    Ok(in_order(found))
}

/// Offsets out of range are moved to the log start offset or the end, with a log line.
fn within_bounds(wanted: NewOffsets, context: &mut Context) -> Result<NewOffsets> {
    let partitions: Vec<TopicPartition> = wanted.iter().map(|(partition, _)| partition.clone()).collect();
    let first = bounds(&partitions, EARLIEST, context)?;
    let end = bounds(&partitions, LATEST, context)?;
    let mut new = Current::new();
    let wanted = partition_order(wanted, |(partition, _)| (&partition.topic, partition.partition));
    for (partition, offset) in wanted {
        let bound = |bounds: &Current| bounds.get(&partition).copied();
        let moved = match (bound(&first), bound(&end)) {
            (_, Some(end)) if offset > end => Some(("higher than latest", end)),
            (Some(first), _) if offset < first => Some(("lower than earliest", first)),
            _ => None,
        };
        if let Some((how, bound)) = moved {
            let warning = format!(
                "New offset ({offset}) is {how} offset for topic partition {partition}. Value will be set to {bound}."
            );
            let logger = "org.apache.kafka.tools.GroupOffsetsResetter";
            stderr_line(log_line::line("WARN", &warning, logger));
        }
        new.insert(partition, moved.map_or(offset, |(_, bound)| bound));
    }
    Ok(in_order(new))
}

fn in_order(offsets: Current) -> NewOffsets {
    let offsets: NewOffsets = offsets.into_iter().collect();
    partition_order(offsets, |(partition, _)| (&partition.topic, partition.partition))
}

/// One offset of each partition: the first, the end, or by time.
pub fn bounds(partitions: &[TopicPartition], timestamp: i64, context: &mut Context) -> Result<Current> {
    if partitions.is_empty() {
        return Ok(Current::new());
    }
    check_duplicates(
        partitions,
        match timestamp {
            EARLIEST => "org.apache.kafka.clients.admin.OffsetSpec$EarliestSpec",
            LATEST => "org.apache.kafka.clients.admin.OffsetSpec$LatestSpec",
            _ => "org.apache.kafka.clients.admin.OffsetSpec$TimestampSpec",
        },
    )?;
    let leaders = leaders(partitions, context)?;
    let led = |partition: &TopicPartition| match leaders.get(partition).copied().flatten() {
        Some(leader) => Ok((partition.clone(), leader)),
        None => Err(no_leader(partition)),
    };
    let led: Vec<(TopicPartition, BrokerId)> = partitions.iter().map(led).collect::<Result<_>>()?;
    let asked = admin(context, "listOffsets").and_then(|admin| {
        let answers = admin.list_offsets(&led, timestamp);
        answers.map_err(|error| Thrown::asking(&error, "listOffsets(api=METADATA)"))
    });
    let mut answers = asked.map_err(Thrown::as_cause_of_cause)?;
    let mut found = Current::new();
    for (partition, _) in led {
        let answer = answers.remove(&partition).ok_or_else(|| no_leader(&partition))?;
        let offset = answer.map_err(|refusal| Thrown::refused(&refusal).as_cause_of_cause())?;
        found.insert(partition, offset);
    }
    Ok(found)
}

/// Java retries to find the leader until its time-out.
fn no_leader(partition: &TopicPartition) -> Failure {
    let message = "Call(callName=listOffsets(api=METADATA)) timed out";
    let mut failure = Thrown::of_kafka("TimeoutException", message).as_cause_of_cause();
    if let Failure::Executing { why, .. } = &mut failure {
        *why = Some(format!("partition {partition} does not exist, or has no leader"));
    }
    failure
}

/// Java's collectors refuse a partition that is named twice.
fn check_duplicates(partitions: &[TopicPartition], value: &str) -> Result<()> {
    let mut seen = BTreeSet::new();
    match partitions.iter().find(|partition| !seen.insert(*partition)) {
        Some(twice) => Err(Failure::executing(format!(
            "Duplicate key {twice} (attempted merging values {value} and {value})"
        ))),
        None => Ok(()),
    }
}

/// The partitions without a leader; fails where a topic does not exist.
pub fn leaderless(partitions: &[TopicPartition], context: &mut Context) -> Result<BTreeSet<TopicPartition>> {
    let leaders = leaders(partitions, context)?;
    let without = partitions
        .iter()
        .filter(|partition| leaders.get(partition).is_some_and(Option::is_none));
    Ok(without.cloned().collect())
}

fn leaders(partitions: &[TopicPartition], context: &mut Context) -> Result<Leaders> {
    let topics: BTreeSet<String> = partitions
        .iter()
        .map(|partition| partition.topic.clone())
        .collect();
    let described = describe(&topics, context).map_err(Thrown::as_cause_of_cause)?;
    let of_topic = |(topic, description): (String, TopicDescription)| {
        let partitions = description.partitions.into_iter();
        partitions.map(move |partition| {
            let name = TopicPartition::new(topic.as_str(), partition.partition);
            (name, partition.leader)
        })
    };
    Ok(described.into_iter().flat_map(of_topic).collect())
}

/// Topics by name; the exception is that of the first that cannot be described.
fn describe(
    topics: &BTreeSet<String>,
    context: &mut Context,
) -> Result<Vec<(String, TopicDescription)>, Thrown> {
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = topics.iter().cloned().collect();
    let found = admin(context, "listNodes")?.describe_topics(&names, PARTITIONS_PER_ANSWER);
    let found = found.map_err(|error| Thrown::asking(&error, "listNodes"))?;
    found
        .into_iter()
        .map(|(name, topic)| Ok((name, topic.map_err(|refusal| Thrown::refused(&refusal))?)))
        .collect()
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Java's exception if the offsets of some partitions were not changed.
pub fn check_outcomes(outcomes: &PartitionOutcomes) -> Result<()> {
    let refused: Vec<_> = outcomes
        .iter()
        .filter_map(|(partition, outcome)| Some((partition.to_string(), outcome.as_ref().err()?)))
        .collect();
    let Some((_, refusal)) = refused.first() else {
        return Ok(());
    };
    let partitions: Vec<&str> = refused.iter().map(|(partition, _)| partition.as_str()).collect();
    let message = format!(
        "Failed altering group offsets for the following partitions: [{}]",
        partitions.join(", ")
    );
    Err(Thrown::of_kafka(refusal.java_class(), message).bare())
}
