//! `kafkit leaders …` to `leaders::Election`.

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use super::partitions::partitions_of_topic;
use crate::client::admin::elections::ElectionType;
use crate::client::settings::Use;
use crate::commands::leaders::Election;
use crate::commands::partition_selection::PartitionsOfTopic;
use crate::error::Result;

/// Elect other leaders of partitions
#[derive(Args, Debug)]
pub struct LeadersArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Elect(ElectArgs),
}

/// Give partitions their preferred leaders back, or a leader at all
///
/// The preferred leader of a partition is its first replica; it leads again if it is in sync. Shows what will change and
/// asks; without a terminal it wants --yes.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit leaders elect --all --dry-run
  kafkit leaders elect orders:0,3 payments
  kafkit leaders elect orders:7 --unclean    # for a partition whose in-sync replicas are lost")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct ElectArgs {
    /// Topics, or these partitions of them
    #[arg(required_unless_present = "all", value_name = "TOPIC[:P,P…]", value_parser = partitions_of_topic,
          add = super::candidates::topics())]
    topics: Vec<PartitionsOfTopic>,
    /// Every partition of the cluster
    #[arg(short, long, conflicts_with = "topics")]
    all: bool,
    /// Let any replica lead a partition that has no leader; the records that it lacks are lost
    #[arg(long)]
    unclean: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would change and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl IntoInvocation for LeadersArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let Verb::Elect(args) = self.verb;
        Ok(Invocation {
            command: Box::new(Election {
                topics: (!args.all).then_some(args.topics),
                election: if args.unclean {
                    ElectionType::Unclean
                } else {
                    ElectionType::Preferred
                },
                is_sure: args.yes,
                is_dry_run: args.dry_run,
            }),
            settings: self.connection.into_settings(Use::Admin)?,
            output: self.output.into_options(),
        })
    }
}
