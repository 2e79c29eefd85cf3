//! A run starts its moves in batches, and nothing moves between two of them: a watcher in another shell must look
//! several times before it may conclude that nothing moves.

use std::time::Duration;

use super::cluster;
use crate::client::admin::AdminClient;
use crate::error::Result;
use crate::reassignment::plan::Plan;

/// The pause between two looks for the start of a batch.
pub(super) const PAUSE: Duration = Duration::from_millis(250);
/// This many looks take longer than the pause between two batches, and longer than a broker lags behind the controller.
const LOOKS: u32 = 6;

/// How many looks in a row showed no move of a plan.
#[derive(Debug, Default)]
pub(super) struct IdleLooks(u32);

impl IdleLooks {
    /// Counts one more look; returns whether no batch will follow: the plan is done, or there were enough looks.
    pub(super) fn are_enough(&mut self, plan: Option<&Plan>, admin: &mut AdminClient) -> Result<bool> {
        self.0 += 1;
        match plan {
            Some(plan) if self.0 < LOOKS => is_done(plan, admin),
            _ => Ok(true),
        }
    }
}

/// Whether every existing partition of the plan is where the plan wants it.
fn is_done(plan: &Plan, admin: &mut AdminClient) -> Result<bool> {
    let target = plan.assignment();
    let current = cluster::assignment(admin, plan.topics().iter().map(String::as_str))?;
    let mut there = current.iter().filter(|(name, _)| target.contains_key(*name));
    Ok(there.all(|(name, replicas)| target.get(name) == Some(replicas)))
}
