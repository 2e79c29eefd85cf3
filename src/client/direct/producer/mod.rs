//! [`RecordSink`] over our own wire: records into batches, batches to the leaders of their partitions.
//!
//! One thread does it all (compression has its own): it fills batches while requests are under way, and waits only
//! when memory is used up. What happens to the batches of one partition is decided in [`partition_queue`]; this file
//! brings events and effects together with the connections.

mod failures;
mod lane;
mod partition_queue;
mod partitioner;
mod request;
mod sealer;
mod split;
mod stuck;
mod tags;
mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_protocol::messages::{InitProducerIdRequest, MetadataRequest, ProduceRequest, ProduceResponse};

use super::network::{Event, Node};
use super::session::Session;
use crate::client::produce_settings::{Acks, ProduceSettings};
use crate::client::record_sink::{DeliveryListener, RecordSink, RecordView, SinkOptions};
use crate::client::request_limit::RequestLimit;
use crate::error::{Error, Kind, Result};
use crate::interrupt::Interrupt;
use crate::records::Codec;
use crate::records::record::Header;
use crate::topic_partition::BrokerId;
use crate::wire::Answer;
use lane::Lane;
use partition_queue::{Attempt, Effect, Failure, Identity, Rules};
use partitioner::Turns;
use request::TopicBatches;
use sealer::{Sealer, Ticket};
use verdict::Verdict;

/// How long one wait inside a longer one lasts, so that an interrupt is seen.
const STEP: Duration = Duration::from_millis(50);
/// Bytes of one request, unless its first batch is larger; as Java's `max.request.size`.
const REQUEST_BYTES: usize = 1 << 20;
/// The client waits a little longer than it lets the broker wait.
const ANSWER_MARGIN: Duration = Duration::from_secs(2);
/// Buffers kept for the next batches.
const SPARE_BUFFERS: usize = 16;
/// The last epoch that a producer may raise by itself.
const LAST_EPOCH: i16 = i16::MAX - 1;
/// The first version of Produce that takes zstd.
const ZSTD_SINCE: i16 = 7;

/// What goes with a request.
#[derive(Debug)]
enum Note {
    Batches {
        broker: BrokerId,
        attempts: Vec<(usize, Attempt)>,
    },
    ProducerId,
    /// Its answer proves that everything sent before it was taken.
    Barrier,
}

/// Who we are to the brokers, for idempotence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    Unknown { ask_at: Instant },
    Asked,
    Known(Identity),
}

#[derive(Debug)]
struct Topic {
    name: String,
    /// The lane of each partition, from 0 on.
    lanes: Vec<usize>,
    turns: Turns,
    id: uuid::Uuid,
}

/// Sends over our own wire.
#[derive(Debug)]
pub(crate) struct DirectSink {
    settings: ProduceSettings,
    rules: Rules,
    interrupt: Interrupt,
    session: Session<Note>,
    /// Answers about the cluster that the lanes know of.
    seen_answers: u64,
    naming: Naming,
    sealer: Sealer,
    topics: Vec<Topic>,
    lanes: Vec<Lane>,
    /// The topic of the last record.
    last_topic: usize,
    /// Which lane is looked at first, so that all have their turn in small requests.
    first_lane: usize,
    /// Bytes of records that are neither delivered nor given up.
    memory: usize,
    /// Records of the same.
    outstanding: usize,
    spare: Vec<Vec<u8>>,
    next_batch: u64,
    fatal: Option<(Failure, String)>,
    barriers: usize,
    notices: Vec<String>,
}

impl DirectSink {
    /// Connects in the background.
    pub(crate) fn open(settings: ProduceSettings, options: SinkOptions) -> Result<Self> {
        let mut cluster = settings.cluster.clone();
        cluster.connection.request_timeout = settings.request_timeout + ANSWER_MARGIN;
        let session = Session::new(cluster, true)?;
        let sealer = Sealer::new(settings.codec, settings.level, session.waker());
        Ok(Self {
            rules: Rules {
                is_idempotent: settings.is_idempotent,
                most_in_flight: settings.max_in_flight,
                delivery_timeout: settings.delivery_timeout,
                retries: settings.retries,
                retry: settings.cluster.retry,
            },
            settings,
            interrupt: options.interrupt,
            session,
            seen_answers: 0,
            naming: Naming::Unknown {
                ask_at: Instant::now(),
            },
            sealer,
            topics: Vec::new(),
            lanes: Vec::new(),
            last_topic: 0,
            first_lane: 0,
            memory: 0,
            outstanding: 0,
            spare: Vec::new(),
            next_batch: 0,
            fatal: None,
            barriers: 0,
            notices: Vec::new(),
        })
    }

