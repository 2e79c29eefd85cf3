//! The process that runs the nodes of a cluster: opening them together, and stopping, killing, pausing and starting
//! each of them while the others run.
//!
//! [`assembly`] makes a node from its parts, [`node_tasks`] are the tasks of a running node, [`slot`] is the state of
//! a node whether it runs or not, [`control`] is the protocol of the control socket, [`members`] has the nodes of
//! other processes. Owns no data: nodes have their replicas, the cluster has the image.

pub(in crate::broker) mod assembly;
pub mod control;
pub mod members;
mod node_tasks;
mod open_listeners;
mod slot;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::cluster::elections::Departure;
use super::cluster::{Cluster, ImageObserver, metadata_place};
use super::config::BrokerConfig;
use super::node::log_dirs::LogDirs;
use super::node::replica_manager::ReplicaManager;
use super::node::{Arrival, Node, Opened, open_cluster};
use super::notices::NoticeSink;
use super::rehearsal::Rehearsal;
use super::server::connections::Clients;
use super::timers::nap;
use crate::error::{Error, Result};
use crate::lock_file::LockFile;
use assembly::{Shared, Sockets, assemble, bind_all, listeners, rejoin};
use members::Members;
pub use slot::{NodeState, NodeStatus};
use slot::{Running, Slot};

/// How long a killed or paused node stays unnoticed, unless `broker.session.timeout.ms` is set. Kafka's default of 9
/// s would only make users of a local cluster wait.
const SESSION: Duration = Duration::from_millis(500);
/// How often disks are checked for lost data. Until then the logs refuse everything.
const DISK_INTERVAL: Duration = Duration::from_secs(1);
/// How long a node that was ended may still be in use.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every node of the process.
pub struct Host {
    shared: Shared,
    session: Duration,
    /// How every node behaves so that clients can be tested with it.
    rehearsal: Rehearsal,
    slots: Mutex<BTreeMap<i32, Slot>>,
    /// The nodes that this process was started with.
    own: Vec<i32>,
    members: Members,
    metadata: Metadata,
}

/// The metadata file, and the lock that keeps other processes from using it.
struct Metadata {
    path: PathBuf,
    /// `None` as long as this process has the only nodes.
    lock: Mutex<Option<LockFile>>,
    /// The log dirs of controllers that are no brokers, kept locked.
    _held: Vec<LogDirs>,
}

/// Whether other nodes can join a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// All nodes are there from the start.
    Fixed,
    /// Other processes can bring nodes.
    Open,
}

impl Host {
    /// Binds every listener and opens the log dirs of every node. Nothing is served yet.
    ///
    /// # Errors
    ///
    /// An address is taken, or a data directory cannot be used.
    pub fn open(
        configs: Vec<BrokerConfig>,
        growth: Growth,
        notices: NoticeSink,
    ) -> Result<(Arc<Self>, Vec<Arc<Node>>)> {
        let mut bound = Vec::new();
        for config in configs {
            let sockets = bind_all(&config, &notices)?;
            bound.push((Arc::new(config), sockets));
        }
        let first = bound.first().map(|(config, _)| Arc::clone(config));
        let first = first.ok_or_else(|| Error::failed("a broker has at least one node"))?;
        let opened = open_log_dirs(&bound, growth)?;
        let shared = Shared {
            cluster: opened.cluster,
            peers: Arc::default(),
            is_one: bound.len() == 1 && growth == Growth::Fixed,
            clients: Arc::default(),
            notices,
        };
        let mut slots = BTreeMap::new();
        let mut nodes = Vec::new();
        let brokers = bound.into_iter().filter(|(config, _)| config.is_broker());
        for ((config, sockets), replicas) in brokers.zip(opened.replicas) {
            let listeners = listeners(&sockets);
            let config = Arc::new(config.with_ports(&bound_ports(&sockets)));
            let node = assemble(Arc::clone(&config), replicas, listeners, shared.clone())?;
            shared.peers.add(&node);
            if !shared.is_one {
                observe(&shared.cluster, &node);
            }
            slots.insert(node.id, Slot::bound(config, &node, sockets));
            nodes.push(node);
        }
        for note in &opened.notes {
            (shared.notices)(note);
        }
        let host = Arc::new(Self {
            shared,
            session: session(&first),
            rehearsal: first.rehearsal.clone(),
            own: slots.keys().copied().collect(),
            slots: Mutex::new(slots),
            members: Members::default(),
            metadata: opened.metadata,
        });
        Ok((host, nodes))
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<i32, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connections to all nodes.
    pub(super) fn clients(&self) -> &Clients {
        &self.shared.clients
    }

    /// Begins to serve on every bound node. To be called within a runtime.
    pub(super) fn serve_all(self: &Arc<Self>) {
        if !self.shared.is_one {
            tokio::spawn(rebalancing(Arc::clone(self)));
        }
        for slot in self.slots().values_mut() {
            slot.serve(self.shared.is_one);
        }
    }

    /// The state of every node, by id.
    pub fn list(&self) -> Vec<NodeStatus> {
        let slots = self.slots();
        slots.iter().map(|(id, slot)| slot.status(*id)).collect()
    }

    /// Stops a node in order: its partitions get other leaders first.
    ///
    /// # Errors
    ///
    /// It does not run, or the disk fails.
    pub async fn stop(&self, id: i32) -> Result<()> {
        let running = self.take(id, NodeState::Stopped)?;
        self.shared.cluster.fence(id, Departure::Silent)?;
        self.shared.peers.remove(id);
        running.stop().await?;
        self.wait_until_gone(id).await
    }

    /// Ends a node like a killed process: nothing more is written, its connections break, and the others notice after
    /// a while.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub async fn kill(self: &Arc<Self>, id: i32) -> Result<()> {
        let running = self.take(id, NodeState::Killed)?;
        self.shared.peers.remove(id);
        running.kill().await;
        self.fence_later(id);
        self.wait_until_gone(id).await
    }

