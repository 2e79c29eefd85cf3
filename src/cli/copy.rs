//! `kafkit copy …` to `copy::Action`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::condition_args::ConditionArgs;
use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use super::part_args::PartArgs;
use super::target_args::TargetArgs;
use crate::commands::copy::{Action, Placement};
use crate::commands::topic_selection::Selection;
use crate::error::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  kafkit copy orders orders-copy --create           in the same cluster
  kafkit copy orders --to kafka2:9092 --create      the same name on another cluster
  kafkit copy 'shop-.*' 'old-$0' --regex --create --to-profile archive
  kafkit copy --all --to mini --create              a whole cluster onto this machine
  kafkit copy orders web-orders --where 'headers.source ~ \"^web\"' --since 1h
  kafkit copy orders orders-12 --partitions hash    placed anew, by their keys
  kafkit copy orders orders-copy --dry-run

Whole batches are sent as they are wherever nothing in them changes: keys, values, headers, nulls, times and compression
stay, and so do partitions and the order in them. Offsets do not: a copy has no gaps. Records of transactions that were
aborted are left out, as are those of transactions still open.

How far a copy is stands in a file, by default in $XDG_STATE_HOME/kafkit or ~/.local/state/kafkit: the same command goes
on where it ended, however that was, and copies what has come since. --where has the conditions of `kafkit consume`.";

/// Copy topics into others, on the same cluster or another one
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct CopyArgs {
    /// The topic to copy
    #[arg(value_name = "SOURCE", required_unless_present = "all", add = super::candidates::topics())]
    source: Option<String>,

    /// What the copy is called; as the source where it is not given
    ///
    /// With --regex, $0 in it is the name of the source, and $1 to $9 are the groups of the pattern.
    #[arg(value_name = "TARGET", add = super::candidates::topics())]
    target: Option<String>,

    /// SOURCE is a regular expression that must match whole names; Kafka's own topics are left out
    #[arg(long)]
    regex: bool,

    /// Every topic but Kafka's own
    #[arg(long, conflicts_with_all = ["source", "regex"])]
    all: bool,

    /// Create topics that are missing, with the partitions and configs of their sources
    #[arg(long)]
    create: bool,

    /// Where records go: the partition they are in, or the one that their key has in the target
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    partitions: PlacementArg,

    /// Pass over records that the target refuses, name them, and exit with 1
    #[arg(long)]
    skip_failed: bool,

    /// The file that says how far the copy is
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Commit records and positions together, in transactions of the target's cluster
    ///
    /// Positions are the committed offsets of a group there, not a file, so that any machine can go on. A reader of committed
    /// records sees each record once, whatever happens to the copy.
    #[arg(long, conflicts_with_all = ["checkpoint", "skip_failed"])]
    exactly_once: bool,

    /// Go on with records that come later, until Ctrl-C
    #[arg(long, conflicts_with_all = ["until", "verify", "dry_run"])]
    follow: bool,

    /// Compare both sides when all is copied, record by record
    #[arg(long)]
    verify: bool,

    /// Begin anew, whatever the file says
    #[arg(long)]
    restart: bool,

    /// Show what would be copied and copy nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    target_cluster: TargetArgs,
    #[command(flatten)]
    part: PartArgs,
    #[command(flatten)]
    conditions: ConditionArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum PlacementArg {
    /// The same partition
    #[default]
    Keep,
    /// By the key, as Java's producer does
    Hash,
}

impl PlacementArg {
    pub(super) fn into_placement(self) -> Placement {
        match self {
            Self::Keep => Placement::Keep,
            Self::Hash => Placement::Hash,
        }
    }
}

impl IntoInvocation for CopyArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let patience = self.connection.time_without_answer();
        let settings = self.connection.into_raw_settings()?;
        let target_settings = self.target_cluster.into_settings(&settings)?;
        if target_settings.is_none() && self.target.is_none() {
            return Err(Error::usage("a target is missing")
                .hint("name the copy, or another cluster with --to or --to-profile"));
        }
        let output = self.output.into_options();
        let action = Action {
            topics: Selection {
                words: self.source.into_iter().collect(),
                is_regex: self.regex,
                with_internal: false,
            },
            target: self.target,
            target_settings,
            part: self.part.into_part()?,
            filter: self.conditions.into_expression(),
            placement: self.partitions.into_placement(),
            creates: self.create,
            skips_failed: self.skip_failed,
            checkpoint: self.checkpoint,
            is_exactly_once: self.exactly_once,
            follows: self.follow,
            verifies: self.verify,
            restarts: self.restart,
            is_dry_run: self.dry_run,
            patience,
            output,
        };
        Ok(Invocation {
            command: Box::new(action),
            settings,
            output,
        })
    }
}
