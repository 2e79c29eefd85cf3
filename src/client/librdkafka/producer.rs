//! [`RecordSink`] over librdkafka: records gathered in an arena, handed over a thousand at a time.
//!
//! Owns the bound on what is under way (bytes and records) and the account of what was delivered.

use std::time::{Duration, Instant};

use super::config;
use super::ffi::{self, Code, Event, Handle, Outgoing, Role};
use super::notices::{Notices, kind_of, reason_for};
use super::stall::{self, Stall};
use super::sticky::Sticky;
use super::tokens::Tokens;
use super::under_way::UnderWay;
use crate::client::preflight::Preflight;
use crate::client::record_sink::{DeliveryFailure, DeliveryListener, RecordSink, RecordView, SinkOptions};
use crate::client::request_limit::RequestLimit;
use crate::client::settings::Settings;
use crate::error::{Error, Kind, Result};
use crate::interrupt::Interrupt;

/// Records handed to librdkafka with one call.
const BATCH_RECORDS: usize = 1000;
/// Bytes gathered before they are handed over.
const BATCH_BYTES: usize = 256 * 1024;
/// Under way at most; `buffer.memory` changes the bytes. Several batches are enough to keep brokers busy, and few
/// enough not to grow old while they wait.
const MAX_RECORDS: usize = 200_000;
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How long one wait inside a longer one lasts, so that an interrupt is seen.
const STEP: Duration = Duration::from_millis(50);
/// How often a full queue is looked at again: nobody tells when something was delivered.
const PACE: Duration = Duration::from_millis(5);
/// How long librdkafka is told to send what it gathers.
const HURRY: Duration = Duration::from_millis(1);
/// After an interrupt: how long nothing may be delivered before the rest is given up, and how long it may take in all.
const LAST_PATIENCE: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(8);
/// How long records that are given up may take to be reported.
const LAST_REPORTS: Duration = Duration::from_millis(300);
/// librdkafka's codes for a record that was given up by us, and one that no broker took in time.
const GIVEN_UP: [Code; 3] = [-152, -151, -192];
/// The engine takes the time 0 for "now", which must not happen in silence.
const TIME_ZERO: &str = "the time 0 (1970-01-01T00:00:00Z) cannot be sent, it would become the present time; 1 is the \
                         earliest that can";

/// Sends through librdkafka.
#[derive(Debug)]
pub struct Producer {
    handle: Handle,
    arena: Vec<u8>,
    pending: Vec<Pending>,
    /// The topic of everything pending.
    pending_topic: Option<usize>,
    /// The topic asked for last, as the caller spells it and in the handle's table.
    last_topic: (String, usize),
    codes: Vec<Code>,
    under_way: UnderWay,
    max_bytes: usize,
    interrupt: Interrupt,
    notices: Notices,
    preflight: Preflight,
    servers: String,
    tokens: Tokens,
    sticky: Sticky,
    limit: RequestLimit,
    stall: Stall,
}

/// A record in the arena: key, then value.
#[derive(Clone, Copy, Debug)]
struct Pending {
    start: usize,
    /// Length, or null.
    key: Option<usize>,
    value: Option<usize>,
    partition: i32,
    /// The partition is our choice, and another would do.
    is_free: bool,
    tag: u64,
}

impl Pending {
    fn outgoing<'a>(&self, arena: &'a [u8]) -> Outgoing<'a> {
        let middle = self.start + self.key.unwrap_or(0);
        let end = middle + self.value.unwrap_or(0);
        Outgoing {
            key: self.key.and_then(|_| arena.get(self.start..middle)),
            value: self.value.and_then(|_| arena.get(middle..end)),
            partition: self.partition,
            tag: self.tag,
        }
    }

    fn bytes(&self) -> usize {
        self.key.unwrap_or(0) + self.value.unwrap_or(0)
    }
}

