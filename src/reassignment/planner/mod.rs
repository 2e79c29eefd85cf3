//! Proposes a plan: the fewest copies that reach a goal.
//!
//! A copy is a replica on a broker that did not have it; changing the order of replicas (the preferred leader)
//! copies nothing. No goal puts two replicas of a partition on one broker or leaves a partition on fewer racks
//! than it was, where brokers allow. Goals are taken in this order: replication factor, drain, add, balance.

mod add_brokers;
mod balance;
mod drain;
mod layout;
mod leader_chains;
mod leaders;
mod replication_factor;

use std::collections::BTreeSet;
use std::fmt;

use super::Assignment;
use super::cluster_view::ClusterView;
use super::plan::comma_separated;
use super::random::Random;
use crate::topic_partition::{BrokerId, TopicPartition};
use layout::Layout;

/// The goal of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goals {
    /// The number of replicas of each chosen partition.
    pub replication_factor: Option<usize>,
    /// Brokers to be emptied; they may be down already.
    pub drain: BTreeSet<BrokerId>,
    /// Live brokers that get their share of the chosen topics.
    pub add: BTreeSet<BrokerId>,
    /// Even out replicas, bytes and preferred leaders of the chosen topics.
    pub balance: bool,
    /// Whether the brokers' racks count.
    pub rack_aware: bool,
}

/// Why a goal cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoalError {
    /// Brokers to be drained or added that are unknown or not alive.
    UnknownBrokers(Vec<BrokerId>),
    DeadBrokers(Vec<BrokerId>),
    /// Every broker is to be drained.
    NoBrokersLeft,
    TooFewBrokers {
        topic_partition: TopicPartition,
        replicas: usize,
        brokers: usize,
    },
}

/// Proposes the replicas of the chosen partitions; returns only those that change.
///
/// `chosen` says which topics may move. `seed` breaks ties.
pub fn propose(
    view: &ClusterView,
    goals: &Goals,
    chosen: impl Fn(&str) -> bool,
    seed: u64,
) -> Result<Assignment, GoalError> {
    check_brokers(view, goals)?;
    let mut layout = Layout::new(view, &goals.drain, chosen, goals.rack_aware);
    let mut random = Random::new(seed);
    if let Some(replicas) = goals.replication_factor {
        replication_factor::apply(&mut layout, replicas)?;
    }
    drain::apply(&mut layout)?;
    if goals.balance || !goals.add.is_empty() {
        layout.count_only_movable();
    }
    add_brokers::apply(&mut layout, &goals.add, &mut random);
    if goals.balance {
        layout = balance::apply(&layout, &mut random);
    }
    leaders::even_out(&mut layout, goals.balance);
    Ok(layout.changes())
}

fn check_brokers(view: &ClusterView, goals: &Goals) -> Result<(), GoalError> {
    let known = view.known_brokers();
    let named = goals.drain.union(&goals.add);
    let unknown: Vec<_> = named.filter(|broker| !known.contains(broker)).copied().collect();
    if !unknown.is_empty() {
        return Err(GoalError::UnknownBrokers(unknown));
    }
    let dead: Vec<_> = goals
        .add
        .iter()
        .filter(|broker| !view.is_alive(**broker))
        .copied()
        .collect();
    if !dead.is_empty() {
        return Err(GoalError::DeadBrokers(dead));
    }
    let left = view.brokers.iter().any(|live| !goals.drain.contains(&live.id));
    if left {
        Ok(())
    } else {
        Err(GoalError::NoBrokersLeft)
    }
}

impl fmt::Display for GoalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |brokers: &[BrokerId]| {
            let noun = if brokers.len() == 1 { "broker" } else { "brokers" };
            format!("{noun} {}", comma_separated(brokers))
        };
        match self {
            GoalError::UnknownBrokers(brokers) => write!(f, "{} not found", list(brokers)),
            GoalError::DeadBrokers(brokers) => write!(f, "{} not alive", list(brokers)),
            GoalError::NoBrokersLeft => {
                f.write_str("every live broker is to be drained: none is left to move to")
            }
            GoalError::TooFewBrokers {
                topic_partition,
                replicas,
                brokers,
            } => {
                let noun = if *brokers == 1 { "broker" } else { "brokers" };
                write!(
                    f,
                    "{topic_partition} shall have {replicas} replicas, and only {brokers} {noun} can take them"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
