//! Members of both protocols that join, leave, fall silent and change their subscriptions, on topics that are
//! created, grow and are deleted, against what a group must never do: assign a partition to two, lose what is on
//! disk, or not settle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use proptest::prelude::*;
use uuid::Uuid;

use super::group::{ConsumerGroup, ConsumerGroupSettings, ConsumerGroupState, Surroundings};
use super::heartbeat::{Heartbeat, HeartbeatAnswer};
use super::member::without_epochs;
use super::record::GroupRecord;
use super::topics::{TopicCatalog, TopicShape};
use super::{Change, Refused};
use crate::broker::coordinator::group::assignor::{Assignor, TopicPartitions};
use crate::broker::coordinator::group::consumer_protocol::read_assignment;
use crate::broker::coordinator::group::events::{JoinGroup, MemberIdentity, Protocol, SyncGroup};

const NAMES: [&str; 4] = ["a", "b", "ab", "c"];
const SESSION_MS: i64 = 45_000;

/// Topic ids and numbers of partitions, by name.
type KnownTopics = BTreeMap<String, (Uuid, usize)>;

#[derive(Debug, Default)]
struct Topics {
    /// The version, the last id, and the topics.
    state: Mutex<(i64, u128, KnownTopics)>,
}

impl Topics {
    fn change(&self, name: &str, partitions: usize) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        if partitions == 0 {
            state.2.remove(name);
            return;
        }
        state.1 += 1;
        let id = Uuid::from_u128(state.1);
        let topic = state.2.entry(name.to_owned()).or_insert((id, 0));
        topic.1 = topic.1.max(partitions);
    }
}

impl TopicCatalog for Topics {
    fn version(&self) -> i64 {
        self.state.lock().unwrap().0
    }

    fn topic(&self, name: &str) -> Option<TopicShape> {
        let (id, partitions) = *self.state.lock().unwrap().2.get(name)?;
        Some(TopicShape {
            id,
            partition_racks: vec![Vec::new(); partitions],
        })
    }

    fn topic_name(&self, id: Uuid) -> Option<String> {
        let state = self.state.lock().unwrap();
        let found = state.2.iter().find(|(_, (known, _))| *known == id);
        found.map(|(name, _)| name.clone())
    }

    fn topic_names(&self) -> Vec<String> {
        self.state.lock().unwrap().2.keys().cloned().collect()
    }
}

/// A client as KIP-848 specifies: it reports the partitions that it has not revoked.
#[derive(Clone, Debug, Default)]
struct Client {
    epoch: i32,
    /// The assignment it was sent, and the partitions it really owns.
    told: TopicPartitions,
    owned: TopicPartitions,
    /// What it has reported: it reports only changes.
    reported: TopicPartitions,
    topics: BTreeSet<String>,
    /// Whether it uses the classic protocol; its epoch is its generation then.
    is_classic: bool,
    /// An answer was lost: the next heartbeat has all fields, so that the next answer has, too.
    says_everything: bool,
}

struct World {
    topics: Topics,
    settings: ConsumerGroupSettings,
    now_ms: i64,
    group: ConsumerGroup,
    log: Vec<GroupRecord>,
    clients: BTreeMap<String, Client>,
    joined: usize,
}

#[derive(Clone, Debug)]
enum Action {
    Join {
        topics: u8,
        regex: bool,
        range: bool,
    },
    JoinClassic {
        topics: u8,
    },
    Beat {
        client: usize,
        answer_lost: bool,
    },
    /// The client carries out its assignment.
    Obey {
        client: usize,
    },
    Subscribe {
        client: usize,
        topics: u8,
    },
    Leave {
        client: usize,
    },
    /// The process dies: the group notices when the session times out.
    Die {
        client: usize,
    },
    Topic {
        name: usize,
        partitions: usize,
    },
    Wait {
        ms: i64,
    },
    /// The changes of the next heartbeat cannot be written.
    FailedWrite {
        client: usize,
    },
    Restart,
}