impl Producer {
    /// Connects in the background.
    pub fn open(settings: &Settings, options: SinkOptions) -> Result<Self> {
        let entries = config::producer(settings, &options.overrides, &options.defaults)?;
        let servers = config::value_of(&entries, "bootstrap.servers")
            .unwrap_or_default()
            .to_owned();
        let sticky = Sticky::new(&entries);
        let handle = Handle::new(Role::Producer, &entries).map_err(Error::usage)?;
        let max_bytes = settings
            .get("buffer.memory")
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or(MAX_BYTES);
        Ok(Self {
            handle,
            arena: Vec::with_capacity(BATCH_BYTES),
            pending: Vec::with_capacity(BATCH_RECORDS),
            pending_topic: None,
            last_topic: (String::new(), 0),
            codes: Vec::new(),
            under_way: UnderWay::default(),
            max_bytes,
            interrupt: options.interrupt,
            notices: Notices::default(),
            preflight: Preflight::of(settings),
            servers,
            tokens: Tokens::of(settings)?,
            sticky,
            limit: RequestLimit::of(settings),
            stall: Stall::new(),
        })
    }

    fn topic(&mut self, name: &str) -> Result<usize> {
        if self.last_topic.0 != name || self.pending_topic.is_none() {
            let position = self.handle.topic(name).map_err(Error::failed)?;
            self.last_topic = (name.to_owned(), position);
            self.pending_topic.get_or_insert(position);
        }
        Ok(self.last_topic.1)
    }

    /// Waits until there is room for more.
    fn wait_for_room(&mut self, bytes: usize, listener: &mut dyn DeliveryListener) -> Result<()> {
        let mut held = self.settle(listener);
        loop {
            let under_way = self.under_way.bytes();
            if held < MAX_RECORDS && (under_way == 0 || under_way + bytes <= self.max_bytes) {
                return Ok(());
            }
            self.take_reports(PACE, listener);
            self.check()?;
            self.tell_of_stall(listener);
            let before = std::mem::replace(&mut held, self.settle(listener));
            if held >= before {
                // Too much for our bounds and yet no batch is full, with many partitions say.
                self.handle.hurry(HURRY);
            }
        }
    }

    /// Tells of what was delivered meanwhile; gives how many records librdkafka still holds.
    fn settle(&mut self, listener: &mut dyn DeliveryListener) -> usize {
        let held = self.handle.in_flight();
        let news = self.under_way.settle(held);
        if news > 0 {
            listener.delivered(news);
            self.notices.forget_trouble();
        }
        if news > 0 || held == 0 {
            let line = self.stall.end().filter(|_| news > 0);
            if let Some(line) = line {
                listener.notice(&line);
            }
        }
        held
    }

    /// Says what goes wrong while the caller waits, since it cannot ask for notices then.
    fn tell_of_stall(&mut self, listener: &mut dyn DeliveryListener) {
        for line in self.notices.drain() {
            listener.notice(&line);
        }
        let records = self.in_flight();
        let line = self
            .stall
            .line(records, &self.servers, &self.notices, &self.handle.overheard);
        if let Some(line) = line.filter(|_| records > 0) {
            listener.notice(&line);
        }
    }

    /// Why a record that was taken will not arrive: the broker's words, or what kept it from being sent.
    fn reason(code: Code, refusal: Option<String>, cause: Option<&str>) -> String {
        match (refusal, cause) {
            (Some(refusal), _) => refusal,
            (None, Some(cause)) if GIVEN_UP.contains(&code) => format!("{}: {cause}", ffi::error_text(code)),
            (None, _) => ffi::error_text(code),
        }
    }

    /// An error if there is no use in waiting.
    fn check(&self) -> Result<()> {
        if self.interrupt.is_raised() {
            return Err(Error::interrupted());
        }
        self.notices
            .hopeless()
            .map_or(Ok(()), |error| Err(self.on_servers(error)))
    }

    fn on_servers(&self, error: Error) -> Error {
        error.context(format!("cannot use {}", self.servers))
    }

