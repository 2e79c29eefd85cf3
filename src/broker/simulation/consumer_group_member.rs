//! A member of a consumer group (KIP-848): it joins, takes its assignment, revokes partitions after any delay,
//! commits offsets of partitions it owns, pauses for too long, and leaves.
//!
//! It owns a partition from the last answered heartbeat until its timeouts may have passed: within that time it must
//! not be fenced, and no other member may own the same partition.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ConsumerGroupHeartbeatRequest, OffsetCommitRequest, OffsetFetchRequest};
use uuid::Uuid;

use super::cast::PATIENCE_MS;
use super::clients::{TOPIC, error};
use super::commit_ledger::CommitLedger;
use super::member_requests::{
    self, COMMIT_VERSION, CONSUMER_HEARTBEAT_VERSION, ConsumerHeartbeat, FETCH_VERSION,
};
use super::served::{Question, read};
use super::transactional_client::is_passing;
use crate::broker::clock::steady_ms;
use crate::broker::coordinator::group::consumer_group::member::{JOIN_EPOCH, LEAVE_EPOCH};
use crate::broker::internal_topics::{CONSUMER_OFFSETS, TRANSACTION_STATE};
use crate::reassignment::random::Random;
use crate::topic_partition::Offset;

/// A partition, by its topic's id.
pub(super) type Partition = (Uuid, i32);

/// The subscription of the group: internal topics give it enough partitions.
pub(super) static SUBSCRIPTION: [&str; 3] = [TOPIC, CONSUMER_OFFSETS.name, TRANSACTION_STATE.name];
/// The heartbeat interval of members without news, once there are no faults.
pub(super) const BEAT_MS: i64 = 300;

/// The request under way.
#[derive(Clone, Debug, Default)]
enum Deed {
    #[default]
    Heartbeat,
    Leave,
    Commit(Partition, Offset),
    /// Reads a committed offset, for which this floor was known.
    Look(Partition, Offset),
}

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something else that it knows of itself"
)]
pub(super) struct ConsumerGroupMember {
    number: usize,
    /// How often it has left: it returns with another id.
    departures: usize,
    epoch: i32,
    /// Its assignment.
    assigned: BTreeSet<Partition>,
    /// The partitions that it reads.
    owned: BTreeSet<Partition>,
    /// For each partition, when it sent its last heartbeat that confirmed it; also for partitions it revokes.
    renewed_ms: BTreeMap<Partition, i64>,
    /// Since when the coordinator waits for it to revoke partitions. If that takes too long, all its partitions may
    /// belong to others.
    owes_since_ms: Option<i64>,
    /// Whether the coordinator does not know what it has revoked and taken.
    has_news: bool,
    /// Whether the next heartbeat has all fields.
    says_all: bool,
    /// An answer was lost: its epoch may differ from the one it knows.
    is_unsure: bool,
    reads_all: bool,
    /// The offset up to which it has read each partition.
    positions: BTreeMap<Partition, Offset>,
    deed: Deed,
    asked_ms: i64,
    /// When it sent the last heartbeat that was answered.
    heard_of_ms: i64,
    sleeps_until_ms: i64,
    last_beat: i64,
    ledger: Rc<RefCell<CommitLedger>>,
}

impl ConsumerGroupMember {
    pub(super) fn new(number: usize, ledger: Rc<RefCell<CommitLedger>>) -> Self {
        Self {
            number,
            departures: 0,
            epoch: JOIN_EPOCH,
            assigned: BTreeSet::new(),
            owned: BTreeSet::new(),
            renewed_ms: BTreeMap::new(),
            owes_since_ms: None,
            has_news: false,
            says_all: true,
            is_unsure: false,
            reads_all: true,
            positions: BTreeMap::new(),
            deed: Deed::Heartbeat,
            asked_ms: 0,
            heard_of_ms: 0,
            sleeps_until_ms: 0,
            last_beat: 0,
            ledger,
        }
    }

    pub(super) fn id(&self) -> String {
        format!("consumer-{}-{}", self.number, self.departures)
    }

    pub(super) fn epoch(&self) -> i32 {
        self.epoch
    }

