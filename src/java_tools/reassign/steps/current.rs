//! Current replicas and log directories, as `--generate` and `--execute` request and print them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{JavaFailure, JavaResult, check_topic_names, unknown};
use crate::client::admin::AdminClient;
use crate::java_tools::reassign::words;
use crate::reassignment::Assignment;
use crate::reassignment::plan::PartitionReplica;
use crate::reassignment::plan_json::{plan_of, write_compact};
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

/// How long a replica in the metadata may be missing in its broker's log directories: the folders of a topic are
/// created a moment after the topic.
const LOG_DIR_PATIENCE: Duration = Duration::from_secs(1);
const LOG_DIR_PAUSE: Duration = Duration::from_millis(50);

pub(super) fn topic_assignment(admin: &mut AdminClient, topics: &[String]) -> JavaResult<Assignment> {
    let mut assignment = Assignment::new();
    if topics.is_empty() {
        return Ok(assignment);
    }
    check_topic_names(topics.iter().map(String::as_str))?;
    let mut answers = admin.topic_replicas(Some(topics.iter().map(String::as_str)))?;
    for topic in words::topics_in_hash_order(topics) {
        match answers.remove(topic) {
            Some(Ok(partitions)) => {
                let named = partitions
                    .into_iter()
                    .map(|(partition, replicas)| (TopicPartition::new(topic, partition), replicas));
                assignment.extend(named);
            }
            Some(Err(error)) if error.code != UNKNOWN_TOPIC_OR_PARTITION => {
                return Err(JavaFailure::Refused(error));
            }
            _ => return Err(unknown(format!("Topic {topic} not found."))),
        }
    }
    Ok(assignment)
}

/// The log directory of each replica on a live broker.
pub(super) fn log_dirs_of(
    admin: &mut AdminClient,
    assignment: &Assignment,
) -> JavaResult<BTreeMap<PartitionReplica, String>> {
    let alive = live_brokers(admin)?;
    let replicas = assignment.iter().flat_map(|(name, replicas)| {
        let on = |broker: &BrokerId| PartitionReplica {
            broker: *broker,
            topic_partition: name.clone(),
        };
        replicas.iter().map(on).collect::<Vec<_>>()
    });
    let replicas: Vec<_> = replicas
        .filter(|replica| alive.contains(&replica.broker))
        .collect();
    let start = Instant::now();
    loop {
        let dirs: BTreeMap<_, _> = admin
            .replica_dirs(replicas.clone())?
            .into_iter()
            .filter_map(|(replica, dirs)| Some((replica, dirs.current?)))
            .collect();
        if dirs.len() == replicas.len() || start.elapsed() >= LOG_DIR_PATIENCE {
            return Ok(dirs);
        }
        std::thread::sleep(LOG_DIR_PAUSE);
    }
}

pub(super) fn live_brokers(admin: &mut AdminClient) -> JavaResult<Vec<BrokerId>> {
    Ok(admin.brokers()?.iter().map(|broker| broker.id).collect())
}

pub(super) fn current_json(current: &Assignment, log_dirs: &BTreeMap<PartitionReplica, String>) -> String {
    let log_dir = |name: &TopicPartition, broker: BrokerId| {
        let replica = PartitionReplica {
            broker,
            topic_partition: name.clone(),
        };
        log_dirs.get(&replica).cloned()
    };
    write_compact(&plan_of(current, log_dir))
}
