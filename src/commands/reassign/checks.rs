//! Checks a plan against the cluster before anything is sent: everything in it exists, and nothing moved since.

use std::collections::BTreeSet;

use super::cluster;
use super::log_dir_moves::{self, Wishes};
use crate::client::admin::AdminClient;
use crate::error::{Error, Result};
use crate::reassignment::Assignment;
use crate::reassignment::active::ActiveReassignments;
use crate::reassignment::plan::{Plan, comma_separated};
use crate::topic_partition::{BrokerId, TopicPartition};

/// How many names an error lists before it says how many more there are.
const NAMED: usize = 5;

/// The part of a plan that is not done.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Partitions to start, and their targets.
    pub start: Assignment,
    /// Partitions that are already being moved to the plan's target.
    pub under_way: Assignment,
    /// Partitions that are where the plan wants them.
    pub done: usize,
    /// Where every partition of the plan is.
    pub current: Assignment,
    /// Every reassignment in the cluster.
    pub active: ActiveReassignments,
    /// Replicas that should be in a named log directory and are not yet.
    pub log_dirs: Wishes,
}

impl Work {
    /// The targets that are not reached: partitions to start, and those being moved.
    pub(super) fn targets(&self) -> Assignment {
        let all = self.start.iter().chain(&self.under_way);
        all.map(|(name, to)| (name.clone(), to.clone())).collect()
    }
}

/// How strict the checks are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strictness {
    /// Whether other moves may be in progress, and the plan's partitions may be moving elsewhere.
    pub additional: bool,
    /// Whether a change of the replica count is refused.
    pub same_factor: bool,
    /// Whether the plan undoes another: its partitions may be anywhere between the two.
    pub takes_back: bool,
}

/// Checks `plan`, which is valid in itself, against the cluster and returns what is left to do. Errors call it `file`.
pub(super) fn work(admin: &mut AdminClient, plan: &Plan, file: &str, strictness: Strictness) -> Result<Work> {
    check_brokers(admin, plan, file)?;
    let target = plan.assignment();
    let topics = plan.topics();
    let look = |admin: &mut AdminClient| cluster::assignment(admin, topics.iter().map(String::as_str));
    let (mut current, active) = cluster::settled(admin, look)?;
    check_partitions(&target, &current, file)?;
    current.retain(|name, _| target.contains_key(name));
    check_active(&active, &target, file, strictness)?;
    check_not_moved(plan, &current, &active, file, strictness)?;
    if strictness.same_factor {
        check_factor(&target, &current, &active, file)?;
    }
    let mut work = Work::default();
    for (name, replicas) in target {
        match active.get(&name) {
            Some(reassignment) if reassignment.target() == replicas => {
                work.under_way.insert(name, replicas);
            }
            None if current.get(&name) == Some(&replicas) => work.done += 1,
            _ => drop(work.start.insert(name, replicas)),
        }
    }
    work.log_dirs = log_dir_moves::wishes(admin, plan, file)?;
    work.current = current;
    work.active = active;
    Ok(work)
}

