//! The direct lane: records over our own wire, whole batches encoded and decoded in place, no object for each record.
//!
//! Owns sending without transactions and reading without groups, where nothing has to be coordinated. One thread
//! fills and decodes batches while requests are in flight. State machines without socket or clock decide what happens
//! to one partition (`producer::partition_queue`, `consumer::position`); `session` and `network` do the rest.

mod cluster;
pub(super) mod consumer;
mod network;
pub(super) mod producer;
mod session;
mod words;
