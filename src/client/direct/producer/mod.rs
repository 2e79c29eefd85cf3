//! [`RecordSink`] over our own wire: records into batches, batches to the leaders of their partitions.
//!
//! One thread does it all (compression has its own): it fills batches while requests are in flight, and waits only
//! when memory is used up. [`partition_queue`] decides what happens to the batches of one partition; this file
//! connects its events and effects with the connections.

mod answers;
mod failures;
mod gather;
mod identity;
mod lane;
mod leaders;
mod partition_queue;
pub(crate) mod partitioner;
#[cfg(test)]
mod queue_model;
mod request;
mod sealer;
mod send;
mod split;
mod stuck;
mod tags;
mod topic_limit;
mod verdict;
mod whole_batches;

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::session::Session;
use crate::client::produce_settings::{Acks, Keyless, ProduceSettings};
use crate::client::record_sink::{DeliveryFailure, DeliveryListener, RecordSink, RecordView, SinkOptions};
use crate::error::{Error, Kind, Result};
use crate::interrupt::Interrupt;
use crate::topic_partition::{BrokerId, Offset};
use crate::wire::error_codes as codes;
use identity::IdentityState;
use lane::Lane;
use partition_queue::{Attempt, Failure, Rules};
use partitioner::Turns;
use sealer::Sealer;
use topic_limit::TopicLimit;

/// How long one wait inside a longer one is, so that an interrupt is noticed.
const STEP: Duration = Duration::from_millis(50);
/// The client waits this much longer than the broker may.
const ANSWER_MARGIN: Duration = Duration::from_secs(2);
/// After an interrupt: how long there may be no delivery before the rest is given up, and how long it may take in all.
const LAST_PATIENCE: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(8);
/// Buffers kept for the next batches.
const SPARE_BUFFERS: usize = 16;

/// The note of a request.
#[derive(Debug)]
enum Note {
    Batches {
        broker: BrokerId,
        attempts: Vec<(usize, Attempt)>,
    },
    ProducerId,
    TopicLimit,
    /// Its answer proves that the broker has received everything sent before it.
    Barrier,
}

#[derive(Debug)]
struct Topic {
    name: String,
    /// The lane of each partition, from 0 on.
    lanes: Vec<usize>,
    turns: Turns,
    /// Nil from brokers without topic ids.
    id: Uuid,
    /// Since when the cluster says that there is no such topic.
    gone_since: Option<Instant>,
}

/// Sends over our own wire.
#[derive(Debug)]
pub(crate) struct DirectSink {
    settings: ProduceSettings,
    rules: Rules,
    interrupt: Interrupt,
    session: Session<Note>,
    /// Metadata answers that the lanes have taken over.
    seen_answers: u64,
    identity_state: IdentityState,
    /// The records are part of transactions, which the caller begins and ends.
    transactional_id: Option<String>,
    sealer: Sealer,
    topics: Vec<Topic>,
    lanes: Vec<Lane>,
    /// The topic of the last record.
    last_topic: usize,
    /// The lane that is considered first, so that all get a turn in small requests.
    first_lane: usize,
    /// Bytes of records that are neither delivered nor given up.
    memory: usize,
    /// Records of the same.
    outstanding: usize,
    spare: Vec<Vec<u8>>,
    next_batch: u64,
    fatal: Option<(Failure, String)>,
    barriers: usize,
    topic_limit: TopicLimit,
    notices: Vec<String>,
    /// The broker's message about the error that is being handled.
    last_words: Option<String>,
    /// The base offset of the batch that the current answer is about.
    base_offset: Option<Offset>,
}

