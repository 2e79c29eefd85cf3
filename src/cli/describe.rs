//! `kafkit describe …` to `describe::Action`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::once::once;
use super::output_args::OutputArgs;
use super::partitions::partitions_of_topic;
use super::topics::{HealthArgs, SelectionArgs};
use crate::client::admin::configs::ConfigResource;
use crate::commands::describe::Action;
use crate::commands::partition_selection::PartitionsOfTopic;
use crate::error::Result;
use crate::topic_partition::BrokerId;

/// Look at a cluster, broker, topic, group, transaction, producers, config or log dirs
#[derive(Args, Debug)]
pub struct DescribeArgs {
    #[command(subcommand)]
    noun: Noun,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// The cluster: its brokers, its controller, how much it holds
    #[command(after_help = "Examples:
  kafkit describe cluster
  kafkit describe cluster -o json | jq -r '.brokers[].host'")]
    Cluster,
    /// Brokers: what they lead and hold, and the settings that are not the default
    #[command(after_help = "Examples:
  kafkit describe broker
  kafkit describe broker 2")]
    Broker {
        /// Broker ids; all when none is given
        #[arg(value_name = "ID", add = super::candidates::brokers())]
        ids: Vec<BrokerId>,
    },
    /// Topics with every partition: leader, replicas, offsets, size
    #[command(after_help = "Examples:
  kafkit describe topic orders
  kafkit describe topic 'orders.*' --regex
  kafkit describe topic --under-min-isr
  kafkit describe topic -o tsv | grep UNDER-REPLICATED")]
    Topic {
        #[command(flatten)]
        selection: SelectionArgs,
        #[command(flatten)]
        health: HealthArgs,
    },
    /// Consumer groups: what they have committed, how far they lag, who reads what
    #[command(after_help = "Examples:
  kafkit describe group                    # every group
  kafkit describe group billing
  kafkit describe group billing --watch    # looks again every two seconds, until Ctrl-C
  kafkit describe group billing -o jsonl | jq 'select(.lag > 1000)'")]
    Group {
        /// Names of groups; a list of all when none is given
        #[arg(value_name = "GROUP", add = super::candidates::groups())]
        groups: Vec<String>,
        /// Look again every so many seconds, with each partition's lag over time
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2",
              value_parser = clap::value_parser!(u32).range(1..), requires = "groups")]
        watch: Option<u32>,
    },
    /// Transactional ids: their producers, and the partitions in their open transactions
    #[command(after_help = "Examples:
  kafkit describe transaction              # every transactional id
  kafkit describe transaction copier
  kafkit describe transaction -o jsonl | jq 'select(.state == \"Ongoing\")'")]
    Transaction {
        /// Transactional ids; a list of all when none is given
        #[arg(value_name = "ID", add = super::candidates::transactional_ids())]
        ids: Vec<String>,
    },
    /// The producers that partitions remember, with their open transactions
    #[command(after_help = "Examples:
  kafkit describe producers orders
  kafkit describe producers orders:3 -o jsonl | jq 'select(.transaction_start != null)'")]
    Producers {
        /// Topics, or these partitions of them
        #[arg(required = true, value_name = "TOPIC[:P,P…]", value_parser = partitions_of_topic,
              add = super::candidates::topics())]
        topics: Vec<PartitionsOfTopic>,
    },
    /// Configs of a topic, broker or group, and where each value comes from
    #[command(after_help = "Examples:
  kafkit describe config topic orders
  kafkit describe config topic orders --all
  kafkit describe config broker 1")]
    Config(ConfigArgs),
    /// The directories on the brokers' disks
    #[command(after_help = "Examples:
  kafkit describe log-dirs
  kafkit describe log-dirs --broker 2 --replicas")]
    LogDirs {
        /// Only this broker; may be repeated
        #[arg(long, value_name = "ID", add = super::candidates::brokers())]
        broker: Vec<BrokerId>,
        /// Show every replica in them
        #[arg(long)]
        replicas: bool,
    },
}

#[derive(Args, Debug)]
struct ConfigArgs {
    #[command(subcommand)]
    owner: ConfigOwner,
    /// Values that are the default, too
    #[arg(short, long, global = true)]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum ConfigOwner {
    /// A topic's
    #[command(after_help = "Examples:
  kafkit describe config topic orders")]
    Topic {
        #[arg(value_name = "TOPIC", add = super::candidates::topics())]
        name: String,
    },
    /// A broker's
    #[command(after_help = "Examples:
  kafkit describe config broker 1 --all")]
    Broker {
        #[arg(add = super::candidates::brokers())]
        id: BrokerId,
    },
    /// What all brokers were told while they ran
    #[command(after_help = "Examples:
  kafkit describe config all-brokers")]
    AllBrokers,
    /// A group's
    #[command(after_help = "Examples:
  kafkit describe config group billing")]
    Group {
        #[arg(value_name = "GROUP", add = super::candidates::groups())]
        name: String,
    },
}

impl IntoInvocation for DescribeArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.noun {
            Noun::Cluster => Action::Cluster,
            Noun::Broker { ids } => Action::Broker(once(ids)),
            Noun::Topic { selection, health } => {
                Action::Topic(selection.into_selection(), health.into_filter())
            }
            Noun::Group { groups, watch } => Action::Group {
                names: once(groups),
                watch: watch.map(|seconds| Duration::from_secs(u64::from(seconds))),
            },
            Noun::Transaction { ids } => Action::Transaction(once(ids)),
            Noun::Producers { topics } => Action::Producers(topics),
            Noun::Config(args) => Action::Config {
                with_defaults: args.all,
                resource: match args.owner {
                    ConfigOwner::Topic { name } => ConfigResource::Topic(name),
                    ConfigOwner::Broker { id } => ConfigResource::Broker(id),
                    ConfigOwner::AllBrokers => ConfigResource::AllBrokers,
                    ConfigOwner::Group { name } => ConfigResource::Group(name),
                },
            },
            Noun::LogDirs { broker, replicas } => Action::LogDirs {
                brokers: once(broker),
                with_replicas: replicas,
            },
        };
        Invocation::asking(action, self.connection, self.output)
    }
}
