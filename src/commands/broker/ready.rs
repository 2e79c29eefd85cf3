//! The description of nodes when they listen: for the user, and in the data directory for other commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::broker::host::members::MemberReady;
use crate::broker::node::Node;
use crate::broker::timers::now_ms;
use crate::client::local_broker::RunningBroker;
use crate::client::mini_place::shown;
use crate::error::Result;
use crate::output;
use crate::wire::host_port::host_port;
use crate::wire::security_protocol::SecurityProtocol;

/// Nodes that listen.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadyNodes {
    ids: Vec<i32>,
    /// The addresses of every listener, for clients on this machine.
    pub(super) addresses: Vec<String>,
    /// The first address of each node.
    first: Vec<String>,
    /// The advertised addresses, which clients connect to.
    pub(super) advertised: Vec<String>,
    is_secure: bool,
    topics: usize,
    /// The size of all logs.
    bytes: u64,
}

impl ReadyNodes {
    pub(super) fn of(nodes: &[Arc<Node>]) -> Self {
        let listeners = nodes.iter().flat_map(|node| &node.listeners);
        let first = nodes.iter().filter_map(|node| node.listeners.first());
        let mut protocols = first.clone().map(|listener| listener.protocol());
        Self {
            ids: nodes.iter().map(|node| node.id).collect(),
            is_secure: protocols.any(|protocol| protocol != SecurityProtocol::Plaintext),
            addresses: listeners
                .clone()
                .map(|listener| listener.bound.to_string())
                .collect(),
            first: first.map(|listener| listener.bound.to_string()).collect(),
            advertised: listeners
                .map(|listener| host_port(&listener.advertised_host, listener.advertised_port))
                .collect(),
            topics: nodes.first().map_or(0, |node| node.topic_count()),
            bytes: nodes.iter().map(|node| node.size()).sum(),
        }
    }

    /// Records where the broker of `dir` is, for other commands.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn announce(&self, cluster_id: &str, dir: &Path, client_file: Option<PathBuf>) -> Result<()> {
        let running = RunningBroker {
            is_secure: self.is_secure,
            pid: std::process::id(),
            addresses: self.addresses.clone(),
            nodes: self.first.clone(),
            cluster_id: cluster_id.to_owned(),
            started_ms: now_ms(),
            client_file,
        };
        std::fs::create_dir_all(dir)?;
        running.announce(dir)
    }

    /// `node 1`, `nodes 1, 2`.
    pub(super) fn names(&self) -> String {
        let ids: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        let plural = if ids.len() == 1 { "" } else { "s" };
        format!("node{plural} {}", ids.join(", "))
    }

    /// The line that says that they are ready.
    pub(super) fn line(&self, dir: &Path, took: Duration) -> String {
        let took = took.as_millis();
        if self.addresses.is_empty() {
            return format!(
                "controller ready in {took} ms ({}); start its brokers, which run in this process",
                shown(dir)
            );
        }
        format!(
            "mini broker ready in {took} ms on {} ({}, {}, {} {}, {})",
            self.addresses.join(", "),
            self.names(),
            shown(dir),
            self.topics,
            if self.topics == 1 { "topic" } else { "topics" },
            output::size(self.bytes),
        )
    }
}

impl From<&MemberReady> for ReadyNodes {
    fn from(ready: &MemberReady) -> Self {
        Self {
            ids: vec![ready.id],
            addresses: ready.addresses.clone(),
            first: ready.addresses.first().cloned().into_iter().collect(),
            advertised: ready.advertised.clone(),
            is_secure: ready.is_secure,
            topics: ready.topics,
            bytes: ready.bytes,
        }
    }
}
