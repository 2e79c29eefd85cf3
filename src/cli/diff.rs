//! `kafkit diff …` to `diff::Action`.

use clap::Args;

use super::condition_args::ConditionArgs;
use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use super::part_args::PartArgs;
use super::target_args::TargetArgs;
use crate::commands::diff::Action;
use crate::commands::topic_selection::Selection;
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
    #[arg(value_name = "OTHER", conflicts_with = "regex", add = super::candidates::topics())]
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

impl IntoInvocation for DiffArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let patience = self.connection.time_without_answer();
        let settings = self.connection.into_raw_settings()?;
        let other_settings = self.target_cluster.into_settings(&settings)?;
        if other_settings.is_none() && self.other.is_none() {
            return Err(Error::usage("there is nothing to compare with")
                .hint("name another topic, or another cluster with --to or --to-profile"));
        }
        let output = self.output.into_options();
        let action = Action {
            topics: Selection {
                words: self.topic.into_iter().collect(),
                is_regex: self.regex,
                with_internal: false,
            },
            other: self.other,
            other_settings,
            compares_configs: !self.ignore_configs,
            compares_records: self.records,
            compares_times: !self.ignore_times,
            part: self.part.into_part()?,
            filter: self.conditions.into_expression(),
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
