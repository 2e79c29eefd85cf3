//! Moving a group to other offsets: shown, confirmed, saved to an undo file, then committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::inactive;
use super::reset_targets::{self, Known, Target};
use super::undo_file::{self, Commits};
use crate::client::admin::groups::CommittedOffset;
use crate::client::admin::topics::TopicDescription;
use crate::client::admin::volumes::leaders;
use crate::commands::context::Context;
use crate::commands::partition_selection::{self, PartitionsOfTopic};
use crate::commands::record_at::look_up;
use crate::error::{Error, Result};
use crate::output::{confirm, group_reset as output, plural};
use crate::topic_partition::{BrokerId, TopicPartition};

/// For how many partitions the next record is shown; each costs a request.
const LOOKED_AT: usize = 100;

/// What to reset.
#[derive(Debug)]
pub struct Reset {
    pub group: String,
    /// Which partitions; if empty, those with an offset committed by the group.
    pub topics: Vec<PartitionsOfTopic>,
    pub target: Target,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
    /// The undo file; if `None`, one named after the group in the working directory.
    pub undo: Option<PathBuf>,
}

pub(super) fn run(reset: &Reset, context: &mut Context) -> Result<()> {
    let group = inactive::find(&reset.group, context)?;
    if let Some(group) = &group {
        inactive::check_commits(group, "reset-offsets")?;
        inactive::check_no_members(group, "reset")?;
    }
    let admin = context.client.admin()?;
    let given = reset_targets::given(&reset.target, &reset.group, admin)?;
    let commits = match &group {
        Some(_) => admin.commits_of(&reset.group)?,
        None => BTreeMap::new(),
    };
    if group.is_none() && (reset.topics.is_empty() && given.is_empty() || is_other_type(reset, context)?) {
        return Err(inactive::not_found(&reset.group, context));
    }
    let moves = moves(reset, &given, commits, context)?;
    if moves.is_empty() {
        return Err(
            Error::failed(format!("group {} has nothing to reset", reset.group))
                .hint("name partitions with --topic"),
        );
    }
    if moves.iter().all(output::Move::is_none) {
        output::moves(&mut context.printer, &moves)?;
        context
            .printer
            .note(format_args!("group {} is there already", reset.group));
        return Ok(());
    }
    let is_new = group.is_none();
    let count = plural(moving(&moves), "partition");
    if !reset.is_dry_run && !reset.is_sure && !confirm::can_ask() {
        return Err(Error::usage(format!(
            "would move {count} of group {}; without a terminal say --yes",
            reset.group
        ))
        .hint("--dry-run shows where to"));
    }
    output::moves(&mut context.printer, &moves)?;
    if reset.is_dry_run {
        let new = if is_new { ", which is new" } else { "" };
        context
            .printer
            .note(format_args!("would move {count} of group {}{new}", reset.group));
        return Ok(());
    }
    if !reset.is_sure {
        let question = format!("Move {count} of group {}?", reset.group);
        context.consent("", &question, "nothing moved")?;
    }
    carry_out(reset, &moves, context)
}

/// How many partitions change.
fn moving(moves: &[output::Move]) -> u64 {
    moves.iter().filter(|moved| !moved.is_none()).count() as u64
}

/// Whether the group of this name is of a type without committed offsets, such as a share group.
fn is_other_type(reset: &Reset, context: &mut Context) -> Result<bool> {
    let groups = context.client.admin()?.list_groups()?;
    let found = groups.iter().find(|group| group.id == reset.group);
    Ok(found.is_some_and(|group| !matches!(group.kind.as_str(), "classic" | "consumer")))
}

