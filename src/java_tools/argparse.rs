//! The option rules of those of Apache Kafka's tools that use the library argparse4j, driven by a table: subcommands, options
//! that exclude each other, unique abbreviations of long options, `-b VALUE` and `--long=VALUE`.
//!
//! Owns how words become options, usage lines and complaints in argparse4j's words and layout. Owns no tool's own rules.

use super::option_table::{Argument, OptionSpec};
use crate::spelling::closest;

/// Columns of usage lines and complaints.
const WIDTH: usize = 75;

/// One option of a parser: what it is called, what follows it, and how it goes together with others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arg {
    pub spec: OptionSpec,
    /// One letter, where there is one.
    pub short: Option<char>,
    pub is_required: bool,
    /// What kind of number the value is, checked at once; `None` is any text.
    pub number: Option<Number>,
    /// Whether usage lines have the letter rather than the name.
    pub is_short_first: bool,
    /// Its value's name in usage lines; that of the option in capitals where there is none.
    pub metavar: Option<&'static str>,
    /// Of the options with the same number only one may be given.
    pub group: Option<u8>,
}

/// Java's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Short,
    Integer,
    Long,
}

impl Number {
    /// What Java's parser says of a text that is no such number.
    fn refusal(self, text: &str) -> Option<String> {
        let (is_right, class) = match self {
            Self::Short => (text.parse::<i16>().is_ok(), "Short"),
            Self::Integer => (text.parse::<i32>().is_ok(), "Integer"),
            Self::Long => (text.parse::<i64>().is_ok(), "Long"),
        };
        let why = if self == Self::Short && text.parse::<i32>().is_ok() {
            format!("Value out of range. Value:\"{text}\" Radix:10")
        } else {
            format!("For input string: \"{text}\"")
        };
        (!is_right).then(|| format!("could not convert '{text}' to {class} ({why})"))
    }
}

/// An option that may be left out.
pub(super) const fn arg(spec: OptionSpec) -> Arg {
    Arg {
        spec,
        short: None,
        is_required: false,
        number: None,
        is_short_first: false,
        metavar: None,
        group: None,
    }
}

impl Arg {
    pub(super) const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// As `short`, and usage lines have the letter.
    pub(super) const fn short_first(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self.is_short_first = true;
        self
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

    pub(super) const fn group(mut self, number: u8) -> Self {
        self.group = Some(number);
        self
    }

    /// `--bootstrap-server/-b`, as complaints name it.
    fn spelled(&self) -> String {
        match self.short {
            Some(letter) => format!("--{}/-{letter}", self.spec.name),
            None => format!("--{}", self.spec.name),
        }
    }

    /// `--bootstrap-server BOOTSTRAP_SERVER`.
    fn with_value(&self) -> String {
        let name = match self.short.filter(|_| self.is_short_first) {
            Some(letter) => format!("-{letter}"),
            None => format!("--{}", self.spec.name),
        };
        match self.spec.argument {
            Argument::None => name,
            _ => format!("{name} {}", self.value_word()),
        }
    }

    fn value_word(&self) -> String {
        let given = self.metavar.map(str::to_owned);
        given.unwrap_or_else(|| metavar(self.spec.name))
    }
}

fn metavar(name: &str) -> String {
    name.replace('-', "_").to_uppercase()
}

/// A subcommand with its options.
#[derive(Clone, Copy, Debug)]
pub(super) struct SubCommand {
    pub name: &'static str,
    pub help: &'static str,
    pub args: &'static [Arg],
    /// Whether one of the options that exclude each other must be given.
    pub wants_one_of_group: bool,
}

/// A tool: options before the subcommand, and the subcommands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub name: &'static str,
    pub about: &'static str,
    pub args: &'static [Arg],
    pub commands: &'static [SubCommand],
}

/// Why a command line is not carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// `--help`: the text.
    Help(String),
    /// A complaint, and the usage lines of the parser that has it.
    Refused { usage: String, message: String },
}

/// The options of one command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Namespace {
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
}

/// One of the two parsers of a command line: the program's, or a subcommand's.
#[derive(Clone, Copy)]
struct Parser<'a> {
    program: &'a Program,
    command: Option<&'a SubCommand>,
    /// What stands for the names of the subcommands in usage lines.
    metavar: Option<&'static str>,
}

/// Reads a command line without the program's name.
pub(super) fn parse(program: &Program, words: &[String]) -> Result<Namespace, Stop> {
    parse_with(program, None, words)
}

