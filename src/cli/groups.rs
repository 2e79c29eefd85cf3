//! `kafkit groups …` to `groups::Action`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::once::once;
use super::output_args::OutputArgs;
use super::partitions::partitions_of_topic;
use super::times::{parse_duration, parse_time};
use crate::commands::groups::{Action, Deletion, Listing, OffsetDeletion, Reset, Target, Watch};
use crate::commands::partition_selection::PartitionsOfTopic;
use crate::commands::topic_selection::Selection;
use crate::error::Result;

/// List, watch, reset and delete consumer groups
#[derive(Args, Debug)]
pub struct GroupsArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(ListArgs),
    Watch(WatchArgs),
    Reset(ResetArgs),
    Delete(DeleteArgs),
    DeleteOffsets(DeleteOffsetsArgs),
}

/// Show groups with state, type, members and the lag of all their partitions
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit groups list
  kafkit groups list 'console-consumer-.*' --regex --state empty -o name
  kafkit groups list -o name | xargs kafkit describe group
  kafkit groups list -o json | jq -r '.[] | select(.lag > 1000) | .group'")]
struct ListArgs {
    /// Names of groups; all when none is given
    #[arg(value_name = "GROUP", add = super::candidates::groups())]
    groups: Vec<String>,
    /// The names are regular expressions that must match whole names
    #[arg(short = 'e', long, requires = "groups")]
    regex: bool,
    /// Groups in this state only; may be repeated
    #[arg(long, value_name = "STATE", value_delimiter = ',', ignore_case = true, value_parser = states())]
    state: Vec<String>,
    /// Groups of this type only; may be repeated
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', ignore_case = true,
          value_parser = ["classic", "consumer", "share", "streams"])]
    kind: Vec<String>,
}

/// The states of all types of groups, also as Java spells them.
fn states() -> PossibleValuesParser {
    [
        "stable",
        "empty",
        "dead",
        "preparing-rebalance",
        "completing-rebalance",
        "assigning",
        "reconciling",
        "not-ready",
    ]
    .map(|state| PossibleValue::new(state).alias(state.replace('-', "")))
    .into()
}

/// Look at groups again and again: lag, speed, and when they have caught up
///
/// A terminal shows the last look only, a pipe one after the other. Ctrl-C ends it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit groups watch
  kafkit groups watch billing audit --every 10s
  kafkit groups watch -o jsonl | jq -c 'select(.lag > 1000)'
  kafkit describe group billing --watch    # one group, partition by partition")]
struct WatchArgs {
    /// Names of groups; all when none is given
    #[arg(value_name = "GROUP", add = super::candidates::groups())]
    groups: Vec<String>,
    /// The time from one look to the next
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_duration)]
    every: Duration,
    /// End after so many looks
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// Move a group to other offsets
///
/// Shows where each partition moves and the record it lands on, and asks; without a terminal it wants --yes. A group with
/// active members is left alone. The way back is written to an undo file first.
#[derive(Args, Debug)]
#[command(after_help = "Places for --to:
  earliest, latest       the first record there is; the end
  42                     this offset
  +10, -10               so many records on or back from where the group is
  -1h, 2026-11-21T10:00:00Z, @1795255200
                         the first record at or after a time; the end when there is none
  group:OTHER            where another group is
  file:FILE              an undo file, or lines such as orders,0,42
A place outside of a partition is its first record or its end.

Examples:
  kafkit groups reset billing --to -1h --dry-run
  kafkit groups reset billing --topic orders:0,3 --to earliest
  kafkit groups reset billing-2 --to group:billing --yes
  kafkit groups reset billing --to file:billing.undo.json")]
struct ResetArgs {
    /// The group; one that does not exist is made, when --topic says what it reads
    #[arg(value_name = "GROUP", add = super::candidates::groups())]
    group: String,
    /// Where to: earliest, latest, an offset, +N or -N from where it is, a time (-1h, 2026-11-21), group:OTHER, or file:
    /// with the name of an undo file
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true, value_parser = target)]
    to: Target,
    /// Only this topic, or these partitions of it; may be repeated. Everything that the group has committed when not given
    #[arg(short, long, value_name = "TOPIC[:P,P…]", value_parser = partitions_of_topic, add = super::candidates::topics())]
    topic: Vec<PartitionsOfTopic>,
    #[command(flatten)]
    care: CareArgs,
}

/// Delete groups with all that they have committed
///
/// Shows what will go and asks; without a terminal it wants --yes. A group with active members is left alone. What was
/// committed is written to an undo file first.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit groups delete billing
  kafkit groups delete 'console-consumer-.*' --regex --dry-run
  kafkit groups delete a b --if-exists --yes")]