/// The changes of all partitions.
fn moves(
    reset: &Reset,
    given: &Commits,
    commits: BTreeMap<TopicPartition, CommittedOffset>,
    context: &mut Context,
) -> Result<Vec<output::Move>> {
    let topics = context.client.admin()?.all_topics()?;
    let mut wanted: BTreeSet<TopicPartition> = if reset.topics.is_empty() {
        reset_targets::implied(given, &commits)
    } else {
        partition_selection::find(&reset.topics, &topics, context)?
    };
    if !given.is_empty() {
        wanted.retain(|partition| given.contains_key(partition));
    }
    let led = led(&wanted, &topics, context)?;
    let admin = context.client.admin()?;
    let known = Known {
        bounds: reset_targets::bounds(&led, admin)?,
        commits,
    };
    let places = reset_targets::places(&reset.target, &led, given, &known, admin)?;
    let mut moves = Vec::with_capacity(places.len());
    for (partition, leader) in led {
        let Some(place) = places.get(&partition) else {
            continue;
        };
        let end = known.bounds.get(&partition).map_or(0, |(_, end)| *end);
        let to = place.as_ref().map(|place| place.offset);
        let is_looked_at = moves.len() < LOOKED_AT && to.is_some_and(|to| to < end);
        let record = match to.filter(|_| is_looked_at) {
            Some(to) => {
                let topic = topics.iter().find(|topic| topic.name == partition.topic);
                let id = topic.map(|topic| topic.id).unwrap_or_default();
                look_up(context.client.admin()?, &partition, id, leader, to)?
            }
            None => None,
        };
        moves.push(output::Move {
            from: known.commits.get(&partition).cloned(),
            to: place.clone(),
            end,
            record: record.map(|record| output::Landing {
                offset: record.offset,
                timestamp: record.timestamp,
                value: record.value,
            }),
            partition,
        });
    }
    Ok(moves)
}

/// The partitions with their leaders. One that does not exist, or has no leader, is an error if it was named.
fn led(
    wanted: &BTreeSet<TopicPartition>,
    topics: &[TopicDescription],
    context: &mut Context,
) -> Result<Vec<(TopicPartition, BrokerId)>> {
    let all: BTreeMap<TopicPartition, BrokerId> = leaders(topics).into_iter().collect();
    let mut led = Vec::with_capacity(wanted.len());
    for partition in wanted {
        match all.get(partition) {
            Some(leader) => led.push((partition.clone(), *leader)),
            None if topics.iter().any(|topic| topic.name == partition.topic) => {
                return Err(Error::failed(format!("{partition} has no leader now")));
            }
            None => context.printer.warning(format_args!(
                "topic {} is gone: {partition} is left out",
                partition.topic
            )),
        }
    }
    Ok(led)
}

fn carry_out(reset: &Reset, moves: &[output::Move], context: &mut Context) -> Result<()> {
    let before: Commits = moves
        .iter()
        .map(|moved| (moved.partition.clone(), moved.from.clone()))
        .collect();
    let before = BTreeMap::from([(reset.group.clone(), before)]);
    let cluster = context.client.admin()?.cluster_id()?;
    let undo = undo_file::write(reset.undo.as_deref(), &reset.group, cluster, &before)?;
    let committed: BTreeMap<TopicPartition, CommittedOffset> = moves
        .iter()
        .filter_map(|moved| Some((moved.partition.clone(), moved.to.clone()?)))
        .collect();
    let removed: Vec<TopicPartition> = moves
        .iter()
        .filter(|moved| moved.to.is_none() && moved.from.is_some())
        .map(|moved| moved.partition.clone())
        .collect();
    let admin = context.client.admin()?;
    let mut outcomes = BTreeMap::new();
    if !committed.is_empty() {
        outcomes = admin.commit_offsets(&reset.group, &committed)?;
    }
    if !removed.is_empty() {
        let deleted = admin.delete_offsets(&reset.group, &removed)?;
        outcomes.extend(deleted.map_err(|refusal| inactive::refused("reset", &reset.group, refusal))?);
    }
    context
        .printer
        .note(format_args!("undo file: {}", undo.display()));
    let mut failures = Vec::new();
    for (partition, outcome) in outcomes {
        if let Err(refusal) = outcome {
            failures.push(
                Error::from(refusal)
                    .context(format_args!("cannot move {partition} of group {}", reset.group)),
            );
        }
    }
    if failures.is_empty() {
        let count = plural(moving(moves), "partition");
        context
            .printer
            .note(format_args!("moved {count} of group {}", reset.group));
    }
    context.outcome_of(failures)
}
