//! Starts, asks and stops the mini broker.
//!
//! [`configuration`] makes one configuration out of flags, files and the environment; [`fixture`] runs a command with
//! a broker of its own; [`control`] finds and stops one that runs.

mod clients;
mod configuration;
mod container_environment;
mod control;
mod file_limit;
mod fixture;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use configuration::Serve;
pub use control::stop_broker;

use super::command::{Command, Needs};
use super::context::Context;
use crate::broker::lifecycle::{PreparedBroker, StopHandle};
use crate::broker::node::Node;
use crate::broker::timers::now_ms;
use crate::client::local_broker::{RunningBroker, default_data_dir, shown};
use crate::error::Result;
use crate::output::{self, Printer};
use configuration::Configuration;

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
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::NOTHING
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
    }
}

fn directory(data_dir: Option<PathBuf>) -> Result<PathBuf> {
    match data_dir {
        Some(dir) => Ok(std::path::absolute(dir)?),
        None => default_data_dir(),
    }
}

/// Where a broker that is started so keeps its data.
pub fn data_dir_of(serve: &Serve) -> Result<PathBuf> {
    Ok(Configuration::new(serve)?.config.data_dir)
}

fn run_until_stopped(serve: &Serve, printer: &mut Printer) -> Result<()> {
    let started = Instant::now();
    if serve.detached {
        // Out of the terminal's reach; a refusal means that there is no terminal to leave.
        let _ = rustix::process::setsid();
    }
    file_limit::raise();
    let configuration = Configuration::new(serve)?;
    let prepared = prepare(configuration, printer)?;
    let node = prepared.node();
    let dir = node.config.data_dir.clone();
    announce(node)?;
    stop_on_signals(prepared.stop_handle())?;
    printer.note(ready_line(node, started.elapsed(), serve.detached));
    if serve.detached {
        let addresses = node.listeners.first().map(|listener| listener.bound.to_string());
        printer.line(addresses.unwrap_or_default())?;
        // Whoever waits for the line may go on, and may have gone.
        let _ = printer.flush();
    }
    let ended = prepared.run();
    RunningBroker::withdraw(&dir);
    ended
}

/// Binds, opens the data, makes the topics that the configuration asks for.
fn prepare(configuration: Configuration, printer: &mut Printer) -> Result<PreparedBroker> {
    for note in &configuration.notes {
        printer.warn(note);
    }
    let prepared = PreparedBroker::new(configuration.config, Box::new(|line| output::stderr_line(line)))?;
    for topic in configuration.topics {
        let node = prepared.node();
        if !node.has_topic(&topic.name) {
            node.create_topic(&topic.name, topic.partitions, topic.configs)?;
        }
    }
    Ok(prepared)
}

fn announce(node: &Node) -> Result<()> {
    let addresses = node.listeners.iter().map(|listener| listener.bound.to_string());
    let running = RunningBroker {
        pid: std::process::id(),
        addresses: addresses.collect(),
        cluster_id: node.cluster_id().to_owned(),
        started_ms: now_ms(),
    };
    running.announce(&node.config.data_dir)
}

fn ready_line(node: &Node, took: Duration, detached: bool) -> String {
    let addresses: Vec<String> = node
        .listeners
        .iter()
        .map(|listener| listener.bound.to_string())
        .collect();
    let topics = node.topic_count();
    format!(
        "mini broker ready in {} ms on {} (node {}, {}, {topics} {}, {}){}",
        took.as_millis(),
        addresses.join(", "),
        node.id,
        shown(&node.config.data_dir),
        if topics == 1 { "topic" } else { "topics" },
        output::size(node.size()),
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
