//! The state machine of one transactional id, pure: an event and the time in, effects out. No clock, lock, or file.
//!
//! A change is decided, written, and then applied; until then, every other request is answered with
//! `CONCURRENT_TRANSACTIONS`. After a decision to commit or abort the markers are sent, and then the end is written
//! (KIP-98, KIP-360, KIP-447, KIP-890).

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;

use super::events::{
    AddPartitions, Effect, EndTransaction, Event, Generation, InitProducer, Markers, ProducerIdentity, Ticket,
};
use super::transaction_data::{LAST_CLIENT_EPOCH, NO_EPOCH, NO_PRODUCER_ID, Transaction};
use super::transaction_state::TransactionState;
use crate::topic_partition::TopicPartition;

/// The pause in milliseconds before markers or the end of a transaction are written again.
const RETRY_MS: i64 = 100;

/// The settings for transactional ids.
#[derive(Clone, Copy, Debug)]
pub struct TransactionLimits {
    /// `transactional.id.expiration.ms`
    pub expiration_ms: i64,
    /// The protocol by which the coordinator itself ends transactions, from the cluster's `transaction.version`.
    pub own_generation: Generation,
}

/// A change that is being written.
#[derive(Clone, Debug)]
struct Change {
    next: Transaction,
    /// The request to answer once it is written, and the answer.
    answer: Option<(Ticket, Result<ProducerIdentity, ResponseError>)>,
}

/// What a new change has to wait for.
#[derive(Clone, Debug)]
enum Pending {
    Nothing,
    Change(Change),
    /// The tombstone of the id is being written.
    Tombstone,
    /// Markers are being sent to these partitions.
    Markers(BTreeSet<TopicPartition>),
    /// Markers have to be sent to these partitions again.
    MarkersAgain(BTreeSet<TopicPartition>),
    /// Every marker is written; the end could not be written, and has to be.
    EndAgain,
}

/// One transactional id.
#[derive(Clone, Debug)]
pub struct TransactionMachine {
    limits: TransactionLimits,
    /// The state on disk.
    stored: Transaction,
    pending: Pending,
    /// When a failed step is tried again.
    retry_at_ms: Option<i64>,
}

impl TransactionMachine {
    /// An id without a producer.
    pub fn new(limits: TransactionLimits, now_ms: i64) -> Self {
        Self::restored(limits, Transaction::new(now_ms))
    }

    /// The id in its stored state. If its end was decided, [`TransactionMachine::resume`] continues.
    pub fn restored(limits: TransactionLimits, stored: Transaction) -> Self {
        Self {
            limits,
            stored,
            pending: Pending::Nothing,
            retry_at_ms: None,
        }
    }

    /// Applies changed settings.
    pub fn obey(&mut self, limits: TransactionLimits) {
        self.limits = limits;
    }

    /// The state in force.
    pub fn transaction(&self) -> &Transaction {
        &self.stored
    }

    /// Whether no state of the id is on disk or being written.
    pub fn is_untouched(&self) -> bool {
        self.stored.producer.epoch == NO_EPOCH && matches!(self.pending, Pending::Nothing)
    }

