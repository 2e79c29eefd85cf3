//! The register of the native face's nouns. A new noun is one row here, and its own files.

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command};

use super::free_values::with_free_values;
use super::habits::with_aliases;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::{
    acls, backup, broker, config, configs, consume, copy, describe, diff, doctor, dump_log, generate, groups,
    handbook, leaders, offsets, produce, profile, quotas, reassign, records, tokens, top, topics,
    transactions, users,
};
use crate::error::{Error, Result};
use crate::output::prose::fitted_examples;

/// The nouns, in the order of the help text.
const NOUNS: &[Row] = &[
    row::<topics::TopicsArgs>("topics"),
    row::<produce::ProduceArgs>("produce"),
    row::<consume::ConsumeArgs>("consume"),
    row::<copy::CopyArgs>("copy"),
    row::<diff::DiffArgs>("diff"),
    row::<backup::BackupArgs>("backup"),
    row::<backup::RestoreArgs>("restore"),
    row::<describe::DescribeArgs>("describe"),
    row::<groups::GroupsArgs>("groups"),
    row::<offsets::OffsetsArgs>("offsets"),
    row::<records::RecordsArgs>("records"),
    row::<transactions::TransactionsArgs>("transactions"),
    row::<leaders::LeadersArgs>("leaders"),
    row::<configs::ConfigsArgs>("configs"),
    row::<users::UsersArgs>("users"),
    row::<tokens::TokensArgs>("tokens"),
    row::<quotas::QuotasArgs>("quotas"),
    row::<acls::AclsArgs>("acls"),
    row::<reassign::ReassignArgs>("reassign"),
    row::<dump_log::DumpLogArgs>("dump-log"),
    row::<top::TopArgs>("top"),
    row::<doctor::DoctorArgs>("doctor"),
    row::<broker::BrokerArgs>("broker"),
    row::<profile::ProfileArgs>("profile"),
    row::<config::ConfigArgs>("config"),
    row::<generate::CompletionsArgs>("completions"),
    row::<generate::ManArgs>("man"),
    row::<generate::InstallLinksArgs>("install-links"),
    row::<handbook::HelpArgs>("help"),
];

const ABOUT: &str =
    "Everyday work with Apache Kafka: topics, produce, consume, reassign, dump-log, and a mini broker";

const EXAMPLES: &str = "\
Examples:
  seq 5 | kafkit produce hello         makes the topic, and starts a broker
  kafkit consume hello -e              all records there are now
  kafkit topics list -b kafka1:9092    KAFKIT_BOOTSTRAP_SERVERS serves as well
  kafkit describe group billing        who reads what, and how far behind
  kafkit dump-log orders-0             a log directory, without its broker
  kafkit kafka-topics --list …         as Kafka's own tool has it

`kafkit COMMAND --help` has flags and more examples, `kafkit help TOPIC` what commands share:
offsets, templates, where, exit-codes, settings, files.";

/// A noun: its word, its flags, and their command.
struct Row {
    word: &'static str,
    add_flags: fn(Command) -> Command,
    read: fn(&ArgMatches, &JavaNames) -> Result<Invocation>,
}

const fn row<A: Args + IntoInvocation>(word: &'static str) -> Row {
    Row {
        word,
        add_flags: A::augment_args,
        read: |matches, java| {
            A::from_arg_matches(matches)
                .map_err(|refusal| Error::usage(refusal.to_string()))?
                .into_invocation(java)
        },
    }
}

impl Row {
    fn command(&self) -> Command {
        with_examples(with_free_values((self.add_flags)(Command::new(self.word))))
    }
}

/// A command with subcommands shows the first example of each.
fn with_examples(command: Command) -> Command {
    let command = command.mut_subcommands(with_examples);
    if !command.has_subcommands() || command.get_after_help().is_some() {
        return command;
    }
    let examples: Vec<String> = command.get_subcommands().filter_map(first_example).collect();
    command.after_help(format!("Examples:\n{}", examples.join("\n")))
}

/// The first example in the help text of a command, with the lines that continue it.
fn first_example(command: &Command) -> Option<String> {
    let text = command.get_after_help()?.to_string();
    let mut lines = text.lines().skip_while(|line| *line != "Examples:").skip(1);
    let mut example = lines.next()?.to_owned();
    while example.ends_with('\\') {
        example = format!("{example}\n{}", lines.next()?);
    }
    Some(example)
}

/// The whole clap tree; help, completions and man pages are made from it.
pub fn command_tree() -> Command {
    with_aliases(root().subcommands(NOUNS.iter().map(Row::command)))
}

/// The part of the tree that `argv` (the program's name first) needs. Building all of it takes a third of the program's
/// start-up time, so that a line that begins with a noun gets that noun alone.
pub fn tree_for(argv: &[OsString]) -> Command {
    let tree = part_for(argv);
    let is_help = |word: &OsString| word == "-h" || word == "--help";
    if argv.len() < 2 || argv.iter().any(is_help) {
        flowing(tree)
    } else {
        tree
    }
}

/// The tree with each paragraph after the flags on one line, which clap wraps to the width of the screen.
fn flowing(command: Command) -> Command {
    let text = command.get_after_help().map(ToString::to_string);
    let command = match text {
        Some(text) => command.after_help(fitted_examples(&paragraphs(&text))),
        None => command,
    };
    command.mut_subcommands(flowing)
}

/// Joins the lines of sentences; indented and empty lines are kept.
fn paragraphs(text: &str) -> String {
    let is_sentence = |line: &str| !line.is_empty() && !line.starts_with(' ');
    let mut joined = String::with_capacity(text.len());
    let mut before = "";
    for line in text.lines() {
        if !joined.is_empty() {
            let goes_on = is_sentence(before) && is_sentence(line);
            joined.push(if goes_on { ' ' } else { '\n' });
        }
        joined.push_str(line);
        before = line;
    }
    joined
}

fn part_for(argv: &[OsString]) -> Command {
    let first = argv.get(1).and_then(|word| word.to_str());
    match first {
        Some("--version" | "-V") => root(),
        Some(word) => match NOUNS.iter().find(|row| row.word == word) {
            Some(row) => with_aliases(root().subcommand(row.command())),
            None => command_tree(),
        },
        None => command_tree(),
    }
}

fn root() -> Command {
    Command::new("kafkit")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .max_term_width(100)
        .about(ABOUT)
        .after_help(EXAMPLES)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
}

/// The command of a parsed command line.
pub fn invocation(matches: &ArgMatches, java: &JavaNames) -> Result<Invocation> {
    let found = matches.subcommand().and_then(|(word, flags)| {
        let row = NOUNS.iter().find(|row| row.word == word)?;
        Some((row, flags))
    });
    match found {
        Some((row, flags)) => (row.read)(flags, java),
        None => Err(Error::usage("a command is missing").hint("see `kafkit --help`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_flow_and_examples_stay() {
        let text = "Examples:\n  kafkit a   one\n  kafkit b\n\nWhole batches\nare sent.\n\nThe end";
        let joined = "Examples:\n  kafkit a   one\n  kafkit b\n\nWhole batches are sent.\n\nThe end";
        assert_eq!(paragraphs(text), joined);
    }
}
