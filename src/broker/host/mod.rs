//! The process that runs the nodes of a cluster: opening them together, and stopping, killing, pausing and starting each of
//! them while the others go on.
//!
//! [`assembly`] makes a node out of its parts, [`node_tasks`] is what runs as long as it does, [`slot`] what is known of a
//! node whether it runs or not, [`control`] what may be asked from outside. Owns no data: nodes have their replicas, the cluster has the image.

mod assembly;
pub mod control;
mod node_tasks;
mod slot;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::cluster::elections::Departure;
use super::cluster::{Cluster, ImageObserver};
use super::config::BrokerConfig;
use super::faults::table::Faults;
use super::node::{Node, Opened, join, open_cluster, registration};
use super::notices::NoticeSink;
use super::server::connections::Connections;
use crate::error::{Error, Result};
use assembly::{Shared, Sockets, assemble, bind_all, listeners};
pub use slot::{NodeState, NodeStatus};
use slot::{Running, Slot};

/// How long a node that is killed or paused goes unnoticed, unless `broker.session.timeout.ms` says otherwise. Kafka waits
/// 9 s, which on one machine only delays what the user wants to see.
const SESSION: Duration = Duration::from_millis(500);
/// How often it is asked whether a disk has lost what it was given. Until then the logs refuse everything.
const DISK_INTERVAL: Duration = Duration::from_millis(200);
/// How long a node that was told to end may still be in use.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every node of the process.
pub struct Host {
    shared: Shared,
    session: Duration,
    /// What goes wrong on purpose, on every node.
    faults: Arc<Faults>,
    slots: Mutex<BTreeMap<i32, Slot>>,
}

