//! The five states of a classic group, and what each lets a member do. Owns no transition: those are in
//! `classic_group.rs`.

use std::fmt;

/// Where a group stands between two rebalances. The names are what ListGroups and DescribeGroups print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// No members. Offsets may remain; they expire.
    ///
    /// *Becomes* `PreparingRebalance` with the first member, `Dead` when it is deleted.
    Empty,
    /// Members are to send JoinGroup; those who did wait for the others. Heartbeats answer
    /// `REBALANCE_IN_PROGRESS`.
    ///
    /// *Becomes* `CompletingRebalance` once everybody joined or the rebalance time-out is over, `Empty` when
    /// everybody left.
    PreparingRebalance,
    /// Everybody joined; the leader is to send the assignment with SyncGroup, the others wait for it in theirs.
    ///
    /// *Becomes* `Stable` with the leader's SyncGroup, `PreparingRebalance` when a member comes or goes.
    CompletingRebalance,
    /// Everybody may ask for the assignment and sends heartbeats.
    ///
    /// *Becomes* `PreparingRebalance` when a member comes, goes, or changes its subscription.
    Stable,
    /// Deleted: whoever still holds the group looks it up again.
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
