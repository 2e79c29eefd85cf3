//! The option rules of those of Apache Kafka's tools that use the library argparse4j, driven by a table.
//!
//! Owns how words become options (`--name value`, `--name=value`, unambiguous beginnings of names, one or more values),
//! the numbers they must be, and the usage text. Owns no tool's own rules.

use std::fmt::Write;
use std::process::ExitCode;

use super::argparse::justified;
use super::option_table::{Argument, OptionSpec, Tool};
use super::usage::wrapped;
use crate::output::{stderr_line, stdout_line};

/// Columns of a help text.
const WIDTH: usize = 75;
/// No usage begins beside a longer name.
const LONGEST_NAME_BESIDE_USAGE: usize = 22;
/// Where the descriptions begin.
const HELP_COLUMN: usize = 25;

/// What the values of an option are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Integer,
    Long,
    Double,
}

impl Number {
    fn takes(self, text: &str) -> bool {
        match self {
            Self::Integer => text.parse::<i32>().is_ok(),
            Self::Long => text.parse::<i64>().is_ok(),
            Self::Double => text.trim().parse::<f64>().is_ok(),
        }
    }
}

/// The rules of a tool's command line.
#[derive(Debug)]
pub struct Grammar {
    pub tool: &'static Tool,
    /// What the tool calls itself.
    pub program: &'static str,
    pub about: &'static str,
    /// In the order in which Java misses them, which is that of a hash set.
    pub required: &'static [&'static str],
    /// Of these exactly one must be there.
    pub one_of: &'static [&'static str],
    pub numbers: &'static [(&'static str, Number)],
}

/// The options of one command line.
#[derive(Clone, Debug)]
pub struct Arguments {
    found: Vec<(&'static str, Vec<String>)>,
}

/// Why a command line is not carried out.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `--help`.
    Help,
    /// What is wrong with it.
    Wrong(String),
}

