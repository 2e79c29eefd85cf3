//! Starts, asks and stops the mini broker.
//!
//! [`configuration`] makes one configuration out of flags, files and the environment; [`fixture`] runs a command with
//! a broker of its own; [`nodes`] makes the settings of each node out of those of the whole. [`control`] finds and stops
//! a broker that runs; over its [`control_channel`], [`node_control`] stops and starts single nodes and [`faults`] changes
//! what goes wrong on purpose.

mod certificates;
mod clients;
mod configuration;
mod container_environment;
mod control;
mod control_channel;
mod conversation;
mod faults;
mod file_limit;
mod fixture;
mod node_control;
mod nodes;
mod secure;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use crate::broker::host::control::NodeVerb;
pub use configuration::{Serve, data_dir_of};
pub use control::stop_broker;
pub use conversation::Conversation;
pub use faults::{FaultChange, FaultFlags};

use super::command::{Command, Needs};
use super::context::Context;
use crate::broker::lifecycle::{PreparedBroker, StopHandle};
use crate::broker::node::Node;
use crate::broker::timers::now_ms;
use crate::client::local_broker::RunningBroker;
use crate::client::mini_place::{default_data_dir, shown};
use crate::error::Result;
use crate::output::mini_broker::{self, Ready};
use crate::output::{self, Printer};
use crate::wire::host_port::host_port;
use crate::wire::security_protocol::SecurityProtocol;
use configuration::Configuration;
use control_channel::ControlSocket;
use secure::ClientFile;

/// Tells the command of a fixture where its broker keeps its data, and so how to reach it.
const RUNNING_DIR: &str = "KAFKIT_BROKER_DIR";

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    /// Serve until told to stop.
    Serve(Serve),
    /// Serve while a command runs.
    Fixture { serve: Serve, command: Vec<OsString> },
    /// Who serves a data directory?
    Status { data_dir: Option<PathBuf> },
    /// Stop who serves a data directory.
    Stop { data_dir: Option<PathBuf> },
    /// Tell one of its nodes something.
    Node {
        verb: NodeVerb,
        data_dir: Option<PathBuf>,
    },
    /// Pass on what clients ask a cluster, and write it down.
    Record(Conversation),
    /// Answer clients as a cluster once did.
    Replay(Conversation),
    /// The fault rules of who serves a data directory.
    Fault {
        change: FaultChange,
        data_dir: Option<PathBuf>,
    },
}

impl Command for Action {
    fn needs(&self) -> Needs {
        match self {
            Self::Record(_) => Needs {
                lasts: true,
                ..Needs::ANSWERS
            },
            _ => Needs::NOTHING,
        }
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        run(*self, context)
    }
}

pub fn run(action: Action, context: &mut Context) -> Result<()> {
    match action {
        Action::Serve(serve) => run_until_stopped(&serve, &mut context.printer),
        Action::Fixture { serve, command } => fixture::run(&serve, &command, &mut context.printer),
        Action::Status { data_dir } => control::status(&directory(data_dir)?, &mut context.printer),
        Action::Stop { data_dir } => control::stop(&directory(data_dir)?, &mut context.printer),
        Action::Node { verb, data_dir } => {
            node_control::run(&running_directory(data_dir)?, verb, &mut context.printer)
        }
        Action::Record(conversation) => conversation::record(&conversation, context),
        Action::Replay(conversation) => conversation::replay(&conversation, context),
        Action::Fault { change, data_dir } => {
            faults::change(&change, &running_directory(data_dir)?, &mut context.printer)
        }
    }
}

/// The directory of a broker that is to be told something: the one given, of the fixture that this command runs in, or
/// the user's own.
fn running_directory(given: Option<PathBuf>) -> Result<PathBuf> {
    let of_fixture = std::env::var_os(RUNNING_DIR).filter(|dir| !dir.is_empty());
    directory(given.or(of_fixture.map(PathBuf::from)))
}

fn directory(data_dir: Option<PathBuf>) -> Result<PathBuf> {
    match data_dir {
        Some(dir) => Ok(std::path::absolute(dir)?),
        None => default_data_dir(),
    }
}

fn run_until_stopped(serve: &Serve, printer: &mut Printer) -> Result<()> {
    let started = Instant::now();
    if serve.detached {
        // Out of the terminal's reach; a refusal means that there is no terminal to leave.
        let _ = rustix::process::setsid();
    }
    file_limit::raise();
    let configuration = Configuration::new(serve)?;
    forget_ready(serve);
    let dir = configuration.data_dir.clone();
    let (prepared, client_file) = prepare(configuration, printer)?;
    let client_file = client_file.map(|file| file.path);
    if let Some(path) = &client_file {
        printer.note(format_args!("clients need --command-config {}", path.display()));
    }
    announce(prepared.nodes(), &dir, client_file)?;
    let (prepared, _socket) = with_control(prepared, &dir, printer);
    stop_on_signals(prepared.stop_handle())?;
    let nodes = prepared.nodes();
    // The file first: who reads the line may look for it at once.
    tell_ready(serve, nodes, &dir, printer)?;
    printer.note(ready_line(nodes, &dir, started.elapsed(), serve.detached));
    if serve.detached {
        printer.line(addresses(nodes).first().cloned().unwrap_or_default())?;
        // Whoever waits for the line may go on, and may have gone.
        let _ = printer.flush();
    }
    let ended = prepared.run();
    RunningBroker::withdraw(&dir);
    ended
}

