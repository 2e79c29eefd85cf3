//! Words to options, in argparse4j's order of checks and with its error messages.

use std::iter::Peekable;
use std::slice::Iter;

use super::super::option_table::Argument;
use super::suggestion::nearest;
use super::usage::Parser;
use super::{Arg, Choice, Namespace, Program, Stop, SubCommand};

type Values = Vec<(&'static str, Option<String>)>;

/// Parses a command line without the program's name.
pub(in super::super) fn parse(program: &'static Program, words: &[String]) -> Result<Namespace, Stop> {
    let whole = Parser::of(program);
    let mut parser = whole;
    let mut values = Values::new();
    let mut words = words.iter().peekable();
    let mut are_flags_over = false;
    while let Some(word) = words.next() {
        if word == "--" && !are_flags_over {
            are_flags_over = true;
        } else if are_flags_over || !is_flag(word) {
            parser.command = Some(parser.subcommand(word, words.clone())?);
        } else if word == "--help" || (word.starts_with("-h") && parser.has_no_letter('h')) {
            return Err(Stop::Help(parser.help()));
        } else {
            parser.read(word, &mut words, &mut values)?;
        }
    }
    if parser.command.is_none() && !program.commands.is_empty() {
        return Err(parser.refused("too few arguments".to_owned()));
    }
    parser.check_required(&values)?;
    whole.check_required(&values)?;
    Ok(Namespace {
        command: parser.command.map_or("", |command| command.name),
        values,
    })
}

/// A dash begins an option, unless it begins a negative whole number.
fn is_flag(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else {
        return false;
    };
    !rest.is_empty() && !rest.bytes().all(|byte| byte.is_ascii_digit())
}

impl Parser {
    /// The subcommand named by a word without a dash. If there is none, all that follows is unrecognized, too.
    fn subcommand(&self, word: &str, rest: Peekable<Iter<String>>) -> Result<&'static SubCommand, Stop> {
        let commands = self.program.commands;
        if self.command.is_some() || commands.is_empty() {
            let words: Vec<String> = std::iter::once(word.to_owned()).chain(rest.cloned()).collect();
            return Err(self.refused(format!("unrecognized arguments: '{}'", words.join(" "))));
        }
        let found = commands.iter().find(|known| known.name == word);
        found.ok_or_else(|| {
            let names: Vec<String> = commands.iter().map(|known| format!("'{}'", known.name)).collect();
            let choices = names.join(", ");
            self.refused(format!("invalid choice: '{word}' (choose from {choices})"))
        })
    }

    /// Reads an option with its values.
    fn read(&self, word: &str, words: &mut Peekable<Iter<String>>, values: &mut Values) -> Result<(), Stop> {
        let (arg, inline) = self.find(word)?;
        let name = arg.spec.name;
        let mut given: Vec<String> = inline.into_iter().collect();
        if arg.spec.argument == Argument::None {
            if let Some(value) = given.pop() {
                let message = format!("argument {}: ignore implicit argument '{value}'", arg.spelled());
                return Err(self.refused(message));
            }
        } else if given.is_empty() {
            while let Some(value) = words.next_if(|next| !is_flag(next)) {
                given.push(value.clone());
                if !arg.is_list {
                    break;
                }
            }
            if given.is_empty() {
                let wanted = if arg.is_list {
                    "1 argument(s)"
                } else {
                    "one argument"
                };
                return Err(self.refused(format!("argument {}: expected {wanted}", arg.spelled())));
            }
        }
        for value in &given {
            self.check_number(arg, value)?;
        }
        self.check_alone(arg, values)?;
        if arg.is_list {
            values.retain(|(known, _)| *known != name);
        }
        if given.is_empty() {
            values.push((name, None));
        }
        values.extend(given.into_iter().map(|value| (name, Some(value))));
        Ok(())
    }

    /// The option named by a word, and the value after its equals sign.
    fn find(&self, word: &str) -> Result<(&'static Arg, Option<String>), Stop> {
        let unknown = || {
            let suggestion = self.suggestion(word);
            self.refused(format!("unrecognized arguments: '{word}'{suggestion}"))
        };
        let Some(long) = word.strip_prefix("--") else {
            return self.find_letter(word).ok_or_else(unknown);
        };
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        if let Some(arg) = self.args().iter().find(|arg| arg.spec.name == name) {
            return Ok((arg, value));
        }
        let begins = |arg: &&Arg| !name.is_empty() && arg.spec.name.starts_with(name);
        let candidates: Vec<&Arg> = self.args().iter().filter(begins).collect();
        match candidates.as_slice() {
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

    /// The option with this short name, and the value that follows it without a blank.
    fn find_letter(&self, word: &str) -> Option<(&'static Arg, Option<String>)> {
        let mut letters = word.trim_start_matches('-').chars();
        let letter = letters.next()?;
        let arg = self.args().iter().find(|arg| arg.short == Some(letter))?;
        let rest = letters.as_str();
        let value = rest.strip_prefix('=').unwrap_or(rest);
        Some((arg, Some(value.to_owned()).filter(|value| !value.is_empty())))
    }

    /// Whether a short name is help's, whatever follows it.
    fn has_no_letter(&self, letter: char) -> bool {
        self.args().iter().all(|arg| arg.short != Some(letter))
    }

    /// The suffix of the error message with similar options.
    fn suggestion(&self, word: &str) -> String {
        let typed = word.trim_start_matches('-').split('=').next().unwrap_or_default();
        let names = self.args().iter().map(|arg| arg.spec.name).chain(["help"]);
        let lines: Vec<String> = nearest(typed, names)
            .iter()
            .map(|name| format!("\n\t--{name}"))
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!("\n\nDid you mean:{}", lines.concat())
    }

    fn check_number(&self, arg: &Arg, value: &str) -> Result<(), Stop> {
        match arg.refusal(value) {
            Some(refusal) => Err(self.refused(format!("argument {}: {refusal}", arg.spelled()))),
            None => Ok(()),
        }
    }

    /// Refuses an option that an earlier one excludes.
    fn check_alone(&self, arg: &Arg, before: &Values) -> Result<(), Stop> {
        let name = arg.spec.name;
        let excludes =
            |other: &&Arg| other.choice != Choice::Free && other.spec.name != name && is_given(other, before);
        let other = self
            .args()
            .iter()
            .find(excludes)
            .filter(|_| arg.choice != Choice::Free);
        match other {
            Some(other) => {
                let (arg, other) = (arg.spelled(), other.spelled());
                Err(self.refused(format!("argument {arg}: not allowed with argument {other}")))
            }
            None => Ok(()),
        }
    }

    /// Refuses a command line without a required option.
    fn check_required(&self, values: &Values) -> Result<(), Stop> {
        let is_missing = |arg: &&Arg| arg.is_required && !is_given(arg, values);
        // argparse4j names the last missing one.
        if let Some(arg) = self.args().iter().rfind(is_missing) {
            return Err(self.refused(format!("argument {} is required", arg.spelled())));
        }
        let choices: Vec<&Arg> = self.one_of().collect();
        if !choices.is_empty() && !choices.iter().any(|arg| is_given(arg, values)) {
            let names: Vec<String> = choices.iter().map(|arg| arg.spelled()).collect();
            return Err(self.refused(format!("one of the arguments {} is required", names.join(" "))));
        }
        Ok(())
    }

    fn refused(&self, message: String) -> Stop {
        Stop::Refused {
            usage: self.usage(),
            message,
        }
    }
}

fn is_given(arg: &Arg, values: &Values) -> bool {
    values.iter().any(|(name, _)| *name == arg.spec.name)
}

#[cfg(test)]
mod tests {
    use super::super::super::option_table::{flag, value};
    use super::super::{Number, arg, worded};
    use super::*;

    const PROGRAM: Program = Program {
        name: "example",
        about: "An example.",
        args: &[
            worded(value("topic", "TOPIC", "A topic.")).required(),
            arg(value("count", "N", "How many.")).number(Number::Integer),
            worded(value("props", "NAME=VALUE", "Settings.")).list(),
            arg(flag("plain", "Plainly.")).exactly_one(),
            arg(flag("fancy", "Fancily.")).exactly_one(),
        ],
        commands: &[],
        metavar: None,
        help_fails: true,
    };

    fn read(words: &[&str]) -> Result<Namespace, Stop> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        parse(&PROGRAM, &words)
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
        for (words, expected) in [
            (&["--nonsense"][..], "unrecognized arguments: '--nonsense'"),
            (&["stray"], "unrecognized arguments: 'stray'"),
            (&["--topic"], "argument --topic: expected one argument"),
            (
                &["--props", "--plain"],
                "argument --props: expected 1 argument(s)",
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
            let Stop::Refused { message, .. } = read(words).unwrap_err() else {
                panic!("{words:?} is answered with help");
            };
            assert_eq!(message, expected, "{words:?}");
        }
        assert!(matches!(read(&["--help"]), Err(Stop::Help(_))));
    }

    #[test]
    fn negative_numbers_are_values() {
        for (word, flag) in [
            ("-5", false),
            ("-0.5", true),
            ("-b", true),
            ("--id", true),
            ("-", false),
            ("x", false),
        ] {
            assert_eq!(is_flag(word), flag, "{word}");
        }
    }
}
