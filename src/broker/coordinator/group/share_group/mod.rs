//! Share groups (KIP-932): members that read the same partitions together. The coordinator assigns, and members only
//! send heartbeats; nobody has to give a partition back before another one gets it.
//!
//! [`group`] is the state, made of the records in [`record`]; [`heartbeat`] has the rules of members,
//! [`initialization`] which partitions the group may read yet. Pure: no clock, socket, file or lock; the time, the
//! topics and the settings come with each event ([`group::ShareSurroundings`]), and what an event changes comes back as
//! records to be written ([`group::ShareChange`]).

pub mod group;
pub mod heartbeat;
pub mod initialization;
pub mod member;
#[cfg(test)]
mod model_test;
pub mod record;

pub use group::{ShareChange, ShareGroup, ShareGroupSettings, ShareGroupState, ShareSurroundings};
pub use heartbeat::{ShareHeartbeat, ShareHeartbeatAnswer};