/// Binds, opens the data, makes the topics that the configuration asks for, and the file that clients need.
fn prepare(
    configuration: Configuration,
    printer: &mut Printer,
) -> Result<(PreparedBroker, Option<ClientFile>)> {
    for note in &configuration.notes {
        printer.warn(note);
    }
    let prepared = PreparedBroker::new(configuration.configs, Arc::new(|line| output::stderr_line(line)))?;
    let secure = configuration.secure.as_ref();
    let client_file = secure
        .map(|secure| secure.write_client_file(&advertised(prepared.nodes())))
        .transpose()?;
    let Some(node) = prepared.nodes().first() else {
        return Ok((prepared, client_file));
    };
    for topic in configuration.topics {
        if !node.has_topic(&topic.name) {
            node.create_topic(&topic.name, topic.partitions, topic.configs)?;
        }
    }
    Ok((prepared, client_file))
}

/// Lets `kafkit broker node` and `fault` reach the broker as long as the socket lives; a broker that cannot have one serves
/// all the same.
fn with_control(
    prepared: PreparedBroker,
    dir: &Path,
    printer: &mut Printer,
) -> (PreparedBroker, Option<ControlSocket>) {
    match ControlSocket::open(dir) {
        Ok((listener, socket)) => (prepared.with_control(listener), Some(socket)),
        Err(error) => {
            printer.warn(format_args!(
                "`kafkit broker node` and `fault` will not find it: {error}"
            ));
            (prepared, None)
        }
    }
}

/// Removes the file that an earlier run left: it would say that this one listens.
fn forget_ready(serve: &Serve) {
    if let Some(path) = &serve.ready_file {
        let _ = std::fs::remove_file(path);
    }
}

/// Says for programs that it listens, and where: in a file, and on stdout where JSON was asked for.
fn tell_ready(serve: &Serve, nodes: &[Arc<Node>], dir: &Path, printer: &mut Printer) -> Result<()> {
    let ready = Ready {
        bootstrap_servers: advertised(nodes),
        pid: std::process::id(),
        data_dir: dir.to_owned(),
    };
    if let Some(path) = &serve.ready_file {
        mini_broker::write_ready(&ready, path)?;
    }
    mini_broker::print_ready(&ready, printer)
}

/// The addresses that clients are told to connect to.
fn advertised(nodes: &[Arc<Node>]) -> String {
    let listeners = nodes.iter().flat_map(|node| &node.listeners);
    let addresses = listeners.map(|listener| host_port(&listener.advertised_host, listener.advertised_port));
    addresses.collect::<Vec<_>>().join(",")
}

/// Where clients on this machine reach the nodes.
fn addresses(nodes: &[Arc<Node>]) -> Vec<String> {
    let listeners = nodes.iter().flat_map(|node| &node.listeners);
    listeners.map(|listener| listener.bound.to_string()).collect()
}

fn announce(nodes: &[Arc<Node>], dir: &Path, client_file: Option<PathBuf>) -> Result<()> {
    let first = nodes.iter().filter_map(|node| node.listeners.first());
    let mut protocols = first.clone().map(|listener| listener.protocol());
    let running = RunningBroker {
        is_secure: protocols.any(|protocol| protocol != SecurityProtocol::Plaintext),
        pid: std::process::id(),
        addresses: addresses(nodes),
        nodes: first.map(|listener| listener.bound.to_string()).collect(),
        cluster_id: nodes
            .first()
            .map(|node| node.cluster_id().to_owned())
            .unwrap_or_default(),
        started_ms: now_ms(),
        client_file,
    };
    std::fs::create_dir_all(dir)?;
    running.announce(dir)
}

fn ready_line(nodes: &[Arc<Node>], dir: &Path, took: Duration, detached: bool) -> String {
    let topics = nodes.first().map_or(0, |node| node.topic_count());
    let size = nodes.iter().map(|node| node.size()).sum();
    let ids: Vec<String> = nodes.iter().map(|node| node.id.to_string()).collect();
    format!(
        "mini broker ready in {} ms on {} ({} {}, {}, {topics} {}, {}){}",
        took.as_millis(),
        addresses(nodes).join(", "),
        if nodes.len() == 1 { "node" } else { "nodes" },
        ids.join(", "),
        shown(dir),
        if topics == 1 { "topic" } else { "topics" },
        output::size(size),
        if detached { "" } else { "; Ctrl-C stops it" },
    )
}

/// Ctrl-C and SIGTERM stop the broker in order; a second one ends it at once.
fn stop_on_signals(stop: StopHandle) -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        for (count, signal) in signals.forever().enumerate() {
            if count > 0 {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            stop.stop();
        }
    });
    Ok(())
}
