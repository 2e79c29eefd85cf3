//! A run starts its moves in batches, and between two of them nothing moves: who looks from another shell looks for a
//! while before it is believed that nothing does.

use std::time::Duration;

use super::cluster;
use crate::client::admin::AdminClient;
use crate::error::Result;
use crate::reassignment::plan::Plan;

/// The pause between two looks for a batch that begins.
pub(super) const PAUSE: Duration = Duration::from_millis(250);
/// So many polls take longer than the pause between two batches, and longer than a broker lags behind the controller.
const LOOKS: u32 = 6;

/// Looks that showed nothing of a plan moving.
#[derive(Debug, Default)]
pub(super) struct IdleLooks(u32);

impl IdleLooks {
    /// Takes one more; whether it is sure now that no batch follows: there is none to come, or it would have.
    pub(super) fn are_enough(&mut self, plan: Option<&Plan>, admin: &mut AdminClient) -> Result<bool> {
        self.0 += 1;
        match plan {
            Some(plan) if self.0 < LOOKS => is_done(plan, admin),
            _ => Ok(true),
        }
    }
}

/// Whether every partition of the plan that there is, is where the plan wants it.
fn is_done(plan: &Plan, admin: &mut AdminClient) -> Result<bool> {
    let target = plan.assignment();
    let current = cluster::assignment(admin, plan.topics().iter().map(String::as_str))?;
    let mut there = current.iter().filter(|(name, _)| target.contains_key(*name));
    Ok(there.all(|(name, replicas)| target.get(name) == Some(replicas)))
}
