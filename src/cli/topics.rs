//! `kafkit topics …` to `topics::Action`.

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::once::refuse_twice;
use super::output_args::OutputArgs;
use super::topic_files::{ApplyArgs, CountArgs, ExportArgs};
use crate::client::admin::configs::ConfigChange;
use crate::client::admin::topics::NewTopic;
use crate::client::settings::Use;
use crate::commands::command::Command;
use crate::commands::topic_selection::Selection;
use crate::commands::topics::{Action, Alteration, Creation, Deletion};
use crate::error::{Error, Result};
use crate::output::health::HealthFilter;
use crate::topic_partition::BrokerId;

/// List, create, alter, delete and describe topics
#[derive(Args, Debug)]
pub struct TopicsArgs {
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
    Create(CreateArgs),
    Alter(AlterArgs),
    Delete(DeleteArgs),
    Describe(DescribeArgs),
    Count(Box<CountArgs>),
    Export(ExportArgs),
    Apply(ApplyArgs),
}

/// Show topics with their partitions, offsets and size
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit topics list
  kafkit topics list 'orders.*' --regex
  kafkit topics list -o json | jq -r '.[] | select(.offsets == 0) | .name'
  kafkit topics list --under-replicated --unavailable
  kafkit topics list -o name | xargs -n1 kafkit describe topic")]
struct ListArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    health: HealthArgs,
}

/// Create topics
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit topics create orders --partitions 6 --replication-factor 3
  kafkit topics create a b c --if-not-exists
  kafkit topics create users --config cleanup.policy=compact --config min.insync.replicas=2
  kafkit topics create pinned --assignment 1:2,2:3,3:1")]
struct CreateArgs {
    /// Names of the new topics
    #[arg(required = true, value_name = "TOPIC", add = super::candidates::new_name())]
    names: Vec<String>,
    /// Partitions of each; the broker's num.partitions when not given
    #[arg(short, long, value_name = "COUNT", allow_negative_numbers = true)]
    partitions: Option<i32>,
    /// Copies of each partition; the broker's default.replication.factor when not given
    #[arg(short, long, value_name = "COUNT", allow_negative_numbers = true)]
    replication_factor: Option<i16>,
    /// The brokers of each partition, the preferred leader first: 1:2,2:3 are two partitions with two replicas
    #[arg(long, value_name = "ID:ID,…", conflicts_with_all = ["partitions", "replication_factor"])]
    assignment: Option<String>,
    /// A config of the topics; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", add = super::candidates::topic_config_settings())]
    config: Vec<String>,
    /// A topic that is there already is no failure
    #[arg(long)]
    if_not_exists: bool,
    /// Let the broker check everything and create nothing
    #[arg(long)]
    dry_run: bool,
}

/// Give topics more partitions or other configs
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit topics alter orders --partitions 12
  kafkit topics alter orders --config retention.ms=86400000
  kafkit topics alter orders --delete-config retention.ms
  kafkit topics alter 'tmp-.*' --regex --config retention.bytes=1000000 --dry-run")]