impl DirectSink {
    /// Connects in the background.
    pub(crate) fn open(settings: ProduceSettings, options: SinkOptions) -> Result<Self> {
        let mut cluster = settings.cluster.clone();
        cluster.connection.request_timeout = settings.request_timeout + ANSWER_MARGIN;
        let session = Session::new(cluster, true)?;
        let sealer = Sealer::new(settings.level, session.waker());
        Ok(Self {
            rules: Rules {
                is_idempotent: settings.is_idempotent,
                most_in_flight: settings.max_in_flight,
                delivery_timeout: settings.delivery_timeout,
                retries: settings.retries,
                retry: settings.cluster.retry,
                stops_at_failure: false,
            },
            settings,
            interrupt: options.interrupt,
            session,
            seen_answers: 0,
            identity_state: IdentityState::Unknown {
                ask_at: Instant::now(),
            },
            transactional_id: None,
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
            topic_limit: TopicLimit::Unwanted,
            notices: Vec::new(),
            last_words: None,
            base_offset: None,
        })
    }

    // ---- events and effects ----

    /// One turn: sends what can be sent, waits up to `wait` for events, and handles them.
    fn drive_io(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) {
        // Requests are sent before the wait.
        self.ask_for_identity();
        self.ask_topic_limit();
        self.send_what_is_ready(Instant::now(), listener);
        let wait = wait.min(self.time_to_next_deadline());
        for event in self.session.wait(wait) {
            self.take_event(event, listener);
        }
        while let Some(sealed) = self.sealer.next() {
            if let Some(lane) = self.lanes.get_mut(sealed.ticket.lane) {
                lane.queue.finish(sealed.ticket.batch, sealed.bytes.into());
            }
            self.keep_spare(sealed.spare);
        }
        if self.session.answers() != self.seen_answers {
            self.seen_answers = self.session.answers();
            self.learn_leaders(listener);
        }
        let now = Instant::now();
        for place in 0..self.lanes.len() {
            self.give_up_what_is_late(place, now, listener);
        }
        self.ask_for_identity();
        self.ask_topic_limit();
        self.send_what_is_ready(now, listener);
        self.watch_for_stuck_lanes(now);
        // Records that were taken after a fatal error fail with it too.
        if let Some((failure, _)) = self.fatal.clone().filter(|_| self.outstanding > 0) {
            self.give_up_all(Some(&failure), listener);
        }
    }

    fn give_up_what_is_late(&mut self, place: usize, now: Instant, listener: &mut dyn DeliveryListener) {
        let Some(lane) = self.lanes.get(place) else {
            return;
        };
        let is_too_much = lane.is_stuck_for(now, self.settings.patience);
        if is_too_much || lane.is_overdue(now, self.rules.delivery_timeout) {
            self.close_batch(place);
        }
        let Some(lane) = self.lanes.get_mut(place) else {
            return;
        };
        let effects = if is_too_much {
            lane.queue.run_out_of_patience()
        } else {
            lane.queue.expire(now)
        };
        self.take_effects(place, effects, listener);
    }

    fn time_to_next_deadline(&self) -> Duration {
        let now = Instant::now();
        let linger = self.settings.linger;
        let patience = self.settings.patience;
        let deadlines = self
            .lanes
            .iter()
            .filter_map(|lane| lane.next_deadline(linger, patience));
        let next = deadlines.filter(|deadline| *deadline > now).min();
        next.map_or(Duration::MAX, |next| next - now)
    }

    // ---- sending ----

