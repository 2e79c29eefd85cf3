//! How far a plan is: each partition and each move between log directories, and the bytes copied.

use std::collections::BTreeMap;

use super::active::ActiveReassignments;
use super::plan::{PartitionReplica, Plan};
use crate::topic_partition::{BrokerId, TopicPartition};

/// How far the move of one partition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartitionState {
    /// The controller is moving it to the target of the plan.
    Moving,
    /// The controller is moving it to other brokers.
    MovingTo(Vec<BrokerId>),
    /// It has the replicas of the plan, in the plan's order.
    Done,
    /// It is not moving, and has other replicas; none if the topic or partition does not exist.
    Elsewhere(Vec<BrokerId>),
}

/// One partition of a plan and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionProgress {
    pub topic_partition: TopicPartition,
    pub target: Vec<BrokerId>,
    pub state: PartitionState,
}

/// Where a replica's files are on its broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaDirs {
    /// `None`: on no live log directory.
    pub current: Option<String>,
    /// The directory it is being moved to.
    pub future: Option<String>,
    /// Bytes that `future` has of those that `current` has.
    pub copied: Copied,
}

/// How far one move between log directories is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogDirState {
    Done,
    Moving,
    /// Being moved to a directory that the plan does not name.
    MovingTo(String),
    /// In this directory, and not moving.
    StaysIn(String),
    /// No live log directory of the broker has it.
    NotFound,
}

/// The state of every partition of `plan`, sorted; of two entries for one partition the later counts.
pub fn partitions(
    plan: &Plan,
    active: &ActiveReassignments,
    current: impl Fn(&TopicPartition) -> Option<Vec<BrokerId>>,
) -> Vec<PartitionProgress> {
    let state = |topic_partition: &TopicPartition, target: &[BrokerId]| {
        if let Some(reassignment) = active.get(topic_partition) {
            return match reassignment.target() {
                towards if towards == target => PartitionState::Moving,
                towards => PartitionState::MovingTo(towards),
            };
        }
        let replicas = current(topic_partition).unwrap_or_default();
        if replicas == target {
            PartitionState::Done
        } else {
            PartitionState::Elsewhere(replicas)
        }
    };
    plan.assignment()
        .into_iter()
        .map(|(topic_partition, target)| PartitionProgress {
            state: state(&topic_partition, &target),
            topic_partition,
            target,
        })
        .collect()
}

/// The state of every move between log directories, sorted by broker, topic and partition.
pub fn log_dir_moves(
    plan: &Plan,
    dirs: impl Fn(&PartitionReplica) -> ReplicaDirs,
) -> BTreeMap<PartitionReplica, (String, LogDirState)> {
    plan.log_dir_moves()
        .into_iter()
        .map(|(replica, target)| {
            let state = log_dir_state(&target, dirs(&replica));
            (replica, (target, state))
        })
        .collect()
}

fn log_dir_state(target: &str, dirs: ReplicaDirs) -> LogDirState {
    match (dirs.current, dirs.future) {
        (None, _) => LogDirState::NotFound,
        (Some(current), None) if current == target => LogDirState::Done,
        (Some(current), None) => LogDirState::StaysIn(current),
        (Some(_), Some(future)) if future == target => LogDirState::Moving,
        (Some(_), Some(future)) => LogDirState::MovingTo(future),
    }
}

/// How much of a copy is done, in bytes of log files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    pub done: u64,
    pub total: u64,
}

impl Copied {
    /// Bytes still to be copied.
    pub fn left(self) -> u64 {
        self.total.saturating_sub(self.done)
    }

    /// Whole per cent; 100 only when nothing is left.
    pub fn percent(self) -> u64 {
        match self.total {
            0 => 100,
            total => u64::try_from(u128::from(self.done.min(total)) * 100 / u128::from(total)).unwrap_or(100),
        }
    }
}

impl std::ops::Add for Copied {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            total: self.total + other.total,
        }
    }
}

/// How much of a partition its new replicas have: each needs as many bytes as the largest source has.
pub fn copied(
    sources: &[BrokerId],
    destinations: &[BrokerId],
    size_on: impl Fn(BrokerId) -> Option<u64>,
) -> Copied {
    let size = sources
        .iter()
        .filter_map(|broker| size_on(*broker))
        .max()
        .unwrap_or(0);
    let have = destinations
        .iter()
        .map(|broker| size_on(*broker).unwrap_or(0).min(size));
    Copied {
        done: have.sum(),
        total: size * destinations.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reassignment::active::ActiveReassignment;
    use crate::reassignment::plan_json::read_plan;

    #[test]
    fn done_means_the_plans_order() {
        let plan = read_plan(
            r#"{"partitions":[{"topic":"a","partition":1,"replicas":[2,1]},{"topic":"a","partition":0,"replicas":[1]},
                {"topic":"b","partition":0,"replicas":[1]},{"topic":"b","partition":1,"replicas":[1]},
                {"topic":"c","partition":0,"replicas":[3]}]}"#,
        )
        .unwrap();
        let towards = |broker| ActiveReassignment {
            replicas: vec![broker],
            ..ActiveReassignment::default()
        };
        let active = ActiveReassignments::from([
            (TopicPartition::new("b", 0), towards(1)),
            (TopicPartition::new("b", 1), towards(2)),
        ]);
        let states = partitions(&plan, &active, |topic_partition| {
            (topic_partition.topic == "a").then(|| vec![1; 1 + topic_partition.partition as usize])
        });
        let states: Vec<_> = states.into_iter().map(|progress| progress.state).collect();
        assert_eq!(
            states,
            [
                PartitionState::Done,
                PartitionState::Elsewhere(vec![1, 1]),
                PartitionState::Moving,
                PartitionState::MovingTo(vec![2]),
                PartitionState::Elsewhere(vec![])
            ]
        );
    }

    #[test]
    fn a_move_between_log_dirs_has_five_states() {
        let dirs = |current: &str, future: &str| {
            let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
            log_dir_state(
                "/a",
                ReplicaDirs {
                    current: named(current),
                    future: named(future),
                    copied: Copied::default(),
                },
            )
        };
        assert_eq!(dirs("", ""), LogDirState::NotFound);
        assert_eq!(dirs("/a", ""), LogDirState::Done);
        assert_eq!(dirs("/b", ""), LogDirState::StaysIn("/b".to_owned()));
        assert_eq!(dirs("/b", "/a"), LogDirState::Moving);
        assert_eq!(dirs("/b", "/c"), LogDirState::MovingTo("/c".to_owned()));
    }

    #[test]
    fn a_copy_is_measured_against_the_largest_source() {
        let size = |broker| {
            [None, Some(100), Some(90), Some(30), None]
                .get(broker as usize)
                .copied()
                .flatten()
        };
        assert_eq!(copied(&[1, 2], &[3, 4], size), Copied { done: 30, total: 200 });
        assert_eq!(
            Copied {
                done: 199,
                total: 200
            }
            .percent(),
            99
        );
        assert_eq!(Copied::default().percent(), 100);
    }
}