    /// Pauses a node: it answers nothing and copies nothing.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn pause(self: &Arc<Self>, id: i32) -> Result<()> {
        self.slot(id, Slot::pause)?;
        self.shared.peers.paused(id);
        self.fence_later(id);
        Ok(())
    }

    /// Resumes a paused node.
    ///
    /// # Errors
    ///
    /// It is not paused, or the disk fails.
    pub fn resume(&self, id: i32) -> Result<()> {
        self.slot(id, Slot::resume)?;
        self.shared.cluster.unfence(id)?;
        self.shared.peers.changed();
        Ok(())
    }

    /// Starts a node that was stopped or killed, on its former ports.
    ///
    /// # Errors
    ///
    /// It runs, a port is taken, or its log dir cannot be used.
    pub fn start(&self, id: i32) -> Result<()> {
        let config = self.slot(id, |slot| slot.config_to_start(id))?;
        self.run(&config, Arrival::Again).map(|_| ())
    }

    /// Runs a node that is not running.
    fn run(&self, config: &Arc<BrokerConfig>, arrival: Arrival) -> Result<Arc<Node>> {
        let sockets = bind_all(config, &self.shared.notices)?;
        let config = Arc::new(config.with_ports(&bound_ports(&sockets)));
        let (node, notes) = rejoin(&config, listeners(&sockets), &self.shared, arrival)?;
        for note in notes {
            node.notice(note);
        }
        self.shared.peers.add(&node);
        let mut slots = self.slots();
        let mut slot = Slot::bound(config, &node, sockets);
        if let Some(before) = slots.get(&node.id) {
            slot = slot.after(before.turn());
        }
        slot.serve(self.shared.is_one);
        slots.insert(node.id, slot);
        drop(slots);
        self.shared.cluster.unfence(node.id)?;
        Ok(node)
    }

    /// Stops the nodes that this process was started with, while nodes of others run on.
    pub(super) async fn stop_own(&self) -> Result<()> {
        for id in &self.own {
            let runs = self.slot(*id, |slot| Ok(slot.is_running()))?;
            if runs && !self.members.brought(*id) {
                self.stop(*id).await?;
            }
        }
        Ok(())
    }

    /// Whether other processes have nodes here.
    pub(super) fn has_members(&self) -> bool {
        self.members.any()
    }

    /// Returns when no other process has a node here.
    pub(super) async fn members_have_left(&self) {
        self.members.none().await;
    }

    pub(super) fn cluster_id(&self) -> &str {
        self.shared.cluster.id()
    }

    /// Stops every node in order. To be called within the runtime.
    pub(super) async fn stop_all(&self) -> Result<()> {
        let running: Vec<Running> = self.slots().values_mut().filter_map(Slot::take).collect();
        let mut outcome = Ok(());
        for running in running {
            outcome = outcome.and(running.stop().await);
        }
        outcome
    }

    /// Kills every node whose disk has lost data, at once: what it has not written must not look as if it were kept.
    /// The others run on. Returns the reason when the only node is lost.
    pub(super) async fn end_on_lost_disk(self: &Arc<Self>) -> Error {
        loop {
            nap(DISK_INTERVAL).await;
            let lost: Vec<(i32, String)> = self
                .slots()
                .iter()
                .filter_map(|(id, slot)| Some((*id, slot.disk_failure()?)))
                .collect();
            for (id, why) in lost {
                if self.shared.is_one {
                    return Error::failed(format!("{why}; the broker stores nothing any more"))
                        .hint("start it again once the disk is sound");
                }
                (self.shared.notices)(&format!("node {id} ends: {why}"));
                if let Err(error) = self.kill(id).await {
                    (self.shared.notices)(&error.to_string());
                }
            }
        }
    }

    fn slot<R>(&self, id: i32, act: impl FnOnce(&mut Slot) -> Result<R>) -> Result<R> {
        let mut slots = self.slots();
        let slot = slots.get_mut(&id);
        act(slot.ok_or_else(|| Error::not_found(format!("there is no node {id}")))?)
    }

    fn take(&self, id: i32, state: NodeState) -> Result<Running> {
        self.slot(id, |slot| {
            let running = slot.take();
            let running = running.ok_or_else(|| Error::failed(format!("node {id} does not run")))?;
            slot.ended(state);
            Ok(running)
        })
    }

    /// The log dirs are free once nothing of the node is left.
    async fn wait_until_gone(&self, id: i32) -> Result<()> {
        let remains = self.slot(id, |slot| Ok(slot.remains()))?;
        let started = tokio::time::Instant::now();
        while remains.strong_count() > 0 {
            if started.elapsed() > PATIENCE {
                return Err(Error::failed(format!(
                    "node {id} has ended, and still uses its log dir"
                )));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Fences a node that is out of reach, once its session has timed out.
    fn fence_later(self: &Arc<Self>, id: i32) {
        let turn = self.slot(id, |slot| Ok(slot.turn())).unwrap_or_default();
        let host = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(host.session).await;
            let is_still_away = host.slot(id, |slot| Ok(slot.turn() == turn)).unwrap_or(false);
            if is_still_away && let Err(error) = host.shared.cluster.fence(id, Departure::Silent) {
                (host.shared.notices)(&format!("cannot note that node {id} is away: {error}"));
            }
        });
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

type Bound = (Arc<BrokerConfig>, Sockets);

/// A cluster whose log dirs are open.
struct OpenedLogDirs {
    cluster: Arc<Cluster>,
    replicas: Vec<Arc<ReplicaManager>>,
    metadata: Metadata,
    notes: Vec<String>,
}

/// Opens log dirs. That of a single node adopts what Apache Kafka left there; those of several nodes belong to their
/// cluster.
fn open_log_dirs(bound: &[Bound], growth: Growth) -> Result<OpenedLogDirs> {
    let place = match bound {
        [(config, _), ..] if growth == Growth::Open || bound.len() == 1 => {
            metadata_place::read(&config.data_dir)?
        }
        _ => None,
    };
    let lock = place.as_deref().map(metadata_place::lock).transpose()?;
    let metadata = |path, held| Metadata {
        path,
        lock: Mutex::new(lock),
        _held: held,
    };
    if let [(config, sockets)] = bound
        && place.is_none()
        && config.is_broker()
    {
        let opened = Opened::new(config, &listeners(sockets))?;
        return Ok(OpenedLogDirs {
            cluster: opened.cluster,
            replicas: vec![opened.replicas],
            metadata: metadata(opened.metadata, Vec::new()),
            notes: opened.notes,
        });
    }
    let nodes: Vec<_> = bound
        .iter()
        .map(|(config, sockets)| (Arc::clone(config), listeners(sockets)))
        .collect();
    let opened = open_cluster(&nodes, place)?;
    Ok(OpenedLogDirs {
        cluster: opened.cluster,
        replicas: opened.replicas,
        metadata: metadata(opened.metadata, opened.held),
        notes: opened.notes,
    })
}

/// Elects preferred leaders every `leader.imbalance.check.interval.seconds`. Never returns.
async fn rebalancing(host: Arc<Host>) {
    let config = host.slots().values().next().map(Slot::config);
    let Some(config) = config.filter(|config| config.flag("auto.leader.rebalance.enable")) else {
        return;
    };
    let seconds = config.number("leader.imbalance.check.interval.seconds").max(1);
    loop {
        tokio::time::sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(300))).await;
        host.shared.cluster.elect_preferred();
    }
}

fn observe(cluster: &Cluster, node: &Arc<Node>) {
    let weak = Arc::downgrade(node);
    cluster.change().observe(weak as Weak<dyn ImageObserver>);
}

fn bound_ports(sockets: &Sockets) -> Vec<u16> {
    sockets
        .iter()
        .map(|(_, listener)| listener.bound.port())
        .collect()
}

fn session(config: &BrokerConfig) -> Duration {
    let given = config.given("broker.session.timeout.ms");
    let given = given.and_then(|given| given.trim().parse().ok());
    given.map_or(SESSION, Duration::from_millis)
}
