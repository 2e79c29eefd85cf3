//! Three replicas of a partition and their controller in one thread, on real logs, under a simulated clock and network: nodes
//! die, sleep and return, messages are late or lost, metadata arrive when they please. One seed is one schedule, and
//! `KAFKIT_SEED=n` runs it again; `KAFKIT_SCHEDULES=n` runs more of them.
//!
//! After each step: one leader an epoch, no high watermark beyond the log, an ISR among the replicas. Now and then: what was
//! acknowledged is in the log of whoever leads, and logs are equal up to the lower high watermark. In the end, when
//! everything is well again: all in sync, all logs equal, everything acknowledged there once.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use super::fetch_signal::FetchSignal;
use super::replica::{Replica, ReplicaName, Role};
use super::replication::{FollowerAnswer, FollowerFetch};
use crate::broker::cluster::elections::{AlterPartition, Departure, Elections};
use crate::broker::cluster::image::{BrokerImage, ClusterImage};
use crate::broker::cluster::partition_change::Election;
use crate::broker::cluster::partition_image::NO_LEADER;
use crate::broker::cluster::records;
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::{BrokerValues, Configs};
use crate::broker::config::topic_settings::TopicSettings;
use crate::reassignment::random::Random;
use crate::records::batch_builder::BatchOptions;
use crate::records::{BatchBuilder, Batches};
use crate::storage::{Origin, PartitionLog, Recovery};

const TOPIC: Uuid = Uuid::from_u128(7);
const NODES: [i32; 3] = [1, 2, 3];
const MAX_LAG_MS: i64 = 100;
const STEPS: usize = 250;

thread_local! {
    static NOW_MS: Cell<i64> = const { Cell::new(1_000_000) };
}

fn now_ms() -> i64 {
    NOW_MS.get()
}

/// What is on its way.
#[derive(Debug)]
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
struct SimulatedNode {
    folder: PathBuf,
    /// `None`: the node is dead.
    replica: Option<Replica>,
    is_asleep: bool,
    signal: Arc<FetchSignal>,
}

/// A record that its producer waits for, or whose answer it has.
#[derive(Clone, Debug)]
struct Sent {
    leader: i32,
    epoch: i32,
    offset: i64,
    value: String,
}

struct World {
    random: Random,
    _folder: tempfile::TempDir,
    settings: Arc<TopicSettings>,
    image: ClusterImage,
    nodes: BTreeMap<i32, SimulatedNode>,
    network: Vec<Message>,
    waiting: Vec<Sent>,
    acknowledged: Vec<Sent>,
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

impl World {
    fn new(seed: u64) -> Self {
        NOW_MS.set(1_000_000);
        let mut random = Random::new(seed);
        let min_isr = 1 + random.below(2);
        let folder = tempfile::tempdir().unwrap();
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
            settings: settings(min_isr),
            image,
            nodes: nodes.into(),
            network: Vec::new(),
            waiting: Vec::new(),
            acknowledged: Vec::new(),
            sent: 0,
            story: Vec::new(),
        };
        for id in NODES {
            world.open(id, 0);
            world.learn(id);
        }
        world
    }

    fn tell(&mut self, line: String) {
        self.story.push(line);
    }

