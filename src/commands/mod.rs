//! Command to steps: what happens, in order. Owns no flags and no layout of output.
//!
//! Both faces build the same `Action` values, so that a mend reaches both spellings.

pub mod broker;
pub mod consume;
pub mod describe;
pub mod dump_log;
pub mod install_links;
pub mod produce;
pub mod reassign;
pub mod topic_selection;
pub mod topics;

use std::path::PathBuf;

use crate::client::Client;
use crate::client::admin::AdminClient;
use crate::client::local_broker;
use crate::client::settings::{Origin, Settings};
use crate::error::{Error, Result};
use crate::output::Printer;

/// Everything the program can be asked for.
#[derive(Debug)]
pub enum Command {
    Topics(topics::Action),
    Produce(produce::Action),
    Consume(consume::Action),
    Describe(describe::Action),
    Reassign(reassign::Action),
    DumpLog(dump_log::Action),
    Broker(broker::Action),
    /// The script to print.
    Completions(Vec<u8>),
    Man {
        pages: Vec<install_links::Page>,
        dir: Option<PathBuf>,
    },
    InstallLinks {
        names: Vec<String>,
        dir: PathBuf,
        force: bool,
    },
}

/// What a command works with: the cluster (connected to when first asked for) and the printer.
#[derive(Debug)]
pub struct Context {
    pub client: Client,
    pub printer: Printer,
}

impl Context {
    pub fn new(settings: Settings, printer: Printer) -> Self {
        Self {
            client: Client::new(settings),
            printer,
        }
    }
}

impl Command {
    fn needs_a_cluster(&self) -> bool {
        match self {
            Self::Topics(_) | Self::Produce(_) | Self::Consume(_) | Self::Describe(_) | Self::Reassign(_) => {
                true
            }
            Self::DumpLog(_)
            | Self::Broker(_)
            | Self::Completions(_)
            | Self::Man { .. }
            | Self::InstallLinks { .. } => false,
        }
    }

    /// Whether the command lasts as long as there is work, so that its time-out is that of one answer.
    fn goes_on(&self) -> bool {
        match self {
            Self::Produce(_) | Self::Consume(_) => true,
            Self::Reassign(action) => action.goes_on(),
            _ => false,
        }
    }
}

impl Context {
    /// Names the settings that nobody knows or that cannot be honoured.
    pub fn note_settings(&mut self) {
        for warning in self.client.settings().warnings() {
            self.printer.warning(warning);
        }
    }

    /// Says what the client found worth a word about calls that succeeded.
    pub fn tell_notes(&mut self) {
        let notes = self.client.connected_admin().map(AdminClient::take_notes);
        for note in notes.unwrap_or_default() {
            self.printer.warning(note);
        }
    }

    /// The failure of a command that has shown everything but what some brokers alone know.
    pub fn complain_of_absent(&mut self) -> Result<()> {
        let absent = self.client.connected_admin().map(AdminClient::take_absent);
        let absent: Vec<String> = absent.unwrap_or_default().into_values().collect();
        let only = match absent.len() {
            0 => return Ok(()),
            1 => "this broker knows",
            _ => "these brokers know",
        };
        Err(Error::failed(absent.join("; ")).hint(format!("what only {only} is not shown")))
    }

    /// Where no cluster is configured, or `mini` is: the user's mini broker, which is started if need be.
    fn find_cluster(&mut self) -> Result<()> {
        let asked_for = self
            .client
            .settings()
            .get("bootstrap.servers")
            .unwrap_or_default();
        let is_named = !asked_for.is_empty();
        let Some(dir) = local_broker::directory_named(asked_for)? else {
            return Ok(());
        };
        let broker = local_broker::bootstrap(&dir)?;
        let (place, address) = (&broker.place, &broker.address);
        match (is_named, broker.was_started) {
            (true, true) => self
                .printer
                .note(format_args!("started the mini broker on {place} ({address})")),
            (true, false) => {}
            (false, was_started) => {
                let how = if was_started { "started" } else { "running" };
                self.printer.note(format_args!(
                    "no cluster configured: using the mini broker on {place} ({how}, {address})"
                ));
            }
        }
        let mut settings = self.client.settings().clone();
        settings.set("bootstrap.servers", broker.address, Origin::Flag);
        self.client = Client::new(settings);
        Ok(())
    }
}

pub fn run(command: Command, context: &mut Context) -> Result<()> {
    // Sending and reading say it themselves, for both faces.
    if let Command::Topics(_) | Command::Describe(_) | Command::Reassign(_) = &command {
        context.note_settings();
    }
    if command.needs_a_cluster() {
        context.find_cluster()?;
    }
    if command.goes_on() {
        context.client.wait_for_each_answer();
    }
    let outcome = match command {
        Command::Topics(action) => topics::run(action, context),
        Command::Produce(action) => produce::run(action, context),
        Command::Consume(action) => consume::run(action, context),
        Command::Describe(action) => describe::run(action, context),
        Command::Reassign(action) => reassign::run(action, context),
        Command::DumpLog(action) => dump_log::run(&action, context),
        Command::Broker(action) => broker::run(action, context),
        Command::Completions(script) => install_links::completions(&script, context),
        Command::Man { pages, dir } => install_links::man(&pages, dir.as_deref(), context),
        Command::InstallLinks { names, dir, force } => install_links::links(&names, &dir, force, context),
    };
    context.tell_notes();
    outcome.and_then(|()| context.complain_of_absent())
}