    fn take_reports(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) {
        let overheard = std::sync::Arc::clone(&self.handle.overheard);
        let (notices, under_way) = (&mut self.notices, &mut self.under_way);
        let (mut wants_token, mut has_changed) = (false, false);
        self.handle.poll_events(wait, &mut |event| match event {
            // Where somebody set librdkafka to report successes, too, they are counted with all others.
            Event::Ended(report) if report.code == 0 => {}
            Event::Ended(report) => {
                under_way.fail();
                has_changed |= matches!(report.code, ffi::UNKNOWN_PARTITION | ffi::UNKNOWN_TOPIC | 3);
                let refusal = overheard.take_refusal(report.tag);
                let cause = stall::cause(notices, &overheard);
                listener.failed(&DeliveryFailure {
                    tag: report.tag,
                    partition: (report.partition >= 0).then_some(report.partition),
                    reason: &Self::reason(report.code, refusal, cause.as_deref()),
                    kind: kind_of(report.code),
                    key_bytes: report.key_bytes,
                    value_bytes: report.value_bytes,
                });
            }
            Event::TokenWanted => wants_token = true,
            event => notices.take_event(&event),
        });
        if wants_token {
            self.tokens.provide(&mut self.handle, &mut self.notices);
        }
        self.notices.look_into(&mut self.preflight);
        if has_changed || self.notices.last().is_some() {
            self.sticky.give_up();
        }
    }

    fn fail(record: &Pending, code: Code, cause: Option<&str>, listener: &mut dyn DeliveryListener) {
        listener.failed(&DeliveryFailure {
            tag: record.tag,
            partition: (record.partition >= 0).then_some(record.partition),
            reason: &Self::reason(code, None, cause),
            kind: kind_of(code),
            key_bytes: record.key.unwrap_or(0),
            value_bytes: record.value.unwrap_or(0),
        });
    }

    /// Hands pending records over, from the first; those that find the queue full stay pending.
    fn hand_over(&mut self, listener: &mut dyn DeliveryListener) {
        let Some(topic) = self.pending_topic else {
            return;
        };
        let (arena, pending) = (&self.arena, &self.pending);
        let batch = pending.iter().map(|record| record.outgoing(arena));
        self.handle.produce_batch(topic, batch, &mut self.codes);
        let (mut taken, mut bytes) = (0, 0);
        let mut codes = self.codes.iter().copied();
        let sticky = &mut self.sticky;
        self.pending.retain_mut(|record| match codes.next() {
            None | Some(ffi::QUEUE_FULL) => true,
            Some(0) => {
                taken += 1;
                bytes += record.bytes();
                false
            }
            Some(ffi::UNKNOWN_PARTITION) if record.is_free => {
                // The topic is no longer what it was when we chose.
                sticky.give_up();
                (record.partition, record.is_free) = (-1, false);
                true
            }
            Some(code) => {
                Self::fail(record, code, None, listener);
                false
            }
        });
        self.under_way.take(taken, bytes);
        if self.pending.is_empty() {
            self.arena.clear();
            self.pending_topic = None;
        }
    }

    fn push(&mut self, record: &RecordView<'_>, tag: u64) {
        let start = self.arena.len();
        let chosen = record.partition.or_else(|| match record.key {
            None => self.sticky.partition(record.topic),
            Some(_) => None,
        });
        self.arena.extend_from_slice(record.key.unwrap_or_default());
        self.arena.extend_from_slice(record.value.unwrap_or_default());
        self.pending.push(Pending {
            start,
            key: record.key.map(<[u8]>::len),
            value: record.value.map(<[u8]>::len),
            partition: chosen.unwrap_or(-1),
            is_free: record.partition.is_none() && chosen.is_some(),
            tag,
        });
    }

