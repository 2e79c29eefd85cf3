//! Three nodes with their coordinators, their common cluster image, and clients. Work that runs in tasks elsewhere is
//! done here step by step, in any order: requests, copying, duties of coordinators, deadlines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::task::Poll;

use tempfile::TempDir;

use super::cast::{self, Cast, Ledgers};
use super::clients::{Client, TOPIC};
use super::cluster_checks::{History, Place};
use super::cluster_clients::SimulatedClient;
use super::cluster_network::Message;
use super::served::{Work, listener};
use super::{World, folder, pass, set_day};
use crate::broker::clock::steady_ms;
use crate::broker::cluster::partition_image::PartitionImage;
use crate::broker::cluster::{Cluster, ImageObserver, records};
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::Configs;
use crate::broker::host::assembly::{Shared, assemble};
use crate::broker::node::fetch_signal::FetchSignal;
use crate::broker::node::{Node, open_cluster};
use crate::broker::server::connections::Listener;
use crate::reassignment::random::Random;

pub(super) const NODES: [i32; 3] = [1, 2, 3];
const STEPS: usize = 900;

/// A request of a client, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) client: usize,
    pub(super) number: usize,
}

/// One node, running or not.
pub(super) struct SimulatedNode {
    pub(super) config: Arc<BrokerConfig>,
    pub(super) listeners: Vec<Arc<Listener>>,
    /// `None` if it is dead.
    pub(super) node: Option<Arc<Node>>,
    /// Upgrades as long as anything of the node is left: its log dir is not free until then.
    pub(super) remains: Weak<()>,
    /// The requests and other work that it has begun, each with the client's call.
    pub(super) work: Vec<(Option<Call>, Work)>,
    pub(super) signal: Arc<FetchSignal>,
}

pub(super) struct ClusterWorld {
    pub(super) random: Random,
    _folder: TempDir,
    pub(super) cast: Cast,
    pub(super) ledgers: Ledgers,
    pub(super) min_isr: usize,
    pub(super) shared: Shared,
    pub(super) nodes: BTreeMap<i32, SimulatedNode>,
    pub(super) network: Vec<Message>,
    pub(super) clients: Vec<SimulatedClient>,
    /// A node whose logs have lost their ends, while it is in an ISR: no other may die meanwhile.
    pub(super) torn: Option<i32>,
    /// Nodes whose logs have lost their ends and that were not started since.
    pub(super) damaged: BTreeSet<i32>,
    pub(super) history: History,
    pub(super) story: Vec<String>,
}

