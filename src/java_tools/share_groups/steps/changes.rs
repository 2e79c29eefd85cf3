//! `--delete`, `--delete-offsets` and `--reset-offsets`.

use std::collections::BTreeMap;

use super::show::places;
use super::{describe_group, share_groups};
use crate::commands::context::Context;
use crate::java::hash_order::hash_order;
use crate::java_tools::group_tools::failure::{Failure, Result, Thrown, admin};
use crate::java_tools::group_tools::resets::{self, Current, NewOffsets, Scenario};
use crate::java_tools::group_tools::table;
use crate::java_tools::group_tools::words as group_words;
use crate::java_tools::option_parser::Parsed;
use crate::java_tools::share_groups::words;
use crate::topic_partition::TopicPartition;

pub(super) fn delete(parsed: &Parsed, context: &mut Context) -> Result<()> {
    const CALL: &str = "deleteShareGroups(api=FIND_COORDINATOR)";
    let listed = share_groups(context).map_err(Thrown::as_cause_of_cause)?;
    let mut groups: Vec<String> = if parsed.has("all-groups") {
        listed.iter().map(|group| group.id.clone()).collect()
    } else {
        parsed.values("group").to_vec()
    };
    groups.sort();
    groups.dedup();
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for group in groups {
        let known = listed.iter().find(|listed| listed.id == group);
        let refusal = match known.map(|known| known.state.as_str()) {
            None => Some(Thrown::of_java(
                "java.lang.IllegalArgumentException",
                format!("Group '{group}' is not a share group."),
            )),
            Some("Dead") => Some(Thrown::of_java(
                "java.lang.IllegalStateException",
                format!("Share group '{group}' group state is DEAD."),
            )),
            Some("Empty" | "") => None,
            Some(_) => Some(Thrown::of_kafka(
                "GroupNotEmptyException",
                format!("Share group '{group}' is not EMPTY."),
            )),
        };
        let outcome = match refusal {
            Some(thrown) => Err(thrown),
            None => admin(context, CALL).and_then(|admin| {
                let outcome = admin.delete_group(&group);
                let outcome = outcome.map_err(|error| Thrown::asking(&error, CALL))?;
                outcome.map_err(|refusal| Thrown::refused(&refusal))
            }),
        };
        match outcome {
            Ok(()) => deleted.push(group),
            Err(thrown) => failed.push((group, thrown.to_string())),
        }
    }
    let deleted = hash_order(deleted, |group| group);
    let failed = hash_order(failed, |(group, _)| group);
    group_words::deleted_groups(&mut context.printer, "share", &deleted, &failed)?;
    Ok(())
}

pub(super) fn delete_offsets(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let group = parsed.value("group")?.unwrap_or_default().to_owned();
    let mut topics = parsed.values("topic").to_vec();
    topics.sort();
    topics.dedup();
    let mut rows: BTreeMap<String, Option<String>> = BTreeMap::new();
    match delete_topics(&group, &topics, context) {
        Ok(outcomes) => {
            for topic in topics {
                let thrown = outcomes.get(&topic).cloned().flatten();
                rows.insert(topic, thrown.map(|thrown| thrown.message().to_owned()));
            }
        }
        Err(thrown) => {
            let of_the_group = [
                "InvalidGroupIdException",
                "GroupIdNotFoundException",
                "GroupAuthorizationException",
                "GroupNotEmptyException",
            ];
            if of_the_group.iter().any(|class| thrown.is(class)) {
                group_words::error(&mut context.printer, thrown.message())?;
            } else {
                let message = format!("Encounter some unknown error: {thrown}");
                group_words::error(&mut context.printer, message)?;
            }
            let all = topics.into_iter();
            rows.extend(all.map(|topic| (topic, Some(thrown.message().to_owned()))));
        }
    }
    words::deleted_offsets(&mut context.printer, &rows)?;
    Ok(())
}

/// The error of each topic, if there is one; or why nothing was deleted.
fn delete_topics(
    group: &str,
    topics: &[String],
    context: &mut Context,
) -> Result<BTreeMap<String, Option<Thrown>>, Thrown> {
    const CALL: &str = "deleteShareGroupOffsets(api=FIND_COORDINATOR)";
    let outcomes = admin(context, CALL)?.delete_share_group_offsets(group, topics);
    let outcomes = outcomes.map_err(|error| Thrown::asking(&error, CALL))?;
    let outcomes = outcomes.map_err(|refusal| Thrown::refused(&refusal))?;
    Ok(outcomes
        .into_iter()
        .map(|(topic, outcome)| (topic, outcome.err().map(|refusal| Thrown::refused(&refusal))))
        .collect())
}

pub(super) fn reset(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let group = parsed.value("group")?.unwrap_or_default().to_owned();
    match describe_group(&group, context) {
        Ok(described) if !["Empty", "Dead"].contains(&described.state.as_str()) => {
            return Err(Failure::Usage(format!("Share group '{group}' is not empty.")));
        }
        Ok(_) => {}
        Err(thrown) if thrown.is("GroupIdNotFoundException") => {}
        Err(thrown) => return Err(Failure::Usage(thrown.message().to_owned())),
    }
    let partitions = partitions(parsed, &group, context)?;
    resets::check_valid(&partitions, context)?;
    let scenario = if parsed.has("to-earliest") {
        Scenario::ToEarliest
    } else if parsed.has("to-latest") {
        Scenario::ToLatest
    } else {
        let text = parsed.values("to-datetime").first().cloned();
        Scenario::ToDateTime(text.unwrap_or_default())
    };
    let nothing = |_: &mut Context| Ok(Current::new());
    let new = resets::new_offsets(&scenario, &partitions, (&[], &group), nothing, context)?;
    if parsed.has("execute") && !parsed.has("dry-run") && !new.is_empty() {
        alter(&group, &new, context)?;
    }
    table::new_offsets(&mut context.printer, &[(group, new)])?;
    Ok(())
}

fn partitions(parsed: &Parsed, group: &str, context: &mut Context) -> Result<Vec<TopicPartition>> {
    if parsed.has("topic") {
        return resets::named(parsed.values("topic"), context);
    }
    let places = places(group, context).map_err(Thrown::bare)?;
    Ok(places.into_keys().collect())
}

fn alter(group: &str, new: &NewOffsets, context: &mut Context) -> Result<()> {
    const CALL: &str = "alterShareGroupOffsets(api=FIND_COORDINATOR)";
    let outcomes = admin(context, CALL).and_then(|admin| {
        let outcomes = admin.alter_share_group_offsets(group, new);
        let outcomes = outcomes.map_err(|error| Thrown::asking(&error, CALL))?;
        outcomes.map_err(|refusal| Thrown::refused(&refusal))
    });
    resets::check_outcomes(&outcomes.map_err(Thrown::bare)?)
}
