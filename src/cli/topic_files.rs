//! `kafkit topics export`, `apply` and `count`: their flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::condition_args::ConditionArgs;
use super::part_args::PartArgs;
use super::topics::SelectionArgs;
use crate::commands::topic_count;
use crate::commands::topic_files::{Apply, Export};
use crate::error::{Error, Result};

/// Write topics as a file that `topics apply` reads: partitions, replication factor, configs
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit topics export > topics.toml
  kafkit topics export 'shop-.*' --regex -o json > shop.json
  kafkit topics export -b old:9092 | kafkit topics apply -f - -b new:9092

TOML by default, JSON with -o json. What a topic leaves to its broker's defaults is left out.")]
pub(super) struct ExportArgs {
    #[command(flatten)]
    selection: SelectionArgs,
}

impl ExportArgs {
    pub(super) fn into_action(self) -> Export {
        Export {
            selection: self.selection.into_selection(),
        }
    }
}

/// Make topics what a file says, and show what differs
///
/// Topics that are missing are created; partitions are added, configs set. What the file does not name stays, unless
/// --prune or --prune-configs is given.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit topics apply -f topics.toml --dry-run
  kafkit topics apply -f topics.toml
  kafkit topics apply -f topics.toml --prune --yes      deletes every topic that is not in the file

The file, as `topics export` writes it; JSON has the same keys:
  [[topics]]
  name = \"orders\"
  partitions = 6
  replication-factor = 3
  [topics.configs]
  retention.ms = 86400000
  cleanup.policy = \"compact\"")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ApplyArgs {
    /// The file, TOML or JSON; - is stdin
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Delete topics that are not in the file, with all their records; Kafka's own stay
    #[arg(long)]
    prune: bool,
    /// Set back configs that the file does not name, of the topics that it names
    #[arg(long)]
    prune_configs: bool,
    /// Do not ask before topics are deleted
    #[arg(short, long)]
    yes: bool,
    /// Show what differs and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl ApplyArgs {
    pub(super) fn into_action(self) -> Apply {
        Apply {
            file: self.file,
            prunes_topics: self.prune,
            prunes_configs: self.prune_configs,
            is_dry_run: self.dry_run,
            is_sure: self.yes,
        }
    }
}

/// Count records
///
/// Reads the headers of all batches, and no more of them where no condition is given: markers, what was aborted and what
/// compaction removed do not count. --by-offsets reads nothing and counts offsets, of which there are no fewer.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit topics count orders
  kafkit topics count orders --where '.total > 100' --since 1h
  kafkit topics count 'shop-.*' --regex --by-partition
  kafkit topics count orders --by-offsets")]
pub(super) struct CountArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Count offsets instead of records, which takes no time
    #[arg(long)]
    by_offsets: bool,
    /// One row a partition
    #[arg(long)]
    by_partition: bool,
    #[command(flatten)]
    part: PartArgs,
    #[command(flatten)]
    conditions: ConditionArgs,
}

impl CountArgs {
    pub(super) fn into_action(self, patience: Duration) -> Result<topic_count::Action> {
        let filter = self.conditions.into_expression();
        if self.by_offsets && filter.is_some() {
            return Err(
                Error::usage("--by-offsets reads no records, so that no condition can be met")
                    .hint("leave --by-offsets out"),
            );
        }
        Ok(topic_count::Action {
            selection: self.selection.into_selection(),
            part: self.part.into_part()?,
            filter,
            by_offsets: self.by_offsets,
            by_partition: self.by_partition,
            patience,
        })
    }
}
