//! `kafkit broker …` to `broker::Action`.

use clap::Args;

use super::Invocation;
use super::connection_args::ConnectionArgs;
use super::output_args::OutputArgs;
use crate::commands::{Command, broker::Action};
use crate::error::Result;

/// Run the mini broker
#[derive(Args, Debug)]
pub struct BrokerArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl BrokerArgs {
    pub(super) fn into_invocation(self) -> Result<Invocation> {
        Ok(Invocation {
            command: Command::Broker(Action {}),
            settings: self.connection.into_settings()?,
            output: self.output.into_options(),
        })
    }
}