    /// Sends a record that has headers or a time, which only the call for single records takes.
    fn send_whole(
        &mut self,
        topic: usize,
        record: &RecordView<'_>,
        tag: u64,
        listener: &mut dyn DeliveryListener,
    ) -> Result<()> {
        let outgoing = Outgoing {
            key: record.key,
            value: record.value,
            partition: record.partition.unwrap_or(-1),
            tag,
        };
        let bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        self.wait_for_room(bytes, listener)?;
        loop {
            match self
                .handle
                .produce_one(topic, &outgoing, record.headers, record.timestamp)
            {
                0 => {
                    self.under_way.take(1, bytes);
                    return Ok(());
                }
                ffi::QUEUE_FULL => {
                    self.take_reports(PACE, listener);
                    self.check()?;
                    self.tell_of_stall(listener);
                }
                code => {
                    listener.failed(&DeliveryFailure {
                        tag,
                        partition: record.partition,
                        reason: &ffi::error_text(code),
                        kind: kind_of(code),
                        key_bytes: record.key.map_or(0, <[u8]>::len),
                        value_bytes: record.value.map_or(0, <[u8]>::len),
                    });
                    return Ok(());
                }
            }
        }
    }
}

impl RecordSink for Producer {
    fn send_all(
        &mut self,
        records: &[RecordView<'_>],
        first_tag: u64,
        listener: &mut dyn DeliveryListener,
    ) -> Result<(), (usize, Error)> {
        for (place, record) in records.iter().enumerate() {
            self.send(record, first_tag + place as u64, listener)
                .map_err(|error| (place, error))?;
        }
        Ok(())
    }

    fn send(&mut self, record: &RecordView<'_>, tag: u64, listener: &mut dyn DeliveryListener) -> Result<()> {
        let is_lost = record.timestamp == Some(0);
        let refusal = is_lost.then(|| TIME_ZERO.to_owned());
        if let Some(reason) = refusal.or_else(|| self.limit.refusal(record)) {
            listener.failed(&DeliveryFailure {
                tag,
                partition: record.partition,
                reason: &reason,
                kind: Kind::BadData,
                key_bytes: record.key.map_or(0, <[u8]>::len),
                value_bytes: record.value.map_or(0, <[u8]>::len),
            });
            return Ok(());
        }
        let is_full = self.pending.len() >= BATCH_RECORDS || self.arena.len() >= BATCH_BYTES;
        let is_other_topic = !self.pending.is_empty() && self.last_topic.0 != record.topic;
        let is_plain = record.headers.is_empty() && record.timestamp.is_none();
        if is_full || is_other_topic || !is_plain {
            self.dispatch(listener)?;
        }
        let topic = self.topic(record.topic)?;
        if is_plain {
            self.push(record, tag);
            return Ok(());
        }
        self.send_whole(topic, record, tag, listener)?;
        self.pending_topic = None;
        if tag.is_multiple_of(BATCH_RECORDS as u64) {
            self.take_reports(Duration::ZERO, listener);
        }
        Ok(())
    }

    fn dispatch(&mut self, listener: &mut dyn DeliveryListener) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let bytes = self.arena.len();
        let has_paused = self.pending.len() < BATCH_RECORDS && bytes < BATCH_BYTES;
        self.wait_for_room(bytes, listener)?;
        self.sticky.count(bytes, has_paused);
        self.hand_over(listener);
        self.take_reports(Duration::ZERO, listener);
        while !self.pending.is_empty() {
            self.take_reports(PACE, listener);
            self.check()?;
            self.tell_of_stall(listener);
            self.hand_over(listener);
        }
        Ok(())
    }

    fn poll(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) -> Result<()> {
        self.take_reports(wait, listener);
        self.settle(listener);
        self.tell_of_stall(listener);
        self.notices
            .hopeless()
            .map_or(Ok(()), |error| Err(self.on_servers(error)))
    }

    fn hurry(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) {
        if self.handle.in_flight() > 0 {
            self.handle.hurry(wait.max(HURRY));
        }
        self.take_reports(Duration::ZERO, listener);
        self.settle(listener);
    }

