//! Keeps the checkpoint of a run: reads the one of an earlier run, and writes the progress of this one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::account::Account;
use super::checkpoint::{Checkpoint, Copy, PartitionProgress, TopicProgress};
use super::plan::Pair;
use super::{Action, Job};
use crate::client::admin::topics::TopicDescription;
use crate::commands::batch_reading::Range;
use crate::commands::topic_selection::Selection;
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
    /// The checkpoint of an earlier run.
    former: Option<Checkpoint>,
    /// Whether positions are kept in transactions instead.
    is_idle: bool,
    next_save: Instant,
    /// The topic and the partition of each source partition, as indexes in the checkpoint.
    places: Vec<(usize, usize)>,
}

impl Keeper {
    pub(super) fn open(job: &Job<'_>, clusters: &mut TwoClusters<'_>) -> Result<Self> {
        let action = job.action;
        let (_, target_cluster) = clusters.ids()?;
        let copy = Copy {
            source_cluster: job.source_id.map(ToOwned::to_owned),
            target_cluster,
            placement: action.placement.name().to_owned(),
            key: action.key.as_ref().map(ToString::to_string),
            condition: action.filter.as_ref().map(|filter| format!("{filter:?}")),
            topics: topics_of(action, job.pairs),
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
        let mut keeper = Self {
            path,
            checkpoint: Checkpoint {
                copy,
                topics: Vec::new(),
            },
            former,
            is_idle: action.is_exactly_once,
            next_save: Instant::now() + SAVE_EVERY,
            places: Vec::new(),
        };
        job.pairs.iter().for_each(|pair| keeper.know(pair));
        keeper.remember_others();
        Ok(keeper)
    }

    /// Whether an earlier run has made progress.
    pub(super) fn has_former(&self) -> bool {
        let mut topics = self.checkpoint.topics.iter();
        topics.any(|topic| !topic.partitions.is_empty())
    }

    /// Adds a topic to the checkpoint, with the progress of an earlier run.
    pub(super) fn know(&mut self, pair: &Pair) {
        let id = pair.existing.as_ref().map(TopicDescription::id_text);
        let mut topic = TopicProgress {
            source: pair.source.name.clone(),
            source_id: pair.source.id_text(),
            target: pair.target.clone(),
            target_id: id.unwrap_or_default(),
            partitions: Vec::new(),
        };
        if let Some(former) = &self.former {
            let partitions = pair.source.partitions.iter();
            let known = partitions.filter_map(|partition| former.of(&topic, partition.partition));
            topic.partitions = known.collect();
        }
        let mut others = self.checkpoint.topics.iter_mut();
        match others.find(|known| known.source == topic.source) {
            Some(known) => *known = topic,
            None => self.checkpoint.topics.push(topic),
        }
    }

    /// Keeps the positions of topics that the pattern does not match in this run.
    fn remember_others(&mut self) {
        let topics = &mut self.checkpoint.topics;
        for other in self.former.iter().flat_map(|former| &former.topics) {
            if !topics.iter().any(|known| known.source == other.source) {
                topics.push(other.clone());
            }
        }
    }

    /// A name that is unique to this copy.
    pub(super) fn name(&self) -> Result<String> {
        Ok(format!("kafkit-{}", self.checkpoint.copy.name()?))
    }

    /// Moves the ranges to the positions of the checkpoint, and returns the next offset of each copy in the target.
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

    /// Writes the progress, if it has changed.
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

/// What distinguishes this copy: its topics and the names of their copies, or a pattern and a template of names.
fn topics_of(action: &Action, pairs: &[Pair]) -> Vec<(String, String)> {
    let Selection { words, is_regex, .. } = &action.topics;
    if !words.is_empty() && !is_regex {
        let names = pairs
            .iter()
            .map(|pair| (pair.source.name.clone(), pair.target.clone()));
        return names.collect();
    }
    let target = action.target.as_deref().unwrap_or("$0");
    // No topic's name contains a slash.
    vec![(format!("/{}/", words.join("|")), target.to_owned())]
}
