//! Exactly once: batches and positions in the same transactions of the target's cluster, so that both count or neither.
//!
//! Positions are committed as offsets of a group there, which is what a transaction can carry beside records: they need no
//! topic of their own, `describe group` shows them, and whoever goes on with the copy, on whatever machine, finds them. The
//! transactional id is the group's name; who begins under it fences whoever had it before.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::client::admin::groups::CommittedOffset;
use crate::client::record_sink::TransactionalProducer;
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::topic_partition::TopicPartition;

/// How long a transaction takes records.
const COMMIT_EVERY: Duration = Duration::from_secs(2);
/// How long one may be open before its coordinator aborts it: a minute, as Java's producer has it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The transactions of a copy.
#[derive(Debug)]
pub(super) struct Transactions {
    client: Client,
    producer: TransactionalProducer,
    /// The partitions of the open transaction.
    included: HashSet<TopicPartition>,
    /// What was committed last.
    positions: BTreeMap<TopicPartition, CommittedOffset>,
    began: Instant,
}

impl Transactions {
    /// Takes the name over from a former run, whose open transaction is aborted, and reads what that committed.
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
            positions,
            began: Instant::now(),
        })
    }

    pub(super) fn producer(&self) -> &TransactionalProducer {
        &self.producer
    }

    /// What a former run committed of a target partition.
    pub(super) fn position(&self, partition: &TopicPartition) -> Option<&CommittedOffset> {
        self.positions.get(partition)
    }

    /// Makes a partition part of the transaction, before it gets its first batch.
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

    /// Whether the open transaction has taken records for long enough.
    pub(super) fn is_due(&self) -> bool {
        !self.included.is_empty() && self.began.elapsed() >= COMMIT_EVERY
    }

    /// Commits what was sent, all of which must be delivered, together with the positions behind it.
    pub(super) fn commit(&mut self, positions: BTreeMap<TopicPartition, CommittedOffset>) -> Result<()> {
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
        Ok(())
    }

    /// Takes back what was sent since the last commit.
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
