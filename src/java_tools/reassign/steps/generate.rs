//! `--generate`: the current assignment of topics, and a proposed one.

use std::collections::BTreeMap;

use super::current::{current_json, log_dirs_of, topic_assignment};
use super::{JavaResult, told};
use crate::client::admin::AdminClient;
use crate::commands::context::Context;
use crate::commands::reassign::seed;
use crate::java_tools::reassign::words;
use crate::reassignment::Assignment;
use crate::reassignment::plan::duplicates;
use crate::reassignment::plan_json::{plan_of, read_topics, write_compact};
use crate::reassignment::random::Random;
use crate::reassignment::striped_placement::place;
use crate::topic_partition::{BrokerId, TopicPartition};

pub(super) fn generate(text: &str, brokers: &str, rack_aware: bool, context: &mut Context) -> JavaResult {
    let chosen = broker_list(brokers)?;
    let topics = read_topics(text).map_err(|error| told(words::topics_error(&error)))?;
    let admin = context.client.admin()?;
    let current = topic_assignment(admin, &topics)?;
    let log_dirs = log_dirs_of(admin, &current)?;
    let brokers = placeable_brokers(admin, &chosen, rack_aware)?;
    let proposed = proposal(&current, &brokers)?;
    let printer = &mut context.printer;
    printer.line("Current partition replica assignment")?;
    printer.line(current_json(&current, &log_dirs))?;
    printer.line("")?;
    printer.line("Proposed partition reassignment configuration")?;
    printer.line(write_compact(&plan_of(&proposed, |_, _| None)))?;
    Ok(())
}

/// `1,2,3` as Java splits and converts it: empty words at the end are dropped.
fn broker_list(text: &str) -> JavaResult<Vec<BrokerId>> {
    let mut words: Vec<&str> = text.split(',').collect();
    // An empty text is one empty word.
    while !text.is_empty() && words.last() == Some(&"") {
        words.pop();
    }
    let number = |word: &&str| {
        let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = is_number.then(|| word.parse::<BrokerId>().ok()).flatten();
        parsed.ok_or_else(|| told(format!("For input string: \"{word}\"")))
    };
    let brokers = words.iter().map(number).collect::<JavaResult<Vec<_>>>()?;
    let twice = duplicates(brokers.iter().copied());
    if twice.is_empty() {
        Ok(brokers)
    } else {
        Err(told(words::duplicate_brokers(&twice)))
    }
}

/// The brokers of the list that are up, with their racks if those matter.
fn placeable_brokers(
    admin: &mut AdminClient,
    chosen: &[BrokerId],
    rack_aware: bool,
) -> JavaResult<Vec<(BrokerId, Option<String>)>> {
    let brokers: Vec<_> = admin
        .brokers()?
        .iter()
        .filter(|broker| chosen.contains(&broker.id))
        .map(|broker| (broker.id, broker.rack.clone().filter(|_| rack_aware)))
        .collect();
    let without = brokers.iter().filter(|(_, rack)| rack.is_none()).count();
    if rack_aware && without != 0 && without != brokers.len() {
        return Err(told(words::NOT_ALL_RACKS));
    }
    Ok(brokers)
}

/// Every partition of a topic gets as many replicas as the first one in the order of Java's map.
fn proposal(current: &Assignment, brokers: &[(BrokerId, Option<String>)]) -> JavaResult<Assignment> {
    let mut by_topic: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for name in words::partitions_in_hash_order(current.keys()) {
        let replicas = current.get(name).map_or(0, Vec::len);
        by_topic.entry(&name.topic).or_insert((0, replicas)).0 += 1;
    }
    let mut random = Random::new(seed()?);
    let mut proposed = Assignment::new();
    for (topic, (partitions, replicas)) in by_topic {
        let placed = place(partitions, replicas, brokers, &mut random)
            .map_err(|error| told(words::placement_error(error)))?;
        for (partition, replicas) in (0..).zip(placed) {
            proposed.insert(TopicPartition::new(topic, partition), replicas);
        }
    }
    Ok(proposed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Apache Kafka 4.3.1 proposed two replicas for each partition when jx-0 had four and the others two.
    #[test]
    fn javas_first_partition_says_how_many_replicas() {
        let brokers = [(1, None), (4, None)];
        let current: Assignment = [
            (0, vec![4, 5, 1, 2]),
            (1, vec![5, 4]),
            (2, vec![2, 1]),
            (3, vec![2, 1]),
        ]
        .into_iter()
        .map(|(partition, replicas)| (TopicPartition::new("jx", partition), replicas))
        .collect();
        let proposed = proposal(&current, &brokers).unwrap();
        assert!(
            proposed.len() == 4 && proposed.values().all(|replicas| replicas.len() == 2),
            "{proposed:?}"
        );
    }
}
