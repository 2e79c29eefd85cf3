//! One node of the process, running or not.

use std::sync::{Arc, Weak};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::assembly::Sockets;
use super::node_tasks;
use crate::broker::config::BrokerConfig;
use crate::broker::node::Node;
use crate::error::{Error, Result};

/// The state of a node.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    Running,
    Paused,
    Stopped,
    Killed,
}

impl NodeState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Killed => "killed",
        }
    }
}

/// The state of a node, to be shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    pub id: i32,
    pub state: NodeState,
    pub rack: Option<String>,
    /// `host:port` of each listener.
    pub addresses: Vec<String>,
    /// Its first log dir.
    pub data_dir: String,
}

/// A running node, or one that is about to run.
#[derive(Debug)]
pub(super) struct Running {
    node: Arc<Node>,
    /// `Some` until it is served.
    sockets: Option<Sockets>,
    stop: watch::Sender<bool>,
    tasks: Option<JoinHandle<Result<()>>>,
}

impl Running {
    /// Stops it in order, which leaves its log dirs after a clean shutdown.
    pub(super) async fn stop(mut self) -> Result<()> {
        self.stop.send_replace(true);
        self.node.gate.set_open(true);
        self.node.replicas.stop_background();
        let mut outcome = Ok(());
        if let Some(tasks) = self.tasks.take() {
            outcome = tasks.await.unwrap_or(Ok(()));
        }
        let replicas = Arc::clone(&self.node.replicas);
        let closed = tokio::task::spawn_blocking(move || replicas.close()).await;
        outcome.and(closed.unwrap_or_else(|_| Err(Error::failed("the logs could not be closed"))))
    }

    /// Kills it.
    pub(super) async fn kill(mut self) {
        self.node.replicas.stop_background();
        if let Some(tasks) = self.tasks.take() {
            tasks.abort();
            let _ = tasks.await;
        }
        self.node.replicas.resign();
    }
}

/// The slot of a node.
#[derive(Debug)]
pub(super) struct Slot {
    /// With the ports that were bound at first.
    config: Arc<BrokerConfig>,
    state: NodeState,
    running: Option<Running>,
    /// Upgrades as long as anything of the node is left.
    remains: Weak<()>,
    /// The number of changes of `state`.
    turn: u64,
}

impl Slot {
    /// The slot of a node that is about to serve.
    pub(super) fn bound(config: Arc<BrokerConfig>, node: &Arc<Node>, sockets: Sockets) -> Self {
        Self {
            config,
            state: NodeState::Running,
            remains: node.replicas.remains(),
            running: Some(Running {
                node: Arc::clone(node),
                sockets: Some(sockets),
                stop: watch::Sender::new(false),
                tasks: None,
            }),
            turn: 0,
        }
    }

    /// The same as the successor of an ended node's slot: tasks that wait for that one must not mistake this for it.
    pub(super) fn after(mut self, turn: u64) -> Self {
        self.turn = turn + 1;
        self
    }

    /// Begins to serve; `is_one`: there is no other node, and never will be.
    pub(super) fn serve(&mut self, is_one: bool) {
        let Some(running) = &mut self.running else { return };
        let Some(sockets) = running.sockets.take() else {
            return;
        };
        let stop = running.stop.subscribe();
        let tasks = node_tasks::serve(Arc::clone(&running.node), sockets, is_one, stop);
        running.tasks = Some(tokio::spawn(tasks));
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn status(&self, id: i32) -> NodeStatus {
        let addresses = self.config.listeners.iter();
        NodeStatus {
            id,
            state: self.state,
            rack: self.config.value("broker.rack").map(str::to_owned),
            addresses: addresses
                .map(|endpoint| crate::wire::host_port::host_port(&endpoint.host, endpoint.port))
                .collect(),
            data_dir: self.config.data_dir.display().to_string(),
        }
    }

    /// Why a disk of the node stores nothing more; `None` if the disks work, or the node does not run.
    pub(super) fn disk_failure(&self) -> Option<String> {
        let running = self.running.as_ref()?;
        let mut dirs = running.node.replicas.log_dirs().all();
        dirs.find_map(|dir| dir.disk().failure().map(str::to_owned))
    }

    /// Takes the node out of the slot.
    pub(super) fn take(&mut self) -> Option<Running> {
        self.running.take()
    }

    pub(super) fn ended(&mut self, state: NodeState) {
        self.state = state;
        self.turn += 1;
    }

    pub(super) fn config(&self) -> Arc<BrokerConfig> {
        Arc::clone(&self.config)
    }

    pub(super) fn turn(&self) -> u64 {
        self.turn
    }

    pub(super) fn remains(&self) -> Weak<()> {
        Weak::clone(&self.remains)
    }

    pub(super) fn pause(&mut self) -> Result<()> {
        self.set_gate(NodeState::Running, NodeState::Paused)
    }

    pub(super) fn resume(&mut self) -> Result<()> {
        self.set_gate(NodeState::Paused, NodeState::Running)
    }

    fn set_gate(&mut self, from: NodeState, to: NodeState) -> Result<()> {
        let Some(running) = self.running.as_ref().filter(|_| self.state == from) else {
            let id = self.config.node_id;
            return Err(Error::failed(format!(
                "node {id} is {}, not {}",
                self.state.name(),
                from.name()
            )));
        };
        running.node.gate.set_open(to == NodeState::Running);
        self.ended(to);
        Ok(())
    }

    /// The config to start the node with; an error if it is running.
    pub(super) fn config_to_start(&self, id: i32) -> Result<Arc<BrokerConfig>> {
        if self.running.is_some() {
            return Err(Error::failed(format!("node {id} is {}", self.state.name())));
        }
        Ok(Arc::clone(&self.config))
    }
}
