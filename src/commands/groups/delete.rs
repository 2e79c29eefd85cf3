//! Deleting groups, and committed offsets: shown, confirmed, and saved to an undo file before.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::inactive;
use super::undo_file::{self, Commits};
use crate::client::admin::group_overview::GroupSummary;
use crate::client::admin::groups::CommittedOffset;
use crate::commands::context::Context;
use crate::commands::partition_selection::{self, PartitionsOfTopic};
use crate::commands::topic_selection::Selection;
use crate::error::{Error, Result};
use crate::output::{confirm, group_list, group_reset, plural};
use crate::topic_partition::TopicPartition;

/// Groups to delete.
#[derive(Debug)]
pub struct Deletion {
    /// Names of groups, or patterns.
    pub selection: Selection,
    pub if_exists: bool,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
    pub undo: Option<PathBuf>,
}

/// Committed offsets to delete.
#[derive(Debug)]
pub struct OffsetDeletion {
    pub group: String,
    pub topics: Vec<PartitionsOfTopic>,
    pub is_sure: bool,
    pub is_dry_run: bool,
    pub undo: Option<PathBuf>,
}

pub(super) fn run(deletion: &Deletion, context: &mut Context) -> Result<()> {
    let groups = chosen(deletion, context)?;
    if groups.is_empty() {
        return if deletion.if_exists {
            Ok(())
        } else {
            let words = deletion.selection.words.join(" or ");
            Err(Error::not_found(format!("no group matches {words}")))
        };
    }
    let names: Vec<String> = groups.iter().map(|group| group.listing.id.clone()).collect();
    for group in groups.iter().filter(|group| group.members != Some(0)) {
        if let Some(described) = inactive::find(&group.listing.id, context)? {
            inactive::check_no_members(&described, "delete")?;
        } else if let Some(members) = group.members.filter(|members| *members > 0) {
            // Share groups need another kind of request to be described.
            let active = plural(members as u64, "active member");
            let error = Error::failed(format!(
                "cannot delete group {}: it has {active}",
                group.listing.id
            ));
            return Err(error.hint("stop its members first"));
        }
    }
    if deletion.is_dry_run {
        return group_list::outcomes(&mut context.printer, "would delete", &names, "would be deleted");
    }
    if !deletion.is_sure {
        ask_to_delete(&groups, &names, context)?;
    }
    write_undo(deletion, &groups, context)?;
    let mut deleted = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match context.client.admin()?.delete_group(&name)? {
            Ok(()) => deleted.push(name),
            Err(refusal) if deletion.if_exists && refusal.name() == "GROUP_ID_NOT_FOUND" => {}
            Err(refusal) => failures.push(inactive::refused("delete", &name, refusal)),
        }
    }
    group_list::outcomes(&mut context.printer, "deleted", &deleted, "deleted")?;
    context.outcome_of(failures)
}

/// The selected groups; a name without a group is an error.
fn chosen(deletion: &Deletion, context: &mut Context) -> Result<Vec<GroupSummary>> {
    let selection = &deletion.selection;
    let names: Vec<String> = if selection.is_regex {
        let is_selected = selection.matcher()?;
        let groups = context.client.admin()?.list_groups()?.into_iter();
        groups
            .map(|group| group.id)
            .filter(|id| is_selected(id))
            .collect()
    } else {
        selection.words.clone()
    };
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let groups = context.client.admin()?.group_overview(&names)?;
    let is_missing = |name: &&String| !groups.iter().any(|group| group.listing.id == **name);
    match names.iter().find(is_missing) {
        Some(name) if !deletion.if_exists => Err(inactive::not_found(name, context)),
        _ => Ok(groups),
    }
}