fn actions() -> impl Strategy<Value = Action> {
    let client = 0..5_usize;
    prop_oneof![
        2 => (1_u8..16, any::<bool>(), any::<bool>()).prop_map(|(topics, regex, range)| Action::Join { topics, regex, range }),
        1 => (1_u8..16).prop_map(|topics| Action::JoinClassic { topics }),
        8 => (client.clone(), prop::bool::weighted(0.1)).prop_map(|(client, answer_lost)| Action::Beat { client, answer_lost }),
        6 => client.clone().prop_map(|client| Action::Obey { client }),
        1 => (client.clone(), 1_u8..16).prop_map(|(client, topics)| Action::Subscribe { client, topics }),
        1 => client.clone().prop_map(|client| Action::Leave { client }),
        1 => client.clone().prop_map(|client| Action::Die { client }),
        2 => (0..NAMES.len(), 0..6_usize).prop_map(|(name, partitions)| Action::Topic { name, partitions }),
        1 => (0..60_000_i64).prop_map(|ms| Action::Wait { ms }),
        1 => client.prop_map(|client| Action::FailedWrite { client }),
        1 => Just(Action::Restart),
    ]
}

fn names(bits: u8) -> BTreeSet<String> {
    let chosen = NAMES
        .iter()
        .enumerate()
        .filter(|(index, _)| bits & (1 << index) != 0);
    chosen.map(|(_, name)| (*name).to_owned()).collect()
}

fn partitions(topics: &TopicPartitions) -> impl Iterator<Item = (Uuid, i32)> + '_ {
    topics
        .iter()
        .flat_map(|(topic, partitions)| partitions.iter().map(|partition| (*topic, *partition)))
}

impl World {
    fn new(assignment_interval_ms: i32) -> Self {
        Self {
            topics: Topics::default(),
            settings: ConsumerGroupSettings {
                session_timeout_ms: SESSION_MS as i32,
                heartbeat_interval_ms: 5000,
                assignment_interval_ms,
                max_size: 4,
                assignors: vec![Assignor::Uniform, Assignor::Range],
                regex_refresh_interval_ms: 600_000,
                migration: super::conversion::MigrationPolicy::named("upgrade"),
                classic_max_size: 100,
            },
            now_ms: 1_000,
            group: ConsumerGroup::new("g"),
            log: Vec::new(),
            clients: BTreeMap::new(),
            joined: 0,
        }
    }

