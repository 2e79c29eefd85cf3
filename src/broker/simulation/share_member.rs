//! A member of a share group (KIP-932): it joins, fetches from its partitions, accepts, releases and rejects records
//! or leaves them until their locks expire, pauses for too long, and leaves.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::share_fetch_response::PartitionData;
use kafka_protocol::messages::{ShareAcknowledgeRequest, ShareFetchRequest, ShareGroupHeartbeatRequest};

use super::cast::PATIENCE_MS;
use super::clients::error;
use super::consumer_group_member::BEAT_MS;
use super::log_content;
use super::member_requests::{self, Asking, SHARE_VERSION as VERSION, Said};
use super::served::{Question, read};
use super::share_ledger::{Place, ShareLedger};
use super::share_sessions::ShareSessions;
use super::transactional_client::is_passing;
use crate::broker::clock::steady_ms;
use crate::broker::coordinator::group::consumer_group::member::{JOIN_EPOCH, LEAVE_EPOCH};
use crate::broker::share::acknowledge_type::AcknowledgeType;
use crate::reassignment::random::Random;

/// Longer than any schedule lasts, in ms.
const LONG_WAIT_MS: i32 = 600_000;

/// The request under way.
#[derive(Clone, Debug, Default)]
enum Deed {
    #[default]
    Heartbeat,
    Leave,
    /// Fetches from a node, or only acknowledges.
    Share {
        to: i32,
        index: i32,
        fetches: bool,
        said: Vec<Said>,
        asked_at: u64,
    },
}

#[derive(Debug)]
pub(super) struct ShareMember {
    number: usize,
    departures: usize,
    epoch: i32,
    assigned: BTreeSet<i32>,
    says_all: bool,
    is_unsure: bool,
    /// The leader of each partition, as far as it knows.
    leaders: Vec<i32>,
    sessions: ShareSessions,
    /// Records that it has got and not acknowledged: the delivery count, and whether there is a record.
    held: BTreeMap<Place, (i16, bool)>,
    /// The partitions that returned nothing since it last got or acknowledged a record.
    empty: BTreeSet<i32>,
    deed: Deed,
    asked_ms: i64,
    heard_of_ms: i64,
    sleeps_until_ms: i64,
    last_beat: i64,
    ledger: Rc<RefCell<ShareLedger>>,
}

impl ShareMember {
    pub(super) fn new(number: usize, ledger: Rc<RefCell<ShareLedger>>) -> Self {
        Self {
            number,
            departures: 0,
            epoch: JOIN_EPOCH,
            assigned: BTreeSet::new(),
            says_all: true,
            is_unsure: false,
            leaders: Vec::new(),
            sessions: ShareSessions::new(number),
            held: BTreeMap::new(),
            empty: BTreeSet::new(),
            deed: Deed::Heartbeat,
            asked_ms: 0,
            heard_of_ms: 0,
            sleeps_until_ms: 0,
            last_beat: 0,
            ledger,
        }
    }

    pub(super) fn learn(&mut self, leaders: Vec<i32>) {
        self.leaders = leaders;
    }

    fn id(&self) -> String {
        format!("sharer-{}-{}", self.number, self.departures)
    }

    /// Its partitions, once it has nothing left to do.
    pub(super) fn settled(&self) -> Option<&BTreeSet<i32>> {
        let is_settled = self.epoch > 0 && !self.says_all && self.held.is_empty();
        (is_settled && self.empty.is_superset(&self.assigned)).then_some(&self.assigned)
    }

