//! Three nodes with their coordinators, a cluster image that is theirs together, and clients. What runs in tasks
//! elsewhere is done here step by step, in any order: the work on requests, copying, duties of coordinators, deadlines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use tempfile::TempDir;
use uuid::Uuid;

use super::clients::{Client, Committer, PARTITIONS, Sender, TOPIC};
use super::cluster_checks::History;
use super::served::{Question, Target, Work, listener};
use super::transactional_client::TransactionalClient;
use super::{World, disk, folder, pass, set_day};
use crate::broker::clock::steady_ms;
use crate::broker::cluster::elections::Departure;
use crate::broker::cluster::partition_image::PartitionImage;
use crate::broker::cluster::{Cluster, ImageObserver, records};
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::Configs;
use crate::broker::coordinator::transaction::events::Generation;
use crate::broker::host::assembly::{Shared, assemble, rejoin};
use crate::broker::internal_topics::{CONSUMER_OFFSETS, TRANSACTION_STATE};
use crate::broker::node::fetch_signal::FetchSignal;
use crate::broker::node::replica::Replica;
use crate::broker::node::replica_manager::ReplicaManager;
use crate::broker::node::replication::{FollowerAnswer, FollowerFetch};
use crate::broker::node::{Node, open_cluster};
use crate::broker::server::connections::Listener;
use crate::reassignment::random::Random;

pub(super) const NODES: [i32; 3] = [1, 2, 3];
const STEPS: usize = 900;
/// Rounds in which everything must be done once all is well.
const ROUNDS: usize = 300;

/// A partition, by its topic's id.
type Place = (Uuid, i32);

/// What is on its way.
#[derive(Clone, Debug)]
enum Message {
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
}

/// A request of a client, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    client: usize,
    number: usize,
}

/// One node, whether it runs or not.
pub(super) struct SimulatedNode {
    config: Arc<BrokerConfig>,
    listeners: Vec<Arc<Listener>>,
    /// `None`: it is dead.
    pub(super) node: Option<Arc<Node>>,
    /// Is gone when nothing of the node is left: then its log dir is free.
    remains: Weak<ReplicaManager>,
    /// What it has begun, with the request that it answers thereby.
    work: Vec<(Option<Call>, Work)>,
    signal: Arc<FetchSignal>,
}

/// A client, and what it waits for.
struct SimulatedClient {
    client: Client,
    waits_for: Option<(Call, bool)>,
    calls: usize,
    is_done: bool,
}

pub(super) struct ClusterWorld {
    random: Random,
    _folder: TempDir,
    min_isr: usize,
    shared: Shared,
    pub(super) nodes: BTreeMap<i32, SimulatedNode>,
    network: Vec<Message>,
    clients: Vec<SimulatedClient>,
    /// A node whose logs have lost their ends, as long as the cluster takes it for one in sync: no other may die meanwhile.
    torn: Option<i32>,
    /// Nodes whose logs have lost their ends and that have not been started since.
    damaged: BTreeSet<i32>,
    pub(super) history: History,
    story: Vec<String>,
}

/// The partitions that there are.
pub(super) fn partitions() -> Vec<(&'static str, i32)> {
    let mut all: Vec<_> = (0..PARTITIONS).map(|index| (TOPIC, index)).collect();
    all.extend([(CONSUMER_OFFSETS.name, 0), (TRANSACTION_STATE.name, 0)]);
    all
}

fn config(folder: PathBuf, id: i32, min_isr: usize) -> Arc<BrokerConfig> {
    let given = [
        ("node.id", id.to_string()),
        ("listeners", format!("PLAINTEXT://127.0.0.1:{}", 9092 + id)),
        ("offsets.topic.num.partitions", "1".to_owned()),
        ("transaction.state.log.num.partitions", "1".to_owned()),
        ("replica.lag.time.max.ms", "100".to_owned()),
        ("min.insync.replicas", min_isr.to_string()),
    ];
    let given = given.map(|(name, value)| (name.to_owned(), value));
    Arc::new(BrokerConfig::new(folder.join(id.to_string()), given).unwrap())
}

/// Opens the log dirs of all nodes together.
fn open(nodes: &mut BTreeMap<i32, SimulatedNode>) -> Shared {
    let parts: Vec<_> = nodes
        .values()
        .map(|node| (Arc::clone(&node.config), node.listeners.clone()))
        .collect();
    let opened = open_cluster(&parts).unwrap();
    let shared = Shared {
        cluster: opened.cluster,
        peers: Arc::default(),
        is_one: false,
        clients: Arc::default(),
        notices: Arc::new(|_| {}),
    };
    for (node, replicas) in nodes.values_mut().zip(opened.replicas) {
        node.remains = Arc::downgrade(&replicas);
        let config = Arc::clone(&node.config);
        let assembled = assemble(config, replicas, node.listeners.clone(), shared.clone()).unwrap();
        shared.peers.add(&assembled);
        let observer = Arc::downgrade(&assembled) as Weak<dyn ImageObserver>;
        shared.cluster.change().observe(observer);
        node.node = Some(assembled);
    }
    shared
}

