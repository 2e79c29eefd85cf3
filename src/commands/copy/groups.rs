//! Committed offsets of groups in the source, translated and committed in the target, so that their members continue
//! there with the record that they would have read next.

use std::collections::BTreeMap;

use super::Job;
use super::ledger::Ledger;
use super::plan::Pair;
use super::run::Run;
use super::targets::Facts;
use super::translation::{self, Question};
use crate::client::admin::groups::{CommittedOffset, SHARE};
use crate::commands::batch_reading::{ClusterOrigin, Range};
use crate::commands::two_clusters::TwoClusters;
use crate::error::{Error, Result};
use crate::output::{counted, plural};
use crate::topic_partition::{Offset, TopicPartition};

/// The offsets that each group has committed in the source.
type Commits = BTreeMap<String, BTreeMap<TopicPartition, CommittedOffset>>;

/// A source partition that was copied: its next offset on both sides.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    pair: &'a Pair,
    with_times: bool,
    next: Offset,
    target_next: Offset,
}

/// Carries over the committed offsets of the groups that match, in the topics of the copy.
///
/// # Errors
///
/// A cluster that does not answer; an offset that could not be carried over.
pub(super) fn carry_over(run: &Run<'_>, facts: &[Facts], clusters: &mut TwoClusters<'_>) -> Result<()> {
    let Some(pattern) = &run.job.action.groups else {
        return Ok(());
    };
    let admin = clusters.here.client.admin()?;
    let mut groups = admin.list_groups()?;
    groups.retain(|group| group.kind != SHARE && pattern.is_match(&group.id).unwrap_or(false));
    let mut commits = Commits::new();
    for group in groups {
        let committed = admin.commits_of(&group.id)?;
        commits.insert(group.id, committed);
    }
    let places = places(run, facts);
    for of in commits.values_mut() {
        of.retain(|partition, _| places.contains_key(partition));
    }
    commits.retain(|_, of| !of.is_empty());
    let translated = translations(&run.job, &commits, &places, clusters)?;
    let mut failures = Vec::new();
    for (group, committed) in &commits {
        failures.extend(commit(group, committed, (&places, &translated), clusters)?);
    }
    if commits.is_empty() {
        clusters
            .here
            .printer
            .note("no group that matches has committed anything in what was copied");
    }
    clusters.here.outcome_of(failures)
}

/// The partitions of the copy whose end in the target is known.
fn places<'a>(run: &'a Run<'_>, facts: &[Facts]) -> BTreeMap<TopicPartition, Place<'a>> {
    let ledger: &Ledger = &run.transfer.account.ledger;
    let names = run.transfer.account.names.iter().enumerate();
    let known = names.filter_map(|(at, (topic, partition))| {
        let place = run.pairs.iter().position(|pair| pair.source.name == *topic)?;
        let sets_times = facts.get(place).is_some_and(|facts| facts.sets_times);
        let place = Place {
            pair: run.pairs.get(place)?,
            with_times: !sets_times,
            next: ledger.next(at),
            target_next: ledger.target_next(at)?,
        };
        Some((TopicPartition::new(topic, *partition), place))
    });
    known.collect()
}

/// The target's offsets for committed offsets before the end of the copy.
fn translations(
    job: &Job<'_>,
    commits: &Commits,
    places: &BTreeMap<TopicPartition, Place<'_>>,
    clusters: &mut TwoClusters<'_>,
) -> Result<BTreeMap<TopicPartition, translation::Answer>> {
    let mut names = Vec::new();
    let mut questions = Vec::new();
    for (partition, place) in places {
        let committed = commits.values().filter_map(|of| of.get(partition));
        let mut offsets: Vec<Offset> = committed.map(|committed| committed.offset).collect();
        offsets.retain(|offset| *offset < place.next);
        offsets.sort_unstable();
        offsets.dedup();
        let Some(first) = offsets.first() else { continue };
        questions.push(Question {
            source: Range {
                topic: partition.topic.clone(),
                partition: partition.partition,
                from: *first,
                end: Some(place.next),
            },
            target: (place.pair.target.clone(), partition.partition),
            target_next: place.target_next,
            offsets,
            with_times: place.with_times,
        });
        names.push(partition.clone());
    }
    let target = ClusterOrigin {
        settings: clusters.there().client.settings().clone(),
        patience: job.action.patience,
        interrupt: job.interrupt.clone(),
    };
    let filter = job.action.filter.as_ref();
    let answers = translation::translate(&questions, filter, (job.origin, &target), job.interrupt)?;
    Ok(names.into_iter().zip(answers).collect())
}

/// Commits for one group the offsets that it has not reached in the target; returns those that it could not.
fn commit(
    group: &str,
    committed: &BTreeMap<TopicPartition, CommittedOffset>,
    (places, translated): (
        &BTreeMap<TopicPartition, Place<'_>>,
        &BTreeMap<TopicPartition, translation::Answer>,
    ),
    clusters: &mut TwoClusters<'_>,
) -> Result<Vec<Error>> {
    let mut failures = Vec::new();
    let mut wanted = BTreeMap::new();
    for (partition, committed) in committed {
        let Some(place) = places.get(partition) else {
            continue;
        };
        let name = TopicPartition::new(&place.pair.target, partition.partition);
        let answer = translated
            .get(partition)
            .and_then(|answer| answer.get(&committed.offset));
        match answer.copied().unwrap_or(Some(place.target_next)) {
            Some(offset) => {
                let mut there = CommittedOffset::at(offset);
                there.metadata.clone_from(&committed.metadata);
                wanted.insert(name, there);
            }
            None => failures.push(Error::failed(format!(
                "group {group} has no place in {name}: the record that it reads next in {partition}, offset {}, is not where the copy put it",
                committed.offset
            ))),
        }
    }
    let admin = clusters.there().client.admin()?;
    let known = admin.committed_offsets(group)?;
    let is_new = |partition: &TopicPartition, wanted: &CommittedOffset| {
        known.get(partition).is_none_or(|known| *known < wanted.offset)
    };
    let all = wanted.len();
    wanted.retain(|partition, wanted| is_new(partition, wanted));
    let (mut moved, kept) = (0_u64, (all - wanted.len()) as u64);
    if !wanted.is_empty() {
        for (partition, outcome) in admin.commit_offsets(group, &wanted)? {
            match outcome {
                Ok(()) => moved += 1,
                Err(refusal) => failures.push(
                    Error::from(refusal)
                        .context(format_args!("cannot commit {partition} for group {group}"))
                        .hint("a group with members commits by itself"),
                ),
            }
        }
    }
    say(group, moved, kept, clusters);
    Ok(failures)
}

fn say(group: &str, moved: u64, kept: u64, clusters: &mut TwoClusters<'_>) {
    let kept = match kept {
        0 => String::new(),
        kept => format!(", {} there already", counted(kept, "is as far", "are as far")),
    };
    let moved = plural(moved, "partition");
    let line = format!("group {group}: {moved} committed in the target{kept}");
    clusters.here.printer.note(line);
}
