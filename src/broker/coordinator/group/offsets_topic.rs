//! `__consumer_offsets` as the coordinator needs it: which partition keeps a group, and writing its records there.
//! Owns neither the partitions nor the form of a record.

use std::fmt::Debug;
use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::stored_records::StoredKey;
use crate::error::Result;

/// The internal topic that keeps groups and their offsets.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// One record on its way to the topic: key, and value unless it is a tombstone.
pub type KeyValue = (Vec<u8>, Option<Vec<u8>>);

/// Is shown a record's key and value.
pub type RecordVisitor<'a> = dyn FnMut(&[u8], Option<&[u8]>) + 'a;

/// What the broker lends the coordinator of its partitions.
pub trait OffsetsTopic: Debug + Send + Sync {
    /// How many partitions the topic has; creates it first if need be.
    fn partition_count(&self) -> Result<i32>;

    /// Appends the records to one partition, as one batch; when it returns they are kept.
    fn append(&self, partition: i32, now_ms: i64, records: &[KeyValue]) -> Result<()>;

    /// Shows every record there is, each partition in order. A topic that does not exist has none.
    fn replay(&self, visit: &mut RecordVisitor<'_>) -> Result<()>;
}

/// Writes a group's records where they belong.
#[derive(Debug)]
pub(super) struct OffsetsWriter {
    topic: Arc<dyn OffsetsTopic>,
}

impl OffsetsWriter {
    pub(super) fn new(topic: Arc<dyn OffsetsTopic>) -> Self {
        Self { topic }
    }

    /// Appends `records`, None being a tombstone; all of one group.
    pub(super) fn append(
        &self,
        group: &str,
        now_ms: i64,
        records: &[(StoredKey, Option<Vec<u8>>)],
    ) -> Result<(), ResponseError> {
        if records.is_empty() {
            return Ok(());
        }
        let records: Vec<KeyValue> = records
            .iter()
            .map(|(key, value)| (key.encode(), value.clone()))
            .collect();
        self.topic
            .partition_count()
            .and_then(|count| self.topic.append(partition_of(group, count), now_ms, &records))
            .map_err(|_| ResponseError::CoordinatorNotAvailable)
    }
}

/// The partition that keeps `group`, of `count`: Java's hash of the name, made positive as Kafka makes it.
pub fn partition_of(group: &str, count: i32) -> i32 {
    let hash = group.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    hash.checked_abs().unwrap_or(0).checked_rem(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_lie_where_java_puts_them() {
        // `jshell> "FirstAppConsumerGroup".hashCode()` and its like.
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("a", 50), 97 % 50);
        assert_eq!(partition_of("hello", 50), 99_162_322 % 50);
        // The one hash without a positive counterpart.
        assert_eq!(partition_of("polygenelubricants", 50), 0);
    }
}