    // ---- records into batches ----

    fn send_at(
        &mut self,
        record: &RecordView<'_>,
        tag: u64,
        now: (Instant, i64),
        listener: &mut dyn DeliveryListener,
    ) -> Result<()> {
        if let Some(refusal) = self.refusal(record) {
            failures::report_one(record, tag, &refusal, listener);
            return Ok(());
        }
        let topic = self.topic_of(record.topic)?;
        if self.memory >= self.settings.buffer_bytes {
            self.wait_for_memory(listener)?;
        }
        let Some(lane) = self.lane_for(topic, record) else {
            let count = self.topics.get(topic).map_or(0, |topic| topic.lanes.len());
            let partition = record.partition.unwrap_or(-1);
            let name = record.topic;
            let reason = format!("topic \"{name}\" has no partition {partition}; it has {count}");
            failures::report_one(record, tag, &(Kind::NotFound, reason), listener);
            return Ok(());
        };
        let timestamp = record.timestamp.unwrap_or(now.1);
        let bytes = if record.headers.is_empty() {
            self.append(lane, record, &[], timestamp, tag, now.0, listener)
        } else {
            let headers: Vec<Header<'_>> = record
                .headers
                .iter()
                .map(|header| Header {
                    key: header.name.as_bytes(),
                    value: header.value,
                })
                .collect();
            self.append(lane, record, &headers, timestamp, tag, now.0, listener)
        };
        if record.partition.is_none()
            && record.key.is_none()
            && let Some(topic) = self.topics.get_mut(topic)
        {
            topic.turns.count(bytes);
        }
        Ok(())
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the record and where it goes; a struct would be built for every record"
    )]
    #[inline]
    fn append(
        &mut self,
        lane: usize,
        record: &RecordView<'_>,
        headers: &[Header<'_>],
        timestamp: i64,
        tag: u64,
        now: Instant,
        listener: &mut dyn DeliveryListener,
    ) -> usize {
        let limit = self.settings.batch_bytes;
        let mut bytes = self
            .lanes
            .get_mut(lane)
            .and_then(|lane| lane.append(record, headers, timestamp, tag, limit));
        if bytes.is_none() {
            self.close_batch(lane);
            self.turn_the_wheel(Duration::ZERO, listener);
            let buffer = self.spare.pop().unwrap_or_default();
            if let Some(lane) = self.lanes.get_mut(lane) {
                lane.begin(buffer, now);
                bytes = lane.append(record, headers, timestamp, tag, limit);
            }
        }
        let bytes = bytes.unwrap_or_default();
        self.memory += bytes;
        self.outstanding += 1;
        bytes
    }

    fn refusal(&self, record: &RecordView<'_>) -> Option<(Kind, String)> {
        if let Some((failure, reason)) = &self.fatal {
            let kind = match failure {
                Failure::Refused { kind, .. } => *kind,
                _ => Kind::Failed,
            };
            return Some((kind, reason.clone()));
        }
        let limit = self.settings.max_request_bytes?;
        let reason = RequestLimit(Some(limit)).refusal(record)?;
        Some((Kind::BadData, reason))
    }

    fn topic_of(&mut self, name: &str) -> Result<usize> {
        let is_it = |topic: &Topic| topic.name == name;
        if self.topics.get(self.last_topic).is_some_and(is_it) {
            return Ok(self.last_topic);
        }
        if !self.topics.iter().any(is_it) {
            self.prepare_topic(name, self.settings.delivery_timeout)?;
        }
        self.last_topic = self.topics.iter().position(is_it).unwrap_or_default();
        Ok(self.last_topic)
    }

    fn lane_for(&mut self, topic: usize, record: &RecordView<'_>) -> Option<usize> {
        let count = self.topics.get(topic)?.lanes.len();
        let partition = match (record.partition, record.key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partitioner::of_key(key, count),
            (None, None) => match self.topics.get(topic)?.turns.partition() {
                Some(partition) => partition,
                None => self.begin_round(topic)?,
            },
        };
        let index = usize::try_from(partition).ok()?;
        self.topics.get(topic)?.lanes.get(index).copied()
    }

    /// Among partitions that have a leader, or all if none has.
    fn begin_round(&mut self, topic: usize) -> Option<i32> {
        let lanes = &self.lanes;
        let topic = self.topics.get_mut(topic)?;
        let members = topic.lanes.iter().filter_map(|lane| lanes.get(*lane));
        let mut led: Vec<i32> = members
            .clone()
            .filter(|lane| lane.leader.is_some() && !lane.was_told)
            .map(|lane| lane.partition)
            .collect();
        if led.is_empty() {
            led = members.map(|lane| lane.partition).collect();
        }
        topic.turns.begin_round(led);
        topic.turns.partition()
    }

    fn wait_for_memory(&mut self, listener: &mut dyn DeliveryListener) -> Result<()> {
        while self.memory >= self.settings.buffer_bytes {
            self.check()?;
            self.let_all_leave();
            self.turn_the_wheel(STEP, listener);
        }
        Ok(())
    }

    fn let_all_leave(&mut self) {
        for lane in &mut self.lanes {
            lane.leaves = lane.has_open();
        }
    }

    /// Closes a lane's open batch and puts it behind the others.
    fn close_batch(&mut self, place: usize) {
        let id = self.next_batch;
        let Some(lane) = self.lanes.get_mut(place) else {
            return;
        };
        let open_bytes = lane.open_bytes();
        let Some(mut closed) = lane.close(id) else {
            return;
        };
        self.next_batch += 1;
        // The header was not counted while the batch was open.
        self.memory += closed.bytes.len().saturating_sub(open_bytes);
        closed.batch.memory = open_bytes.saturating_sub(crate::records::batch_header::HEADER_LEN);
        lane.queue.push(closed.batch);
        if self.settings.codec == Codec::None {
            lane.queue.finish(id, closed.bytes);
        } else {
            let ticket = Ticket {
                lane: place,
                batch: id,
            };
            self.sealer.seal(ticket, closed.bytes);
        }
    }

    // ---- events and effects ----

    /// One turn: what came, what follows from it, and what can be sent now. Waits up to `wait` for something to come.
    fn turn_the_wheel(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) {
        let wait = wait.min(self.time_to_next_deadline());
        for event in self.session.wait(wait) {
            self.take_event(event, listener);
        }
        while let Some(sealed) = self.sealer.next() {
            if let Some(lane) = self.lanes.get_mut(sealed.ticket.lane) {
                lane.queue.finish(sealed.ticket.batch, sealed.bytes);
            }
            self.keep_spare(sealed.spare);
        }
        if self.session.answers() != self.seen_answers {
            self.seen_answers = self.session.answers();
            self.learn_leaders(listener);
        }
        let now = Instant::now();
        for place in 0..self.lanes.len() {
            let effects = self
                .lanes
                .get_mut(place)
                .map(|lane| lane.queue.expire(now))
                .unwrap_or_default();
            self.take_effects(place, effects, listener);
        }
        self.ask_for_identity();
        self.send_what_is_ready(now, listener);
        self.watch_for_stuck_lanes(now);
        // What was taken while the news came has the same fate.
        if let Some((failure, _)) = self.fatal.clone().filter(|_| self.outstanding > 0) {
            self.give_up_all(Some(&failure), listener);
        }
    }

    fn time_to_next_deadline(&self) -> Duration {
        let now = Instant::now();
        let linger = self.settings.linger;
        let deadlines = self.lanes.iter().filter_map(|lane| lane.next_deadline(linger));
        let next = deadlines.filter(|deadline| *deadline > now).min();
        next.map_or(Duration::MAX, |next| next - now)
    }

    fn take_event(&mut self, event: Event<Note>, listener: &mut dyn DeliveryListener) {
        match event {
            Event::Opened(_) => {}
            Event::Answered(node, answer) => self.take_answer(node, answer, listener),
            Event::Lost { unanswered, .. } => {
                for lost in unanswered {
                    match lost.note {
                        Note::Batches { attempts, .. } => {
                            for (place, attempt) in attempts {
                                let lane = self.lanes.get_mut(place);
                                let effects =
                                    lane.map(|lane| lane.queue.lost(Instant::now(), attempt, lost.is_unsent));
                                self.take_effects(place, effects.unwrap_or_default(), listener);
                            }
                        }
                        Note::ProducerId => self.ask_for_identity_later(),
                        Note::Barrier => self.barriers = self.barriers.saturating_sub(1),
                    }
                }
            }
        }
    }

    fn take_answer(&mut self, node: Node, answer: Answer<Note>, listener: &mut dyn DeliveryListener) {
        let Answer { note, version, frame } = answer;
        match note {
            Note::Batches { broker, attempts } => match frame.decode::<ProduceRequest>(version) {
                Ok(response) => {
                    if let Ok(time @ 1..) = u64::try_from(response.throttle_time_ms) {
                        self.session.mute(node, Duration::from_millis(time));
                    }
                    self.settle(broker, attempts, &response, listener);
                }
                Err(error) => {
                    self.session.close(node, error);
                    self.settle(broker, attempts, &ProduceResponse::default(), listener);
                }
            },
            Note::ProducerId => match frame.decode::<InitProducerIdRequest>(version) {
                Ok(response) if response.error_code == 0 => {
                    self.naming = Naming::Known(Identity {
                        id: response.producer_id.0,
                        epoch: response.producer_epoch,
                    });
                }
                Ok(response) => self.refused_identity(response.error_code, listener),
                Err(error) => {
                    self.session.close(node, error);
                    self.ask_for_identity_later();
                }
            },
            Note::Barrier => self.barriers = self.barriers.saturating_sub(1),
        }
        self.session.recycle(node, frame);
    }

    /// Tells each batch of a request what became of it; one that the answer leaves out is sent again.
    fn settle(
        &mut self,
        broker: BrokerId,
        attempts: Vec<(usize, Attempt)>,
        response: &ProduceResponse,
        listener: &mut dyn DeliveryListener,
    ) {
        let now = Instant::now();
        for (place, attempt) in attempts {
            let Some(lane) = self.lanes.get(place) else {
                continue;
            };
            let Some(topic) = self.topics.get(lane.topic) else {
                continue;
            };
            let found = response
                .responses
                .iter()
                .filter(|found| {
                    *found.name == *topic.name || (!topic.id.is_nil() && found.topic_id == topic.id)
                })
                .flat_map(|found| &found.partition_responses)
                .find(|found| found.index == lane.partition);
            let (code, hint) = found.map_or((13, None), |found| {
                let leader = &found.current_leader;
                (found.error_code, Some((leader.leader_id.0, leader.leader_epoch)))
            });
            if let Some((leader, epoch)) = hint
                && self
                    .session
                    .cluster
                    .apply_hint(&topic.name, lane.partition, leader, epoch)
            {
                self.seen_answers = self.seen_answers.wrapping_sub(1);
            }
            let verdict = Verdict::of(code, self.settings.acks == Acks::All);
            if verdict == Verdict::Written {
                self.session.all_is_well();
            }
            let effects = self
                .lanes
                .get_mut(place)
                .map(|lane| lane.queue.answered(now, attempt, broker, verdict, code));
            self.take_effects(place, effects.unwrap_or_default(), listener);
        }
    }

    fn take_effects(&mut self, place: usize, effects: Vec<Effect>, listener: &mut dyn DeliveryListener) {
        for effect in effects {
            match effect {
                Effect::Delivered(batch) => {
                    self.memory = self.memory.saturating_sub(batch.memory);
                    self.outstanding = self.outstanding.saturating_sub(batch.records as usize);
                    listener.delivered(u64::from(batch.records));
                    self.keep_spare(batch.bytes.and_then(|bytes| Arc::try_unwrap(bytes).ok()));
                    if let Some(lane) = self.lanes.get_mut(place) {
                        lane.stuck_since = None;
                        lane.was_told = false;
                    }
                }
                Effect::Failed(batch, failure) => {
                    self.memory = self.memory.saturating_sub(batch.memory);
                    self.outstanding = self.outstanding.saturating_sub(batch.records as usize);
                    let (kind, reason) = self.reason(place, &failure);
                    let partition = self.lanes.get(place).map(|lane| lane.partition);
                    failures::report(&batch, partition, kind, &reason, listener);
                }
                Effect::Split(batch) => {
                    let parts = split::halves(&batch, &mut self.next_batch);
                    if let Some(lane) = self.lanes.get_mut(place) {
                        lane.queue.put_back(parts);
                    }
                }
                Effect::Refresh => self.session.refresh(),
                Effect::Bump(identity) => self.bump(identity),
                Effect::Fatal { code, kind } => self.give_up(code, kind, listener),
            }
        }
    }

    fn keep_spare(&mut self, buffer: Option<Vec<u8>>) {
        if let Some(buffer) = buffer
            && self.spare.len() < SPARE_BUFFERS
        {
            self.spare.push(buffer);
        }
    }

    /// Takes over what the cluster says of leaders, and new partitions.
    fn learn_leaders(&mut self, listener: &mut dyn DeliveryListener) {
        for place in 0..self.topics.len() {
            self.learn_partitions(place);
            let Some(topic) = self.topics.get_mut(place) else {
                continue;
            };
            let known = self.session.cluster.topic(&topic.name);
            let id = known.map_or(topic.id, |known| known.id);
            let is_recreated = !topic.id.is_nil() && topic.id != id;
            topic.id = id;
            let lanes = topic.lanes.clone();
            for lane_place in lanes {
                let (Some(lane), Some(topic)) = (self.lanes.get_mut(lane_place), self.topics.get_mut(place))
                else {
                    continue;
                };
                let Some(found) = self.session.cluster.partition(&topic.name, lane.partition) else {
                    continue;
                };
                if lane.leader != found.leader {
                    lane.queue.leader_changed();
                    topic.turns.forget();
                }
                (lane.leader, lane.leader_epoch) = (found.leader, found.leader_epoch);
                if is_recreated {
                    let effects = lane.queue.begin_again();
                    self.take_effects(lane_place, effects, listener);
                }
            }
        }
        let lanes = &self.lanes;
        if lanes
            .iter()
            .any(|lane| lane.leader.is_none() && lane.records() > 0)
        {
            self.session.refresh();
        }
    }

    fn learn_partitions(&mut self, place: usize) {
        let Some(topic) = self.topics.get_mut(place) else {
            return;
        };
        let known = self.session.cluster.topic(&topic.name);
        let count = known.map_or(0, |topic| topic.partitions.len());
        while topic.lanes.len() < count {
            let partition = topic.lanes.len() as i32;
            topic.lanes.push(self.lanes.len());
            topic.turns.forget();
            self.lanes.push(Lane::new(place, partition, self.rules));
        }
    }

    // ---- who we are ----

    fn ask_for_identity(&mut self) {
        let Naming::Unknown { ask_at } = self.naming else {
            return;
        };
        if !self.rules.is_idempotent || ask_at > Instant::now() {
            return;
        }
        let Some(node) = self.session.anybody() else {
            return;
        };
        let timeout = self.settings.request_timeout;
        let Some(mut link) = self.session.channel(node) else {
            return;
        };
        let request = |_| {
            InitProducerIdRequest::default()
                .with_transactional_id(None)
                .with_transaction_timeout_ms(i32::MAX)
        };
        match link.send(request, i16::MAX, timeout, Note::ProducerId) {
            Ok(()) => self.naming = Naming::Asked,
            Err(error) => self.session.close(node, error),
        }
    }

    fn ask_for_identity_later(&mut self) {
        self.naming = Naming::Unknown {
            ask_at: Instant::now() + self.settings.cluster.retry.after(1),
        };
    }

    fn refused_identity(&mut self, code: i16, listener: &mut dyn DeliveryListener) {
        match code {
            7 | 13..=16 | 51 => self.ask_for_identity_later(),
            31 => self.give_up(code, Kind::Denied, listener),
            _ => self.give_up(code, Kind::Failed, listener),
        }
    }

    /// An identity is used up where sequence numbers are missing: the next has a higher epoch (KIP-360).
    fn bump(&mut self, used: Identity) {
        if self.naming != Naming::Known(used) {
            return;
        }
        self.naming = if used.epoch < LAST_EPOCH {
            Naming::Known(Identity {
                id: used.id,
                epoch: used.epoch + 1,
            })
        } else {
            Naming::Unknown {
                ask_at: Instant::now(),
            }
        };
    }

    fn identity(&self) -> Option<Identity> {
        match self.naming {
            Naming::Known(identity) => Some(identity),
            Naming::Unknown { .. } | Naming::Asked => None,
        }
    }

    /// Nothing of this producer will ever be taken.
    fn give_up(&mut self, code: i16, kind: Kind, listener: &mut dyn DeliveryListener) {
        let failure = Failure::Refused {
            code,
            kind,
            may_be_written: false,
        };
        self.fatal = Some((failure.clone(), failures::refused(code)));
        self.give_up_all(Some(&failure), listener);
    }

    fn give_up_all(&mut self, failure: Option<&Failure>, listener: &mut dyn DeliveryListener) {
        for place in 0..self.lanes.len() {
            self.close_batch(place);
            let effects = self.lanes.get_mut(place).map(|lane| lane.queue.abandon(failure));
            self.take_effects(place, effects.unwrap_or_default(), listener);
        }
    }

    // ---- sending ----

    fn send_what_is_ready(&mut self, now: Instant, listener: &mut dyn DeliveryListener) {
        let mut brokers: Vec<BrokerId> = self.lanes.iter().filter_map(|lane| lane.leader).collect();
        brokers.sort_unstable();
        brokers.dedup();
        for broker in brokers {
            while self.send_to(broker, now, listener) {}
        }
    }

    /// Sends one request with the next batch of each partition that a broker leads; says whether there was any.
    fn send_to(&mut self, broker: BrokerId, now: Instant, listener: &mut dyn DeliveryListener) -> bool {
        let node = Node::Broker(broker);
        let ready = self.ready_lanes(broker, now);
        if ready.is_empty() {
            return false;
        }
        let most = self.settings.max_in_flight;
        let limit = if self.topics.iter().any(|topic| topic.id.is_nil()) {
            request::TOPIC_IDS - 1
        } else {
            *request::VERSIONS.end()
        };
        let Some(link) = self.session.channel(node) else {
            return false;
        };
        let is_busy = if self.settings.acks == Acks::Nobody {
            link.has_output()
        } else {
            link.unanswered() >= most
        };
        if is_busy {
            return false;
        }
        let version = match link.versions().highest_up_to::<ProduceRequest>(limit) {
            Ok(version) if version < ZSTD_SINCE && self.settings.codec == Codec::Zstd => {
                self.give_up(76, Kind::Failed, listener);
                return false;
            }
            Ok(version) => version,
            Err(error) => {
                self.session.close(node, error);
                return false;
            }
        };
        self.send_lanes(broker, version, &ready, now, listener)
    }

    /// The lanes whose next batch can go to a broker, up to a request's size.
    fn ready_lanes(&mut self, broker: BrokerId, now: Instant) -> Vec<usize> {
        let identity = self.identity();
        let (count, linger) = (self.lanes.len(), self.settings.linger);
        let (mut ready, mut bytes) = (Vec::new(), 0);
        for step in 0..count {
            let place = (self.first_lane + step) % count;
            let Some(lane) = self
                .lanes
                .get_mut(place)
                .filter(|lane| lane.leader == Some(broker))
            else {
                continue;
            };
            if lane.queue.waiting() == 0
                && lane.is_due(now, linger)
                && (self.rules.is_idempotent || lane.queue.in_flight() == 0)
                && lane.queue.in_flight() < self.rules.most_in_flight
            {
                self.close_batch(place);
            }
            let Some(lane) = self.lanes.get(place) else {
                continue;
            };
            if !lane.queue.is_ready(now, broker, identity) {
                continue;
            }
            let next = lane.queue.next_len();
            if !ready.is_empty() && bytes + next > REQUEST_BYTES {
                self.first_lane = place;
                break;
            }
            bytes += next;
            ready.push(place);
        }
        ready
    }

    fn send_lanes(
        &mut self,
        broker: BrokerId,
        version: i16,
        ready: &[usize],
        now: Instant,
        listener: &mut dyn DeliveryListener,
    ) -> bool {
        let identity = self.identity();
        let mut attempts = Vec::with_capacity(ready.len());
        let mut batches: Vec<TopicBatches<'_>> = Vec::new();
        for place in ready {
            let Some(lane) = self.lanes.get_mut(*place) else {
                continue;
            };
            let Some((attempt, bytes)) = lane.queue.send(now, broker, identity) else {
                continue;
            };
            let Some(topic) = self.topics.get(lane.topic) else {
                continue;
            };
            attempts.push((*place, attempt));
            let entry = (lane.partition, bytes);
            match batches.iter_mut().find(|known| known.name == topic.name) {
                Some(known) => known.batches.push(entry),
                None => batches.push(TopicBatches {
                    name: &topic.name,
                    id: topic.id,
                    batches: vec![entry],
                }),
            }
        }
        let request_timeout = self.settings.request_timeout;
        let timeout_ms = i32::try_from(request_timeout.as_millis()).unwrap_or(i32::MAX);
        let body = request::body(version, self.settings.acks.code(), timeout_ms, &batches);
        let is_answered = self.settings.acks != Acks::Nobody;
        let timeout = is_answered.then_some(request_timeout + ANSWER_MARGIN);
        let note = Note::Batches {
            broker,
            attempts: attempts.clone(),
        };
        let Some(mut link) = self.session.channel(Node::Broker(broker)) else {
            return false;
        };
        let sent = link.send_pieces::<ProduceRequest>(version, body, timeout, note);
        if !is_answered {
            for (place, attempt) in attempts {
                let lane = self.lanes.get_mut(place);
                let effects = lane.map(|lane| match &sent {
                    Ok(()) => lane.queue.answered(now, attempt, broker, Verdict::Written, 0),
                    Err(_) => lane.queue.lost(now, attempt, false),
                });
                self.take_effects(place, effects.unwrap_or_default(), listener);
            }
        }
        match sent {
            Ok(()) => true,
            Err(error) => {
                // The request is on the list of those without an answer, which come back as lost.
                self.session.close(Node::Broker(broker), error);
                false
            }
        }
    }

    /// With acks=0 nothing is answered; a question behind the last records is, and a connection is served in order.
    fn send_barriers(&mut self) {
        let mut brokers: Vec<BrokerId> = self.lanes.iter().filter_map(|lane| lane.leader).collect();
        brokers.sort_unstable();
        brokers.dedup();
        for broker in brokers {
            let timeout = self.settings.request_timeout;
            let node = Node::Broker(broker);
            if !self.session.is_open(node) {
                continue;
            }
            let Some(mut link) = self.session.channel(node) else {
                continue;
            };
            let request = |_| MetadataRequest::default().with_topics(Some(Vec::new()));
            match link.send(request, i16::MAX, timeout, Note::Barrier) {
                Ok(()) => self.barriers += 1,
                Err(error) => self.session.close(node, error),
            }
        }
    }

    /// An error if there is no use in waiting.
    fn check(&mut self) -> Result<()> {
        if self.interrupt.is_raised() {
            return Err(Error::interrupted());
        }
        self.session.hopeless().map_or(Ok(()), Err)
    }

    fn topic_error(&mut self, topic: &str, after: Duration) -> Error {
        let code = self.session.cluster.topic(topic).map(|topic| topic.code);
        let servers = self.session.servers_in_words();
        match code {
            None => self.session.unreachable(after),
            Some(3) => Error::not_found(format!("topic \"{topic}\" not found on {servers}"))
                .hint(format!("kafkit topics create {topic}")),
            Some(code) => {
                let kind = match code {
                    17 => Kind::BadData,
                    29 => Kind::Denied,
                    _ => Kind::Failed,
                };
                Error::new(
                    kind,
                    format!("topic \"{topic}\" on {servers}: {}", failures::refused(code)),
                )
            }
        }
    }
}

