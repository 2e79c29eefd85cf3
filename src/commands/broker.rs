//! Starts, asks and stops the mini broker.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Context;
use crate::broker::config::BrokerConfig;
use crate::broker::lifecycle::{PreparedBroker, StopHandle};
use crate::error::{Error, Result};
use crate::output;

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

/// How to serve.
#[derive(Clone, Debug, Default)]
pub struct Serve {
    pub listen: Vec<String>,
    pub advertise: Option<String>,
    pub data_dir: Option<PathBuf>,
    pub config: Option<PathBuf>,
    pub config_from_env: bool,
    /// `-X` words.
    pub settings: Vec<String>,
    pub flush: bool,
    pub allow_anonymous: bool,
    pub leave_when_idle: Option<Duration>,
}

pub fn run(action: Action, context: &mut Context) -> Result<()> {
    match action {
        Action::Serve(serve) => run_until_stopped(&serve, context),
        Action::Fixture { .. } | Action::Status { .. } | Action::Stop { .. } => {
            Err(Error::failed("this command is being built"))
        }
    }
}

fn run_until_stopped(serve: &Serve, context: &mut Context) -> Result<()> {
    let started = Instant::now();
    let config = configuration(serve)?;
    let prepared = PreparedBroker::new(config, Box::new(|line| output::stderr_line(line)))?;
    stop_on_signals(prepared.stop_handle())?;
    let broker = prepared.broker();
    let addresses: Vec<String> = broker
        .listeners
        .iter()
        .map(|listener| listener.bound.to_string())
        .collect();
    context.printer.note(format_args!(
        "mini broker ready in {} ms on {} (node {}, {})",
        started.elapsed().as_millis(),
        addresses.join(", "),
        broker.config.node_id,
        broker.config.data_dir.display(),
    ));
    prepared.run()
}

fn configuration(serve: &Serve) -> Result<BrokerConfig> {
    let mut given = Vec::new();
    for word in &serve.settings {
        let (key, value) = word
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("-X takes KEY=VALUE, not \"{word}\"")))?;
        given.push((key.to_owned(), value.to_owned()));
    }
    if !serve.listen.is_empty() {
        let listeners: Vec<String> = serve
            .listen
            .iter()
            .map(|address| format!("PLAINTEXT://{address}"))
            .collect();
        given.push(("listeners".to_owned(), listeners.join(",")));
    }
    let data_dir = serve
        .data_dir
        .clone()
        .unwrap_or_else(|| Path::new("/tmp/kafkit-data").to_owned());
    let mut config = BrokerConfig::new(data_dir, given)?;
    config.flush_each_batch = serve.flush;
    config.leave_when_idle = serve.leave_when_idle;
    Ok(config)
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
