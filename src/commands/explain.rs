//! The one step of `config explain`: the settings in force out of the command line, the environment and the files.

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::output::explanation as output;
use crate::spelling::closest;

/// What the user asked for.
#[derive(Debug)]
pub struct Action {
    /// Only these keys; all if empty.
    pub keys: Vec<String>,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs {
            warnings: true,
            ..Needs::NOTHING
        }
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let mut explained = context.client.settings().explain();
        let keys = self.keys.iter().map(|key| Settings::usual_name(key));
        let missing = keys.filter(|key| !explained.iter().any(|found| found.key == *key));
        let missing = missing.map(not_set).collect();
        if !self.keys.is_empty() {
            let keys: Vec<&str> = self.keys.iter().map(|key| Settings::usual_name(key)).collect();
            explained.retain(|found| keys.contains(&found.key.as_str()));
        }
        if explained.is_empty() && self.keys.is_empty() {
            context
                .printer
                .note("nothing is configured: commands use the mini broker");
        }
        if !explained.is_empty() || self.keys.is_empty() {
            output::list(&mut context.printer, &explained)?;
        }
        context.outcome_of(missing)
    }
}

fn not_set(key: &str) -> Error {
    let error = Error::not_found(format!("{key} is not set"));
    match closest(key, Settings::known_names().into_iter()) {
        Some(meant) if !Settings::is_known(key) => error.hint(format!("did you mean {meant}?")),
        _ => error,
    }
}
