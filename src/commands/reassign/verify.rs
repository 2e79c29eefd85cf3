//! `reassign verify` and `reassign list`: the progress of moves, and throttles that are not needed any longer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::between_batches::IdleLooks;
use super::cluster::{self, Sizes};
use super::idle_throttles;
use super::interrupt::Interrupt;
use super::log_dir_moves::{self, LogDirStates, Wishes};
use super::patience::Patience;
use super::{VerifyAction, read_plan_file, shown};
use crate::client::admin::AdminClient;
use crate::commands::context::Context;
use crate::error::{Error, Kind, Result};
use crate::output::plural;
use crate::output::reassignment::{self as show, LogDirRow, StateRow};
use crate::output::reassignment_progress::{Bars, Step};
use crate::reassignment::Assignment;
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments};
use crate::reassignment::plan::{PartitionReplica, Plan};
use crate::reassignment::progress::{
    self, Copied, LogDirState, PartitionProgress, PartitionState, ReplicaDirs, copied,
};
use crate::topic_partition::{BrokerId, TopicPartition};

/// The pause between two looks of `--watch`.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) fn list(context: &mut Context) -> Result<()> {
    let active = context.client.admin()?.active_reassignments()?;
    show_active(&active, context)
}

fn show_active(active: &ActiveReassignments, context: &mut Context) -> Result<()> {
    let sizes = sizes_of(active, context)?;
    let log_dirs = match log_dir_moves::under_way(context.client.admin()?, None) {
        Ok(wishes) => wishes,
        Err(error) => {
            let line = format_args!("moves between log directories are not known: {error}");
            context.printer.warning(line);
            Wishes::new()
        }
    };
    show::active(
        active,
        |name| copied_of(name, active, &sizes),
        &log_dir_moves::rows_there(&log_dirs),
        &mut context.printer,
    )
}

pub(super) fn run(action: &VerifyAction, context: &mut Context) -> Result<()> {
    let plan = action.plan.as_deref();
    let plan = plan.map(|path| read_plan_file(path, context)).transpose()?;
    if action.watch {
        watch(plan.as_ref(), context)?;
    }
    let Some(plan) = plan else {
        let active = context.client.admin()?.active_reassignments()?;
        show_active(&active, context)?;
        return tidy(action, None, &active, context);
    };
    let file = action.plan.as_deref().map(shown).unwrap_or_default();
    let (rows, active) = state_rows(&plan, context)?;
    let log_dirs = log_dir_moves::states(context.client.admin()?, &plan)?;
    show::states(&rows, &log_dir_rows(&log_dirs), &mut context.printer)?;
    tidy(action, Some(&plan), &active, context)?;
    verdict(&rows, &log_dirs_not_done(&log_dirs), &file)
}

/// What is watched: the partitions of a plan, or all; and replicas that move to other log directories.
struct Watched {
    partitions: Option<Assignment>,
    replicas: BTreeSet<PartitionReplica>,
}

/// Waits until nothing of the plan moves; without one, nothing that moves at the start. A cluster that was reached once
/// may stop answering for a while.
fn watch(plan: Option<&Plan>, context: &mut Context) -> Result<()> {
    let interrupt = Interrupt::new()?;
    let mut bars = Bars::new(context.printer.is_quiet());
    let mut patience = Patience::default();
    // Every move seen so far; a finished one stays in the sum.
    let mut seen: BTreeMap<String, Step> = BTreeMap::new();
    let admin = context.client.admin()?;
    let replicas = match plan {
        Some(plan) => plan.log_dir_moves().into_keys().collect(),
        None => log_dir_moves::under_way(admin, None)?.into_keys().collect(),
    };
    let watched = Watched {
        partitions: plan.map(Plan::assignment),
        replicas,
    };
    let mut idle = IdleLooks::default();
    loop {
        let steps = look(&watched, plan, &mut idle, context);
        let steps = patience.with(steps, context).inspect_err(|_| bars.finish())?;
        match steps {
            Some(None) => {
                bars.finish();
                return Ok(());
            }
            Some(Some(steps)) => {
                for step in seen.values_mut() {
                    step.is_done = true;
                    step.copied.done = step.copied.total;
                }
                seen.extend(steps.into_iter().map(|step| (step.name.clone(), step)));
                bars.show(&seen.values().cloned().collect::<Vec<_>>(), &[]);
            }
            None => {}
        }
        interrupt.pause(PAUSE);
        if interrupt.was_asked() {
            bars.finish();
            let left = seen.values().filter(|step| !step.is_done).count();
            return Err(Error::new(
                Kind::Interrupted,
                format!("interrupted: {} still under way", plural(left as u64, "move")),
            ));
        }
    }
}

