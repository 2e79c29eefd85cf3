//! `kafkit broker …` to `broker::Action`.

#![allow(
    clippy::doc_markdown,
    reason = "help is read on a terminal, where backticks are noise"
)]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::broker_verbs::{ConversationArgs, FaultVerbArgs, NodeArgs};
use super::connection_args::ConnectionArgs;
use super::fault_args::FaultArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use crate::client::settings::{Settings, Use};
use crate::commands::broker::{Action, Serve};
use crate::error::{Error, Result};

/// Run the mini broker: a durable Kafka node for this machine, or several
///
/// It keeps its records in Kafka's own file formats and listens on loopback only, unless told otherwise. With a
/// command after `--` it is a fixture: it takes a free port and a throw-away directory, runs the command with
/// KAFKIT_BOOTSTRAP_SERVERS and KAFKA_BOOTSTRAP_SERVERS set, and ends with the command's exit code.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  kafkit broker                                   on 127.0.0.1:9092, until Ctrl-C
  kafkit broker --listen 127.0.0.1:0 --data-dir /tmp/k
  kafkit broker --nodes 3 --racks a,b,c           three nodes, on ports 9092 to 9094
  kafkit broker --config config/server.properties
  kafkit broker --secure --listen 0.0.0.0:9092    passwords and TLS, open to other machines
  kafkit broker -- ./run-tests.sh                 a fresh broker for one command
  kafkit broker --fail Produce:NOT_LEADER_OR_FOLLOWER:3 -- ./run-tests.sh
  kafkit broker --delay Fetch:topic=orders:200ms --as-version 2.8 -- ./run-tests.sh
  kafkit broker fault add --close Produce:handled:1
  kafkit broker node kill 2                       one of three nodes dies
  kafkit broker status"
)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct BrokerArgs {
    #[command(subcommand)]
    verb: Option<BrokerVerb>,

    /// An address to listen on; may be repeated. Port 0 is any free port
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,

    /// What clients are told to connect to, where it is not the address listened on
    #[arg(long, value_name = "ADDR")]
    advertise: Option<String>,

    /// How many nodes the cluster has, each with a listener and a log dir of its own; ports count up from the first
    /// [default: what the data directory has, or 1]
    #[arg(long, value_name = "N")]
    nodes: Option<usize>,

    /// The rack of each node, in their order
    #[arg(long, value_name = "RACK", value_delimiter = ',')]
    racks: Vec<String>,

    /// Where records are kept [default: $XDG_DATA_HOME/kafkit or ~/.local/share/kafkit]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// A server.properties of Apache Kafka 2.x to 4.x
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Take the KAFKA_… variables that Kafka's container images use
    #[arg(long)]
    config_from_env: bool,

    /// Force every batch to disk before it is acknowledged
    #[arg(long)]
    flush: bool,

    /// Let anybody in who can reach an address that is not loopback
    #[arg(long)]
    allow_anonymous: bool,

    /// Let nobody in without a password: TLS, SASL and ACLs, with certificates and a user made for it
    ///
    /// What clients need is written to client.properties in the data directory, which kafkit and Apache Kafka's tools
    /// take with --command-config. Its user `admin` may do everything; `kafkit users` and `kafkit acls` add others.
    #[arg(long)]
    secure: bool,

    /// Serve the APIs and versions of this release of Apache Kafka, 0.11 to 4.3
    #[arg(long, value_name = "RELEASE")]
    as_version: Option<String>,

    /// Write a line about every request to stderr
    #[arg(long)]
    log: bool,

    /// Write a file when it listens: one line of JSON with bootstrap_servers, pid and data_dir; -o json prints the same
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,

    /// Repeat the draws of rules that hit only some requests
    #[arg(long, value_name = "N", help_heading = "Faults on purpose")]
    fault_seed: Option<u64>,

    #[command(flatten)]
    faults: FaultArgs,

    /// Leave after so many seconds without a client
    #[arg(long, value_name = "SECONDS", hide = true)]
    leave_when_idle: Option<u64>,

    /// Leave the terminal; the address on stdout says that it is ready
    #[arg(long, hide = true)]
    detached: bool,

    /// Be one node of the cluster that the file names, with the processes of its other nodes
    #[arg(long, hide = true)]
    member: bool,

    /// Run this command with a broker of its own
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,

    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum BrokerVerb {
    /// Say whether a broker runs on the data directory
    #[command(after_help = "Examples:
  kafkit broker status
  kafkit broker status --data-dir /tmp/k")]
    Status {
        /// The broker's data directory
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
    /// Stop the broker that runs on the data directory
    #[command(after_help = "Examples:
  kafkit broker stop
  kafkit broker stop --data-dir /tmp/k")]
    Stop {
        /// The broker's data directory
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
    /// Show, stop, kill, pause and start single nodes of a broker that runs with --nodes
    Node(NodeArgs),
    Fault(FaultVerbArgs),
    /// Pass on what clients ask a cluster, and write it into a file, until Ctrl-C
    ///
    /// Clients connect to the address that it prints, without security; -b, -X and --command-config say how it reaches the
    /// cluster. The file has what clients send and get, records too, and only its owner can read it.
    #[command(after_help = "Examples:
  kafkit broker record talk.jsonl -b kafka1:9092
  jq -r '[.client_id, .api, .version, .took_ms] | @tsv' talk.jsonl
  kafkit broker replay talk.jsonl")]
    Record(ConversationArgs),
    /// Answer clients as a file of `broker record` says, until Ctrl-C
    ///
    /// A request gets an answer that the same bytes got, or else the next one to its API and version.
    #[command(after_help = "Examples:
  kafkit broker record talk.jsonl -b kafka1:9092
  kafkit broker replay talk.jsonl")]
    Replay(ConversationArgs),
}

impl IntoInvocation for BrokerArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        if let Some(BrokerVerb::Record(args)) = self.verb {
            return Ok(Invocation {
                command: Box::new(Action::Record(args.into_conversation())),
                settings: self.connection.into_settings(Use::Admin)?,
                output: self.output.into_options(),
            });
        }
        let settings = settings(&self.connection.set)?;
        let action = match self.verb {
            Some(BrokerVerb::Status { data_dir }) => Action::Status { data_dir },
            Some(BrokerVerb::Stop { data_dir }) => Action::Stop { data_dir },
            Some(BrokerVerb::Node(args)) => args.into_action(),
            Some(BrokerVerb::Fault(args)) => args.into_action(),
            Some(BrokerVerb::Record(args)) => Action::Record(args.into_conversation()),
            Some(BrokerVerb::Replay(args)) => Action::Replay(args.into_conversation()),
            None => {
                let serve = Serve {
                    listen: self.listen,
                    advertise: self.advertise,
                    data_dir: self.data_dir,
                    config: self.config,
                    config_from_env: self.config_from_env,
                    settings,
                    flush: self.flush,
                    allow_anonymous: self.allow_anonymous,
                    secure: self.secure,
                    leave_when_idle: self.leave_when_idle.map(std::time::Duration::from_secs),
                    detached: self.detached,
                    nodes: self.nodes,
                    racks: self.racks,
                    faults: self.faults.into_flags(),
                    fault_seed: self.fault_seed,
                    as_version: self.as_version,
                    logs_requests: self.log,
                    ready_file: self.ready_file,
                    is_member: self.member,
                    ready_words: None,
                };
                if self.command.is_empty() && std::env::args_os().next_back().is_some_and(|word| word == "--")
                {
                    let error = Error::usage("the command behind -- is missing");
                    return Err(error.hint("without -- the broker runs until Ctrl-C"));
                }
                if self.command.is_empty() {
                    Action::Serve(serve)
                } else {
                    Action::Fixture {
                        serve,
                        command: self.command,
                    }
                }
            }
        };
        Ok(Invocation {
            command: Box::new(action),
            settings: Settings::default(),
            output: self.output.into_options(),
        })
    }
}

/// The broker's settings given by `-X`, which are not a client's here.
fn settings(words: &[String]) -> Result<Vec<(String, String)>> {
    let split = words.iter().map(|word| {
        let (name, value) = word
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("-X takes KEY=VALUE, not \"{word}\"")))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    split.collect()
}