fn ask_to_delete(groups: &[GroupSummary], names: &[String], context: &mut Context) -> Result<()> {
    let what = plural(names.len() as u64, "group");
    if !confirm::can_ask() {
        return Err(Error::usage(format!(
            "would delete {what} ({}); without a terminal say --yes",
            names.join(", ")
        )));
    }
    let lines = group_list::table(groups).aligned();
    context.consent(&lines, &format!("Delete {what}?"), "nothing deleted")
}

/// Writes one file for all groups with committed offsets; none if no group has any.
fn write_undo(deletion: &Deletion, groups: &[GroupSummary], context: &mut Context) -> Result<()> {
    let mut before = BTreeMap::new();
    for group in groups {
        if group.places.as_ref().is_none_or(BTreeMap::is_empty) {
            continue;
        }
        let commits = context.client.admin()?.commits_of(&group.listing.id)?;
        let commits = commits
            .into_iter()
            .map(|(partition, commit)| (partition, Some(commit)));
        before.insert(group.listing.id.clone(), commits.collect::<Commits>());
    }
    let Some(first) = before.keys().next().cloned() else {
        return Ok(());
    };
    let cluster = context.client.admin()?.cluster_id()?;
    let undo = undo_file::write(deletion.undo.as_deref(), &first, cluster, &before)?;
    context
        .printer
        .note(format_args!("undo file: {}", undo.display()));
    Ok(())
}

/// Deletes the committed offsets of a group in some partitions.
pub(super) fn offsets(deletion: &OffsetDeletion, context: &mut Context) -> Result<()> {
    let group = &deletion.group;
    let Some(found) = inactive::find(group, context)? else {
        return Err(inactive::not_found(group, context));
    };
    inactive::check_commits(&found, "delete-offsets")?;
    let commits = context.client.admin()?.commits_of(group)?;
    let doomed: BTreeMap<TopicPartition, CommittedOffset> = commits
        .into_iter()
        .filter(|(partition, _)| partition_selection::names(&deletion.topics, partition))
        .collect();
    if doomed.is_empty() {
        let error = Error::not_found(format!("group {group} has committed nothing there"));
        return Err(error.hint(format!("`kafkit describe group {group}` shows what it has")));
    }
    let what = format!("{} of group {group}", plural(doomed.len() as u64, "offset"));
    if !deletion.is_dry_run && !deletion.is_sure && !confirm::can_ask() {
        return Err(Error::usage(format!(
            "would delete {what}; without a terminal say --yes"
        )));
    }
    group_reset::commits(&mut context.printer, &doomed)?;
    if deletion.is_dry_run {
        context.printer.note(format_args!("would delete {what}"));
        return Ok(());
    }
    if !deletion.is_sure {
        context.consent("", &format!("Delete {what}?"), "nothing deleted")?;
    }
    let partitions: Vec<TopicPartition> = doomed.keys().cloned().collect();
    let before: Commits = doomed
        .into_iter()
        .map(|(partition, commit)| (partition, Some(commit)))
        .collect();
    let before = BTreeMap::from([(group.clone(), before)]);
    let cluster = context.client.admin()?.cluster_id()?;
    let undo = undo_file::write(deletion.undo.as_deref(), group, cluster, &before)?;
    let outcomes = context.client.admin()?.delete_offsets(group, &partitions)?;
    let outcomes = outcomes.map_err(|refusal| inactive::refused("delete offsets of", group, refusal))?;
    context
        .printer
        .note(format_args!("undo file: {}", undo.display()));
    let mut failures = Vec::new();
    for (partition, outcome) in outcomes {
        if let Err(refusal) = outcome {
            let is_read = refusal.name() == "GROUP_SUBSCRIBED_TO_TOPIC";
            let error = Error::from(refusal).context(format_args!(
                "cannot delete the offset of {partition} of group {group}"
            ));
            failures.push(if is_read {
                error.hint("stop its members first")
            } else {
                error
            });
        }
    }
    if failures.is_empty() {
        context.printer.note(format_args!("deleted {what}"));
    }
    context.outcome_of(failures)
}
