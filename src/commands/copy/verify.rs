//! After a copy: whether all copied records are in the target, record for record.

use super::ledger::Ledger;
use super::plan::Pair;
use super::targets::Facts;
use super::{Action, Job};
use crate::commands::batch_reading::{BatchOrigin, ClusterOrigin, Range};
use crate::commands::compare::{self, Difference, Rules};
use crate::commands::two_clusters::TwoClusters;
use crate::error::{Error, Result};
use crate::filter::Expression;
use crate::output::{counted, plural};
use crate::topic_partition::Offset;

/// How many partitions with differences are listed.
const NAMED: usize = 20;

/// The ranges that a run copies, and their targets.
#[derive(Debug)]
pub(super) struct Copied {
    /// Each range, and the index of its pair.
    sources: Vec<(Range, usize)>,
    targets: Vec<(String, Offset)>,
    filter: Option<Expression>,
}

impl Copied {
    /// Notes where the run begins; `None` if the user did not ask to verify.
    pub(super) fn begin(
        action: &Action,
        pairs: &[Pair],
        ranges: &[Range],
        starts: &[Option<Offset>],
    ) -> Option<Self> {
        if !action.verifies {
            return None;
        }
        let place_of = |range: &Range| pairs.iter().position(|pair| pair.source.name == range.topic);
        let mut sources = Vec::with_capacity(ranges.len());
        let mut targets = Vec::with_capacity(ranges.len());
        for (range, start) in ranges.iter().zip(starts) {
            let place = place_of(range).unwrap_or_default();
            let target = pairs.get(place).map(|pair| pair.target.clone());
            sources.push((range.clone(), place));
            targets.push((target.unwrap_or_default(), start.unwrap_or_default()));
        }
        Some(Self {
            sources,
            targets,
            filter: action.filter.clone(),
        })
    }

    /// Compares what was copied with the target.
    pub(super) fn verify(
        self,
        job: &Job<'_>,
        ledger: &Ledger,
        facts: &[Facts],
        clusters: &mut TwoClusters<'_>,
    ) -> Result<()> {
        let target = ClusterOrigin {
            settings: clusters.there().client.settings().clone(),
            patience: job.action.patience,
            interrupt: job.interrupt.clone(),
        };
        let lefts = self.sources.iter().enumerate().map(|(place, (range, _))| Range {
            end: Some(ledger.next(place)),
            ..range.clone()
        });
        let mut left = job.origin.read(lefts.collect())?;
        let rights = self.sources.iter().zip(&self.targets).enumerate();
        let rights = rights.map(|(place, ((range, _), (topic, from)))| Range {
            topic: topic.clone(),
            partition: range.partition,
            from: *from,
            end: Some(ledger.target_next(place).unwrap_or(*from)),
        });
        let mut right = target.read(rights.collect())?;
        let sets_times = |place: &usize| facts.get(*place).is_some_and(|facts| facts.sets_times);
        let rules = Rules {
            filter: self.filter.clone(),
            with_times: self.sources.iter().map(|(_, place)| !sets_times(place)).collect(),
        };
        let (same, differences) = compare::compare(&mut *left, &mut *right, &rules, job.interrupt)?;
        for difference in differences.iter().take(NAMED) {
            clusters.here.printer.warning(self.words(difference));
        }
        if differences.is_empty() {
            let printer = &mut clusters.here.printer;
            printer.note(format_args!(
                "verified: {} the same on both sides",
                plural(same, "record")
            ));
            return Ok(());
        }
        let partitions = counted(differences.len() as u64, "partition differs", "partitions differ");
        Err(Error::failed(format!("{partitions} from what was copied")))
    }

    fn words(&self, difference: &Difference) -> String {
        let source = self.sources.get(difference.place).map(|(range, _)| range);
        let target = self.targets.get(difference.place).map_or("", |(topic, _)| topic);
        let (topic, partition) = source.map_or(("", 0), |range| (range.topic.as_str(), range.partition));
        match (difference.left, difference.right) {
            (Some(left), Some(right)) => format!(
                "{topic}-{partition} offset {left} and {target}-{partition} offset {right} are not the same record"
            ),
            (Some(left), None) => {
                format!("{topic}-{partition} offset {left} is not in {target}-{partition}")
            }
            (None, right) => format!(
                "{target}-{partition} offset {} is not in {topic}-{partition}",
                right.unwrap_or_default()
            ),
        }
    }
}
