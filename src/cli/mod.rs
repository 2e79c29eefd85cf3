//! Argv to command: the flags and help texts of the native face.
//!
//! Owns every flag, default and usage error; owns no socket and prints no results. `nouns` is the register; the flags
//! of a noun are in the file of its name, and become the `Action` of the same name in `commands/`.

pub mod acls;
pub mod backup;
pub mod broker;
mod broker_verbs;
pub mod candidates;
pub mod completion;
mod condition_args;
pub mod config;
pub mod configs;
pub mod connection_args;
pub mod consume;
pub mod copy;
pub mod describe;
pub mod diff;
pub mod doctor;
pub mod dump_log;
mod fault_args;
mod free_values;
pub mod generate;
pub mod groups;
mod habit_tables;
mod habits;
pub mod handbook;
pub mod invocation;
pub mod leaders;
pub mod nouns;
mod offset_words;
pub mod offsets;
mod once;
pub mod output_args;
mod part_args;
mod partitions;
pub mod produce;
pub mod profile;
pub mod quotas;
pub mod reassign;
pub mod records;
mod refusal;
mod target_args;
mod times;
pub mod tokens;
pub mod top;
mod topic_files;
pub mod topics;
pub mod transactions;
mod two_sides_args;
pub mod users;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ArgMatches;

use crate::client;
use crate::client::settings::Asking;
use crate::commands::command;
use crate::commands::context::Context;
use crate::commands::welcome;
use crate::error::{Error, Kind, Result};
use crate::output::{self, OutputOptions, Printer};
use connection_args::ConnectionArgs;
use invocation::{Invocation, JavaNames};
use nouns::{invocation, tree_for};

/// Runs a native command line, the program's name first.
pub fn run(argv: &[OsString], java: &JavaNames) -> ExitCode {
    completion::complete_if_asked();
    let argv = &habits::with_token_ids_last(with_version_as_flag(argv));
    if argv.len() < 2 && output::is_on_terminal() {
        return ended(welcome().and_then(execute));
    }
    let parsed = match tree_for(argv).try_get_matches_from(argv) {
        Ok(parsed) => Ok(parsed),
        // Without any word the help is the message.
        Err(message) if !message.use_stderr() || argv.len() < 2 => return output::clap_message(&message),
        Err(refusal) => parsed_as_meant(&refusal, argv),
    };
    ended(
        parsed
            .and_then(|matches| invocation(&matches, java))
            .and_then(execute),
    )
}

/// The program's name alone: shows which cluster commands would use.
fn welcome() -> Result<Invocation> {
    let connection = ConnectionArgs {
        profile: std::env::var("KAFKIT_PROFILE").ok(),
        ..ConnectionArgs::default()
    };
    Ok(Invocation {
        command: Box::new(welcome::Action),
        settings: connection.into_settings_asking(Asking::PassedOver)?,
        output: OutputOptions::default(),
    })
}

/// The exit code of an outcome; prints the line of an error.
fn ended(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let needs_no_words = match error.kind() {
                Kind::CommandEnded(_) => true,
                Kind::Interrupted => error.message().is_empty(),
                _ => false,
            };
            if !needs_no_words {
                output::error_line(&error);
            }
            ExitCode::from(match error.kind() {
                Kind::Interrupted => crate::interrupt::exit_code(),
                kind => kind.exit_code(),
            })
        }
    }
}

/// Parses the line that a refused one meant, if only the position of a flag differs.
fn parsed_as_meant(refusal: &clap::Error, argv: &[OsString]) -> Result<ArgMatches> {
    let words: Option<Vec<String>> = argv.iter().map(|word| word.to_str().map(str::to_owned)).collect();
    let meant = words.as_ref().and_then(|words| habits::meant(words, takes));
    if let Some(meant) = meant.as_ref().filter(|meant| meant.is_taken)
        && let Ok(parsed) = parse(&meant.argv)
    {
        return Ok(parsed);
    }
    Err(refusal::explain(refusal, argv, meant))
}

fn parse(argv: &[String]) -> std::result::Result<ArgMatches, clap::Error> {
    let words: Vec<OsString> = argv.iter().map(OsString::from).collect();
    tree_for(&words).try_get_matches_from(&words)
}

/// Whether clap accepts a line.
fn takes(argv: &[String]) -> bool {
    parse(argv).is_ok()
}

/// `kafkit version`, a habit from many programs, is `kafkit --version`.
fn with_version_as_flag(argv: &[OsString]) -> Vec<OsString> {
    let mut argv = argv.to_vec();
    if let [_, word] = argv.as_mut_slice()
        && word == "version"
    {
        *word = "--version".into();
    }
    argv
}

fn execute(invocation: Invocation) -> Result<()> {
    let mut context = Context::new(invocation.settings, Printer::new(invocation.output));
    let outcome = command::run(invocation.command, &mut context);
    let flushed = context.printer.finish();
    match outcome.and(flushed) {
        Err(error) if error.kind() == Kind::ClosedPipe => Ok(()),
        outcome => outcome.map_err(with_doctor),
    }
}

/// If the cluster cannot be reached, the hint names `kafkit doctor`.
fn with_doctor(error: Error) -> Error {
    let Some(place) = client::unreachable_address(&error) else {
        return error;
    };
    let hint = error
        .hint_text()
        .map_or_else(String::new, |hint| format!("{hint} "));
    let longer = if client::is_silence(&error) {
        "--timeout waits longer, "
    } else {
        ""
    };
    error.hint(format!("{hint}{longer}`kafkit doctor -b {place}` looks closer"))
}
