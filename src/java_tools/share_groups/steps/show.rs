//! `--list` and `--describe`.

use super::{describe_group, share_groups};
use crate::client::admin::groups::GroupListing;
use crate::client::admin::share_groups::{ShareGroupDescription, SharePlaces};
use crate::commands::context::Context;
use crate::java::hash_order::hash_order_presized;
use crate::java_tools::group_tools::failure::{Result, Thrown, admin};
use crate::java_tools::group_tools::{address_of, wanted};
use crate::java_tools::option_parser::Parsed;
use crate::java_tools::share_groups::words;

const STATES: [&str; 3] = ["Stable", "Dead", "Empty"];

pub(super) fn list(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let with_states = parsed.has("state");
    let states = wanted(parsed, "state", &STATES)?;
    let groups = share_groups(context).map_err(|thrown| {
        if with_states {
            thrown.as_cause()
        } else {
            thrown.as_cause_of_cause()
        }
    })?;
    let is_wanted = |group: &&GroupListing| {
        states.is_empty()
            || states
                .iter()
                .any(|state| state.eq_ignore_ascii_case(&group.state))
    };
    let groups: Vec<&GroupListing> = groups.iter().filter(is_wanted).collect();
    words::groups(&mut context.printer, &groups, with_states)?;
    Ok(())
}

pub(super) fn describe(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let mut names: Vec<String> = if parsed.has("all-groups") {
        let groups = share_groups(context).map_err(Thrown::as_cause_of_cause)?;
        groups.into_iter().map(|group| group.id).collect()
    } else {
        parsed.values("group").to_vec()
    };
    names.sort();
    names.dedup();
    let mut groups = Vec::with_capacity(names.len());
    for name in hash_order_presized(names, |name| name) {
        groups.push(describe_group(&name, context).map_err(Thrown::as_cause)?);
    }
    groups.sort_by(|a, b| a.id.cmp(&b.id));
    let is_verbose = parsed.has("verbose");
    if parsed.has("members") {
        members(&groups, is_verbose, context)
    } else if parsed.has("state") {
        states(&groups, is_verbose, context)
    } else {
        offsets(&groups, is_verbose, context)
    }
}

fn members(groups: &[ShareGroupDescription], is_verbose: bool, context: &mut Context) -> Result<()> {
    for group in groups {
        words::state_notice(&mut context.printer, group)?;
        if group.state != "Dead" && !group.members.is_empty() {
            words::members(&mut context.printer, group, is_verbose)?;
        }
    }
    Ok(())
}

fn states(groups: &[ShareGroupDescription], is_verbose: bool, context: &mut Context) -> Result<()> {
    for group in groups {
        words::state_notice(&mut context.printer, group)?;
        let coordinator = address_of(group.coordinator, context)?;
        words::state(&mut context.printer, group, &coordinator, is_verbose)?;
    }
    Ok(())
}

fn offsets(groups: &[ShareGroupDescription], is_verbose: bool, context: &mut Context) -> Result<()> {
    let mut all = Vec::with_capacity(groups.len());
    for group in groups {
        all.push(places(&group.id, context).map_err(Thrown::as_cause_of_cause)?);
    }
    for (group, places) in groups.iter().zip(&all) {
        words::offsets(&mut context.printer, &group.id, places, is_verbose)?;
    }
    Ok(())
}

/// The offsets of a group in each partition.
pub(super) fn places(group: &str, context: &mut Context) -> Result<SharePlaces, Thrown> {
    const CALL: &str = "listShareGroupOffsets(api=FIND_COORDINATOR)";
    let places = admin(context, CALL)?.share_group_offsets(group);
    let places = places.map_err(|error| Thrown::asking(&error, CALL))?;
    places.map_err(|refusal| Thrown::refused(&refusal))
}
