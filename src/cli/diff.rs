//! `kafkit diff …` to `diff::Action`.

use clap::Args;

use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::two_sides_args::{TwoSidesArgs, selection};
use crate::commands::diff::Action;
use crate::error::{Error, Result};

/// Compare two topics, or the topics of two clusters
///
/// Partitions, replication factors and configs; with --records every record too, partition by partition in its order.
/// Offsets do not count. Exits with 0 where nothing differs and with 1 where something does.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit diff orders orders-copy --records
  kafkit diff orders --to kafka2:9092
  kafkit diff --to-profile archive                   every topic but Kafka's own
  kafkit diff 'shop-.*' --regex --to kafka2:9092 --records --since 1h
  kafkit diff orders orders-copy -o json")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct DiffArgs {
    /// The topic here; every topic but Kafka's own where none is given
    #[arg(value_name = "TOPIC", add = super::candidates::topics())]
    topic: Option<String>,

    /// The topic that it is compared with; of the same name where it is not given
    #[arg(value_name = "OTHER", conflicts_with = "regex", add = super::candidates::topics_there())]
    other: Option<String>,

    /// TOPIC is a regular expression that must match whole names
    #[arg(long)]
    regex: bool,

    /// Compare every record: key, value, headers, time
    #[arg(long)]
    records: bool,

    /// Times of records do not count
    #[arg(long, requires = "records")]
    ignore_times: bool,

    /// Configs do not count
    #[arg(long)]
    ignore_configs: bool,

    #[command(flatten)]
    sides: TwoSidesArgs,
}

impl IntoInvocation for DiffArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let sides = self.sides.read()?;
        if sides.other_settings.is_none() && self.other.is_none() {
            return Err(Error::usage("there is nothing to compare with")
                .hint("name another topic, or another cluster with --to or --to-profile"));
        }
        let action = Action {
            topics: selection(self.topic, self.regex),
            other: self.other,
            other_settings: sides.other_settings,
            compares_configs: !self.ignore_configs,
            compares_records: self.records,
            compares_times: !self.ignore_times,
            part: sides.part,
            filter: sides.filter,
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