    fn around(&self) -> Surroundings<'_> {
        Surroundings {
            now_ms: self.now_ms,
            settings: &self.settings,
            catalog: &self.topics,
        }
    }

    fn kept(&mut self, change: Change) {
        self.log.extend(change.records);
    }

    fn send(&mut self, request: &Heartbeat, is_kept: bool) -> Result<HeartbeatAnswer, Refused> {
        let mut group = self.group.clone();
        let (outcome, change) = if request.member_epoch < 0 {
            group.leave(self.around(), request)
        } else {
            group.heartbeat(self.around(), request)
        };
        assert!(outcome.is_ok() || change.records.is_empty());
        if is_kept {
            self.kept(change);
            self.group = group;
        } else {
            let wrote = !change.records.is_empty();
            group.undo(change);
            if wrote {
                assert_eq!(sum(&group), sum(&self.group), "undone");
            }
        }
        outcome
    }

    fn client(&self, index: usize) -> Option<String> {
        let count = self.clients.len();
        (count > 0)
            .then(|| self.clients.keys().nth(index % count).cloned())
            .flatten()
    }

    fn beat(&mut self, id: &str, topics: Option<BTreeSet<String>>, answer_lost: bool) {
        let Some(client) = self.clients.get(id).cloned() else {
            return;
        };
        if client.is_classic {
            return self.beat_classic(id, client, topics);
        }
        let topics = topics.or_else(|| client.says_everything.then(|| client.topics.clone()));
        if let (Some(client), Some(topics)) = (self.clients.get_mut(id), &topics) {
            client.topics.clone_from(topics);
        }
        let request = Heartbeat {
            member_id: id.to_owned(),
            member_epoch: client.epoch,
            topics,
            rebalance_timeout_ms: client.says_everything.then_some(30_000),
            owned: (client.says_everything || client.owned != client.reported).then(|| client.owned.clone()),
            ..Heartbeat::default()
        };
        if let Some(client) = self.clients.get_mut(id) {
            client.reported = client.owned.clone();
        }
        match self.send(&request, true) {
            Ok(answer) if !answer_lost => self.heard(id, answer),
            Ok(_) => {
                let client = self.clients.entry(id.to_owned()).or_default();
                client.says_everything = true;
                client.told = client.owned.clone();
            }
            // It gives up its partitions and joins as a new member.
            Err(_) => drop(self.clients.remove(id)),
        }
    }

    fn beat_classic(&mut self, id: &str, mut client: Client, topics: Option<BTreeSet<String>>) {
        let identity = MemberIdentity {
            member_id: id.to_owned(),
            group_instance_id: None,
            generation: client.epoch,
        };
        let mut group = self.group.clone();
        let (outcome, change) = group.heartbeat_classic(self.around(), &identity);
        self.group = group;
        self.kept(change);
        match (outcome, topics) {
            (Ok(()), None) => {}
            (Ok(()) | Err(ResponseError::RebalanceInProgress), topics) => {
                client.topics = topics.unwrap_or(client.topics);
                self.join_classic(id, client);
            }
            // It gives up its partitions and joins as a new member.
            (Err(_), _) => drop(self.clients.remove(id)),
        }
    }

    /// Joins, and asks for its assignment.
    fn join_classic(&mut self, id: &str, mut client: Client) {
        let request = JoinGroup {
            member_id: id.to_owned(),
            group_instance_id: None,
            fresh_member_id: String::new(),
            client_id: String::new(),
            client_host: String::new(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![Protocol {
                name: "range".to_owned(),
                metadata: self.subscription(&client),
            }],
            session_timeout_ms: SESSION_MS as i32,
            rebalance_timeout_ms: 30_000,
            requires_known_member_id: false,
            supports_skipping_assignment: false,
        };
        let mut group = self.group.clone();
        let (answer, change) = group.join_classic(self.around(), &request);
        self.group = group;
        self.kept(change);
        if answer.error.is_some() {
            self.clients.remove(id);
            return;
        }
        client.epoch = answer.generation;
        let request = SyncGroup {
            member: MemberIdentity {
                member_id: id.to_owned(),
                group_instance_id: None,
                generation: answer.generation,
            },
            ..SyncGroup::default()
        };
        let mut group = self.group.clone();
        let answer = group.sync_classic(self.around(), &request);
        self.group = group;
        if answer.error.is_none() {
            client.told = TopicPartitions::new();
            for (name, partitions) in read_assignment(&answer.assignment).unwrap() {
                let topic = self.topics.topic(&name).unwrap();
                client.told.insert(topic.id, partitions.into_iter().collect());
            }
            // A classic consumer owns its assignment as soon as it receives it.
            client.owned = client.told.clone();
        }
        self.clients.insert(id.to_owned(), client);
    }

    /// The subscription that a classic member sends, in version 1.
    fn subscription(&self, client: &Client) -> Bytes {
        let mut bytes = vec![0, 1];
        let put = |bytes: &mut Vec<u8>, name: &str| {
            bytes.extend((name.len() as i16).to_be_bytes());
            bytes.extend(name.as_bytes());
        };
        bytes.extend((client.topics.len() as i32).to_be_bytes());
        for topic in &client.topics {
            put(&mut bytes, topic);
        }
        bytes.extend((-1_i32).to_be_bytes());
        let owned = client.owned.iter();
        let owned =
            owned.filter_map(|(topic, partitions)| Some((self.topics.topic_name(*topic)?, partitions)));
        let owned: Vec<_> = owned.collect();
        bytes.extend((owned.len() as i32).to_be_bytes());
        for (topic, partitions) in owned {
            put(&mut bytes, &topic);
            bytes.extend((partitions.len() as i32).to_be_bytes());
            bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
        }
        Bytes::from(bytes)
    }

    fn heard(&mut self, id: &str, answer: HeartbeatAnswer) {
        if let Some(client) = self.clients.get_mut(id) {
            client.epoch = answer.member_epoch;
            client.says_everything = false;
            client.told = answer.assignment.unwrap_or_else(|| client.told.clone());
        }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Join { topics, regex, range } => self.join(*topics, *regex, *range),
            Action::JoinClassic { topics } => {
                self.joined += 1;
                let client = Client {
                    topics: names(*topics),
                    is_classic: true,
                    ..Client::default()
                };
                self.join_classic(&format!("m{}", self.joined), client);
            }
            Action::Beat { client, answer_lost } => {
                if let Some(id) = self.client(*client) {
                    self.beat(&id, None, *answer_lost);
                }
            }
            Action::Obey { client } => {
                if let Some(id) = self.client(*client)
                    && let Some(client) = self.clients.get_mut(&id)
                {
                    client.owned = client.told.clone();
                }
            }
            Action::Subscribe { client, topics } => {
                if let Some(id) = self.client(*client) {
                    self.beat(&id, Some(names(*topics)), false);
                }
            }
            Action::Leave { client } => {
                if let Some(id) = self.client(*client) {
                    let request = Heartbeat {
                        member_id: id.clone(),
                        member_epoch: -1,
                        ..Heartbeat::default()
                    };
                    drop(self.send(&request, true));
                    self.clients.remove(&id);
                }
            }
            Action::Die { client } => {
                if let Some(id) = self.client(*client) {
                    self.clients.remove(&id);
                }
            }
            Action::Topic { name, partitions } => self.topics.change(NAMES[*name], *partitions),
            Action::Wait { ms } => self.wait(*ms),
            Action::FailedWrite { client } => {
                if let Some(id) = self.client(*client)
                    && !self.clients[&id].is_classic
                {
                    let client = self.clients[&id].clone();
                    let request = Heartbeat {
                        member_id: id,
                        member_epoch: client.epoch,
                        owned: Some(client.owned),
                        ..Heartbeat::default()
                    };
                    drop(self.send(&request, false));
                }
            }
            Action::Restart => self.restart(),
        }
        self.matching();
        self.check();
    }

    fn join(&mut self, topics: u8, regex: bool, range: bool) {
        self.joined += 1;
        let id = format!("m{}", self.joined);
        let request = Heartbeat {
            member_id: id.clone(),
            rebalance_timeout_ms: Some(30_000),
            topics: (!regex).then(|| names(topics)),
            regex: regex.then(|| if topics.is_multiple_of(2) { "a.*" } else { "b|c" }.to_owned()),
            assignor: range.then(|| "range".to_owned()),
            owned: Some(TopicPartitions::new()),
            ..Heartbeat::default()
        };
        if let Ok(answer) = self.send(&request, true) {
            let topics = request.topics.clone().unwrap_or_default();
            self.clients.insert(
                id.clone(),
                Client {
                    topics,
                    ..Client::default()
                },
            );
            self.heard(&id, answer);
        }
    }

    /// Time passes; members that are still there send heartbeats.
    fn wait(&mut self, ms: i64) {
        let end_ms = self.now_ms + ms;
        while self.now_ms < end_ms {
            self.now_ms = end_ms.min(self.now_ms + 5_000);
            for id in self.clients.keys().cloned().collect::<Vec<_>>() {
                self.beat(&id, None, false);
            }
            while self
                .group
                .next_deadline_ms()
                .is_some_and(|at_ms| at_ms <= self.now_ms)
            {
                self.what_is_not_written_is_due_again();
                let mut group = self.group.clone();
                let change = group.deadlines_passed(self.around());
                self.group = group;
                self.kept(change);
            }
        }
    }

    /// Regular expressions have no deadline: they are matched with the next heartbeat.
    fn what_is_not_written_is_due_again(&self) {
        if self.group.next_deadline_ms() == Some(i64::MIN) {
            return;
        }
        let mut group = self.group.clone();
        let change = group.deadlines_passed(self.around());
        let wrote = !change.records.is_empty();
        group.undo(change);
        let is_due = group.next_deadline_ms().is_some_and(|at_ms| at_ms <= self.now_ms);
        assert!(is_due || !wrote, "nothing is due any more");
    }

    fn matching(&mut self) {
        if self.group.next_deadline_ms() == Some(i64::MIN) {
            let mut group = self.group.clone();
            let change = group.deadlines_passed(self.around());
            self.group = group;
            self.kept(change);
        }
    }

    fn replayed(&self) -> ConsumerGroup {
        let mut group = ConsumerGroup::new("g");
        for record in &self.log {
            let (key, value) = record.encode("g");
            let (_, read) = GroupRecord::decode(&key, value.as_deref()).unwrap();
            assert_eq!(&read, record);
            group.apply(&read);
        }
        group
    }

    fn restart(&mut self) {
        let mut group = self.replayed();
        group.start_timers(self.around());
        self.group = group;
    }

    fn check(&self) {
        let mut held = BTreeSet::new();
        for (_, member) in self.group.members() {
            assert!(member.current.epoch <= self.group.epoch());
            for (topic, partition, epoch) in member.current.held() {
                assert!(held.insert((topic, partition)), "two members hold a partition");
                assert!(epoch <= self.group.epoch());
            }
        }
        let mut owned = BTreeSet::new();
        for (id, client) in &self.clients {
            // What a client that was removed owns is unknown until its next heartbeat.
            if self.group.member(id).is_some() {
                for partition in partitions(&client.owned) {
                    assert!(owned.insert(partition), "two clients have a partition");
                }
            }
        }
        assert!(self.group.target_epoch() <= self.group.epoch());
        assert_eq!(
            sum(&self.group),
            sum(&self.replayed()),
            "what is on disk is what is in memory"
        );
    }

    /// All members go on for some time: the group must settle with every partition assigned.
    fn come_to_rest(&mut self) {
        for _ in 0..30 {
            for id in self.clients.keys().cloned().collect::<Vec<_>>() {
                self.beat(&id, None, false);
                if let Some(client) = self.clients.get_mut(&id) {
                    client.owned = client.told.clone();
                }
                self.matching();
            }
            self.wait(5_000);
            self.check();
        }
        let state = self.group.state();
        assert!(
            matches!(state, ConsumerGroupState::Stable | ConsumerGroupState::Empty),
            "{state:?}: {:#?}",
            self.group
        );
        let mut given = BTreeSet::new();
        for (id, member) in self.group.members() {
            assert_eq!(without_epochs(&member.current.assigned), self.clients[id].owned);
            given.extend(partitions(&self.clients[id].owned));
        }
        let mut wanted = BTreeSet::new();
        for name in self.group.subscribed_topics() {
            if let Some(topic) = self.topics.topic(&name) {
                wanted.extend((0..topic.partition_count()).map(|partition| (topic.id, partition)));
            }
        }
        assert_eq!(given, wanted);
    }
}

/// The part of a group that is on disk.
fn sum(group: &ConsumerGroup) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut holders: Vec<_> = group.holders.clone().into_iter().collect();
    holders.sort();
    (
        (group.epoch, group.target_epoch),
        group.members.clone(),
        group.targets.clone(),
        group.regexes.clone(),
        group.static_members.clone(),
        holders,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_group_keeps_its_promises(actions in prop::collection::vec(actions(), 1..60), interval in prop_oneof![Just(0), Just(1000)]) {
        let mut world = World::new(interval);
        world.topics.change("a", 3);
        for action in &actions {
            world.act(action);
        }
        world.come_to_rest();
    }
}
