//! The internal topic in which a coordinator keeps its state: which partition holds a key, and appending records.
//!
//! Every coordinator has one. Owns neither the encoding of records nor their meaning; reading is in `loading`.

use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::ownership::Ownership;
use crate::broker::internal_topics::InternalTopic;
use crate::broker::node::replica::Replica;
use crate::broker::node::replica_manager::ReplicaManager;
use crate::error::{Error, Result};
use crate::records::BatchBuilder;
use crate::records::batch_builder::{BatchOptions, Producer};
use crate::storage::{AppendError, Appended, Origin};
use crate::topic_partition::Offset;

/// One record: key and value; `None` for a tombstone.
pub type KeyValue = (Vec<u8>, Option<Vec<u8>>);

/// The producer whose transaction a batch of records belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionalProducer {
    pub id: i64,
    pub epoch: i16,
}

/// The internal topic of one coordinator, in this node's replicas.
#[derive(Debug)]
pub struct CoordinatorLog {
    replicas: Arc<ReplicaManager>,
    topic: &'static InternalTopic,
    ownership: Ownership,
}

impl CoordinatorLog {
    pub fn new(replicas: Arc<ReplicaManager>, topic: &'static InternalTopic, ownership: Ownership) -> Self {
        Self {
            replicas,
            topic,
            ownership,
        }
    }

    /// The partitions that this node coordinates.
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// Whether this node coordinates `key`, and has loaded its partition.
    ///
    /// # Errors
    ///
    /// `NOT_COORDINATOR`, or `COORDINATOR_LOAD_IN_PROGRESS`.
    pub fn check_owner(&self, key: &str) -> Result<(), ResponseError> {
        if self.ownership.is_everything() {
            return Ok(());
        }
        let partition = self.partition_of(key);
        self.ownership
            .check(partition.map_err(|_| ResponseError::CoordinatorNotAvailable)?)
    }

    /// Whether `partition` holds the state of `key`; false if the topic does not exist.
    pub fn keeps(&self, partition: i32, key: &str) -> bool {
        self.partition_of(key).is_ok_and(|its| its == partition)
    }

    /// The partition that holds the state of `key`. Creates the topic first if it does not exist; the error is that
    /// of the creation.
    pub fn partition_of(&self, key: &str) -> Result<i32> {
        let topic = self.replicas.internal_topic(self.topic)?;
        Ok(partition_of(key, topic.partition_count()))
    }

    /// Appends the records to one partition, as one batch with the timestamp `now_ms`. When this returns they are in
    /// this node's log, and may not be committed yet: the answer to the client has to wait for that. Returns the
    /// offset of the first.
    pub fn append(&self, partition: i32, now_ms: i64, records: &[KeyValue]) -> Result<Offset> {
        let appended = self.append_batch(partition, now_ms, records, None);
        appended
            .map(|appended| appended.base_offset)
            .map_err(Error::failed)
    }

    /// The same in the transaction of a producer: the records count once its commit marker is written.
    pub fn append_in_transaction(
        &self,
        partition: i32,
        now_ms: i64,
        records: &[KeyValue],
        producer: TransactionalProducer,
    ) -> Result<Offset, AppendError> {
        let appended = self.append_batch(partition, now_ms, records, Some(producer))?;
        Ok(appended.base_offset)
    }

    fn append_batch(
        &self,
        partition: i32,
        now_ms: i64,
        records: &[KeyValue],
        producer: Option<TransactionalProducer>,
    ) -> Result<Appended, AppendError> {
        let mut builder = BatchBuilder::new(BatchOptions {
            producer: producer.map(|producer| Producer {
                id: producer.id,
                epoch: producer.epoch,
                base_sequence: 0,
            }),
            transactional: producer.is_some(),
            ..BatchOptions::default()
        });
        for (key, value) in records {
            builder.append(now_ms, Some(key), value.as_deref(), &[]);
        }
        let mut batch = builder.finish_uncompressed();
        let replica = self.replica(partition)?;
        if !replica.has_enough_in_sync() {
            return Err(Error::failed("too few replicas are in sync").into());
        }
        let appended = replica.append(&mut batch, Origin::Coordinator, now_ms)?;
        self.note_unreplicated(&replica, appended.last_offset.saturating_add(1));
        Ok(appended)
    }

    /// Makes answers wait until everything before `end` is committed.
    pub(super) fn note_unreplicated(&self, replica: &Arc<Replica>, end: Offset) {
        self.replicas.unreplicated.note(replica, end);
    }

    /// The replica of a partition.
    pub fn replica(&self, partition: i32) -> Result<Arc<Replica>> {
        let replica = self.replicas.partition(self.topic.name, partition);
        replica.ok_or_else(|| Error::failed(format!("{} has no partition {partition}", self.topic.name)))
    }

    /// The replicas of the topic; none if it does not exist.
    pub(super) fn replicas(&self) -> Vec<Arc<Replica>> {
        self.replicas.of_topic_named(self.topic.name)
    }
}

/// The partition of `key` among `count`: Java's hash of the string, made positive in Kafka's way.
pub fn partition_of(key: &str, count: i32) -> i32 {
    let hash = key.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    hash.checked_abs().unwrap_or(0).checked_rem(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_where_java_puts_them() {
        // From `jshell> "FirstAppConsumerGroup".hashCode()` and the like.
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("a", 50), 97 % 50);
        assert_eq!(partition_of("hello", 50), 99_162_322 % 50);
        // The only hash that has no positive counterpart.
        assert_eq!(partition_of("polygenelubricants", 50), 0);
    }
}