    /// The time of the next [`Event::DeadlinePassed`], in ms of the steady clock.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        match self.pending {
            Pending::Nothing => {
                let times_out_at_ms = self.stored.times_out_at_ms()?;
                Some(times_out_at_ms.max(self.retry_at_ms.unwrap_or(times_out_at_ms)))
            }
            _ => self.retry_at_ms,
        }
    }

    /// Whether the next event may need a new producer id.
    pub fn may_need_producer_id(&self) -> bool {
        self.stored.producer.id == NO_PRODUCER_ID || self.stored.producer.epoch >= LAST_CLIENT_EPOCH
    }

    /// After a restart: sends the markers of a decided transaction again, to all its partitions.
    pub fn resume(&mut self, now_ms: i64) -> Vec<Effect> {
        if self.stored.state.is_prepared() && matches!(self.pending, Pending::Nothing) {
            self.send_markers(now_ms, self.stored.partitions.clone())
        } else {
            Vec::new()
        }
    }

    /// Handles an event. `fresh_id` is a new producer id in case one is needed.
    pub fn handle(&mut self, now_ms: i64, fresh_id: Option<i64>, event: Event) -> Vec<Effect> {
        match event {
            Event::Init(ticket, request) => self.init(now_ms, fresh_id, ticket, &request),
            Event::Add(ticket, request) => self.add(now_ms, ticket, request),
            Event::End(ticket, request) => self.end(now_ms, fresh_id, ticket, &request),
            Event::Written => self.written(now_ms),
            Event::NotWritten(error) => self.not_written(now_ms, error),
            Event::MarkersSent { left, fenced } => self.markers_sent(now_ms, &left, fenced),
            Event::DeadlinePassed => self.deadline_passed(now_ms, fresh_id),
        }
    }

    fn is_busy(&self) -> bool {
        !matches!(self.pending, Pending::Nothing)
    }

    fn change(
        &mut self,
        mut next: Transaction,
        answer: Option<(Ticket, Result<ProducerIdentity, ResponseError>)>,
    ) -> Vec<Effect> {
        // As Kafka writes it: the producer before this change, which most changes keep.
        next.previous_producer_id = match self.stored.producer.id {
            NO_PRODUCER_ID => next.producer.id,
            id => id,
        };
        let effects = vec![Effect::Write(next.clone())];
        self.pending = Pending::Change(Change { next, answer });
        self.retry_at_ms = None;
        effects
    }

    /// Begins a producer, or gives it a new epoch, and fences older ones with the same id.
    fn init(
        &mut self,
        now_ms: i64,
        fresh_id: Option<i64>,
        ticket: Ticket,
        request: &InitProducer,
    ) -> Vec<Effect> {
        match self.initialized(now_ms, fresh_id, request) {
            Err(error) => refused(ticket, error),
            Ok(next) if next.state == TransactionState::PrepareAbort => {
                // The open transaction is aborted first; the client asks again.
                self.change(next, Some((ticket, Err(ResponseError::ConcurrentTransactions))))
            }
            Ok(next) => {
                let producer = next.producer;
                self.change(next, Some((ticket, Ok(producer))))
            }
        }
    }

    fn initialized(
        &self,
        now_ms: i64,
        fresh_id: Option<i64>,
        request: &InitProducer,
    ) -> Result<Transaction, ResponseError> {
        let stored = &self.stored;
        if self.is_busy() {
            return Err(ResponseError::ConcurrentTransactions);
        }
        if let Some(expected) = request.expected {
            let was_rotated =
                expected.id == stored.previous_producer_id && expected.epoch >= LAST_CLIENT_EPOCH;
            let is_known =
                stored.producer.epoch == NO_EPOCH || expected.id == stored.producer.id || was_rotated;
            if !is_known {
                return Err(ResponseError::ProducerFenced);
            }
        }
        match stored.state {
            TransactionState::PrepareCommit
            | TransactionState::PrepareAbort
            | TransactionState::PrepareEpochFence
            | TransactionState::Dead => Err(ResponseError::ConcurrentTransactions),
            TransactionState::Ongoing => self.aborted_by_coordinator(now_ms, fresh_id),
            TransactionState::Empty | TransactionState::CompleteCommit | TransactionState::CompleteAbort => {
                let mut next = self.with_next_epoch(fresh_id, request.expected)?;
                next.next_producer_id = NO_PRODUCER_ID;
                next.timeout_ms = request.timeout_ms;
                next.state = TransactionState::Empty;
                next.partitions = BTreeSet::new();
                next.started_ms = -1;
                next.updated_ms = now_ms;
                Ok(next)
            }
        }
    }

    /// The next epoch for a producer that states its id and epoch, or for a new one.
    fn with_next_epoch(
        &self,
        fresh_id: Option<i64>,
        expected: Option<ProducerIdentity>,
    ) -> Result<Transaction, ResponseError> {
        let stored = &self.stored;
        let epoch = stored.producer.epoch;
        let said = expected.map(|expected| expected.epoch);
        let mut next = stored.clone();
        let is_exhausted = epoch >= LAST_CLIENT_EPOCH && said.is_none_or(|said| said == epoch);
        if stored.producer.id == NO_PRODUCER_ID || is_exhausted {
            next.producer = ProducerIdentity {
                id: fresh_id.ok_or(ResponseError::CoordinatorNotAvailable)?,
                epoch: 0,
            };
            next.last_epoch = said.map_or(NO_EPOCH, |_| epoch);
            return Ok(next);
        }
        match said {
            None => {
                next.producer.epoch = epoch + 1;
                next.last_epoch = NO_EPOCH;
            }
            Some(said) if said == epoch || epoch == NO_EPOCH => {
                next.producer.epoch = epoch + 1;
                next.last_epoch = epoch;
            }
            // The answer to this producer's last request was lost: it is repeated.
            Some(said) if said == stored.last_epoch => {}
            Some(_) => return Err(ResponseError::ProducerFenced),
        }
        Ok(next)
    }

    /// Adds partitions to the transaction, which begins with the first.
    fn add(&mut self, now_ms: i64, ticket: Ticket, request: AddPartitions) -> Vec<Effect> {
        let stored = &self.stored;
        let refusal = if self.is_busy() {
            Some(ResponseError::ConcurrentTransactions)
        } else {
            self.refusal_of(request.producer)
        };
        if let Some(error) = refusal {
            return refused(ticket, error);
        }
        let is_open = stored.state == TransactionState::Ongoing;
        if is_open && request.partitions.is_subset(&stored.partitions) {
            return vec![Effect::Answer(ticket, Ok(stored.producer))];
        }
        let mut next = stored.clone();
        next.state = TransactionState::Ongoing;
        next.partitions.extend(request.partitions);
        next.started_ms = if is_open { stored.started_ms } else { now_ms };
        next.updated_ms = now_ms;
        next.generation = request.generation;
        let producer = next.producer;
        self.change(next, Some((ticket, Ok(producer))))
    }

    /// The partitions, of these, that are in the producer's open transaction.
    pub fn verify(
        &self,
        producer: ProducerIdentity,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<BTreeSet<TopicPartition>, ResponseError> {
        match self.refusal_of(producer) {
            Some(error) => Err(error),
            None => Ok(self.stored.partitions.intersection(partitions).cloned().collect()),
        }
    }

    fn refusal_of(&self, producer: ProducerIdentity) -> Option<ResponseError> {
        let stored = &self.stored;
        if stored.producer.id != producer.id {
            Some(ResponseError::InvalidProducerIdMapping)
        } else if stored.producer.epoch != producer.epoch {
            Some(ResponseError::ProducerFenced)
        } else if stored.state.is_prepared() {
            Some(ResponseError::ConcurrentTransactions)
        } else {
            None
        }
    }

    /// Handles the producer's commit or abort.
    fn end(
        &mut self,
        now_ms: i64,
        fresh_id: Option<i64>,
        ticket: Ticket,
        request: &EndTransaction,
    ) -> Vec<Effect> {
        let decision = match request.generation {
            Generation::First => self.decide_first(request),
            Generation::Second => self.decide_second(request),
        };
        let next = decision.and_then(|decision| match decision {
            Decision::Done => Ok(None),
            Decision::End => self
                .prepared(now_ms, fresh_id, request.commits, request.generation)
                .map(Some),
        });
        match next {
            Err(error) => refused(ticket, error),
            Ok(None) => vec![Effect::Answer(ticket, Ok(self.stored.producer))],
            Ok(Some(next)) => {
                let producer = identity_after(&next);
                self.change(next, Some((ticket, Ok(producer))))
            }
        }
    }

    fn decide_first(&self, request: &EndTransaction) -> Result<Decision, ResponseError> {
        use TransactionState::{CompleteAbort, CompleteCommit, Ongoing, PrepareAbort, PrepareCommit};
        let stored = &self.stored;
        if stored.producer.id != request.producer.id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if stored.producer.epoch != request.producer.epoch {
            return Err(ResponseError::ProducerFenced);
        }
        if self.is_busy() {
            return Err(ResponseError::ConcurrentTransactions);
        }
        match (stored.state, request.commits) {
            (Ongoing, _) => Ok(Decision::End),
            (CompleteCommit, true) | (CompleteAbort, false) => Ok(Decision::Done),
            (PrepareCommit, true) | (PrepareAbort, false) => Err(ResponseError::ConcurrentTransactions),
            _ => Err(ResponseError::InvalidTxnState),
        }
    }

    fn decide_second(&self, request: &EndTransaction) -> Result<Decision, ResponseError> {
        use TransactionState::{CompleteAbort, CompleteCommit, Empty, Ongoing, PrepareAbort, PrepareCommit};
        let (stored, said) = (&self.stored, request.producer);
        if self.is_busy() {
            return Err(ResponseError::ConcurrentTransactions);
        }
        let was_rotated = said.id == stored.previous_producer_id
            && said.epoch == LAST_CLIENT_EPOCH
            && stored.producer.epoch == 0
            && said.id != stored.producer.id;
        if said.id != stored.producer.id && !was_rotated {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        // The answer was lost: the end of the transaction has raised the epoch since.
        let is_retry = was_rotated || said.epoch.checked_add(1) == Some(stored.producer.epoch);
        let is_current = !was_rotated && said.epoch == stored.producer.epoch;
        let is_accepted = match stored.state {
            PrepareCommit | PrepareAbort => is_retry,
            CompleteCommit | CompleteAbort => is_retry || is_current,
            _ => is_current,
        };
        if !is_accepted {
            return Err(ResponseError::ProducerFenced);
        }
        match (stored.state, request.commits) {
            (PrepareAbort, false) | (PrepareCommit, true) => Err(ResponseError::ConcurrentTransactions),
            (CompleteAbort, false) | (CompleteCommit, true) if is_retry => Ok(Decision::Done),
            // An abort without a transaction: no record was sent in it, or none has arrived. The epoch is raised all
            // the same, so that late records do not join the next transaction.
            (Ongoing, _) | (Empty, false) => Ok(Decision::End),
            (CompleteAbort | CompleteCommit, false) if is_current => Ok(Decision::End),
            _ => Err(ResponseError::InvalidTxnState),
        }
    }

    /// The transaction after the decision to commit or abort.
    fn prepared(
        &self,
        now_ms: i64,
        fresh_id: Option<i64>,
        commits: bool,
        generation: Generation,
    ) -> Result<Transaction, ResponseError> {
        let mut next = self.stored.clone();
        next.state = if commits {
            TransactionState::PrepareCommit
        } else {
            TransactionState::PrepareAbort
        };
        if self.stored.state != TransactionState::Ongoing {
            next.started_ms = now_ms;
            next.partitions = BTreeSet::new();
        }
        next.updated_ms = now_ms;
        next.generation = generation;
        if generation == Generation::Second {
            raise_epoch(&mut next, fresh_id)?;
        }
        Ok(next)
    }

    /// The open transaction, aborted with an epoch that fences its producer.
    fn aborted_by_coordinator(
        &self,
        now_ms: i64,
        fresh_id: Option<i64>,
    ) -> Result<Transaction, ResponseError> {
        let mut next = self.prepared(now_ms, fresh_id, false, self.limits.own_generation)?;
        if self.limits.own_generation == Generation::First {
            // 32 767 is the last epoch: no client can have it.
            next.producer.epoch = next.producer.epoch.saturating_add(1);
        }
        Ok(next)
    }

    fn written(&mut self, now_ms: i64) -> Vec<Effect> {
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Change(change) => {
                self.stored = change.next;
                let mut effects: Vec<Effect> = change
                    .answer
                    .map(|(ticket, answer)| Effect::Answer(ticket, answer))
                    .into_iter()
                    .collect();
                if self.stored.state.is_prepared() {
                    effects.extend(self.send_markers(now_ms, self.stored.partitions.clone()));
                }
                effects
            }
            Pending::Tombstone => {
                self.stored.state = TransactionState::Dead;
                Vec::new()
            }
            other => {
                self.pending = other;
                Vec::new()
            }
        }
    }

    fn not_written(&mut self, now_ms: i64, error: ResponseError) -> Vec<Effect> {
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Change(_) if self.stored.state.is_prepared() => {
                // The markers are written: the decision cannot be changed.
                self.pending = Pending::EndAgain;
                self.retry_at_ms = Some(now_ms.saturating_add(RETRY_MS));
                Vec::new()
            }
            Pending::Change(Change {
                answer: Some((ticket, _)),
                ..
            }) => refused(ticket, error),
            Pending::Change(_) => {
                self.retry_at_ms = Some(now_ms.saturating_add(RETRY_MS));
                Vec::new()
            }
            Pending::Tombstone => Vec::new(),
            other => {
                self.pending = other;
                Vec::new()
            }
        }
    }

    fn send_markers(&mut self, now_ms: i64, partitions: BTreeSet<TopicPartition>) -> Vec<Effect> {
        if partitions.is_empty() {
            return self.complete(now_ms);
        }
        let markers = Markers {
            producer: self.stored.producer,
            commits: self.stored.state == TransactionState::PrepareCommit,
            raises_epoch: self.stored.generation == Generation::Second,
            partitions: partitions.clone(),
        };
        self.pending = Pending::Markers(partitions);
        self.retry_at_ms = None;
        vec![Effect::SendMarkers(markers)]
    }

    fn markers_sent(&mut self, now_ms: i64, left: &BTreeSet<TopicPartition>, fenced: bool) -> Vec<Effect> {
        let Pending::Markers(sent) = &self.pending else {
            return Vec::new();
        };
        let left: BTreeSet<TopicPartition> = left.intersection(sent).cloned().collect();
        if left.is_empty() {
            return self.complete(now_ms);
        }
        self.pending = Pending::MarkersAgain(left);
        self.retry_at_ms = (!fenced).then(|| now_ms.saturating_add(RETRY_MS));
        Vec::new()
    }

    /// Every partition has its marker: the end is written.
    fn complete(&mut self, now_ms: i64) -> Vec<Effect> {
        let mut next = self.stored.clone();
        next.state = if self.stored.state == TransactionState::PrepareCommit {
            TransactionState::CompleteCommit
        } else {
            TransactionState::CompleteAbort
        };
        next.partitions = BTreeSet::new();
        next.updated_ms = now_ms;
        if next.next_producer_id != NO_PRODUCER_ID {
            next.producer = identity_after(&self.stored);
            next.next_producer_id = NO_PRODUCER_ID;
        }
        self.change(next, None)
    }

    fn deadline_passed(&mut self, now_ms: i64, fresh_id: Option<i64>) -> Vec<Effect> {
        if self.next_deadline_ms().is_none_or(|at_ms| at_ms > now_ms) {
            return Vec::new();
        }
        match &self.pending {
            Pending::Nothing => {
                if let Ok(next) = self.aborted_by_coordinator(now_ms, fresh_id) {
                    return self.change(next, None);
                }
                self.retry_at_ms = Some(now_ms.saturating_add(RETRY_MS));
                Vec::new()
            }
            Pending::MarkersAgain(left) => {
                let left = left.clone();
                self.send_markers(now_ms, left)
            }
            Pending::EndAgain => self.complete(now_ms),
            Pending::Change(_) | Pending::Tombstone | Pending::Markers(_) => Vec::new(),
        }
    }

    /// Deletes an id that was not used for `expiration_ms`.
    pub fn expire(&mut self, now_ms: i64) -> Vec<Effect> {
        let is_expired = self.stored.updated_ms <= now_ms.saturating_sub(self.limits.expiration_ms);
        if !is_expired || !self.stored.state.is_idle() || self.is_busy() {
            return Vec::new();
        }
        self.pending = Pending::Tombstone;
        vec![Effect::WriteTombstone]
    }
}

/// The outcome of EndTxn.
enum Decision {
    /// The decision is written, and then the markers.
    End,
    /// It was carried out before.
    Done,
}

fn refused(ticket: Ticket, error: ResponseError) -> Vec<Effect> {
    vec![Effect::Answer(ticket, Err(error))]
}

/// Raises the epoch for the end of a transaction. If the client has its last epoch, the markers get the
/// coordinator's, and another producer id follows.
fn raise_epoch(next: &mut Transaction, fresh_id: Option<i64>) -> Result<(), ResponseError> {
    let epoch = next.producer.epoch;
    if epoch == i16::MAX {
        return Ok(());
    }
    if epoch == LAST_CLIENT_EPOCH {
        next.next_producer_id = fresh_id.ok_or(ResponseError::CoordinatorNotAvailable)?;
    }
    next.last_epoch = epoch;
    next.producer.epoch = epoch + 1;
    Ok(())
}

/// The producer's id and epoch once the transaction has ended.
fn identity_after(prepared: &Transaction) -> ProducerIdentity {
    if prepared.next_producer_id == NO_PRODUCER_ID {
        prepared.producer
    } else {
        ProducerIdentity {
            id: prepared.next_producer_id,
            epoch: 0,
        }
    }
}
