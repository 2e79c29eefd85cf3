//! Topics into other topics, of the same cluster or another one: whole batches, unchanged wherever possible.
//!
//! The steps: which topics become which (`plan`); what has to be created (`targets`); where an earlier run ended
//! (`checkpoint`); then batches from one side to the other (`run`, `transfer`), recorded (`ledger`) so that a position
//! never passes a record that may be missing in the target.

mod account;
mod checkpoint;
mod copied_records;
mod groups;
mod growth;
mod keeper;
mod ledger;
mod packer;
mod plan;
mod replicated_ends;
mod resume;
mod run;
mod settled;
mod targets;
mod transactions;
mod transfer;
mod translation;
mod verify;
mod watcher;

use std::path::PathBuf;
use std::time::Duration;

use super::batch_reading::{BatchOrigin, BatchReading, ClusterOrigin, Part, Range};
use super::command::{Command, Needs};
use super::context::Context;
use super::topic_selection::{self, Selection};
use super::two_clusters::TwoClusters;
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::filter::{Expression, Field};
use crate::interrupt::{Grace, Interrupt};
use crate::output::{OutputOptions, copy as output};
pub use plan::Placement;
pub(super) use plan::{Pair, Source};

/// What the user asked for.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Action {
    pub topics: Selection,
    /// The names of the copies; those of their sources if missing. `$0` to `$9` are parts of a pattern's match.
    pub target: Option<String>,
    /// The target's cluster, if it is another one.
    pub target_settings: Option<Settings>,
    pub part: Part,
    pub filter: Option<Expression>,
    pub placement: Placement,
    /// The field that becomes the key of each record; without it keys stay.
    pub key: Option<Field>,
    /// Whether missing topics are created.
    pub creates: bool,
    /// The partitions of created topics; without it as many as their sources.
    pub new_partitions: Option<i32>,
    /// Whether a record that the target refuses is skipped.
    pub skips_failed: bool,
    /// The file with the progress of the copy; without it, one in the user's state directory.
    pub checkpoint: Option<PathBuf>,
    /// Whether batches and positions are committed together, in transactions of the target's cluster.
    pub is_exactly_once: bool,
    /// Groups whose committed offsets are carried over to the target when all is copied.
    pub groups: Option<fancy_regex::Regex>,
    /// Whether the copy continues with later records, until it is interrupted.
    pub follows: bool,
    /// Whether both sides are compared when all is copied.
    pub verifies: bool,
    /// Whether an existing checkpoint is ignored.
    pub restarts: bool,
    pub is_dry_run: bool,
    /// How long to wait for a cluster that does not answer.
    pub patience: Duration,
    /// How messages about the target's cluster are printed.
    pub output: OutputOptions,
}

impl Action {
    /// Whether the nth record of a source partition is the nth of the target partition with that number, unchanged.
    fn keeps_records(&self) -> bool {
        self.placement == Placement::Keep && self.key.is_none()
    }
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::RECORDS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let interrupt = Interrupt::install_with_watchdog(Grace::OF_TRANSFERS)?;
        context.note_settings();
        let mut clusters = TwoClusters::new(context, self.target_settings.as_ref(), self.output)?;
        let topics = topic_selection::find(&self.topics, clusters.here)?;
        let specs = clusters.here.client.admin()?.topic_specs(&topics)?;
        let sources = topics.into_iter().zip(specs);
        let sources = sources.map(|(topic, spec)| Source { topic, spec }).collect();
        let are_one = clusters.are_one()?;
        let (source_id, _) = clusters.ids()?;
        let origin = ClusterOrigin {
            settings: clusters.here.client.settings().clone(),
            patience: self.patience,
            interrupt: interrupt.clone(),
        };
        let pairs = pairs(&self, sources, are_one, &mut clusters)?;
        let ranges = ranges(&self, &pairs, &origin)?;
        let job = Job {
            action: &self,
            pairs: &pairs,
            origin: &origin,
            source_id: source_id.as_deref(),
            interrupt: &interrupt,
        };
        copy(&job, ranges, &mut clusters)
    }
}

