//! `kafkit transactions …` to `transactions::Action`.

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use crate::client::settings::Use;
use crate::commands::transactions::{Abortion, Action};
use crate::error::Result;

/// List, describe and abort transactions
#[derive(Args, Debug)]
pub struct TransactionsArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show transactional ids with the state of their transactions
    #[command(after_help = "Examples:
  kafkit transactions list
  kafkit transactions list -o jsonl | jq -r 'select(.state == \"Ongoing\") | .transactional_id'")]
    List,
    /// Show transactional ids with their producers and open transactions: the same as `describe transaction`
    #[command(after_help = "Examples:
  kafkit transactions describe copier")]
    Describe {
        /// Transactional ids
        #[arg(required = true, value_name = "ID", add = super::candidates::transactional_ids())]
        ids: Vec<String>,
    },
    Abort(AbortArgs),
}

/// Abort open transactions
///
/// Readers of committed records wait for the end of an open transaction; whoever began it may be gone. Shows which
/// partitions are in it and asks; without a terminal it wants --yes. The producer that began it is fenced: whatever it
/// does next fails.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit transactions abort copier --dry-run
  kafkit transactions abort copier --yes")]
struct AbortArgs {
    /// Transactional ids
    #[arg(required = true, value_name = "ID", add = super::candidates::transactional_ids())]
    ids: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would be aborted and abort nothing
    #[arg(long)]
    dry_run: bool,
}

impl IntoInvocation for TransactionsArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.verb {
            Verb::List => Action::List,
            Verb::Describe { ids } => Action::Describe(ids),
            Verb::Abort(args) => Action::Abort(Abortion {
                ids: args.ids,
                is_sure: args.yes,
                is_dry_run: args.dry_run,
            }),
        };
        Ok(Invocation {
            command: Box::new(action),
            settings: self.connection.into_settings(Use::Admin)?,
            output: self.output.into_options(),
        })
    }
}
