//! `reassign execute` and `reassign undo`: check, write the undo file, throttle, move, clear the throttle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::checks::{self, Strictness, Work};
use super::cluster::{self, Sizes};
use super::execution_throttles;
use super::interrupt::Interrupt;
use super::log_dir_moves;
use super::throttles::Changes;
use super::undo_file::{self, UndoFile};
use super::watch::{Pace, Watch};
use super::{ExecuteAction, read_plan_file, shown};
use crate::commands::context::Context;
use crate::error::{Error, Kind, Result};
use crate::output::Format;
use crate::output::reassignment::{self as show, LogDirRow, MoveRow, human_bytes, partitions};
use crate::reassignment::Assignment;
use crate::reassignment::plan::Plan;
use crate::reassignment::progress::{Copied, copied};
use crate::topic_partition::{BrokerId, TopicPartition};

/// An execution after the checks.
#[derive(Debug)]
struct Prepared {
    /// The plan's name in messages.
    file: String,
    work: Work,
    sizes: Sizes,
    rows: Vec<MoveRow>,
    log_dir_rows: Vec<LogDirRow>,
    undo: Option<UndoFile>,
}

impl Prepared {
    /// Whether it continues or undoes an earlier run, which may have left throttles.
    fn follows_another(&self) -> bool {
        self.undo.as_ref().is_none_or(|undo| undo.is_kept)
    }
}

/// Undoes a plan: the file is an undo file, or a plan that has one beside it.
pub(super) fn undo(mut action: ExecuteAction, context: &mut Context) -> Result<()> {
    if !undo_file::is_undo_file(&action.plan) {
        let beside = undo_file::path_for(&action.plan);
        let found = undo_file::all_like(&beside);
        let Some(newest) = found.last() else {
            let message = format!(
                "{} not found: {} was not executed here",
                beside.display(),
                shown(&action.plan)
            );
            return Err(Error::not_found(message).hint("name the undo file that `reassign execute` wrote"));
        };
        if found.len() > 1 {
            let line = format_args!("undoing with {}, the newest of {}", newest.display(), found.len());
            context.printer.note(line);
        }
        action.plan.clone_from(newest);
    }
    let plan = read_plan_file(&action.plan, context)?;
    move_replicas(&action, &plan, true, context)
}

pub(super) fn run(action: &ExecuteAction, context: &mut Context) -> Result<()> {
    let plan = read_plan_file(&action.plan, context)?;
    move_replicas(action, &plan, false, context)
}

fn move_replicas(action: &ExecuteAction, plan: &Plan, takes_back: bool, context: &mut Context) -> Result<()> {
    plan.check()
        .map_err(|error| Error::bad_data(format!("{}: {error}", shown(&action.plan))))?;
    let prepared = prepare(action, plan, takes_back, context)?;
    let is_table = context.printer.format() == Format::Table;
    if prepared.rows.is_empty() && prepared.log_dir_rows.is_empty() {
        let all = partitions(plan.partitions.len());
        context.printer.note(format_args!(
            "nothing to do: {all} of {} where they shall be",
            prepared.file
        ));
        if !is_table {
            show::moves(&[], &[], &mut context.printer)?;
        }
        if action.dry_run || !prepared.follows_another() {
            return Ok(());
        }
        let mut left = Changes::new();
        execution_throttles::add_left_over(&mut left, plan.topics(), context)?;
        return execution_throttles::clear(&left, &prepared.file, context);
    }
    announce(action, &prepared, context)?;
    if is_table || action.dry_run {
        show::moves(&prepared.rows, &prepared.log_dir_rows, &mut context.printer)?;
        context.printer.flush()?;
    }
    if let Some(undo) = &prepared.undo {
        let kept = if undo.is_kept {
            " (kept from the earlier run)"
        } else {
            ""
        };
        context
            .printer
            .note(format_args!("undo file: {}{kept}", undo.path.display()));
    }
    if action.dry_run {
        context.printer.note("dry run: nothing was sent");
        return Ok(());
    }
    if let Some(undo) = prepared.undo.as_ref().filter(|undo| !undo.is_kept) {
        let back = undo_file::undo_plan(plan, &origins(&prepared.work), &prepared.work.log_dirs);
        undo_file::write(&undo.path, &back)?;
    }
    carry_out(action, prepared, context)
}

