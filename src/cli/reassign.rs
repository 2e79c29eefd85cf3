//! `kafkit reassign …` to `reassign::Action`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use crate::client::settings::Use;
use crate::commands::reassign::{Action, CancelAction, ExecuteAction, PlanAction, VerifyAction};
use crate::error::{Error, Result};
use crate::output::Format;
use crate::reassignment::planner::Goals;
use crate::topic_partition::BrokerId;

/// Plan, run, watch and undo moves of replicas between brokers
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kafkit reassign plan --drain 2 > plan.json            empty broker 2 before taking it away
  kafkit reassign plan --add-broker 4 --out plan.json   give a new broker its share
  kafkit reassign execute plan.json --throttle 50MB/s   move, at most so fast on each broker
  kafkit reassign verify plan.json --watch              wait for the end, clear the throttles
  kafkit reassign undo plan.json                        take it back")]
pub struct ReassignArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// The same as `-o json`
    #[arg(long, global = true, conflicts_with = "output", help_heading = "Output")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Plan(PlanArgs),
    Execute(ExecuteArgs),
    Verify(VerifyArgs),
    Cancel(CancelArgs),
    List(ListArgs),
    Undo(UndoArgs),
}

/// Propose the fewest moves that reach a goal; changes nothing
///
/// The plan goes to stdout (or FILE), its effect on each broker to stderr. It is a file to read and edit, and the
/// kafka-reassign-partitions of Apache Kafka takes it, too.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kafkit reassign plan --drain 2                        replicas on broker 2 go to the others
  kafkit reassign plan --drain 2 --add-broker 4         broker 4 takes over
  kafkit reassign plan --replication-factor 3 orders    more replicas for one topic
  kafkit reassign plan --balance -q > plan.json         even out replicas, bytes and leaders")]
struct PlanArgs {
    /// Only these topics move; without any, all
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,
    /// Empty these brokers; they may be down
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    drain: Vec<BrokerId>,
    /// Give these brokers their share of the topics' replicas
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    add_broker: Vec<BrokerId>,
    /// Give each partition of the topics so many replicas
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    replication_factor: Option<u16>,
    /// Change the replication factor of every topic
    #[arg(long, requires = "replication_factor", conflicts_with_all = ["topics", "more_topics"])]
    all_topics: bool,
    /// Even out the topics' replicas, bytes and preferred leaders
    #[arg(long)]
    balance: bool,
    /// Put replicas anywhere, whatever the brokers' racks
    #[arg(long)]
    disable_rack_aware: bool,
    /// Write the plan to a file; the effect on each broker goes to stdout then
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// As other commands name a topic
    #[arg(long = "topic", hide = true)]
    more_topics: Vec<String>,
}

/// Run a plan and follow it to its end
///
/// What is there already is left alone, so that an interrupted run goes on with the same command. The way back is
/// written to PLAN.undo.json first. Ctrl-C stops watching, not moving; throttles stay with what is moving then. At the
/// end the preferred leaders of what moved take over.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kafkit reassign execute plan.json --dry-run
  kafkit reassign execute plan.json --throttle 50MB/s --concurrent 10
  kafkit reassign execute plan.json --no-wait && kafkit reassign verify plan.json --watch")]
struct ExecuteArgs {
    /// The plan; `-` is stdin
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    moving: MovingArgs,
    /// Refuse to change the number of replicas of any partition
    #[arg(long)]
    disallow_replication_factor_change: bool,
    /// Where the way back is written [default: PLAN.undo.json]
    #[arg(long, value_name = "FILE")]
    undo_file: Option<PathBuf>,
}

/// Take back what a plan did, or is doing
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kafkit reassign undo plan.json
  kafkit reassign undo plan.undo.json --throttle 50MB/s")]
struct UndoArgs {
    /// The undo file that `execute` wrote, or the plan beside it
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    #[command(flatten)]
    moving: MovingArgs,
}