    /// The partitions that no other member may own now.
    pub(super) fn holds(&self, now_ms: i64) -> impl Iterator<Item = Partition> + '_ {
        let is_soon = move |since_ms: i64| now_ms < since_ms + PATIENCE_MS;
        let is_its_own = move |partition: &&Partition| {
            let renewed_ms = self.renewed_ms.get(partition);
            renewed_ms.is_some_and(|renewed_ms| is_soon(*renewed_ms))
                && self.owes_since_ms.is_none_or(is_soon)
        };
        self.owned.iter().filter(is_its_own).copied()
    }

    /// Its partitions, if it has exactly its assignment.
    pub(super) fn settled(&self) -> Option<&BTreeSet<Partition>> {
        let is_settled = self.epoch > 0 && !self.has_news && !self.says_all && self.owned == self.assigned;
        is_settled.then_some(&self.owned)
    }

    pub(super) fn ask(&mut self, random: &mut Random, is_closing: bool) -> Option<Question> {
        self.asked_ms = steady_ms();
        if is_closing {
            return self.ask_at_last();
        }
        if self.asked_ms < self.sleeps_until_ms {
            return None;
        }
        if random.below(60) == 0 {
            self.sleeps_until_ms = self.asked_ms + PATIENCE_MS * 3 / 2;
            return None;
        }
        if self.epoch == JOIN_EPOCH {
            return Some(self.heartbeat());
        }
        if random.below(3) == 0 {
            self.take_and_give_back();
        }
        match random.below(20) {
            0..8 => Some(self.heartbeat()),
            8..18 => Some(self.work(random)),
            18 => {
                self.reads_all = random.below(4) > 0;
                self.says_all = true;
                Some(self.heartbeat())
            }
            _ if random.below(3) == 0 => Some(self.leave()),
            _ => Some(self.heartbeat()),
        }
    }

    /// It only wants to reach its assignment.
    fn ask_at_last(&mut self) -> Option<Question> {
        self.take_and_give_back();
        let beat = self.asked_ms / BEAT_MS;
        self.says_all |= !self.reads_all;
        self.reads_all = true;
        let has_to = self.epoch == JOIN_EPOCH || self.says_all || self.has_news || beat != self.last_beat;
        has_to.then(|| self.heartbeat())
    }

    /// Revokes partitions that are not assigned any more, and then takes new ones.
    fn take_and_give_back(&mut self) {
        if self.owned != self.assigned {
            self.owned = self.assigned.clone();
            self.positions
                .retain(|partition, _| self.owned.contains(partition));
            self.has_news = true;
        }
    }

    fn heartbeat(&mut self) -> Question {
        self.deed = Deed::Heartbeat;
        self.last_beat = self.asked_ms / BEAT_MS;
        let says_all = self.says_all || self.epoch == JOIN_EPOCH;
        let says_owned = says_all || self.has_news;
        // Heartbeats never arrive late: as in Apache Kafka an assignment is sent once, and would be lost.
        member_requests::consumer_heartbeat(&ConsumerHeartbeat {
            member: self.id(),
            epoch: self.epoch,
            topics: says_all.then(|| {
                if self.reads_all {
                    &SUBSCRIPTION[..]
                } else {
                    &SUBSCRIPTION[..1]
                }
            }),
            owned: says_owned.then_some(&self.owned),
        })
    }

    fn leave(&mut self) -> Question {
        self.deed = Deed::Leave;
        self.forget_everything();
        let mut question = member_requests::consumer_heartbeat(&ConsumerHeartbeat {
            member: self.id(),
            epoch: LEAVE_EPOCH,
            topics: None,
            owned: None,
        });
        question.may_be_late = true;
        self.departures += 1;
        question
    }

    /// It is not a member any more, as far as it knows.
    fn forget_everything(&mut self) {
        self.epoch = JOIN_EPOCH;
        self.assigned.clear();
        self.owned.clear();
        self.renewed_ms.clear();
        self.owes_since_ms = None;
        self.positions.clear();
        self.says_all = true;
        self.has_news = false;
        self.is_unsure = false;
    }

    /// Commits an offset of a partition, or reads where to begin.
    fn work(&mut self, random: &mut Random) -> Question {
        let Some(partition) = self.owned.iter().nth(random.below(self.owned.len().max(1))) else {
            return self.heartbeat();
        };
        let partition = *partition;
        match self.positions.get_mut(&partition) {
            Some(position) if random.below(4) > 0 => {
                *position += 1;
                let offset = *position;
                self.commit(partition, offset)
            }
            _ => self.look(partition),
        }
    }

    fn commit(&mut self, partition: Partition, offset: Offset) -> Question {
        self.deed = Deed::Commit(partition, offset);
        self.ledger.borrow_mut().attempt(partition, offset);
        member_requests::commit(&self.id(), self.epoch, partition, offset)
    }

    fn look(&mut self, partition: Partition) -> Question {
        self.deed = Deed::Look(partition, self.ledger.borrow().floor(partition));
        member_requests::look(&self.id(), self.epoch, partition)
    }

    pub(super) fn hear(&mut self, answer: Option<Bytes>) -> String {
        let id = self.id();
        let deed = std::mem::take(&mut self.deed);
        let Some(answer) = answer else {
            if matches!(deed, Deed::Heartbeat) {
                // Partitions that it reported as revoked may belong to others.
                self.assigned.retain(|partition| self.owned.contains(partition));
            }
            // The next heartbeat has all fields again.
            self.says_all = true;
            self.is_unsure = true;
            return format!("{id}: {deed:?}: no answer");
        };
        let outcome = match deed {
            Deed::Heartbeat => self.hear_heartbeat(answer),
            Deed::Leave => {
                let response = read::<ConsumerGroupHeartbeatRequest>(answer, CONSUMER_HEARTBEAT_VERSION);
                return format!("{id} has left the former: {:?}", error(response.error_code));
            }
            Deed::Commit(partition, offset) => self.hear_commit(answer, partition, offset),
            Deed::Look(partition, floor) => self.hear_look(answer, partition, floor),
        };
        let words = format!("{id} at {}: {deed:?}: {outcome:?}", self.epoch);
        match outcome {
            Err(error) if is_passing(error) => self.says_all = true,
            Err(ResponseError::UnknownMemberId) => {
                assert!(self.time_is_over(), "{words}: it is a member");
                self.forget_everything();
            }
            Err(ResponseError::FencedMemberEpoch) => {
                assert!(
                    self.time_is_over() || self.is_unsure,
                    "{words}: nobody has its id"
                );
                self.forget_everything();
            }
            // A heartbeat tells it its epoch.
            Err(ResponseError::StaleMemberEpoch) => {
                assert!(
                    self.time_is_over() || self.is_unsure,
                    "{words}: it is at its epoch"
                );
            }
            Err(other) => panic!("{words}: {other:?} is no answer to a member"),
            Ok(()) => {}
        }
        words
    }

    fn hear_heartbeat(&mut self, answer: Bytes) -> Result<(), ResponseError> {
        let response = read::<ConsumerGroupHeartbeatRequest>(answer, CONSUMER_HEARTBEAT_VERSION);
        if let Some(error) = error(response.error_code) {
            return Err(error);
        }
        assert!(
            response.member_epoch >= self.epoch,
            "{}: epoch {} after {}",
            self.id(),
            response.member_epoch,
            self.epoch
        );
        self.epoch = response.member_epoch;
        if (self.says_all || self.has_news) && self.owned.is_subset(&self.assigned) {
            self.owes_since_ms = None;
        }
        (self.says_all, self.has_news, self.is_unsure) = (false, false, false);
        self.heard_of_ms = self.asked_ms;
        if let Some(assignment) = response.assignment {
            let topics = assignment.topic_partitions.iter();
            let partitions = topics.flat_map(|topic| {
                let indexes = topic.partitions.iter();
                indexes.map(|index| (topic.topic_id, *index))
            });
            let assigned: BTreeSet<Partition> = partitions.collect();
            // Also if it has not taken its previous assignment: the coordinator waits for it to report the
            // revocation.
            self.has_news = assigned != self.assigned;
            self.assigned = assigned;
            if !self.owned.is_subset(&self.assigned) {
                self.owes_since_ms.get_or_insert(self.asked_ms);
            }
        }
        self.renewed_ms
            .retain(|partition, _| self.owned.contains(partition) && !self.assigned.contains(partition));
        let its_own = self.assigned.iter().map(|partition| (*partition, self.asked_ms));
        self.renewed_ms.extend(its_own);
        Ok(())
    }

    fn hear_commit(
        &mut self,
        answer: Bytes,
        partition: Partition,
        offset: Offset,
    ) -> Result<(), ResponseError> {
        let response = read::<OffsetCommitRequest>(answer, COMMIT_VERSION);
        if let Some(error) = error(response.topics[0].partitions[0].error_code) {
            return Err(error);
        }
        self.ledger.borrow_mut().acknowledge(partition, offset);
        Ok(())
    }

    fn hear_look(&mut self, answer: Bytes, partition: Partition, floor: Offset) -> Result<(), ResponseError> {
        let mut response = read::<OffsetFetchRequest>(answer, FETCH_VERSION);
        let group = response.groups.remove(0);
        if let Some(error) = error(group.error_code) {
            return Err(error);
        }
        let found = &group.topics[0].partitions[0];
        if let Some(error) = error(found.error_code) {
            return Err(error);
        }
        let found = found.committed_offset.max(0);
        self.ledger.borrow_mut().see(partition, found, floor);
        let position = self.positions.entry(partition).or_default();
        *position = found.max(*position);
        Ok(())
    }

    /// Whether its timeouts may have passed.
    fn time_is_over(&self) -> bool {
        let renewed_ms = self.renewed_ms.values().copied();
        let renewed_ms = renewed_ms.chain(self.owes_since_ms);
        let oldest_ms = renewed_ms.min().unwrap_or(self.heard_of_ms).min(self.heard_of_ms);
        steady_ms() >= oldest_ms + PATIENCE_MS
    }
}
