//! The librdkafka engine: groups, transactions, every security protocol it knows. The only room that names
//! rdkafka.
//!
//! Owns the sink and the source behind the two traits, and what its settings are; owns no wire of its own.

pub mod consumer;
pub mod producer;

mod config;
mod entries;
mod ffi;
mod notices;
mod reading;
mod stall;
mod sticky;
mod tokens;
mod under_way;
