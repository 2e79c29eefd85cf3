//! A log's part in its compaction: planning a pass, and replacing segments by what it wrote (`cleaner/` does the work).

use std::ops::Range;

use super::batch_reader::{BatchReader, LOOKUP_BUFFER};
use super::cleaner::dirty_range::{LogFacts, SegmentFacts};
use super::cleaner::{CleanedSegment, CleaningPlan, CompactionConfig, DirtyRange, LastRecord, OldFiles};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use crate::error::Result;
use crate::topic_partition::Offset;

impl PartitionLog {
    /// The plan of a pass of compaction; `None` if there is nothing to clean, or not enough. `last_stable_offset` is
    /// the first offset of an open transaction, or the high watermark.
    ///
    /// # Errors
    ///
    /// An index cannot be read.
    pub fn begin_cleaning(&self, now_ms: i64, last_stable_offset: Offset) -> Result<Option<CleaningPlan>> {
        let Some(compaction) = self.config.compaction.filter(|_| !self.cleaning_is_over) else {
            return Ok(None);
        };
        let facts = self.facts(&compaction, last_stable_offset)?;
        let Some(range) = DirtyRange::find(&facts, &compaction, now_ms) else {
            return Ok(None);
        };
        let below = self
            .segments
            .iter()
            .take_while(|segment| segment.base_offset() < range.first_uncleanable);
        let last_records = self.producers.iter().map(|(id, entry)| {
            let last = LastRecord {
                data_offset: entry.last_data_offset(),
                epoch: entry.producer_epoch,
            };
            (id, last)
        });
        Ok(Some(CleaningPlan {
            folder: self.folder.clone(),
            config: self.config.clone(),
            range,
            sources: below.map(Segment::as_source).collect(),
            aborted: self.aborted_transactions(self.first_base_offset(), range.first_uncleanable)?,
            last_records: last_records.collect(),
            delete_retention_ms: compaction.delete_retention_ms,
            now_ms,
        }))
    }

    fn facts(&self, config: &CompactionConfig, last_stable_offset: Offset) -> Result<LogFacts> {
        let mut segments = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            let mut facts = SegmentFacts {
                base_offset: segment.base_offset(),
                size: segment.size(),
                largest_timestamp: -1,
                first_timestamp: -1,
            };
            // Both timestamps are read from files.
            if config.min_lag_ms > 0 {
                facts.largest_timestamp = match segment.largest_timestamp()? {
                    Some(largest) => largest.timestamp,
                    None => segment.modified_ms()?,
                };
            }
            if config.max_lag_ms < i64::MAX && segment.size() > 0 {
                let log = segment.log_for_reading()?;
                let first = BatchReader::new(&log, 0, segment.size(), LOOKUP_BUFFER).next_valid()?;
                facts.first_timestamp = first.map_or(-1, |batch| batch.header.max_timestamp);
            }
            segments.push(facts);
        }
        Ok(LogFacts {
            segments,
            log_start_offset: self.log_start_offset,
            log_end_offset: self.log_end_offset,
            last_stable_offset,
            cleaned_up_to: self.cleaned_up_to,
        })
    }

    /// Replaces the segments that a pass read by the one that it wrote, and returns the old files; `None` if those
    /// segments have changed or are gone: the new files are removed then. Readers of the old files are not disturbed.
    ///
    /// # Errors
    ///
    /// A step fails; the next start finishes the replacement.
    pub fn replace(&mut self, cleaned: CleanedSegment) -> Result<Option<OldFiles>> {
        let Some(range) = self.place_of(&cleaned) else {
            cleaned.discard();
            return Ok(None);
        };
        for step in cleaned.steps() {
            if let Err(error) = step.run() {
                self.cleaning_is_over = true;
                return Err(error);
            }
        }
        let segment = Segment::existing(&self.folder, cleaned.base_offset(), cleaned.size());
        self.segments.splice(range, [segment]);
        Ok(Some(cleaned.into_old_files()))
    }

    fn place_of(&self, cleaned: &CleanedSegment) -> Option<Range<usize>> {
        let sources = cleaned.sources();
        let first = sources.first().filter(|_| !self.cleaning_is_over)?;
        let finished = self.segments.len().checked_sub(1)?;
        let at = self
            .segments
            .binary_search_by_key(&first.base_offset, Segment::base_offset)
            .ok()?;
        let range = at..at.checked_add(sources.len())?;
        let found = self
            .segments
            .get(range.clone())
            .filter(|_| range.end <= finished)?;
        let is_same = found.iter().map(Segment::as_source).eq(sources.iter().copied());
        is_same.then_some(range)
    }

    /// Notes that a pass has cleaned up to this offset.
    pub fn finish_cleaning(&mut self, end: Offset) {
        self.cleaned_up_to = Some(end);
    }

    /// The end of the last pass of compaction, if there was one.
    pub fn cleaned_up_to(&self) -> Option<Offset> {
        self.cleaned_up_to
    }

    /// Forbids any further replacement: the folder is deleted, or belongs to another log.
    pub fn end_cleaning(&mut self) {
        self.cleaning_is_over = true;
    }

    /// Whether no pass can change this log any longer.
    pub fn cleaning_is_over(&self) -> bool {
        self.cleaning_is_over
    }
}