impl Grammar {
    /// Reads a command line (without the program's name).
    pub fn parse(&self, args: &[String]) -> Result<Arguments, Refusal> {
        let mut arguments = Arguments { found: Vec::new() };
        let mut words = args.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            if matches!(word, "-h" | "--help") {
                return Err(Refusal::Help);
            }
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) if word.starts_with('-') => (name, Some(value)),
                _ => (word, None),
            };
            let spec = self.named(name, word)?;
            let mut values: Vec<String> = inline.map(str::to_owned).into_iter().collect();
            if spec.argument != Argument::None && values.is_empty() {
                let is_value = |next: &&str| !looks_like_a_flag(next);
                values.extend(words.next_if(is_value).map(str::to_owned));
                while spec.repeats
                    && !values.is_empty()
                    && let Some(value) = words.next_if(is_value)
                {
                    values.push(value.to_owned());
                }
                if values.is_empty() {
                    let wanted = if spec.repeats {
                        "at least one argument"
                    } else {
                        "one argument"
                    };
                    return Err(wrong(spec.name, &format!("expected {wanted}")));
                }
            }
            self.check_alone(spec.name, &arguments)?;
            self.check_number(spec.name, &values)?;
            arguments.found.retain(|(known, _)| *known != spec.name);
            arguments.found.push((spec.name, values));
        }
        self.check_complete(&arguments)?;
        Ok(arguments)
    }

    /// The option of this name, or the only one that begins so.
    fn named(&self, name: &str, word: &str) -> Result<&'static OptionSpec, Refusal> {
        let unknown = || Refusal::Wrong(format!("unrecognized arguments: '{word}'"));
        let name = name
            .strip_prefix("--")
            .filter(|name| !name.is_empty())
            .ok_or_else(unknown)?;
        let options = self.tool.options;
        if let Some(spec) = options.iter().find(|spec| spec.name == name) {
            return Ok(spec);
        }
        let begin: Vec<&OptionSpec> = options
            .iter()
            .filter(|spec| spec.name.starts_with(name))
            .collect();
        match begin[..] {
            [] => Err(unknown()),
            [only] => Ok(only),
            _ => {
                let names: Vec<String> = begin.iter().map(|spec| format!("--{}", spec.name)).collect();
                Err(Refusal::Wrong(format!(
                    "ambiguous option: --{name} could match {}",
                    names.join(", ")
                )))
            }
        }
    }

    fn check_alone(&self, name: &str, before: &Arguments) -> Result<(), Refusal> {
        let other = self
            .one_of
            .iter()
            .find(|other| **other != name && before.has(other));
        match other {
            Some(other) if self.one_of.contains(&name) => {
                Err(wrong(name, &format!("not allowed with argument --{other}")))
            }
            _ => Ok(()),
        }
    }

    fn check_number(&self, name: &str, values: &[String]) -> Result<(), Refusal> {
        let Some((_, number)) = self.numbers.iter().find(|(known, _)| *known == name) else {
            return Ok(());
        };
        match values.iter().find(|value| !number.takes(value)) {
            Some(value) => Err(wrong(
                name,
                &format!("could not convert '{value}' to {number:?} (For input string: \"{value}\")"),
            )),
            None => Ok(()),
        }
    }

    fn check_complete(&self, arguments: &Arguments) -> Result<(), Refusal> {
        if let Some(name) = self.required.iter().find(|name| !arguments.has(name)) {
            return Err(Refusal::Wrong(format!("argument --{name} is required")));
        }
        if self.one_of.is_empty() || self.one_of.iter().any(|name| arguments.has(name)) {
            return Ok(());
        }
        let names: Vec<String> = self.one_of.iter().map(|name| format!("--{name}")).collect();
        Err(Refusal::Wrong(format!(
            "one of the arguments {} is required",
            names.join(" ")
        )))
    }

    /// The command line in short: what may be left out stands in brackets.
    fn usage(&self) -> String {
        let mut parts = vec!["[-h]".to_owned()];
        let shown = self.tool.options.iter().filter(|spec| spec.is_shown());
        for spec in shown.filter(|spec| !self.one_of.contains(&spec.name)) {
            let spelling = spelling(spec);
            parts.push(if self.required.contains(&spec.name) {
                spelling
            } else {
                format!("[{spelling}]")
            });
        }
        let choices = self
            .tool
            .options
            .iter()
            .filter(|spec| self.one_of.contains(&spec.name));
        let choices: Vec<String> = choices.map(spelling).collect();
        let count = choices.len();
        for (place, choice) in choices.iter().enumerate() {
            let opening = if place == 0 && count > 1 { "(" } else { "" };
            let closing = match (count, place + 1 == count) {
                (1, _) => "",
                (_, true) => ")",
                (_, false) => " |",
            };
            parts.push(format!("{opening}{choice}{closing}"));
        }
        let mut lines = vec![format!("usage: {}", self.program)];
        let indent = if self.program.len() > LONGEST_NAME_BESIDE_USAGE {
            lines.push(" ".repeat("usage:".len()));
            "usage: ".len()
        } else {
            "usage: ".len() + self.program.len() + 1
        };
        for part in parts {
            match lines.last_mut() {
                Some(line) if line.len() + 1 + part.len() <= WIDTH => {
                    line.push(' ');
                    line.push_str(&part);
                }
                _ => lines.push(format!("{:indent$}{part}", "")),
            }
        }
        lines.join("\n")
    }

    /// Answers a command line that is not carried out: help on stdout, what is wrong on stderr. Exit code 1 for both.
    pub fn refuse(&self, refusal: &Refusal) -> ExitCode {
        match refusal {
            Refusal::Help => {
                self.help();
            }
            Refusal::Wrong(message) => {
                stderr_line(self.usage());
                stderr_line(justified(&format!("{}: error: {message}", self.program)));
            }
        }
        ExitCode::FAILURE
    }

    /// Prints the help text.
    pub fn help(&self) -> ExitCode {
        let mut text = format!("{}\n\n{}\n", self.usage(), wrapped(self.about, WIDTH).join("\n"));
        text.push_str("\noptional arguments:\n");
        let width = HELP_COLUMN - 2;
        let _ = writeln!(text, "  {:width$}show this help", "-h, --help");
        for spec in self.tool.options.iter().filter(|spec| spec.is_shown()) {
            let left = spelling(spec);
            let mut lines = wrapped(spec.help, WIDTH - HELP_COLUMN).into_iter();
            if left.len() + 4 > HELP_COLUMN {
                let _ = writeln!(text, "  {left}");
            } else {
                let (width, first) = (HELP_COLUMN - 2, lines.next().unwrap_or_default());
                let _ = writeln!(text, "  {left:width$}{first}");
            }
            for line in lines {
                let _ = writeln!(text, "{:HELP_COLUMN$}{line}", "");
            }
        }
        stdout_line(text.trim_end())
    }
}

