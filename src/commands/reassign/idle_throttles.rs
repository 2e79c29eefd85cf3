//! Throttles that no move needs any longer: cleared, and reported.

use std::collections::BTreeSet;

use super::log_dir_moves;
use super::throttles::{self, Changes};
use crate::client::admin::AdminClient;
use crate::client::admin::throttles::Throttled;
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::reassignment::active::ActiveReassignments;

/// `broker 1, broker 2, topic orders`
pub(super) fn names_of(found: &[Throttled]) -> String {
    let names: Vec<String> = found.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// The throttles of those of `topics` that have no partition being moved, and those of brokers when nothing moves at
/// all, neither between brokers nor between the directories of one.
pub(super) fn find(
    topics: BTreeSet<String>,
    active: &ActiveReassignments,
    admin: &mut AdminClient,
) -> Result<Vec<Throttled>> {
    let is_moving = |topic: &String| active.keys().any(|name| name.topic == *topic);
    let idle = topics.into_iter().filter(|topic| !is_moving(topic));
    let mut idle: Vec<Throttled> = idle.map(Throttled::Topic).collect();
    if active.is_empty() {
        idle.extend(admin.brokers()?.iter().map(|broker| Throttled::Broker(broker.id)));
    }
    let mut found: Vec<Throttled> = admin.throttles_of_present(&idle)?.into_keys().collect();
    let is_broker = |throttled: &Throttled| matches!(throttled, Throttled::Broker(_));
    if found.iter().any(is_broker) && !log_dir_moves::under_way(admin, None)?.is_empty() {
        found.retain(|throttled| !is_broker(throttled));
    }
    Ok(found)
}

/// The changes that clear the throttles of a topic or broker.
pub(super) fn cleared(throttled: Throttled) -> Changes {
    match throttled {
        Throttled::Broker(id) => throttles::cleared_brokers([id]),
        Throttled::Topic(name) => throttles::cleared_topics([name]),
    }
}

/// Clears these throttles, and reports it; a refusal is an error.
pub(super) fn clear(found: Vec<Throttled>, context: &mut Context) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let names = names_of(&found);
    let changes = found.into_iter().flat_map(cleared).collect();
    let refused = context.client.admin()?.alter_throttles(&changes)?;
    if let Some((throttled, error)) = refused.into_iter().next() {
        return Err(Error::from(error).context(format!("throttle of {throttled}")));
    }
    context.printer.note(format_args!("throttle cleared on {names}"));
    Ok(())
}
