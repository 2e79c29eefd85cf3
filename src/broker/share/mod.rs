//! Share groups on the leader of a partition (KIP-932): which records are in flight, and with which member.
//!
//! [`share_partition`] is the pure state machine of one partition in one group, with its rules in [`acquire`] and
//! [`acknowledge`]; [`share_session`] has the sessions of members; [`partition_manager`] has all partitions, and
//! [`share_fetch`] reads records for them. The stored state is in the share coordinator; members and their
//! assignments are in the group coordinator. Owns no protocol message.

pub mod acknowledge;
pub mod acknowledge_type;
pub mod acquire;
mod in_flight_batch;
#[cfg(test)]
mod model_test;
pub mod partition_manager;
pub mod share_config;
pub mod share_fetch;
pub mod share_partition;
pub mod share_session;
mod transactions;

pub use partition_manager::SharePartitionManager;
