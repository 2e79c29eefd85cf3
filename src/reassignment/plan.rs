//! A plan: the target replicas of some partitions, and the checks that it must pass before it is executed.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::hash::Hash;

use super::Assignment;
use crate::topic_partition::{BrokerId, TopicPartition};

/// The target replicas of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPartition {
    pub topic_partition: TopicPartition,
    /// The preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// The log directory of each replica; `None` leaves the choice to the broker (`"any"`).
    pub log_dirs: Vec<Option<String>>,
    /// Where the partition was when the plan was made. Apache Kafka's tool ignores the field.
    pub was: Option<Vec<BrokerId>>,
}

/// A replica that is to be in a named log directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartitionReplica {
    pub broker: BrokerId,
    pub topic_partition: TopicPartition,
}

impl fmt::Display for PartitionReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic_partition, self.broker)
    }
}

/// A reassignment file's content, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub partitions: Vec<PlannedPartition>,
}

/// Why a plan or a list of topics cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    EmptyInput,
    /// The text is not JSON; the reader's message.
    NotJson(String),
    /// A value of the wrong kind: what was wanted, and the JSON that is there.
    WrongType {
        wanted: Wanted,
        received: String,
    },
    MissingField(&'static str),
    UnsupportedVersion(i32),
    /// `replicas` and `log_dirs` differ in length.
    LogDirsLength {
        topic_partition: TopicPartition,
        replicas: Vec<BrokerId>,
        log_dirs: Vec<String>,
    },
    NoPartitions,
    NoReplicas(TopicPartition),
    /// In the order in which the second entry was found.
    DuplicatePartitions(Vec<TopicPartition>),
    /// Partitions that name a broker twice, and the brokers.
    DuplicateReplicas(Vec<(TopicPartition, Vec<BrokerId>)>),
    DuplicateTopics(Vec<String>),
}

/// The kinds of JSON value that a reassignment file is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Integer,
    String,
    /// A list inside a record.
    List,
    /// The file itself, or one record.
    Object,
    /// The file's list of records.
    Records,
}

impl Plan {
    /// A plan that leaves the log directories to the brokers and records the current replicas.
    pub fn from_assignment(target: &Assignment, current: &Assignment) -> Self {
        let planned = |(topic_partition, replicas): (&TopicPartition, &Vec<BrokerId>)| PlannedPartition {
            topic_partition: topic_partition.clone(),
            replicas: replicas.clone(),
            log_dirs: vec![None; replicas.len()],
            was: current.get(topic_partition).cloned(),
        };
        Self {
            partitions: target.iter().map(planned).collect(),
        }
    }

    /// The target of each partition. Of two entries for one partition the later counts.
    pub fn assignment(&self) -> Assignment {
        self.partitions
            .iter()
            .map(|planned| (planned.topic_partition.clone(), planned.replicas.clone()))
            .collect()
    }

    /// The replicas with a named log directory, and the directory.
    pub fn log_dir_moves(&self) -> std::collections::BTreeMap<PartitionReplica, String> {
        let mut moves = std::collections::BTreeMap::new();
        for planned in &self.partitions {
            for (broker, log_dir) in planned.replicas.iter().zip(&planned.log_dirs) {
                let Some(log_dir) = log_dir else { continue };
                let replica = PartitionReplica {
                    broker: *broker,
                    topic_partition: planned.topic_partition.clone(),
                };
                moves.insert(replica, log_dir.clone());
            }
        }
        moves
    }

    /// The topics named, each once.
    pub fn topics(&self) -> BTreeSet<String> {
        let name = |planned: &PlannedPartition| planned.topic_partition.topic.clone();
        self.partitions.iter().map(name).collect()
    }

    /// The checks before execution, in the order of Apache Kafka's tool: something to do, replicas for each
    /// partition, no partition twice, no broker twice in a partition.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.partitions.is_empty() {
            return Err(PlanError::NoPartitions);
        }
        if let Some(planned) = self.partitions.iter().find(|planned| planned.replicas.is_empty()) {
            return Err(PlanError::NoReplicas(planned.topic_partition.clone()));
        }
        let twice = duplicates(self.partitions.iter().map(|planned| &planned.topic_partition));
        if !twice.is_empty() {
            return Err(PlanError::DuplicatePartitions(
                twice.into_iter().cloned().collect(),
            ));
        }
        let twice: Vec<_> = self
            .partitions
            .iter()
            .map(|planned| {
                (
                    planned.topic_partition.clone(),
                    duplicates(planned.replicas.iter().copied()),
                )
            })
            .filter(|(_, brokers)| !brokers.is_empty())
            .collect();
        if twice.is_empty() {
            Ok(())
        } else {
            Err(PlanError::DuplicateReplicas(twice))
        }
    }
}