impl RecordSink for DirectSink {
    fn send(&mut self, record: &RecordView<'_>, tag: u64, listener: &mut dyn DeliveryListener) -> Result<()> {
        self.send_at(record, tag, (Instant::now(), now_ms()), listener)
    }

    fn send_all(
        &mut self,
        records: &[RecordView<'_>],
        first_tag: u64,
        listener: &mut dyn DeliveryListener,
    ) -> Result<(), (usize, Error)> {
        let now = (Instant::now(), now_ms());
        for (place, record) in records.iter().enumerate() {
            self.send_at(record, first_tag + place as u64, now, listener)
                .map_err(|error| (place, error))?;
        }
        Ok(())
    }

    fn dispatch(&mut self, listener: &mut dyn DeliveryListener) -> Result<()> {
        if self.settings.linger.is_none() {
            self.let_all_leave();
        }
        for topic in &mut self.topics {
            topic.turns.end_turn();
        }
        self.turn_the_wheel(Duration::ZERO, listener);
        Ok(())
    }

    fn poll(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) -> Result<()> {
        self.turn_the_wheel(wait, listener);
        self.session.hopeless().map_or(Ok(()), Err)
    }

    fn hurry(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) {
        self.let_all_leave();
        self.turn_the_wheel(wait, listener);
    }

    fn flush(&mut self, listener: &mut dyn DeliveryListener) -> Result<()> {
        while self.outstanding > 0 {
            if let Err(error) = self.check() {
                self.abandon(listener);
                return Err(error);
            }
            self.let_all_leave();
            self.turn_the_wheel(STEP, listener);
        }
        if self.settings.acks == Acks::Nobody {
            self.send_barriers();
            while self.barriers > 0 && !self.interrupt.is_raised() {
                self.turn_the_wheel(STEP, listener);
            }
        }
        Ok(())
    }

    fn abandon(&mut self, listener: &mut dyn DeliveryListener) {
        self.give_up_all(None, listener);
    }

    fn in_flight(&self) -> usize {
        self.outstanding
    }

    fn prepare_topic(&mut self, topic: &str, wait: Duration) -> Result<usize> {
        let begun = Instant::now();
        let deadline = begun + wait;
        self.session.watch(topic);
        // What is known may be old: who asks wants to know what is so now.
        let answers = self.session.answers();
        self.session.ask_now();
        loop {
            let known = self.session.cluster.topic(topic);
            let (code, count) = known.map_or((0, 0), |known| (known.code, known.partitions.len()));
            let is_fresh = self.session.answers() > answers;
            if is_fresh && code == 0 && count > 0 {
                break;
            }
            if is_fresh && matches!(code, 17 | 29) || Instant::now() >= deadline {
                return Err(self.topic_error(topic, begun.elapsed()));
            }
            self.check()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if is_fresh {
                self.session.refresh();
            }
            self.turn_the_wheel(left.min(STEP), &mut Nobody);
        }
        if !self.topics.iter().any(|known| known.name == topic) {
            self.topics.push(Topic {
                name: topic.to_owned(),
                lanes: Vec::new(),
                turns: Turns::new(self.settings.is_sticky),
                id: uuid::Uuid::nil(),
            });
        }
        self.learn_leaders(&mut Nobody);
        let count = self
            .session
            .cluster
            .topic(topic)
            .map_or(0, |known| known.partitions.len());
        Ok(count)
    }

    fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }
}

/// Hears nothing: before anything was sent there is nothing to tell.
struct Nobody;

impl DeliveryListener for Nobody {
    fn delivered(&mut self, _count: u64) {}
    fn failed(&mut self, _failure: &crate::client::record_sink::DeliveryFailure<'_>) {}
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