/// The same where usage lines have a word in the place of the names of the subcommands.
pub(super) fn parse_with(
    program: &Program,
    metavar: Option<&'static str>,
    words: &[String],
) -> Result<Namespace, Stop> {
    let whole = Parser {
        program,
        command: None,
        metavar,
    };
    let mut parser = whole;
    let mut values: Vec<(&'static str, Option<String>)> = Vec::new();
    let mut words = words.iter().map(String::as_str).peekable();
    let mut command = None;
    while let Some(word) = words.next() {
        if !is_flag(word) {
            if parser.command.is_some() {
                return Err(parser.refused(format!("unrecognized arguments: '{word}'")));
            }
            let found = program.commands.iter().find(|known| known.name == word);
            let Some(found) = found else {
                let names: Vec<String> = program
                    .commands
                    .iter()
                    .map(|known| format!("'{}'", known.name))
                    .collect();
                let message = format!("invalid choice: '{word}' (choose from {})", names.join(", "));
                return Err(parser.refused(message));
            };
            command = Some(found);
            parser.command = command;
            continue;
        }
        if word == "-h" || word == "--help" {
            return Err(Stop::Help(parser.help()));
        }
        let (arg, inline) = parser.find(word)?;
        let value = match arg.spec.argument {
            Argument::None => None,
            _ => match inline.or_else(|| words.next_if(|next| !is_flag(next)).map(str::to_owned)) {
                Some(value) => Some(value),
                None => {
                    return Err(parser.refused(format!("argument {}: expected one argument", arg.spelled())));
                }
            },
        };
        parser.check(arg, value.as_deref(), &values)?;
        values.push((arg.spec.name, value));
    }
    let Some(command) = command else {
        return Err(parser.refused("too few arguments".to_owned()));
    };
    parser.check_required(&values)?;
    whole.check_required(&values)?;
    Ok(Namespace {
        command: program
            .commands
            .iter()
            .find(|known| known.name == command.name)
            .map_or("", |known| known.name),
        values,
    })
}

/// A dash begins an option, unless it begins a negative number.
fn is_flag(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else {
        return false;
    };
    !rest.is_empty() && !rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

impl<'a> Parser<'a> {
    fn args(&self) -> &'a [Arg] {
        self.command.map_or(self.program.args, |command| command.args)
    }

    /// The option that a word names, and the value behind its equals sign.
    fn find(&self, word: &str) -> Result<(&'a Arg, Option<String>), Stop> {
        let unknown = || {
            self.refused(format!(
                "unrecognized arguments: '{word}'{}",
                self.suggestion(word)
            ))
        };
        let Some(long) = word.strip_prefix("--") else {
            let mut letters = word.trim_start_matches('-').chars();
            let letter = letters.next();
            let found = self
                .args()
                .iter()
                .find(|arg| arg.short.is_some() && arg.short == letter);
            let rest = letters.as_str();
            let rest = rest.strip_prefix('=').unwrap_or(rest);
            let value = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
            return found.map(|arg| (arg, value)).ok_or_else(unknown);
        };
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        if let Some(arg) = self.args().iter().find(|arg| arg.spec.name == name) {
            return Ok((arg, value));
        }
        let begins: Vec<&Arg> = self
            .args()
            .iter()
            .filter(|arg| arg.spec.name.starts_with(name))
            .collect();
        match begins.as_slice() {
            [] => Err(unknown()),
            [arg] => Ok((arg, value)),
            several => {
                let mut names: Vec<String> =
                    several.iter().map(|arg| format!("--{}", arg.spec.name)).collect();
                names.sort_unstable();
                let message = format!("ambiguous option: --{name} could match {}", names.join(", "));
                Err(self.refused(message))
            }
        }
    }

    /// The option that was perhaps meant.
    fn suggestion(&self, word: &str) -> String {
        let wanted = word.trim_start_matches('-');
        let meant = closest(wanted, self.args().iter().map(|arg| arg.spec.name));
        meant.map_or(String::new(), |name| format!("\n\nDid you mean:\n\t--{name}"))
    }

    /// What is wrong with an option as soon as it is read.
    fn check(
        &self,
        arg: &Arg,
        value: Option<&str>,
        before: &[(&'static str, Option<String>)],
    ) -> Result<(), Stop> {
        let refusal = arg
            .number
            .zip(value)
            .and_then(|(number, text)| number.refusal(text));
        if let Some(refusal) = refusal {
            return Err(self.refused(format!("argument {}: {refusal}", arg.spelled())));
        }
        let other = arg.group.and_then(|group| {
            let mut others = self.args().iter();
            others.find(|other| {
                other.group == Some(group)
                    && other.spec.name != arg.spec.name
                    && before.iter().any(|(name, _)| *name == other.spec.name)
            })
        });
        match other {
            Some(other) => Err(self.refused(format!(
                "argument {}: not allowed with argument {}",
                arg.spelled(),
                other.spelled()
            ))),
            None => Ok(()),
        }
    }

    /// What is missing at the end.
    fn check_required(&self, values: &[(&'static str, Option<String>)]) -> Result<(), Stop> {
        let is_given = |arg: &&Arg| values.iter().any(|(name, _)| *name == arg.spec.name);
        let is_needed = |arg: &&Arg| arg.is_required && arg.group.is_none();
        let mut missing = self.args().iter().filter(|arg| is_needed(arg) && !is_given(arg));
        // Of several, argparse4j names the last.
        if let Some(arg) = missing.next_back() {
            return Err(self.refused(format!("argument {} is required", arg.spelled())));
        }
        let grouped: Vec<&Arg> = self.args().iter().filter(|arg| arg.group.is_some()).collect();
        if self.wants_one_of_group() && !grouped.iter().any(is_given) {
            let names: Vec<String> = grouped.iter().map(|arg| arg.spelled()).collect();
            return Err(self.refused(format!("one of the arguments {} is required", names.join(" "))));
        }
        Ok(())
    }

    /// Whether one of the options that exclude each other must be given; of a program's own, where they are required.
    fn wants_one_of_group(&self) -> bool {
        if let Some(command) = self.command {
            return command.wants_one_of_group;
        }
        let mut grouped = self.args().iter().filter(|arg| arg.group.is_some());
        grouped.any(|arg| arg.is_required)
    }

    fn refused(&self, message: String) -> Stop {
        Stop::Refused {
            usage: self.usage(),
            message,
        }
    }

    /// `usage: kafka-cluster [-h] …`, without a line end after it.
    fn usage(&self) -> String {
        let mut pieces = Vec::new();
        if let Some(command) = self.command {
            // What must stand before the subcommand, then its name.
            let whole = Parser {
                command: None,
                ..*self
            };
            pieces.extend(whole.options(|arg| arg.is_required));
            pieces.push(command.name.to_owned());
        }
        pieces.push("[-h]".to_owned());
        pieces.extend(self.options(|_| true));
        if self.command.is_none() {
            let word = self.metavar.map(str::to_owned);
            pieces.push(word.unwrap_or_else(|| self.choices()));
            pieces.push("...".to_owned());
        }
        let indent = "usage: ".len() + self.program.name.len() + 1;
        let mut line = format!("usage: {}", self.program.name);
        let mut lines = Vec::new();
        for piece in pieces {
            if line.len() + 1 + piece.len() > WIDTH {
                lines.push(line);
                line = format!("{:indent$}{piece}", "");
            } else {
                line = format!("{line} {piece}");
            }
        }
        lines.push(line);
        lines.join("\n")
    }

    /// The options that `is_shown` chooses as usage lines have them: those in no group first.
    fn options(&self, is_shown: impl Fn(&Arg) -> bool) -> Vec<String> {
        let mut pieces = Vec::new();
        let shown: Vec<&Arg> = self.args().iter().filter(|arg| is_shown(arg)).collect();
        for arg in shown.iter().filter(|arg| arg.group.is_none()) {
            let text = arg.with_value();
            pieces.push(if arg.is_required {
                text
            } else {
                format!("[{text}]")
            });
        }
        let grouped: Vec<&&Arg> = shown.iter().filter(|arg| arg.group.is_some()).collect();
        let (open, close) = if self.wants_one_of_group() {
            ("(", ")")
        } else {
            ("[", "]")
        };
        let last = grouped.len().saturating_sub(1);
        for (place, arg) in grouped.iter().enumerate() {
            let open = if place == 0 { open } else { "" };
            let after = if place == last { close } else { " |" };
            pieces.push(format!("{open}{}{after}", arg.with_value()));
        }
        pieces
    }

    fn choices(&self) -> String {
        let names: Vec<&str> = self.program.commands.iter().map(|command| command.name).collect();
        format!("{{{}}}", names.join(","))
    }

    fn help(&self) -> String {
        let mut text = format!("{}\n\n", self.usage());
        if self.command.is_none() {
            text = format!(
                "{text}{}\n\npositional arguments:\n  {}\n",
                self.program.about,
                self.choices()
            );
            for command in self.program.commands {
                text.push_str(&entry(&format!("  {}", command.name), command.help));
            }
            text.push('\n');
        }
        text.push_str("optional arguments:\n");
        text.push_str(&entry("-h, --help", "show this text and end"));
        for arg in self.args() {
            let title = match arg.short {
                Some(letter) => format!("{}, -{letter} {}", arg.with_value(), arg.value_word()),
                None => arg.with_value(),
            };
            text.push_str(&entry(&title, arg.spec.help));
        }
        text
    }
}

/// A name and what it is, in two columns.
fn entry(title: &str, help: &str) -> String {
    const COLUMN: usize = 25;
    let mut text = format!("  {title}");
    let mut width = text.len();
    if width + 1 > COLUMN - 1 {
        text.push('\n');
        width = 0;
    }
    text.push_str(&" ".repeat(COLUMN - width));
    let mut column = COLUMN;
    for (place, word) in help.split_whitespace().enumerate() {
        if place > 0 && column + 1 + word.len() > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(COLUMN));
            column = COLUMN;
        } else if place > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
    text
}

/// A complaint in lines of 75 columns with even edges, as argparse4j sets them: lines break after blanks and hyphens. What
/// stands below its first line stays as it is.
pub(super) fn justified(text: &str) -> String {
    if let Some((first, rest)) = text.split_once('\n') {
        return format!("{}\n{rest}", justified(first));
    }
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let pieces = pieces(text);
    let last = pieces.len().saturating_sub(1);
    for (place, piece) in pieces.into_iter().enumerate() {
        // The line end behind the last word takes a column, too.
        let width = piece.chars().count() + usize::from(place == last);
        if line.chars().count() + width > WIDTH && !line.is_empty() {
            lines.push(spread(&line));
            line.clear();
        }
        line.push_str(piece);
    }
    lines.push(line);
    lines.join("\n")
}

/// The text cut where a line may end.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((_, letter)) = letters.next() {
        let Some((next_place, next)) = letters.peek().copied() else {
            break;
        };
        let breaks = match letter {
            ' ' => next != ' ',
            '-' => next.is_alphabetic(),
            _ => false,
        };
        if breaks {
            pieces.extend(text.get(start..next_place));
            start = next_place;
        }
    }
    pieces.extend(text.get(start..));
    pieces
}

/// A line filled up to the width: every gap gets as many blanks more, those in the middle one more than the others.
fn spread(line: &str) -> String {
    let line = line.trim_matches(' ');
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let gaps = words.len().saturating_sub(1);
    let lacking = WIDTH.saturating_sub(line.chars().count());
    let (Some(each), Some(rest)) = (lacking.checked_div(gaps), lacking.checked_rem(gaps)) else {
        return line.to_owned();
    };
    let first = (gaps - rest).div_ceil(2);
    let mut text = String::new();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            let gap = place - 1;
            let more = usize::from((first..first + rest).contains(&gap));
            text.push_str(&" ".repeat(1 + each + more));
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `kafka-cluster` of Apache Kafka 4.3.1 printed them.
    #[test]
    fn complaints_are_set_as_argparse4j_sets_them() {
        for (text, lines) in [
            (
                "kafka-cluster: error: invalid choice: 'nonsense' (choose from 'cluster-id', 'unregister', 'list-endpoints')",
                "kafka-cluster: error: invalid  choice:  'nonsense'  (choose  from 'cluster-\n\
                 id', 'unregister', 'list-endpoints')",
            ),
            (
                "kafka-cluster: error: one of the arguments --bootstrap-server/-b --bootstrap-controller/-C is required",
                "kafka-cluster:  error:  one  of   the  arguments  --bootstrap-server/-b  --\n\
                 bootstrap-controller/-C is required",
            ),
            (
                "kafka-cluster: error: argument --bootstrap-server/-b: expected one argument",
                "kafka-cluster:  error:   argument   --bootstrap-server/-b:   expected   one\nargument",
            ),
            (
                "kafka-cluster: error: too few arguments",
                "kafka-cluster: error: too few arguments",
            ),
        ] {
            assert_eq!(justified(text), lines);
        }
    }

    #[test]
    fn negative_numbers_are_values() {
        for (word, flag) in [
            ("-5", false),
            ("-b", true),
            ("--id", true),
            ("-", false),
            ("x", false),
        ] {
            assert_eq!(is_flag(word), flag, "{word}");
        }
    }
}