    fn flush(&mut self, was_interrupted: bool, listener: &mut dyn DeliveryListener) -> Result<()> {
        let mut held = usize::MAX;
        let mut interrupted = was_interrupted.then(Instant::now);
        loop {
            self.hand_over(listener);
            self.take_reports(Duration::ZERO, listener);
            let before = std::mem::replace(&mut held, self.settle(listener));
            if self.pending.is_empty() && held == 0 {
                return Ok(());
            }
            if interrupted.is_none() && self.interrupt.take() {
                interrupted = Some(Instant::now());
            }
            let is_over = interrupted.is_some_and(|since| {
                let waited = since.elapsed();
                waited > LAST_WAIT || waited.min(self.stall.age()) > LAST_PATIENCE
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
            self.tell_of_stall(listener);
            // Whole batches leave by themselves; what is less than one has to be told.
            if held <= BATCH_RECORDS || held >= before {
                self.handle.hurry(PACE);
            } else {
                self.take_reports(PACE, listener);
            }
        }
    }

    fn abandon(&mut self, listener: &mut dyn DeliveryListener) {
        let cause = stall::cause(&self.notices, &self.handle.overheard);
        self.handle.purge();
        let deadline = Instant::now() + LAST_REPORTS;
        while self.settle(listener) > 0 && Instant::now() < deadline {
            self.take_reports(STEP, listener);
        }
        for record in std::mem::take(&mut self.pending) {
            Self::fail(&record, GIVEN_UP[0], cause.as_deref(), listener);
        }
        self.arena.clear();
    }

    fn in_flight(&self) -> usize {
        self.pending.len() + self.handle.in_flight()
    }

    fn prepare_topic(&mut self, topic: &str, wait: Duration) -> Result<usize> {
        let deadline = Instant::now() + wait;
        let mut nobody = Unheard;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = self.handle.metadata(Some(topic), left.min(STEP * 4).max(STEP));
            self.take_reports(Duration::ZERO, &mut nobody);
            self.check()?;
            let code = match answer.as_deref() {
                Ok([found, ..]) if found.code == 0 && !found.partitions.is_empty() => {
                    self.sticky.learn(topic, found.led.clone());
                    let count = found.partitions.len();
                    // The producer id is asked for with each answer, but the first comes while the connection is
                    // still being named, and librdkafka would wait half a second before it tries again.
                    let _ = self.handle.metadata(Some(topic), STEP * 4);
                    return Ok(count);
                }
                Ok([found, ..]) => found.code,
                Ok([]) => 3,
                Err(code) => *code,
            };
            let is_final = matches!(code, 17 | 29);
            if is_final || left.is_zero() {
                return Err(self.topic_error(topic, code));
            }
            self.take_reports(Duration::from_millis(20), &mut nobody);
        }
    }

    fn take_notices(&mut self) -> Vec<String> {
        self.notices.drain()
    }
}

impl Producer {
    fn topic_error(&self, topic: &str, code: Code) -> Error {
        let servers = &self.servers;
        match kind_of(code) {
            Kind::Unreachable => {
                let why = self.notices.last().map(|trouble| reason_for(servers, trouble));
                let why = why.unwrap_or_else(|| ffi::error_text(code));
                Error::unreachable(format!("cannot reach {servers}: {why}")).hint("is the broker up?")
            }
            Kind::NotFound => Error::not_found(format!("topic \"{topic}\" not found on {servers}"))
                .hint(format!("kafkit topics create {topic}")),
            kind => Error::new(
                kind,
                format!("topic \"{topic}\" on {servers}: {}", ffi::error_text(code)),
            ),
        }
    }
}

/// Hears reports before anything was sent: there are none.
struct Unheard;

impl DeliveryListener for Unheard {
    fn delivered(&mut self, _count: u64) {}
    fn failed(&mut self, _failure: &DeliveryFailure<'_>) {}
    fn notice(&mut self, _line: &str) {}
}
