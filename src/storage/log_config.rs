//! What a partition's log is told from outside: a topic's settings, and what is known at start-up.

use super::cleaner::CompactionConfig;
use crate::topic_partition::Offset;

/// A topic's settings as far as its log is concerned, with Kafka's defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment that would grow larger is followed by a new one. Also the largest batch.
    pub segment_bytes: u64,
    /// `segment.ms`: a segment whose first batch is older is followed by a new one.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: up to this much less than `segment_ms`, by chance, for each segment.
    pub segment_jitter_ms: i64,
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
    /// Where `cleanup.policy` has `compact`: what compaction obeys.
    pub compaction: Option<CompactionConfig>,
    /// `message.timestamp.type` is `LogAppendTime`.
    pub log_append_time: bool,
    /// Every batch is on disk, not just in the page cache, before it is acknowledged; so is what ends a segment.
    pub flush_each_batch: bool,
    /// `flush.messages`: as soon as this many offsets may not be on disk yet, they are brought there.
    pub flush_messages: i64,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3600 * 1000,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_ms: 7 * 24 * 3600 * 1000,
            retention_bytes: -1,
            delete: true,
            compaction: None,
            log_append_time: false,
            flush_each_batch: false,
            flush_messages: i64::MAX,
            producer_id_expiration_ms: 24 * 3600 * 1000,
        }
    }
}

impl LogConfig {
    /// The longest time that a segment may span: where records must be compacted in time, no longer than that.
    pub(super) fn segment_ms_at_most(&self) -> i64 {
        let limit = self
            .compaction
            .map_or(i64::MAX, |compaction| compaction.max_lag_ms);
        self.segment_ms.min(if limit > 0 { limit } else { i64::MAX })
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
    /// The end of the last pass of compaction, if there was one.
    pub cleaned_up_to: Option<Offset>,
}
