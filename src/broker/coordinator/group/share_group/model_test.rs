//! Whatever the members of a share group do: all get the assignment of their epoch, every readable partition has a
//! member, and the group that is read back from its records equals the group that wrote them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::group::{ShareChange, ShareGroup, ShareGroupSettings, ShareSurroundings};
use super::heartbeat::{LEAVE_EPOCH, ShareHeartbeat};
use super::record::ShareGroupRecord;
use crate::broker::coordinator::group::consumer_group::{TopicCatalog, TopicShape};

const TOPICS: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Default)]
struct Topics {
    partitions: BTreeMap<&'static str, usize>,
    version: i64,
}

impl TopicCatalog for Topics {
    fn version(&self) -> i64 {
        self.version
    }

    fn topic(&self, name: &str) -> Option<TopicShape> {
        let index = TOPICS.iter().position(|topic| *topic == name)?;
        let count = self.partitions.get(name)?;
        Some(TopicShape {
            id: Uuid::from_u128(index as u128 + 1),
            partition_racks: vec![Vec::new(); *count],
        })
    }

    fn topic_name(&self, id: Uuid) -> Option<String> {
        let index = usize::try_from(id.as_u128()).ok()?.checked_sub(1)?;
        TOPICS.get(index).map(ToString::to_string)
    }

    fn topic_names(&self) -> Vec<String> {
        self.partitions.keys().map(ToString::to_string).collect()
    }
}

#[derive(Clone, Debug)]
enum Op {
    Join { member: u8, topics: u8 },
    Beat { member: u8 },
    Subscribe { member: u8, topics: u8 },
    Leave { member: u8 },
    Wait { ms: i64 },
    Partitions { topic: usize, count: usize },
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0_u8..6, 1_u8..8).prop_map(|(member, topics)| Op::Join { member, topics }),
        4 => (0_u8..6).prop_map(|member| Op::Beat { member }),
        1 => (0_u8..6, 1_u8..8).prop_map(|(member, topics)| Op::Subscribe { member, topics }),
        1 => (0_u8..6).prop_map(|member| Op::Leave { member }),
        2 => (1_i64..60_000).prop_map(|ms| Op::Wait { ms }),
        2 => (0_usize..3, 1_usize..5).prop_map(|(topic, count)| Op::Partitions { topic, count }),
    ]
}

fn names(bits: u8) -> BTreeSet<String> {
    let topics = TOPICS
        .iter()
        .enumerate()
        .filter(|(index, _)| bits & (1 << index) != 0);
    topics.map(|(_, topic)| (*topic).to_owned()).collect()
}

struct World {
    group: ShareGroup,
    log: Vec<ShareGroupRecord>,
    topics: Topics,
    settings: ShareGroupSettings,
    now_ms: i64,
    epochs: BTreeMap<String, i32>,
}

impl World {
    fn keep(&mut self, change: ShareChange) {
        self.log.extend(change.records);
    }