impl World for ClusterWorld {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let min_isr = 1 + random.below(2);
        let folder = folder();
        let mut nodes: BTreeMap<i32, SimulatedNode> = BTreeMap::new();
        for id in NODES {
            let config = config(folder.path().to_owned(), id, min_isr);
            let node = SimulatedNode {
                listeners: vec![listener(&config)],
                config,
                node: None,
                remains: Weak::new(),
                work: Vec::new(),
                signal: Arc::default(),
            };
            nodes.insert(id, node);
        }
        let shared = open(&mut nodes);
        let generations = [Generation::First, Generation::Second];
        let clients = [
            Client::Sender(Sender::default()),
            Client::Committer(Committer::default()),
            Client::Transactional(TransactionalClient::new("tx0", generations[random.below(2)])),
            Client::Transactional(TransactionalClient::new("tx1", Generation::Second)),
        ];
        let mut world = Self {
            random,
            _folder: folder,
            min_isr,
            shared,
            nodes,
            network: Vec::new(),
            clients: clients.map(SimulatedClient::new).into(),
            torn: None,
            damaged: BTreeSet::new(),
            history: History::default(),
            story: Vec::new(),
        };
        world.create_topics();
        world
    }

    fn run(&mut self) {
        // Handlers make timers, which are never driven: a client gives up by itself.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _within = runtime.enter();
        for step in 0..STEPS {
            self.step();
            self.check_step();
            if step % 25 == 0 {
                self.check_views();
            }
        }
        self.heal();
        self.check_end();
    }

    fn story(&self) -> &[String] {
        &self.story
    }

    fn deeds(&mut self) -> usize {
        let transactions = self.clients().map(|client| match client {
            Client::Transactional(client) => client.committed(),
            _ => 0,
        });
        transactions.sum()
    }
}

impl SimulatedClient {
    fn new(client: Client) -> Self {
        Self {
            client,
            waits_for: None,
            calls: 0,
            is_done: false,
        }
    }
}

impl ClusterWorld {
    pub(super) fn cluster(&self) -> &Cluster {
        &self.shared.cluster
    }

    pub(super) fn clients(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.iter_mut().map(|client| &mut client.client)
    }

    /// A partition as the cluster has it.
    pub(super) fn partition(&self, topic: &str, index: i32) -> PartitionImage {
        self.cluster().image().partition(topic, index).unwrap().clone()
    }

    fn tell(&mut self, line: impl Into<String>) {
        self.story.push(line.into());
    }

    fn create_topics(&mut self) {
        let segment_bytes = [600, 1 << 20][self.random.below(2)];
        for (number, topic) in [TOPIC, CONSUMER_OFFSETS.name, TRANSACTION_STATE.name]
            .into_iter()
            .enumerate()
        {
            let count = partitions().iter().filter(|(name, _)| *name == topic).count();
            let image = self.cluster().image();
            let assignments = (0..count).map(|index| {
                let mut replicas = NODES.to_vec();
                self.random.shuffle(&mut replicas);
                (i32::try_from(index).unwrap(), image.new_partition(&replicas))
            });
            let assignments: Vec<_> = assignments.collect();
            drop(image);
            let segment_bytes = if topic == TOPIC { segment_bytes } else { 1 << 20 };
            let configs = Configs::from([("segment.bytes".to_owned(), segment_bytes.to_string())]);
            let id = Uuid::from_u128(number as u128 + 1);
            let records = records::topic(topic, id, &assignments, &configs);
            self.cluster().change().commit(&records).unwrap();
        }
    }

    /// A node that runs and is not paused.
    pub(super) fn awake(&self, id: i32) -> Option<&Arc<Node>> {
        let node = self.nodes.get(&id)?.node.as_ref();
        node.filter(|node| node.gate.is_open())
    }

    fn some_node(&mut self) -> i32 {
        NODES[self.random.below(NODES.len())]
    }

