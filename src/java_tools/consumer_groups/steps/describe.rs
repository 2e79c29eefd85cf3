//! `--describe`: offsets, members and states of groups.

use std::collections::BTreeMap;

use super::{describe_group, groups, in_answer_order};
use crate::client::admin::groups::{CommittedOffset, GroupDescription, GroupMember};
use crate::client::admin::offsets::LATEST;
use crate::commands::context::Context;
use crate::java_tools::consumer_groups::words::{self, OffsetRow};
use crate::java_tools::group_tools::failure::{Failure, Result, Thrown, admin};
use crate::java_tools::group_tools::{address_of, resets};
use crate::java_tools::option_parser::Parsed;
use crate::topic_partition::TopicPartition;

type Commits = BTreeMap<TopicPartition, CommittedOffset>;

pub(super) fn run(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let names = groups(parsed, context)?;
    let mut described = Vec::with_capacity(names.len());
    for group in in_answer_order(&names) {
        described.push(describe_group(&group, context).map_err(Thrown::as_cause)?);
    }
    described.sort_by(|a, b| a.id.cmp(&b.id));
    let is_verbose = parsed.has("verbose");
    if parsed.has("members") {
        members(&described, is_verbose, context)
    } else if parsed.has("state") {
        states(&described, is_verbose, context)
    } else {
        offsets(&described, is_verbose, context)
    }
}

fn notice(group: &GroupDescription, rows: usize, context: &mut Context) -> Result<bool> {
    // Earlier lines must precede the message on stderr.
    context.printer.flush()?;
    words::state_notice(group, rows).map_err(Failure::executing)
}

fn members(groups: &[GroupDescription], is_verbose: bool, context: &mut Context) -> Result<()> {
    for group in groups {
        notice(group, group.members.len(), context)?;
        words::members(&mut context.printer, group, is_verbose)?;
    }
    Ok(())
}

fn states(groups: &[GroupDescription], is_verbose: bool, context: &mut Context) -> Result<()> {
    for group in groups {
        if !notice(group, 1, context)? {
            continue;
        }
        let coordinator = address_of(group.coordinator, context)?;
        words::state(&mut context.printer, group, &coordinator, is_verbose)?;
    }
    Ok(())
}

fn offsets(groups: &[GroupDescription], is_verbose: bool, context: &mut Context) -> Result<()> {
    // Java collects the rows of all groups before it prints the first.
    let mut all = Vec::with_capacity(groups.len());
    for group in groups {
        all.push(rows(group, context)?);
    }
    for (group, rows) in groups.iter().zip(&all) {
        if notice(group, rows.len(), context)? {
            words::offsets(&mut context.printer, &group.id, rows, is_verbose)?;
        }
    }
    Ok(())
}

/// The partitions of the members, those with the most partitions first, and then unassigned ones.
fn rows<'a>(group: &'a GroupDescription, context: &mut Context) -> Result<Vec<OffsetRow<'a>>> {
    let commits = commits(&group.id, context).map_err(Thrown::as_cause_of_cause)?;
    let mut members: Vec<&GroupMember> = group
        .members
        .iter()
        .filter(|member| !member.assignment.is_empty())
        .collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.assignment.len()));
    let mut rows = Vec::new();
    for member in members {
        rows.extend(rows_of(&member.assignment, Some(member), &commits, context)?);
    }
    let is_assigned = |partition: &&TopicPartition| {
        group
            .members
            .iter()
            .any(|member| member.assignment.contains(partition))
    };
    let unassigned: Vec<TopicPartition> = commits
        .keys()
        .filter(|partition| !is_assigned(partition))
        .cloned()
        .collect();
    rows.extend(rows_of(&unassigned, None, &commits, context)?);
    Ok(rows)
}

fn rows_of<'a>(
    partitions: &[TopicPartition],
    member: Option<&'a GroupMember>,
    commits: &Commits,
    context: &mut Context,
) -> Result<Vec<OffsetRow<'a>>> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let mut partitions = partitions.to_vec();
    partitions.sort();
    partitions.dedup();
    let leaderless = resets::leaderless(&partitions, context)?;
    let led: Vec<TopicPartition> = partitions
        .iter()
        .filter(|partition| !leaderless.contains(partition))
        .cloned()
        .collect();
    let ends = resets::bounds(&led, LATEST, context)?;
    let row = |partition: TopicPartition| {
        let commit = commits.get(&partition);
        OffsetRow {
            committed: commit.map(|commit| commit.offset),
            leader_epoch: commit
                .map(|commit| commit.leader_epoch)
                .filter(|epoch| *epoch >= 0),
            end: ends.get(&partition).copied(),
            member,
            partition,
        }
    };
    Ok(partitions.into_iter().map(row).collect())
}

/// The committed offsets of a group.
pub(super) fn commits(group: &str, context: &mut Context) -> Result<Commits, Thrown> {
    const CALL: &str = "listConsumerGroupOffsets(api=FIND_COORDINATOR)";
    let commits = admin(context, CALL)?.commits_of(group);
    commits.map_err(|error| Thrown::asking(&error, CALL))
}
