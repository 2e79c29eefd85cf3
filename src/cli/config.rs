//! `kafkit config explain` to `explain::Action`.

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use crate::client::settings::Asking;
use crate::commands::explain::Action;
use crate::error::Result;

/// Explain the settings of kafkit itself (those of topics and brokers are under `configs`)
#[derive(Args, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show every client setting that is given: its value, where it came from, what becomes of it, what it replaces
    ///
    /// Takes the flags that a command would get, and asks nobody: no cluster, no command, no password. Secrets are
    /// masked.
    #[command(after_help = "Examples:
  kafkit config explain
  kafkit config explain --profile prod -X acks=1
  kafkit config explain sasl.password -o json")]
    Explain {
        /// Only these settings
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
    },
}

impl IntoInvocation for ConfigArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let Verb::Explain { keys } = self.verb;
        Ok(Invocation {
            command: Box::new(Action { keys }),
            settings: self.connection.into_settings_asking(Asking::PassedOver)?,
            output: self.output.into_options(),
        })
    }
}