    fn step(&mut self) {
        let id = self.some_node();
        match self.random.below(400) {
            0..90 => {
                let client = self.random.below(self.clients.len());
                self.client_acts(client, false);
            }
            90..170 => {
                for _ in 0..=self.random.below(3) {
                    self.go_on(id);
                }
            }
            170..230 => self.ask_leaders(id),
            230..330 => {
                for _ in 0..=self.random.below(8) {
                    self.deliver();
                }
            }
            330..355 => self.do_duty(id),
            355..372 => self.time_passes(id),
            372..376 => self.lose_a_message(),
            376 => self.kill(id),
            377 => self.stop(id),
            378 => self.pause(id),
            379..383 => self.miss(id),
            383..397 => self.bring_back(id),
            397 => self.cluster().elect_preferred(),
            398 => self.flush(id),
            _ => {
                if self.random.below(4) == 0 {
                    self.restart_all();
                }
            }
        }
        self.look_for_torn();
    }

    /// A client asks, or has waited for long enough.
    fn client_acts(&mut self, place: usize, is_closing: bool) {
        let client = &mut self.clients[place];
        if let Some((call, may_be_late)) = client.waits_for {
            if self.random.below(6) == 0 {
                self.give_up(call, may_be_late);
            }
            return;
        }
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
        client.waits_for = Some((call, question.may_be_late));
        let to = self.whom(question.target, is_closing);
        self.network.push(Message::Question { call, to, question });
    }

    /// Whom a client asks: it may know an old leader only.
    fn whom(&mut self, target: Target, is_closing: bool) -> i32 {
        let leader = self.partition(target.topic, target.index).leader;
        if leader < 0 || (!is_closing && self.random.below(10) == 0) {
            return self.some_node();
        }
        leader
    }

    /// The client takes its connection for lost. What it asked is on its way all the same, if that does no harm.
    fn give_up(&mut self, call: Call, may_be_late: bool) {
        if !may_be_late || self.random.below(2) == 0 {
            self.network.retain(
                |message| !matches!(message, Message::Question { call: asked, .. } if *asked == call),
            );
            for node in self.nodes.values_mut() {
                node.work.retain(|(answers, _)| *answers != Some(call));
            }
        }
        self.hear(call, None);
    }

    fn hear(&mut self, call: Call, answer: Option<Bytes>) {
        let client = &mut self.clients[call.client];
        if client.waits_for.is_some_and(|(awaited, _)| awaited == call) {
            client.waits_for = None;
            let line = client.client.hear(answer);
            self.story.push(line);
        }
    }

    /// A node goes on with something that it has begun.
    fn go_on(&mut self, id: i32) {
        let node = self.nodes.get_mut(&id).unwrap();
        if node.work.is_empty() {
            return;
        }
        let place = self.random.below(node.work.len());
        if let Some(answer) = node.work[place].1.go_on() {
            let (call, _) = node.work.swap_remove(place);
            if let Some(call) = call {
                self.network.push(Message::Reply { call, answer });
            }
        }
    }

    /// A node asks for what it follows.
    fn ask_leaders(&mut self, id: i32) {
        let max_bytes = [1, 1 << 20][self.random.below(2)];
        let Some(node) = self.awake(id) else { return };
        let mut asked = Vec::new();
        for (topic, index) in partitions() {
            let Some(replica) = node.replicas.partition(topic, index) else {
                continue;
            };
            if let Some((leader, fetch)) = replica.next_fetch(max_bytes) {
                let place = (replica.topic_id, index);
                asked.push(Message::Fetch { leader, place, fetch });
            }
        }
        self.network.append(&mut asked);
    }

