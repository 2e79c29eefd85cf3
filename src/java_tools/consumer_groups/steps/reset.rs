//! `--reset-offsets`: new offsets for groups without members, shown or committed.

use std::collections::BTreeMap;

use super::describe::commits;
use super::{describe_group, groups, in_answer_order};
use crate::client::admin::groups::CommittedOffset;
use crate::commands::context::Context;
use crate::java::hash_order::hash_order;
use crate::java_tools::group_tools::failure::{Failure, Result, Thrown, admin};
use crate::java_tools::group_tools::resets::{self, Current, NewOffsets, Scenario};
use crate::java_tools::group_tools::words as group_words;
use crate::java_tools::group_tools::{plan_file, table};
use crate::java_tools::option_parser::Parsed;
use crate::topic_partition::TopicPartition;

pub(super) fn run(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let names = groups(parsed, context)?;
    let mut described = Vec::with_capacity(names.len());
    for group in in_answer_order(&names) {
        let description = describe_group(&group, context);
        described.push((group, description));
    }
    let mut new: Vec<(String, NewOffsets)> = Vec::with_capacity(described.len());
    for (group, description) in described {
        let state = match description {
            Ok(description) => Some(description.state),
            Err(thrown) if thrown.is("GroupIdNotFoundException") => None,
            Err(thrown) => return Err(thrown.as_cause_of_cause()),
        };
        let offsets = reset_unless_active(parsed, &group, state.as_deref(), context)?;
        new.push((group, offsets));
    }
    let new = hash_order(new, |(group, _)| group);
    if parsed.has("export") {
        return export(parsed, &new, context);
    }
    table::new_offsets(&mut context.printer, &new)?;
    Ok(())
}

fn reset_unless_active(
    parsed: &Parsed,
    group: &str,
    state: Option<&str>,
    context: &mut Context,
) -> Result<NewOffsets> {
    match state {
        None | Some("Empty" | "Dead") => reset(parsed, group, context),
        Some(state) => {
            let message = format!(
                "Assignments can only be reset if the group '{group}' is inactive, but the current state is {state}."
            );
            group_words::error(&mut context.printer, message)?;
            Ok(NewOffsets::new())
        }
    }
}

fn reset(parsed: &Parsed, group: &str, context: &mut Context) -> Result<NewOffsets> {
    let partitions = partitions(parsed, group, context)?;
    resets::check_valid(&partitions, context)?;
    let Some(scenario) = scenario(parsed)? else {
        let all: Vec<String> = super::super::SCENARIOS
            .iter()
            .map(|name| format!("[{name}]"))
            .collect();
        return Err(Failure::Usage(format!(
            "Option '[reset-offsets]' requires one of the following scenarios: [{}]",
            all.join(", ")
        )));
    };
    let current = |context: &mut Context| current(group, context);
    let groups = parsed.values("group");
    let new = resets::new_offsets(&scenario, &partitions, (groups, group), current, context)?;
    if parsed.has("execute") && !parsed.has("dry-run") {
        commit(group, &new, context)?;
    }
    Ok(new)
}

fn partitions(parsed: &Parsed, group: &str, context: &mut Context) -> Result<Vec<TopicPartition>> {
    if parsed.has("all-topics") {
        return Ok(current(group, context)?.into_keys().collect());
    }
    if parsed.has("topic") {
        return resets::named(parsed.values("topic"), context);
    }
    if parsed.has("from-file") {
        return Ok(Vec::new());
    }
    let message = "One of the reset scopes should be defined: --all-topics, --topic.";
    Err(Failure::Usage(message.to_owned()))
}

fn current(group: &str, context: &mut Context) -> Result<Current> {
    let commits = commits(group, context).map_err(Thrown::as_cause_of_cause)?;
    Ok(commits
        .into_iter()
        .map(|(partition, commit)| (partition, commit.offset))
        .collect())
}

/// The target of the reset; options are checked in Java's order.
fn scenario(parsed: &Parsed) -> Result<Option<Scenario>> {
    let text = |name: &str| parsed.values(name).first().cloned().unwrap_or_default();
    Ok(Some(if parsed.has("to-offset") {
        Scenario::ToOffset(parsed.longs("to-offset")?.first().copied().unwrap_or(0))
    } else if parsed.has("to-earliest") {
        Scenario::ToEarliest
    } else if parsed.has("to-latest") {
        Scenario::ToLatest
    } else if parsed.has("shift-by") {
        Scenario::ShiftBy(parsed.long("shift-by")?.unwrap_or(0))
    } else if parsed.has("to-datetime") {
        Scenario::ToDateTime(text("to-datetime"))
    } else if parsed.has("by-duration") {
        Scenario::ByDuration(text("by-duration"))
    } else if parsed.has("from-file") {
        Scenario::FromFile(text("from-file"))
    } else if parsed.has("to-current") {
        Scenario::ToCurrent
    } else {
        return Ok(None);
    }))
}

fn commit(group: &str, new: &NewOffsets, context: &mut Context) -> Result<()> {
    const CALL: &str = "alterConsumerGroupOffsets(api=FIND_COORDINATOR)";
    if new.is_empty() {
        return Ok(());
    }
    let offsets: BTreeMap<TopicPartition, CommittedOffset> = new
        .iter()
        .map(|(partition, offset)| (partition.clone(), CommittedOffset::at(*offset)))
        .collect();
    let outcomes = admin(context, CALL).and_then(|admin| {
        let outcomes = admin.commit_offsets(group, &offsets);
        outcomes.map_err(|error| Thrown::asking(&error, CALL))
    });
    resets::check_outcomes(&outcomes.map_err(Thrown::bare)?)
}

fn export(parsed: &Parsed, new: &[(String, NewOffsets)], context: &mut Context) -> Result<()> {
    let is_of_one_group = parsed.values("group").len() == 1;
    for (group, offsets) in new {
        for (partition, offset) in offsets {
            let group = (!is_of_one_group).then_some(group.as_str());
            context.printer.line(plan_file::line(group, partition, *offset))?;
        }
    }
    context.printer.line("")?;
    Ok(())
}
