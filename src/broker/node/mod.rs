//! One node of a cluster: its listeners and connections, and the replicas in its log dirs.
//!
//! Owns what a replica knows of its own log and its role. What is true of the whole cluster is in cluster/, the files
//! are storage's.

pub mod replica;

use std::fmt;
use std::sync::Arc;

use super::config::BrokerConfig;
use super::coordinator::group::GroupCoordinator;
use super::coordinator::transaction::TransactionCoordinator;
use super::fetch::fetch_session::FetchSessions;
use super::metadata::Metadata;
use super::notices::Notices;
use super::produce::write_trouble::WriteTrouble;
use super::server::connections::{Connections, Listener};
use replica::Replica;

/// One node: what every handler is given.
pub struct Node {
    /// `node.id`
    pub id: i32,
    pub config: Arc<BrokerConfig>,
    pub metadata: Arc<Metadata>,
    pub groups: Arc<GroupCoordinator>,
    pub transactions: Arc<TransactionCoordinator>,
    pub connections: Arc<Connections>,
    pub(in crate::broker) fetch_sessions: FetchSessions,
    /// Where clients reach this node, by listener.
    pub listeners: Vec<Arc<Listener>>,
    pub(in crate::broker) notices: Notices,
    pub(in crate::broker) write_trouble: WriteTrouble,
}

impl Node {
    /// The replica of a partition on this node; `None` where it has none.
    pub fn partition(&self, topic: &str, index: i32) -> Option<Arc<Replica>> {
        self.metadata.partition(topic, index)
    }

    /// Reports a line to the user who runs the broker.
    pub fn notice(&self, line: impl fmt::Display) {
        self.notices.say(&line.to_string());
    }

    /// Reports the line, if there is one.
    pub(in crate::broker) fn report(&self, line: Option<String>) {
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
        let partition = self.partition(topic, 0);
        if partition.is_some_and(|partition| partition.settings().compact) {
            self.notice_once(format_args!(
                "topic {topic} has cleanup.policy=compact, and the mini broker does not compact yet: every record stays"
            ));
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("config", &self.config)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