/// A copy whose topics are chosen, from a cluster or a backup.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) action: &'a Action,
    pub(super) pairs: &'a [Pair],
    pub(super) origin: &'a dyn BatchOrigin,
    /// Identifies the source in the checkpoint; very old brokers have no cluster id.
    pub(super) source_id: Option<&'a str>,
    pub(super) interrupt: &'a Interrupt,
}

/// Shows what would be copied, or copies it.
pub(super) fn copy(job: &Job<'_>, ranges: Vec<Range>, clusters: &mut TwoClusters<'_>) -> Result<()> {
    if job.action.is_exactly_once && job.action.placement != Placement::Keep {
        return Err(Error::usage(
            "--exactly-once keeps a position for each target partition: it goes with --partitions keep",
        ));
    }
    if (job.action.verifies || job.action.groups.is_some()) && !job.action.keeps_records() {
        return Err(Error::usage(
            "--verify and --groups hold partition against partition: they go with --partitions keep, and without --key-from",
        ));
    }
    if job.action.is_dry_run {
        return output::plan(&mut clusters.here.printer, &rows(job.pairs, &ranges));
    }
    let mut pairs = job.pairs.to_vec();
    targets::create(&mut pairs, clusters)?;
    let job = Job {
        pairs: &pairs,
        ..*job
    };
    run::run(&job, ranges, clusters)
}

/// Which topic becomes which.
pub(super) fn pairs(
    action: &Action,
    sources: Vec<Source>,
    are_one_cluster: bool,
    clusters: &mut TwoClusters<'_>,
) -> Result<Vec<Pair>> {
    if sources.is_empty() {
        return Err(action.topics.nothing_matches());
    }
    let patterns = if action.topics.is_regex {
        action.topics.patterns()?
    } else {
        Vec::new()
    };
    let mut names: Vec<(Source, String)> = Vec::with_capacity(sources.len());
    for source in sources {
        let name = &source.topic.name;
        let matching = |pattern: &&fancy_regex::Regex| pattern.is_match(name).unwrap_or(false);
        let pattern = patterns.iter().find(matching);
        let target = plan::target_name(name, action.target.as_deref(), pattern)?;
        names.push((source, target));
    }
    let targets = clusters.there().client.admin()?.all_topics()?;
    let mut pairs = plan::pairs(names, &targets, are_one_cluster, action.creates)?;
    for pair in &mut pairs {
        if let Some(partitions) = action.new_partitions {
            pair.spec.partitions = Some(partitions);
        }
        pair.check_room(action.placement)?;
    }
    Ok(pairs)
}

/// The part of each source partition to copy, before any progress, in the order of the pairs.
fn ranges(action: &Action, pairs: &[Pair], origin: &ClusterOrigin) -> Result<Vec<Range>> {
    let mut partitions = Vec::new();
    for pair in pairs {
        let name = &pair.source.name;
        let wanted = pair.source.partitions.iter().map(|partition| partition.partition);
        partitions.extend(
            wanted
                .filter(|partition| action.part.takes(*partition))
                .map(|partition| (name.clone(), partition)),
        );
    }
    if partitions.is_empty() {
        return Err(Error::not_found("the topics have none of these partitions"));
    }
    let mut reading = BatchReading::open(&origin.settings, origin.patience, &origin.interrupt)?;
    reading.ranges(&partitions, &action.part, action.patience)
}

fn rows(pairs: &[Pair], ranges: &[Range]) -> Vec<output::PlanRow> {
    let row = |pair: &Pair| {
        let of_it = ranges.iter().filter(|range| range.topic == pair.source.name);
        output::PlanRow {
            source: pair.source.name.clone(),
            target: pair.target.clone(),
            partitions: pair.source.partitions.len(),
            target_partitions: pair.target_partitions(),
            offsets: of_it
                .map(|range| range.end.unwrap_or(range.from) - range.from)
                .sum(),
            is_new: pair.existing.is_none(),
        }
    };
    pairs.iter().map(row).collect()
}
