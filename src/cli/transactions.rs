//! `kafkit transactions …` to `transactions::Action`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::once::once;
use super::output_args::OutputArgs;
use super::partitions::partitions_of_topic;
use super::times::parse_duration;
use crate::commands::partition_selection::PartitionsOfTopic;
use crate::commands::transactions::hanging::{self, Search};
use crate::commands::transactions::{Abortion, Action};
use crate::error::Result;

/// List, describe and abort transactions, and find those that hang
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
    FindHanging(FindHangingArgs),
}

/// Abort open transactions
///
/// Readers of committed records wait for the end of an open transaction; whoever began it may be gone. Shows which
/// partitions are in it and asks; without a terminal it wants --yes. The producer that began it is fenced: whatever it
/// does next fails.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit transactions abort copier --dry-run
  kafkit transactions abort copier --yes
  kafkit transactions abort --hanging orders:3")]
struct AbortArgs {
    /// Transactional ids
    #[arg(required_unless_present = "hanging", value_name = "ID", add = super::candidates::transactional_ids())]
    ids: Vec<String>,
    /// The hanging transactions of these partitions, as `find-hanging` shows them; may be repeated
    #[arg(long, value_name = "TOPIC[:P,P…]", value_parser = partitions_of_topic, conflicts_with = "ids",
          add = super::candidates::topics())]
    hanging: Vec<PartitionsOfTopic>,
    #[command(flatten)]
    age: AgeArgs,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would be aborted and abort nothing
    #[arg(long)]
    dry_run: bool,
}

/// Find transactions that nobody will end
///
/// Such a transaction is open in a partition while its coordinator knows nothing of it, and readers of committed records
/// wait for it for ever. `transactions abort --hanging` ends it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit transactions find-hanging
  kafkit transactions find-hanging orders --longer-than 1h -o json")]
struct FindHangingArgs {
    /// Topics, or these partitions of them; all when none is given
    #[arg(value_name = "TOPIC[:P,P…]", value_parser = partitions_of_topic, add = super::candidates::topics())]
    topics: Vec<PartitionsOfTopic>,
    #[command(flatten)]
    age: AgeArgs,
}

#[derive(Args, Debug)]
struct AgeArgs {
    /// Hanging are transactions without a record for longer than this; as long as the longest transaction.max.timeout.ms
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_duration)]
    longer_than: Duration,
}

impl IntoInvocation for TransactionsArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.verb {
            Verb::List => Action::List,
            Verb::Describe { ids } => Action::Describe(once(ids)),
            Verb::FindHanging(args) => Action::FindHanging(Search {
                topics: args.topics,
                longer_than: args.age.longer_than,
            }),
            Verb::Abort(args) if args.ids.is_empty() => Action::AbortHanging(hanging::Abortion {
                search: Search {
                    topics: args.hanging,
                    longer_than: args.age.longer_than,
                },
                is_sure: args.yes,
                is_dry_run: args.dry_run,
            }),
            Verb::Abort(args) => Action::Abort(Abortion {
                ids: once(args.ids),
                is_sure: args.yes,
                is_dry_run: args.dry_run,
            }),
        };
        Invocation::asking(action, self.connection, self.output)
    }
}
