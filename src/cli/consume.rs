//! `kafkit consume …` to `consume::Action`.

use clap::Args;

use super::Invocation;
use super::connection_args::ConnectionArgs;
use super::output_args::OutputArgs;
use crate::commands::{Command, consume::Action};
use crate::error::Result;

/// Read topics to stdout
#[derive(Args, Debug)]
pub struct ConsumeArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ConsumeArgs {
    pub(super) fn into_invocation(self) -> Result<Invocation> {
        Ok(Invocation {
            command: Command::Consume(Action {}),
            settings: self.connection.into_settings()?,
            output: self.output.into_options(),
        })
    }
}
