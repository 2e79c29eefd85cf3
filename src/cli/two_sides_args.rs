//! The flags of the commands that relate topics to others, of the same cluster or another one: `copy` and `diff`.

use std::time::Duration;

use clap::Args;

use super::condition_args::ConditionArgs;
use super::connection_args::ConnectionArgs;
use super::output_args::OutputArgs;
use super::part_args::PartArgs;
use super::target_args::TargetArgs;
use crate::client::settings::Settings;
use crate::commands::batch_reading::Part;
use crate::commands::topic_selection::Selection;
use crate::error::Result;
use crate::filter::Expression;
use crate::output::OutputOptions;

#[derive(Args, Clone, Debug, Default)]
pub(super) struct TwoSidesArgs {
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

/// The values of these flags.
#[derive(Debug)]
pub(super) struct TwoSides {
    pub(super) settings: Settings,
    /// The settings of the other cluster, if a flag names one.
    pub(super) other_settings: Option<Settings>,
    pub(super) part: Part,
    pub(super) filter: Option<Expression>,
    /// How long to wait for a cluster that does not answer.
    pub(super) patience: Duration,
    pub(super) output: OutputOptions,
}

impl TwoSidesArgs {
    pub(super) fn read(self) -> Result<TwoSides> {
        let patience = self.connection.time_without_answer();
        let settings = self.connection.into_raw_settings()?;
        Ok(TwoSides {
            other_settings: self.target_cluster.into_settings(&settings)?,
            settings,
            part: self.part.into_part()?,
            filter: self.conditions.into_expression(),
            patience,
            output: self.output.into_options(),
        })
    }
}

/// One topic, or those that match; all topics but internal ones if none is given.
pub(super) fn selection(topic: Option<String>, is_regex: bool) -> Selection {
    Selection {
        words: topic.into_iter().collect(),
        is_regex,
        with_internal: false,
    }
}
