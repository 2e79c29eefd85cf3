//! `--cancel`: stops moves in progress, so that replicas are again where they were before.

use std::collections::BTreeMap;
use std::time::Duration;

use super::log_dirs::start_log_dir_moves;
use super::throttles::clear_all_throttles;
use super::{JavaFailure, JavaResult, check_topic_names, invalid, messages, plan_from};
use crate::client::admin::AdminClient;
use crate::commands::context::Context;
use crate::java_tools::reassign::words;
use crate::reassignment::plan::{PartitionReplica, Plan};

pub(super) fn cancel(
    text: &str,
    preserve_throttles: bool,
    timeout: Duration,
    context: &mut Context,
) -> JavaResult {
    let plan = plan_from(text)?;
    let admin = context.client.admin()?;
    let wanted = plan.assignment();
    check_topic_names(wanted.keys().map(|name| name.topic.as_str()))?;
    if let Some(name) = wanted.keys().find(|name| name.partition < 0) {
        let index = name.partition;
        return Err(invalid(format!(
            "The given partition index {index} is not valid."
        )));
    }
    let active = admin.active_reassignments()?;
    let moving: Vec<_> = active
        .keys()
        .filter(|name| wanted.contains_key(*name))
        .cloned()
        .collect();
    if moving.is_empty() {
        context
            .printer
            .line("None of the specified partition reassignments are active.")?;
    } else {
        let nothing = moving.iter().map(|name| (name.clone(), None)).collect();
        let refused = admin.alter_reassignments(&nothing, true)?;
        if !refused.is_empty() {
            return Err(JavaFailure::Terse(words::not_cancelled(&messages(&refused))));
        }
        context.printer.line(words::cancelled(&moving))?;
    }
    let back = moves_to_undo(context.client.admin()?, &plan)?;
    if back.is_empty() {
        context
            .printer
            .text("None of the specified partition moves are active.")?;
    } else {
        start_log_dir_moves(back, timeout, context)?;
    }
    if preserve_throttles {
        Ok(())
    } else {
        clear_all_throttles(&plan, context)
    }
}

/// The replicas that are moving to another log directory, and their current one.
fn moves_to_undo(admin: &mut AdminClient, plan: &Plan) -> JavaResult<BTreeMap<PartitionReplica, String>> {
    let dirs = admin.replica_dirs(plan.log_dir_moves().into_keys())?;
    Ok(dirs
        .into_iter()
        .filter(|(_, dirs)| dirs.future.is_some())
        .filter_map(|(replica, dirs)| Some((replica, dirs.current?)))
        .collect())
}
