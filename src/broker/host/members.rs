//! Nodes that other processes bring: each runs here until its process ends or asks for its end.
//!
//! A process stays connected to the control socket. A last line stops its node in order; if the connection breaks
//! without one, the process was killed, and its node is killed as well.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::watch;

use super::control::{LONGEST_LINE, Reply, Words};
use super::{Arrival, Host};
use crate::broker::cluster::metadata_place;
use crate::broker::config::BrokerConfig;
use crate::broker::node::{Node, voter};
use crate::broker::server::connections::Listener;
use crate::error::{Error, Result};
use crate::wire::host_port::host_port;
use crate::wire::security_protocol::SecurityProtocol;

/// The node that a process brings.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct MemberNode {
    /// Its first log dir.
    pub data_dir: PathBuf,
    pub other_dirs: Vec<PathBuf>,
    /// Names and values as in server.properties, with absolute paths.
    pub settings: Vec<(String, String)>,
    /// Force each batch to disk before it is acknowledged.
    pub flush_each_batch: bool,
}

/// The answer to a process whose node runs.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct MemberReady {
    pub id: i32,
    /// The process in which it runs.
    pub host_pid: u32,
    pub cluster_id: String,
    /// The bound `host:port` of each listener.
    pub addresses: Vec<String>,
    /// The advertised `host:port` of each listener.
    pub advertised: Vec<String>,
    /// Whether its first listener has TLS or SASL.
    pub is_secure: bool,
    pub topics: usize,
    pub bytes: u64,
}

/// The connected processes.
#[derive(Debug)]
pub(super) struct Members {
    nodes: Mutex<BTreeSet<i32>>,
    count: watch::Sender<usize>,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            nodes: Mutex::default(),
            count: watch::Sender::new(0),
        }
    }
}

impl Members {
    fn nodes(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connected process has brought this node.
    pub(super) fn brought(&self, id: i32) -> bool {
        self.nodes().contains(&id)
    }

    pub(super) fn any(&self) -> bool {
        *self.count.borrow() > 0
    }

    /// Returns when no process is connected.
    pub(super) async fn none(&self) {
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Counts a process that has brought this node.
    fn enter(&self, node: i32) -> Result<Membership<'_>> {
        if !self.nodes().insert(node) {
            return Err(Error::failed(format!(
                "node {node} of this cluster belongs to another process"
            )));
        }
        self.count.send_modify(|count| *count += 1);
        Ok(Membership { members: self, node })
    }
}

/// A process counts as connected while this lives.
#[derive(Debug)]
struct Membership<'a> {
    members: &'a Members,
    node: i32,
}

impl Drop for Membership<'_> {
    fn drop(&mut self) {
        self.members.nodes().remove(&self.node);
        self.members.count.send_modify(|count| *count -= 1);
    }
}

/// Runs the node of a process as long as it is connected.
pub(super) async fn serve(
    host: &Arc<Host>,
    member: MemberNode,
    input: &mut Words,
    output: &mut OwnedWriteHalf,
) -> std::io::Result<()> {
    let brought = host.config_of(member).and_then(|config| {
        let membership = host.members.enter(config.node_id)?;
        Ok((membership, host.bring(config)?))
    });
    let (membership, ready) = match brought {
        Ok(brought) => brought,
        Err(error) => return say(output, &Reply::Refused(error.message())).await,
    };
    say(output, &Reply::Joined(ready)).await?;
    let is_orderly = is_told_to_stop(input).await;
    host.end(membership.node, is_orderly).await;
    let _ = say(output, &Reply::Left).await;
    drop(membership);
    Ok(())
}

/// Waits for the last line of a process. Returns false if the connection breaks first.
async fn is_told_to_stop(input: &mut Words) -> bool {
    let mut line = Vec::new();
    input.get_mut().set_limit(LONGEST_LINE);
    matches!(input.read_until(b'\n', &mut line).await, Ok(length) if length > 0)
}

pub(super) async fn say(output: &mut OwnedWriteHalf, reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    output.write_all(&line).await
}

