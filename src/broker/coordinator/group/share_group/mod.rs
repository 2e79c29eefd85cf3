//! Share groups (KIP-932): members that read the same partitions together. The coordinator assigns, and members only
//! send heartbeats; no member has to revoke a partition before another gets it.
//!
//! [`group`] is the state, the sum of the records in [`record`]; [`heartbeat`] has the rules of members,
//! [`initialization`] which partitions the group can read. Pure: no clock, socket, file or lock; the time, the topics
//! and the settings come with each event ([`group::ShareSurroundings`]), and its changes are returned as records to
//! write ([`group::ShareChange`]).

pub mod group;
pub mod heartbeat;
pub mod initialization;
pub mod member;
#[cfg(test)]
mod model_test;
pub mod record;

pub use group::{ShareChange, ShareGroup, ShareGroupSettings, ShareGroupState, ShareSurroundings};
pub use heartbeat::{ShareHeartbeat, ShareHeartbeatAnswer};
