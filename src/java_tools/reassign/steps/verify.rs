//! `--verify`: the progress of the moves; throttles are cleared when nothing moves any longer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::throttles::clear_all_throttles;
use super::{JavaFailure, JavaResult, check_topic_names, plan_from, told};
use crate::client::admin::AdminClient;
use crate::commands::context::Context;
use crate::java_tools::reassign::words;
use crate::reassignment::Assignment;
use crate::reassignment::active::ActiveReassignments;
use crate::reassignment::plan::{PartitionReplica, Plan};
use crate::reassignment::progress::{self, LogDirState, PartitionProgress, PartitionState};
use crate::topic_partition::TopicPartition;
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

/// How often, and after which pause, a broker is asked again that may not know of the end of a move yet.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn verify(text: &str, preserve_throttles: bool, context: &mut Context) -> JavaResult {
    let plan = plan_from(text)?;
    let admin = context.client.admin()?;
    let active = admin.active_reassignments()?;
    let states = settled_states(admin, &plan, &active)?;
    context.printer.line(words::partition_states(&states))?;
    let moves = log_dir_states(context.client.admin()?, &plan)?;
    context.printer.line(words::log_dir_states(&moves))?;
    let is_moving = |state: &LogDirState| matches!(state, LogDirState::Moving | LogDirState::MovingTo(_));
    let moving = moves.values().any(|(_, state)| is_moving(state));
    if active.is_empty() && !moving && !preserve_throttles {
        clear_all_throttles(&plan, context)?;
    }
    Ok(())
}

/// The states, once the broker that describes the replicas is as recent as the controller: it learns of the end of a
/// move a moment later. Java takes longer than that to ask.
fn settled_states(
    admin: &mut AdminClient,
    plan: &Plan,
    active: &ActiveReassignments,
) -> JavaResult<Vec<PartitionProgress>> {
    let mut states = partition_states(admin, plan, active)?;
    for _ in 0..LOOKS {
        if !states.iter().any(has_just_ended) {
            break;
        }
        std::thread::sleep(PAUSE);
        states = partition_states(admin, plan, active)?;
    }
    Ok(states)
}

/// Whether it looks like the last moment of a move: the added replicas and the removed ones are both there.
fn has_just_ended(progress: &PartitionProgress) -> bool {
    match &progress.state {
        PartitionState::Elsewhere(replicas) => {
            replicas.len() > progress.target.len()
                && progress.target.iter().all(|broker| replicas.contains(broker))
        }
        _ => false,
    }
}

fn partition_states(
    admin: &mut AdminClient,
    plan: &Plan,
    active: &ActiveReassignments,
) -> JavaResult<Vec<PartitionProgress>> {
    let at_rest: Vec<&TopicPartition> = plan
        .partitions
        .iter()
        .map(|planned| &planned.topic_partition)
        .filter(|name| !active.contains_key(*name))
        .collect();
    let topics: BTreeSet<&str> = at_rest.iter().map(|name| name.topic.as_str()).collect();
    let mut current = Assignment::new();
    if !topics.is_empty() {
        check_topic_names(topics.iter().copied())?;
        let answers = admin.topic_replicas(Some(topics))?;
        for name in at_rest {
            match answers.get(&name.topic) {
                Some(Ok(partitions)) => {
                    let count = partitions.len();
                    match partitions.get(&name.partition) {
                        Some(replicas) => drop(current.insert(name.clone(), replicas.clone())),
                        None if count < usize::try_from(name.partition).unwrap_or(usize::MAX)
                            && name.partition >= 0 => {}
                        None => {
                            let index = name.partition;
                            return Err(told(format!("Index {index} out of bounds for length {count}")));
                        }
                    }
                }
                Some(Err(error)) if error.code != UNKNOWN_TOPIC_OR_PARTITION => {
                    return Err(JavaFailure::Refused(error.clone()));
                }
                _ => {}
            }
        }
    }
    Ok(progress::partitions(plan, active, |name| {
        current.get(name).cloned()
    }))
}

fn log_dir_states(
    admin: &mut AdminClient,
    plan: &Plan,
) -> JavaResult<BTreeMap<PartitionReplica, (String, LogDirState)>> {
    let dirs = admin.replica_dirs(plan.log_dir_moves().into_keys())?;
    Ok(progress::log_dir_moves(plan, |replica| {
        dirs.get(replica).cloned().unwrap_or_default()
    }))
}
