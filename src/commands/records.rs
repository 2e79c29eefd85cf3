//! Deleting the oldest records of partitions: shown, confirmed, then done. It cannot be undone.

use std::collections::BTreeMap;

use super::command::{Command, Needs};
use super::context::Context;
use super::partition_selection::{self, PartitionsOfTopic};
use crate::client::admin::offsets::{EARLIEST, LATEST, Offsets};
use crate::client::admin::record_deletion::Cut;
use crate::client::admin::volumes::leaders;
use crate::error::{Error, Result};
use crate::output::{confirm, counted, plural, record_deletion as output};
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The point up to which records are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The new log start offset.
    Offset(Offset),
    /// Everything older than this, in milliseconds since 1970.
    Time(i64),
    /// All records.
    End,
}

/// Records to delete.
#[derive(Debug)]
pub struct Deletion {
    pub topics: Vec<PartitionsOfTopic>,
    pub to: Limit,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
}

impl Command for Deletion {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        delete(&self, context)
    }
}

fn delete(deletion: &Deletion, context: &mut Context) -> Result<()> {
    let (rows, cuts) = plan(deletion, context)?;
    let records: i64 = rows.iter().map(output::Row::goes).sum();
    let records = u64::try_from(records).unwrap_or(0);
    let what = format!(
        "{} of {}",
        plural(records, "offset"),
        plural(cuts.len() as u64, "partition")
    );
    if !deletion.is_dry_run && !deletion.is_sure && !confirm::can_ask() && !cuts.is_empty() {
        return Err(
            Error::usage(format!("would delete {what}; without a terminal say --yes"))
                .hint("--dry-run shows which"),
        );
    }
    output::list(&mut context.printer, &rows)?;
    if cuts.is_empty() {
        context.printer.note("there is nothing to delete");
        return Ok(());
    }
    if deletion.is_dry_run {
        context.printer.note(format_args!("would delete {what}"));
        return Ok(());
    }
    if !deletion.is_sure {
        context.consent("", &format!("Delete {what} for good?"), "nothing deleted")?;
    }
    carry_out(&cuts, &what, context)
}

/// The rows to show, and the deletions to request.
fn plan(deletion: &Deletion, context: &mut Context) -> Result<(Vec<output::Row>, Vec<Cut>)> {
    let names = deletion.topics.iter().map(|wanted| wanted.topic.as_str());
    let topics = context.client.admin()?.topics_named(names)?;
    let wanted = partition_selection::find(&deletion.topics, &topics, context)?;
    let all: BTreeMap<TopicPartition, BrokerId> = leaders(&topics).into_iter().collect();
    let mut led = Vec::with_capacity(wanted.len());
    for partition in wanted {
        match all.get(&partition) {
            Some(leader) => led.push((partition, *leader)),
            None => return Err(Error::failed(format!("{partition} has no leader now"))),
        }
    }
    let admin = context.client.admin()?;
    let mut firsts = admin.list_offsets(&led, EARLIEST)?;
    let mut ends = admin.list_offsets(&led, LATEST)?;
    let mut times = match deletion.to {
        Limit::Time(time) => admin.list_offsets(&led, time)?,
        Limit::Offset(_) | Limit::End => Offsets::new(),
    };
    let mut rows = Vec::with_capacity(led.len());
    let mut cuts = Vec::with_capacity(led.len());
    for (partition, leader) in led {
        let (Some(first), Some(end)) = (offset(&mut firsts, &partition)?, offset(&mut ends, &partition)?)
        else {
            let why = context.client.admin()?.take_absent().remove(&leader);
            let why = why.unwrap_or_else(|| format!("broker {leader} did not answer"));
            return Err(Error::unreachable(format!("nothing deleted: {why}")));
        };
        let to = match deletion.to {
            Limit::Offset(offset) if offset > end => {
                let what = format!("nothing deleted: {partition} ends at {end}, before {offset}");
                return Err(Error::failed(what).hint("--to end deletes all that is there"));
            }
            Limit::Offset(offset) => offset,
            Limit::End => end,
            // Without a record at or after the time, all records are older.
            Limit::Time(_) => offset(&mut times, &partition)?
                .filter(|at| *at >= 0)
                .unwrap_or(end),
        };
        let to = to.clamp(first, end.max(first));
        if to > first {
            cuts.push((partition.clone(), leader, to));
        }
        rows.push(output::Row {
            partition,
            first,
            to,
            end,
        });
    }
    Ok((rows, cuts))
}

/// The leader's answer; `None` where it could not be asked.
fn offset(answers: &mut Offsets, partition: &TopicPartition) -> Result<Option<Offset>> {
    let answer = answers.remove(partition).transpose();
    answer.map_err(|refusal| {
        Error::from(refusal).context(format_args!("cannot ask for offsets of {partition}"))
    })
}

fn carry_out(cuts: &[Cut], what: &str, context: &mut Context) -> Result<()> {
    let outcomes = context.client.admin()?.delete_records(cuts)?;
    let done = outcomes.values().filter(|outcome| outcome.is_ok()).count();
    let failures: Vec<Error> = outcomes
        .into_iter()
        .filter_map(|(partition, outcome)| {
            let refusal = outcome.err()?;
            let is_compacted = refusal.name() == "POLICY_VIOLATION";
            let error = Error::from(refusal).context(format_args!("cannot delete records of {partition}"));
            Some(if is_compacted {
                error.hint("a topic whose cleanup.policy is compact alone keeps its records")
            } else {
                error
            })
        })
        .collect();
    if done == cuts.len() {
        context.printer.note(format_args!("deleted {what}"));
    } else if done > 0 {
        let of = counted(cuts.len() as u64, "partition", "partitions");
        context
            .printer
            .note(format_args!("deleted records of {done} of {of}"));
    }
    context.outcome_of(failures)
}
