//! `kafkit records …` to `records::Deletion`.

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use super::partitions::partitions_of_topic;
use super::times::parse_time;
use crate::client::settings::Use;
use crate::commands::partition_selection::PartitionsOfTopic;
use crate::commands::records::{Deletion, Limit};
use crate::error::Result;

/// Delete the oldest records of topics
#[derive(Args, Debug)]
pub struct RecordsArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Delete(DeleteArgs),
}

/// Delete the oldest records of partitions, for good
///
/// Shows what will go and asks; without a terminal it wants --yes. The topic and its newer records stay.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit records delete orders --to 2026-11-21 --dry-run
  kafkit records delete hello:0 --to 3
  kafkit records delete tmp --to end --yes")]
struct DeleteArgs {
    /// Topics, or these partitions of them
    #[arg(required = true, value_name = "TOPIC[:P,P…]", value_parser = partitions_of_topic, add = super::candidates::topics())]
    topics: Vec<PartitionsOfTopic>,
    /// The first that stays: an offset, a time (-1h, 2026-11-21, @1795255200), or end for none
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true, value_parser = limit)]
    to: Limit,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would go and delete nothing
    #[arg(long)]
    dry_run: bool,
}

impl IntoInvocation for RecordsArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let Verb::Delete(args) = self.verb;
        Ok(Invocation {
            command: Box::new(Deletion {
                topics: args.topics,
                to: args.to,
                is_sure: args.yes,
                is_dry_run: args.dry_run,
            }),
            settings: self.connection.into_settings(Use::Admin)?,
            output: self.output.into_options(),
        })
    }
}

/// A number alone is an offset; with a unit or a date it is a time.
fn limit(text: &str) -> Result<Limit, String> {
    let wanted = "it takes an offset, a time such as -1h or 2026-11-21, or end";
    match text {
        "end" | "latest" => Ok(Limit::End),
        _ => match text.parse::<i64>() {
            Ok(offset) if offset >= 0 && !text.starts_with('+') => Ok(Limit::Offset(offset)),
            Ok(_) => Err(wanted.to_owned()),
            Err(_) => parse_time(text).map(Limit::Time).map_err(|_| wanted.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_as_people_write_them() {
        assert_eq!(limit("end"), Ok(Limit::End));
        assert_eq!(limit("1795255200000"), Ok(Limit::Offset(1_795_255_200_000)));
        assert_eq!(limit("@1795255200"), Ok(Limit::Time(1_795_255_200_000)));
        assert!(matches!(limit("-1h"), Ok(Limit::Time(_))));
        for text in ["", "-5", "+5", "soon"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }
}
