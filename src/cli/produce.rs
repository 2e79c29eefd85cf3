//! `kafkit produce …` to `produce::Action`.

use clap::Args;

use super::Invocation;
use super::connection_args::ConnectionArgs;
use super::output_args::OutputArgs;
use crate::commands::{Command, produce::Action};
use crate::error::Result;

/// Send lines, files or JSON records to a topic
#[derive(Args, Debug)]
pub struct ProduceArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ProduceArgs {
    pub(super) fn into_invocation(self) -> Result<Invocation> {
        Ok(Invocation {
            command: Command::Produce(Action {}),
            settings: self.connection.into_settings()?,
            output: self.output.into_options(),
        })
    }
}