fn check_brokers(admin: &mut AdminClient, plan: &Plan, file: &str) -> Result<()> {
    let alive: BTreeSet<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
    let named = plan
        .partitions
        .iter()
        .flat_map(|planned| planned.replicas.iter().copied());
    let unknown: BTreeSet<BrokerId> = named.filter(|broker| !alive.contains(broker)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let (noun, verb) = if unknown.len() == 1 {
        ("broker", "is")
    } else {
        ("brokers", "are")
    };
    let message = format!("{file}: {noun} {} {verb} not up", comma_separated(&unknown));
    Err(Error::not_found(message).hint(format!("brokers that are up: {}", comma_separated(&alive))))
}

fn check_partitions(target: &Assignment, current: &Assignment, file: &str) -> Result<()> {
    let missing: Vec<&TopicPartition> = target
        .keys()
        .filter(|name| !current.contains_key(*name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let topic_exists = |topic: &str| current.keys().any(|name| name.topic == topic);
    let gone: BTreeSet<&str> = missing
        .iter()
        .map(|name| name.topic.as_str())
        .filter(|topic| !topic_exists(topic))
        .collect();
    let message = if gone.is_empty() {
        format!(
            "{file}: {} not found",
            some_of(&missing, "partition", "partitions")
        )
    } else {
        let gone: Vec<&str> = gone.into_iter().collect();
        format!("{file}: {} not found", some_of(&gone, "topic", "topics"))
    };
    Err(Error::not_found(message))
}

fn check_active(
    active: &ActiveReassignments,
    target: &Assignment,
    file: &str,
    strictness: Strictness,
) -> Result<()> {
    if strictness.additional {
        return Ok(());
    }
    let others: Vec<&TopicPartition> = active.keys().filter(|name| !target.contains_key(*name)).collect();
    if !others.is_empty() && !strictness.takes_back {
        let others = some_of(&others, "other partition", "other partitions");
        return Err(Error::failed(format!("{others} moving already")).hint(
            "wait for the moves (`reassign verify --watch`), stop them (`reassign cancel`), or say --additional",
        ));
    }
    let elsewhere: Vec<&TopicPartition> = active
        .iter()
        .filter(|(name, reassignment)| {
            target
                .get(*name)
                .is_some_and(|replicas| *replicas != reassignment.target())
        })
        .map(|(name, _)| name)
        .collect();
    if elsewhere.is_empty() || strictness.takes_back {
        return Ok(());
    }
    let elsewhere = some_of(&elsewhere, "partition", "partitions");
    Err(
        Error::failed(format!("{file}: {elsewhere} on the way to another target"))
            .hint("see `reassign list`; --additional sends them to this plan's target instead"),
    )
}

fn check_not_moved(
    plan: &Plan,
    current: &Assignment,
    active: &ActiveReassignments,
    file: &str,
    strictness: Strictness,
) -> Result<()> {
    if strictness.additional {
        return Ok(());
    }
    for planned in &plan.partitions {
        let name = &planned.topic_partition;
        let (Some(was), Some(is)) = (&planned.was, current.get(name)) else {
            continue;
        };
        // A move that was stopped leaves the replicas where they were, possibly in another order.
        if active.contains_key(name) || same_brokers(is, was) || *is == planned.replicas {
            continue;
        }
        let message = format!(
            "{file}: {name} was on {} when the plan was made and is on {} now",
            comma_separated(was),
            comma_separated(is)
        );
        return Err(Error::failed(message).hint("plan again, or say --additional"));
    }
    Ok(())
}

/// Whether two lists name the same brokers, in any order.
pub(super) fn same_brokers(some: &[BrokerId], others: &[BrokerId]) -> bool {
    some.iter().collect::<BTreeSet<_>>() == others.iter().collect()
}

fn check_factor(
    target: &Assignment,
    current: &Assignment,
    active: &ActiveReassignments,
    file: &str,
) -> Result<()> {
    for (name, replicas) in target {
        let (Some(current), None) = (current.get(name), active.get(name)) else {
            continue;
        };
        if current.len() != replicas.len() {
            let (from, to) = (current.len(), replicas.len());
            return Err(
                Error::failed(format!("{file}: {name} would go from {from} to {to} replicas"))
                    .hint("leave out --disallow-replication-factor-change to allow it"),
            );
        }
    }
    Ok(())
}

/// `partition a-0`, `partitions a-0,a-1 and 12 more`
pub(super) fn some_of<T: ToString>(items: &[T], one: &str, several: &str) -> String {
    let noun = if items.len() == 1 { one } else { several };
    let named = comma_separated(items.iter().take(NAMED).map(ToString::to_string));
    match items.len().saturating_sub(NAMED) {
        0 => format!("{noun} {named}"),
        more => format!("{noun} {named} and {more} more"),
    }
}
