//! `reassign cancel`: stops moves; partial copies are deleted, the old replicas stay.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use super::between_batches::{self, IdleLooks};
use super::log_dir_moves::{self, Wishes};
use super::{CancelAction, idle_throttles, read_plan_file, shown};
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::{Error, Kind, Result};
use crate::output::Format;
use crate::output::reassignment::{self as show, LogDirRow, MoveRow};
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments};
use crate::reassignment::plan::{PartitionReplica, Plan, comma_separated};
use crate::topic_partition::TopicPartition;
use crate::wire::error_codes::NO_REASSIGNMENT_IN_PROGRESS;

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
    let (mut rows, mut log_dir_rows) = (rows(&active), log_dir_rows(&log_dirs));
    if action.dry_run {
        show_rows(&rows, &log_dir_rows, context)?;
        context.printer.note("dry run: nothing was sent");
        return Ok(());
    }
    let outcome = Outcome::of_stopping(&active, &log_dirs, context.client.admin()?)?;
    for row in &mut rows {
        row.state = outcome.of_partition(&row.name);
    }
    for row in &mut log_dir_rows {
        row.state = outcome.of_replica(&row.replica);
    }
    show_rows(&rows, &log_dir_rows, context)?;
    outcome.tell(active.len(), log_dirs.len(), context);
    if !action.preserve_throttles && outcome.stay.is_empty() {
        let mut goes_on = all;
        goes_on.retain(|name, _| !active.contains_key(name) || outcome.refused.contains_key(name));
        let mut topics = plan.map(|plan| plan.topics()).unwrap_or_default();
        topics.extend(active.keys().map(|name| name.topic.clone()));
        tidy(&goes_on, topics, context)?;
    }
    outcome.verdict()
}

fn show_rows(rows: &[MoveRow], log_dir_rows: &[LogDirRow], context: &mut Context) -> Result<()> {
    if context.printer.format() == Format::Table && rows.is_empty() && log_dir_rows.is_empty() {
        return Ok(());
    }
    show::moves(rows, log_dir_rows, &mut context.printer)
}

/// Moves that did not stop.
#[derive(Debug)]
struct Outcome {
    /// Partitions whose move was complete before it could be stopped.
    ended: BTreeSet<TopicPartition>,
    refused: BTreeMap<TopicPartition, ApiError>,
    /// Replicas that are still moved to another log directory.
    stay: BTreeMap<PartitionReplica, Error>,
}

impl Outcome {
    fn of_stopping(active: &ActiveReassignments, log_dirs: &Wishes, admin: &mut AdminClient) -> Result<Self> {
        let stop = active.keys().map(|name| (name.clone(), None)).collect();
        let mut refused = if active.is_empty() {
            BTreeMap::default()
        } else {
            admin.alter_reassignments(&stop, true)?
        };
        let mut ended = BTreeSet::new();
        refused.retain(|name, error| {
            let has_ended = error.code == NO_REASSIGNMENT_IN_PROGRESS;
            if has_ended {
                ended.insert(name.clone());
            }
            !has_ended
        });
        Ok(Self {
            ended,
            refused,
            stay: log_dir_moves::stop(admin, log_dirs)?,
        })
    }

    fn of_partition(&self, name: &TopicPartition) -> &'static str {
        if self.refused.contains_key(name) {
            "failed"
        } else if self.ended.contains(name) {
            "ended before"
        } else {
            "cancelled"
        }
    }

    fn of_replica(&self, replica: &PartitionReplica) -> &'static str {
        if self.stay.contains_key(replica) {
            "failed"
        } else {
            "cancelled"
        }
    }

    fn tell(&self, active: usize, log_dirs: usize, context: &mut Context) {
        let stopped = active - self.refused.len() - self.ended.len();
        let stopped_dirs = log_dirs - self.stay.len();
        if stopped + stopped_dirs > 0 {
            let stopped = show::both(stopped, stopped_dirs);
            context.printer.note(format_args!("{stopped} stopped"));
        }
        if !self.ended.is_empty() {
            let ended = show::partitions(self.ended.len());
            context.printer.note(format_args!(
                "{ended} ended before: {}",
                comma_separated(&self.ended)
            ));
        }
    }

    /// An error if any move continues; the first refusal decides the exit code, and all are listed.
    fn verdict(self) -> Result<()> {
        let what = show::both(self.refused.len(), self.stay.len());
        let refused = self.refused.into_iter();
        let refused = refused.map(|(name, error)| (name.to_string(), Error::from(error)));
        let stay = self.stay.into_iter();
        let stay = stay.map(|(replica, error)| (show::on_broker(&replica), error));
        let failed: Vec<(String, Error)> = refused.chain(stay).collect();
        if failed.len() > 1 {
            let kind = failed.first().map_or(Kind::Failed, |(_, error)| error.kind());
            let reasons: Vec<String> = failed
                .iter()
                .map(|(name, error)| format!("{name}: {error}"))
                .collect();
            return Err(Error::new(
                kind,
                format!("{what} did not stop: {}", reasons.join("; ")),
            ));
        }
        match failed.into_iter().next() {
            Some((name, error)) => Err(error.context(name)),
            None => Ok(()),
        }
    }
}

/// Everything that moves, and the part of it that belongs to the plan.
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

/// The rows of stopped moves: from their target directory back to where the replica is.
fn log_dir_rows(wishes: &Wishes) -> Vec<LogDirRow> {
    let mut rows = log_dir_moves::rows(wishes, "planned");
    for row in &mut rows {
        row.from = wishes.get(&row.replica).and_then(|wish| wish.was.future.clone());
    }
    rows
}

/// Clears the throttles of topics without a partition in `goes_on`, and those of the brokers when it is empty.
fn tidy(goes_on: &ActiveReassignments, mut topics: BTreeSet<String>, context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let existing = admin.topic_replicas(None::<[&str; 0]>)?;
    topics.retain(|topic| existing.contains_key(topic));
    let found = idle_throttles::find(topics, goes_on, admin)?;
    idle_throttles::clear(found, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_stop_is_named_and_what_ended_before_is_no_failure() {
        let name = |partition| TopicPartition::new("a".to_owned(), partition);
        let denied = |partition| {
            let error = ApiError {
                code: 31,
                message: None,
            };
            (name(partition), error)
        };
        let outcome = |refused: &[i32]| Outcome {
            ended: BTreeSet::from([name(0)]),
            refused: refused.iter().map(|partition| denied(*partition)).collect(),
            stay: BTreeMap::new(),
        };
        assert_eq!(outcome(&[]).of_partition(&name(0)), "ended before");
        assert!(outcome(&[]).verdict().is_ok());
        let error = outcome(&[1, 2]).verdict().unwrap_err();
        assert_eq!(error.kind(), Kind::Denied);
        let said = error.to_string();
        assert!(said.starts_with("2 partitions did not stop: a-1: "), "{said}");
        assert!(said.contains("; a-2: "), "{said}");
    }
}
