//! The new offset of each partition in a reset: from the cluster, a shift, another group, or a file.
//!
//! The same offsets that `kafka-consumer-groups --reset-offsets` finds: one out of range is moved to the first offset
//! or the end, and for a time after the last record the end is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::undo_file;
use crate::client::admin::AdminClient;
use crate::client::admin::groups::CommittedOffset;
use crate::client::admin::offsets::{EARLIEST, LATEST};
use crate::error::{Error, Result};
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The target of a reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Offset(Offset),
    Earliest,
    Latest,
    /// The first record at or after this time, in milliseconds since 1970.
    Time(i64),
    /// This many records forward, or back if negative.
    Shift(i64),
    /// The committed offsets of another group.
    Group(String),
    /// The offsets of an undo file.
    File(PathBuf),
}

/// The state of the partitions before the reset.
#[derive(Debug)]
pub(super) struct Known {
    /// The offsets that the group has committed.
    pub commits: BTreeMap<TopicPartition, CommittedOffset>,
    /// The log start offset and the end of each partition.
    pub bounds: BTreeMap<TopicPartition, (Offset, Offset)>,
}

/// The offsets of another group or a file; empty for the other targets.
pub(super) fn given(target: &Target, group: &str, admin: &mut AdminClient) -> Result<undo_file::Commits> {
    match target {
        Target::Group(other) => {
            let commits = admin.commits_of(other)?;
            if commits.is_empty() {
                return Err(Error::not_found(format!("group {other} has committed nothing")));
            }
            let commit = |(partition, commit)| (partition, Some(commit));
            Ok(commits.into_iter().map(commit).collect())
        }
        Target::File(path) => undo_file::read(path, group, admin.cluster_id()?),
        _ => Ok(undo_file::Commits::new()),
    }
}

/// The new offset of each partition; `None` removes the committed offset, as a file may want.
pub(super) fn places(
    target: &Target,
    partitions: &[(TopicPartition, BrokerId)],
    given: &undo_file::Commits,
    known: &Known,
    admin: &mut AdminClient,
) -> Result<undo_file::Commits> {
    let times = match target {
        Target::Time(time) => Some(admin.list_offsets(partitions, *time)?),
        _ => None,
    };
    let mut places = undo_file::Commits::new();
    for (partition, _) in partitions {
        let (first, end) = known.bounds.get(partition).copied().unwrap_or_default();
        let place = match target {
            Target::Offset(offset) => CommittedOffset::at(*offset),
            Target::Earliest => CommittedOffset::at(first),
            Target::Latest => CommittedOffset::at(end),
            Target::Time(_) => {
                let found = times.as_ref().and_then(|times| times.get(partition).cloned());
                let offset = found.transpose().map_err(|refusal| {
                    Error::from(refusal).context(format_args!("cannot find the time in {partition}"))
                })?;
                CommittedOffset::at(offset.filter(|offset| *offset >= 0).unwrap_or(end))
            }
            Target::Shift(by) => {
                let Some(commit) = known.commits.get(partition) else {
                    return Err(Error::failed(format!(
                        "cannot shift {partition}: the group has committed nothing there"
                    )));
                };
                CommittedOffset::at(commit.offset.saturating_add(*by))
            }
            Target::Group(_) | Target::File(_) => match given.get(partition) {
                Some(Some(commit)) => commit.clone(),
                Some(None) => {
                    places.insert(partition.clone(), None);
                    continue;
                }
                None => continue,
            },
        };
        let inside = place.offset.clamp(first, end.max(first));
        let place = if inside == place.offset {
            place
        } else {
            CommittedOffset::at(inside)
        };
        places.insert(partition.clone(), Some(place));
    }
    Ok(places)
}

/// The log start offset and the end of each partition; one without an answer is an error.
pub(super) fn bounds(
    partitions: &[(TopicPartition, BrokerId)],
    admin: &mut AdminClient,
) -> Result<BTreeMap<TopicPartition, (Offset, Offset)>> {
    let mut firsts = admin.list_offsets(partitions, EARLIEST)?;
    let mut ends = admin.list_offsets(partitions, LATEST)?;
    let mut bounds = BTreeMap::new();
    for (partition, leader) in partitions {
        let mut offset =
            |offsets: &mut crate::client::admin::offsets::Offsets| match offsets.remove(partition) {
                Some(Ok(offset)) => Ok(offset),
                Some(Err(refusal)) => {
                    Err(Error::from(refusal).context(format_args!("cannot ask where {partition} ends")))
                }
                None => {
                    let absent = admin.take_absent().remove(leader);
                    let why = absent.unwrap_or_else(|| format!("broker {leader} did not answer"));
                    Err(Error::unreachable(format!(
                        "cannot ask where {partition} ends: {why}"
                    )))
                }
            };
        bounds.insert(partition.clone(), (offset(&mut firsts)?, offset(&mut ends)?));
    }
    Ok(bounds)
}

/// The partitions of a reset without named topics: those of the file or the other group, or else those with an offset
/// committed by the group.
pub(super) fn implied(
    given: &undo_file::Commits,
    commits: &BTreeMap<TopicPartition, CommittedOffset>,
) -> BTreeSet<TopicPartition> {
    if given.is_empty() {
        commits.keys().cloned().collect()
    } else {
        given.keys().cloned().collect()
    }
}
