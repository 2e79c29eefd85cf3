//! Where a copy begins in each target partition: after the existing copies, which after a run that was killed may be
//! more than its checkpoint says.

use super::Job;
use super::plan::Pair;
use super::replicated_ends;
use super::settled::{self, Found, Tail};
use super::targets::Facts;
use crate::client::admin::offsets::LATEST;
use crate::client::admin::topics::TopicDescription;
use crate::client::admin::volumes::leaders;
use crate::commands::batch_reading::{ClusterOrigin, Range};
use crate::commands::two_clusters::TwoClusters;
use crate::error::{Error, Result};
use crate::output::counted;
use crate::topic_partition::{Offset, TopicPartition};

/// Moves the ranges past what is copied already, and sets the next offset of each copy in its target partition.
pub(super) fn find_starts(
    job: &Job<'_>,
    facts: &[Facts],
    (ranges, starts): (&mut [Range], &mut [Option<Offset>]),
    clusters: &mut TwoClusters<'_>,
) -> Result<()> {
    let goes_on = starts.iter().any(Option::is_some);
    let ends = if goes_on {
        replicated_ends::find(job, ranges, clusters)?
    } else {
        ends(job.pairs, ranges, clusters)?
    };
    let mut places = Vec::new();
    let mut tails = Vec::new();
    for (place, (range, start)) in ranges.iter().zip(starts.iter_mut()).enumerate() {
        let end = ends.get(place).copied().unwrap_or_default();
        match *start {
            Some(from) if from < end => {
                places.push(place);
                tails.push(tail(job.pairs, facts, range, (from, end)));
            }
            _ => *start = Some(end),
        }
    }
    if tails.is_empty() {
        return Ok(());
    }
    let target = ClusterOrigin {
        settings: clusters.there().client.settings().clone(),
        patience: job.action.patience,
        interrupt: job.interrupt.clone(),
    };
    let filter = job.action.filter.as_ref();
    let found = settled::find(&tails, filter, (job.origin, &target), job.interrupt)?;
    for (place, found) in places.iter().zip(&found) {
        if let (Some(range), Some(start)) = (ranges.get_mut(*place), starts.get_mut(*place)) {
            range.from = found.next;
            *start = Some(if found.others > 0 {
                ends.get(*place).copied().unwrap_or(found.target_next)
            } else {
                found.target_next
            });
        }
    }
    tell(&found, clusters);
    Ok(())
}

/// Tells about records that the targets of a first run have already: nothing says whether they are copies.
pub(super) fn tell_of_former_records(pairs: &[Pair], clusters: &mut TwoClusters<'_>) -> Result<()> {
    let existing: Vec<TopicDescription> = pairs.iter().filter_map(|pair| pair.existing.clone()).collect();
    if existing.is_empty() {
        return Ok(());
    }
    let volumes = clusters.there().client.admin()?.volumes(&existing)?;
    for topic in &existing {
        let partitions = topic.partitions.iter();
        // Offsets: after compaction and with transactions there are fewer records.
        let offsets =
            partitions.filter_map(|partition| volumes.get(&topic.name, partition.partition).offsets());
        let former = u64::try_from(offsets.sum::<i64>()).unwrap_or_default();
        if former > 0 {
            let former = counted(former, "record", "records");
            let line = format!(
                "{} has up to {former} already: the copies come after them",
                topic.name
            );
            clusters.here.printer.note(line);
        }
    }
    Ok(())
}

/// The current end of each target partition.
pub(super) fn ends(pairs: &[Pair], ranges: &[Range], clusters: &mut TwoClusters<'_>) -> Result<Vec<Offset>> {
    let targets = pairs.iter().filter_map(|pair| pair.existing.clone());
    let targets: Vec<_> = targets.collect();
    let admin = clusters.there().client.admin()?;
    let ends = admin.list_offsets(&leaders(&targets), LATEST)?;
    let mut found = Vec::with_capacity(ranges.len());
    for range in ranges {
        let partition = target_of(pairs, range);
        found.push(match ends.get(&partition) {
            Some(Ok(end)) => *end,
            Some(Err(refusal)) => {
                let asked = format!("cannot ask for the end of {partition}");
                return Err(Error::from(refusal.clone()).context(asked));
            }
            None => return Err(Error::unreachable(format!("{partition} has no leader now"))),
        });
    }
    Ok(found)
}

/// The target partition of a range.
pub(super) fn target_of(pairs: &[Pair], range: &Range) -> TopicPartition {
    let topic = pair_of(pairs, range).map_or(&range.topic, |(_, pair)| &pair.target);
    TopicPartition::new(topic.as_str(), range.partition)
}

fn pair_of<'a>(pairs: &'a [Pair], range: &Range) -> Option<(usize, &'a Pair)> {
    let mut pairs = pairs.iter().enumerate();
    pairs.find(|(_, pair)| pair.source.name == range.topic)
}

fn tail(pairs: &[Pair], facts: &[Facts], range: &Range, (from, end): (Offset, Offset)) -> Tail {
    let pair = pair_of(pairs, range);
    let facts = pair.and_then(|(place, _)| facts.get(place));
    Tail {
        target: Range {
            topic: target_of(pairs, range).topic,
            partition: range.partition,
            from,
            end: Some(end),
        },
        source: range.clone(),
        with_times: facts.is_none_or(|facts| !facts.sets_times),
    }
}

fn tell(found: &[Found], clusters: &mut TwoClusters<'_>) {
    let records: u64 = found.iter().map(|found| found.records).sum();
    let others: u64 = found.iter().map(|found| found.others).sum();
    if records > 0 {
        let what = counted(records, "record behind it is", "records behind it are");
        clusters
            .here
            .printer
            .note(format_args!("{what} in the target already"));
    }
    if others > 0 {
        clusters.here.printer.warning(format_args!(
            "{} that the copy did not write came after the checkpoint: if it was writing then, some of its records may be there twice",
            counted(others, "record", "records")
        ));
    }
}
