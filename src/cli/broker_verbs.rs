//! The verbs of `kafkit broker` other than serving: single nodes of a running broker, its fault rules, and recording
//! and replaying conversations.

#![allow(
    clippy::doc_markdown,
    reason = "help is read on a terminal, where backticks are noise"
)]

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::fault_args::FaultArgs;
use crate::commands::broker::{Action, Conversation, FaultChange, NodeVerb};

#[derive(Args, Debug)]
pub(super) struct NodeArgs {
    #[command(subcommand)]
    verb: NodeVerbArg,

    #[command(flatten)]
    of: RunningArgs,
}

/// Which broker is told.
#[derive(Args, Debug)]
struct RunningArgs {
    /// The broker's data directory [default: that of the broker this command runs under, in KAFKIT_BROKER_DIR, else your
    /// own]
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum NodeVerbArg {
    /// Show the nodes
    #[command(after_help = "Examples:
  kafkit broker node list")]
    List,
    /// Stop a node in order: others lead its partitions first
    #[command(after_help = "Examples:
  kafkit broker node stop 2")]
    Stop {
        /// The node's id
        node: i32,
    },
    /// Start a node that was stopped or killed
    #[command(after_help = "Examples:
  kafkit broker node start 2")]
    Start {
        /// The node's id
        node: i32,
    },
    /// End a node at once, as `kill -9` does
    #[command(after_help = "Examples:
  kafkit broker node kill 2")]
    Kill {
        /// The node's id
        node: i32,
    },
    /// Let a node answer nothing until it is resumed
    #[command(after_help = "Examples:
  kafkit broker node pause 2")]
    Pause {
        /// The node's id
        node: i32,
    },
    /// Let a paused node go on
    #[command(after_help = "Examples:
  kafkit broker node resume 2")]
    Resume {
        /// The node's id
        node: i32,
    },
}

impl From<NodeVerbArg> for NodeVerb {
    fn from(verb: NodeVerbArg) -> Self {
        match verb {
            NodeVerbArg::List => Self::List,
            NodeVerbArg::Stop { node } => Self::Stop(node),
            NodeVerbArg::Start { node } => Self::Start(node),
            NodeVerbArg::Kill { node } => Self::Kill(node),
            NodeVerbArg::Pause { node } => Self::Pause(node),
            NodeVerbArg::Resume { node } => Self::Resume(node),
        }
    }
}

impl NodeArgs {
    pub(super) fn into_action(self) -> Action {
        Action::Node {
            verb: self.verb.into(),
            data_dir: self.of.data_dir,
        }
    }
}

/// Have a broker that runs fail, wait, fall silent or hang up
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit broker fault add --fail Produce:NOT_LEADER_OR_FOLLOWER:3
  kafkit broker fault add --drop 'Heartbeat:client=app-1' --data-dir /tmp/k
  kafkit broker fault list -o json
  kafkit broker fault clear

`kafkit broker -- CMD` tells CMD its directory in KAFKIT_BROKER_DIR.")]
pub(super) struct FaultVerbArgs {
    #[command(subcommand)]
    verb: FaultVerb,

    #[command(flatten)]
    of: RunningArgs,
}

#[derive(Debug, Subcommand)]
enum FaultVerb {
    /// Put rules in force behind those there are; prints their ids
    #[command(after_help = "Examples:
  kafkit broker fault add --fail Produce:NOT_LEADER_OR_FOLLOWER:3")]
    Add(FaultArgs),
    /// Show the rules, and how many requests each has matched and hit
    #[command(after_help = "Examples:
  kafkit broker fault list")]
    List,
    /// Take rules out of force
    #[command(after_help = "Examples:
  kafkit broker fault clear")]
    Clear {
        /// Ids of rules; all when none is given
        #[arg(value_name = "ID")]
        ids: Vec<u64>,
    },
}

impl FaultVerbArgs {
    pub(super) fn into_action(self) -> Action {
        let change = match self.verb {
            FaultVerb::Add(args) => FaultChange::Add(args.into_flags()),
            FaultVerb::List => FaultChange::List,
            FaultVerb::Clear { ids } => FaultChange::Clear(ids),
        };
        Action::Fault {
            change,
            data_dir: self.of.data_dir,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct ConversationArgs {
    /// The file: a line of JSON for each request
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,

    /// Where clients connect [default: a free port of 127.0.0.1]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl ConversationArgs {
    pub(super) fn into_conversation(self) -> Conversation {
        Conversation {
            file: self.file,
            listen: self.listen,
        }
    }
}
