//! The share coordinator (KIP-932): the state of every partition that a share group reads, in `__share_group_state`.
//!
//! [`record_state`] has the states of records, [`partition_state`] what is known of one partition and how records change
//! it, [`coordinator`] all of them over the log. Owns no socket and no protocol message, and nothing of what is on its
//! way to members: that is in `broker/share/`.

pub mod coordinator;
pub mod partition_state;
pub mod record;
pub mod record_state;

pub use coordinator::{OtherShareCoordinators, Refused, ShareCoordinator};
pub use partition_state::PartitionState;
pub use record::StateKey;
