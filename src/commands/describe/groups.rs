//! Groups and their progress: once, or repeatedly until the user ends it.
//!
//! Owns the calculation of lags: committed offsets, ends, and the time of the first record that is not committed.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::client::admin::groups::{GroupDescription, SHARE};
use crate::client::admin::offsets::LATEST;
use crate::client::admin::topics::TopicDescription;
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::{Error, Kind, Result};
use crate::interrupt::{Grace, Interrupt};
use crate::output::group::{self, Progress, Row};
use crate::output::group_watch::Watched;
use crate::records::batches::Batches;
use crate::spelling::closest;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The most bytes that the batch of that record may decompress to.
const BATCH_LIMIT: usize = 64 * 1024 * 1024;
/// How long one wait between two looks lasts, so that an interrupt is seen.
const STEP: Duration = Duration::from_millis(50);

pub(super) fn describe(names: &[String], context: &mut Context) -> Result<()> {
    let described = look(names, context)?;
    group::describe(&mut context.printer, &described)
}

/// Looks every `step`; a terminal shows the last look only.
pub(super) fn watch(names: &[String], step: Duration, context: &mut Context) -> Result<()> {
    let interrupt = Interrupt::install_with_watchdog(Grace::OF_LOOKS)?;
    let mut watched = Watched::default();
    loop {
        let begun = Instant::now();
        let described = look(names, context)?;
        watched.show(&mut context.printer, &described, begun)?;
        while begun.elapsed() < step {
            if interrupt.is_raised() {
                return Err(Error::interrupted());
            }
            if context.printer.has_lost_reader() {
                return Ok(());
            }
            thread::sleep(STEP.min(step.saturating_sub(begun.elapsed())));
        }
    }
}

fn look(names: &[String], context: &mut Context) -> Result<Vec<Progress>> {
    let mut described = Vec::new();
    for name in names {
        let found = match context.client.admin()?.describe_group(name) {
            // Only its coordinator can describe a group.
            Err(error) if error.kind() == Kind::Unreachable => {
                context.client.admin()?.note_coordinator_absent(name, &error)?;
                described.push(Progress::unknown(name));
                continue;
            }
            found => found?,
        };
        let description = found.map_err(|refusal| no_group(name, refusal, context))?;
        described.push(progress(description, context)?);
    }
    Ok(described)
}

fn no_group(name: &str, refusal: ApiError, context: &mut Context) -> Error {
    if refusal.name() != "GROUP_ID_NOT_FOUND" {
        return Error::from(refusal).context(format_args!("cannot describe group {name}"));
    }
    let groups = context.client.admin().and_then(AdminClient::list_groups);
    let groups = groups.unwrap_or_default();
    let meant = closest(name, groups.iter().map(|group| group.id.as_str()));
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
    Error::not_found(format!("group \"{name}\" not found{meant}"))
}

/// A group with its committed offsets and the ends of its partitions.
fn progress(description: GroupDescription, context: &mut Context) -> Result<Progress> {
    let admin = context.client.admin()?;
    let mut lags = BTreeMap::new();
    let committed = if description.kind == SHARE {
        let places = admin.share_group_offsets(&description.id)?;
        let places = places.map_err(|refusal| {
            Error::from(refusal).context(format_args!("cannot describe group {}", description.id))
        })?;
        let known = places
            .into_iter()
            .filter_map(|(partition, place)| Some((partition, place?)));
        let known = known.map(|(partition, place)| {
            lags.extend(place.lag.map(|lag| (partition.clone(), lag)));
            (partition, place.start)
        });
        known.collect()
    } else {
        admin.committed_offsets(&description.id)?
    };
    let assigned = description.members.iter().flat_map(|member| &member.assignment);
    let partitions: BTreeSet<TopicPartition> = committed.keys().chain(assigned).cloned().collect();
    let topics = admin.topics_named(partitions.iter().map(|partition| partition.topic.as_str()))?;
    let leaders: Vec<(TopicPartition, BrokerId)> = partitions
        .iter()
        .filter_map(|partition| Some((partition.clone(), leader(&topics, partition)?)))
        .collect();
    let ends: BTreeMap<TopicPartition, Offset> = admin
        .list_offsets(&leaders, LATEST)?
        .into_iter()
        .filter_map(|(partition, end)| Some((partition, end.ok()?)))
        .collect();
    let mut rows = Vec::with_capacity(partitions.len());
    for partition in partitions {
        let mut row = Row {
            committed: committed.get(&partition).copied(),
            stated_lag: lags.get(&partition).copied(),
            end: ends.get(&partition).copied(),
            waits_ms: None,
            member: description
                .members
                .iter()
                .position(|member| member.assignment.contains(&partition)),
            partition,
        };
        row.waits_ms = waits(&row, &topics, admin)?;
        rows.push(row);
    }
    Ok(Progress {
        is_known: true,
        rows,
        group: description,
    })
}

/// Milliseconds since the first record that is not committed was written; `None` where it cannot be read.
fn waits(row: &Row, topics: &[TopicDescription], admin: &mut AdminClient) -> Result<Option<i64>> {
    let (Some(lag), Some(committed)) = (row.lag(), row.committed) else {
        return Ok(None);
    };
    if lag == 0 {
        return Ok(Some(0));
    }
    let topic = topics.iter().find(|topic| topic.name == row.partition.topic);
    let id = topic.map_or(Uuid::nil(), |topic| topic.id);
    let Some(leader) = leader(topics, &row.partition) else {
        return Ok(None);
    };
    // A user who may see the group but not read the topic still sees the lag.
    let Ok(Some(bytes)) = admin.fetch_batch(&row.partition, id, leader, committed)? else {
        return Ok(None);
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_millis() as i64);
    Ok(time_at(&bytes, committed).map(|time| (now - time).max(0)))
}

/// The time of the first record at or after `offset`, in milliseconds since 1970.
fn time_at(bytes: &[u8], offset: Offset) -> Option<i64> {
    let mut scratch = Vec::new();
    for batch in Batches::new(bytes) {
        let records = batch.ok()?.records(&mut scratch, BATCH_LIMIT).ok()?;
        for record in records {
            let record = record.ok()?;
            if record.offset >= offset {
                return Some(record.timestamp).filter(|time| *time >= 0);
            }
        }
    }
    None
}

fn leader(topics: &[TopicDescription], partition: &TopicPartition) -> Option<BrokerId> {
    let topic = topics.iter().find(|topic| topic.name == partition.topic)?;
    let found = topic
        .partitions
        .iter()
        .find(|found| found.partition == partition.partition)?;
    found.leader
}
