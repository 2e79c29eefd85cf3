//! What a partition's log is told from outside: a topic's settings, and what is known at start-up.

use crate::topic_partition::Offset;

/// A topic's settings as far as its log is concerned, with Kafka's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment that would grow larger is followed by a new one. Also the largest batch.
    pub segment_bytes: u64,
    /// `segment.ms`: a segment whose first batch is older is followed by a new one.
    pub segment_ms: i64,
    /// `segment.index.bytes`: an index of this size is full, which ends its segment.
    pub segment_index_bytes: usize,
    /// `index.interval.bytes`: log bytes between two index entries.
    pub index_interval_bytes: u64,
    /// `retention.ms`: -1 keeps records for ever.
    pub retention_ms: i64,
    /// `retention.bytes`: -1 sets no limit.
    pub retention_bytes: i64,
    /// Whether `cleanup.policy` has `delete`, without which retention removes nothing.
    pub delete: bool,
    /// `message.timestamp.type` is `LogAppendTime`.
    pub log_append_time: bool,
    /// `flush.messages` is 1: every batch is on disk, not just in the page cache, before it is acknowledged.
    pub flush_each_batch: bool,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3600 * 1000,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_ms: 7 * 24 * 3600 * 1000,
            retention_bytes: -1,
            delete: true,
            log_append_time: false,
            flush_each_batch: false,
            producer_id_expiration_ms: 24 * 3600 * 1000,
        }
    }
}

/// What the checkpoints say of a log that is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The last broker closed the log properly: nothing needs to be scanned.
    pub clean_shutdown: bool,
    /// Everything below is known to be whole.
    pub recovery_point: Offset,
    /// Where the log starts if records were deleted by request; 0 otherwise.
    pub log_start_offset: Offset,
}