/// The items that occur more than once, each once, in the order in which the repetition was found.
pub fn duplicates<T: Eq + Hash + Clone>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    let mut reported = HashSet::new();
    let mut twice = Vec::new();
    for item in items {
        if !seen.insert(item.clone()) && reported.insert(item.clone()) {
            twice.push(item);
        }
    }
    twice
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::EmptyInput => f.write_str("the file is empty"),
            PlanError::WrongType { received, .. } if received.is_empty() => f.write_str("the file is blank"),
            PlanError::NotJson(reason) => write!(f, "not JSON: {reason}"),
            PlanError::WrongType { wanted, received } => write!(f, "expected {wanted}, found {received}"),
            PlanError::MissingField(name) => write!(f, "a record has no field \"{name}\""),
            PlanError::UnsupportedVersion(version) => write!(f, "version {version} is not known, only 1 is"),
            PlanError::LogDirsLength {
                topic_partition,
                replicas,
                log_dirs,
            } => write!(
                f,
                "{topic_partition} has {} replicas but {} log_dirs",
                replicas.len(),
                log_dirs.len()
            ),
            PlanError::NoPartitions => f.write_str("it names no partitions"),
            PlanError::NoReplicas(topic_partition) => write!(f, "{topic_partition} has no replicas"),
            PlanError::DuplicatePartitions(partitions) => {
                write!(f, "{} more than once", comma_separated(partitions))
            }
            PlanError::DuplicateReplicas(partitions) => {
                for (position, (topic_partition, brokers)) in partitions.iter().enumerate() {
                    let separator = if position == 0 { "" } else { "; " };
                    let noun = if brokers.len() == 1 { "broker" } else { "brokers" };
                    let brokers = comma_separated(brokers);
                    write!(
                        f,
                        "{separator}{topic_partition} names {noun} {brokers} more than once"
                    )?;
                }
                Ok(())
            }
            PlanError::DuplicateTopics(topics) => write!(f, "{} more than once", comma_separated(topics)),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wanted::Integer => "an integer",
            Wanted::String => "a string",
            Wanted::List => "a list",
            Wanted::Object => "an object",
            Wanted::Records => "a list of records",
        })
    }
}

/// `1,2,3`
pub fn comma_separated<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    words.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(topic: &str, partition: i32, replicas: &[BrokerId]) -> PlannedPartition {
        PlannedPartition {
            topic_partition: TopicPartition::new(topic, partition),
            replicas: replicas.to_vec(),
            log_dirs: vec![None; replicas.len()],
            was: None,
        }
    }

    fn refusal(partitions: Vec<PlannedPartition>) -> PlanError {
        Plan { partitions }.check().unwrap_err()
    }

    #[test]
    fn an_empty_plan_is_refused() {
        assert_eq!(refusal(vec![]), PlanError::NoPartitions);
        let nowhere = PlanError::NoReplicas(TopicPartition::new("a", 0));
        assert_eq!(refusal(vec![planned("a", 0, &[])]), nowhere);
    }

    #[test]
    fn a_partition_twice_is_named_before_a_broker_twice() {
        let twice = refusal(vec![planned("a", 0, &[1, 1]), planned("a", 0, &[2])]);
        assert_eq!(
            twice,
            PlanError::DuplicatePartitions(vec![TopicPartition::new("a", 0)])
        );
        let twice = refusal(vec![planned("a", 0, &[1, 2, 1, 2, 1])]);
        assert_eq!(
            twice,
            PlanError::DuplicateReplicas(vec![(TopicPartition::new("a", 0), vec![1, 2])])
        );
    }

    #[test]
    fn a_plan_without_repetition_passes() {
        let plan = Plan {
            partitions: vec![
                planned("a", 0, &[1, 2]),
                planned("a", 1, &[1, 2]),
                planned("b", 0, &[1]),
            ],
        };
        assert_eq!(plan.check(), Ok(()));
    }
}
