//! `kafkit dump-log …` to `dump_log::Action`.

use clap::Args;

use super::Invocation;
use super::connection_args::ConnectionArgs;
use super::output_args::OutputArgs;
use crate::commands::{Command, dump_log::Action};
use crate::error::Result;

/// Look into log segments, indexes and snapshots on disk
#[derive(Args, Debug)]
pub struct DumpLogArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl DumpLogArgs {
    pub(super) fn into_invocation(self) -> Result<Invocation> {
        Ok(Invocation {
            command: Command::DumpLog(Action {}),
            settings: self.connection.into_settings()?,
            output: self.output.into_options(),
        })
    }
}