/// The moves that are watched; `None` when they have all ended.
fn look(
    watched: &Watched,
    plan: Option<&Plan>,
    idle: &mut IdleLooks,
    context: &mut Context,
) -> Result<Option<Vec<Step>>> {
    let admin = context.client.admin()?;
    let steps = under_way(watched, admin)?;
    if !steps.is_empty() {
        *idle = IdleLooks::default();
    } else if idle.are_enough(plan, admin)? {
        return Ok(None);
    }
    Ok(Some(steps))
}

/// The moves that are watched, and their progress. A broker that does not answer does not delay the rest.
fn under_way(watched: &Watched, admin: &mut AdminClient) -> Result<Vec<Step>> {
    admin.refresh()?;
    let mut active = admin.active_reassignments()?;
    if let Some(partitions) = &watched.partitions {
        active.retain(|name, _| partitions.contains_key(name));
    }
    let log_dirs = log_dir_moves::under_way_of(admin, &watched.replicas)?;
    let sizes = if active.is_empty() {
        Sizes::default()
    } else {
        let names: BTreeSet<TopicPartition> = active.keys().cloned().collect();
        cluster::sizes_and_silent(concerned(&active, admin)?, Some(&names), admin)?.0
    };
    let step = |name: &TopicPartition| Step {
        name: name.to_string(),
        copied: copied_of(name, &active, &sizes).unwrap_or_default(),
        is_done: false,
    };
    let between_dirs = log_dirs.iter().map(|(replica, wish)| Step {
        name: show::on_broker(replica),
        copied: wish.was.copied,
        is_done: false,
    });
    Ok(active.keys().map(step).chain(between_dirs).collect())
}

/// The brokers that are up and send or receive.
fn concerned(active: &ActiveReassignments, admin: &mut AdminClient) -> Result<BTreeSet<BrokerId>> {
    let alive: BTreeSet<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
    let concerned = active.values().flat_map(|active| active.replicas.iter().copied());
    Ok(concerned.filter(|broker| alive.contains(broker)).collect())
}

fn sizes_of(active: &ActiveReassignments, context: &mut Context) -> Result<Sizes> {
    if active.is_empty() {
        return Ok(Sizes::default());
    }
    let names: BTreeSet<TopicPartition> = active.keys().cloned().collect();
    let concerned = concerned(active, context.client.admin()?)?;
    cluster::sizes(concerned, Some(&names), context)
}

/// `None` where no broker with the data reports its size.
fn copied_of(name: &TopicPartition, active: &ActiveReassignments, sizes: &Sizes) -> Option<Copied> {
    let active = active.get(name)?;
    let sources = active.sources();
    let size_on = |broker| sizes.on(broker, name);
    sources.iter().find_map(|broker| size_on(*broker))?;
    Some(copied(&sources, &active.adding, size_on))
}

/// The state of every partition of the plan, and everything that moves.
fn state_rows(plan: &Plan, context: &mut Context) -> Result<(Vec<StateRow>, ActiveReassignments)> {
    let topics = plan.topics();
    let look = |admin: &mut AdminClient| cluster::assignment(admin, topics.iter().map(String::as_str));
    let (current, active) = cluster::settled(context.client.admin()?, look)?;
    let states = progress::partitions(plan, &active, |name| current.get(name).cloned());
    let (mut of_plan, target) = (active.clone(), plan.assignment());
    of_plan.retain(|name, _| target.contains_key(name));
    let sizes = sizes_of(&of_plan, context)?;
    let row = |progress: PartitionProgress| StateRow {
        replicas: replicas_of(
            &progress.topic_partition,
            active.get(&progress.topic_partition),
            &current,
        ),
        copied: copied_of(&progress.topic_partition, &active, &sizes),
        name: progress.topic_partition,
        state: progress.state,
        target: progress.target,
    };
    let rows = states.into_iter().map(row).collect();
    Ok((rows, active))
}

