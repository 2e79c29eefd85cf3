//! Two topics, or the topics of two clusters, compared: partitions, replication factors, configs, and the records
//! themselves. Exit code 1 where anything differs.

use std::time::Duration;

use super::batch_reading::{BatchFlow, BatchReading, Part, Range};
use super::command::{Command, Needs};
use super::compare::{self, Difference, Rules};
use super::context::Context;
use super::topic_files::{self, drift};
use super::topic_selection::{self, Selection};
use super::two_clusters::TwoClusters;
use crate::client::admin::topic_specs::TopicSpec;
use crate::client::admin::topics::TopicDescription;
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::filter::Expression;
use crate::interrupt::{Grace, Interrupt};
use crate::output::topic_drift::{self as output, Change, DriftRow};
use crate::output::{OutputOptions, counted, plural};

/// What the user asked for.
#[derive(Debug)]
pub struct Action {
    /// The topics here; all but internal ones where none is named.
    pub topics: Selection,
    /// The name of the one topic on the other side, if it differs.
    pub other: Option<String>,
    pub other_settings: Option<Settings>,
    pub compares_configs: bool,
    pub compares_records: bool,
    /// Whether times of records are compared.
    pub compares_times: bool,
    pub part: Part,
    pub filter: Option<Expression>,
    pub patience: Duration,
    pub output: OutputOptions,
}

/// The topics of both sides: the nth of the one belongs to the nth of the other.
struct Sides {
    left: Vec<TopicDescription>,
    right: Vec<TopicDescription>,
    /// Names that exist on the left side only, and on the right side only.
    only_left: Vec<String>,
    only_right: Vec<String>,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::RECORDS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let interrupt = Interrupt::install_with_watchdog(Grace::OF_LOOKS)?;
        context.note_settings();
        let mut clusters = TwoClusters::new(context, self.other_settings.as_ref(), self.output)?;
        let sides = self.sides(&mut clusters)?;
        let mut rows = self.rows(&sides, &mut clusters)?;
        let mut same = 0;
        if self.compares_records {
            let (found, differences) = self.records(&sides, &mut clusters, &interrupt)?;
            same = found;
            rows.extend(differences);
            rows.sort_by(|one, other| one.topic.cmp(&other.topic));
        }
        if rows.is_empty() {
            let records = if self.compares_records {
                format!(", {}", plural(same, "record"))
            } else {
                "; records were not compared (--records does)".to_owned()
            };
            let topics = plural(sides.left.len() as u64, "topic");
            clusters
                .here
                .printer
                .note(format_args!("nothing differs: {topics}{records}"));
            return Ok(());
        }
        output::list(&mut clusters.here.printer, &rows, ("LEFT", "RIGHT"))?;
        let what = counted(rows.len() as u64, "difference", "differences");
        Err(Error::failed(what))
    }
}

impl Action {
    fn sides(&self, clusters: &mut TwoClusters<'_>) -> Result<Sides> {
        let left = match &self.other {
            // A topic that is on one side only is a difference, but not where both are named.
            Some(_) => topic_selection::find(&self.topics, clusters.here)?,
            None => topic_selection::find_some(&self.topics, clusters.here)?.0,
        };
        let others = clusters.there().client.admin()?.all_topics()?;
        if let Some(other) = &self.other {
            let found = others.into_iter().find(|topic| topic.name == *other);
            let found = found.ok_or_else(|| topic_selection::not_found(other, clusters.there()))?;
            return Ok(Sides {
                left,
                right: vec![found],
                only_left: Vec::new(),
                only_right: Vec::new(),
            });
        }
        let (mut right, missing) = self.topics.choose(others)?;
        let is_on = |topics: &[TopicDescription], name: &str| topics.iter().any(|topic| topic.name == name);
        if let Some(name) = missing.iter().find(|name| !is_on(&left, name)) {
            return Err(topic_selection::not_found(name, clusters.here));
        }
        let only = |one: &[TopicDescription], other: &[TopicDescription]| -> Vec<String> {
            let alone = one.iter().filter(|topic| !is_on(other, &topic.name));
            alone.map(|topic| topic.name.clone()).collect()
        };
        let (only_left, only_right) = (only(&left, &right), only(&right, &left));
        let left: Vec<TopicDescription> = left
            .into_iter()
            .filter(|topic| is_on(&right, &topic.name))
            .collect();
        right.retain(|topic| is_on(&left, &topic.name));
        Ok(Sides {
            left,
            right,
            only_left,
            only_right,
        })
    }

