//! Keeps the checkpoint of a run: reads what a former one left, and writes how far this one is.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Job;
use super::account::Account;
use super::checkpoint::{Checkpoint, Copy, PartitionProgress, TopicProgress};
use super::plan::Pair;
use crate::client::admin::topics::TopicDescription;
use crate::commands::batch_reading::Range;
use crate::commands::two_clusters::TwoClusters;
use crate::error::Result;
use crate::topic_partition::Offset;

/// How often the file is written.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// Keeps the checkpoint.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) path: PathBuf,
    checkpoint: Checkpoint,
    /// Positions are kept elsewhere.
    is_idle: bool,
    /// A former run has come somewhere.
    pub(super) has_former: bool,
    next_save: Instant,
    /// The topic and the partition of each place, as places in the checkpoint.
    places: Vec<(usize, usize)>,
}

impl Keeper {
    pub(super) fn open(job: &Job<'_>, clusters: &mut TwoClusters<'_>) -> Result<Self> {
        let (action, pairs) = (job.action, job.pairs);
        let (_, target_cluster) = clusters.ids()?;
        let source_cluster = job.source_id.clone();
        let names = pairs
            .iter()
            .map(|pair| (pair.source.name.clone(), pair.target.clone()));
        let copy = Copy {
            source_cluster,
            target_cluster,
            placement: action.placement.name().to_owned(),
            condition: action.filter.as_ref().map(|filter| format!("{filter:?}")),
            topics: names.collect(),
        };
        let path = match &action.checkpoint {
            Some(path) => path.clone(),
            None => copy.default_file()?,
        };
        let former = if action.restarts || action.is_exactly_once {
            None
        } else {
            Checkpoint::read(&path, &copy)?
        };
        let topic = |pair: &Pair| TopicProgress {
            source: pair.source.name.clone(),
            source_id: pair.source.id_text(),
            target: pair.target.clone(),
            target_id: pair
                .existing
                .as_ref()
                .map_or_else(String::new, TopicDescription::id_text),
            partitions: Vec::new(),
        };
        let mut topics: Vec<TopicProgress> = pairs.iter().map(topic).collect();
        let mut has_former = false;
        for (topic, pair) in topics.iter_mut().zip(pairs) {
            for partition in &pair.source.partitions {
                let known = former
                    .as_ref()
                    .and_then(|former| former.of(topic, partition.partition));
                has_former |= known.is_some();
                topic.partitions.extend(known);
            }
        }
        Ok(Self {
            path,
            checkpoint: Checkpoint { copy, topics },
            has_former,
            is_idle: action.is_exactly_once,
            next_save: Instant::now() + SAVE_EVERY,
            places: Vec::new(),
        })
    }

    /// A name that no other copy has.
    pub(super) fn name(&self) -> Result<String> {
        Ok(format!("kafkit-{}", self.checkpoint.copy.name()?))
    }

    /// Lets the ranges begin where the checkpoint says, and answers with where the copies are in the target.
    pub(super) fn starts(&mut self, ranges: &mut [Range]) -> Vec<Option<Offset>> {
        let mut starts = Vec::with_capacity(ranges.len());
        for range in ranges {
            let topics = &mut self.checkpoint.topics;
            let at = topics.iter().position(|topic| topic.source == range.topic);
            let at = at.unwrap_or_default();
            let Some(topic) = topics.get_mut(at) else {
                continue;
            };
            let mut known = topic.partitions.iter();
            let known = known.position(|known| known.partition == range.partition);
            let place = known.unwrap_or_else(|| {
                topic.partitions.push(PartitionProgress {
                    partition: range.partition,
                    next: range.from,
                    target_next: None,
                });
                topic.partitions.len() - 1
            });
            let progress = topic.partitions.get(place).copied();
            self.places.push((at, place));
            if let (Some(progress), Some(_)) = (progress, known) {
                range.from = range
                    .from
                    .max(progress.next)
                    .min(range.end.unwrap_or(Offset::MAX));
            }
            starts.push(progress.and_then(|progress| progress.target_next));
        }
        starts
    }

    pub(super) fn save_if_due(&mut self, account: &Account) -> Result<()> {
        if Instant::now() >= self.next_save {
            self.save(account)?;
        }
        Ok(())
    }

    /// Writes how far everything is, if that has changed.
    pub(super) fn save(&mut self, account: &Account) -> Result<()> {
        self.next_save = Instant::now() + SAVE_EVERY;
        if self.is_idle {
            return Ok(());
        }
        let before = self.checkpoint.clone();
        for (place, (topic, partition)) in self.places.iter().enumerate() {
            let topic = self.checkpoint.topics.get_mut(*topic);
            if let Some(known) = topic.and_then(|topic| topic.partitions.get_mut(*partition)) {
                known.next = account.ledger.next(place);
                known.target_next = account.ledger.target_next(place);
            }
        }
        if self.checkpoint != before || !self.path.exists() {
            self.checkpoint.write(&self.path)?;
        }
        Ok(())
    }
}
