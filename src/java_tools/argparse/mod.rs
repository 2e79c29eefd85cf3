//! The option rules of the library argparse4j, which some of Apache Kafka's tools use, driven by a table: subcommands,
//! options that exclude each other, unique abbreviations of long options, `-b VALUE` and `--long=VALUE`.
//!
//! Owns the types of options, subcommands and programs. `parser` turns words into options, `usage` lays out usage
//! lines, help texts and error messages. Owns no tool's own rules.

mod parser;
mod suggestion;
mod usage;

use std::process::ExitCode;

use super::option_table::{Argument, OptionSpec};
use crate::java::number::double;
use crate::output::{stderr_line, stdout_line};

pub(super) use parser::parse;

/// One option of a parser: its names, its value, and which options it excludes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arg {
    pub spec: OptionSpec,
    /// The short name of one letter, if there is one.
    short: Option<char>,
    is_required: bool,
    /// The type of a number, checked when it is parsed; `None` for any text.
    number: Option<Number>,
    /// Whether usage lines show the short name rather than the long one.
    is_short_first: bool,
    /// The name of the value in usage lines; `None` for the option's name in capitals.
    metavar: Option<&'static str>,
    /// Whether one or more values follow; those of a second occurrence replace the first ones.
    is_list: bool,
    /// The only numbers there are; any, where there are none.
    choices: &'static [i64],
    choice: Choice,
}

/// Which other options of its parser an option excludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// None.
    Free,
    /// Of all options with this choice at most one may be given.
    AtMostOne,
    /// Of all options with this choice one must be given.
    ExactlyOne,
}

/// Java's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Short,
    Integer,
    Long,
    Double,
}

impl Number {
    /// The message of Java's parser about a text that is not such a number.
    fn refusal(self, text: &str) -> Option<String> {
        let is_right = match self {
            Self::Short => text.parse::<i16>().is_ok(),
            Self::Integer => text.parse::<i32>().is_ok(),
            Self::Long => text.parse::<i64>().is_ok(),
            Self::Double => double(text).is_ok(),
        };
        let why = match double(text) {
            Err(message) if self == Self::Double => message,
            _ if self == Self::Short && text.parse::<i32>().is_ok() => {
                format!("Value out of range. Value:\"{text}\" Radix:10")
            }
            _ => format!("For input string: \"{text}\""),
        };
        (!is_right).then(|| format!("could not convert '{text}' to {self:?} ({why})"))
    }
}

/// An optional option, whose value has the option's name in capitals in usage lines.
pub(super) const fn arg(spec: OptionSpec) -> Arg {
    Arg {
        spec,
        short: None,
        is_required: false,
        number: None,
        is_short_first: false,
        metavar: None,
        is_list: false,
        choices: &[],
        choice: Choice::Free,
    }
}

/// An option whose value has the same name in usage lines as in the option table.
pub(super) const fn worded(spec: OptionSpec) -> Arg {
    match spec.argument {
        Argument::Required(word) => arg(spec).metavar(word),
        _ => arg(spec),
    }
}

/// The option table of a tool without subcommands.
pub(super) const fn specs<const N: usize>(args: &[Arg; N]) -> [OptionSpec; N] {
    let mut specs = [args[0].spec; N];
    let mut place = 0;
    while place < N {
        specs[place] = args[place].spec;
        place += 1;
    }
    specs
}

impl Arg {
    pub(super) const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// As `short`, and usage lines show the short name.
    pub(super) const fn short_first(mut self, letter: char) -> Self {
        self.is_short_first = true;
        self.short(letter)
    }

    pub(super) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    pub(super) const fn integer(self) -> Self {
        self.number(Number::Integer)
    }

    pub(super) const fn number(mut self, number: Number) -> Self {
        self.number = Some(number);
        self
    }

    pub(super) const fn metavar(mut self, word: &'static str) -> Self {
        self.metavar = Some(word);
        self
    }

    /// Takes one or more values.
    pub(super) const fn list(mut self) -> Self {
        self.is_list = true;
        self
    }

    /// A whole number that is one of these.
    pub(super) const fn one_of(mut self, choices: &'static [i64]) -> Self {
        self.choices = choices;
        self.integer()
    }