    /// The differences other than in records.
    fn rows(&self, sides: &Sides, clusters: &mut TwoClusters<'_>) -> Result<Vec<DriftRow>> {
        let mut left = clusters.here.client.admin()?.topic_specs(&sides.left)?;
        let mut right = clusters.there().client.admin()?.topic_specs(&sides.right)?;
        // Both under one name: topics are compared, not their names.
        for (right, left) in right.iter_mut().zip(&left) {
            right.name.clone_from(&left.name);
        }
        if !self.compares_configs {
            left.iter_mut()
                .chain(&mut right)
                .for_each(|spec| spec.configs.clear());
        }
        let alone = |name: &String| TopicSpec {
            name: name.clone(),
            ..TopicSpec::default()
        };
        left.extend(sides.only_left.iter().map(alone));
        right.extend(sides.only_right.iter().map(alone));
        let drifts = drift(&left, &right);
        Ok(topic_files::rows(&drifts, |_| Change::Nothing))
    }

    /// The differences in records, and how many records are the same.
    fn records(
        &self,
        sides: &Sides,
        clusters: &mut TwoClusters<'_>,
        interrupt: &Interrupt,
    ) -> Result<(u64, Vec<DriftRow>)> {
        let mut lefts = Vec::new();
        let mut rights = Vec::new();
        for (left, right) in sides.left.iter().zip(&sides.right) {
            let shared = left.partitions.len().min(right.partitions.len());
            let numbers = left
                .partitions
                .iter()
                .take(shared)
                .map(|partition| partition.partition);
            for partition in numbers.filter(|partition| self.part.takes(*partition)) {
                lefts.push((left.name.clone(), partition));
                rights.push((right.name.clone(), partition));
            }
        }
        let here = clusters.here.client.settings().clone();
        let there = clusters.there().client.settings().clone();
        let mut left = BatchReading::open(&here, self.patience, interrupt)?;
        let mut right = BatchReading::open(&there, self.patience, interrupt)?;
        let left_ranges = left.ranges(&lefts, &self.part, self.patience)?;
        let right_ranges = right.ranges(&rights, &self.part, self.patience)?;
        left.add(left_ranges.clone())?;
        right.add(right_ranges.clone())?;
        let rules = Rules {
            filter: self.filter.clone(),
            with_times: vec![self.compares_times; lefts.len()],
        };
        let (same, differences) = compare::compare(&mut left, &mut right, &rules, interrupt)?;
        let row = |difference: &Difference| row(difference, &left_ranges, &right_ranges);
        Ok((same, differences.iter().filter_map(row).collect()))
    }
}

/// A difference of records as a row, with its offset on each side.
fn row(difference: &Difference, left: &[Range], right: &[Range]) -> Option<DriftRow> {
    let range = left.get(difference.place)?;
    let end = |range: Option<&Range>| range.and_then(|range| range.end).unwrap_or_default();
    let side = |offset: Option<i64>, range: Option<&Range>| match offset {
        Some(offset) => Some(format!("offset {offset}")),
        None => Some(format!("ends at {}", end(range))),
    };
    Some(DriftRow {
        topic: range.topic.clone(),
        what: format!(
            "record {} of partition {}",
            crate::output::grouped(difference.same + 1),
            range.partition
        ),
        is: side(difference.left, Some(range)),
        wanted: side(difference.right, right.get(difference.place)),
        change: Change::Nothing,
    })
}