    fn act<A>(
        &mut self,
        event: impl FnOnce(&mut ShareGroup, ShareSurroundings<'_>) -> (A, ShareChange),
    ) -> A {
        let around = ShareSurroundings {
            now_ms: self.now_ms,
            settings: &self.settings,
            catalog: &self.topics,
        };
        let (outcome, change) = event(&mut self.group, around);
        self.keep(change);
        outcome
    }

    fn beat(&mut self, id: &str, epoch: i32, topics: Option<BTreeSet<String>>) {
        let request = ShareHeartbeat {
            member_id: id.to_owned(),
            member_epoch: epoch,
            topics,
            ..ShareHeartbeat::default()
        };
        let outcome = self.act(|group, around| group.heartbeat(around, &request));
        let Ok(answer) = outcome else {
            self.epochs.remove(id);
            return;
        };
        self.epochs.insert(id.to_owned(), answer.member_epoch);
        let missing = self.act(|group, around| (group.uninitialized(around), ShareChange::default()));
        if missing.is_empty() {
            return;
        }
        self.act(|group, around| ((), group.begin_initialization(around, &missing)));
        self.act(|group, around| ((), group.end_initialization(around, &missing)));
        let answer = self.act(|group, around| group.assign_initialized(around, id));
        let answer = answer.expect("an answer");
        self.epochs.insert(id.to_owned(), answer.member_epoch);
        let assigned = answer.assignment.expect("an assignment");
        assert_eq!(assigned, *self.group.target(id), "it has what it shall have");
    }

    fn happen(&mut self, op: &Op) {
        let id = |member: &u8| format!("m{member}");
        match op {
            Op::Join { member, topics } => self.beat(&id(member), 0, Some(names(*topics))),
            Op::Beat { member } => {
                let epoch = self.epochs.get(&id(member)).copied();
                self.beat(&id(member), epoch.unwrap_or(7), None);
            }
            Op::Subscribe { member, topics } => {
                let epoch = self.epochs.get(&id(member)).copied();
                self.beat(&id(member), epoch.unwrap_or(7), Some(names(*topics)));
            }
            Op::Leave { member } => {
                let id = id(member);
                let outcome = self.act(|group, around| group.leave(around, &id));
                assert_eq!(outcome.is_ok(), self.epochs.remove(&id).is_some());
                assert!(outcome.is_err() || outcome.is_ok_and(|answer| answer.member_epoch == LEAVE_EPOCH));
            }
            Op::Wait { ms } => {
                self.now_ms += ms;
                let silent = self.group.silent_members(self.now_ms);
                self.act(|group, around| ((), group.expel(around, &silent)));
                self.epochs.retain(|id, _| !silent.contains(id));
            }
            Op::Partitions { topic, count } => {
                let known = self.topics.partitions.entry(TOPICS[*topic]).or_default();
                *known = (*known).max(*count);
                self.topics.version += 1;
            }
        }
        self.check();
    }

    fn check(&mut self) {
        let known: BTreeSet<&str> = self.group.members().map(|(id, _)| id).collect();
        let expected: BTreeSet<&str> = self.epochs.keys().map(String::as_str).collect();
        assert_eq!(known, expected, "the members");
        assert!(self.group.target_epoch() <= self.group.epoch());
        for (id, member) in self.group.members() {
            assert_eq!(member.current.epoch, self.epochs[id], "the epoch of {id}");
            if member.current.epoch == self.group.target_epoch() {
                assert_eq!(member.current.assigned, *self.group.target(id), "what {id} has");
            }
        }
        let mut replayed = ShareGroup::new("g");
        for record in &self.log {
            let (key, value) = record.encode("g");
            let (_, record) = ShareGroupRecord::decode(&key, value.as_deref()).expect("a record");
            replayed.apply(&record);
        }
        let shape = |group: &ShareGroup| {
            let members: Vec<_> = group
                .members()
                .map(|(id, member)| (id.to_owned(), member.clone()))
                .collect();
            let targets: Vec<_> = members
                .iter()
                .map(|(id, _)| (*group.target(id)).clone())
                .collect();
            (
                group.epoch(),
                group.target_epoch(),
                members,
                targets,
                group.initialization().clone(),
            )
        };
        assert_eq!(shape(&replayed), shape(&self.group), "what is read back");
    }

    /// Once nothing changes any more, all members reach the last epoch, and every partition has a member.
    fn settle(&mut self) {
        for _ in 0..3 {
            self.now_ms += 2_000;
            for id in self.epochs.keys().cloned().collect::<Vec<_>>() {
                let epoch = self.epochs[&id];
                self.beat(&id, epoch, None);
            }
        }
        self.check();
        if self.epochs.is_empty() {
            return;
        }
        assert_eq!(self.group.target_epoch(), self.group.epoch());
        let mut assigned = BTreeSet::new();
        for (id, member) in self.group.members() {
            assert_eq!(member.current.epoch, self.group.epoch(), "the epoch of {id}");
            for (topic, partitions) in &member.current.assigned {
                assigned.extend(partitions.iter().map(|partition| (*topic, *partition)));
            }
        }
        let mut wanted = BTreeSet::new();
        for name in self.group.subscribed_topics() {
            if let Some(topic) = self.topics.topic(&name) {
                wanted.extend((0..topic.partition_count()).map(|partition| (topic.id, partition)));
            }
        }
        assert_eq!(assigned, wanted, "every partition is somebody's");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn everybody_comes_to_the_last_epoch_and_every_partition_is_somebodys(
        ops in prop::collection::vec(ops(), 1..40),
    ) {
        let mut world = World {
            group: ShareGroup::new("g"),
            log: Vec::new(),
            topics: Topics::default(),
            settings: ShareGroupSettings {
                session_timeout_ms: 45_000,
                heartbeat_interval_ms: 5_000,
                assignment_interval_ms: 1_000,
                max_size: 5,
            },
            now_ms: 1_000_000,
            epochs: BTreeMap::new(),
        };
        for op in &ops {
            world.happen(op);
        }
        world.settle();
    }
}
