//! Writes a group's records to its partition of `__consumer_offsets`. Owns no encoding of a record.

use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::super::log::{CoordinatorLog, KeyValue, TransactionalProducer};
use super::stored_records::StoredKey;
use crate::storage::AppendError;
use crate::topic_partition::Offset;

/// The group coordinator's access to its log.
#[derive(Debug)]
pub(super) struct OffsetsWriter {
    log: Arc<CoordinatorLog>,
}

impl OffsetsWriter {
    pub(super) fn new(log: Arc<CoordinatorLog>) -> Self {
        Self { log }
    }

    /// Appends `records` of one group; a value of `None` is a tombstone. Returns the offset of the first, 0 without
    /// any.
    pub(super) fn append(
        &self,
        group: &str,
        now_ms: i64,
        records: &[(StoredKey, Option<Vec<u8>>)],
    ) -> Result<Offset, ResponseError> {
        if records.is_empty() {
            return Ok(0);
        }
        self.append_encoded(group, now_ms, &encoded(records))
    }

    /// The same for encoded records; there must be at least one.
    pub(super) fn append_encoded(
        &self,
        group: &str,
        now_ms: i64,
        records: &[KeyValue],
    ) -> Result<Offset, ResponseError> {
        let partition = self.partition_of(group)?;
        self.log
            .append(partition, now_ms, records)
            .map_err(|_| ResponseError::CoordinatorNotAvailable)
    }

    /// The same in the transaction of `producer`. Returns the partition, and the offset of the first record in it.
    pub(super) fn append_in_transaction(
        &self,
        group: &str,
        now_ms: i64,
        records: &[(StoredKey, Option<Vec<u8>>)],
        producer: TransactionalProducer,
    ) -> Result<(i32, Offset), ResponseError> {
        let partition = self.partition_of(group)?;
        let appended = self
            .log
            .append_in_transaction(partition, now_ms, &encoded(records), producer);
        match appended {
            Ok(first) => Ok((partition, first)),
            Err(AppendError::Producer(_)) => Err(ResponseError::InvalidProducerEpoch),
            Err(_) => Err(ResponseError::CoordinatorNotAvailable),
        }
    }

    pub(super) fn log(&self) -> &CoordinatorLog {
        &self.log
    }

    /// The partition that holds `group`.
    pub(super) fn partition_of(&self, group: &str) -> Result<i32, ResponseError> {
        self.log
            .partition_of(group)
            .map_err(|_| ResponseError::CoordinatorNotAvailable)
    }
}

fn encoded(records: &[(StoredKey, Option<Vec<u8>>)]) -> Vec<KeyValue> {
    records
        .iter()
        .map(|(key, value)| (key.encode(), value.clone()))
        .collect()
}
