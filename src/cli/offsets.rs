//! `kafkit offsets …` to `offsets::Action`.

use clap::Args;

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use super::partitions::partitions_of_topic;
use super::times::parse_time;
use crate::client::settings::Use;
use crate::commands::offsets::Action;
use crate::commands::partition_selection::PartitionsOfTopic;
use crate::error::Result;

/// Show where partitions begin and end
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit offsets orders
  kafkit offsets orders:0,3 --at -1h
  kafkit offsets -o tsv | awk '$5 == 0'    # partitions without records")]
pub struct OffsetsArgs {
    /// Topics, or these partitions of them; all when none is given
    #[arg(value_name = "TOPIC[:P,P…]", value_parser = partitions_of_topic, add = super::candidates::topics())]
    topics: Vec<PartitionsOfTopic>,
    /// Show the first record at or after this time too: 10m (ago), RFC 3339, a date
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_time)]
    at: Option<i64>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl IntoInvocation for OffsetsArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        Ok(Invocation {
            command: Box::new(Action {
                topics: self.topics,
                at: self.at,
            }),
            settings: self.connection.into_settings(Use::Admin)?,
            output: self.output.into_options(),
        })
    }
}
