//! The clients of a simulated cluster at work: which node they ask, how long they wait, and the answers.

use bytes::Bytes;

use super::cast;
use super::clients::{Client, TOPIC};
use super::cluster::{Call, ClusterWorld};
use super::cluster_network::Message;
use super::served::Target;

/// The request that a client waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    pub(super) call: Call,
    may_be_late: bool,
    pub(super) to: i32,
    /// Its connection; 0 for one without any state.
    pub(super) connection: u64,
}

/// A client, and its request under way.
pub(super) struct SimulatedClient {
    pub(super) client: Client,
    pub(super) waits_for: Option<Awaited>,
    pub(super) calls: usize,
    pub(super) is_done: bool,
}

impl SimulatedClient {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            waits_for: None,
            calls: 0,
            is_done: false,
        }
    }
}

impl ClusterWorld {
    /// A client sends its next request, or gives up on the one under way.
    pub(super) fn client_acts(&mut self, place: usize, is_closing: bool) {
        if let Some(awaited) = self.clients[place].waits_for {
            if self.random.below(6) == 0 {
                self.give_up(awaited.call, awaited.may_be_late);
            }
            return;
        }
        if let Client::Share(_) = self.clients[place].client {
            let leaders = cast::data_partitions().map(|index| self.partition(TOPIC, index).leader);
            let leaders = leaders.collect();
            if let Client::Share(member) = &mut self.clients[place].client {
                member.learn(leaders);
            }
        }
        let client = &mut self.clients[place];
        let Some(question) = client.client.ask(&mut self.random, is_closing) else {
            client.is_done = true;
            return;
        };
        client.is_done = false;
        client.calls += 1;
        let call = Call {
            client: place,
            number: client.calls,
        };
        let (may_be_late, connection) = (question.may_be_late, question.connection);
        let to = question
            .to
            .unwrap_or_else(|| self.whom(question.target, is_closing));
        self.clients[place].waits_for = Some(Awaited {
            call,
            may_be_late,
            to,
            connection,
        });
        self.network.push(Message::Question { call, to, question });
    }

    /// The node that a client asks: it may know only an old leader.
    pub(super) fn whom(&mut self, target: Target, is_closing: bool) -> i32 {
        let leader = self.partition(target.topic, target.index).leader;
        if leader < 0 || (!is_closing && self.random.below(10) == 0) {
            return self.some_node();
        }
        leader
    }

    /// The client closes its connection. If `may_be_late`, the request still arrives.
    pub(super) fn give_up(&mut self, call: Call, may_be_late: bool) {
        if !may_be_late || self.random.below(2) == 0 {
            self.drop_call(call);
        }
        self.hear(call, None);
    }

    /// Drops everything about a request.
    pub(super) fn drop_call(&mut self, call: Call) {
        self.network
            .retain(|message| !matches!(message, Message::Question { call: asked, .. } if *asked == call));
        for node in self.nodes.values_mut() {
            node.work.retain(|(answers, _)| *answers != Some(call));
        }
    }

    pub(super) fn hear(&mut self, call: Call, answer: Option<Bytes>) {
        let client = &mut self.clients[call.client];
        let Some(awaited) = client.waits_for.take_if(|awaited| awaited.call == call) else {
            return;
        };
        if answer.is_none() && awaited.connection != 0 {
            self.network.push(Message::Closed {
                to: awaited.to,
                call,
                connection: awaited.connection,
            });
        }
        let line = client.client.hear(answer);
        self.story.push(line);
    }
}
