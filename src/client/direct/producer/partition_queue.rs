//! The queue of batches of one partition: a state machine without socket or clock, events in, effects out.
//!
//! Owns order and exactly-once within the partition. Its rules:
//! - A batch does not change after it is first sent: each try has the same bytes, producer id, epoch and sequence
//!   number (KIP-98). It gets new numbers only after a broker has definitely refused it.
//! - Only the oldest batch succeeds, fails or is tried again. Once it is tried again, answers to the batches after it
//!   no longer count: they are sent again too.
//! - More than one batch is in flight only after a first success on that broker: a broker that does not know the
//!   producer accepts any first sequence number (KAFKA-15591). Without idempotence only one is in flight, to keep the
//!   order.
//! - Nothing is sent to another leader while an answer of the old one is outstanding.
//! - What a broker may have written is never reported as "not written".

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::tags::Tags;
use super::verdict::Verdict;
use crate::client::backoff::Backoff;
use crate::client::batch_bytes::BatchBytes;
use crate::error::Kind;
use crate::records::batch_builder::Producer;
use crate::records::batch_header::{crc_is_valid, increment_sequence};
use crate::topic_partition::BrokerId;
use crate::wire::error_codes as codes;

/// An idempotent producer's id and epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// Identifies one try of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt(u64);

/// The rules of a producer for all partitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) is_idempotent: bool,
    pub(super) most_in_flight: usize,
    /// The longest time from a batch's first record until it is given up.
    pub(super) delivery_timeout: Duration,
    /// Tries after the first.
    pub(super) retries: Option<u32>,
    pub(super) retry: Backoff,
    /// Nothing after a failed batch is sent, so that the partition gets no gap.
    pub(super) stops_at_failure: bool,
}

/// A batch of records in the queue.
#[derive(Debug)]
pub(super) struct Batch {
    /// Identifies the batch while it is being compressed.
    pub(super) id: u64,
    /// The finished batch; `None` while it is being compressed.
    pub(super) bytes: Option<BatchBytes>,
    pub(super) records: u32,
    pub(super) tags: Tags,
    /// When its first record was taken.
    pub(super) created: Instant,
    /// Its bytes in the producer's memory limit.
    pub(super) memory: usize,
    /// Its bytes have their checksum; otherwise the first stamp computes it.
    pub(super) is_sealed: bool,
    tries: u32,
    /// Identity and first sequence number, once it was sent.
    stamp: Option<(Identity, i32)>,
    /// The try in flight.
    attempt: Option<Attempt>,
    /// An earlier try whose answer no longer counts, but may still prove that nothing was written.
    old_attempt: Option<Attempt>,
    /// A broker may have appended it.
    is_ambiguous: bool,
}

impl Batch {
    pub(super) fn new(id: u64, records: u32, tags: Tags, created: Instant, memory: usize) -> Self {
        Self {
            id,
            bytes: None,
            records,
            tags,
            created,
            memory,
            is_sealed: false,
            tries: 0,
            stamp: None,
            attempt: None,
            old_attempt: None,
            is_ambiguous: false,
        }
    }

    /// A part of a batch that was too large, with its checksum; it takes over its sequence numbers and its age.
    pub(super) fn part(&self, id: u64, after: u32, records: u32, tags: Tags, bytes: Vec<u8>) -> Self {
        let mut part = Self::new(id, records, tags, self.created, bytes.len());
        part.stamp = self
            .stamp
            .map(|(identity, sequence)| (identity, increment_sequence(sequence, after as i32)));
        part.bytes = Some(BatchBytes::from(bytes));
        part.is_sealed = true;
        part.write_stamp();
        part
    }

    fn write_stamp(&mut self) {
        if let (Some((identity, base_sequence)), Some(bytes)) = (self.stamp, &mut self.bytes) {
            let producer = Producer {
                id: identity.id,
                epoch: identity.epoch,
                base_sequence,
            };
            bytes.stamp(producer, std::mem::replace(&mut self.is_sealed, true));
        }
    }
}

/// Why a batch was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The broker's error code; `may_be_written` if the code leaves that open.
    Refused {
        code: i16,
        kind: Kind,
        may_be_written: bool,
    },
    /// The delivery timeout has passed.
    TimedOut { may_be_written: bool },
    /// The topic or the partition no longer exists.
    Gone { may_be_written: bool },
    /// The run was ended.
    Abandoned { may_be_written: bool },
}

impl Failure {
    /// The class of the failure.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Refused { kind, .. } => *kind,
            _ => Kind::Failed,
        }
    }
}

/// What follows from an event.
#[derive(Debug)]
pub(super) enum Effect {
    Delivered(Batch),
    Failed(Batch, Failure),
    /// Split it, and [`PartitionQueue::put_back`] the parts.
    Split(Batch),
    /// The metadata is out of date.
    Refresh,
    /// Sequence numbers of this identity are missing; the next needs a new epoch.
    Bump(Identity),
    /// The producer cannot continue.
    Fatal {
        code: i16,
        kind: Kind,
    },
}

