//! Messages between the nodes of a simulated cluster, and between them and their clients: in no order, and some are
//! lost.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::cluster::{Call, ClusterWorld};
use super::served::{Question, Work};
use crate::broker::clock::steady_ms;
use crate::broker::node::replication::{FollowerAnswer, FollowerFetch};

/// A partition, by its topic's id.
pub(super) type Place = (Uuid, i32);

/// A message under way.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Fetch {
        leader: i32,
        place: Place,
        fetch: FollowerFetch,
    },
    Answer {
        to: i32,
        place: Place,
        fetch: FollowerFetch,
        answer: FollowerAnswer,
    },
    Question {
        call: Call,
        to: i32,
        question: Question,
    },
    Reply {
        call: Call,
        answer: Option<Bytes>,
    },
    /// The client has closed the connection of its request; the node accepts nothing more from it.
    Closed {
        to: i32,
        call: Call,
        connection: u64,
    },
}

impl ClusterWorld {
    /// A node fetches from the leaders that it follows.
    pub(super) fn ask_leaders(&mut self, id: i32) {
        let max_bytes = [1, 1 << 20][self.random.below(2)];
        let Some(node) = self.awake(id) else { return };
        let epoch = node.cluster.image().broker_epoch(id);
        let mut asked = Vec::new();
        for (topic, index) in self.places() {
            let Some(replica) = node.replicas.partition(topic, index) else {
                continue;
            };
            if let Some((leader, fetch)) = replica.next_fetch(epoch, max_bytes) {
                let place = (replica.topic_id, index);
                asked.push(Message::Fetch { leader, place, fetch });
            }
        }
        self.network.append(&mut asked);
    }

    /// Delivers any one message: there is no order.
    pub(super) fn deliver(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let message = self.network.swap_remove(self.random.below(self.network.len()));
        let is_of_followers = matches!(message, Message::Fetch { .. } | Message::Answer { .. });
        if is_of_followers && self.random.below(20) == 0 {
            self.network.push(message.clone());
        }
        self.arrive(message);
    }

    pub(super) fn arrive(&mut self, message: Message) {
        match message {
            Message::Fetch { leader, place, fetch } => {
                let signal = Arc::clone(&self.nodes[&fetch.follower].signal);
                let Some(node) = self.awake(leader) else { return };
                let Ok(answer) = node.replicas.answer_follower(place.0, place.1, &fetch, &signal) else {
                    return;
                };
                let to = fetch.follower;
                self.network.push(Message::Answer {
                    to,
                    place,
                    fetch,
                    answer,
                });
            }
            Message::Answer {
                to,
                place,
                fetch,
                answer,
            } => {
                let replica = self
                    .awake(to)
                    .and_then(|node| node.replicas.replica(place.0, place.1));
                let Some(replica) = replica else { return };
                let before = replica.log().log_end_offset();
                replica.take_answer(&fetch, answer, steady_ms()).unwrap();
                let after = replica.log().log_end_offset();
                if after < before {
                    self.tell(format!("{to} cuts {} from {before} to {after}", replica.name));
                }
            }
            Message::Question { call, to, question } => match self.awake(to).cloned() {
                Some(node) => {
                    let work = Work::answering(&node, question);
                    self.nodes.get_mut(&to).unwrap().work.push((Some(call), work));
                }
                // A paused node keeps its connections.
                None if self.nodes[&to].node.is_some() => {
                    self.network.push(Message::Question { call, to, question });
                }
                None => self.hear(call, None),
            },
            Message::Reply { call, answer } => self.hear(call, answer),
            Message::Closed { to, call, connection } => match self.awake(to).cloned() {
                Some(node) => {
                    self.drop_call(call);
                    node.share.connection_closed(connection, steady_ms());
                    self.watch_shares(to);
                }
                None if self.nodes[&to].node.is_some() => {
                    self.network.push(Message::Closed { to, call, connection });
                }
                None => {}
            },
        }
    }

    pub(super) fn lose_a_message(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let lost = self.random.below(self.network.len());
        match self.network.swap_remove(lost) {
            Message::Question { call, .. } | Message::Reply { call, .. } => self.hear(call, None),
            Message::Fetch { .. } | Message::Answer { .. } | Message::Closed { .. } => {}
        }
    }
}
