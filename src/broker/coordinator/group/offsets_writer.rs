//! Writes a group's records to the partition of `__consumer_offsets` that keeps the group. Owns no form of a record.

use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::super::log::{CoordinatorLog, KeyValue};
use super::stored_records::StoredKey;
use crate::topic_partition::Offset;

/// The groups' end of the log.
#[derive(Debug)]
pub(super) struct OffsetsWriter {
    log: Arc<CoordinatorLog>,
}

impl OffsetsWriter {
    pub(super) fn new(log: Arc<CoordinatorLog>) -> Self {
        Self { log }
    }

    /// Appends `records`, None being a tombstone; all of one group. Returns the offset of the first, 0 without any.
    pub(super) fn append(
        &self,
        group: &str,
        now_ms: i64,
        records: &[(StoredKey, Option<Vec<u8>>)],
    ) -> Result<Offset, ResponseError> {
        if records.is_empty() {
            return Ok(0);
        }
        let records: Vec<KeyValue> = records
            .iter()
            .map(|(key, value)| (key.encode(), value.clone()))
            .collect();
        self.log
            .partition_of(group)
            .and_then(|partition| self.log.append(partition, now_ms, &records))
            .map_err(|_| ResponseError::CoordinatorNotAvailable)
    }
}
