//! Clearing throttles as the Java tool does, and its message about a broker's refusal.

use std::collections::BTreeMap;

use super::current::live_brokers;
use super::{JavaFailure, JavaResult};
use crate::client::admin::ApiError;
use crate::commands::context::Context;
use crate::commands::reassign::throttles;
use crate::java_tools::reassign::words;
use crate::reassignment::plan::Plan;
use crate::topic_partition::BrokerId;

pub(super) fn first_refusal<K>(refused: BTreeMap<K, ApiError>) -> JavaResult {
    match refused.into_values().next() {
        Some(error) => Err(JavaFailure::Refused(error)),
        None => Ok(()),
    }
}

/// Clears the throttles of the plan's topics, its brokers and every live broker.
pub(super) fn clear_all_throttles(plan: &Plan, context: &mut Context) -> JavaResult {
    let admin = context.client.admin()?;
    let named = plan
        .partitions
        .iter()
        .flat_map(|planned| planned.replicas.iter().copied());
    let brokers: Vec<BrokerId> = live_brokers(admin)?.into_iter().chain(named).collect();
    let topics: Vec<String> = plan
        .partitions
        .iter()
        .map(|planned| planned.topic_partition.topic.clone())
        .collect();
    context
        .printer
        .line(words::clearing_brokers(brokers.iter().copied()))?;
    context.printer.flush()?;
    let changes = throttles::cleared_brokers(brokers);
    first_refusal(context.client.admin()?.alter_throttles(&changes)?)?;
    context
        .printer
        .line(words::clearing_topics(topics.iter().cloned()))?;
    let changes = throttles::cleared_topics(topics);
    first_refusal(context.client.admin()?.alter_throttles(&changes)?)
}
