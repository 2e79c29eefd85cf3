//! How far each partition was read. Inspects the stored batch if offsets were skipped, or if a partition makes no
//! progress before its end.

use std::task::Poll;
use std::time::{Duration, Instant};

use crate::client::admin::offsets::EARLIEST;
use crate::client::batch_inspection::{Damage, Inspection, Reach};
use crate::client::settings::Settings;
use crate::error::Result;
use crate::topic_partition::Offset;

/// How long a partition may make no progress before its end until its next batch is inspected.
const PATIENCE: Duration = Duration::from_secs(3);
/// Skipped offsets are inspected this often; more of them mean a compacted topic or transactions, where gaps are
/// normal.
const GAPS: u32 = 16;

/// The partitions that are read.
#[derive(Debug)]
pub(super) struct Reading {
    settings: Settings,
    partitions: Vec<Progress>,
    /// The index of the last record's partition; the next record is mostly of the same.
    last: usize,
    gaps_left: u32,
    inspection: Option<(String, i32, Offset, Inspection)>,
    inspected: Instant,
    /// How long until partitions are checked for progress again.
    pause: Duration,
}

#[derive(Debug)]
struct Progress {
    topic: String,
    partition: i32,
    /// The next offset; negative while only the engine knows it.
    next: Offset,
    is_at_end: bool,
    heard: Instant,
}

impl Reading {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            partitions: Vec::new(),
            last: 0,
            gaps_left: GAPS,
            inspection: None,
            inspected: Instant::now(),
            pause: PATIENCE,
        }
    }

    /// A partition is read from `next` on; a negative number is the engine's own for the log start offset or the end.
    pub(super) fn begin(&mut self, topic: &str, partition: i32, next: Offset) {
        self.partitions.push(Progress {
            topic: topic.to_owned(),
            partition,
            next,
            is_at_end: false,
            heard: Instant::now(),
        });
    }

    /// Keeps the partitions that are still read, according to `is_read`.
    pub(super) fn retain(&mut self, is_read: impl Fn(&str, i32) -> bool) {
        self.partitions
            .retain(|progress| is_read(&progress.topic, progress.partition));
    }

    /// The next offset of a partition, if known.
    pub(super) fn next(&self, topic: &str, partition: i32) -> Option<Offset> {
        let is_it = |progress: &&Progress| progress.partition == partition && progress.topic == topic;
        let found = self.partitions.iter().find(is_it);
        found.map(|progress| progress.next).filter(|next| *next >= 0)
    }

    /// Takes the offset of a record, or with `is_end` of the partition's end. An error if records before it were
    /// skipped because their batch is damaged.
    pub(super) fn come_to(
        &mut self,
        (topic, partition, offset): (&str, i32, Offset),
        is_end: bool,
        now: Instant,
    ) -> Result<()> {
        let is_it = |progress: &Progress| progress.partition == partition && progress.topic == topic;
        if !self.partitions.get(self.last).is_some_and(is_it) {
            self.last = self.partitions.iter().position(is_it).unwrap_or_else(|| {
                self.begin(topic, partition, -1);
                self.partitions.len() - 1
            });
        }
        let Some(progress) = self.partitions.get_mut(self.last) else {
            return Ok(());
        };
        let expected = std::mem::replace(&mut progress.next, offset + i64::from(!is_end));
        progress.is_at_end = is_end;
        progress.heard = now;
        if expected < 0 || offset == expected || self.gaps_left == 0 {
            return Ok(());
        }
        self.gaps_left -= 1;
        // If records exceed the last offset of their batch, the next batch begins before the expected offset.
        let doubtful = if offset < expected { offset - 1 } else { expected };
        self.look((topic, partition, doubtful))
    }

    /// An error if the batch at this place is damaged.
    pub(super) fn look(&self, place: (&str, i32, Offset)) -> Result<()> {
        let damage = Inspection::begin(&self.settings, place, Reach::OneBatch).wait();
        damage.map_or(Ok(()), |damage| Err(damage.error))
    }

    /// The partition that makes no progress because its next batch is damaged, with its offset.
    pub(super) fn stall(&mut self) -> Option<(String, i32, Offset, Damage)> {
        if let Some((topic, partition, offset, inspection)) = self.inspection.take() {
            let Poll::Ready(damage) = inspection.outcome() else {
                self.inspection = Some((topic, partition, offset, inspection));
                return None;
            };
            return Some((topic, partition, offset, damage?));
        }
        if self.inspected.elapsed() < self.pause {
            return None;
        }
        self.inspected = Instant::now();
        let is_stuck = |progress: &&Progress| {
            let is_known = progress.next >= 0 || progress.next == EARLIEST;
            !progress.is_at_end && is_known && progress.heard.elapsed() >= PATIENCE
        };
        let stuck = self
            .partitions
            .iter_mut()
            .filter(|progress| is_stuck(&&**progress))
            .min_by_key(|progress| progress.heard);
        let Some(stuck) = stuck else {
            self.pause = PATIENCE;
            return None;
        };
        stuck.heard = self.inspected;
        let place = (stuck.topic.as_str(), stuck.partition, stuck.next);
        let inspection = Inspection::begin(&self.settings, place, Reach::UntilDamage);
        self.inspection = Some((stuck.topic.clone(), stuck.partition, stuck.next, inspection));
        self.pause = (self.pause * 2).min(Duration::from_secs(60));
        None
    }

    /// Whether to check partitions for progress now.
    pub(super) fn is_due(&self) -> bool {
        self.inspection.is_none() && self.inspected.elapsed() >= self.pause
    }

    pub(super) fn has(&self, topic: &str, partition: i32) -> bool {
        let is_it = |progress: &Progress| progress.partition == partition && progress.topic == topic;
        self.partitions.iter().any(is_it)
    }
}
