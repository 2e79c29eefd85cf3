//! Exactly once: batches and positions are committed in the same transactions of the target's cluster.
//!
//! Positions are committed as offsets of a group there, which a transaction can contain beside records: they need no
//! topic of their own, `describe group` shows them, and a copy on any machine can continue from them. The transactional
//! id is the group's name; a new run with the same id fences the earlier one.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::client::admin::groups::CommittedOffset;
use crate::client::record_sink::TransactionalProducer;
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::topic_partition::TopicPartition;

/// How long records are added to a transaction before it is committed.
const COMMIT_EVERY: Duration = Duration::from_secs(2);
/// The `transaction.timeout.ms`, after which the coordinator aborts: a minute, as in Java's producer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The transactions of a copy.
#[derive(Debug)]
pub(super) struct Transactions {
    client: Client,
    producer: TransactionalProducer,
    /// The partitions of the open transaction.
    included: HashSet<TopicPartition>,
    /// The records of this run that are committed.
    pub(super) records: u64,
    /// The positions committed last.
    positions: BTreeMap<TopicPartition, CommittedOffset>,
    began: Instant,
}

impl Transactions {
    /// Initialises the transactional id, which aborts a former run's open transaction, and reads that run's positions.
    pub(super) fn begin(name: &str, settings: &Settings) -> Result<Self> {
        let mut client = Client::new(settings.clone());
        client.wait_for_each_answer();
        let failed = |error: Error| error.context(format_args!("cannot begin transactions as {name}"));
        let producer = client.admin()?.init_transactions(name, TIMEOUT).map_err(failed)?;
        let positions = client.admin()?.commits_of(name)?;
        Ok(Self {
            client,
            producer,
            included: HashSet::new(),
            records: 0,
            positions,
            began: Instant::now(),
        })
    }

    pub(super) fn producer(&self) -> &TransactionalProducer {
        &self.producer
    }

    /// The committed position for a target partition.
    pub(super) fn position(&self, partition: &TopicPartition) -> Option<&CommittedOffset> {
        self.positions.get(partition)
    }

    /// Adds a partition to the transaction, before its first batch is sent.
    pub(super) fn include(&mut self, topic: &str, partition: i32) -> Result<()> {
        let partition = TopicPartition::new(topic, partition);
        if self.included.contains(&partition) {
            return Ok(());
        }
        if self.included.is_empty() {
            self.began = Instant::now();
        }
        let admin = self.client.admin()?;
        admin
            .add_to_transaction(&self.producer, &partition)
            .map_err(spoiled)?;
        self.included.insert(partition);
        Ok(())
    }

    /// Whether the open transaction has lasted for `COMMIT_EVERY`.
    pub(super) fn is_due(&self) -> bool {
        !self.included.is_empty() && self.began.elapsed() >= COMMIT_EVERY
    }

    /// Commits what was sent, which must all be delivered, together with the positions after it. `records` were delivered
    /// since the run began.
    pub(super) fn commit(
        &mut self,
        positions: BTreeMap<TopicPartition, CommittedOffset>,
        records: u64,
    ) -> Result<()> {
        if self.included.is_empty() && positions == self.positions {
            return Ok(());
        }
        let group = self.producer.transactional_id.clone();
        let admin = self.client.admin()?;
        admin
            .send_offsets_to_transaction(&self.producer, &group, &positions)
            .map_err(spoiled)?;
        admin.end_transaction(&self.producer, true).map_err(spoiled)?;
        self.included.clear();
        self.positions = positions;
        self.records = records;
        Ok(())
    }

    /// Aborts what was sent since the last commit.
    pub(super) fn abort(&mut self) -> Result<()> {
        if self.included.is_empty() {
            return Ok(());
        }
        self.included.clear();
        let admin = self.client.admin()?;
        admin.end_transaction(&self.producer, false).map_err(spoiled)
    }
}

fn spoiled(error: Error) -> Error {
    error.context("the transaction failed, and what was sent in it does not count")
}