    fn open(&mut self, id: i32, high_watermark: i64) {
        let node = self.nodes.get_mut(&id).unwrap();
        let config = self
            .settings
            .log_config(&BrokerConfig::new(PathBuf::from("/nowhere"), []).unwrap());
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
            now_ms,
        ));
    }

    /// The node hears what the cluster is like now.
    fn learn(&mut self, id: i32) {
        let partition = self.image.partition("t", 0).unwrap().clone();
        if let Some(replica) = self.awake(id) {
            replica.follow_image(&partition).unwrap();
        }
    }

    fn awake(&self, id: i32) -> Option<&Replica> {
        let node = &self.nodes[&id];
        node.replica.as_ref().filter(|_| !node.is_asleep)
    }

    fn leads(replica: &Replica) -> Option<i32> {
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
        // A client may know an old leader only.
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
        self.waiting.push(Sent {
            leader: id,
            epoch,
            offset: appended.base_offset,
            value,
        });
    }

    /// Producers whose records are committed get their answer; those whose leader is none any more get none.
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
        let question = self.awake(id).and_then(|replica| replica.next_fetch(1 << 20));
        if let Some((leader, fetch)) = question {
            self.network.push(Message::Fetch { leader, fetch });
        }
    }

    /// Delivers any message: there is no order among them.
    fn deliver(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let message = self.network.swap_remove(self.random.below(self.network.len()));
        match message {
            Message::Fetch { leader, fetch } => {
                let signal = Arc::clone(&self.nodes[&fetch.follower].signal);
                let Some(replica) = self.awake(leader) else { return };
                let Ok(answer) = replica.answer_follower(&fetch, &signal) else {
                    return;
                };
                let wanted = replica.wider_isr(fetch.follower);
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
        if self.nodes.get_mut(&id).unwrap().replica.take().is_some() {
            self.nodes.get_mut(&id).unwrap().is_asleep = false;
            self.tell(format!("{id} dies"));
        }
    }

    /// A dead node starts, or one that sleeps wakes up.
    fn bring_back(&mut self, id: i32) {
        if self.nodes[&id].replica.is_none() {
            self.fence(id, Departure::Unclean);
            // The checkpoint of the high watermark may be as old as it likes.
            self.open(id, 0);
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
                        // The leader asks again.
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
                // Whoever is dead or sleeps is missed at last.
                if self.awake(id).is_none() {
                    self.fence(id, Departure::Silent);
                }
            }
            94..97 => {
                if self.awake(id).is_none() {
                    self.bring_back(id);
                }
            }
            97..98 => {
                let topic = Arc::clone(self.image.topic("t").unwrap());
                if let Ok(records) = Elections::new(&self.image).elect(&topic, 0, Election::Preferred) {
                    self.image.apply_all(&records);
                }
            }
            _ => {
                NOW_MS.set(now_ms() + 1 + i64::try_from(self.random.below(120)).unwrap());
                let wanted = self.awake(id).and_then(Replica::narrower_isr);
                self.network.extend(wanted.map(Message::Isr));
            }
        }
        self.answer_producers();
        self.check_step();
    }

    fn check_step(&self) {
        let partition = self.image.partition("t", 0).unwrap();
        assert!(partition.isr.iter().all(|id| partition.replicas.contains(id)));
        assert!(partition.leader == NO_LEADER || partition.isr.contains(&partition.leader));
        let mut epochs = BTreeSet::new();
        for node in self.nodes.values() {
            let Some(replica) = &node.replica else { continue };
            let log = replica.log();
            assert!(replica.high_watermark() <= log.log_end_offset());
            if let Some(epoch) = Self::leads(replica) {
                assert!(epochs.insert(epoch), "two leaders in epoch {epoch}");
            }
        }
    }

    /// Offset and value of every record below `end`.
    fn content(replica: &Replica, end: i64) -> Vec<(i64, String)> {
        let slice = replica.log().read(0, usize::MAX >> 1, end, true).unwrap();
        let bytes = slice.to_vec().unwrap();
        let mut scratch = Vec::new();
        let mut all = Vec::new();
        for batch in Batches::new(&bytes) {
            let batch = batch.unwrap();
            for record in batch.records(&mut scratch, 1 << 20).unwrap() {
                let record = record.unwrap();
                let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
                all.push((record.offset, value));
            }
        }
        all
    }

    fn check_logs(&self) {
        let live: Vec<&Replica> = self
            .nodes
            .values()
            .filter_map(|node| node.replica.as_ref())
            .collect();
        for one in &live {
            for other in &live {
                let end = one.high_watermark().min(other.high_watermark());
                assert_eq!(
                    Self::content(one, end),
                    Self::content(other, end),
                    "logs differ below {end}"
                );
            }
        }
        // Whoever leads by the cluster's word, and knows it, has all that was acknowledged.
        let partition = self.image.partition("t", 0).unwrap();
        let leader = self
            .nodes
            .get(&partition.leader)
            .and_then(|node| node.replica.as_ref());
        let leader = leader.filter(|leader| Self::leads(leader) == Some(partition.leader_epoch));
        if let Some(leader) = leader {
            let has: BTreeMap<i64, String> = Self::content(leader, i64::MAX).into_iter().collect();
            for sent in &self.acknowledged {
                assert_eq!(
                    has.get(&sent.offset),
                    Some(&sent.value),
                    "an acknowledged record is lost"
                );
            }
        }
    }

    /// Everything is well from now on: what must become of it.
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
        let partition = self.image.partition("t", 0).unwrap().clone();
        let isr: BTreeSet<i32> = partition.isr.iter().copied().collect();
        assert_eq!(isr, BTreeSet::from(NODES), "{partition:?}");
        let leader = self.awake(partition.leader).unwrap();
        let end = leader.log().log_end_offset();
        for id in NODES {
            let replica = self.awake(id).unwrap();
            assert_eq!(
                (replica.high_watermark(), replica.log().log_end_offset()),
                (end, end),
                "node {id}"
            );
        }
        self.check_logs();
        let values: Vec<String> = Self::content(leader, end)
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let distinct: BTreeSet<&String> = values.iter().collect();
        assert_eq!(values.len(), distinct.len(), "a record is there twice");
    }
}

fn run(seed: u64) {
    let mut world = World::new(seed);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for step in 0..STEPS {
            world.step();
            if step % 10 == 0 {
                world.check_logs();
            }
        }
        world.heal();
    }));
    if let Err(panic) = outcome {
        let from = world.story.len().saturating_sub(60);
        let story = world.story[from..].join("\n");
        let hint = format!("KAFKIT_SEED={seed} runs this schedule again; its last events:\n{story}");
        let words = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        panic!("{}\n{hint}", words.unwrap_or_default());
    }
}

#[test]
fn whatever_dies_nothing_that_was_acknowledged_is_lost_and_all_logs_end_equal() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    if let Some(seed) = number("KAFKIT_SEED") {
        return run(seed);
    }
    for seed in 0..number("KAFKIT_SCHEDULES").unwrap_or(150) {
        run(seed);
    }
}
