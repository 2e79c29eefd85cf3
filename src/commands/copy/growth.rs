//! Partitions and topics that are added to the source while a copy follows it; they are copied from their beginnings.

use std::collections::HashSet;

use super::plan::{Pair, Placement, Source};
use super::run::{Run, go_on_from};
use super::transfer::Target;
use super::watcher::Watcher;
use super::{Job, resume, targets};
use crate::client::admin::topics::{NewPartitions, TopicDescription};
use crate::commands::batch_reading::Range;
use crate::commands::two_clusters::TwoClusters;
use crate::error::{Error, Result};
use crate::output::counted;

/// Follows the growth of the source.
#[derive(Debug)]
pub(super) struct Growth {
    watcher: Watcher,
    /// What was reported of topics that cannot be followed.
    said: HashSet<String>,
}

impl Growth {
    /// Begins to watch the topics of a copy.
    pub(super) fn watch(job: &Job<'_>, clusters: &TwoClusters<'_>) -> Self {
        let settings = clusters.here.client.settings().clone();
        Self {
            watcher: Watcher::begin(settings, job.action.topics.clone()),
            said: HashSet::new(),
        }
    }

    /// Adds to the run what is new. What cannot be added is reported once, and tried again at the next look.
    ///
    /// # Errors
    ///
    /// The run cannot continue.
    pub(super) fn follow(&mut self, run: &mut Run<'_>, clusters: &mut TwoClusters<'_>) -> Result<()> {
        for topic in self.watcher.take().unwrap_or_default() {
            let known = run.pairs.iter().position(|pair| pair.source.name == topic.name);
            let ranges = match known {
                Some(place) => new_partitions(run, place, topic, clusters),
                None => new_topic(run, &topic, clusters),
            };
            match ranges {
                Ok(ranges) if ranges.is_empty() => {}
                Ok(ranges) => enter(run, ranges, clusters)?,
                Err(error) => self.say_once(&error, run, clusters),
            }
        }
        Ok(())
    }

    fn say_once(&mut self, error: &Error, run: &Run<'_>, clusters: &mut TwoClusters<'_>) {
        let line = error.to_string();
        if self.said.insert(line.clone()) {
            run.progress.aside(|| clusters.here.printer.warning(line));
        }
    }
}

/// The partitions that were added to a topic, once its target has them too.
fn new_partitions(
    run: &mut Run<'_>,
    place: usize,
    topic: TopicDescription,
    clusters: &mut TwoClusters<'_>,
) -> Result<Vec<Range>> {
    let (Some(pair), Some(target)) = (run.pairs.get_mut(place), run.transfer.targets.get_mut(place)) else {
        return Ok(Vec::new());
    };
    let known = pair.source.partitions.len();
    if topic.id != pair.source.id || topic.partitions.len() <= known {
        return Ok(Vec::new());
    }
    if run.job.action.placement == Placement::Keep {
        let needed = topic.partitions.len();
        let patience = run.job.action.patience;
        let mut has = run.transfer.sink.prepare_topic(&pair.target, patience)?;
        if has < needed {
            add_partitions(&pair.target, has, &topic, run.job.action.creates, clusters)?;
            has = run.transfer.sink.prepare_topic(&pair.target, patience)?;
        }
        if has < needed {
            return Ok(Vec::new());
        }
        target.grow(has);
        pair.existing = Some(targets::describe(&pair.target, clusters)?);
    }
    let ranges = ranges_of(&run.job, &topic, known);
    pair.source = topic;
    Ok(ranges)
}

/// Gives a target as many partitions as its source has.
fn add_partitions(
    target: &str,
    has: usize,
    source: &TopicDescription,
    may_create: bool,
    clusters: &mut TwoClusters<'_>,
) -> Result<()> {
    let (name, needed) = (&source.name, source.partitions.len());
    if !may_create {
        let what =
            format!("{name} has {needed} partitions now, and {target} has {has}: the others are not copied");
        return Err(Error::failed(what).hint(format!(
            "--create adds them, as does `kafkit topics alter {target} --partitions {needed}`"
        )));
    }
    let wanted = NewPartitions {
        topic: target.to_owned(),
        count: i32::try_from(needed).unwrap_or(i32::MAX),
        assignment: None,
    };
    let admin = clusters.there().client.admin()?;
    for (_, outcome) in admin.create_partitions(&[wanted], false)? {
        let failed =
            |refusal| Error::from(refusal).context(format_args!("cannot add partitions to {target}"));
        outcome.map_err(failed)?;
    }
    Ok(())
}

