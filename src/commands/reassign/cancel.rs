//! `reassign cancel`: stops moves; what was copied so far is thrown away, the old replicas stay.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use super::between_batches::{self, IdleLooks};
use super::log_dir_moves::{self, Wishes};
use super::{CancelAction, idle_throttles, read_plan_file, shown};
use crate::client::admin::AdminClient;
use crate::commands::Context;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::output::reassignment::{self as show, LogDirRow, MoveRow};
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments};
use crate::reassignment::plan::Plan;
use crate::topic_partition::TopicPartition;

pub(super) fn run(action: &CancelAction, context: &mut Context) -> Result<()> {
    let plan = action.plan.as_deref();
    let plan = plan.map(|path| read_plan_file(path, context)).transpose()?;
    let (all, active) = under_way(plan.as_ref(), context.client.admin()?)?;
    let log_dirs = log_dir_moves::under_way(context.client.admin()?, plan.as_ref())?;
    if active.is_empty() && log_dirs.is_empty() {
        let of = action
            .plan
            .as_deref()
            .map_or_else(String::new, |plan| format!(" of {}", shown(plan)));
        context.printer.note(format_args!("nothing{of} is moving"));
    }
    let mut rows = rows(&active);
    let mut log_dir_rows = log_dir_rows(&log_dirs);
    let is_shown = context.printer.format() != Format::Table || !rows.is_empty() || !log_dir_rows.is_empty();
    if action.dry_run {
        if is_shown {
            show::moves(&rows, &log_dir_rows, &mut context.printer)?;
        }
        context.printer.note("dry run: nothing was sent");
        return Ok(());
    }
    let stop = active.keys().map(|name| (name.clone(), None)).collect();
    let refused = if active.is_empty() {
        BTreeMap::default()
    } else {
        context.client.admin()?.alter_reassignments(&stop, true)?
    };
    let stay = log_dir_moves::stop(context.client.admin()?, &log_dirs)?;
    for row in &mut log_dir_rows {
        row.state = if stay.contains_key(&row.replica) {
            "failed"
        } else {
            "cancelled"
        };
    }
    for row in &mut rows {
        row.state = if refused.contains_key(&row.name) {
            "failed"
        } else {
            "cancelled"
        };
    }
    if is_shown {
        show::moves(&rows, &log_dir_rows, &mut context.printer)?;
    }
    let (stopped, stopped_dirs) = (active.len() - refused.len(), log_dirs.len() - stay.len());
    if stopped + stopped_dirs > 0 {
        context
            .printer
            .note(format_args!("{} stopped", show::both(stopped, stopped_dirs)));
    }
    if !action.preserve_throttles && stay.is_empty() {
        let topics = plan.map(|plan| plan.topics()).unwrap_or_default();
        tidy(&all, &active, topics, context)?;
    }
    if let Some((replica, error)) = stay.into_iter().next() {
        return Err(error.context(show::on_broker(&replica)));
    }
    match refused.into_iter().next() {
        Some((name, error)) => Err(Error::from(error).context(name)),
        None => Ok(()),
    }
}

/// Everything that moves, and what of it belongs to the plan.
fn under_way(
    plan: Option<&Plan>,
    admin: &mut AdminClient,
) -> Result<(ActiveReassignments, ActiveReassignments)> {
    let mut idle = IdleLooks::default();
    loop {
        let all = admin.active_reassignments()?;
        let mut active = all.clone();
        if let Some(plan) = plan {
            let target = plan.assignment();
            active.retain(|name, _| target.contains_key(name));
        }
        if !active.is_empty() || idle.are_enough(plan, admin)? {
            return Ok((all, active));
        }
        thread::sleep(between_batches::PAUSE);
    }
}

fn rows(active: &ActiveReassignments) -> Vec<MoveRow> {
    let row = |(name, active): (&TopicPartition, &ActiveReassignment)| MoveRow {
        name: name.clone(),
        from: active.replicas.clone(),
        to: active.sources(),
        bytes: 0,
        state: "planned",
    };
    active.iter().map(row).collect()
}

/// What is stopped goes from where it was sent back to where it is.
fn log_dir_rows(wishes: &Wishes) -> Vec<LogDirRow> {
    let mut rows = log_dir_moves::rows(wishes, "planned");
    for row in &mut rows {
        row.from = wishes.get(&row.replica).and_then(|wish| wish.was.future.clone());
    }
    rows
}

/// Clears the throttles of topics that do not move any more, and of the brokers when nothing does.
fn tidy(
    before: &ActiveReassignments,
    stopped: &ActiveReassignments,
    topics: BTreeSet<String>,
    context: &mut Context,
) -> Result<()> {
    let mut goes_on = before.clone();
    goes_on.retain(|name, _| !stopped.contains_key(name));
    let mut topics = topics;
    topics.extend(stopped.keys().map(|name| name.topic.clone()));
    let admin = context.client.admin()?;
    let existing = admin.topic_replicas(None::<[&str; 0]>)?;
    topics.retain(|topic| existing.contains_key(topic));
    let found = idle_throttles::find(topics, &goes_on, admin)?;
    idle_throttles::clear(found, context)
}
