//! The steps of `kafka-consumer-groups`, in the order of Apache Kafka's own tool.

mod delete;
mod describe;
mod list;
mod reset;

use crate::client::admin::groups::GroupDescription;
use crate::commands::context::Context;
use crate::java::hash_order::hash_order_presized;
use crate::java_tools::group_tools::failure::{Result, Thrown, admin};
use crate::java_tools::option_parser::Parsed;

/// The default time-out of one request, in milliseconds.
const DEFAULT_TIMEOUT_MS: i64 = 5000;

/// Runs the action; its output may still be in the printer's buffer when this returns.
pub(super) fn run(parsed: &Parsed, context: &mut Context) -> Result<()> {
    if parsed.has("list") {
        list::run(parsed, context)
    } else if parsed.has("describe") {
        describe::run(parsed, context)
    } else if parsed.has("delete") {
        delete::groups(parsed, context)
    } else if parsed.has("delete-offsets") {
        delete::offsets(parsed, context)
    } else {
        reset::run(parsed, context)
    }
}

/// Converts the values that Java converts before it does anything, in its order.
pub(super) fn check_values(parsed: &Parsed) -> Result<()> {
    parsed.longs("to-offset")?;
    parsed.value("by-duration")?;
    parsed.long("shift-by")?;
    timeout(parsed)?;
    Ok(())
}

/// The time-out of one request, in milliseconds.
pub(super) fn timeout(parsed: &Parsed) -> Result<i64> {
    let given = parsed.long("timeout")?.unwrap_or(DEFAULT_TIMEOUT_MS);
    Ok(given.max(0))
}

/// The groups of the command line, or all consumer groups.
fn groups(parsed: &Parsed, context: &mut Context) -> Result<Vec<String>> {
    if parsed.has("all-groups") {
        let groups = list::consumer_groups(context).map_err(Thrown::as_cause_of_cause)?;
        return Ok(groups.into_iter().map(|group| group.id).collect());
    }
    Ok(parsed.values("group").to_vec())
}

/// Groups, each once, in the order of Java's responses.
fn in_answer_order(groups: &[String]) -> Vec<String> {
    let mut groups = groups.to_vec();
    groups.sort();
    groups.dedup();
    hash_order_presized(groups, |group| group)
}

/// A group with its members, or the exception of Java's client.
fn describe_group(group: &str, context: &mut Context) -> Result<GroupDescription, Thrown> {
    const CALL: &str = "describeConsumerGroups(api=FIND_COORDINATOR)";
    let described = admin(context, CALL)?.describe_consumer_group(group);
    let described = described.map_err(|error| Thrown::asking(&error, CALL))?;
    let described = described.map_err(|refusal| Thrown::refused(&refusal))?;
    if !["consumer", ""].contains(&described.protocol_type.as_str()) {
        let kind = &described.protocol_type;
        return Err(Thrown::of_java(
            "java.lang.IllegalArgumentException",
            format!("GroupId {group} is not a consumer group ({kind})."),
        ));
    }
    Ok(described)
}
