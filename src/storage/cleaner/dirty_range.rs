//! Whether a log needs cleaning, and which part of it: Kafka's choice, as a function of facts about its segments.

use crate::topic_partition::Offset;

/// A topic's settings of compaction, with Kafka's defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompactionConfig {
    /// `min.cleanable.dirty.ratio`: no pass unless more than this part of the bytes is dirty, 0 to 1.
    pub min_dirty_ratio: f64,
    /// `min.compaction.lag.ms`: younger records are left alone.
    pub min_lag_ms: i64,
    /// `max.compaction.lag.ms`: an older record that is dirty makes a pass due, whatever the ratio.
    pub max_lag_ms: i64,
    /// `delete.retention.ms`: how long a tombstone stays after the first pass.
    pub delete_retention_ms: i64,
}

impl Default for CompactionConfig {
    fn default() -> Self {
        Self {
            min_dirty_ratio: 0.5,
            min_lag_ms: 0,
            max_lag_ms: i64::MAX,
            delete_retention_ms: 24 * 3600 * 1000,
        }
    }
}

/// What the choice needs to know of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFacts {
    pub base_offset: Offset,
    /// Bytes of its log file.
    pub size: u64,
    /// Milliseconds; -1 unless a setting needs it. `first_timestamp` likewise: the largest of the first batch.
    pub largest_timestamp: i64,
    pub first_timestamp: i64,
}

/// What the choice needs to know of a log.
#[derive(Clone, Debug)]
pub struct LogFacts {
    /// All of them, the active one last.
    pub segments: Vec<SegmentFacts>,
    pub log_start_offset: Offset,
    pub log_end_offset: Offset,
    /// No open transaction begins before it.
    pub last_stable_offset: Offset,
    /// The end of the last pass.
    pub cleaned_up_to: Option<Offset>,
}

/// The part of a log that a pass would clean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DirtyRange {
    pub first_dirty: Offset,
    /// The base offset of a segment: whole segments are cleaned.
    pub first_uncleanable: Offset,
    /// The dirty bytes as a part of all bytes that can be cleaned, 0 to 1.
    pub dirty_ratio: f64,
}

impl DirtyRange {
    /// The part to clean now; `None` if nothing is dirty, or not enough.
    pub fn find(log: &LogFacts, config: &CompactionConfig, now_ms: i64) -> Option<Self> {
        let known = log.cleaned_up_to.unwrap_or(log.log_start_offset);
        let is_inside = (log.log_start_offset..=log.log_end_offset).contains(&known);
        let first_dirty = if is_inside { known } else { log.log_start_offset };
        let (active, finished) = log.segments.split_last()?;
        let containing = |offset: Offset| {
            let after = log
                .segments
                .partition_point(|segment| segment.base_offset <= offset);
            after.saturating_sub(1)
        };
        let dirty = finished
            .get(containing(first_dirty).min(finished.len())..)
            .unwrap_or_default();
        let oldest_allowed = now_ms.saturating_sub(config.min_lag_ms);
        let too_young = dirty
            .iter()
            .find(|segment| config.min_lag_ms > 0 && segment.largest_timestamp > oldest_allowed);
        let limit = too_young
            .map_or(active.base_offset, |segment| segment.base_offset)
            .min(log.last_stable_offset);
        let first_uncleanable = log.segments.get(containing(limit))?.base_offset;
        let clean_bytes = bytes(
            finished
                .iter()
                .filter(|segment| segment.base_offset < first_dirty),
        );
        let dirty_bytes = bytes(
            dirty
                .iter()
                .filter(|segment| segment.base_offset < first_uncleanable),
        );
        if dirty_bytes == 0 {
            return None;
        }
        let dirty_ratio = dirty_bytes as f64 / (clean_bytes + dirty_bytes) as f64;
        let overdue = now_ms.saturating_sub(config.max_lag_ms);
        let is_overdue = dirty
            .iter()
            .any(|segment| segment.first_timestamp > 0 && segment.first_timestamp < overdue);
        (dirty_ratio > config.min_dirty_ratio || is_overdue).then_some(Self {
            first_dirty,
            first_uncleanable,
            dirty_ratio,
        })
    }
}

fn bytes<'a>(segments: impl Iterator<Item = &'a SegmentFacts>) -> u64 {
    segments.map(|segment| segment.size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_000_000;

    /// Segments of 100 bytes and ten offsets, each of which is a second younger than the one before.
    fn log(segments: i64, cleaned_up_to: Option<Offset>) -> LogFacts {
        let facts = |n: i64| SegmentFacts {
            base_offset: n * 10,
            size: 100,
            largest_timestamp: NOW_MS - (segments - n) * 1000,
            first_timestamp: NOW_MS - (segments - n) * 1000 - 500,
        };
        LogFacts {
            segments: (0..segments).map(facts).collect(),
            log_start_offset: 0,
            log_end_offset: segments * 10,
            last_stable_offset: segments * 10,
            cleaned_up_to,
        }
    }

    fn range(log: &LogFacts, config: CompactionConfig) -> Option<(Offset, Offset, f64)> {
        DirtyRange::find(log, &config, NOW_MS)
            .map(|range| (range.first_dirty, range.first_uncleanable, range.dirty_ratio))
    }

    #[test]
    fn the_active_segment_is_never_cleaned_and_the_ratio_must_be_exceeded() {
        let config = CompactionConfig::default();
        assert_eq!(range(&log(1, None), config), None);
        assert_eq!(range(&log(3, None), config), Some((0, 20, 1.0)));
        assert_eq!(
            range(&log(3, Some(10)), config),
            None,
            "exactly half is not enough"
        );
        assert_eq!(range(&log(4, Some(10)), config), Some((10, 30, 2.0 / 3.0)));
        assert_eq!(
            range(&log(4, Some(99)), config),
            Some((0, 30, 1.0)),
            "a checkpoint beyond the end"
        );
        let all = CompactionConfig {
            min_dirty_ratio: 1.0,
            ..config
        };
        assert_eq!(range(&log(3, None), all), None);
    }

    #[test]
    fn open_transactions_and_young_records_are_left_alone() {
        let config = CompactionConfig::default();
        let mut open = log(5, None);
        open.last_stable_offset = 27;
        assert_eq!(range(&open, config), Some((0, 20, 1.0)));
        open.last_stable_offset = 7;
        assert_eq!(range(&open, config), None);
        let lag = CompactionConfig {
            min_lag_ms: 2500,
            ..config
        };
        assert_eq!(range(&log(5, None), lag), Some((0, 30, 1.0)));
    }

    #[test]
    fn an_old_dirty_record_makes_a_pass_due() {
        let config = |max_lag_ms| CompactionConfig {
            min_dirty_ratio: 1.0,
            max_lag_ms,
            ..CompactionConfig::default()
        };
        assert_eq!(range(&log(4, Some(10)), config(4000)), None);
        assert_eq!(range(&log(4, Some(10)), config(3000)), Some((10, 30, 2.0 / 3.0)));
    }
}
