//! Configs of brokers, topics and groups: the static settings, the tables of configs, and which value is in force.
//!
//! Owns no file: changed configs are kept in the metadata log (cluster/). The rules of topic configs, which
//! command-line tools share, are in `topic_config`.

mod broker_config;
pub mod client_metrics_config;
pub mod config_table;
pub mod effective_config;
pub mod group_config;
pub(in crate::broker) mod listener_changes;
mod settings;
pub mod topic_settings;

pub use broker_config::{BrokerConfig, Endpoint};