struct DeleteArgs {
    /// Names of groups
    #[arg(required = true, value_name = "GROUP", add = super::candidates::groups())]
    groups: Vec<String>,
    /// The names are regular expressions that must match whole names
    #[arg(short = 'e', long)]
    regex: bool,
    /// A group that is not there is no failure
    #[arg(long)]
    if_exists: bool,
    #[command(flatten)]
    care: CareArgs,
}

/// Delete what a group has committed in some partitions
///
/// Shows what will go and asks; without a terminal it wants --yes. Offsets of topics that a member is subscribed to stay.
/// What was committed is written to an undo file first.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit groups delete-offsets billing --topic orders
  kafkit groups delete-offsets billing --topic orders:0,3 --topic refunds --yes")]
struct DeleteOffsetsArgs {
    /// The group
    #[arg(value_name = "GROUP", add = super::candidates::groups())]
    group: String,
    /// This topic, or these partitions of it; may be repeated
    #[arg(short, long, required = true, value_name = "TOPIC[:P,P…]", value_parser = partitions_of_topic,
          add = super::candidates::topics())]
    topic: Vec<PartitionsOfTopic>,
    #[command(flatten)]
    care: CareArgs,
}

#[derive(Args, Debug)]
struct CareArgs {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would change and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the way back is written [default: GROUP.undo.json]
    #[arg(long, value_name = "FILE")]
    undo: Option<PathBuf>,
}

impl IntoInvocation for GroupsArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.verb {
            Verb::List(args) => Action::List(Listing {
                selection: Selection {
                    words: once(args.groups),
                    is_regex: args.regex,
                    with_internal: true,
                },
                states: args.state.iter().map(|state| state.replace('-', "")).collect(),
                kinds: args.kind,
            }),
            Verb::Watch(args) => Action::Watch(Watch {
                groups: once(args.groups),
                every: args.every,
                count: args.count,
            }),
            Verb::Reset(args) => Action::Reset(Reset {
                group: args.group,
                topics: args.topic,
                target: args.to,
                is_sure: args.care.yes,
                is_dry_run: args.care.dry_run,
                undo: args.care.undo,
            }),
            Verb::Delete(args) => Action::Delete(Deletion {
                selection: Selection {
                    words: once(args.groups),
                    is_regex: args.regex,
                    with_internal: true,
                },
                if_exists: args.if_exists,
                is_sure: args.care.yes,
                is_dry_run: args.care.dry_run,
                undo: args.care.undo,
            }),
            Verb::DeleteOffsets(args) => Action::DeleteOffsets(OffsetDeletion {
                group: args.group,
                topics: args.topic,
                is_sure: args.care.yes,
                is_dry_run: args.care.dry_run,
                undo: args.care.undo,
            }),
        };
        Invocation::asking(action, self.connection, self.output)
    }
}

/// The target of a reset. A number alone is an offset, with a sign a shift; with a unit or a date it is a time.
fn target(text: &str) -> Result<Target, String> {
    match text {
        "earliest" | "beginning" | "start" => return Ok(Target::Earliest),
        "latest" | "end" => return Ok(Target::Latest),
        _ => {}
    }
    if let Some(group) = text.strip_prefix("group:").filter(|group| !group.is_empty()) {
        return Ok(Target::Group(group.to_owned()));
    }
    if let Some(file) = text.strip_prefix("file:").filter(|file| !file.is_empty()) {
        return Ok(Target::File(file.into()));
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(if text.starts_with(['+', '-']) {
            Target::Shift(number)
        } else {
            Target::Offset(number)
        });
    }
    if text.starts_with('+') {
        return Err("+N is a number of records; a time to come holds none".to_owned());
    }
    parse_time(text).map(Target::Time).map_err(|_| {
        "it takes earliest, latest, an offset, +N, -N, a time such as -1h or 2026-11-21, group:NAME or file:FILE".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_as_people_write_them() {
        for (text, place) in [
            ("earliest", Target::Earliest),
            ("end", Target::Latest),
            ("0", Target::Offset(0)),
            ("1795255200000", Target::Offset(1_795_255_200_000)),
            ("+5", Target::Shift(5)),
            ("-5", Target::Shift(-5)),
            ("@1795255200", Target::Time(1_795_255_200_000)),
            ("2026-11-21T10:00:00Z", Target::Time(1_795_255_200_000)),
            ("group:a:b", Target::Group("a:b".into())),
            ("file:x.json", Target::File("x.json".into())),
        ] {
            assert_eq!(target(text), Ok(place), "{text}");
        }
        assert!(matches!(target("-1h"), Ok(Target::Time(_))));
        for text in ["", "+1h", "group:", "file:", "soon", "99999999999999999999"] {
            assert!(target(text).is_err(), "{text}");
        }
    }
}
