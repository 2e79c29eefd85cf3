//! The group coordinator: consumer groups and the offsets they commit.
//!
//! [`classic_group`] is the state machine of one group, pure; [`offsets`] what it has committed; [`coordinator`] all
//! groups together, over the records of `__consumer_offsets`. Owns no socket and no protocol message: the handlers
//! translate.

mod alarm;
pub mod classic_group;
pub mod coordinator;
pub mod events;
pub mod group_state;
mod joining;
mod live_group;
mod loading;
pub mod member;
pub mod offsets;
mod offsets_writer;
mod open_transactions;
mod rebalance;
mod static_members;
mod stored_group;
pub mod stored_records;
mod subscription;

pub use alarm::run as run_alarm;
pub use coordinator::{GroupConfig, GroupCoordinator, GroupDescription, GroupListing};
