//! The transaction coordinator: transactional id → its state machine, one lock per id. Owns finding, creating and
//! removing ids, and carrying out effects; the rules for an id are in `transaction_machine.rs`.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use kafka_protocol::ResponseError;

use super::super::deadlines::Deadlines;
use super::super::loading::{Replayed, partitions, replay};
use super::super::lock;
use super::super::log::CoordinatorLog;
use super::super::ownership::Ownership;
use super::events::{
    AddPartitions, Effect, EndTransaction, Event, Generation, InitProducer, Markers, ProducerIdentity, Ticket,
};
use super::held_back::{Decided, HeldBack};
use super::markers::{MarkerWriter, Written};
use super::stored_transaction::{decode_key, encode_key};
use super::transaction_data::Transaction;
use super::transaction_machine::{TransactionLimits, TransactionMachine};
use super::transaction_state::TransactionState;
use crate::broker::cluster::Cluster;
use crate::broker::config::BrokerConfig;
use crate::broker::features::TRANSACTION_VERSION;
use crate::topic_partition::TopicPartition;

/// The settings for transactional ids; their names are those of `server.properties`.
#[derive(Clone, Debug)]
pub struct TransactionConfig {
    /// `transaction.max.timeout.ms`
    pub max_timeout_ms: i32,
    /// `transactional.id.expiration.ms`
    pub expiration_ms: i64,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`
    pub expiration_check_interval_ms: i64,
    /// `transaction.two.phase.commit.enable`
    pub allows_two_phase_commit: bool,
}

impl TransactionConfig {
    /// Reads the settings.
    pub fn new(config: &BrokerConfig) -> Self {
        Self {
            max_timeout_ms: i32::try_from(config.number("transaction.max.timeout.ms")).unwrap_or(i32::MAX),
            expiration_ms: config.number("transactional.id.expiration.ms"),
            expiration_check_interval_ms: config
                .number("transaction.remove.expired.transaction.cleanup.interval.ms"),
            allows_two_phase_commit: config.flag("transaction.two.phase.commit.enable"),
        }
    }
}

/// The outcome of a request: the producer's id and epoch from here on.
type Answer = Result<ProducerIdentity, ResponseError>;

/// A transactional id and its state machine.
#[derive(Debug)]
struct LiveTransaction {
    id: String,
    machine: TransactionMachine,
    /// Its deadline in the coordinator's `Deadlines`.
    alarm_ms: Option<i64>,
}

/// Every transactional id that this node coordinates.
#[derive(Debug)]
pub struct TransactionCoordinator {
    config: TransactionConfig,
    transactions: Mutex<HashMap<String, Arc<Mutex<LiveTransaction>>>>,
    log: CoordinatorLog,
    cluster: Arc<Cluster>,
    markers: MarkerWriter,
    pub(super) deadlines: Deadlines,
    /// Markers that wait until their decision is replicated.
    pub(in crate::broker) held_back: HeldBack,
}

impl TransactionCoordinator {
    /// The coordinator of the ids in `log`. If there is no other node it loads all of them, and completes the
    /// transactions whose end was decided.
    pub(in crate::broker) fn load(
        config: TransactionConfig,
        log: CoordinatorLog,
        cluster: Arc<Cluster>,
        markers: MarkerWriter,
        now_ms: i64,
    ) -> crate::error::Result<Self> {
        let coordinator = Self {
            config,
            transactions: Mutex::default(),
            log,
            cluster,
            markers,
            deadlines: Deadlines::default(),
            held_back: HeldBack::default(),
        };
        if coordinator.ownership().is_everything() {
            for partition in partitions(&coordinator.log) {
                coordinator.load_partition(partition, 0, now_ms)?;
            }
        }
        Ok(coordinator)
    }

    /// The partitions of `__transaction_state` that this node coordinates.
    pub(in crate::broker) fn ownership(&self) -> &Ownership {
        self.log.ownership()
    }

    /// Whether this node coordinates an id.
    ///
    /// # Errors
    ///
    /// `NOT_COORDINATOR`, or `COORDINATOR_LOAD_IN_PROGRESS`.
    pub fn check_owner(&self, id: &str) -> Result<(), ResponseError> {
        self.log.check_owner(id)
    }

    /// Loads the ids in a partition, which this node leads since `epoch`, and completes the transactions whose end
    /// was decided.
    pub(in crate::broker) fn load_partition(
        &self,
        partition: i32,
        epoch: i32,
        now_ms: i64,
    ) -> crate::error::Result<()> {
        let stored = read_transactions(&self.log, partition)?;
        self.unload_partition(partition);
        let limits = self.limits();
        let restored: Vec<_> = stored
            .into_iter()
            .map(|(id, stored)| {
                Arc::new(Mutex::new(LiveTransaction {
                    id,
                    machine: TransactionMachine::restored(limits, stored),
                    alarm_ms: None,
                }))
            })
            .collect();
        // All ids must be known before the first request.
        for shared in &restored {
            let id = lock(shared).id.clone();
            lock(&self.transactions).insert(id, Arc::clone(shared));
        }
        if !self.ownership().loaded(partition, epoch) {
            self.unload_partition(partition);
            return Ok(());
        }
        for shared in restored {
            let mut live = lock(&shared);
            let effects = live.machine.resume(now_ms);
            self.carry_out(&mut live, now_ms, effects);
            self.reset_alarm(&mut live);
        }
        Ok(())
    }

    /// Unloads the ids in a partition that this node does not lead any more.
    pub(in crate::broker) fn unload_partition(&self, partition: i32) {
        let mut gone = Vec::new();
        lock(&self.transactions).retain(|id, live| {
            let stays = !self.log.keeps(partition, id);
            if !stays {
                gone.push(Arc::clone(live));
            }
            stays
        });
        for live in gone {
            let mut live = lock(&live);
            self.deadlines.set(&live.id, live.alarm_ms, None);
            live.alarm_ms = None;
        }
    }

    pub fn config(&self) -> &TransactionConfig {
        &self.config
    }

    /// The level in force of `transaction.version`: it decides how the coordinator itself ends transactions, and the
    /// version of its records.
    fn transaction_version(&self) -> i16 {
        self.cluster.image().feature_level(&TRANSACTION_VERSION)
    }

    fn limits(&self) -> TransactionLimits {
        TransactionLimits {
            expiration_ms: self.config.expiration_ms,
            own_generation: Generation::of_transaction_version(self.transaction_version()),
        }
    }

    /// Handles InitProducerId.
    pub fn init(&self, id: &str, now_ms: i64, request: InitProducer) -> Answer {
        self.check_owner(id)?;
        let shared = lock(&self.transactions)
            .entry(id.to_owned())
            .or_insert_with(|| {
                Arc::new(Mutex::new(LiveTransaction {
                    id: id.to_owned(),
                    machine: TransactionMachine::new(self.limits(), now_ms),
                    alarm_ms: None,
                }))
            })
            .clone();
        self.request(&shared, now_ms, |ticket| Event::Init(ticket, request))
    }

    /// Adds partitions to the open transaction of a producer, or begins one with them.
    pub fn add(&self, id: &str, now_ms: i64, request: AddPartitions) -> Answer {
        let shared = self.find(id)?;
        self.request(&shared, now_ms, |ticket| Event::Add(ticket, request))
    }

    /// The partitions, of these, that are in the producer's open transaction.
    pub fn verify(
        &self,
        id: &str,
        producer: ProducerIdentity,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<BTreeSet<TopicPartition>, ResponseError> {
        let shared = self.find(id)?;
        let live = lock(&shared);
        live.machine.verify(producer, partitions)
    }

    /// Handles EndTxn.
    pub fn end(&self, id: &str, now_ms: i64, request: EndTransaction) -> Answer {
        let shared = self.find(id)?;
        self.request(&shared, now_ms, |ticket| Event::End(ticket, request))
    }

    /// Writes one marker for WriteTxnMarkers, without any state machine: how an administrator ends a hanging
    /// transaction.
    pub fn write_marker(
        &self,
        markers: &Markers,
        partition: &TopicPartition,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Result<Written, ResponseError> {
        self.markers.write(markers, partition, coordinator_epoch, now_ms)
    }

    /// The state of a transactional id; `None` if it does not exist.
    pub fn describe(&self, id: &str) -> Option<Transaction> {
        let shared = lock(&self.transactions).get(id).cloned()?;
        let live = lock(&shared);
        let is_known =
            !live.machine.is_untouched() && live.machine.transaction().state != TransactionState::Dead;
        is_known.then(|| live.machine.transaction().clone())
    }

    /// Every transactional id, in order.
    pub fn list(&self) -> Vec<(String, Transaction)> {
        let mut ids: Vec<String> = lock(&self.transactions).keys().cloned().collect();
        ids.sort();
        let described = ids.into_iter().map(|id| {
            let transaction = self.describe(&id);
            (id, transaction)
        });
        described
            .filter_map(|(id, transaction)| Some((id, transaction?)))
            .collect()
    }

    /// Handles the deadlines that have passed.
    pub(in crate::broker) fn deadlines_passed(&self, now_ms: i64) {
        for id in self.deadlines.due(now_ms) {
            let Ok(shared) = self.find(&id) else { continue };
            let mut live = lock(&shared);
            live.alarm_ms = None;
            self.happen(&mut live, now_ms, Event::DeadlinePassed);
            self.reset_alarm(&mut live);
        }
    }

    /// Expires the ids that were not used for long.
    pub(super) fn expire_ids(&self, now_ms: i64) {
        let all: Vec<_> = lock(&self.transactions).values().cloned().collect();
        for shared in all {
            let mut live = lock(&shared);
            let effects = live.machine.expire(now_ms);
            self.carry_out(&mut live, now_ms, effects);
            self.leave(live, &shared);
        }
    }

    fn find(&self, id: &str) -> Result<Arc<Mutex<LiveTransaction>>, ResponseError> {
        if id.is_empty() {
            return Err(ResponseError::InvalidRequest);
        }
        self.check_owner(id)?;
        let found = lock(&self.transactions).get(id).cloned();
        found.ok_or(ResponseError::InvalidProducerIdMapping)
    }

    /// Handles a request. All writes on this node are done when this returns.
    fn request(
        &self,
        shared: &Arc<Mutex<LiveTransaction>>,
        now_ms: i64,
        event: impl FnOnce(Ticket) -> Event,
    ) -> Answer {
        let mut live = lock(shared);
        let answer = self.happen(&mut live, now_ms, event(Ticket(0)));
        self.reset_alarm(&mut live);
        self.leave(live, shared);
        answer.unwrap_or(Err(ResponseError::CoordinatorNotAvailable))
    }

    /// Removes an id without any state.
    fn leave(&self, live: std::sync::MutexGuard<'_, LiveTransaction>, shared: &Arc<Mutex<LiveTransaction>>) {
        if live.machine.is_untouched() || live.machine.transaction().state == TransactionState::Dead {
            let id = live.id.clone();
            drop(live);
            let mut transactions = lock(&self.transactions);
            if transactions
                .get(&id)
                .is_some_and(|found| Arc::ptr_eq(found, shared))
            {
                transactions.remove(&id);
            }
        }
    }

    fn happen(&self, live: &mut LiveTransaction, now_ms: i64, event: Event) -> Option<Answer> {
        live.machine.obey(self.limits());
        let fresh_id = self.fresh_id(live);
        let effects = live.machine.handle(now_ms, fresh_id, event);
        self.carry_out(live, now_ms, effects)
    }

    /// A new producer id is taken only if the machine may need one: it cannot be given back.
    fn fresh_id(&self, live: &LiveTransaction) -> Option<i64> {
        live.machine
            .may_need_producer_id()
            .then(|| self.cluster.new_producer_id().ok())
            .flatten()
    }

    /// Carries out effects in order, with those that follow from them. Returns the answer, if there was one.
    fn carry_out(&self, live: &mut LiveTransaction, now_ms: i64, effects: Vec<Effect>) -> Option<Answer> {
        let mut answer = None;
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            let event = match effect {
                Effect::Answer(_, outcome) => {
                    answer = Some(outcome);
                    continue;
                }
                Effect::Write(transaction) => {
                    self.write(&live.id, now_ms, Some(transaction.encode(self.record_version())))
                }
                Effect::WriteTombstone => self.write(&live.id, now_ms, None),
                Effect::SendMarkers(markers) if !self.ownership().is_everything() => {
                    self.hold_back(&live.id, markers);
                    continue;
                }
                Effect::SendMarkers(markers) => {
                    let epoch = self.coordinator_epoch(&live.id);
                    let outcome = self.markers.write_all(&markers, epoch, now_ms);
                    Event::MarkersSent {
                        left: outcome.left,
                        fenced: outcome.fenced,
                    }
                }
            };
            // The events that follow from a write or from markers need no producer id.
            effects.extend(live.machine.handle(now_ms, None, event));
        }
        answer
    }

    /// Holds back markers until the decision, now the last record of the log, is replicated.
    fn hold_back(&self, id: &str, markers: Markers) {
        let replica = self
            .log
            .partition_of(id)
            .and_then(|partition| self.log.replica(partition));
        let Ok(replica) = replica else { return };
        let end = replica.log().log_end_offset();
        self.held_back.add(Decided {
            id: id.to_owned(),
            markers,
            end,
            epoch: replica.leader_epoch(),
            replica,
        });
    }

    /// Sends the markers of a decision once it is on every in-sync replica, and tells the machine when the markers
    /// are replicated as well. Only then is the end written: every later leader of a partition has the marker.
    pub(in crate::broker) async fn send_held_back(&self, decided: Decided, now_ms: fn() -> i64) {
        let Decided { id, markers, .. } = &decided;
        if !decided.is_replicated().await {
            // The next coordinator continues with what is replicated.
            return;
        }
        let written = self
            .markers
            .write_all(markers, self.coordinator_epoch(id), now_ms());
        let outcome = written.replicated().await;
        if !decided.is_in_charge() {
            return;
        }
        let Ok(shared) = self.find(id) else { return };
        let mut live = lock(&shared);
        let sent = Event::MarkersSent {
            left: outcome.left,
            fenced: outcome.fenced,
        };
        let effects = live.machine.handle(now_ms(), None, sent);
        self.carry_out(&mut live, now_ms(), effects);
        self.reset_alarm(&mut live);
    }

    /// As Kafka, version 1 of the value from `transaction.version` 1 on.
    fn record_version(&self) -> i16 {
        self.transaction_version().clamp(0, 1)
    }

    fn write(&self, id: &str, now_ms: i64, value: Option<Vec<u8>>) -> Event {
        let written = self.log.partition_of(id).and_then(|partition| {
            let records = [(encode_key(id), value)];
            self.log.append(partition, now_ms, &records)
        });
        match written {
            Ok(_) => Event::Written,
            Err(_) => Event::NotWritten(ResponseError::CoordinatorNotAvailable),
        }
    }

    /// The leader epoch of the partition that holds the id, or the latest in its log if that is larger: a directory
    /// of Apache Kafka has its own epochs, and partitions refuse markers with an older one.
    fn coordinator_epoch(&self, id: &str) -> i32 {
        let replica = self
            .log
            .partition_of(id)
            .and_then(|partition| self.log.replica(partition));
        replica.map_or(0, |replica| {
            let latest = replica.log().leader_epochs().latest();
            replica.leader_epoch().max(latest.unwrap_or(0))
        })
    }

    fn reset_alarm(&self, live: &mut LiveTransaction) {
        let next_ms = live.machine.next_deadline_ms();
        if next_ms != live.alarm_ms {
            self.deadlines.set(&live.id, live.alarm_ms, next_ms);
            live.alarm_ms = next_ms;
        }
    }
}

/// Every transactional id in one partition, in order: the last record of an id counts.
fn read_transactions(
    log: &CoordinatorLog,
    partition: i32,
) -> crate::error::Result<BTreeMap<String, Transaction>> {
    let mut transactions = BTreeMap::new();
    replay(log, partition, &mut |step| {
        let Replayed::Record { key, value, .. } = step else {
            return;
        };
        let Some(id) = decode_key(key) else { return };
        match value {
            None => {
                transactions.remove(&id);
            }
            // A value of a later version is skipped, as Kafka does.
            Some(value) => {
                if let Some(transaction) = Transaction::decode(value) {
                    transactions.insert(id, transaction);
                }
            }
        }
    })?;
    Ok(transactions)
}