struct AlterArgs {
    #[command(flatten)]
    selection: RequiredSelectionArgs,
    /// How many partitions there shall be in all; never fewer than now
    #[arg(short, long, value_name = "COUNT", allow_negative_numbers = true)]
    partitions: Option<i32>,
    /// A config to set; the others stay as they are; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", add = super::candidates::topic_config_settings())]
    config: Vec<String>,
    /// A config to set back to the broker's default; may be repeated
    #[arg(long, value_name = "NAME", add = super::candidates::topic_config_names())]
    delete_config: Vec<String>,
    /// A topic that is not there is no failure
    #[arg(long)]
    if_exists: bool,
    /// Let the broker check everything and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Delete topics with all their records
///
/// Shows what will go and asks; without a terminal it wants --yes.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit topics delete orders
  kafkit topics delete 'tmp-.*' --regex --dry-run
  kafkit topics delete a b --if-exists --yes")]
struct DeleteArgs {
    #[command(flatten)]
    selection: RequiredSelectionArgs,
    /// A topic that is not there is no failure
    #[arg(long)]
    if_exists: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would go and delete nothing
    #[arg(long)]
    dry_run: bool,
}

/// Show topics with every partition: the same as `describe topic`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit topics describe orders
  kafkit topics describe 'orders.*' --regex")]
struct DescribeArgs {
    #[command(flatten)]
    selection: RequiredSelectionArgs,
    #[command(flatten)]
    health: HealthArgs,
}

/// Which partitions, by what is the matter with them; several flags add up.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag, and they add up")]
pub struct HealthArgs {
    /// Only with partitions that lack a replica in sync
    #[arg(long)]
    under_replicated: bool,
    /// Only with partitions that have no leader
    #[arg(long)]
    unavailable: bool,
    /// Only with partitions that have fewer replicas in sync than min.insync.replicas
    #[arg(long)]
    under_min_isr: bool,
    /// Only with partitions whose replicas are being moved
    #[arg(long)]
    moving: bool,
}

impl HealthArgs {
    pub(super) fn into_filter(self) -> HealthFilter {
        HealthFilter {
            under_replicated: self.under_replicated,
            unavailable: self.unavailable,
            under_min_isr: self.under_min_isr,
            moving: self.moving,
        }
    }
}

/// Which topics; all when none is named.
#[derive(Args, Debug)]
pub struct SelectionArgs {
    /// Names of topics; all when none is given
    #[arg(value_name = "TOPIC", add = super::candidates::topics())]
    topics: Vec<String>,
    #[command(flatten)]
    more: PatternArgs,
}

/// Which topics; at least one.
#[derive(Args, Debug)]
pub struct RequiredSelectionArgs {
    /// Names of topics
    #[arg(required = true, value_name = "TOPIC", add = super::candidates::topics())]
    topics: Vec<String>,
    #[command(flatten)]
    more: PatternArgs,
}

#[derive(Args, Debug)]
struct PatternArgs {
    /// The names are regular expressions that must match whole names
    #[arg(short = 'e', long)]
    regex: bool,
    /// Kafka's own topics too (`__consumer_offsets`, …)
    #[arg(long)]
    internal: bool,
}

impl SelectionArgs {
    pub(super) fn into_selection(self) -> Selection {
        selection(self.topics, &self.more)
    }
}

impl RequiredSelectionArgs {
    pub(super) fn into_selection(self) -> Selection {
        selection(self.topics, &self.more)
    }
}

fn selection(words: Vec<String>, more: &PatternArgs) -> Selection {
    Selection {
        words,
        is_regex: more.regex,
        with_internal: more.internal,
    }
}

impl IntoInvocation for TopicsArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let patience = self.connection.time_without_answer();
        let settings_for = match self.verb {
            Verb::Count(_) => Use::ConsumeAlone,
            _ => Use::Admin,
        };
        let command: Box<dyn Command> = match self.verb {
            Verb::List(args) => boxed(Action::List(
                args.selection.into_selection(),
                args.health.into_filter(),
            )),
            Verb::Create(args) => boxed(Action::Create(args.into_creation()?)),
            Verb::Alter(args) => boxed(Action::Alter(args.into_alteration()?)),
            Verb::Delete(args) => boxed(Action::Delete(Deletion {
                selection: args.selection.into_selection(),
                if_exists: args.if_exists,
                is_sure: args.yes,
                is_dry_run: args.dry_run,
            })),
            Verb::Describe(args) => boxed(Action::Describe(
                args.selection.into_selection(),
                args.health.into_filter(),
            )),
            Verb::Count(args) => Box::new(args.into_action(patience)?),
            Verb::Export(args) => Box::new(args.into_action()),
            Verb::Apply(args) => Box::new(args.into_action()),
        };
        Ok(Invocation {
            command,
            settings: self.connection.into_settings(settings_for)?,
            output: self.output.into_options(),
        })
    }
}

fn boxed(action: Action) -> Box<dyn Command> {
    Box::new(action)
}

impl CreateArgs {
    fn into_creation(self) -> Result<Creation> {
        at_least_one("--partitions", self.partitions)?;
        at_least_one("--replication-factor", self.replication_factor)?;
        let assignment = self.assignment.as_deref().map(assignment).transpose()?;
        let configs = configs(&self.config)?;
        refuse_twice("topic", self.names.iter().map(String::as_str))?;
        refuse_twice("config", configs.iter().map(|(name, _)| name.as_str()))?;
        let topic = |name| NewTopic {
            name,
            partitions: self.partitions,
            replication_factor: self.replication_factor,
            assignment: assignment.clone(),
            configs: configs.clone(),
        };
        Ok(Creation {
            topics: self.names.into_iter().map(topic).collect(),
            if_not_exists: self.if_not_exists,
            is_dry_run: self.dry_run,
        })
    }
}

impl AlterArgs {
    fn into_alteration(self) -> Result<Alteration> {
        at_least_one("--partitions", self.partitions)?;
        let set = configs(&self.config)?.into_iter();
        let set = set.map(|(name, value)| ConfigChange {
            name,
            value: Some(value),
        });
        let unset = self.delete_config.into_iter();
        let unset = unset.map(|name| ConfigChange { name, value: None });
        let configs: Vec<ConfigChange> = set.chain(unset).collect();
        refuse_twice("config", configs.iter().map(|change| change.name.as_str()))?;
        if self.partitions.is_none() && configs.is_empty() {
            return Err(
                Error::usage("nothing to alter").hint("give --partitions, --config or --delete-config")
            );
        }
        Ok(Alteration {
            selection: self.selection.into_selection(),
            partitions: self.partitions,
            configs,
            if_exists: self.if_exists,
            is_dry_run: self.dry_run,
        })
    }
}

/// A usage error of a value that clap cannot check.
fn bad_flag(flag: &str, problem: impl std::fmt::Display) -> Error {
    Error::usage(format!("{flag} {problem}"))
}

fn at_least_one(flag: &str, number: Option<impl Into<i64>>) -> Result<()> {
    match number.map(Into::into) {
        Some(number) if number < 1 => Err(bad_flag(flag, format_args!("must be at least 1, not {number}"))),
        _ => Ok(()),
    }
}

fn configs(words: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |word: &String| match word.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(bad_flag(
            "--config",
            format_args!("takes NAME=VALUE, not \"{word}\""),
        )),
    };
    words.iter().map(pair).collect()
}

fn assignment(text: &str) -> Result<Vec<Vec<BrokerId>>> {
    let bad = || {
        bad_flag(
            "--assignment",
            format_args!("takes broker ids like 1:2,2:3, not \"{text}\""),
        )
    };
    text.split(',')
        .map(|partition| {
            let ids = partition
                .split(':')
                .map(|id| id.trim().parse().map_err(|_| bad()));
            ids.collect()
        })
        .collect()
}
