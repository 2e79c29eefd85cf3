//! The five states of a classic group, and what members may do in each. Owns no transition: those are in
//! `classic_group.rs`.

use std::fmt;

/// The state of a group. The names are those in ListGroups and DescribeGroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// No members. There may be committed offsets, which expire.
    ///
    /// *Becomes* `PreparingRebalance` with the first member, `Dead` when it is deleted.
    Empty,
    /// Members have to send JoinGroup; those that have wait for the others. Heartbeats are answered with
    /// `REBALANCE_IN_PROGRESS`.
    ///
    /// *Becomes* `CompletingRebalance` once all have joined or the rebalance timeout is over, `Empty` when all have
    /// left.
    PreparingRebalance,
    /// All have joined; the leader has to send the assignment with SyncGroup, and the others wait for it.
    ///
    /// *Becomes* `Stable` with the leader's SyncGroup, `PreparingRebalance` when a member joins or leaves.
    CompletingRebalance,
    /// Members can get their assignment, and send heartbeats.
    ///
    /// *Becomes* `PreparingRebalance` when a member joins, leaves, or changes its subscription.
    Stable,
    /// Deleted: a request that still holds the group looks it up again.
    Dead,
}

impl GroupState {
    /// Kafka's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
