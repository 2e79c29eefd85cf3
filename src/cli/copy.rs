//! `kafkit copy …` to `copy::Action`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::two_sides_args::{TwoSidesArgs, selection};
use crate::commands::copy::{Action, Placement};
use crate::error::{Error, Result};
use crate::filter::{self, Field};

const EXAMPLES: &str = "\
Examples:
  kafkit copy orders orders-copy --create           in the same cluster
  kafkit copy orders --to kafka2:9092 --create      the same name on another cluster
  kafkit copy 'shop-.*' 'old-$0' --regex --create --to-profile archive
  kafkit copy --all --to mini --create              a whole cluster onto this machine
  kafkit copy orders web-orders --where 'headers.source ~ \"^web\"' --since 1h
  kafkit copy orders orders-12 --create --create-partitions 12 --partitions hash
  kafkit copy orders orders-by-id --create --key-from .id
  kafkit copy --all --to kafka2:9092 --create --groups '.*'
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
    #[arg(value_name = "TARGET", add = super::candidates::topics_there())]
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

    /// With --create: how many partitions the copies get; as many as their sources where it is not given
    #[arg(long, value_name = "N", requires = "create", value_parser = clap::value_parser!(i32).range(1..))]
    create_partitions: Option<i32>,

    /// Where records go: the partition they are in, or the one that their key has in the target
    ///
    /// Where it is not given they stay; with --key-from they go by their new keys.
    #[arg(long, value_name = "HOW", value_enum)]
    partitions: Option<PlacementArg>,

    /// Give each record another key: a path into its value's JSON, such as .user.id, or headers.NAME
    ///
    /// A text becomes the key without its quotation marks, everything else as it is written.
    #[arg(long, value_name = "FIELD", value_parser = field, allow_hyphen_values = true)]
    key_from: Option<Field>,

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

    /// Carry over where groups are: what those of these names have committed is committed in the target
    ///
    /// PATTERN is a regular expression that must match whole names, '.*' for all. Offsets become those of the same records in
    /// the target. A group that is further there stays where it is.
    #[arg(
        long,
        value_name = "PATTERN",
        value_parser = whole_names,
        conflicts_with_all = ["exactly_once", "skip_failed", "offset", "since", "until", "follow"]
    )]
    groups: Option<fancy_regex::Regex>,

    /// Go on with records that come later, and with topics and partitions that are added, until Ctrl-C
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
    sides: TwoSidesArgs,
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
        let sides = self.sides.read()?;
        if sides.other_settings.is_none() && self.target.is_none() {
            return Err(Error::usage("a target is missing")
                .hint("name the copy, or another cluster with --to or --to-profile"));
        }
        let placement = match self.partitions {
            Some(placement) => placement.into_placement(),
            // A record with a different key belongs to a different partition.
            None if self.key_from.is_some() => Placement::Hash,
            None => Placement::Keep,
        };
        let action = Action {
            topics: selection(self.source, self.regex),
            target: self.target,
            target_settings: sides.other_settings,
            part: sides.part,
            filter: sides.filter,
            placement,
            key: self.key_from,
            creates: self.create,
            new_partitions: self.create_partitions,
            skips_failed: self.skip_failed,
            checkpoint: self.checkpoint,
            is_exactly_once: self.exactly_once,
            groups: self.groups,
            follows: self.follow,
            verifies: self.verify,
            restarts: self.restart,
            is_dry_run: self.dry_run,
            patience: sides.patience,
            output: sides.output,
        };
        Ok(Invocation {
            command: Box::new(action),
            settings: sides.settings,
            output: sides.output,
        })
    }
}

fn field(text: &str) -> Result<Field, String> {
    filter::parse_field(text).map_err(|error| error.problem)
}

/// A regular expression that must match whole names.
fn whole_names(text: &str) -> Result<fancy_regex::Regex, String> {
    let patterns = selection(Some(text.to_owned()), true).patterns();
    let patterns = patterns.map_err(|error| error.to_string())?;
    patterns
        .into_iter()
        .next()
        .ok_or_else(|| "it is empty".to_owned())
}