#[derive(Args, Debug)]
struct MovingArgs {
    /// The most that moves may take on each broker, as 50MB/s; cleared at the end
    #[arg(long, value_name = "RATE", value_parser = rate)]
    throttle: Option<u64>,
    /// The most that moves between a broker's log directories may take
    #[arg(long, value_name = "RATE", value_parser = rate)]
    log_dir_throttle: Option<u64>,
    /// Move so many partitions at a time; without it all at once
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    concurrent: Option<u32>,
    /// Go ahead beside other moves, and with partitions that have moved since the plan was made
    #[arg(long)]
    additional: bool,
    /// Start the moves and leave
    #[arg(long, conflicts_with = "concurrent")]
    no_wait: bool,
    /// Check everything and show what would be moved; send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Compare a plan with the cluster; clear throttles that nothing needs
///
/// Exit 0 when every partition is where the plan wants it, else 1.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kafkit reassign verify plan.json
  kafkit reassign verify plan.json --watch
  kafkit reassign verify --clear-throttles              after a crash, without a plan")]
struct VerifyArgs {
    /// The plan; `-` is stdin; without one, everything that moves
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    /// Wait until nothing moves
    #[arg(long)]
    watch: bool,
    /// Leave throttles as they are
    #[arg(long)]
    preserve_throttles: bool,
    /// Clear idle throttles of every topic and broker
    #[arg(long, conflicts_with = "preserve_throttles")]
    clear_throttles: bool,
}

/// Stop moves; the old replicas stay
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kafkit reassign cancel plan.json
  kafkit reassign cancel --all --dry-run")]
struct CancelArgs {
    /// Stop the partitions of this plan; `-` is stdin
    #[arg(value_name = "PLAN", required_unless_present = "all")]
    plan: Option<PathBuf>,
    /// Stop everything that moves
    #[arg(long, conflicts_with = "plan")]
    all: bool,
    /// Leave throttles as they are
    #[arg(long)]
    preserve_throttles: bool,
    /// Show what would be stopped; send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Show what is moving
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit reassign list
  kafkit reassign list -o json")]
struct ListArgs {}

impl IntoInvocation for ReassignArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let mut output = self.output.into_options();
        if self.json {
            output.format = Format::Json;
        }
        let action = match self.verb {
            Verb::Plan(args) => Action::Plan(args.into_action()?),
            Verb::Execute(args) => Action::Execute(args.into_action()),
            Verb::Verify(args) => Action::Verify(VerifyAction {
                plan: args.plan,
                watch: args.watch,
                preserve_throttles: args.preserve_throttles,
                clear_all_throttles: args.clear_throttles,
            }),
            Verb::Cancel(args) => Action::Cancel(CancelAction {
                plan: args.plan,
                preserve_throttles: args.preserve_throttles,
                dry_run: args.dry_run,
            }),
            Verb::List(ListArgs {}) => Action::List,
            Verb::Undo(args) => Action::Undo(args.moving.into_action(args.plan)),
        };
        Ok(Invocation {
            command: Box::new(action),
            settings: self.connection.into_settings(Use::Admin)?,
            output,
        })
    }
}

impl PlanArgs {
    fn into_action(self) -> Result<PlanAction> {
        let goals = Goals {
            replication_factor: self.replication_factor.map(usize::from),
            drain: self.drain.into_iter().collect(),
            add: self.add_broker.into_iter().collect(),
            balance: self.balance,
            rack_aware: !self.disable_rack_aware,
        };
        if goals.replication_factor.is_none()
            && goals.drain.is_empty()
            && goals.add.is_empty()
            && !goals.balance
        {
            return Err(Error::usage("no goal for the plan")
                .hint("give one or more of --drain, --add-broker, --replication-factor, --balance"));
        }
        let topics: BTreeSet<String> = self.topics.into_iter().chain(self.more_topics).collect();
        if goals.replication_factor.is_some() && topics.is_empty() && !self.all_topics {
            return Err(
                Error::usage("--replication-factor needs topics").hint("name them, or say --all-topics")
            );
        }
        if let Some(both) = goals.drain.intersection(&goals.add).next() {
            return Err(Error::usage(format!(
                "broker {both} cannot be drained and added at once"
            )));
        }
        Ok(PlanAction {
            goals,
            topics,
            out: self.out,
        })
    }
}

impl ExecuteArgs {
    fn into_action(self) -> ExecuteAction {
        ExecuteAction {
            allow_factor_change: !self.disallow_replication_factor_change,
            undo_file: self.undo_file,
            ..self.moving.into_action(self.plan)
        }
    }
}

impl MovingArgs {
    fn into_action(self, plan: PathBuf) -> ExecuteAction {
        ExecuteAction {
            plan,
            throttle: self.throttle,
            log_dir_throttle: self.log_dir_throttle,
            concurrent: self.concurrent.map(|count| count as usize),
            additional: self.additional,
            allow_factor_change: true,
            no_wait: self.no_wait,
            dry_run: self.dry_run,
            undo_file: None,
        }
    }
}

/// `50MB/s`, `50MB`, `1.5 MiB/s`, `1000000`: bytes a second, at least 1.
pub(super) fn rate(text: &str) -> Result<u64, String> {
    let word = text.trim();
    let word = word
        .strip_suffix("/s")
        .or_else(|| word.strip_suffix("/sec"))
        .unwrap_or(word)
        .trim();
    let digits = word
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err("give bytes a second, as 50MB/s".to_owned()),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| "give bytes a second, as 50MB/s".to_owned())?;
    let rate = number * factor;
    if (1.0..=i64::MAX as f64 / 2.0).contains(&rate) {
        Ok(rate as u64)
    } else {
        Err("must be at least 1 byte a second".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        for (text, bytes) in [
            ("1", 1),
            ("50MB/s", 50_000_000),
            ("50 mb", 50_000_000),
            ("1.5MiB/s", 1_572_864),
            ("2k", 2000),
        ] {
            assert_eq!(rate(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB/s", "0", "-1", "1..2", "5 apples", "1e9", "99999999999GB"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
