//! The end of a simulation: from here on there are no faults, and everything that was begun must finish.

use super::clients::Client;
use super::cluster::{ClusterWorld, NODES};
use super::cluster_checks::Place;
use super::cluster_clients::SimulatedClient;
use super::pass;

/// The rounds within which everything must finish.
const ROUNDS: usize = 300;

impl ClusterWorld {
    /// Ends all faults; clients begin nothing new, and everything must finish.
    pub(super) fn heal(&mut self) {
        self.tell("all is well");
        for client in &mut self.clients {
            if let Client::Committer(committer) = &mut client.client {
                committer.look_again();
            }
        }
        self.end_long_waits();
        self.become_quiet();
        // Deadlines are handled now, and their records have to be replicated as well.
        for _ in 0..5 {
            self.round();
        }
        self.become_quiet();
    }

    /// A fetch that waits for records would wait forever: no client writes any more.
    fn end_long_waits(&mut self) {
        for place in 0..self.clients.len() {
            let client = &self.clients[place];
            if let (Client::Share(_), Some(awaited)) = (&client.client, client.waits_for) {
                self.give_up(awaited.call, false);
            }
        }
    }

    fn become_quiet(&mut self) {
        let mut rounds = 0;
        while !self.is_quiet() {
            rounds += 1;
            assert!(rounds < ROUNDS, "not done: {}", self.unfinished());
            self.round();
        }
    }

    pub(super) fn round(&mut self) {
        pass(20);
        for id in NODES {
            self.bring_back(id);
            while let Some(duty) = self.awake(id).and_then(|node| node.next_duty()) {
                self.awake(id).unwrap().do_duty(&duty);
            }
            self.wake(id);
            self.ask_leaders(id);
        }
        for place in 0..self.clients.len() {
            if self.clients[place].waits_for.is_none() {
                self.client_acts(place, true);
            }
        }
        while let Some(message) = self.network.pop() {
            self.arrive(message);
        }
        for id in NODES {
            for _ in 0..self.nodes[&id].work.len() {
                self.go_on(id);
            }
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        let is_done = |client: &SimulatedClient| client.is_done && client.waits_for.is_none();
        self.clients.iter().all(is_done)
            && self.nodes.values().all(|node| node.work.is_empty())
            && self.places().all(|place| self.is_replicated(place))
            && self.groups_are_settled()
    }

    /// Whether all replicas are in sync, and know that all is committed.
    fn is_replicated(&self, place: Place) -> bool {
        let Some(leader) = self.leader(place) else {
            return false;
        };
        let end = leader.log().log_end_offset();
        self.partition(place.0, place.1).isr.len() == NODES.len()
            && NODES.into_iter().all(|id| {
                let replica = self.replica(id, place);
                replica.is_some_and(|replica| replica.high_watermark() == end)
            })
    }

    /// What has not finished yet.
    pub(super) fn unfinished(&self) -> String {
        let clients: Vec<_> = self
            .clients
            .iter()
            .map(|client| (client.waits_for, client.is_done))
            .collect();
        let work: Vec<_> = self
            .nodes
            .iter()
            .map(|(id, node)| (id, node.work.len()))
            .collect();
        let partitions: Vec<_> = self
            .places()
            .map(|(topic, index)| (topic, index, self.partition(topic, index)))
            .collect();
        let groups = self.unsettled_groups();
        format!("clients {clients:?}\nwork {work:?}\npartitions {partitions:?}\ngroups {groups:?}")
    }
}
