//! The cast of a simulated cluster: its clients, the partitions that they need, and the settings of the brokers.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use super::clients::{Client, Committer, PARTITIONS, Sender, TOPIC};
use super::cluster_checks::Place;
use super::commit_ledger::CommitLedger;
use super::consumer_group_member::ConsumerGroupMember;
use super::member_requests::SHARE_GROUP;
use super::share_ledger::ShareLedger;
use super::share_member::ShareMember;
use super::transactional_client::TransactionalClient;
use crate::broker::cluster::records::{self, Records};
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::Configs;
use crate::broker::coordinator::transaction::events::Generation;
use crate::broker::internal_topics::{CONSUMER_OFFSETS, SHARE_GROUP_STATE, TRANSACTION_STATE};
use crate::reassignment::random::Random;

/// The session timeout and the rebalance timeout of group members, in ms.
pub(super) const PATIENCE_MS: i64 = 800;
const CONSUMERS: usize = 3;
const SHARERS: usize = 2;
const TOPICS: [&str; 4] = [
    TOPIC,
    CONSUMER_OFFSETS.name,
    TRANSACTION_STATE.name,
    SHARE_GROUP_STATE.name,
];
const PLACES: [Place; 5] = [
    (TOPIC, 0),
    (TOPIC, 1),
    (CONSUMER_OFFSETS.name, 0),
    (TRANSACTION_STATE.name, 0),
    (SHARE_GROUP_STATE.name, 0),
];

/// The clients of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// A producer, a group with commits only, and two transactional producers.
    Transactions,
    /// A producer, a transactional producer, and members of a consumer group and of a share group.
    Groups,
}

/// The settings of groups that a schedule draws.
pub(super) struct GroupSettings {
    assignment_interval_ms: usize,
    pub(super) max_delivery_count: i16,
}

/// What all members of each group have been told.
pub(super) struct Ledgers {
    pub(super) commits: Rc<RefCell<CommitLedger>>,
    pub(super) shares: Rc<RefCell<ShareLedger>>,
}

impl Ledgers {
    pub(super) fn new(settings: &GroupSettings) -> Self {
        Self {
            commits: Rc::default(),
            shares: Rc::new(RefCell::new(ShareLedger::new(settings.max_delivery_count))),
        }
    }

    /// The number of things that members have achieved.
    pub(super) fn deeds(&self) -> usize {
        self.commits.borrow().acknowledged() + self.shares.borrow().done()
    }
}

/// The id of a topic.
pub(super) fn topic_id(name: &str) -> Uuid {
    let number = TOPICS.iter().position(|topic| *topic == name);
    Uuid::from_u128(number.unwrap() as u128 + 1)
}

/// The name of the topic with this id.
pub(super) fn topic_named(id: Uuid) -> &'static str {
    TOPICS[usize::try_from(id.as_u128()).unwrap() - 1]
}

/// The partitions of the topic that clients write to.
pub(super) fn data_partitions() -> std::ops::Range<i32> {
    0..PARTITIONS
}

impl Cast {
    pub(super) fn topics(self) -> &'static [&'static str] {
        match self {
            Self::Transactions => &TOPICS[..3],
            Self::Groups => &TOPICS,
        }
    }

    pub(super) fn places(self) -> &'static [Place] {
        match self {
            Self::Transactions => &PLACES[..4],
            Self::Groups => &PLACES,
        }
    }

    pub(super) fn settings(self, random: &mut Random) -> GroupSettings {
        let mut below = |bound| match self {
            Self::Transactions => 0,
            Self::Groups => random.below(bound),
        };
        GroupSettings {
            assignment_interval_ms: [0, 100][below(2)],
            max_delivery_count: [5, 2, 3, 5][below(4)],
        }
    }

    pub(super) fn clients(self, random: &mut Random, ledgers: &Ledgers) -> Vec<Client> {
        let generation = [Generation::First, Generation::Second][random.below(2)];
        let mut clients = vec![
            Client::Sender(Sender::default()),
            Client::Transactional(TransactionalClient::new("tx0", generation)),
        ];
        match self {
            Self::Transactions => {
                clients.insert(1, Client::Committer(Committer::default()));
                let second = TransactionalClient::new("tx1", Generation::Second);
                clients.push(Client::Transactional(second));
            }
            Self::Groups => {
                for number in 0..CONSUMERS {
                    let member = ConsumerGroupMember::new(number, Rc::clone(&ledgers.commits));
                    clients.push(Client::Consumer(Box::new(member)));
                }
                for number in 0..SHARERS {
                    let member = ShareMember::new(number, Rc::clone(&ledgers.shares));
                    clients.push(Client::Share(Box::new(member)));
                }
            }
        }
        clients
    }

    /// The configs of the groups.
    pub(super) fn group_configs(self, ledgers: &Ledgers, random: &mut Random) -> Records {
        if self == Self::Transactions {
            return Records::new();
        }
        let is_committed = random.below(2) == 0;
        ledgers.shares.borrow_mut().reads_committed = is_committed;
        let level = ["read_uncommitted", "read_committed"][usize::from(is_committed)];
        let configs = [
            ("share.auto.offset.reset", "earliest"),
            ("share.isolation.level", level),
        ];
        let configs = configs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        records::config_changes(records::GROUP, SHARE_GROUP, &Configs::new(), &configs.into())
    }
}

/// The config of a node.
pub(super) fn config(folder: &Path, id: i32, min_isr: usize, settings: &GroupSettings) -> Arc<BrokerConfig> {
    let given = [
        ("node.id", id.to_string()),
        ("listeners", format!("PLAINTEXT://127.0.0.1:{}", 9092 + id)),
        ("offsets.topic.num.partitions", "1".to_owned()),
        ("transaction.state.log.num.partitions", "1".to_owned()),
        ("replica.lag.time.max.ms", "100".to_owned()),
        ("min.insync.replicas", min_isr.to_string()),
    ];
    let groups = [
        (
            "group.consumer.assignment.interval.ms",
            settings.assignment_interval_ms,
        ),
        ("group.consumer.min.session.timeout.ms", 1),
        (
            "group.consumer.session.timeout.ms",
            usize::try_from(PATIENCE_MS).unwrap(),
        ),
        (
            "group.share.assignment.interval.ms",
            settings.assignment_interval_ms,
        ),
        ("group.share.min.session.timeout.ms", 1),
        (
            "group.share.session.timeout.ms",
            usize::try_from(PATIENCE_MS).unwrap(),
        ),
        (
            "group.share.delivery.count.limit",
            usize::try_from(settings.max_delivery_count).unwrap(),
        ),
        ("group.share.min.record.lock.duration.ms", 1000),
        ("group.share.record.lock.duration.ms", 1000),
    ];
    let groups = groups.map(|(name, value)| (name, value.to_string()));
    let all = given.into_iter().chain(groups);
    let all = all.map(|(name, value)| (name.to_owned(), value));
    Arc::new(BrokerConfig::new(folder.join(id.to_string()), all).unwrap())
}