/// Opens the log dirs of all nodes together.
pub(super) fn open(nodes: &mut BTreeMap<i32, SimulatedNode>) -> Shared {
    let parts: Vec<_> = nodes
        .values()
        .map(|node| (Arc::clone(&node.config), node.listeners.clone()))
        .collect();
    let opened = open_cluster(&parts, None).unwrap();
    let shared = Shared {
        cluster: opened.cluster,
        peers: Arc::default(),
        is_one: false,
        clients: Arc::default(),
        notices: Arc::new(|_| {}),
    };
    for (node, replicas) in nodes.values_mut().zip(opened.replicas) {
        node.remains = replicas.remains();
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
        Self::with(seed, Cast::Transactions)
    }

    fn run(&mut self) {
        // Handlers create timers, which are never driven: clients give up by themselves.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _within = runtime.enter();
        for step in 0..STEPS {
            self.step();
            self.check_step();
            self.check_owners();
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
        transactions.sum::<usize>() + self.ledgers.deeds()
    }
}

/// The same world with groups of both new protocols.
pub(super) struct GroupWorld(ClusterWorld);

impl World for GroupWorld {
    fn new(seed: u64) -> Self {
        Self(ClusterWorld::with(seed, Cast::Groups))
    }

    fn run(&mut self) {
        self.0.run();
    }

    fn story(&self) -> &[String] {
        self.0.story()
    }

    fn deeds(&mut self) -> usize {
        self.0.deeds()
    }
}

impl ClusterWorld {
    fn with(seed: u64, cast: Cast) -> Self {
        let mut random = Random::new(seed);
        let min_isr = 1 + random.below(2);
        let folder = folder();
        let settings = cast.settings(&mut random);
        let mut nodes: BTreeMap<i32, SimulatedNode> = BTreeMap::new();
        for id in NODES {
            let config = cast::config(folder.path(), id, min_isr, &settings);
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
        let ledgers = Ledgers::new(&settings);
        let clients = cast.clients(&mut random, &ledgers);
        let mut world = Self {
            random,
            _folder: folder,
            cast,
            ledgers,
            min_isr,
            shared,
            nodes,
            network: Vec::new(),
            clients: clients.into_iter().map(SimulatedClient::new).collect(),
            torn: None,
            damaged: BTreeSet::new(),
            history: History::default(),
            story: Vec::new(),
        };
        world.create_topics();
        world
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.shared.cluster
    }

    pub(super) fn clients(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.iter_mut().map(|client| &mut client.client)
    }

    /// A partition in the image.
    pub(super) fn partition(&self, topic: &str, index: i32) -> PartitionImage {
        self.cluster().image().partition(topic, index).unwrap().clone()
    }

    pub(super) fn tell(&mut self, line: impl Into<String>) {
        self.story.push(line.into());
    }

    pub(super) fn create_topics(&mut self) {
        let segment_bytes = [600, 1 << 20][self.random.below(2)];
        for topic in self.cast.topics() {
            let count = self.places().filter(|(name, _)| name == topic).count();
            let image = self.cluster().image();
            let assignments = (0..count).map(|index| {
                let mut replicas = NODES.to_vec();
                self.random.shuffle(&mut replicas);
                (i32::try_from(index).unwrap(), image.new_partition(&replicas))
            });
            let assignments: Vec<_> = assignments.collect();
            drop(image);
            let segment_bytes = if *topic == TOPIC { segment_bytes } else { 1 << 20 };
            let configs = Configs::from([("segment.bytes".to_owned(), segment_bytes.to_string())]);
            let records = records::topic(topic, cast::topic_id(topic), &assignments, &configs);
            self.cluster().change().commit(&records).unwrap();
        }
        let records = self.cast.group_configs(&self.ledgers, &mut self.random);
        self.cluster().change().commit(&records).unwrap();
    }

    /// The partitions that exist.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        self.cast.places().iter().copied()
    }

    /// A node that runs and is not paused.
    pub(super) fn awake(&self, id: i32) -> Option<&Arc<Node>> {
        let node = self.nodes.get(&id)?.node.as_ref();
        node.filter(|node| node.gate.is_open())
    }

    pub(super) fn some_node(&mut self) -> i32 {
        NODES[self.random.below(NODES.len())]
    }

    pub(super) fn step(&mut self) {
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

    /// A node continues a piece of its work.
    pub(super) fn go_on(&mut self, id: i32) {
        let node = self.nodes.get_mut(&id).unwrap();
        if node.work.is_empty() {
            return;
        }
        let place = self.random.below(node.work.len());
        if let Poll::Ready(answer) = node.work[place].1.go_on() {
            let (call, _) = node.work.swap_remove(place);
            if let Some(call) = call {
                self.network.push(Message::Reply { call, answer });
            }
        }
        self.watch_shares(id);
    }

    pub(super) fn do_duty(&mut self, id: i32) {
        let Some(node) = self.nodes[&id].node.clone() else {
            return;
        };
        if let Some(duty) = node.next_duty() {
            node.do_duty(&duty);
            self.tell(format!("{id} is done with {duty:?}"));
        }
    }

    pub(super) fn time_passes(&mut self, id: i32) {
        match self.random.below(12) {
            0 => set_day(60_000 - i64::try_from(self.random.below(120_000)).unwrap()),
            _ => pass(1 + i64::try_from(self.random.below(120)).unwrap()),
        }
        self.wake(id);
    }

    /// A node handles its deadlines.
    pub(super) fn wake(&mut self, id: i32) {
        let Some(node) = self.nodes[&id].node.clone() else {
            return;
        };
        node.transactions.deadlines_passed(steady_ms());
        node.groups.deadlines_passed(steady_ms());
        if self.cast == Cast::Groups {
            node.share.deadlines_passed(steady_ms());
        }
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
}
