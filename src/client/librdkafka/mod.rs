//! The librdkafka engine, through the safe crate `rdkafka`: consumer groups and transactions. One call that the crate
//! lacks is in `set_token`.
//!
//! The only room that names rdkafka. Owns the source and the sink behind the two traits and the mapping of their
//! settings; the direct lane requests topics and offsets.

pub mod consumer;
pub mod producer;

mod commits;
mod config;
mod entries;
mod membership;
mod notices;
mod reading;
mod reports;
mod set_token;
mod showing;
mod silence;
mod tags;
mod tokens;