fn replicas_of(
    name: &TopicPartition,
    active: Option<&ActiveReassignment>,
    current: &Assignment,
) -> Vec<BrokerId> {
    match active {
        Some(active) => active.replicas.clone(),
        None => current.get(name).cloned().unwrap_or_default(),
    }
}

fn log_dir_rows(states: &LogDirStates) -> Vec<LogDirRow> {
    let row =
        |(replica, (to, state, dirs)): (&PartitionReplica, &(String, LogDirState, ReplicaDirs))| LogDirRow {
            replica: replica.clone(),
            from: dirs.current.clone(),
            to: to.clone(),
            copied: dirs.copied,
            state: match state {
                LogDirState::Done => "done",
                LogDirState::Moving => "moving",
                LogDirState::MovingTo(_) => "moving elsewhere",
                LogDirState::StaysIn(_) => "not moved",
                LogDirState::NotFound => "not found",
            },
        };
    states.iter().map(row).collect()
}

/// The plan's moves between log directories that are not done, as text.
fn log_dirs_not_done(states: &LogDirStates) -> Vec<String> {
    let words = states.iter().filter_map(|(replica, (target, state, _))| {
        let replica = show::on_broker(replica);
        match state {
            LogDirState::Done => None,
            LogDirState::Moving => Some(format!("{replica} is moving to {target}")),
            LogDirState::MovingTo(other) => {
                Some(format!("{replica} is moving to {other} instead of {target}"))
            }
            LogDirState::StaysIn(current) => {
                Some(format!("{replica} stays in {current} instead of {target}"))
            }
            LogDirState::NotFound => Some(format!("{replica} is on no live log directory")),
        }
    });
    words.collect()
}

/// Clears throttles that no move needs: the plan's topics when none of their partitions moves, and the brokers
/// when nothing moves at all.
fn tidy(
    action: &VerifyAction,
    plan: Option<&Plan>,
    active: &ActiveReassignments,
    context: &mut Context,
) -> Result<()> {
    if action.preserve_throttles {
        return Ok(());
    }
    let admin = context.client.admin()?;
    let topics: BTreeSet<String> = match plan {
        Some(plan) if !action.clear_all_throttles => plan.topics(),
        _ => admin.topic_replicas(None::<[&str; 0]>)?.into_keys().collect(),
    };
    let found = idle_throttles::find(topics, active, admin)?;
    if plan.is_none() && !found.is_empty() && !action.clear_all_throttles {
        context.printer.note(format_args!(
            "throttles on {}; --clear-throttles removes them",
            idle_throttles::names_of(&found)
        ));
        return Ok(());
    }
    idle_throttles::clear(found, context)
}

/// Success only when everything is where the plan wants it.
fn verdict(rows: &[StateRow], dirs_moving: &[String], file: &str) -> Result<()> {
    let count = |wanted: fn(&PartitionState) -> bool| rows.iter().filter(|row| wanted(&row.state)).count();
    let moving = count(|state| *state == PartitionState::Moving);
    let gone = count(|state| matches!(state, PartitionState::Elsewhere(replicas) if replicas.is_empty()));
    let diverted = count(|state| matches!(state, PartitionState::MovingTo(_)));
    let elsewhere = count(|state| matches!(state, PartitionState::Elsewhere(_))) - gone;
    let mut words: Vec<String> = Vec::new();
    for (count, what) in [
        (moving, "still moving"),
        (diverted, "moving to other brokers than the plan's"),
        (elsewhere, "not moved"),
        (gone, "not found"),
    ] {
        if count > 0 {
            words.push(format!("{count} {what}"));
        }
    }
    words.extend(dirs_moving.iter().cloned());
    if words.is_empty() {
        return Ok(());
    }
    let message = format!("{file}: not done: {}", words.join(", "));
    Err(if gone == rows.len() && gone > 0 {
        Error::not_found(message)
    } else {
        Error::failed(message)
    })
}
