//! `kafkit describe …` to `describe::Action`.

use clap::Args;

use super::Invocation;
use super::connection_args::ConnectionArgs;
use super::output_args::OutputArgs;
use crate::commands::{Command, describe::Action};
use crate::error::Result;

/// Look at a cluster, broker, topic, group, config or log dirs
#[derive(Args, Debug)]
pub struct DescribeArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl DescribeArgs {
    pub(super) fn into_invocation(self) -> Result<Invocation> {
        Ok(Invocation {
            command: Command::Describe(Action {}),
            settings: self.connection.into_settings()?,
            output: self.output.into_options(),
        })
    }
}
