//! `kafkit configs …` to `configs::Action`.

use clap::{Args, Subcommand, ValueEnum};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::once::{once, refuse_twice};
use super::output_args::OutputArgs;
use crate::client::admin::configs::{ConfigChange, ConfigResource};
use crate::commands::configs::{Action, Change, Get, Owner};
use crate::error::{Error, Result};

/// Show, change and compare configs of topics, brokers, groups and clients
#[derive(Args, Debug)]
pub struct ConfigsArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Get(GetArgs),
    Set(SetArgs),
    Unset(UnsetArgs),
    Diff(DiffArgs),
}

/// Show configs, and where each value comes from
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit configs get topic orders
  kafkit configs get topic orders retention.ms cleanup.policy
  kafkit configs get broker 1 --all -o json
  kafkit configs get broker default
  kafkit configs get topic orders min.insync.replicas --docs")]
struct GetArgs {
    #[command(flatten)]
    owner: OwnerArgs,
    /// Only these, whether they are the default or not
    #[arg(value_name = "CONFIG", add = super::candidates::topic_config_names())]
    names: Vec<String>,
    /// Values that are the default, too
    #[arg(short, long)]
    all: bool,
    /// What each config decides, in the broker's words
    #[arg(long)]
    docs: bool,
}

/// Set configs; the others stay as they are
///
/// Values are checked before they are sent. Shows what was and what is, and names the way back. A change that may lose
/// records is asked for; without a terminal it wants --yes.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit configs set topic orders retention.ms=86400000 --yes
  kafkit configs set topic orders cleanup.policy=compact,delete --dry-run
  kafkit configs set broker 1 log.cleaner.threads=2
  kafkit configs set broker default min.insync.replicas=2
  kafkit configs set group billing consumer.session.timeout.ms=50000
  kafkit configs set client-metrics every-minute interval.ms=60000 metrics=org.apache.kafka.producer.")]
struct SetArgs {
    #[command(flatten)]
    owner: OwnerArgs,
    /// Configs with their new values
    #[arg(required = true, value_name = "CONFIG=VALUE", add = super::candidates::topic_config_settings())]
    settings: Vec<String>,
    #[command(flatten)]
    care: CareArgs,
}

/// Take configs away, so that the default counts again
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit configs unset topic orders retention.ms
  kafkit configs unset broker default log.retention.ms --yes")]
struct UnsetArgs {
    #[command(flatten)]
    owner: OwnerArgs,
    /// Configs to take away
    #[arg(required = true, value_name = "CONFIG", add = super::candidates::topic_config_names())]
    names: Vec<String>,
    #[command(flatten)]
    care: CareArgs,
}

/// Compare the configs of two topics, brokers or groups; of one with its defaults
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit configs diff topic orders orders-dlq
  kafkit configs diff broker 1 2
  kafkit configs diff topic orders           # what was set on it")]
struct DiffArgs {
    #[command(flatten)]
    owner: OwnerArgs,
    /// The other; without it, the defaults
    #[arg(value_name = "OTHER", add = super::candidates::owners_of_configs())]
    other: Option<String>,
}

#[derive(Args, Debug)]
struct OwnerArgs {
    /// Whose configs
    #[arg(value_enum, value_name = "KIND")]
    kind: OwnerKind,
    /// A topic, group, client or client metrics by name, a broker by id; `default` is all brokers
    #[arg(value_name = "NAME", add = super::candidates::owners_of_configs())]
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OwnerKind {
    /// A topic
    Topic,
    /// A broker, or `default` for all brokers
    Broker,
    /// The levels of a broker's loggers
    BrokerLoggers,
    /// A group
    Group,
    /// A client id: its quotas
    Client,
    /// Metrics that clients send to the brokers
    ClientMetrics,
}

#[derive(Args, Debug)]
struct CareArgs {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Let the broker check everything and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl IntoInvocation for ConfigsArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.verb {
            Verb::Get(args) => Action::Get(Get {
                owner: args.owner.into_owner()?,
                names: args.names,
                with_defaults: args.all,
                with_docs: args.docs,
            }),
            Verb::Set(args) => Action::Change(Change {
                owner: args.owner.into_owner()?,
                changes: settings(&args.settings)?,
                is_sure: args.care.yes,
                is_dry_run: args.care.dry_run,
            }),
            Verb::Unset(args) => Action::Change(Change {
                owner: args.owner.into_owner()?,
                changes: once(args.names)
                    .into_iter()
                    .map(|name| ConfigChange { name, value: None })
                    .collect(),
                is_sure: args.care.yes,
                is_dry_run: args.care.dry_run,
            }),
            Verb::Diff(args) => {
                let kind = args.owner.kind;
                let other = args.other.map(|name| OwnerArgs { kind, name });
                Action::Diff {
                    resource: args.owner.into_resource()?,
                    other: other.map(OwnerArgs::into_resource).transpose()?,
                }
            }
        };
        Invocation::asking(action, self.connection, self.output)
    }
}

impl OwnerArgs {
    fn into_owner(self) -> Result<Owner> {
        match self.kind {
            OwnerKind::Client => Ok(Owner::Client(self.name)),
            _ => self.into_resource().map(Owner::Resource),
        }
    }

    fn into_resource(self) -> Result<ConfigResource> {
        let id = |name: &str| {
            name.parse()
                .map_err(|_| Error::usage(format!("a broker's id is a number, not \"{name}\"")))
        };
        match self.kind {
            OwnerKind::Topic => Ok(ConfigResource::Topic(self.name)),
            OwnerKind::Broker if self.name == "default" => Ok(ConfigResource::AllBrokers),
            OwnerKind::Broker => id(&self.name).map(ConfigResource::Broker),
            OwnerKind::BrokerLoggers => id(&self.name).map(ConfigResource::BrokerLoggers),
            OwnerKind::Group => Ok(ConfigResource::Group(self.name)),
            OwnerKind::ClientMetrics => Ok(ConfigResource::ClientMetrics(self.name)),
            OwnerKind::Client => Err(Error::usage("the configs of clients are quotas")
                .hint("`kafkit quotas list --client …` shows them")),
        }
    }
}

fn settings(words: &[String]) -> Result<Vec<ConfigChange>> {
    let changes: Vec<_> = words.iter().map(|word| setting(word)).collect::<Result<_>>()?;
    refuse_twice("config", changes.iter().map(|change| change.name.as_str()))?;
    Ok(changes)
}

fn setting(word: &str) -> Result<ConfigChange> {
    match word.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok(ConfigChange {
            name: name.trim().to_owned(),
            value: Some(value.to_owned()),
        }),
        _ => Err(Error::usage(format!("a setting is CONFIG=VALUE, not \"{word}\""))),
    }
}
