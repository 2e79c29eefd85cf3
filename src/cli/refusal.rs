//! The error for a command line that clap refuses, in one line: the word, a correction, and where the help is.
//!
//! Owns the wording of usage errors found by the clap tree; commands use the same form for theirs.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::habits::{self, Meant};
use crate::error::Error;
use crate::spelling::closest;

/// The refusal of `argv` (the program's name first) as kafkit's own error.
///
/// `meant` is the line that was probably meant. Without one, a similar word may be suggested for the refused one.
pub(super) fn explain(refusal: &clap::Error, argv: &[OsString], meant: Option<Meant>) -> Error {
    let mut tree = super::nouns::command_tree();
    // Propagates the flags that all commands have.
    tree.build();
    let unknown = match refusal.kind() {
        ErrorKind::InvalidSubcommand => text(refusal, ContextKind::InvalidSubcommand),
        _ => String::new(),
    };
    let (path, command) = command_named(&tree, argv, &unknown);
    let told = message(refusal, &path, command);
    let near = near_word(refusal, command);
    let line = match (meant, &near) {
        (Some(meant), _) => habits::shown(&meant.argv).map(|line| (line, meant.argv)),
        (None, Some((typed, near))) => respelled(argv, typed, near),
        (None, None) => None,
    };
    match (line, near) {
        (Some((line, argv)), _) => {
            let argv: Vec<OsString> = argv.into_iter().map(OsString::from).collect();
            let (path, _) = command_named(&tree, &argv, "");
            Error::usage(format!("{told}; did you mean `{line}`?")).hint(format!("see `{path} --help`"))
        }
        (None, Some((_, near))) => {
            Error::usage(format!("{told}; did you mean {near}?")).hint(format!("see `{path} --help`"))
        }
        (None, None) => match habits::command_of_kcat(argv) {
            Some(kcat) => Error::usage(format!("{told}; what kcat does with it is `{path} {kcat}` here"))
                .hint(format!("see `{path} {kcat} --help`")),
            None => Error::usage(with_choices(told, refusal, command)).hint(format!("see `{path} --help`")),
        },
    }
}

/// The line with the word replaced by a similar one, if clap then accepts it.
fn respelled(argv: &[OsString], typed: &str, near: &str) -> Option<(String, Vec<String>)> {
    let words: Option<Vec<String>> = argv.iter().map(|word| word.to_str().map(str::to_owned)).collect();
    let line = habits::respelled(&words?, typed, near);
    let shown = habits::shown(&line).filter(|_| super::takes(&line))?;
    Some((shown, line))
}

/// The refused word, and the existing one that is most similar. For a word of one or two letters, any other word of
/// that length would be similar.
fn near_word(refusal: &clap::Error, command: &clap::Command) -> Option<(String, String)> {
    const SHORTEST: usize = 3;
    let near = |typed: &str, names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<&str> = names.collect();
        let near = closest(typed, names.into_iter()).filter(|_| typed.chars().count() >= SHORTEST)?;
        Some((typed.to_owned(), near.to_owned()))
    };
    match refusal.kind() {
        ErrorKind::UnknownArgument => {
            let argument = text(refusal, ContextKind::InvalidArg);
            let typed = flag(&argument).strip_prefix("--")?;
            let (typed, near) = near(
                typed,
                &mut command.get_arguments().filter_map(clap::Arg::get_long),
            )?;
            Some((format!("--{typed}"), format!("--{near}")))
        }
        ErrorKind::InvalidValue => {
            let values = list(refusal, ContextKind::ValidValue);
            near(
                &text(refusal, ContextKind::InvalidValue),
                &mut values.iter().map(String::as_str),
            )
        }
        ErrorKind::InvalidSubcommand => near(
            &text(refusal, ContextKind::InvalidSubcommand),
            &mut command.get_subcommands().map(clap::Command::get_name),
        ),
        _ => None,
    }
}

/// The message, and the existing commands where an unknown one was typed.
fn with_choices(told: String, refusal: &clap::Error, command: &clap::Command) -> String {
    match refusal.kind() {
        ErrorKind::InvalidSubcommand => format!("{told}; there are {}", subcommands(command, "and")),
        _ => told,
    }
}

/// The command named by the first words, as far as they name one, and its words. Words after the `unknown` one are
/// ignored.
fn command_named<'a>(
    tree: &'a clap::Command,
    argv: &[OsString],
    unknown: &str,
) -> (String, &'a clap::Command) {
    let mut path = tree.get_name().to_owned();
    let mut command = tree;
    for word in argv.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(next) = command.find_subcommand(word) {
            path = format!("{path} {}", next.get_name());
            command = next;
        } else if word == unknown {
            break;
        }
    }
    (path, command)
}

