//! The share coordinator (KIP-932): the state of every partition that a share group reads, in `__share_group_state`.
//!
//! [`record_state`] has the states of records, [`partition_state`] the state of one partition and how records change
//! it, [`coordinator`] all states, over the log. Owns no socket, no protocol message, and none of the records that
//! members have acquired: those are in `broker/share/`.

pub mod coordinator;
pub mod partition_state;
pub mod record;
pub mod record_state;

pub use coordinator::{OtherShareCoordinators, Refused, ShareCoordinator};
pub use partition_state::PartitionState;
pub use record::StateKey;