/// The batches of one partition, oldest first.
#[derive(Debug)]
pub(super) struct PartitionQueue {
    rules: Rules,
    batches: VecDeque<Batch>,
    /// How many of them, from the oldest on, are in flight.
    sent: usize,
    /// Tries without an answer, also of batches that were given up.
    in_flight: usize,
    in_flight_on: Option<BrokerId>,
    /// The broker that last accepted a batch; `None` again after a retry or a change of leader.
    proven: Option<BrokerId>,
    identity: Option<Identity>,
    next_sequence: i32,
    /// Give every batch new numbers once no answer is outstanding.
    renumbers: bool,
    retry_at: Option<Instant>,
    /// The error code of the last answer, if it had one.
    last_refusal: Option<i16>,
    next_attempt: u64,
    /// A batch failed, and the rules forbid to send those after it.
    is_stopped: bool,
}

impl PartitionQueue {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            batches: VecDeque::new(),
            sent: 0,
            in_flight: 0,
            in_flight_on: None,
            proven: None,
            identity: None,
            next_sequence: 0,
            renumbers: false,
            retry_at: None,
            last_refusal: None,
            next_attempt: 0,
            is_stopped: false,
        }
    }

    /// The error code of the last answer, if the leader has too few in-sync replicas.
    pub(super) fn lacks_replicas(&self) -> Option<i16> {
        let codes = [
            codes::NOT_ENOUGH_REPLICAS,
            codes::NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        ];
        self.last_refusal.filter(|code| codes.contains(code))
    }

    /// Whether nothing more is sent.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Batches that are neither delivered nor given up.
    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    /// Batches that are not in flight.
    pub(super) fn waiting(&self) -> usize {
        self.batches.len() - self.sent
    }

    /// Tries without an answer.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Records that are neither delivered nor given up.
    pub(super) fn records(&self) -> usize {
        self.batches.iter().map(|batch| batch.records as usize).sum()
    }

    /// Adds a batch at the end.
    pub(super) fn push(&mut self, batch: Batch) {
        self.batches.push_back(batch);
    }

    /// Sets a batch's bytes, once they are compressed.
    pub(super) fn finish(&mut self, id: u64, bytes: BatchBytes) {
        if let Some(batch) = self.batches.iter_mut().find(|batch| batch.id == id) {
            batch.bytes = Some(bytes);
        }
    }

    /// Puts the parts of a batch that was too large in its place.
    pub(super) fn put_back(&mut self, parts: Vec<Batch>) {
        for part in parts.into_iter().rev() {
            self.batches.push_front(part);
        }
    }

    /// Whether a batch can be sent to this broker now.
    pub(super) fn is_ready(&self, now: Instant, broker: BrokerId, identity: Option<Identity>) -> bool {
        let Some(batch) = self.batches.get(self.sent) else {
            return false;
        };
        let has_room = self.in_flight == 0
            || (self.in_flight_on == Some(broker)
                && self.rules.is_idempotent
                && self.proven == Some(broker)
                && !self.renumbers
                && self.in_flight < self.rules.most_in_flight);
        let has_numbers = !self.rules.is_idempotent
            || (batch.stamp.is_some() && !self.renumbers)
            || identity.is_some_and(|identity| {
                self.identity == Some(identity) && !self.renumbers || (self.in_flight == 0 && self.sent == 0)
            });
        batch.bytes.is_some() && has_room && has_numbers && self.retry_at.is_none_or(|at| at <= now)
    }

    /// The size of the next batch to send, in bytes.
    pub(super) fn next_len(&self) -> usize {
        let next = self.batches.get(self.sent);
        next.and_then(|batch| batch.bytes.as_ref())
            .map_or(0, BatchBytes::len)
    }

    /// Sends the next batch to `broker`, which must be the leader; returns its bytes and the id of this try.
    pub(super) fn send(
        &mut self,
        now: Instant,
        broker: BrokerId,
        identity: Option<Identity>,
    ) -> Option<(Attempt, BatchBytes)> {
        if !self.is_ready(now, broker, identity) {
            return None;
        }
        self.take_identity(identity);
        let attempt = Attempt(self.next_attempt);
        let batch = self.batches.get_mut(self.sent)?;
        if let (None, Some(identity)) = (batch.stamp, self.identity) {
            batch.stamp = Some((identity, self.next_sequence));
            self.next_sequence = increment_sequence(self.next_sequence, batch.records as i32);
            batch.write_stamp();
        }
        batch.attempt = Some(attempt);
        batch.tries += 1;
        let bytes = batch.bytes.clone()?;
        self.next_attempt += 1;
        self.sent += 1;
        self.in_flight += 1;
        self.in_flight_on = Some(broker);
        self.retry_at = None;
        Some((attempt, bytes))
    }

    /// Takes over a new identity: sequence numbers begin again at 0.
    fn take_identity(&mut self, identity: Option<Identity>) {
        if !self.rules.is_idempotent || self.in_flight > 0 || self.sent > 0 {
            return;
        }
        if self.renumbers {
            self.renumbers = false;
            self.identity = None;
            for batch in &mut self.batches {
                batch.stamp = None;
                batch.is_ambiguous = false;
            }
        }
        let is_stamped = self.batches.front().is_some_and(|batch| batch.stamp.is_some());
        if !is_stamped && self.identity != identity {
            self.identity = identity;
            self.next_sequence = 0;
        }
    }

    /// A broker's answer to a try; `code` is its error code.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        attempt: Attempt,
        broker: BrokerId,
        verdict: Verdict,
        code: i16,
    ) -> Vec<Effect> {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.oldest_is(attempt) {
            return self.settle_oldest(now, broker, verdict, code);
        }
        // An answer that no longer counts can still prove that nothing was written.
        let is_no = !matches!(
            verdict,
            Verdict::Written
                | Verdict::Again {
                    is_ambiguous: true,
                    ..
                }
                | Verdict::Refused {
                    is_ambiguous: true,
                    ..
                }
        );
        self.forget_attempt(attempt, is_no);
        Vec::new()
    }

    /// The connection was lost before the answer. `is_unsent` if no byte of the request was sent.
    pub(super) fn lost(&mut self, now: Instant, attempt: Attempt, is_unsent: bool) -> Vec<Effect> {
        self.in_flight = self.in_flight.saturating_sub(1);
        if !self.oldest_is(attempt) {
            self.forget_attempt(attempt, is_unsent);
            return Vec::new();
        }
        let verdict = Verdict::Again {
            is_ambiguous: !is_unsent,
            refresh: true,
        };
        let on = self.in_flight_on.unwrap_or(-1);
        self.settle_oldest(now, on, verdict, 13)
    }

    fn oldest_is(&self, attempt: Attempt) -> bool {
        self.batches
            .front()
            .is_some_and(|batch| batch.attempt == Some(attempt))
    }

    fn forget_attempt(&mut self, attempt: Attempt, was_not_written: bool) {
        let batch = self
            .batches
            .iter_mut()
            .find(|batch| batch.old_attempt == Some(attempt));
        if let Some(batch) = batch {
            batch.old_attempt = None;
            batch.is_ambiguous &= !(was_not_written && batch.tries <= 1);
        }
    }

    fn settle_oldest(&mut self, now: Instant, broker: BrokerId, verdict: Verdict, code: i16) -> Vec<Effect> {
        match verdict {
            Verdict::Written => {
                self.proven = Some(broker);
                self.last_refusal = None;
                self.sent = self.sent.saturating_sub(1);
                self.batches
                    .pop_front()
                    .map(Effect::Delivered)
                    .into_iter()
                    .collect()
            }
            Verdict::Again {
                is_ambiguous,
                refresh,
            } => self.try_again(now, is_ambiguous, refresh, code),
            Verdict::TooLarge => self.split(),
            Verdict::OutOfSequence if self.rules.is_idempotent => self.renumber(now),
            Verdict::OutOfSequence => self.refuse(code, Kind::Failed, true),
            Verdict::Refused { kind, is_ambiguous } => self.refuse(code, kind, is_ambiguous),
            Verdict::Fatal(kind) => vec![Effect::Fatal { code, kind }],
        }
    }

    fn try_again(&mut self, now: Instant, is_ambiguous: bool, refresh: bool, code: i16) -> Vec<Effect> {
        let Some(batch) = self.batches.front_mut() else {
            return Vec::new();
        };
        if code == codes::CORRUPT_MESSAGE && batch.is_damaged() {
            return self.refuse(code, Kind::BadData, false);
        }
        batch.is_ambiguous |= is_ambiguous;
        self.last_refusal = Some(code);
        let (tries, may_be_written) = (batch.tries, batch.is_ambiguous);
        if self.rules.retries.is_some_and(|retries| tries > retries) {
            let mut effects = self.refuse(code, Kind::Failed, may_be_written);
            if refresh {
                effects.push(Effect::Refresh);
            }
            return effects;
        }
        self.rewind();
        self.retry_at = Some(now + self.rules.retry.after(tries));
        if refresh {
            vec![Effect::Refresh]
        } else {
            Vec::new()
        }
    }

    /// Marks everything from the oldest batch on to be sent again.
    fn rewind(&mut self) {
        for batch in self.batches.iter_mut().take(self.sent) {
            batch.old_attempt = batch.attempt.take();
        }
        // The answers to those after the oldest would show whether they were written, but no longer count.
        for batch in self.batches.iter_mut().take(self.sent).skip(1) {
            batch.is_ambiguous = true;
        }
        self.sent = 0;
        self.proven = None;
    }

    fn split(&mut self) -> Vec<Effect> {
        if self.batches.front().is_some_and(|batch| batch.records <= 1) {
            return self.refuse(codes::MESSAGE_TOO_LARGE, Kind::BadData, false);
        }
        self.rewind();
        self.batches.pop_front().map(Effect::Split).into_iter().collect()
    }

    /// The broker lacks batches before the oldest one, so it has neither that nor those after it.
    fn renumber(&mut self, now: Instant) -> Vec<Effect> {
        let used = self
            .batches
            .front()
            .and_then(|batch| Some((batch.stamp?.0, batch.tries)));
        self.rewind();
        self.renumbers = true;
        let Some((identity, tries)) = used else {
            return Vec::new();
        };
        if tries > 1 {
            self.retry_at = Some(now + self.rules.retry.after(tries));
        }
        vec![Effect::Bump(identity)]
    }

    fn refuse(&mut self, code: i16, kind: Kind, may_be_written: bool) -> Vec<Effect> {
        self.give_up_oldest(|batch| Failure::Refused {
            code,
            kind,
            may_be_written: may_be_written || batch.is_ambiguous,
        })
    }

    /// Gives up the oldest batch. Its sequence numbers are then missing, so those after it need new ones: at once if
    /// none of them can be in the log, else when a broker reports the gap.
    fn give_up_oldest(&mut self, failure: impl FnOnce(&Batch) -> Failure) -> Vec<Effect> {
        self.rewind();
        let Some(batch) = self.batches.pop_front() else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        if let Some((identity, _)) = batch.stamp {
            if !batch.is_ambiguous
                && self.in_flight == 0
                && !self.batches.iter().any(|batch| batch.is_ambiguous)
            {
                self.renumbers = true;
            }
            if self.identity == Some(identity) {
                effects.push(Effect::Bump(identity));
            }
        }
        let failure = failure(&batch);
        effects.push(Effect::Failed(batch, failure));
        if self.rules.stops_at_failure {
            self.is_stopped = true;
            effects.extend(self.abandon(None));
        }
        effects
    }

    /// Gives up batches that are older than the delivery timeout.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(batch) = self.batches.front()
            && now.saturating_duration_since(batch.created) >= self.rules.delivery_timeout
        {
            effects.extend(self.time_out_oldest());
        }
        effects
    }

    /// Gives up all batches, because the partition has accepted nothing for too long.
    pub(super) fn run_out_of_patience(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while !self.batches.is_empty() {
            effects.extend(self.time_out_oldest());
        }
        effects
    }

    fn time_out_oldest(&mut self) -> Vec<Effect> {
        self.give_up_oldest(|batch| Failure::TimedOut {
            may_be_written: batch.may_be_written(),
        })
    }

    /// Gives up all batches.
    pub(super) fn abandon(&mut self, failure: Option<&Failure>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.rewind();
        for batch in self.batches.drain(..) {
            let may_be_written = batch.may_be_written();
            let failure = match failure.cloned() {
                Some(Failure::Refused { code, kind, .. }) => Failure::Refused {
                    code,
                    kind,
                    may_be_written,
                },
                Some(Failure::Gone { .. }) => Failure::Gone { may_be_written },
                _ => Failure::Abandoned { may_be_written },
            };
            effects.push(Effect::Failed(batch, failure));
        }
        effects
    }

    /// Begins as if `sequence` records had been sent.
    #[cfg(test)]
    pub(super) fn begin_at(&mut self, sequence: i32, identity: Identity) {
        (self.next_sequence, self.identity) = (sequence, Some(identity));
    }

    /// The topic was deleted and created again: brokers know nothing of what was sent before.
    pub(super) fn begin_again(&mut self) -> Vec<Effect> {
        self.rewind();
        self.renumbers = true;
        self.identity.map(Effect::Bump).into_iter().collect()
    }

    /// The partition has another leader: retries are sent there at once.
    pub(super) fn leader_changed(&mut self) {
        self.retry_at = None;
        self.proven = None;
    }

    /// When the next step without an event is due: a retry, or giving up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let oldest = self.batches.front()?;
        let expiry = oldest.created + self.rules.delivery_timeout;
        Some(self.retry_at.map_or(expiry, |at| at.min(expiry)))
    }
}

impl Batch {
    /// Whether it was damaged before it was sent, so that a retry is useless.
    fn is_damaged(&self) -> bool {
        self.bytes
            .as_ref()
            .is_some_and(|bytes| !crc_is_valid(&bytes.whole()))
    }

    fn may_be_written(&self) -> bool {
        self.is_ambiguous || self.attempt.is_some() || self.old_attempt.is_some()
    }
}