fn message(refusal: &clap::Error, path: &str, command: &clap::Command) -> String {
    let argument = text(refusal, ContextKind::InvalidArg);
    let name = flag(&argument);
    let value = text(refusal, ContextKind::InvalidValue);
    match refusal.kind() {
        // It may precede a command, but there is none.
        ErrorKind::UnknownArgument if !path.contains(' ') && habits::is_of_connection(name) => {
            format!("`{path}` wants a command")
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("`{path}` has no flag {argument}")
        }
        ErrorKind::UnknownArgument => format!("`{path}` has no place for \"{argument}\""),
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("{argument}: the value is missing{}", choice(refusal))
        }
        ErrorKind::InvalidValue => {
            let choices = alternatives(&list(refusal, ContextKind::ValidValue));
            format!("{name} takes {choices}, not \"{value}\"")
        }
        ErrorKind::ValueValidation => {
            let why = refusal.source().map_or_else(String::new, ToString::to_string);
            match plain_reason(&why) {
                Some(wants) => format!("{name} takes {wants}, not \"{value}\""),
                None => format!("{name} does not take \"{value}\": {}", one_line(&why)),
            }
        }
        ErrorKind::NoEquals => format!("{name} wants its value behind an equals sign"),
        ErrorKind::TooManyValues => format!("{name} does not take the further value \"{value}\""),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument}: a value is missing")
        }
        ErrorKind::ArgumentConflict => conflict(refusal, name),
        ErrorKind::MissingRequiredArgument => {
            let missing = list(refusal, ContextKind::InvalidArg);
            format!("`{path}` wants {}", missing.join(" and "))
        }
        ErrorKind::InvalidSubcommand => {
            let typed = text(refusal, ContextKind::InvalidSubcommand);
            format!("`{path}` has no command \"{typed}\"")
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if command.has_subcommands() =>
        {
            format!("`{path}` wants a command: {}", subcommands(command, "or"))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => format!("`{path}` wants arguments"),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        _ => {
            let text = refusal.to_string();
            let first = text.lines().next().unwrap_or_default();
            one_line(first.strip_prefix("error: ").unwrap_or(first))
        }
    }
}

fn conflict(refusal: &clap::Error, name: &str) -> String {
    let others = list(refusal, ContextKind::PriorArg);
    let others: Vec<&str> = others.iter().map(|other| flag(other)).collect();
    match others.as_slice() {
        [] => format!("{name} does not go with the other flags"),
        [other] if *other == name => format!("{name} stands there twice"),
        others => format!("{name} does not go with {}", others.join(", ")),
    }
}

/// What the value should be; replaces reasons that clap and Rust give in their own terms.
fn plain_reason(why: &str) -> Option<String> {
    if why.contains("digit found in string") || why.contains("cannot parse integer") {
        return Some("a number".to_owned());
    }
    if why.contains("to fit in target type") {
        return Some("a smaller number".to_owned());
    }
    let (_, range) = why.split_once(" is not in ")?;
    let (least, most) = range.split_once("..")?;
    let most = most.trim_start_matches('=');
    // The largest number of the type is not a limit that was set on purpose.
    match most.len() {
        10.. => Some(format!("{least} or more")),
        _ => Some(format!("{least} to {most}")),
    }
}

/// The possible values of a flag without its value.
fn choice(refusal: &clap::Error) -> String {
    match list(refusal, ContextKind::ValidValue).as_slice() {
        [] => String::new(),
        values => format!("; it takes {}", alternatives(values)),
    }
}

fn subcommands(command: &clap::Command, word: &str) -> String {
    let names: Vec<String> = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
        .map(|command| command.get_name().to_owned())
        .collect();
    joined(&names, word)
}

fn alternatives(values: &[String]) -> String {
    joined(values, "or")
}

/// `a, b or c`.
fn joined(values: &[String], word: &str) -> String {
    match values {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// `--partitions` of `--partitions <COUNT>`.
fn flag(argument: &str) -> &str {
    argument.split([' ', '[', '=']).next().unwrap_or(argument)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(refusal: &clap::Error, kind: ContextKind) -> String {
    list(refusal, kind).into_iter().next().unwrap_or_default()
}

fn list(refusal: &clap::Error, kind: ContextKind) -> Vec<String> {
    match refusal.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
        Some(ContextValue::StyledStrs(texts)) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}
