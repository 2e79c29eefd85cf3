//! Socket to response: the mini broker, one durable node.
//!
//! [`server`] accepts, [`session`] serves one connection, [`apis`] is the table of what is served, [`handlers`] has
//! one file an API; [`metadata`] is what exists, [`partition`] one log. Owns no record (records/) and no file of a
//! log dir (storage/); prints nothing.

mod adoption;
pub mod apis;
mod batch_check;
pub mod call;
mod cluster_metadata;
pub mod config;
pub mod config_table;
pub mod connections;
mod delayed_fetch;
pub mod effective_config;
mod fetch_response;
mod fetch_session;
pub mod group;
pub mod handlers;
pub mod lifecycle;
pub mod metadata;
mod metadata_changes;
mod metadata_file;
pub mod partition;
mod produce_request;
mod producer_ids;
mod recompress;
mod request_shape;
pub mod response;
mod send;
pub mod server;
pub mod session;
mod start_memory;
pub mod timers;
pub mod topic_name;
pub mod topic_settings;

use std::fmt;
use std::sync::Arc;

use config::BrokerConfig;
use connections::{Connections, Listener};
use fetch_session::FetchSessions;
use group::GroupCoordinator;
use metadata::Metadata;

/// Everything the handlers share.
pub struct Broker {
    pub config: Arc<BrokerConfig>,
    pub metadata: Arc<Metadata>,
    pub groups: Arc<GroupCoordinator>,
    pub connections: Arc<Connections>,
    pub(in crate::broker) fetch_sessions: FetchSessions,
    /// Where clients reach this broker, by listener.
    pub listeners: Vec<Arc<Listener>>,
    notices: Box<dyn Fn(&str) + Send + Sync>,
}

impl Broker {
    /// Tells whoever runs the broker something worth a line.
    pub fn notice(&self, line: impl fmt::Display) {
        (self.notices)(&line.to_string());
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("config", &self.config)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
