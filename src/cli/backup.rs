//! `kafkit backup …` and `kafkit restore …` to their actions.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::condition_args::ConditionArgs;
use super::connection_args::ConnectionArgs;
use super::copy::PlacementArg;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use super::part_args::PartArgs;
use crate::commands::backup::{Backup, Restore};
use crate::commands::batch_reading::Part;
use crate::commands::copy;
use crate::commands::topic_selection::Selection;
use crate::error::Result;

/// Write topics into a folder of files, as a log dir has them
///
/// Each partition is a folder of segments with the offsets of the cluster, which `kafkit dump-log` reads; backup.json says
/// what the topics are. The same command goes on where it ended, and adds what has come since.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit backup /backups/monday                  every topic but Kafka's own
  kafkit backup /backups/orders orders payments --verify
  kafkit backup /backups/shop 'shop-.*' --regex --since 7d
  kafkit dump-log --verify /backups/monday

Records of transactions that were aborted or are still open are left out.")]
pub struct BackupArgs {
    /// The folder; it is made if it is missing
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,

    /// Topics; every one but Kafka's own when none is given
    #[arg(value_name = "TOPIC", add = super::candidates::topics())]
    topics: Vec<String>,

    /// The names are regular expressions that must match whole names
    #[arg(long)]
    regex: bool,

    /// Read what was written and compare it with the cluster, record by record
    #[arg(long)]
    verify: bool,

    #[command(flatten)]
    part: PartArgs,
    #[command(flatten)]
    connection: ConnectionArgs,

    /// Say nothing but errors
    #[arg(short, long, action = ArgAction::SetTrue)]
    quiet: bool,
}

/// Bring the topics of a backup into a cluster
///
/// Topics that are missing are created as they were. Whole batches are sent as they are; offsets begin anew, without gaps.
/// The same command goes on where it ended.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit restore /backups/monday
  kafkit restore /backups/monday orders --verify
  kafkit restore /backups/monday orders --as orders-restored
  kafkit restore /backups/shop 'shop-(.*)' --regex --as 'old-$1' --dry-run")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct RestoreArgs {
    /// The folder that `kafkit backup` has written
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,

    /// Topics of the backup; all when none is given
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,

    /// The names are regular expressions that must match whole names
    #[arg(long)]
    regex: bool,

    /// What the topic is called in the cluster; with --regex, $0 in it is its name in the backup, $1 to $9 are groups
    #[arg(long = "as", value_name = "NAME")]
    target: Option<String>,

    /// Where records go: the partition they are in, or the one that their key has in the target
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    partitions: PlacementArg,

    /// Only these partitions, as 0,3,5-7
    #[arg(short, long, value_name = "LIST")]
    partition: Option<String>,

    /// Pass over records that the cluster refuses, name them, and exit with 1
    #[arg(long)]
    skip_failed: bool,

    /// The file that says how far the work is
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Begin anew, whatever the file says
    #[arg(long)]
    restart: bool,

    /// Compare the backup with the cluster when all is there, record by record
    #[arg(long)]
    verify: bool,

    /// Show what would be restored and restore nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    conditions: ConditionArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl IntoInvocation for BackupArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = Backup {
            folder: self.folder,
            topics: Selection {
                words: self.topics,
                is_regex: self.regex,
                with_internal: false,
            },
            part: self.part.into_part()?,
            verifies: self.verify,
            patience: self.connection.time_without_answer(),
        };
        Ok(Invocation {
            command: Box::new(action),
            settings: self.connection.into_raw_settings()?,
            output: crate::output::OutputOptions {
                quiet: self.quiet,
                ..crate::output::OutputOptions::default()
            },
        })
    }
}

impl IntoInvocation for RestoreArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let output = self.output.into_options();
        let partitions = self
            .partition
            .as_deref()
            .map_or(Ok(None), super::offset_words::partitions)?;
        let copy = copy::Action {
            topics: Selection {
                words: self.topics,
                is_regex: self.regex,
                with_internal: false,
            },
            target: self.target,
            target_settings: None,
            part: Part {
                partitions,
                ..Part::default()
            },
            filter: self.conditions.into_expression(),
            placement: self.partitions.into_placement(),
            key: None,
            creates: true,
            new_partitions: None,
            skips_failed: self.skip_failed,
            checkpoint: self.checkpoint,
            is_exactly_once: false,
            groups: None,
            follows: false,
            verifies: self.verify,
            restarts: self.restart,
            is_dry_run: self.dry_run,
            patience: self.connection.time_without_answer(),
            output,
        };
        Ok(Invocation {
            command: Box::new(Restore {
                folder: self.folder,
                copy,
            }),
            settings: self.connection.into_raw_settings()?,
            output,
        })
    }
}
