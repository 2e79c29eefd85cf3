//! Starts, shows and stops the mini broker.
//!
//! [`configuration`] makes one configuration out of flags, files and the environment; [`fixture`] runs a command with
//! a broker of its own; [`nodes`] makes the settings of each node out of those of the cluster, [`ready`] describes them
//! when they listen. [`control`] finds and stops a running broker; over its [`control_channel`], [`node_control`] stops
//! and starts single nodes and [`faults`] changes the fault rules. [`mod@membership`] lets processes be nodes of one
//! cluster, which they find by [`cluster_place`].

mod certificates;
mod clients;
mod cluster_place;
mod configuration;
mod container_environment;
mod control;
mod control_channel;
mod conversation;
mod faults;
mod file_limit;
mod fixture;
mod membership;
mod node_control;
mod nodes;
mod ready;
mod secure;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

pub use crate::broker::host::control::NodeVerb;
pub use configuration::{Serve, data_dir_of};
pub use control::{ask_to_stop, stop_broker, wait_until_stopped};
pub use conversation::Conversation;
pub use faults::{FaultChange, FaultFlags};

use super::command::{Command, Needs};
use super::context::Context;
use crate::broker::config::BrokerConfig;
use crate::broker::host::Growth;
use crate::broker::lifecycle::{OnStay, PreparedBroker};
use crate::broker::node::Node;
use crate::client::local_broker::RunningBroker;
use crate::client::mini_place::default_data_dir;
use crate::error::Result;
use crate::output::mini_broker::{self, Ready};
use crate::output::{self, Printer};
use cluster_place::{ClusterPlace, Turn};
use configuration::Configuration;
use control_channel::{ControlLink, ControlSocket};
use membership::{Handle, Membership};
use ready::ReadyNodes;
use secure::ClientFile;

/// The variable that gives the command of a fixture the data directory of its broker, by which it reaches the broker.
const RUNNING_DIR: &str = "KAFKIT_BROKER_DIR";

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    /// Serve until a signal comes.
    Serve(Serve),
    /// Serve while a command runs.
    Fixture { serve: Serve, command: Vec<OsString> },
    /// Show the broker of a data directory.
    Status { data_dir: Option<PathBuf> },
    /// Stop the broker of a data directory.
    Stop { data_dir: Option<PathBuf> },
    /// Change the state of one of its nodes, or show all.
    Node {
        verb: NodeVerb,
        data_dir: Option<PathBuf>,
    },
    /// Relay the requests of clients to a cluster, and record them.
    Record(Conversation),
    /// Answer clients from a recorded file.
    Replay(Conversation),
    /// Show or change the fault rules of the broker of a data directory.
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

/// The data directory of a running broker: the one given, that of this command's fixture, or the user's default.
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
        // Detaches from the terminal; a refusal means that there is none.
        let _ = rustix::process::setsid();
    }
    file_limit::raise();
    let configuration = Configuration::new(serve)?;
    forget_ready(serve);
    match membership(serve, &configuration, printer)? {
        None => run_host(serve, configuration, started, None, printer),
        Some(Membership::Host(place, turn)) => {
            run_host(serve, configuration, started, Some((place, turn)), printer)
        }
        Some(Membership::Handle(handle)) => run_handle(serve, &configuration, started, handle, printer),
    }
}

/// The role of this process in a cluster of several processes.
fn membership(
    serve: &Serve,
    configuration: &Configuration,
    printer: &mut Printer,
) -> Result<Option<Membership>> {
    let ([config], true) = (configuration.configs.as_slice(), serve.is_member) else {
        return Ok(None);
    };
    membership::find(config, &mut |line| {
        printer.note(line);
        if serve.detached {
            // The command that started this one waits for a first line, which must not be delayed.
            printer.line(line)?;
            printer.flush()?;
        }
        Ok(())
    })
}

/// Serves the nodes of the configuration, and those of processes that join its cluster.
fn run_host(
    serve: &Serve,
    configuration: Configuration,
    started: Instant,
    place: Option<(ClusterPlace, Turn)>,
    printer: &mut Printer,
) -> Result<()> {
    let dir = configuration.data_dir.clone();
    let config = configuration.configs.first().cloned();
    let growth = if place.is_some() {
        Growth::Open
    } else {
        Growth::Fixed
    };
    let (prepared, client_file) = prepare(configuration, growth, printer)?;
    let client_file = client_file.map(|file| file.path);
    if let Some(path) = &client_file {
        printer.note(format_args!("clients need --command-config {}", path.display()));
    }
    let nodes = ReadyNodes::of(prepared.nodes());
    nodes.announce(prepared.cluster_id(), &dir, client_file)?;
    let (prepared, _socket) = with_control(prepared, &dir, printer);
    let stop = prepared.stop_handle();
    on_signals(move |count| {
        let goes_on = count == 0 || stop.stays();
        stop.stop();
        goes_on
    })?;
    let place = place.map(|(place, turn)| place.announce(&dir, false).map(|()| (place, turn)));
    let place = place.transpose()?.map(|(place, _turn)| place);
    tell_ready(serve, &nodes, &dir, printer)?;
    printer.note(format_args!(
        "{}{}",
        nodes.line(&dir, started.elapsed()),
        ctrl_c(serve)
    ));
    say_ready(serve, &nodes, config.as_ref(), printer)?;
    let ended = prepared.run(on_stay(place.clone(), &dir, &nodes));
    if let Some(place) = place {
        place.withdraw();
    }
    RunningBroker::withdraw(&dir);
    ended
}