    /// At most one of all options with this mark may be given.
    pub(super) const fn at_most_one(mut self) -> Self {
        self.choice = Choice::AtMostOne;
        self
    }

    /// Exactly one of all options with this mark must be given.
    pub(super) const fn exactly_one(mut self) -> Self {
        self.choice = Choice::ExactlyOne;
        self
    }

    /// What Java's parser says of a value that is not of the kind, or none of the choices.
    fn refusal(&self, value: &str) -> Option<String> {
        let refusal = self.number.and_then(|number| number.refusal(value));
        let number = value.parse::<i64>();
        let is_choice = self.choices.is_empty() || number.is_ok_and(|number| self.choices.contains(&number));
        refusal.or_else(|| {
            let choices: Vec<String> = self.choices.iter().map(ToString::to_string).collect();
            (!is_choice).then(|| {
                format!(
                    "invalid choice: '{value}' (choose from {{{}}})",
                    choices.join(",")
                )
            })
        })
    }

    /// `--bootstrap-server/-b`, as in error messages.
    fn spelled(&self) -> String {
        match self.short {
            Some(letter) => format!("--{}/-{letter}", self.spec.name),
            None => format!("--{}", self.spec.name),
        }
    }
}

/// A subcommand with its options.
#[derive(Clone, Copy, Debug)]
pub(super) struct SubCommand {
    pub name: &'static str,
    pub help: &'static str,
    pub args: &'static [Arg],
}

/// A subcommand.
pub(super) const fn command(name: &'static str, help: &'static str, args: &'static [Arg]) -> SubCommand {
    SubCommand { name, help, args }
}

/// A tool: options before the subcommand, and the subcommands. Options are in the order in which Java declares them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    /// The tool's name in its messages.
    pub name: &'static str,
    pub about: &'static str,
    pub args: &'static [Arg],
    /// Empty where the tool has only options.
    pub commands: &'static [SubCommand],
    /// The placeholder of the subcommands in usage lines.
    pub metavar: Option<&'static str>,
    /// Whether `--help` is treated as an error, with exit code 1.
    pub help_fails: bool,
}

impl Program {
    /// Prints the help text, for tools that print it for an empty command line.
    pub(super) fn print_help(&'static self) -> ExitCode {
        stdout_line(usage::Parser::of(self).help().trim_end())
    }

    /// Refuses a command line by a rule of the tool's own: usage lines and the message on stderr, exit code 1.
    pub(super) fn refuse(&'static self, message: &str) -> ExitCode {
        let usage = usage::Parser::of(self).usage();
        let message = message.to_owned();
        self.stopped(Stop::Refused { usage, message })
    }

    /// Ends a command line that is not executed: help on stdout; an error below usage lines on stderr, with code 1.
    pub(super) fn stopped(&self, stop: Stop) -> ExitCode {
        match stop {
            Stop::Help(text) => {
                let printed = stdout_line(text.trim_end());
                if self.help_fails {
                    ExitCode::FAILURE
                } else {
                    printed
                }
            }
            Stop::Refused { usage, message } => {
                stderr_line(usage);
                stderr_line(usage::justified(&format!("{}: error: {message}", self.name)));
                ExitCode::FAILURE
            }
        }
    }
}

/// Why a command line is not executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// `--help`: the text.
    Help(String),
    /// An error, with the usage lines of the parser that found it.
    Refused { usage: String, message: String },
}

/// The options of one command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Namespace {
    /// Empty where the tool has no subcommands.
    pub command: &'static str,
    values: Vec<(&'static str, Option<String>)>,
}

impl Namespace {
    /// The last value of an option.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).pop()
    }

    /// Every value of an option, in the order given.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let given = self.values.iter().filter(|(known, _)| *known == name);
        given.filter_map(|(_, value)| value.as_deref()).collect()
    }

    /// Whether the option is on the command line.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(known, _)| *known == name)
    }

    /// The last value of an option whose values are whole numbers.
    pub(super) fn long(&self, name: &str) -> Option<i64> {
        self.value(name)?.parse().ok()
    }

    /// The last value of an option whose values are numbers.
    pub(super) fn double(&self, name: &str) -> Option<f64> {
        double(self.value(name)?).ok()
    }
}
