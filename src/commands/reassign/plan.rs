//! `reassign plan`: facts in, a proposal out; nothing is changed.

use std::collections::BTreeSet;
use std::path::Path;

use super::{PlanAction, cluster, seed};
use crate::commands::context::Context;
use crate::error::{Error, Kind, Result};
use crate::output::reassignment as show;
use crate::reassignment::cluster_view::ClusterView;
use crate::reassignment::impact::impact;
use crate::reassignment::plan::{Plan, comma_separated};
use crate::reassignment::plan_json::write_readable;
use crate::reassignment::planner::{GoalError, propose};
use crate::topic_partition::BrokerId;

pub(super) fn run(action: &PlanAction, context: &mut Context) -> Result<()> {
    let view = cluster::view(&action.topics, context)?;
    check_topics(action, &view)?;
    let is_chosen = |topic: &str| action.topics.is_empty() || action.topics.contains(topic);
    let target = propose(&view, &action.goals, is_chosen, seed()?)
        .map_err(|error| goal_error(&error, action, &view))?;
    let impact = impact(&view, &target, &action.goals.drain);
    let plan = Plan::from_assignment(&target, &view.assignment());
    if let Some(path) = &action.out {
        write(path, &plan)?;
    }
    show::proposal(&plan, &impact, action.out.as_deref(), &mut context.printer)
}

fn check_topics(action: &PlanAction, view: &ClusterView) -> Result<()> {
    let exists = |topic: &&String| view.partitions.keys().any(|name| name.topic == **topic);
    let unknown: Vec<_> = action.topics.iter().filter(|topic| !exists(topic)).collect();
    match unknown.as_slice() {
        [] => Ok(()),
        [topic] => Err(Error::not_found(format!("topic \"{topic}\" not found"))),
        topics => Err(Error::not_found(format!(
            "topics {} not found",
            comma_separated(topics)
        ))),
    }
}

fn goal_error(error: &GoalError, action: &PlanAction, view: &ClusterView) -> Error {
    let drain = &action.goals.drain;
    if matches!(error, GoalError::TooFewBrokers { .. }) && !drain.is_empty() {
        return Error::failed(format!("cannot drain {}: {error}", named_brokers(drain)))
            .hint("name the topics that can move, or lower the others with --replication-factor");
    }
    let kind = match error {
        GoalError::UnknownBrokers(_) | GoalError::DeadBrokers(_) => Kind::NotFound,
        GoalError::NoBrokersLeft | GoalError::TooFewBrokers { .. } => Kind::Failed,
    };
    let alive = comma_separated(view.brokers.iter().map(|live| live.id));
    Error::new(kind, error).hint(format!("brokers that are up: {alive}"))
}

/// `broker 2`, `brokers 2,3`
fn named_brokers(ids: &BTreeSet<BrokerId>) -> String {
    let noun = if ids.len() == 1 { "broker" } else { "brokers" };
    format!("{noun} {}", comma_separated(ids))
}

fn write(path: &Path, plan: &Plan) -> Result<()> {
    std::fs::write(path, write_readable(plan)).map_err(|error| Error::from(error).context(path.display()))
}
