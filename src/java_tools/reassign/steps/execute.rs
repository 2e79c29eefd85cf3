//! `--execute`: check, print the current assignment, throttle, start.

use std::collections::BTreeSet;

use super::current::{current_json, live_brokers, log_dirs_of, topic_assignment};
use super::log_dirs::start_log_dir_moves;
use super::throttles::first_refusal;
use super::{JavaExecute, JavaFailure, JavaResult, messages, plan_from, told, unknown};
use crate::client::admin::AdminClient;
use crate::commands::context::Context;
use crate::commands::reassign::throttles::{self, Rates};
use crate::java_tools::reassign::words;
use crate::reassignment::Assignment;
use crate::reassignment::active::ActiveReassignments;
use crate::reassignment::plan::Plan;
use crate::reassignment::throttle;

pub(super) fn execute(execute: &JavaExecute, context: &mut Context) -> JavaResult {
    let plan = plan_from(&execute.text)?;
    plan.check().map_err(|error| told(words::plan_error(&error)))?;
    let proposed = plan.assignment();
    let admin = context.client.admin()?;
    let active = admin.active_reassignments()?;
    if !execute.additional && !active.is_empty() {
        return Err(JavaFailure::Terse(words::EXISTING_REASSIGNMENT.to_owned()));
    }
    let named = plan
        .partitions
        .iter()
        .flat_map(|planned| planned.replicas.iter().copied());
    if let Some(message) = words::unknown_broker(named, &live_brokers(admin)?) {
        return Err(told(message));
    }
    let current = partition_assignment(admin, &plan, &proposed)?;
    let log_dirs = log_dirs_of(admin, &current)?;
    let printer = &mut context.printer;
    printer.line("Current partition replica assignment")?;
    printer.line(format_args!("\n{}\n", current_json(&current, &log_dirs)))?;
    printer.line(words::SAVE_THIS)?;
    set_throttles(execute, &plan, &active, &current, context)?;
    start(&proposed, execute.allow_factor_change, context)?;
    start_log_dir_moves(plan.log_dir_moves(), execute.timeout, context)
}

/// The current replicas of the plan's partitions; all partitions must exist.
fn partition_assignment(
    admin: &mut AdminClient,
    plan: &Plan,
    proposed: &Assignment,
) -> JavaResult<Assignment> {
    let topics: Vec<String> = plan.topics().into_iter().collect();
    let mut current = topic_assignment(admin, &topics)?;
    current.retain(|name, _| proposed.contains_key(name));
    let missing: Vec<_> = proposed
        .keys()
        .filter(|name| !current.contains_key(*name))
        .cloned()
        .collect();
    if missing.is_empty() {
        Ok(current)
    } else {
        Err(unknown(words::missing_partitions(&missing)))
    }
}

fn set_throttles(
    execute: &JavaExecute,
    plan: &Plan,
    active: &ActiveReassignments,
    current: &Assignment,
    context: &mut Context,
) -> JavaResult {
    let (rate, log_dir_rate) = (execute.throttle, execute.log_dir_throttle);
    if rate < 0 && log_dir_rate < 0 {
        return Ok(());
    }
    context.printer.line(words::RUN_VERIFY)?;
    let admin = context.client.admin()?;
    if rate >= 0 {
        let moves = throttle::moves(active, &plan.assignment(), current);
        first_refusal(admin.alter_throttles(&throttles::on_topics(&moves))?)?;
        let brokers = throttle::brokers(&moves);
        first_refusal(admin.alter_throttles(&throttles::on_brokers(&brokers, Rates::replication(rate)))?)?;
        let line = format!("The inter-broker throttle limit was set to {rate} B/s");
        context.printer.line(line)?;
    }
    if log_dir_rate >= 0 {
        let brokers: BTreeSet<_> = plan
            .log_dir_moves()
            .keys()
            .map(|replica| replica.broker)
            .collect();
        let changes = throttles::on_brokers(&brokers, Rates::log_dirs(log_dir_rate));
        first_refusal(context.client.admin()?.alter_throttles(&changes)?)?;
        let line = format!("The replica-alter-dir throttle limit was set to {log_dir_rate} B/s");
        context.printer.line(line)?;
    }
    Ok(())
}

fn start(proposed: &Assignment, allow_factor_change: bool, context: &mut Context) -> JavaResult {
    let wanted = proposed
        .iter()
        .map(|(name, replicas)| (name.clone(), Some(replicas.clone())))
        .collect();
    let refused = context
        .client
        .admin()?
        .alter_reassignments(&wanted, allow_factor_change)?;
    if !refused.is_empty() {
        return Err(JavaFailure::Terse(words::not_started(&messages(&refused))));
    }
    let started: Vec<_> = proposed.keys().cloned().collect();
    Ok(context.printer.line(words::started(&started))?)
}