impl Arguments {
    pub fn has(&self, name: &str) -> bool {
        self.found.iter().any(|(known, _)| *known == name)
    }

    /// Every value of an option.
    pub fn values(&self, name: &str) -> &[String] {
        let found = self.found.iter().find(|(known, _)| *known == name);
        found.map_or(&[], |(_, values)| values)
    }

    /// The value of an option.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).first().map(String::as_str)
    }

    /// The value of an option whose values are whole numbers.
    pub fn long(&self, name: &str) -> Option<i64> {
        self.value(name)?.parse().ok()
    }

    /// The value of an option whose values are numbers.
    pub fn double(&self, name: &str) -> Option<f64> {
        self.value(name)?.trim().parse().ok()
    }
}

/// A word that begins an option; negative numbers do not.
fn looks_like_a_flag(word: &str) -> bool {
    word.starts_with('-') && word.len() > 1 && word.parse::<f64>().is_err()
}

fn wrong(name: &str, what: &str) -> Refusal {
    Refusal::Wrong(format!("argument --{name}: {what}"))
}

fn spelling(spec: &OptionSpec) -> String {
    match spec.argument {
        Argument::None => format!("--{}", spec.name),
        Argument::Required(word) if spec.repeats => format!("--{} {word} [{word} ...]", spec.name),
        Argument::Required(word) | Argument::Optional(word) | Argument::OptionalNumber(word) => {
            format!("--{} {word}", spec.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::java_tools::option_table::{flag, value};

    const TOOL: Tool = Tool {
        name: "kafka-example",
        options: &[
            value("topic", "TOPIC", "A topic."),
            value("count", "COUNT", "How many."),
            value("props", "NAME=VALUE", "Settings.").repeats(),
            flag("plain", "Plainly."),
            flag("fancy", "Fancily."),
        ],
    };
    const GRAMMAR: Grammar = Grammar {
        tool: &TOOL,
        program: "example",
        about: "An example.",
        required: &["topic"],
        one_of: &["plain", "fancy"],
        numbers: &[("count", Number::Integer)],
    };

    fn read(words: &[&str]) -> Result<Arguments, Refusal> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        GRAMMAR.parse(&words)
    }

    #[test]
    fn names_may_be_cut_short_and_lists_end_at_the_next_option() {
        let read = read(&["--top", "t", "--props", "a=1", "b=2", "--plain", "--count=-3"]).unwrap();
        assert_eq!(read.value("topic"), Some("t"));
        assert_eq!(read.values("props"), ["a=1", "b=2"]);
        assert_eq!(read.long("count"), Some(-3));
        assert!(read.has("plain") && !read.has("fancy"));
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_the_library() {
        for (words, message) in [
            (&["--nonsense"][..], "unrecognized arguments: '--nonsense'"),
            (&["stray"], "unrecognized arguments: 'stray'"),
            (&["--topic"], "argument --topic: expected one argument"),
            (
                &["--props", "--plain"],
                "argument --props: expected at least one argument",
            ),
            (&["--plain"], "argument --topic is required"),
            (
                &["--topic", "t"],
                "one of the arguments --plain --fancy is required",
            ),
            (
                &["--plain", "--fancy"],
                "argument --fancy: not allowed with argument --plain",
            ),
            (
                &["--count", "x"],
                "argument --count: could not convert 'x' to Integer (For input string: \"x\")",
            ),
        ] {
            let refusal = read(words).unwrap_err();
            assert_eq!(refusal, Refusal::Wrong(message.to_owned()), "{words:?}");
        }
        assert_eq!(read(&["--help"]).unwrap_err(), Refusal::Help);
    }

    #[test]
    fn the_usage_shows_what_may_be_left_out() {
        assert_eq!(
            GRAMMAR.usage(),
            "usage: example [-h] --topic TOPIC [--count COUNT]\n               \
             [--props NAME=VALUE [NAME=VALUE ...]] [--plain | --fancy]"
                .replace("[--plain | --fancy]", "(--plain | --fancy)")
        );
    }
}