impl Host {
    /// Binds every listener and opens the log dir of every node. Nothing is served yet.
    ///
    /// # Errors
    ///
    /// An address is taken, or a data directory cannot be used.
    pub fn open(configs: Vec<BrokerConfig>, notices: NoticeSink) -> Result<(Arc<Self>, Vec<Arc<Node>>)> {
        let mut bound = Vec::new();
        for config in configs {
            let sockets = bind_all(&config)?;
            bound.push((Arc::new(config), sockets));
        }
        let (cluster, replicas, words) = open_log_dirs(&bound)?;
        // The limits of the first node hold for all of them together.
        let first = bound.first().map(|(config, _)| config);
        let first = first.ok_or_else(|| Error::failed("a broker has at least one node"))?;
        let connections = Connections::new(first);
        let faults = Arc::clone(&first.rehearsal.faults);
        let session = session(first);
        let shared = Shared {
            cluster,
            peers: Arc::default(),
            is_one: bound.len() == 1,
            connections: Arc::new(connections),
            notices,
        };
        let mut slots = BTreeMap::new();
        let mut nodes = Vec::new();
        for ((config, sockets), replicas) in bound.into_iter().zip(replicas) {
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
        if let Some(node) = nodes.first() {
            for note in &words {
                node.notice(note);
            }
        }
        let host = Arc::new(Self {
            shared,
            session,
            faults,
            slots: Mutex::new(slots),
        });
        Ok((host, nodes))
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<i32, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many clients are connected to any node.
    pub(super) fn connections(&self) -> &Connections {
        &self.shared.connections
    }

    /// Begins to serve on every node that is bound; within a runtime.
    pub(super) fn serve_all(self: &Arc<Self>) {
        let ids: Vec<i32> = self.slots().keys().copied().collect();
        if !self.shared.is_one {
            tokio::spawn(rebalancing(Arc::clone(self)));
        }
        for slot in self.slots().values_mut() {
            slot.serve(&ids);
        }
    }

    /// Every node, by id.
    pub fn list(&self) -> Vec<NodeStatus> {
        let slots = self.slots();
        slots.iter().map(|(id, slot)| slot.status(*id)).collect()
    }

    /// Stops a node in order: its partitions get other leaders first.
    ///
    /// # Errors
    ///
    /// It does not run, or the disk refuses.
    pub async fn stop(&self, id: i32) -> Result<()> {
        let running = self.take(id, NodeState::Stopped)?;
        self.shared.cluster.fence(id, Departure::Silent)?;
        self.shared.peers.remove(id);
        running.stop().await?;
        self.wait_until_gone(id).await
    }

    /// Ends a node as a process ends that is killed: nothing is written any more, its connections break, and the others
    /// notice after a while.
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

    /// A node answers nothing and copies nothing from now on.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn pause(self: &Arc<Self>, id: i32) -> Result<()> {
        self.slot(id, Slot::pause)?;
        self.shared.peers.changed();
        self.fence_later(id);
        Ok(())
    }

    /// A paused node goes on.
    ///
    /// # Errors
    ///
    /// It is not paused, or the disk refuses.
    pub fn resume(&self, id: i32) -> Result<()> {
        self.slot(id, Slot::resume)?;
        self.shared.cluster.unfence(id)?;
        self.shared.peers.changed();
        Ok(())
    }

    /// Starts a node that was stopped or killed, on the ports that it had.
    ///
    /// # Errors
    ///
    /// It runs, a port is taken, or its log dir cannot be used.
    pub fn start(&self, id: i32) -> Result<()> {
        let config = self.slot(id, |slot| slot.config_to_start(id))?;
        let sockets = bind_all(&config)?;
        let node = self.rejoin(&config, &sockets)?;
        self.shared.peers.add(&node);
        let ids: Vec<i32> = self.slots().keys().copied().collect();
        let mut slots = self.slots();
        let turn = slots.get(&id).map_or(0, Slot::turn);
        let mut slot = Slot::bound(config, &node, sockets).after(turn);
        slot.serve(&ids);
        slots.insert(id, slot);
        drop(slots);
        self.shared.cluster.unfence(id)
    }

    /// Opens the log dir of a node again. It is in no ISR at first, whatever the cluster still believes.
    fn rejoin(&self, config: &Arc<BrokerConfig>, sockets: &Sockets) -> Result<Arc<Node>> {
        let cluster = &self.shared.cluster;
        let listeners = listeners(sockets);
        let id = config.node_id;
        let mut change = cluster.change();
        let joined = join(config, cluster)?;
        let node = assemble(
            Arc::clone(config),
            Arc::clone(&joined.replicas),
            listeners.clone(),
            self.shared.clone(),
        )?;
        for note in joined.notes {
            node.notice(note);
        }
        let broker = registration(config, joined.replicas.log_dir(), &listeners);
        change.register(broker);
        let weak = Arc::downgrade(&node);
        change.observe(weak as Weak<dyn ImageObserver>);
        drop(change);
        let departure = if joined.was_clean {
            Departure::Silent
        } else {
            Departure::Unclean
        };
        cluster.fence(id, departure)?;
        Ok(node)
    }

    /// Ends every node in order; within the runtime.
    pub(super) async fn stop_all(&self) -> Result<()> {
        let running: Vec<Running> = self.slots().values_mut().filter_map(Slot::take).collect();
        let mut outcome = Ok(());
        for running in running {
            outcome = outcome.and(running.stop().await);
        }
        outcome
    }

    /// Ends every node whose disk has lost what it was given, at once: what it has not written yet must not look as if
    /// it were kept. The others go on. Returns with the reason when the only node is lost.
    pub(super) async fn end_on_lost_disk(self: &Arc<Self>) -> Error {
        loop {
            tokio::time::sleep(DISK_INTERVAL).await;
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

    /// The log dir is free again once nothing of the node is left.
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

    /// Lets the cluster notice after a while that a node is out of reach.
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
type LogDirs = (
    Arc<Cluster>,
    Vec<Arc<super::node::replica_manager::ReplicaManager>>,
    Vec<String>,
);

/// The log dir of one node takes over what another Kafka left there; those of several nodes are the cluster's own.
fn open_log_dirs(bound: &[Bound]) -> Result<LogDirs> {
    if let [(config, sockets)] = bound {
        let opened = Opened::new(config, &listeners(sockets))?;
        return Ok((opened.cluster, vec![opened.replicas], opened.notes));
    }
    let nodes: Vec<_> = bound
        .iter()
        .map(|(config, sockets)| (Arc::clone(config), listeners(sockets)))
        .collect();
    let opened = open_cluster(&nodes)?;
    Ok((opened.cluster, opened.replicas, opened.notes))
}

/// Gives partitions their preferred leaders back, every `leader.imbalance.check.interval.seconds`. Never ends.
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
