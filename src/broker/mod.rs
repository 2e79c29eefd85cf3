//! Socket to response: the mini broker, one durable node.
//!
//! [`server`] accepts and serves the connections, [`apis`] is the table of what is served, [`handlers`] has
//! one file an API; [`metadata`] is what exists, [`node`] has its logs. Owns no record (records/) and no file of a
//! log dir (storage/); prints nothing.

pub mod access;
mod adoption;
pub mod apis;
pub mod call;
mod cluster;
pub mod config;
pub mod coordinator;
mod fetch;
pub mod handlers;
pub mod lifecycle;
pub mod metadata;
mod metadata_changes;
mod metadata_open;
pub mod node;
pub mod notices;
mod once;
mod produce;
pub mod refusal;
mod request_shape;
pub mod response;
pub mod server;
mod start_memory;
pub mod timers;
pub mod topic_name;

use std::fmt;
use std::sync::Arc;

use config::BrokerConfig;
use coordinator::group::GroupCoordinator;
use fetch::fetch_session::FetchSessions;
use metadata::Metadata;
use notices::Notices;
use produce::write_trouble::WriteTrouble;
use server::connections::{Connections, Listener};

/// Everything the handlers share.
pub struct Broker {
    pub config: Arc<BrokerConfig>,
    pub metadata: Arc<Metadata>,
    pub groups: Arc<GroupCoordinator>,
    pub connections: Arc<Connections>,
    pub(in crate::broker) fetch_sessions: FetchSessions,
    /// Where clients reach this broker, by listener.
    pub listeners: Vec<Arc<Listener>>,
    notices: Notices,
    write_trouble: WriteTrouble,
}

impl Broker {
    /// Reports a line to the user who runs the broker.
    pub fn notice(&self, line: impl fmt::Display) {
        self.notices.say(&line.to_string());
    }

    /// Reports the line, if there is one.
    fn report(&self, line: Option<String>) {
        if let Some(line) = line {
            self.notice(line);
        }
    }

    /// The same for what clients can cause again and again: a line that was reported before is not repeated.
    pub fn notice_once(&self, line: impl fmt::Display) {
        self.notices.say_once(&line.to_string());
    }

    /// Says of a topic with `cleanup.policy=compact` that its records stay for the time being.
    pub fn note_compaction(&self, topic: &str) {
        let partition = self.metadata.partition(topic, 0);
        if partition.is_some_and(|partition| partition.settings().compact) {
            self.notice_once(format_args!(
                "topic {topic} has cleanup.policy=compact, and the mini broker does not compact yet: every record stays"
            ));
        }
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