    /// An error if waiting is useless.
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
            Some(codes::UNKNOWN_TOPIC_OR_PARTITION) => {
                Error::not_found(format!("topic \"{topic}\" not found on {servers}"))
                    .hint(format!("kafkit topics create {topic}"))
            }
            Some(code) => {
                let kind = match code {
                    codes::INVALID_TOPIC_EXCEPTION => Kind::BadData,
                    codes::TOPIC_AUTHORIZATION_FAILED => Kind::Denied,
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
        let topic = self.topic_of(record.topic)?;
        self.send_at(topic, record, tag, (Instant::now(), now_ms()), listener)
    }

    fn send_all(
        &mut self,
        records: &[RecordView<'_>],
        first_tag: u64,
        listener: &mut dyn DeliveryListener,
    ) -> Result<(), (usize, Error)> {
        let now = (Instant::now(), now_ms());
        let mut last: Option<(&str, usize)> = None;
        for (place, record) in records.iter().enumerate() {
            let topic = match last {
                // Consecutive records mostly name their topic with the same bytes.
                Some((name, topic)) if std::ptr::eq(name, record.topic) => topic,
                _ => self.topic_of(record.topic).map_err(|error| (place, error))?,
            };
            last = Some((record.topic, topic));
            self.send_at(topic, record, first_tag + place as u64, now, listener)
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
        self.drive_io(Duration::ZERO, listener);
        Ok(())
    }

    fn poll(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) -> Result<()> {
        self.drive_io(wait, listener);
        self.session.hopeless().map_or(Ok(()), Err)
    }

    fn flush_early(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) {
        self.let_all_leave();
        self.drive_io(wait, listener);
    }

    fn flush(&mut self, was_interrupted: bool, listener: &mut dyn DeliveryListener) -> Result<()> {
        let mut interrupted = was_interrupted.then(Instant::now);
        let mut last_delivery = Instant::now();
        let mut needs_barriers = self.settings.acks == Acks::Nobody;
        loop {
            if self.outstanding == 0 && std::mem::take(&mut needs_barriers) {
                self.send_barriers();
            }
            if self.outstanding == 0 && self.barriers == 0 {
                return Ok(());
            }
            if interrupted.is_none() && self.interrupt.take() {
                interrupted = Some(Instant::now());
            }
            let is_over = interrupted.is_some_and(|since| {
                let waited = since.elapsed();
                waited > LAST_WAIT || waited.min(last_delivery.elapsed()) > LAST_PATIENCE
            });
            let outcome = if is_over {
                Err(Error::interrupted())
            } else {
                self.check()
            };
            if let Err(error) = outcome {
                self.abandon(listener);
                return Err(error);
            }
            self.let_all_leave();
            let before = self.outstanding;
            self.drive_io(STEP, listener);
            if self.outstanding < before {
                last_delivery = Instant::now();
            }
            for line in self.take_notices() {
                listener.notice(&line);
            }
        }
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
        // The known metadata may be old: the caller wants the current state.
        let answers = self.session.answers();
        self.session.ask_now();
        loop {
            let known = self.session.cluster.topic(topic);
            let (code, count) = known.map_or((0, 0), |known| (known.code, known.partitions.len()));
            let is_fresh = self.session.answers() > answers;
            if is_fresh && code == 0 && count > 0 {
                break;
            }
            let is_final = matches!(
                code,
                codes::INVALID_TOPIC_EXCEPTION | codes::TOPIC_AUTHORIZATION_FAILED
            );
            if is_fresh && is_final || Instant::now() >= deadline {
                return Err(self.topic_error(topic, begun.elapsed()));
            }
            self.check()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if is_fresh {
                self.session.refresh();
            }
            self.drive_io(left.min(STEP), &mut NoListener);
        }
        if !self.topics.iter().any(|known| known.name == topic) {
            self.topics.push(Topic {
                name: topic.to_owned(),
                lanes: Vec::new(),
                turns: Turns::new(self.settings.partitioner.keyless == Keyless::InTurns),
                id: Uuid::nil(),
                gone_since: None,
            });
        }
        self.learn_leaders(&mut NoListener);
        let count = self
            .session
            .cluster
            .topic(topic)
            .map_or(0, |known| known.partitions.len());
        Ok(count)
    }

    fn want_max_message_bytes(&mut self, topic: &str) {
        self.topic_limit = TopicLimit::Wanted(topic.to_owned());
    }

    fn max_message_bytes(&mut self, topic: &str, wait: Duration) -> Option<usize> {
        self.await_topic_limit(topic, wait)
    }

    fn limit_batches(&mut self, bytes: usize) {
        self.settings.batch_bytes = self.settings.batch_bytes.min(bytes.max(1));
    }

    fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }
}

/// Ignores reports: nothing has been sent yet.
struct NoListener;

impl DeliveryListener for NoListener {
    fn delivered(&mut self, _count: u64) {}
    fn failed(&mut self, _failure: &DeliveryFailure<'_>) {}
    fn notice(&mut self, _line: &str) {}
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
