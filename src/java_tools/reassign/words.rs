//! The output of Apache Kafka 4.3.1's kafka-reassign-partitions: reports, errors, and their order.

use std::collections::BTreeMap;

use crate::java::hash_set_order::{hash_of_string, hash_of_topic_partition, in_hash_order};
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments};
use crate::reassignment::plan::{PartitionReplica, PlanError, Wanted, comma_separated};
use crate::reassignment::progress::{LogDirState, PartitionProgress, PartitionState};
use crate::reassignment::striped_placement::PlacementError;
use crate::topic_partition::{BrokerId, TopicPartition};

/// The place in a message of Jackson's about empty input.
const NO_LOCATION: &str = "\n at [Source: UNKNOWN; byte offset: #UNKNOWN]";

pub const EXISTING_REASSIGNMENT: &str = "Cannot execute because there is an existing partition assignment.  \
    Use --additional to override this and create a new partition assignment in addition to the existing one. \
    The --additional flag can also be used to change the throttle by resubmitting the current reassignment.";
pub const SAVE_THIS: &str = "Save this to use as the --reassignment-json-file option during rollback";
pub const RUN_VERIFY: &str = "Warning: You must run --verify periodically, until the reassignment \
    completes, to ensure the throttle is removed.";
pub const NOT_ALL_RACKS: &str = "Not all brokers have rack information. Add --disable-rack-aware in \
    command line to make replica assignment without rack information.";

/// The message about an invalid reassignment file.
pub fn plan_error(error: &PlanError) -> String {
    match error {
        PlanError::EmptyInput => format!("The input string shouldn't be empty{NO_LOCATION}"),
        PlanError::NotJson(reason) => reason.clone(),
        PlanError::WrongType { wanted, received } => match wanted {
            Wanted::Integer => format!("Expected `Integer` value, received {received}"),
            Wanted::String => format!("Expected `String` value, received {received}"),
            Wanted::List => format!("Expected `JSON array` value, received {received}"),
            Wanted::Object => format!("Expected JSON object, received {received}"),
            Wanted::Records => format!("Expected JSON array, received {received}"),
        },
        PlanError::MissingField(name) => format!("No such field exists: `{name}`"),
        PlanError::UnsupportedVersion(version) => format!("Not supported version field value {version}"),
        PlanError::LogDirsLength {
            topic_partition,
            replicas,
            log_dirs,
        } => format!(
            "Size of replicas list {} is different from size of log dirs list {} for partition {topic_partition}",
            bracketed(replicas),
            bracketed(log_dirs)
        ),
        PlanError::NoPartitions => "Partition reassignment list cannot be empty".to_owned(),
        PlanError::NoReplicas(_) => "Partition replica list cannot be empty".to_owned(),
        PlanError::DuplicatePartitions(partitions) => {
            let partitions = comma_separated(partitions_in_hash_order(partitions));
            format!("Partition reassignment contains duplicate topic partitions: {partitions}")
        }
        PlanError::DuplicateReplicas(partitions) => {
            let entries: Vec<String> = partitions
                .iter()
                .map(|(topic_partition, brokers)| {
                    let brokers = comma_separated(brokers_in_hash_order(brokers.iter().copied()));
                    format!("{topic_partition} contains multiple entries for {brokers}")
                })
                .collect();
            let entries = entries.join(". ");
            format!("Partition replica lists may not contain duplicate entries: {entries}")
        }
        PlanError::DuplicateTopics(topics) => {
            let topics = bracketed(topics_in_hash_order(topics));
            format!("List of topics to reassign contains duplicate entries: {topics}")
        }
    }
}

/// The message about an invalid list of topics: any invalid JSON has the same message.
pub fn topics_error(error: &PlanError) -> String {
    match error {
        PlanError::EmptyInput | PlanError::NotJson(_) => "The input string is not a valid JSON".to_owned(),
        other => plan_error(other),
    }
}

/// `--broker-list 1,1`
pub fn duplicate_brokers(brokers: &[BrokerId]) -> String {
    let brokers = bracketed(brokers_in_hash_order(brokers.iter().copied()));
    format!("Broker list contains duplicate entries: {brokers}")
}

pub fn placement_error(error: PlacementError) -> String {
    match error {
        PlacementError::NoBrokers => {
            "All brokers are currently fenced, or have all their log directories cordoned.".to_owned()
        }
        PlacementError::TooFewBrokers { replicas, brokers } => format!(
            "The target replication factor of {replicas} cannot be reached because only {brokers} broker(s) are \
             registered or some brokers have all their log directories cordoned."
        ),
    }
}

/// The message about the unknown broker that Java finds first.
pub fn unknown_broker(named: impl IntoIterator<Item = BrokerId>, alive: &[BrokerId]) -> Option<String> {
    let unknown = brokers_in_hash_order(named)
        .into_iter()
        .find(|id| !alive.contains(id))?;
    Some(format!("Unknown broker id {unknown}"))
}

pub fn missing_partitions(missing: &[TopicPartition]) -> String {
    let words: Vec<String> = partitions_in_hash_order(missing)
        .iter()
        .map(ToString::to_string)
        .collect();
    format!("Unable to find partition: {}", words.join(", "))
}

/// `foo-0,foo-1`, and a plural `s` unless it is one.
pub fn started(partitions: &[TopicPartition]) -> String {
    let plural = plural(partitions.len());
    format!(
        "Successfully started partition reassignment{plural} for {}",
        comma_separated(partitions)
    )
}

