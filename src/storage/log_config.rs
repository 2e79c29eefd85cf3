//! The inputs of a partition's log: its topic's settings, and what is known of it at start-up.

use super::cleaner::CompactionConfig;
use crate::topic_partition::Offset;

/// A topic's settings that concern its log, with Kafka's defaults. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment that would grow larger is followed by a new one. Also the limit for one batch.
    pub segment_bytes: u64,
    /// `segment.ms`: a segment whose first batch is older is followed by a new one.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: the most by which `segment_ms` is shortened at random for each segment.
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
    /// The settings of compaction, if `cleanup.policy` has `compact`.
    pub compaction: Option<CompactionConfig>,
    /// `message.timestamp.type` is `LogAppendTime`.
    pub log_append_time: bool,
    /// Every batch is synced, not just in the page cache, before it is acknowledged; so are the files of a
    /// finished segment.
    pub flush_each_batch: bool,
    /// `flush.messages`: as soon as this many offsets may be unsynced, they are synced.
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
    /// The longest time that a segment may span, in milliseconds: `segment.ms`, or `max.compaction.lag.ms` if
    /// that is less.
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
    /// Everything below is known to be whole and on disk.
    pub recovery_point: Offset,
    /// Where the log starts if records were deleted by request; 0 otherwise.
    pub log_start_offset: Offset,
    /// The end of the last pass of compaction, if there was one.
    pub cleaned_up_to: Option<Offset>,
}
