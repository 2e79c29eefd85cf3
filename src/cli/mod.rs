//! Argv to command: the flags and help texts of the native face.
//!
//! Owns every flag, default and usage error; owns no socket and prints no results. A noun's flags live in the
//! file of its name, and each builds the `Action` of the same-named room in `commands/`.

pub mod broker;
pub mod candidates;
mod completion;
pub mod connection_args;
pub mod consume;
pub mod describe;
pub mod dump_log;
pub mod generate;
pub mod output_args;
pub mod produce;
pub mod reassign;
mod refusal;
mod times;
pub mod topics;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::client::settings::Settings;
use crate::commands::{self, Command, Context};
use crate::error::{Kind, Result};
use crate::output::{self, OutputOptions, Printer};

const EXAMPLES: &str = "\
Examples:
  seq 5 | kafkit produce hello         makes the topic, and starts a broker
  kafkit consume hello -e              all records there are now
  kafkit topics list -b kafka1:9092    KAFKIT_BOOTSTRAP_SERVERS serves as well
  kafkit describe group billing        who reads what, and how far behind
  kafkit dump-log orders-0             a log directory, without its broker
  kafkit kafka-topics --list …         as Kafka's own tool has it

`kafkit COMMAND --help` has flags and more examples.";

/// Everyday work with Apache Kafka: topics, produce, consume, reassign, dump-log, and a mini broker
#[derive(Debug, Parser)]
#[command(name = "kafkit", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
pub struct Kafkit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Topics(topics::TopicsArgs),
    Produce(produce::ProduceArgs),
    Consume(consume::ConsumeArgs),
    Describe(describe::DescribeArgs),
    Reassign(reassign::ReassignArgs),
    DumpLog(dump_log::DumpLogArgs),
    Broker(broker::BrokerArgs),
    Completions(generate::CompletionsArgs),
    Man(generate::ManArgs),
    InstallLinks(generate::InstallLinksArgs),
}

/// A command line understood: what to do, against which cluster, and how to show it.
#[derive(Debug)]
pub struct Invocation {
    pub command: Command,
    pub settings: Settings,
    pub output: OutputOptions,
}

/// What the native face says about the Java tools beside it: `install-links` and `man` ask for it.
#[derive(Debug)]
pub struct JavaNames {
    /// The file names under which the program answers as one of the tools.
    pub links: fn() -> Vec<String>,
    /// The man page's section about the tools' options, as roff.
    pub man_section: fn() -> String,
}

/// The whole clap tree; help, completions and man pages are made from it.
pub fn command_tree() -> clap::Command {
    Kafkit::command()
}

/// Runs a native command line, the program's name first.
pub fn run(argv: &[OsString], java: &JavaNames) -> ExitCode {
    completion::complete_if_asked();
    let argv = &with_version_as_flag(argv);
    let parsed = match Kafkit::try_parse_from(argv) {
        Ok(parsed) => Ok(parsed),
        // Without any word there is nothing to be told apart: the help says what there is.
        Err(message) if !message.use_stderr() || argv.len() < 2 => return output::clap_message(&message),
        Err(refusal) => Err(refusal::explain(&refusal, argv)),
    };
    match parsed
        .and_then(|parsed| invocation(parsed.verb, java))
        .and_then(execute)
    {
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
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// `kafkit version`, as many programs have it, is `kafkit --version`.
fn with_version_as_flag(argv: &[OsString]) -> Vec<OsString> {
    let mut argv = argv.to_vec();
    if let [_, word] = argv.as_mut_slice()
        && word == "version"
    {
        *word = "--version".into();
    }
    argv
}

fn invocation(verb: Verb, java: &JavaNames) -> Result<Invocation> {
    match verb {
        Verb::Topics(args) => args.into_invocation(),
        Verb::Produce(args) => args.into_invocation(),
        Verb::Consume(args) => args.into_invocation(),
        Verb::Describe(args) => args.into_invocation(),
        Verb::Reassign(args) => args.into_invocation(),
        Verb::DumpLog(args) => args.into_invocation(),
        Verb::Broker(args) => args.into_invocation(),
        Verb::Completions(args) => args.into_invocation(),
        Verb::Man(args) => args.into_invocation(java),
        Verb::InstallLinks(args) => args.into_invocation(java),
    }
}

fn execute(invocation: Invocation) -> Result<()> {
    let mut context = Context::new(invocation.settings, Printer::new(invocation.output));
    let outcome = commands::run(invocation.command, &mut context);
    let flushed = context.printer.finish();
    match outcome.and(flushed) {
        Err(error) if error.kind() == Kind::ClosedPipe => Ok(()),
        outcome => outcome,
    }
}