/// What is done when the process's own node has stopped, and those of other processes continue.
fn on_stay(place: Option<ClusterPlace>, dir: &Path, nodes: &ReadyNodes) -> OnStay {
    let (dir, ids) = (dir.to_owned(), nodes.names());
    Box::new(move || {
        RunningBroker::withdraw(&dir);
        if let Some(place) = place {
            // If this fails, kafka-server-stop waits for the process in vain, and says so.
            let _ = place.announce(&dir, true);
        }
        output::stderr_line(format_args!(
            "{ids} has stopped; this process goes on for the other nodes of its cluster and ends with the last of them, or \
             when it is told once more"
        ));
    })
}

/// Waits as long as another process runs the node.
fn run_handle(
    serve: &Serve,
    configuration: &Configuration,
    started: Instant,
    handle: Handle,
    printer: &mut Printer,
) -> Result<()> {
    for note in &configuration.notes {
        printer.warn(note);
    }
    let dir = &configuration.data_dir;
    let nodes = ReadyNodes::from(&handle.ready);
    nodes.announce(&handle.ready.cluster_id, dir, None)?;
    tell_ready(serve, &nodes, dir, printer)?;
    let pid = handle.ready.host_pid;
    let line = nodes.line(dir, started.elapsed());
    printer.note(format_args!("{line}, run by process {pid}{}", ctrl_c(serve)));
    say_ready(serve, &nodes, configuration.configs.first(), printer)?;
    let _link = ControlLink::open(dir, &handle.host_dir);
    let ended = handle.stay(printer);
    RunningBroker::withdraw(dir);
    ended
}

/// The end of the line for a user at a terminal.
fn ctrl_c(serve: &Serve) -> &'static str {
    if serve.detached { "" } else { "; Ctrl-C stops it" }
}

/// Prints on stdout that the broker is ready: to the process that started this one, or in words that scripts expect.
fn say_ready(
    serve: &Serve,
    nodes: &ReadyNodes,
    config: Option<&BrokerConfig>,
    printer: &mut Printer,
) -> Result<()> {
    if serve.detached {
        printer.line(nodes.addresses.first().map_or("no address", String::as_str))?;
    } else if let (Some(words), Some(config)) = (serve.ready_words, config) {
        let has_roles = config.given("process.roles").is_some();
        printer.line(words(config.node_id, has_roles))?;
    }
    // The reader waits for this line, and may have gone.
    let _ = printer.flush();
    Ok(())
}

/// Binds the listeners, opens the data, creates the topics of the configuration, and writes the file for clients.
fn prepare(
    configuration: Configuration,
    growth: Growth,
    printer: &mut Printer,
) -> Result<(PreparedBroker, Option<ClientFile>)> {
    for note in &configuration.notes {
        printer.warn(note);
    }
    let notices = Arc::new(|line: &str| output::stderr_line(line));
    let prepared = PreparedBroker::new(configuration.configs, growth, notices)?;
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

/// Lets `kafkit broker node` and `fault` reach the broker as long as the socket lives; a broker that cannot have a
/// socket serves without.
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

/// Removes the file that an earlier run left: it would claim that this one listens.
fn forget_ready(serve: &Serve) {
    if let Some(path) = &serve.ready_file {
        let _ = std::fs::remove_file(path);
    }
}

/// Reports to programs that and where the broker listens: in a file, and on stdout where JSON was asked for. Comes
/// before the line for the user, whose reader may look for the file at once.
fn tell_ready(serve: &Serve, nodes: &ReadyNodes, dir: &Path, printer: &mut Printer) -> Result<()> {
    let ready = Ready {
        bootstrap_servers: nodes.advertised.join(","),
        pid: std::process::id(),
        data_dir: dir.to_owned(),
    };
    if let Some(path) = &serve.ready_file {
        mini_broker::write_ready(&ready, path)?;
    }
    mini_broker::print_ready(&ready, printer)
}

/// The advertised addresses of all nodes.
fn advertised(nodes: &[Arc<Node>]) -> String {
    ReadyNodes::of(nodes).advertised.join(",")
}

/// Calls `act` at Ctrl-C and SIGTERM, with the number of earlier signals; false lets the signal end the process.
fn on_signals(mut act: impl FnMut(usize) -> bool + Send + 'static) -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        for (count, signal) in signals.forever().enumerate() {
            if !act(count) {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    });
    Ok(())
}
