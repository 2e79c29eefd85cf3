//! Three replicas of a partition and their controller, on real logs: nodes die with or without losing the end of
//! their logs, pause and return, messages are late, duplicated or lost, and metadata arrive at any time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::BytesMut;
use uuid::Uuid;

use super::{World, disk, folder, may_lead, pass, set_day};
use crate::broker::clock::{now_ms, steady_ms};
use crate::broker::cluster::elections::{AlterPartition, Departure, Elections};
use crate::broker::cluster::image::{BrokerImage, ClusterImage};
use crate::broker::cluster::partition_change::Election;
use crate::broker::cluster::partition_image::PartitionImage;
use crate::broker::cluster::records;
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::{BrokerValues, Configs};
use crate::broker::config::topic_settings::TopicSettings;
use crate::broker::node::fetch_signal::FetchSignal;
use crate::broker::node::held_batches::HeldBatch;
use crate::broker::node::replica::{Replica, ReplicaName, Role};
use crate::broker::node::replication::{FollowerAnswer, FollowerFetch};
use crate::reassignment::random::Random;
use crate::records::BatchBuilder;
use crate::records::batch_builder::BatchOptions;
use crate::storage::{LogConfig, Origin, PartitionLog, Recovery};

const TOPIC: Uuid = Uuid::from_u128(7);
pub(super) const NODES: [i32; 3] = [1, 2, 3];
const MAX_LAG_MS: i64 = 100;
const STEPS: usize = 250;

/// A message under way.
#[derive(Clone, Debug)]
enum Message {
    Fetch {
        leader: i32,
        fetch: FollowerFetch,
    },
    Answer {
        to: i32,
        fetch: FollowerFetch,
        answer: FollowerAnswer,
    },
    Isr(AlterPartition),
}

#[derive(Debug)]
pub(super) struct SimulatedNode {
    folder: PathBuf,
    /// `None` if the node is dead.
    pub(super) replica: Option<Replica>,
    is_asleep: bool,
    signal: Arc<FetchSignal>,
}

/// A record whose producer waits, or has its answer.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    leader: i32,
    epoch: i32,
    pub(super) offset: i64,
    pub(super) value: String,
    /// The request, from which followers copy the batch while the producer waits.
    _request: Option<Arc<BytesMut>>,
}

pub(super) struct PartitionWorld {
    random: Random,
    _folder: tempfile::TempDir,
    min_isr: usize,
    segment_bytes: u64,
    settings: Arc<TopicSettings>,
    image: ClusterImage,
    pub(super) nodes: BTreeMap<i32, SimulatedNode>,
    network: Vec<Message>,
    waiting: Vec<Sent>,
    pub(super) acknowledged: Vec<Sent>,
    /// A node whose log has lost its end, while it is in the ISR: no other may die meanwhile.
    torn: Option<i32>,
    pub(super) history: super::partition_checks::History,
    sent: usize,
    story: Vec<String>,
}

fn settings(min_isr: usize) -> Arc<TopicSettings> {
    let config = BrokerConfig::new(PathBuf::from("/nowhere"), []).unwrap();
    let topic = Configs::from([("min.insync.replicas".to_owned(), min_isr.to_string())]);
    let values = BrokerValues {
        config: &config,
        node: None,
        cluster: None,
    };
    Arc::new(TopicSettings::resolve(values, &topic))
}

