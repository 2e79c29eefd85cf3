//! Faults of the nodes of a simulated cluster: they die, with or without losing the ends of their logs, stop, pause,
//! are fenced, and return.

use std::sync::Arc;

use super::cluster::{Call, ClusterWorld, NODES, SimulatedNode, open};
use super::cluster_network::Message;
use super::{disk, may_lead};
use crate::broker::cluster::elections::Departure;
use crate::broker::host::assembly::rejoin;
use crate::broker::node::Arrival;
use crate::broker::node::replica::Replica;

impl ClusterWorld {
    pub(super) fn flush(&mut self, id: i32) {
        if let Some(node) = &self.nodes[&id].node {
            for replica in node.replicas.all() {
                replica.log().flush().unwrap();
            }
            node.replicas.write_checkpoints().unwrap();
        }
    }

    /// Requests under way on a node that ends get no answer.
    pub(super) fn end_work(&mut self, id: i32) {
        let work = std::mem::take(&mut self.nodes.get_mut(&id).unwrap().work);
        let calls: Vec<Call> = work.iter().filter_map(|(call, _)| *call).collect();
        drop(work);
        // Its own fetches under way end with it.
        self.network.retain(|message| match message {
            Message::Fetch { fetch, .. } => fetch.follower != id,
            Message::Answer { to, .. } => *to != id,
            Message::Question { .. } | Message::Reply { .. } | Message::Closed { .. } => true,
        });
        for call in calls {
            self.hear(call, None);
        }
    }

    pub(super) fn kill(&mut self, id: i32) {
        if self.torn.is_some() {
            return;
        }
        let Some(node) = self.nodes.get_mut(&id).unwrap().node.take() else {
            return;
        };
        self.tell(format!("{id} dies"));
        self.shared.peers.remove(id);
        node.replicas.compaction.stop();
        node.replicas.resign();
        self.end_work(id);
        let mut torn = Vec::new();
        if self.min_isr > 1 && self.random.below(2) == 0 {
            for (topic, index) in self.places() {
                let replica = node.replicas.partition(topic, index).unwrap();
                if self.may_lose_its_end(id, &replica) && self.random.below(2) == 0 {
                    let log = replica.log();
                    torn.push((
                        log.folder().to_owned(),
                        log.recovery_point(),
                        replica.name.clone(),
                    ));
                }
            }
        }
        drop(node);
        self.history.restarted(id);
        for (folder, synced, name) in torn {
            disk::tear(&folder, synced, &mut self.random);
            self.torn = Some(id);
            self.damaged.insert(id);
            self.tell(format!("its log of {name} is whole up to {synced} alone"));
        }
    }

    /// As in a world of one partition: another in-sync replica is alive, and keeps everything.
    pub(super) fn may_lose_its_end(&self, id: i32, replica: &Replica) -> bool {
        let partition = self.partition(&replica.topic, replica.index);
        let mut others = partition.isr.iter().filter(|other| **other != id);
        others.any(|other| self.nodes[other].node.is_some())
    }

    pub(super) fn look_for_torn(&mut self) {
        let Some(torn) = self.torn else { return };
        let matters = |(topic, index): (&str, i32)| may_lead(&self.partition(topic, index), torn);
        if !self.places().any(matters) {
            self.torn = None;
        }
    }

    /// Stops a node in order.
    pub(super) fn stop(&mut self, id: i32) {
        if self.torn.is_some() || self.awake(id).is_none() {
            return;
        }
        self.tell(format!("{id} stops"));
        self.cluster().fence(id, Departure::Silent).unwrap();
        self.shared.peers.remove(id);
        let node = self.nodes.get_mut(&id).unwrap().node.take().unwrap();
        self.end_work(id);
        node.replicas.close().unwrap();
        self.history.restarted(id);
    }

    pub(super) fn pause(&mut self, id: i32) {
        if let Some(node) = self.awake(id) {
            node.gate.set_open(false);
            self.shared.peers.paused(id);
            self.tell(format!("{id} falls asleep"));
        }
    }

    /// A node that is dead or paused is fenced.
    pub(super) fn miss(&mut self, id: i32) {
        if self.awake(id).is_none() {
            self.cluster().fence(id, Departure::Silent).unwrap();
            self.tell(format!("{id} is missed"));
        }
    }

    /// Starts a dead node, or resumes a paused one.
    pub(super) fn bring_back(&mut self, id: i32) {
        let simulated = self.nodes.get_mut(&id).unwrap();
        if let Some(node) = &simulated.node {
            if !node.gate.is_open() {
                node.gate.set_open(true);
                self.shared.cluster.unfence(id).unwrap();
                self.shared.peers.changed();
                self.tell(format!("{id} wakes up"));
            }
            return;
        }
        if simulated.remains.strong_count() > 0 {
            return;
        }
        let config = Arc::clone(&simulated.config);
        let listeners = simulated.listeners.clone();
        let (node, _) = rejoin(&config, listeners, &self.shared, Arrival::Again).unwrap();
        simulated.remains = node.replicas.remains();
        self.shared.peers.add(&node);
        simulated.node = Some(node);
        self.shared.cluster.unfence(id).unwrap();
        self.damaged.remove(&id);
        self.tell(format!("{id} starts"));
    }

    /// The process that runs the nodes dies, and starts anew. The system keeps what was written, so no departure is
    /// unclean.
    pub(super) fn restart_all(&mut self) {
        let is_held = |node: &SimulatedNode| node.node.is_none() && node.remains.strong_count() > 0;
        if self.torn.is_some() || !self.damaged.is_empty() || self.nodes.values().any(is_held) {
            return;
        }
        self.tell("all die, and start anew");
        for id in NODES {
            self.nodes.get_mut(&id).unwrap().node = None;
            self.end_work(id);
            self.history.restarted(id);
        }
        let network = std::mem::take(&mut self.network);
        for message in network {
            if let Message::Question { call, .. } | Message::Reply { call, .. } = message {
                self.hear(call, None);
            }
        }
        self.shared = open(&mut self.nodes);
    }
}
