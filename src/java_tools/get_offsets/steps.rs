//! The steps of `kafka-get-offsets`: topics, then one offset of each partition, printed in order of topic names.

use std::collections::BTreeMap;

use super::super::admin_tool::{Failure, refusal_message};
use super::filter::PartitionFilter;
use crate::client::admin::AdminClient;
use crate::client::admin::offsets::Offsets;
use crate::commands::context::Context;
use crate::output::stderr_line;
use crate::topic_partition::{BrokerId, TopicPartition, is_internal_topic};

/// The timestamp of ListOffsets for the first offset that is not in tiered storage yet (KIP-1023).
pub(super) const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// Java's message about a partition without a leader.
const NO_LEADER: &str = "org.apache.kafka.common.errors.LeaderNotAvailableException: There is no leader for this \
                         topic-partition as we are in the middle of a leadership election.";

pub(super) fn run(
    filter: &PartitionFilter,
    time: i64,
    excludes_internal: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let admin = context
        .client
        .admin()
        .map_err(|error| Failure::executing(&error, "listTopics"))?;
    let partitions = chosen(filter, excludes_internal, admin)?;
    if partitions.is_empty() {
        return Err(Failure::of(
            "Could not match any topic-partitions with the specified filters",
        ));
    }
    let led: Vec<(TopicPartition, BrokerId)> = partitions
        .iter()
        .filter_map(|(partition, leader)| leader.map(|leader| (partition.clone(), leader)))
        .collect();
    let mut offsets = if time == EARLIEST_PENDING_UPLOAD {
        Offsets::new()
    } else {
        admin
            .list_offsets(&led, time)
            .map_err(|error| Failure::executing(&error, "listOffsets(api=LIST_OFFSETS)"))?
    };
    let absent = admin.take_absent();
    // Java sorts by the whole name, so that partition 10 comes before partition 2.
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for (partition, leader) in &partitions {
        let problem = match (offsets.remove(partition), leader) {
            (Some(Ok(offset)), _) => {
                if offset >= 0 {
                    let (topic, number) = (&partition.topic, partition.partition);
                    lines.insert(partition.to_string(), format!("{topic}:{number}:{offset}"));
                }
                continue;
            }
            _ if time == EARLIEST_PENDING_UPLOAD => continue,
            (Some(Err(refusal)), _) => refusal_message(&refusal),
            (None, None) => NO_LEADER.to_owned(),
            (None, Some(leader)) => {
                let why = absent.get(leader).map_or("it did not answer", String::as_str);
                format!("org.apache.kafka.common.errors.TimeoutException: {why}")
            }
        };
        stderr_line(format_args!(
            "Skip getting offsets for topic-partition {partition} due to error: {problem}"
        ));
    }
    for line in lines.values() {
        context
            .printer
            .line(line)
            .map_err(|error| Failure::printing(&error))?;
    }
    context.printer.flush().map_err(|error| Failure::printing(&error))
}

/// The partitions that the filter selects, with their leaders.
fn chosen(
    filter: &PartitionFilter,
    excludes_internal: bool,
    admin: &mut AdminClient,
) -> Result<Vec<(TopicPartition, Option<BrokerId>)>, Failure> {
    let topics = admin
        .all_topics()
        .map_err(|error| Failure::executing(&error, "listTopics"))?;
    let mut chosen = Vec::new();
    for topic in topics {
        let is_internal = topic.is_internal || is_internal_topic(&topic.name);
        if (excludes_internal && is_internal) || !filter.takes_topic(&topic.name) {
            continue;
        }
        for partition in &topic.partitions {
            if filter.takes(&topic.name, partition.partition) {
                let name = TopicPartition::new(topic.name.as_str(), partition.partition);
                chosen.push((name, partition.leader));
            }
        }
    }
    Ok(chosen)
}