impl World for PartitionWorld {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let min_isr = 1 + random.below(2);
        let segment_bytes = [400, 1 << 20][random.below(2)];
        let folder = folder();
        let mut image = ClusterImage::default();
        for id in NODES {
            image.register(BrokerImage::new(id, None, Uuid::nil()));
        }
        let partitions = [(0, image.new_partition(&NODES))];
        let configs = Configs::from([("min.insync.replicas".to_owned(), min_isr.to_string())]);
        image.apply_all(&records::topic("t", TOPIC, &partitions, &configs));
        let nodes = NODES.map(|id| {
            let node = SimulatedNode {
                folder: folder.path().join(id.to_string()),
                replica: None,
                is_asleep: false,
                signal: Arc::default(),
            };
            (id, node)
        });
        let mut world = Self {
            random,
            _folder: folder,
            min_isr,
            segment_bytes,
            settings: settings(min_isr),
            image,
            nodes: nodes.into(),
            network: Vec::new(),
            waiting: Vec::new(),
            acknowledged: Vec::new(),
            torn: None,
            history: super::partition_checks::History::default(),
            sent: 0,
            story: Vec::new(),
        };
        for id in NODES {
            world.open(id, 0);
            world.learn(id);
        }
        world
    }

    fn run(&mut self) {
        for step in 0..STEPS {
            self.step();
            if step % 10 == 0 {
                self.check_logs();
            }
        }
        self.heal();
    }

    fn story(&self) -> &[String] {
        &self.story
    }

    fn deeds(&mut self) -> usize {
        self.acknowledged.len()
    }
}

impl PartitionWorld {
    /// The partition in the image.
    pub(super) fn partition(&self) -> &PartitionImage {
        self.image.partition("t", 0).unwrap()
    }

    fn tell(&mut self, line: String) {
        self.story.push(line);
    }

    fn open(&mut self, id: i32, high_watermark: i64) {
        let node = self.nodes.get_mut(&id).unwrap();
        let config = LogConfig {
            segment_bytes: self.segment_bytes,
            ..LogConfig::default()
        };
        let log = PartitionLog::open(&node.folder, config, Recovery::default(), now_ms()).unwrap();
        let name = ReplicaName {
            topic: "t".to_owned(),
            topic_id: TOPIC,
            index: 0,
            node: id,
        };
        let settings = Arc::clone(&self.settings);
        node.replica = Some(Replica::new(
            &name,
            log,
            high_watermark,
            settings,
            MAX_LAG_MS,
            steady_ms,
        ));
    }

    /// The node gets the current image.
    fn learn(&mut self, id: i32) {
        let partition = self.image.partition("t", 0).unwrap().clone();
        if let Some(replica) = self.awake(id) {
            replica.follow_image(&partition).unwrap();
        }
    }

    pub(super) fn awake(&self, id: i32) -> Option<&Replica> {
        let node = &self.nodes[&id];
        node.replica.as_ref().filter(|_| !node.is_asleep)
    }

    pub(super) fn leads(replica: &Replica) -> Option<i32> {
        match replica.role() {
            Role::Leader { epoch } => Some(epoch),
            Role::Follower { .. } => None,
        }
    }

    fn produce(&mut self) {
        let leaders: Vec<i32> = NODES
            .into_iter()
            .filter(|id| {
                self.awake(*id)
                    .is_some_and(|replica| Self::leads(replica).is_some())
            })
            .collect();
        // A client may know only an old leader.
        let Some(id) = leaders.get(self.random.below(leaders.len())).copied() else {
            return;
        };
        self.sent += 1;
        let value = format!("record {}", self.sent);
        let mut builder = BatchBuilder::new(BatchOptions::default());
        builder.append(now_ms(), None, Some(value.as_bytes()), &[]);
        let mut batch = builder.finish_uncompressed();
        let replica = self.awake(id).unwrap();
        let Some(epoch) = Self::leads(replica).filter(|_| replica.has_enough_in_sync()) else {
            return;
        };
        let appended = replica.append(&mut batch, Origin::CLIENT, now_ms()).unwrap();
        self.tell(format!(
            "{value} at {} of {id}, epoch {epoch}",
            appended.base_offset
        ));
        let request = self.sent.is_multiple_of(2).then(|| {
            let held = HeldBatch {
                offsets: appended.base_offset..appended.last_offset + 1,
                epoch,
                place: 0..batch.len(),
            };
            let request = Arc::new(BytesMut::from(&batch[..]));
            self.awake(id).unwrap().hold(held, &request);
            request
        });
        self.waiting.push(Sent {
            leader: id,
            epoch,
            offset: appended.base_offset,
            value,
            _request: request,
        });
    }