fn prepare(action: &ExecuteAction, plan: &Plan, takes_back: bool, context: &mut Context) -> Result<Prepared> {
    let file = shown(&action.plan);
    let strictness = Strictness {
        additional: action.additional,
        same_factor: !action.allow_factor_change,
        takes_back,
    };
    let work = checks::work(context.client.admin()?, plan, &file, strictness)?;
    let touched: BTreeSet<TopicPartition> = work.start.keys().chain(work.under_way.keys()).cloned().collect();
    let brokers: Vec<BrokerId> = context
        .client
        .admin()?
        .brokers()?
        .iter()
        .map(|broker| broker.id)
        .collect();
    let sizes = if touched.is_empty() {
        Sizes::default()
    } else {
        cluster::sizes(brokers, Some(&touched), context)?
    };
    let undo = if takes_back {
        None
    } else {
        let wanted = action
            .undo_file
            .clone()
            .unwrap_or_else(|| undo_file::path_for(&action.plan));
        Some(undo_file::choose(&wanted, plan, &origins(&work))?)
    };
    let state = if action.dry_run { "planned" } else { "moving" };
    Ok(Prepared {
        rows: rows(&work, &sizes, state),
        log_dir_rows: log_dir_moves::rows(&work.log_dirs, state),
        file,
        work,
        sizes,
        undo,
    })
}

/// Where the partitions of a plan have their data, those being moved included.
fn origins(work: &Work) -> Assignment {
    let mut origins = work.current.clone();
    for (name, replicas) in &mut origins {
        if let Some(active) = work.active.get(name) {
            *replicas = active.sources();
        }
    }
    origins
}

fn rows(work: &Work, sizes: &Sizes, state: &'static str) -> Vec<MoveRow> {
    let origins = origins(work);
    work.targets()
        .into_iter()
        .map(|(name, to)| {
            let from = origins.get(&name).cloned().unwrap_or_default();
            let new: Vec<_> = to
                .iter()
                .copied()
                .filter(|broker| !from.contains(broker))
                .collect();
            let copy = copied(&from, &new, |broker| sizes.on(broker, &name));
            MoveRow {
                name,
                from,
                to,
                bytes: copy.total,
                state,
            }
        })
        .collect()
}

/// Announces the moves in one line.
fn announce(action: &ExecuteAction, prepared: &Prepared, context: &mut Context) -> Result<()> {
    let bytes: u64 = prepared.rows.iter().map(|row| row.bytes).sum();
    let between_dirs: u64 = prepared.log_dir_rows.iter().map(|row| row.copied.total).sum();
    let mut line = show::both(prepared.rows.len(), prepared.log_dir_rows.len());
    let verb = if prepared.rows.len() + prepared.log_dir_rows.len() == 1 {
        "moves"
    } else {
        "move"
    };
    let _ = write!(line, " {verb}, {} to copy", human_bytes(bytes + between_dirs));
    if let Some(rate) = action.throttle {
        let seconds = busiest(&prepared.rows) / rate.max(1);
        let _ = write!(
            line,
            " at {}/s on each broker: about {}",
            human_bytes(rate),
            show::duration(seconds)
        );
    }
    let extra = [
        (prepared.work.done, "already there"),
        (prepared.work.under_way.len(), "under way already"),
    ];
    for (count, what) in extra.iter().filter(|(count, _)| *count > 0) {
        let _ = write!(line, "; {count} {what}");
    }
    context.printer.note(line);
    context.printer.flush()
}

/// The most bytes that one broker receives.
fn busiest(rows: &[MoveRow]) -> u64 {
    let mut received: BTreeMap<BrokerId, u64> = BTreeMap::new();
    for row in rows {
        let adding: Vec<BrokerId> = row
            .to
            .iter()
            .filter(|id| !row.from.contains(id))
            .copied()
            .collect();
        for broker in &adding {
            *received.entry(*broker).or_default() += row.bytes / adding.len() as u64;
        }
    }
    received.into_values().max().unwrap_or(0)
}

