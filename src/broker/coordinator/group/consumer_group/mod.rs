//! Groups of the consumer protocol (KIP-848), where the coordinator assigns and members only send heartbeats.
//!
//! [`group`] is the state, the sum of the records in [`record`]; [`heartbeat`] and its neighbours have the rules.
//! Pure: no clock, socket, file or lock; the time, the topics and the settings come with each event
//! ([`group::Surroundings`]), and its changes are returned as records to write ([`group::Change`]).

pub mod classic_members;
pub mod conversion;
pub mod departure;
pub mod group;
pub mod heartbeat;
pub mod heartbeat_shape;
pub mod member;
#[cfg(test)]
mod model_test;
mod offset_checks;
mod reconciliation;
pub mod record;
mod regular_expressions;
mod target;
pub mod topics;

pub use group::{Change, ConsumerGroup, ConsumerGroupSettings, ConsumerGroupState, Refused, Surroundings};
pub use heartbeat::{Heartbeat, HeartbeatAnswer};
pub use topics::{TopicCatalog, TopicShape};
