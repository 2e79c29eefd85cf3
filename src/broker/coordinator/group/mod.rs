//! The group coordinator: consumer groups, share groups, and committed offsets.
//!
//! [`classic_group`], [`consumer_group`] and [`share_group`] are the pure state machines of one group, for the three
//! protocols; [`offsets`] has a group's committed offsets; [`coordinator`] is all groups together, over the records
//! of `__consumer_offsets`. Owns no socket and no protocol message: the handlers translate.

mod alarm;
pub mod assignor;
pub mod classic_group;
mod commits;
mod consumer_coordinator;
pub mod consumer_group;
mod consumer_protocol;
pub mod coordinator;
mod environment;
pub mod events;
mod group_config;
mod group_kind;
pub mod group_state;
mod inspection;
mod joining;
mod live_group;
mod loading;
pub mod member;
mod membership;
pub mod offsets;
mod offsets_writer;
mod open_transactions;
mod rebalance;
pub mod share_group;
mod share_groups;
mod static_members;
mod stored_group;
pub mod stored_records;
mod subscription;

pub use alarm::run as run_alarm;
pub use consumer_coordinator::ConsumerGroupDescription;
pub use coordinator::GroupCoordinator;
pub use environment::{BrokerEnvironment, Environment, ShareGroupListener};
pub use group_config::GroupConfig;
pub use group_kind::GroupType;
pub use inspection::{GroupDescription, GroupListing};
pub use share_groups::{SHARE_ASSIGNOR, ShareBeat, ShareGroupDescription};