fn carry_out(action: &ExecuteAction, prepared: Prepared, context: &mut Context) -> Result<()> {
    let interrupt = Interrupt::new()?;
    let mut set = execution_throttles::set(action, &prepared.work, context)?;
    let follows_another = prepared.follows_another();
    let topics: BTreeSet<String> = prepared
        .work
        .current
        .keys()
        .map(|name| name.topic.clone())
        .collect();
    let (mut rows, mut log_dir_rows) = (prepared.rows, prepared.log_dir_rows);
    let mut watch = Watch::new(prepared.work, prepared.sizes);
    let pace = Pace {
        concurrent: action.concurrent.filter(|_| !action.no_wait),
        throttle: &set,
    };
    let outcome = watch.begin(context).and_then(|()| {
        if action.no_wait {
            watch.start(pace, context)
        } else {
            watch.run(pace, &interrupt, context)
        }
    });
    let throttled = !set.is_empty();
    let cleared = if watch.is_moving() {
        Ok(())
    } else {
        let left_over = if follows_another {
            execution_throttles::add_left_over(&mut set, topics, context)
        } else {
            Ok(())
        };
        left_over
            .and_then(|()| execution_throttles::leave_to_others(&mut set, &prepared.file, context))
            .and_then(|()| execution_throttles::clear(&set, &prepared.file, context))
    };
    if outcome.is_ok() {
        elect_leaders(&watch, context);
    }
    for row in &mut rows {
        row.state = state_of(&row.name, &watch);
    }
    for row in &mut log_dir_rows {
        row.state = watch.log_dirs.state_of(&row.replica);
    }
    if context.printer.format() != Format::Table {
        show::moves(&rows, &log_dir_rows, &mut context.printer)?;
    }
    let outcome = outcome.and_then(|()| report(action, &prepared.file, &watch, throttled, context));
    match (outcome, cleared) {
        (Err(error), Err(left)) => {
            context.printer.note(left);
            Err(error)
        }
        (outcome, cleared) => outcome.and(cleared),
    }
}

/// Elects the preferred leaders of moved partitions; brokers would do so some minutes later, or not at all while the
/// imbalance is small. It is no failure of the move if a replica cannot lead yet.
fn elect_leaders(watch: &Watch, context: &mut Context) {
    let names: BTreeSet<TopicPartition> = watch.finished.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let elections = context
        .client
        .admin()
        .and_then(|admin| admin.elect_preferred_leaders(&names));
    match elections {
        Ok(elections) => {
            if elections.elected > 0 {
                let count = partitions(elections.elected);
                context
                    .printer
                    .note(format_args!("{count} led by the preferred replica now"));
            }
            if let Some((name, error)) = elections.refused.first_key_value() {
                let count = partitions(elections.refused.len());
                let note = format!("{count} not led by the preferred replica yet: {name}: {error}");
                context.printer.note(note);
            }
        }
        Err(error) => context
            .printer
            .note(format_args!("preferred leaders were not elected: {error}")),
    }
}

fn state_of(name: &TopicPartition, watch: &Watch) -> &'static str {
    if watch.finished.contains_key(name) {
        "done"
    } else if watch.failed.contains_key(&name.to_string()) {
        "failed"
    } else if watch.moving().any(|moving| moving == name) {
        "moving"
    } else {
        "not started"
    }
}

/// The last lines, and the exit code.
fn report(
    action: &ExecuteAction,
    file: &str,
    watch: &Watch,
    throttled: bool,
    context: &mut Context,
) -> Result<()> {
    let finished = watch.finished.values().chain(watch.log_dirs.finished.values());
    let bytes = finished.fold(Copied::default(), |sum, copied| sum + *copied);
    if watch.finished.len() + watch.log_dirs.finished.len() > 0 {
        context.printer.note(format_args!(
            "{} moved, {} copied",
            show::both(watch.finished.len(), watch.log_dirs.finished.len()),
            human_bytes(bytes.total)
        ));
    }
    let under_way = show::both(watch.moving().count(), watch.log_dirs.left());
    let stays = if throttled { ", throttled" } else { "" };
    if action.no_wait && watch.is_moving() {
        context.printer.note(format_args!(
            "{under_way} under way{stays}; `kafkit reassign verify {file} --watch` follows them and clears what is left"
        ));
    }
    did_not_move(watch)?;
    let left = watch.not_started();
    if !action.no_wait && (watch.is_moving() || left > 0) {
        let mut message = format!("interrupted: {under_way} still moving{stays}");
        if left > 0 {
            let _ = write!(message, ", {left} not started");
        }
        return Err(Error::new(Kind::Interrupted, message).hint(format!(
            "the same command goes on, `kafkit reassign verify {file} --watch` follows, `kafkit reassign cancel {file}` stops"
        )));
    }
    Ok(())
}

/// The error about moves that failed, if there are any.
fn did_not_move(watch: &Watch) -> Result<()> {
    let partitions = watch.failed.iter();
    let partitions = partitions.map(|(name, reason)| format!("{name} {reason}"));
    let replicas = watch.log_dirs.failed.iter();
    let replicas = replicas.map(|(replica, reason)| format!("{} {reason}", show::on_broker(replica)));
    let failed: Vec<String> = partitions.chain(replicas).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what = show::both(watch.failed.len(), watch.log_dirs.failed.len());
    let mut message = format!("{what} did not move: {}", failed.join("; "));
    let left = watch.not_started();
    if left == 0 {
        return Err(Error::failed(message));
    }
    let _ = write!(message, "; {left} not started");
    Err(Error::failed(message).hint("the same command goes on"))
}
