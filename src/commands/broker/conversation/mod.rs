//! A conversation between clients and a cluster: recorded into a file on the way, and answered from it later.
//!
//! [`relay`] has a listener for each broker, whose addresses take the place of the real ones in responses
//! ([`addresses`]). [`mod@record`] gets the responses from the cluster, [`mod@replay`] from the file ([`exchange`]).
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod addresses;
mod exchange;
mod record;
mod relay;
mod replay;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Ready, mini_broker};
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::wire::{Connection, HostPort};
use record::Recorder;
use relay::{Relay, Stage};
use replay::Script;

/// How often signals are checked.
const STEP: Duration = Duration::from_millis(100);

/// What is recorded or replayed, and where clients find it.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub file: PathBuf,
    /// `HOST:PORT`; `None`: any free port of this machine.
    pub listen: Option<String>,
}

/// Relays the requests of clients to the cluster, and records them until a signal comes.
pub(super) fn record(conversation: &Conversation, context: &mut Context) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let settings = context.client.settings();
    let servers = settings.bootstrap_servers()?;
    let options = settings.connection_options()?;
    let first = servers.first().cloned();
    let first = first.ok_or_else(|| Error::usage("no broker to ask").hint("give one with -b HOST:PORT"))?;
    // A wrong address is an error at the start, not with the first client, and leaves no file behind.
    Connection::open(&first, &options)?;
    let recorder = Arc::new(Recorder::new(&conversation.file, &servers, options)?);
    let stage: Arc<dyn Stage> = Arc::clone(&recorder) as Arc<dyn Stage>;
    serve(conversation, &servers, stage, "recording", context, &interrupt)?;
    let exchanges = recorder.finish()?;
    context.printer.note(format_args!(
        "{exchanges} exchanges in {}",
        conversation.file.display()
    ));
    Ok(())
}

/// Answers requests of clients from the file, until a signal comes.
pub(super) fn replay(conversation: &Conversation, context: &mut Context) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let script = Script::read(&conversation.file)?;
    let servers = script.servers().to_vec();
    serve(
        conversation,
        &servers,
        Arc::new(script),
        "replaying",
        context,
        &interrupt,
    )
}

fn serve(
    conversation: &Conversation,
    servers: &[HostPort],
    stage: Arc<dyn Stage>,
    doing: &str,
    context: &mut Context,
    interrupt: &Interrupt,
) -> Result<()> {
    let relay = Relay::new(stage);
    let listen = conversation.listen.as_deref().unwrap_or("127.0.0.1:0");
    let first = servers
        .first()
        .ok_or_else(|| Error::bad_data("the conversation names no broker"))?;
    let address = Relay::open(&relay, first, listen)?;
    context.printer.note(format_args!(
        "{doing} on {address} ({}); Ctrl-C ends it",
        conversation.file.display()
    ));
    let ready = Ready {
        bootstrap_servers: address.to_string(),
        pid: std::process::id(),
        data_dir: folder_of(&conversation.file),
    };
    mini_broker::print_ready(&ready, &mut context.printer)?;
    while !interrupt.is_raised() {
        thread::sleep(STEP);
    }
    Ok(())
}

fn folder_of(file: &Path) -> PathBuf {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    path.parent().map(Path::to_owned).unwrap_or_default()
}
