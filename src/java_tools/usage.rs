//! The help that a Java tool prints on stderr: a line with the reason, then its table of options.
//!
//! Owns the layout; the texts come from the option tables.

use std::fmt::Write;
use std::process::ExitCode;

use super::KAFKA_VERSION;
use super::option_parser::Parsed;
use super::option_table::{Argument, OptionSpec, Tool};
use crate::output::{stderr_line, stdout_line};

/// The columns of a help text if stderr is not a terminal, as in joptsimple.
const DEFAULT_WIDTH: usize = 80;
/// No description starts further right than this column.
const MAX_LEFT_COLUMN: usize = 42;

/// Java's `printUsageAndExit`: the message, the table, exit code 1. The tools answer `--help` in this way, too.
pub fn refuse(tool: &Tool, message: &str) -> ExitCode {
    let width = terminal_size::terminal_size_of(std::io::stderr())
        .map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0))
        .clamp(60, 120);
    stderr_line(message);
    stderr_line(table(tool, width).trim_end());
    ExitCode::FAILURE
}

/// Answers `--help`, `--version` and an empty command line; `--help` takes precedence.
pub fn help_or_version(tool: &Tool, parsed: &Parsed, about: &str) -> Option<ExitCode> {
    if parsed.is_empty() || parsed.has("help") {
        return Some(refuse(tool, about));
    }
    parsed.has("version").then(version)
}

/// The version of Apache Kafka and nothing else, for scripts; `kafkit --version` has our own.
pub fn version() -> ExitCode {
    stdout_line(KAFKA_VERSION)
}

/// The table of options, `width` columns wide; scripts look for its heading.
fn table(tool: &Tool, width: usize) -> String {
    let rows: Vec<(String, &str)> = tool
        .options
        .iter()
        .filter(|spec| spec.is_shown())
        .map(|spec| (spelling(spec), spec.help))
        .collect();
    let longest = rows.iter().map(|(left, _)| left.chars().count()).max();
    let left_width = longest.unwrap_or(0).min(MAX_LEFT_COLUMN - 2) + 2;
    let mut text = format!("{:left_width$}Description\n", "Option");
    let _ = writeln!(text, "{:left_width$}-----------", "------");
    for (left, help) in rows {
        let mut lines = wrapped(help, width.saturating_sub(left_width)).into_iter();
        let first = lines.next().unwrap_or_default();
        if left.chars().count() + 2 > left_width {
            let _ = writeln!(text, "{left}\n{:left_width$}{first}", "");
        } else {
            let _ = writeln!(text, "{left:left_width$}{first}");
        }
        for line in lines {
            let _ = writeln!(text, "{:left_width$}{line}", "");
        }
    }
    text
}

/// An option with the placeholder of its value.
pub fn spelling(spec: &OptionSpec) -> String {
    match spec.argument {
        Argument::None => format!("--{}", spec.name),
        Argument::Required(word) => format!("--{} <{word}>", spec.name),
        Argument::Optional(word) | Argument::OptionalNumber(word) => format!("--{} [<{word}>]", spec.name),
    }
}

/// Words in lines of at most `width` columns.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::java_tools::option_table::{flag, value};

    #[test]
    fn the_table_names_every_current_option_once_and_wraps_its_help() {
        const OPTIONS: &[OptionSpec] = &[
            flag("list", "Shows the names, one a line, in order."),
            value("topic", "NAME", "A topic."),
            flag("zookeeper", "").old_spelling("gone"),
        ];
        let tool = Tool {
            name: "kafka-example",
            options: OPTIONS,
        };
        assert_eq!(
            table(&tool, 40),
            "Option          Description\n\
             ------          -----------\n\
             --list          Shows the names, one a\n                line, in order.\n\
             --topic <NAME>  A topic.\n"
        );
    }
}