impl Host {
    /// The config of a node that a process brings; its `rehearsal` is the host's. An error if the host takes no other
    /// nodes, or runs this one already.
    fn config_of(&self, member: MemberNode) -> Result<BrokerConfig> {
        let mut config = BrokerConfig::new(member.data_dir, member.settings)?;
        config.other_dirs = member.other_dirs;
        config.flush_each_batch = member.flush_each_batch;
        config.rehearsal = self.rehearsal.clone();
        if self.shared.is_one {
            return Err(Error::failed(
                "the mini broker that runs there takes no other nodes",
            ));
        }
        let id = config.node_id;
        if self.slot(id, |slot| Ok(slot.is_running())).unwrap_or(false) {
            return Err(Error::failed(format!("node {id} of this cluster runs already")));
        }
        Ok(config)
    }

    /// Runs the node of another process. A node that is only a controller has nothing to run.
    fn bring(&self, config: BrokerConfig) -> Result<MemberReady> {
        if !config.is_broker() {
            let mut change = self.shared.cluster.change();
            change.enlist(config.node_id, voter(&config, None));
            return Ok(self.ready(config.node_id, None));
        }
        let before = self.share_metadata(&config)?;
        let dir = config.data_dir.clone();
        let arrival = if before { Arrival::Again } else { Arrival::First };
        let brought = self.run(&Arc::new(config), arrival);
        if brought.is_err() && !before {
            metadata_place::remove(&dir);
        }
        let node = brought?;
        Ok(self.ready(node.id, Some(&node)))
    }

    /// Ends the node of a process: in order, or killed if the process was.
    async fn end(self: &Arc<Self>, id: i32, is_orderly: bool) {
        if self.slot(id, |_| Ok(())).is_err() {
            self.shared.cluster.change().enlist(id, None);
            return;
        }
        let runs = self.slot(id, |slot| Ok(slot.is_running())).unwrap_or(false);
        let outcome = match (runs, is_orderly) {
            // It was ended by a command.
            (false, _) => return,
            (true, true) => self.stop(id).await,
            (true, false) => self.kill(id).await,
        };
        if let Err(error) = outcome {
            (self.shared.notices)(&format!("node {id} does not end in order: {error}"));
        }
    }

    /// Writes into all log dirs where the metadata are, now that several processes share the cluster. Returns whether
    /// the new node's log dir had this already.
    fn share_metadata(&self, newcomer: &BrokerConfig) -> Result<bool> {
        let dir = &newcomer.data_dir;
        let path = &self.metadata.path;
        let known = metadata_place::read(dir)?;
        if known.as_ref().is_some_and(|known| known != path) {
            return Err(Error::failed("belongs to another cluster")
                .context(format!("data directory {}", dir.display())));
        }
        let lock = &self.metadata.lock;
        let mut lock = lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            *lock = Some(metadata_place::lock(path)?);
            for slot in self.slots().values() {
                metadata_place::write(&slot.config().data_dir, path)?;
            }
        }
        std::fs::create_dir_all(dir)?;
        metadata_place::write(dir, path)?;
        Ok(known.is_some())
    }

    fn ready(&self, id: i32, node: Option<&Arc<Node>>) -> MemberReady {
        let listeners = node.map_or(&[][..], |node| &node.listeners);
        let told = |listener: &Arc<Listener>| host_port(&listener.advertised_host, listener.advertised_port);
        let first = listeners.first();
        MemberReady {
            id,
            host_pid: std::process::id(),
            cluster_id: self.shared.cluster.id().to_owned(),
            addresses: listeners
                .iter()
                .map(|listener| listener.bound.to_string())
                .collect(),
            advertised: listeners.iter().map(told).collect(),
            is_secure: first.is_some_and(|listener| listener.protocol() != SecurityProtocol::Plaintext),
            topics: node.map_or(0, |node| node.topic_count()),
            bytes: node.map_or(0, |node| node.size()),
        }
    }
}