/// The partitions of a topic that is not copied yet, once it has a target.
fn new_topic(
    run: &mut Run<'_>,
    topic: &TopicDescription,
    clusters: &mut TwoClusters<'_>,
) -> Result<Vec<Range>> {
    let action = run.job.action;
    let are_one = clusters.are_one()?;
    // Otherwise a copy that the pattern matches would be copied again and again.
    if are_one && run.pairs.iter().any(|pair| pair.target == topic.name) {
        return Ok(Vec::new());
    }
    let specs = clusters
        .here
        .client
        .admin()?
        .topic_specs(std::slice::from_ref(topic))?;
    let sources = specs.into_iter().map(|spec| Source {
        topic: topic.clone(),
        spec,
    });
    let mut pairs = super::pairs(action, sources.collect(), are_one, clusters)?;
    if let Some(pair) = pairs.first() {
        refuse_shared_target(&run.pairs, pair)?;
    }
    targets::create(&mut pairs, clusters)?;
    let facts = targets::facts(&pairs, clusters)?;
    let mut ranges = Vec::new();
    for (pair, facts) in pairs.into_iter().zip(facts) {
        let partitions = run.transfer.sink.prepare_topic(&pair.target, action.patience)?;
        let target = Target::new(&pair.target, partitions, facts.largest, action.is_exactly_once);
        run.transfer.targets.push(target);
        run.keeper.know(&pair);
        ranges.extend(ranges_of(&run.job, &pair.source, 0));
        run.pairs.push(pair);
    }
    Ok(ranges)
}

fn refuse_shared_target(pairs: &[Pair], new: &Pair) -> Result<()> {
    match pairs.iter().find(|pair| pair.target == new.target) {
        Some(other) => Err(Error::failed(format!(
            "{} is not copied: {} is copied to {} already",
            new.source.name, other.source.name, new.target
        ))),
        None => Ok(()),
    }
}

/// The partitions from number `known` on, each from its beginning.
fn ranges_of(job: &Job<'_>, topic: &TopicDescription, known: usize) -> Vec<Range> {
    let new = topic.partitions.iter().skip(known);
    new.filter(|partition| job.action.part.takes(partition.partition))
        .map(|partition| Range {
            topic: topic.name.clone(),
            partition: partition.partition,
            from: 0,
            end: None,
        })
        .collect()
}

/// Starts to copy these ranges, which belong to one topic.
fn enter(run: &mut Run<'_>, mut ranges: Vec<Range>, clusters: &mut TwoClusters<'_>) -> Result<()> {
    let mut starts = run.keeper.starts(&mut ranges);
    if let Some(transactions) = &run.transfer.transactions {
        go_on_from(transactions, &run.pairs, &mut ranges);
    }
    if run.job.action.keeps_records() {
        let ends = resume::ends(&run.pairs, &ranges, clusters)?;
        for (start, end) in starts.iter_mut().zip(ends) {
            start.get_or_insert(end);
        }
    }
    let target = ranges.first().and_then(|range| {
        let mut pairs = run.pairs.iter();
        pairs.position(|pair| pair.source.name == range.topic)
    });
    for (range, start) in ranges.iter().zip(&starts) {
        run.transfer.add(range, *start, target.unwrap_or_default());
        run.froms.push(range.from);
    }
    if let Some(pair) = target.and_then(|place| run.pairs.get(place)) {
        let what = counted(ranges.len() as u64, "new partition", "new partitions");
        let line = format!("copying {what} of {} to {}", pair.source.name, pair.target);
        run.progress.aside(|| clusters.here.printer.note(line));
    }
    run.reading.add(ranges)
}
