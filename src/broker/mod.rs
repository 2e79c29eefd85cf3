//! From socket to response: the mini broker, one or several durable nodes in one process.
//!
//! [`server`] accepts and serves connections, [`apis`] is the table of what is served, [`handlers`] has one file an
//! API; [`cluster`] is the metadata of the whole cluster, [`node`] has the replicas of one node, [`host`] runs the
//! nodes. How a record is laid out is in records/, the files of a log dir are in storage/. Nothing here prints. This
//! file only lists the parts.

// A peer must not be able to end the broker: no index that may be out of range.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod access;
pub mod apis;
mod authorizer;
pub mod call;
mod clock;
mod cluster;
pub mod config;
pub mod coordinator;
pub mod faults;
pub mod features;
mod fetch;
mod gates;
pub mod handlers;
pub mod host;
pub mod internal_topics;
pub mod lifecycle;
mod newer_versions;
pub mod node;
pub mod notices;
mod once;
mod produce;
mod quotas;
pub mod refusal;
pub mod rehearsal;
pub mod releases;
mod request_shape;
pub mod response;
mod rights;
mod security;
pub mod server;
pub mod share;
#[cfg(test)]
mod simulation;
mod start_memory;
mod throttle_field;
pub mod timers;
mod token_requests;
pub mod topic_name;
