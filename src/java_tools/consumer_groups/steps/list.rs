//! `--list`: all groups, or those of some types and states.

use crate::client::admin::AdminClient;
use crate::client::admin::groups::GroupListing;
use crate::commands::context::Context;
use crate::java::hash_order::hash_order;
use crate::java_tools::consumer_groups::words;
use crate::java_tools::group_tools::failure::{Result, Thrown};
use crate::java_tools::group_tools::wanted;
use crate::java_tools::option_parser::Parsed;

const STATES: [&str; 7] = [
    "PreparingRebalance",
    "CompletingRebalance",
    "Stable",
    "Dead",
    "Empty",
    "Assigning",
    "Reconciling",
];
const TYPES: [&str; 2] = ["Classic", "Consumer"];

pub(super) fn run(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let (with_types, with_states) = (parsed.has("type"), parsed.has("state"));
    let types = wanted(parsed, "type", &TYPES)?;
    let states = wanted(parsed, "state", &STATES)?;
    let groups = consumer_groups(context).map_err(|thrown| {
        if with_types || with_states {
            thrown.as_cause()
        } else {
            thrown.as_cause_of_cause()
        }
    })?;
    let is_wanted = |list: &[String], word: &str| {
        list.is_empty() || list.iter().any(|wanted| wanted.eq_ignore_ascii_case(word))
    };
    let groups: Vec<&GroupListing> = groups
        .iter()
        .filter(|group| is_wanted(&types, &group.kind) && is_wanted(&states, &group.state))
        .collect();
    words::groups(&mut context.printer, &groups, with_types, with_states)?;
    Ok(())
}

/// The groups of consumers, in Java's order.
pub(super) fn consumer_groups(context: &mut Context) -> Result<Vec<GroupListing>, Thrown> {
    let listed = context.client.admin().and_then(AdminClient::list_groups);
    let mut groups = listed.map_err(|error| Thrown::listing(&error))?;
    groups.retain(|group| {
        ["classic", "consumer"].contains(&group.kind.as_str())
            && ["", "consumer"].contains(&group.protocol_type.as_str())
    });
    Ok(hash_order(groups, |group| &group.id))
}