    /// Answers producers whose records are committed; drops those whose leader has changed.
    fn answer_producers(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|sent| {
            let Some(replica) = self.awake(sent.leader) else {
                return self.nodes[&sent.leader].replica.is_some();
            };
            if Self::leads(replica) != Some(sent.epoch) {
                return false;
            }
            let is_committed = replica.high_watermark() > sent.offset;
            if is_committed {
                self.acknowledged.push(sent.clone());
            }
            !is_committed
        });
        self.waiting = waiting;
    }

    fn ask(&mut self, id: i32) {
        let epoch = self.image.broker_epoch(id);
        let question = self
            .awake(id)
            .and_then(|replica| replica.next_fetch(epoch, 1 << 20));
        if let Some((leader, fetch)) = question {
            self.network.push(Message::Fetch { leader, fetch });
        }
    }

    /// Delivers any one message: there is no order.
    fn deliver(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let message = self.network.swap_remove(self.random.below(self.network.len()));
        if self.random.below(20) == 0 {
            self.network.push(message.clone());
        }
        self.arrive(message);
    }

    fn arrive(&mut self, message: Message) {
        match message {
            Message::Fetch { leader, fetch } => {
                let signal = Arc::clone(&self.nodes[&fetch.follower].signal);
                let Some(replica) = self.awake(leader) else { return };
                let Ok(answer) = replica.answer_follower(&fetch, &signal) else {
                    return;
                };
                let wanted = replica.wider_isr(&fetch);
                let to = fetch.follower;
                self.network.push(Message::Answer { to, fetch, answer });
                self.network.extend(wanted.map(Message::Isr));
            }
            Message::Answer { to, fetch, answer } => {
                if let Some(replica) = self.awake(to) {
                    let before = replica.log().log_end_offset();
                    replica.take_answer(&fetch, answer, now_ms()).unwrap();
                    let after = replica.log().log_end_offset();
                    if after < before {
                        self.tell(format!("{to} cuts its log from {before} to {after}"));
                    }
                }
            }
            Message::Isr(wanted) => self.alter_isr(&wanted),
        }
    }

    fn alter_isr(&mut self, wanted: &AlterPartition) {
        match Elections::new(&self.image).alter_partition(wanted) {
            Ok(records) => {
                self.tell(format!("isr {:?} of leader {}", wanted.isr, wanted.leader));
                self.image.apply_all(&records);
                self.learn(wanted.leader);
            }
            Err(_) => {
                if let Some(replica) = self.awake(wanted.leader) {
                    replica.isr_refused();
                }
            }
        }
    }

    fn fence(&mut self, id: i32, departure: Departure) {
        let records = Elections::new(&self.image).broker_gone(id, departure);
        self.image.apply_all(&records);
        if self.image.set_fenced(id, true) {
            for other in NODES {
                if let Some(replica) = self.awake(other) {
                    replica.broker_lost(id);
                }
            }
        }
        self.tell(format!(
            "{id} is fenced: {:?}",
            self.image.partition("t", 0).unwrap()
        ));
    }

    fn unfence(&mut self, id: i32) {
        self.image.set_fenced(id, false);
        let records = Elections::new(&self.image).broker_back(id);
        self.image.apply_all(&records);
        self.tell(format!(
            "{id} is back: {:?}",
            self.image.partition("t", 0).unwrap()
        ));
    }

    fn kill(&mut self, id: i32) {
        if self.torn.is_some() {
            return;
        }
        let may_tear = self.random.below(2) == 0 && self.may_lose_its_end(id);
        let node = self.nodes.get_mut(&id).unwrap();
        let Some(replica) = node.replica.take() else {
            return;
        };
        node.is_asleep = false;
        let folder = node.folder.clone();
        let synced = replica.log().recovery_point();
        drop(replica);
        // Its own fetches under way end with it.
        self.network.retain(|message| match message {
            Message::Fetch { fetch, .. } => fetch.follower != id,
            Message::Answer { to, .. } => *to != id,
            Message::Isr(_) => true,
        });
        self.history.restarted(id);
        if may_tear {
            disk::tear(&folder, synced, &mut self.random);
            self.torn = Some(id);
            self.tell(format!("{id} dies, and its log is whole up to {synced} alone"));
        } else {
            self.tell(format!("{id} dies"));
        }
    }

    /// Kafka keeps acknowledged records as long as one in-sync replica keeps them; with `min.insync.replicas` below 2
    /// it promises nothing.
    fn may_lose_its_end(&self, id: i32) -> bool {
        let others = self.partition().isr.iter().filter(|other| **other != id);
        let mut alive = others.filter(|other| self.nodes[other].replica.is_some());
        self.min_isr > 1 && alive.next().is_some()
    }

    /// Starts a dead node, or resumes a paused one.
    fn bring_back(&mut self, id: i32) {
        if self.nodes[&id].replica.is_none() {
            self.fence(id, Departure::Unclean);
            // The checkpoint of the high watermark may be arbitrarily old.
            self.open(id, 0);
            self.image.register(BrokerImage::new(id, None, Uuid::nil()));
        }
        self.nodes.get_mut(&id).unwrap().is_asleep = false;
        self.unfence(id);
    }

    fn step(&mut self) {
        let id = NODES[self.random.below(NODES.len())];
        match self.random.below(100) {
            0..20 => self.produce(),
            20..45 => self.ask(id),
            45..75 => self.deliver(),
            75..85 => self.learn(id),
            85..88 => {
                if !self.network.is_empty() {
                    let lost = self.random.below(self.network.len());
                    if let Message::Isr(wanted) = self.network.swap_remove(lost)
                        && let Some(replica) = self.awake(wanted.leader)
                    {
                        // The leader will ask again.
                        replica.isr_refused();
                    }
                }
            }
            88..90 => self.kill(id),
            90..92 => {
                self.nodes.get_mut(&id).unwrap().is_asleep = true;
                self.tell(format!("{id} falls asleep"));
            }
            92..94 => {
                // A node that is dead or paused is fenced.
                if self.awake(id).is_none() {
                    self.fence(id, Departure::Silent);
                }
            }
            94..97 => {
                if self.awake(id).is_none() {
                    self.bring_back(id);
                }
            }
            97 => {
                let topic = Arc::clone(self.image.topic("t").unwrap());
                if let Ok(records) = Elections::new(&self.image).elect(&topic, 0, Election::Preferred) {
                    self.image.apply_all(&records);
                }
            }
            98 => self.time_passes(id),
            _ => {
                if let Some(replica) = self.awake(id) {
                    replica.log().flush().unwrap();
                }
            }
        }
        if let Some(torn) = self.torn
            && !may_lead(self.partition(), torn)
        {
            self.torn = None;
        }
        self.answer_producers();
        self.check_step();
    }

    fn time_passes(&mut self, id: i32) {
        match self.random.below(8) {
            0 => set_day(60_000 - i64::try_from(self.random.below(120_000)).unwrap()),
            _ => pass(1 + i64::try_from(self.random.below(120)).unwrap()),
        }
        let wanted = self.awake(id).and_then(Replica::narrower_isr);
        self.network.extend(wanted.map(Message::Isr));
    }

    /// Ends all faults, and checks the outcome.
    fn heal(&mut self) {
        self.network.retain(|message| !matches!(message, Message::Isr(_)));
        for id in NODES {
            self.bring_back(id);
            if let Some(replica) = self.awake(id) {
                replica.isr_refused();
            }
        }
        for _round in 0..60 {
            for id in NODES {
                self.learn(id);
                self.ask(id);
            }
            while !self.network.is_empty() {
                self.deliver();
            }
            self.answer_producers();
            self.check_step();
        }
        self.check_end();
    }
}
