//! The layout of argparse4j: usage lines, help texts, and justified error messages.

use super::super::option_table::Argument;
use super::{Arg, Choice, Program, SubCommand};

/// The columns of usage lines and error messages.
const WIDTH: usize = 75;
/// Beside a longer name no help text begins on the same line.
const LONGEST_NAME_BESIDE_USAGE: usize = 22;

/// One of the two parsers of a command line: the program's, or a subcommand's.
#[derive(Clone, Copy)]
pub(super) struct Parser {
    pub program: &'static Program,
    pub command: Option<&'static SubCommand>,
}

impl Parser {
    /// The parser of the options before a subcommand.
    pub(super) fn of(program: &'static Program) -> Self {
        Self {
            program,
            command: None,
        }
    }

    pub(super) fn args(&self) -> &'static [Arg] {
        self.command.map_or(self.program.args, |command| command.args)
    }

    /// The options of which one must be given.
    pub(super) fn one_of(&self) -> impl Iterator<Item = &'static Arg> {
        let args = self.args().iter();
        args.filter(|arg| arg.choice == Choice::ExactlyOne)
    }

    /// `usage: kafka-cluster [-h] …`, without a line end after it.
    pub(super) fn usage(&self) -> String {
        let mut lines = vec![format!("usage: {}", self.program.name)];
        let mut indent = "usage: ".len();
        if self.program.name.len() > LONGEST_NAME_BESIDE_USAGE {
            lines.push(" ".repeat(indent - 1));
        } else {
            indent += self.program.name.len() + 1;
        }
        for piece in self.pieces() {
            match lines.last_mut() {
                Some(line) if line.len() + 1 + piece.len() <= WIDTH => {
                    line.push(' ');
                    line.push_str(&piece);
                }
                _ => lines.push(format!("{:indent$}{piece}", "")),
            }
        }
        lines.join("\n")
    }

    /// The parts after the program's name; each part stays on one line.
    fn pieces(&self) -> Vec<String> {
        let mut pieces = Vec::new();
        if let Some(command) = self.command {
            // Required options before the subcommand, then its name.
            let is_needed = |arg: &&Arg| arg.is_required || arg.choice == Choice::ExactlyOne;
            pieces.extend(options(self.program.args.iter().filter(is_needed)));
            pieces.push(command.name.to_owned());
        }
        pieces.push("[-h]".to_owned());
        let shown = self.args().iter().filter(|arg| arg.spec.is_shown());
        pieces.extend(options(shown));
        if self.command.is_none() && !self.program.commands.is_empty() {
            let word = self.program.metavar.map(str::to_owned);
            pieces.push(word.unwrap_or_else(|| self.choices()));
            pieces.push("...".to_owned());
        }
        pieces
    }

    /// The names of the subcommands.
    fn choices(&self) -> String {
        let names: Vec<&str> = self.program.commands.iter().map(|command| command.name).collect();
        format!("{{{}}}", names.join(","))
    }

    pub(super) fn help(&self) -> String {
        let about = super::super::usage::wrapped(self.program.about, WIDTH).join("\n");
        let mut text = format!("{}\n\n", self.usage());
        if self.command.is_none() {
            text = format!("{text}{about}\n\n");
        }
        if self.command.is_none() && !self.program.commands.is_empty() {
            text = format!("{text}positional arguments:\n  {}\n", self.choices());
            for command in self.program.commands {
                text.push_str(&entry(&format!("  {}", command.name), command.help));
            }
            text.push('\n');
        }
        text.push_str("optional arguments:\n");
        text.push_str(&entry("-h, --help", "show this text and end"));
        for arg in self.args().iter().filter(|arg| arg.spec.is_shown()) {
            let title = match arg.short {
                Some(letter) => format!("{}, -{letter} {}", with_value(arg), value_word(arg)),
                None => with_value(arg),
            };
            text.push_str(&entry(&title, arg.spec.help));
        }
        text
    }
}

/// Options as in usage lines: those that exclude each other come last.
fn options<'a>(shown: impl Iterator<Item = &'a Arg>) -> Vec<String> {
    let (free, choices): (Vec<&Arg>, Vec<&Arg>) = shown.partition(|arg| arg.choice == Choice::Free);
    let mut pieces = Vec::new();
    for arg in free {
        let text = with_value(arg);
        pieces.push(if arg.is_required {
            text
        } else {
            format!("[{text}]")
        });
    }
    let is_needed = choices.iter().any(|arg| arg.choice == Choice::ExactlyOne);
    let (open, close) = match (is_needed, choices.len()) {
        (true, 1) => ("", ""),
        (true, _) => ("(", ")"),
        (false, _) => ("[", "]"),
    };
    let last = choices.len().saturating_sub(1);
    for (place, arg) in choices.iter().enumerate() {
        let open = if place == 0 { open } else { "" };
        let after = if place == last { close } else { " |" };
        pieces.push(format!("{open}{}{after}", with_value(arg)));
    }
    pieces
}

/// `--bootstrap-server BOOTSTRAP_SERVER`.
fn with_value(arg: &Arg) -> String {
    let name = match arg.short.filter(|_| arg.is_short_first) {
        Some(letter) => format!("-{letter}"),
        None => format!("--{}", arg.spec.name),
    };
    let word = value_word(arg);
    match arg.spec.argument {
        Argument::None => name,
        _ if arg.is_list => format!("{name} {word} [{word} ...]"),
        _ => format!("{name} {word}"),
    }
}

fn value_word(arg: &Arg) -> String {
    let given = arg.metavar.map(str::to_owned);
    given.unwrap_or_else(|| arg.spec.name.replace('-', "_").to_uppercase())
}

/// A name and its help, in two columns.
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

/// An error message in justified lines of 75 columns, as argparse4j sets them: lines break after blanks and hyphens.
/// Lines after its first one are unchanged.
pub(super) fn justified(text: &str) -> String {
    if let Some((first, rest)) = text.split_once('\n') {
        return format!("{}\n{rest}", justified(first));
    }
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let pieces = pieces(text);
    let last = pieces.len().saturating_sub(1);
    for (place, piece) in pieces.into_iter().enumerate() {
        // The line end after the last word takes a column, too.
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

/// The text cut where a line may break.
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

/// A line filled up to the width: every gap gets the same number of blanks more, those in the middle one more than the
/// rest.
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

    /// Output of `kafka-cluster` of Apache Kafka 4.3.1.
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
}