    pub(super) fn ask(&mut self, random: &mut Random, is_closing: bool) -> Option<Question> {
        self.asked_ms = steady_ms();
        if is_closing {
            return self.ask_at_last(random);
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
        match random.below(20) {
            0..5 => Some(self.heartbeat()),
            5 if random.below(4) == 0 => Some(self.leave()),
            _ => Some(self.share(random, false)),
        }
    }

    /// It only wants to accept all records.
    fn ask_at_last(&mut self, random: &mut Random) -> Option<Question> {
        let beat = self.asked_ms / BEAT_MS;
        if self.epoch == JOIN_EPOCH || self.says_all {
            return Some(self.heartbeat());
        }
        if beat != self.last_beat {
            self.empty.clear();
            return Some(self.heartbeat());
        }
        let has_to = !self.held.is_empty() || !self.empty.is_superset(&self.assigned);
        has_to.then(|| self.share(random, true))
    }

    fn heartbeat(&mut self) -> Question {
        self.deed = Deed::Heartbeat;
        self.last_beat = self.asked_ms / BEAT_MS;
        let joins = self.says_all || self.epoch == JOIN_EPOCH;
        member_requests::share_heartbeat(&self.id(), self.epoch, joins)
    }

    fn leave(&mut self) -> Question {
        let mut question = member_requests::share_heartbeat(&self.id(), LEAVE_EPOCH, false);
        question.may_be_late = true;
        self.deed = Deed::Leave;
        self.forget_everything();
        self.departures += 1;
        question
    }

    fn forget_everything(&mut self) {
        self.epoch = JOIN_EPOCH;
        self.assigned.clear();
        self.held.clear();
        self.empty.clear();
        self.sessions.clear();
        self.says_all = true;
        self.is_unsure = false;
    }

    /// Fetches from one partition, acknowledges records of it, or both.
    fn share(&mut self, random: &mut Random, is_closing: bool) -> Question {
        let Some(index) = self.next_partition(random, is_closing) else {
            return self.heartbeat();
        };
        let leader = self.leaders[usize::try_from(index).unwrap()];
        let knows = leader >= 0 && (is_closing || random.below(12) > 0);
        let to = if knows {
            leader
        } else {
            super::cluster::NODES[random.below(3)]
        };
        let session = self.sessions.with(to);
        let mut said = Vec::new();
        if session.epoch > 0 && (is_closing || random.below(3) > 0) {
            said = self.say(index, random, is_closing);
        }
        let fetches = said.is_empty() || random.below(2) == 0;
        let waits = fetches && !is_closing && random.below(4) == 0;
        let asking = Asking {
            member: self.id(),
            index,
            epoch: session.epoch,
            said: &said,
        };
        let mut question = if fetches {
            let max_records = [1, 3, 100][random.below(3)];
            let max_wait_ms = if waits { LONG_WAIT_MS } else { 0 };
            member_requests::fetch(&asking, max_records, max_wait_ms)
        } else {
            member_requests::acknowledge(&asking)
        };
        question.to = Some(to);
        question.connection = session.connection;
        question.may_be_late = true;
        self.deed = Deed::Share {
            to,
            index,
            fetches,
            said,
            asked_at: self.ledger.borrow().now(),
        };
        question
    }

    fn next_partition(&self, random: &mut Random, is_closing: bool) -> Option<i32> {
        if is_closing {
            let of_held = self.held.keys().next().map(|(index, _)| *index);
            return of_held.or_else(|| self.assigned.difference(&self.empty).next().copied());
        }
        let held = self.held.keys().map(|(index, _)| *index);
        let all: BTreeSet<i32> = self.assigned.iter().copied().chain(held).collect();
        all.iter().nth(random.below(all.len().max(1))).copied()
    }

    /// Its acknowledgements of some of its records.
    fn say(&mut self, index: i32, random: &mut Random, is_closing: bool) -> Vec<Said> {
        let of_it = self.held.iter().filter(|((its, _), _)| *its == index);
        let mut said = Vec::new();
        for (place, (count, is_record)) in of_it {
            if !is_closing && random.below(4) == 0 {
                continue;
            }
            let what = match random.below(10) {
                _ if !is_record => AcknowledgeType::Gap,
                0..2 if !is_closing => AcknowledgeType::Release,
                2 if !is_closing => AcknowledgeType::Reject,
                _ => AcknowledgeType::Accept,
            };
            said.push(Said {
                place: *place,
                count: *count,
                what,
            });
        }
        for said in &said {
            self.held.remove(&said.place);
            if said.ends_it() {
                self.ledger.borrow_mut().ask(said.place);
            }
        }
        said
    }

    pub(super) fn hear(&mut self, answer: Option<Bytes>) -> String {
        let id = self.id();
        let deed = std::mem::take(&mut self.deed);
        let Some(answer) = answer else {
            if let Deed::Share { to, .. } = &deed {
                // The next request uses another connection.
                self.sessions.lost(*to);
            } else {
                (self.says_all, self.is_unsure) = (true, true);
            }
            return format!("{id}: {deed:?}: no answer");
        };
        let words = format!("{id} at {}: {deed:?}", self.epoch);
        match deed {
            Deed::Heartbeat => self.hear_heartbeat(answer, &words),
            Deed::Leave => format!("{id} has left the former"),
            Deed::Share {
                to,
                index,
                fetches,
                said,
                asked_at,
            } => {
                let outcome = if fetches {
                    self.hear_fetch(answer, to, index, &said, asked_at)
                } else {
                    self.hear_acknowledge(answer, to, &said)
                };
                format!("{words}: {outcome:?}")
            }
        }
    }

    fn hear_heartbeat(&mut self, answer: Bytes, words: &str) -> String {
        let response = read::<ShareGroupHeartbeatRequest>(answer, VERSION);
        let is_late = steady_ms() >= self.heard_of_ms + PATIENCE_MS;
        match error(response.error_code) {
            None => {
                assert!(response.member_epoch >= self.epoch, "{words}: epochs go back");
                self.epoch = response.member_epoch;
                (self.says_all, self.is_unsure) = (false, false);
                self.heard_of_ms = self.asked_ms;
                if let Some(assignment) = response.assignment {
                    let topics = assignment.topic_partitions.iter();
                    self.assigned = topics
                        .flat_map(|topic| topic.partitions.iter().copied())
                        .collect();
                }
            }
            Some(error) if is_passing(error) => self.says_all = true,
            Some(ResponseError::UnknownMemberId) if is_late => self.forget_everything(),
            Some(ResponseError::FencedMemberEpoch) if is_late || self.is_unsure => self.forget_everything(),
            Some(error) => panic!("{words}: {error:?} is no answer to a member"),
        }
        format!("{words}: epoch {}, reads {:?}", self.epoch, self.assigned)
    }

    fn hear_fetch(
        &mut self,
        answer: Bytes,
        to: i32,
        index: i32,
        said: &[Said],
        asked_at: u64,
    ) -> Result<Vec<Place>, ResponseError> {
        let response = read::<ShareFetchRequest>(answer, VERSION);
        if let Err(error) = self.sessions.answered(to, response.error_code) {
            self.ledger.borrow_mut().settle(said, Some(error));
            return Err(error);
        }
        let topics = response.responses.iter();
        let partitions: Vec<&PartitionData> = topics.flat_map(|topic| &topic.partitions).collect();
        let of_it = partitions
            .iter()
            .find(|partition| partition.partition_index == index);
        let acknowledged = of_it.and_then(|partition| error(partition.acknowledge_error_code));
        self.ledger.borrow_mut().settle(said, acknowledged);
        let mut got = Vec::new();
        for partition in &partitions {
            match error(partition.error_code) {
                Some(ResponseError::UnknownServerError) => panic!("a fetch has failed"),
                Some(error) if partition.partition_index == index => return Err(error),
                _ => got.extend(self.take(partition, asked_at)),
            }
        }
        if got.is_empty() {
            self.empty.insert(index);
        } else {
            self.empty.clear();
        }
        Ok(got)
    }

    /// Takes the records that were delivered from a partition.
    fn take(&mut self, partition: &PartitionData, asked_at: u64) -> Vec<Place> {
        let records = partition.records.as_deref().unwrap_or_default();
        let values = log_content::values_of(records);
        let mut got = Vec::new();
        for acquired in &partition.acquired_records {
            for offset in acquired.first_offset..=acquired.last_offset {
                let place = (partition.partition_index, offset);
                let value = values.get(&offset);
                let count = acquired.delivery_count;
                self.ledger.borrow_mut().deliver(place, count, value, asked_at);
                self.held.insert(place, (count, value.is_some()));
                got.push(place);
            }
        }
        got
    }

    fn hear_acknowledge(
        &mut self,
        answer: Bytes,
        to: i32,
        said: &[Said],
    ) -> Result<Vec<Place>, ResponseError> {
        let response = read::<ShareAcknowledgeRequest>(answer, VERSION);
        let outcome = self.sessions.answered(to, response.error_code);
        let refused = outcome.err().or_else(|| {
            let partition = &response.responses[0].partitions[0];
            error(partition.error_code)
        });
        self.ledger.borrow_mut().settle(said, refused);
        refused.map_or(Ok(Vec::new()), Err)
    }
}