pub fn cancelled(partitions: &[TopicPartition]) -> String {
    let plural = plural(partitions.len());
    format!(
        "Successfully cancelled partition reassignment{plural} for: {}",
        comma_separated(partitions)
    )
}

pub fn not_started(refused: &BTreeMap<TopicPartition, String>) -> String {
    format!("Error reassigning partition(s):\n{}", refusals(refused))
}

pub fn not_cancelled(refused: &BTreeMap<TopicPartition, String>) -> String {
    let plural = plural(refused.len());
    format!(
        "Error cancelling partition reassignment{plural} for:\n{}",
        refusals(refused)
    )
}

fn refusals(refused: &BTreeMap<TopicPartition, String>) -> String {
    let lines: Vec<String> = refused
        .iter()
        .map(|(topic_partition, message)| format!("{topic_partition}: {message}"))
        .collect();
    lines.join("\n")
}

/// One line for each started move, with a blank at the end, as in Java.
pub fn log_dir_move_started(replica: &PartitionReplica, log_dir: &str) -> String {
    let PartitionReplica {
        broker,
        topic_partition,
    } = replica;
    format!(
        "Successfully started moving log directory to {log_dir} for replica {topic_partition} with broker {broker} "
    )
}

pub fn log_dir_moves_timed_out<'a>(pending: impl ExactSizeIterator<Item = &'a PartitionReplica>) -> String {
    let plural = plural(pending.len());
    let pending = comma_separated(pending);
    format!("Timed out before log directory move{plural} could be started for: {pending}")
}

/// The status of a plan's partitions.
pub fn partition_states(states: &[PartitionProgress]) -> String {
    let mut lines = vec!["Status of partition reassignment:".to_owned()];
    lines.extend(states.iter().map(|progress| {
        let name = &progress.topic_partition;
        match &progress.state {
            PartitionState::Moving | PartitionState::MovingTo(_) => {
                format!("Reassignment of partition {name} is still in progress.")
            }
            PartitionState::Done => format!("Reassignment of partition {name} is completed."),
            PartitionState::Elsewhere(replicas) => format!(
                "There is no active reassignment of partition {name}, but replica set is {} rather than {}.",
                comma_separated(replicas),
                comma_separated(&progress.target)
            ),
        }
    }));
    lines.join("\n")
}

/// The status of a plan's moves between log directories; empty without any.
pub fn log_dir_states(states: &BTreeMap<PartitionReplica, (String, LogDirState)>) -> String {
    let line = |(replica, (target, state)): (&PartitionReplica, &(String, LogDirState))| {
        let PartitionReplica {
            broker,
            topic_partition,
        } = replica;
        match state {
            LogDirState::Done => format!("Reassignment of replica {replica} completed successfully."),
            LogDirState::Moving => format!("Reassignment of replica {replica} is still in progress."),
            LogDirState::MovingTo(other) => format!(
                "Partition {topic_partition} on broker {broker} is being moved to log dir {other} instead of {target}."
            ),
            LogDirState::StaysIn(current) => format!(
                "Partition {topic_partition} on broker {broker} is not being moved from log dir {current} to {target}."
            ),
            LogDirState::NotFound => format!(
                "Partition {topic_partition} is not found in any live log dir on broker {broker}. There is likely \
                 an offline log directory on the broker."
            ),
        }
    };
    states.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub fn clearing_brokers(brokers: impl IntoIterator<Item = BrokerId>) -> String {
    let brokers = brokers_in_hash_order(brokers);
    let plural = plural(brokers.len());
    format!(
        "Clearing broker-level throttles on broker{plural} {}",
        comma_separated(brokers)
    )
}

pub fn clearing_topics(topics: impl IntoIterator<Item = String>) -> String {
    let topics = in_hash_order(topics, |topic| hash_of_string(topic));
    let plural = plural(topics.len());
    format!(
        "Clearing topic-level throttles on topic{plural} {}",
        comma_separated(topics)
    )
}

/// What `--list` prints.
pub fn active(active: &ActiveReassignments) -> String {
    if active.is_empty() {
        return "No partition reassignments found.".to_owned();
    }
    let part = |word: &str, brokers: &[BrokerId]| match brokers {
        [] => String::new(),
        brokers => format!(" {word}: {}.", comma_separated(brokers)),
    };
    let line = |(name, reassignment): (&TopicPartition, &ActiveReassignment)| {
        format!(
            "{name}:{}{}{}",
            part("replicas", &reassignment.replicas),
            part("adding", &reassignment.adding),
            part("removing", &reassignment.removing)
        )
    };
    let lines: Vec<String> = active.iter().map(line).collect();
    format!("Current partition reassignments:\n{}", lines.join("\n"))
}

/// The topics, without duplicates, in the order of Java's sets.
pub fn topics_in_hash_order(topics: &[String]) -> Vec<&String> {
    in_hash_order(topics, |topic| hash_of_string(topic))
}

fn brokers_in_hash_order(brokers: impl IntoIterator<Item = BrokerId>) -> Vec<BrokerId> {
    in_hash_order(brokers, |broker| *broker)
}

pub fn partitions_in_hash_order<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> Vec<&'a TopicPartition> {
    in_hash_order(partitions, |name| {
        hash_of_topic_partition(&name.topic, name.partition)
    })
}

/// `[1, 2]`
fn bracketed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    format!("[{}]", words.join(", "))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
