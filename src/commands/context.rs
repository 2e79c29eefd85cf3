//! What a command works with: the cluster, connected to at the first request, and the printer.

use crate::client::Client;
use crate::client::admin::AdminClient;
use crate::client::settings::{Origin, Settings};
use crate::client::{local_broker, mini_place};
use crate::error::{Error, Result};
use crate::output::{Printer, confirm};

/// The cluster and the printer of one command line.
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

    /// Warns of settings that are unknown or have no effect.
    pub fn note_settings(&mut self) {
        for warning in self.client.settings().warnings() {
            self.printer.warning(warning);
        }
    }

    /// Prints the client's notes about calls that succeeded.
    pub fn print_notes(&mut self) {
        let notes = self.client.connected_admin().map(AdminClient::take_notes);
        for note in notes.unwrap_or_default() {
            self.printer.warning(note);
        }
    }

    /// An error if the output is incomplete because brokers did not answer.
    pub fn check_absent(&mut self) -> Result<()> {
        let absent = self.client.connected_admin().map(AdminClient::take_absent);
        let absent: Vec<String> = absent.unwrap_or_default().into_values().collect();
        let only = match absent.len() {
            0 => return Ok(()),
            1 => "this broker knows",
            _ => "these brokers know",
        };
        Err(Error::failed(absent.join("; ")).hint(format!("what only {only} is not shown")))
    }

    /// Shows `lines` and asks; returns if the answer is yes. Waiting for it does not count towards the time-out.
    ///
    /// # Errors
    ///
    /// `nothing_done`, if the answer is anything else.
    pub fn consent(&mut self, lines: &str, question: &str, nothing_done: &'static str) -> Result<()> {
        self.printer.flush()?;
        let says_yes = confirm::ask(lines, question)?;
        self.client.restart_deadline();
        if says_yes {
            Ok(())
        } else {
            Err(Error::failed(nothing_done))
        }
    }

    /// The outcome of a command that continued after failures: all but the last are printed, the last is its error.
    pub fn outcome_of(&mut self, mut failures: Vec<Error>) -> Result<()> {
        let Some(last) = failures.pop() else {
            return Ok(());
        };
        for failure in failures {
            self.printer.warn(format_args!("kafkit: {failure}"));
        }
        Err(last)
    }

    /// Where no cluster or the mini broker is configured: uses the user's mini broker, and starts it if necessary.
    pub(super) fn find_cluster(&mut self) -> Result<()> {
        let asked_for = self
            .client
            .settings()
            .get("bootstrap.servers")
            .unwrap_or_default();
        let is_named = !asked_for.is_empty();
        let Some(dir) = mini_place::directory_named(asked_for)? else {
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
        if let Some(file) = &broker.client_file {
            settings.read_properties_file(file)?;
        }
        // A broker that was not named can be found again without its address.
        let origin = if is_named { Origin::Flag } else { Origin::Default };
        settings.set("bootstrap.servers", broker.address, origin);
        self.client = Client::new(settings);
        Ok(())
    }
}
