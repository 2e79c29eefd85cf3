//! `kafkit top …` to `top::Action`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use super::times::parse_duration;
use crate::commands::top::Action;
use crate::error::Result;
use crate::monitor::page::Listing;
use crate::monitor::top_state::SHORTEST;

/// Brokers, topics, partitions and groups at work: rates, lag and trends on one screen
///
/// Keys: 1 to 4 or Tab choose a page, Enter opens a row and Esc goes back, s and r order, / filters, i shows internal
/// topics, + and - look less or more often, p pauses, ? explains, q leaves. Rates are those of the last ten seconds;
/// bytes are records by their size on disk. The cluster is asked for offsets at each look, for topics and groups every
/// 10 seconds and for disks every 30, with at most 5 requests a second in all (one a broker in 5 seconds where there are
/// more than 25). In a pipe, with -o or with -n it prints figures instead: two looks, and what happened between them.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit top
  kafkit top groups --every 5s
  kafkit top --once -o json | jq '.topics[] | select(.written_per_second > 100)'
  kafkit top groups -n 60 -o jsonl >> lag.jsonl    # an hour of looks with --every 60s")]
pub struct TopArgs {
    /// The page to begin with
    #[arg(value_name = "PAGE", value_enum, default_value_t)]
    page: FirstPage,
    /// The time from one look to the next
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_every)]
    every: Duration,
    /// Print figures so many times instead of a screen
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Print figures once, as -n 1 does
    #[arg(long, conflicts_with = "count")]
    once: bool,
    /// Show topics that brokers keep for themselves too
    #[arg(long)]
    internal: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FirstPage {
    Brokers,
    #[default]
    Topics,
    Partitions,
    Groups,
}

fn parse_every(text: &str) -> Result<Duration, String> {
    let every = parse_duration(text)?;
    if every < SHORTEST {
        return Err(format!(
            "at least {} ms, for the cluster's sake",
            SHORTEST.as_millis()
        ));
    }
    Ok(every)
}

impl IntoInvocation for TopArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = Action {
            listing: match self.page {
                FirstPage::Brokers => Listing::Brokers,
                FirstPage::Topics => Listing::Topics,
                FirstPage::Partitions => Listing::Partitions,
                FirstPage::Groups => Listing::Groups,
            },
            every: self.every,
            count: self.once.then_some(1).or(self.count),
            with_internal: self.internal,
        };
        Invocation::asking(action, self.connection, self.output)
    }
}