    /// Delivers any message: there is no order among them.
    fn deliver(&mut self) {
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

    fn arrive(&mut self, message: Message) {
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
                // A paused node has its connections still.
                None if self.nodes[&to].node.is_some() => {
                    self.network.push(Message::Question { call, to, question });
                }
                None => self.hear(call, None),
            },
            Message::Reply { call, answer } => self.hear(call, answer),
        }
    }

    fn lose_a_message(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let lost = self.random.below(self.network.len());
        match self.network.swap_remove(lost) {
            Message::Question { call, .. } | Message::Reply { call, .. } => self.hear(call, None),
            Message::Fetch { .. } | Message::Answer { .. } => {}
        }
    }

    fn do_duty(&mut self, id: i32) {
        let Some(node) = self.nodes[&id].node.clone() else {
            return;
        };
        if let Some(duty) = node.next_duty() {
            node.do_duty(&duty);
            self.tell(format!("{id} is done with {duty:?}"));
        }
    }

    fn time_passes(&mut self, id: i32) {
        match self.random.below(12) {
            0 => set_day(60_000 - i64::try_from(self.random.below(120_000)).unwrap()),
            _ => pass(1 + i64::try_from(self.random.below(120)).unwrap()),
        }
        self.wake(id);
    }

    /// What a node does when its time has come.
    fn wake(&mut self, id: i32) {
        let Some(node) = self.nodes[&id].node.clone() else {
            return;
        };
        node.transactions.deadlines_passed(steady_ms());
        node.groups.deadlines_passed(steady_ms());
        if node.gate.is_open() {
            node.replicas.shrink_isrs();
        }
        for decided in node.transactions.held_back.take() {
            let coordinator = Arc::clone(&node.transactions);
            let work = Work::new(async move {
                coordinator.send_held_back(decided, steady_ms).await;
                None
            });
            self.nodes.get_mut(&id).unwrap().work.push((None, work));
        }
    }

    fn flush(&mut self, id: i32) {
        if let Some(node) = &self.nodes[&id].node {
            for replica in node.replicas.all() {
                replica.log().flush().unwrap();
            }
            node.replicas.write_checkpoints().unwrap();
        }
    }

    /// What is under way on a node that ends gets no answer.
    fn end_work(&mut self, id: i32) {
        let work = std::mem::take(&mut self.nodes.get_mut(&id).unwrap().work);
        let calls: Vec<Call> = work.iter().filter_map(|(call, _)| *call).collect();
        drop(work);
        // What it asks is a call that ends with it.
        self.network.retain(|message| match message {
            Message::Fetch { fetch, .. } => fetch.follower != id,
            Message::Answer { to, .. } => *to != id,
            Message::Question { .. } | Message::Reply { .. } => true,
        });
        for call in calls {
            self.hear(call, None);
        }
    }

    fn kill(&mut self, id: i32) {
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
            for (topic, index) in partitions() {
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

    /// As in a world of one partition: another replica in sync is alive, and keeps everything.
    fn may_lose_its_end(&self, id: i32, replica: &Replica) -> bool {
        let partition = self.partition(&replica.topic, replica.index);
        let mut others = partition.isr.iter().filter(|other| **other != id);
        others.any(|other| self.nodes[other].node.is_some())
    }

    fn look_for_torn(&mut self) {
        let Some(torn) = self.torn else { return };
        let is_in_sync = |(topic, index): (&str, i32)| self.partition(topic, index).isr.contains(&torn);
        if !partitions().into_iter().any(is_in_sync) {
            self.torn = None;
        }
    }

    /// Ends a node in order.
    fn stop(&mut self, id: i32) {
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

    fn pause(&mut self, id: i32) {
        if let Some(node) = self.awake(id) {
            node.gate.set_open(false);
            self.shared.peers.paused(id);
            self.tell(format!("{id} falls asleep"));
        }
    }

    /// Whoever is dead or sleeps is missed at last.
    fn miss(&mut self, id: i32) {
        if self.awake(id).is_none() {
            self.cluster().fence(id, Departure::Silent).unwrap();
            self.tell(format!("{id} is missed"));
        }
    }

    /// A dead node starts, or one that sleeps wakes up.
    fn bring_back(&mut self, id: i32) {
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
        let (node, _) = rejoin(&config, simulated.listeners.clone(), &self.shared).unwrap();
        simulated.remains = Arc::downgrade(&node.replicas);
        self.shared.peers.add(&node);
        simulated.node = Some(node);
        self.shared.cluster.unfence(id).unwrap();
        self.damaged.remove(&id);
        self.tell(format!("{id} starts"));
    }

    /// The process that runs the nodes dies, and starts anew. The system has kept what it has written, so that no node
    /// counts as one that may lack something.
    fn restart_all(&mut self) {
        if self.torn.is_some() || !self.damaged.is_empty() {
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

    /// Everything is well from now on, and clients begin nothing more: all of it must come to its end.
    fn heal(&mut self) {
        self.tell("all is well");
        for client in &mut self.clients {
            if let Client::Committer(committer) = &mut client.client {
                committer.look_again();
            }
        }
        let mut rounds = 0;
        while !self.is_quiet() {
            rounds += 1;
            assert!(rounds < ROUNDS, "not done: {}", self.unfinished());
            self.round();
        }
        for _ in 0..5 {
            self.round();
        }
    }

    fn round(&mut self) {
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

    fn is_quiet(&self) -> bool {
        let is_done = |client: &SimulatedClient| client.is_done && client.waits_for.is_none();
        self.clients.iter().all(is_done)
            && self.nodes.values().all(|node| node.work.is_empty())
            && partitions()
                .into_iter()
                .all(|(topic, index)| self.partition(topic, index).isr.len() == NODES.len())
    }

    /// What keeps the world from its end.
    fn unfinished(&self) -> String {
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
        let partitions: Vec<_> = partitions()
            .into_iter()
            .map(|(topic, index)| (topic, index, self.partition(topic, index)))
            .collect();
        format!("clients {clients:?}\nwork {work:?}\npartitions {partitions:?}")
    }
}
