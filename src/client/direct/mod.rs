//! The direct lane: records over our own wire, whole batches encoded and decoded in place, no object a record.
//!
//! Owns sending without transactions and reading without groups, where nothing has to be coordinated. One thread: it
//! fills and decodes batches while requests are under way. What happens to one partition is decided by state machines
//! without socket or clock (`producer::partition_queue`, `consumer::position`); `session` and `network` do the rest.

mod cluster;
pub(super) mod consumer;
mod network;
pub(super) mod producer;
mod session;
mod words;
