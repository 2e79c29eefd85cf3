//! Every option of every Java tool in one table: the same, different with the reason, or without effect here.
//!
//! Made from the option tables of the parsers, for docs/java-tools.md and the man page.

use std::fmt::Write;

use super::TOOLS;
use super::option_table::{Compatibility, OptionSpec};
use super::usage::spelling;

/// A script of Apache Kafka without an option table: its words, and their effect here.
struct Script {
    name: &'static str,
    words: &'static [(&'static str, &'static str)],
}

const SCRIPTS: &[Script] = &[
    Script {
        name: "kafka-server-start",
        words: &[
            ("server.properties", "same: the first word after -daemon"),
            (
                "-daemon",
                "same; comes back when the broker is ready, or has failed",
            ),
            ("--override <NAME=VALUE>", "same"),
            ("--version", "not here: `kafkit --version` tells"),
        ],
    },
    Script {
        name: "kafka-server-stop",
        words: &[
            (
                "--process-role=<ROLE>",
                "same: of the mini brokers that kafka-server-start runs, those with this role",
            ),
            ("--node-id=<ID>", "same; wins over a role"),
        ],
    },
];

/// The tables of docs/java-tools.md, one for each tool.
pub fn markdown() -> String {
    let mut text = String::new();
    for tool in TOOLS {
        let _ = writeln!(text, "### {}\n\n| flag | here |\n|---|---|", tool.name);
        for spec in tool.options {
            let _ = writeln!(
                text,
                "| `{}` | {} |",
                spelling(spec).replace('|', "\\|"),
                here(spec)
            );
        }
        text.push('\n');
    }
    for script in SCRIPTS {
        let _ = writeln!(text, "### {}\n\n| word | here |\n|---|---|", script.name);
        for (word, here) in script.words {
            let _ = writeln!(text, "| `{word}` | {here} |");
        }
        text.push('\n');
    }
    text
}

/// The table for the man page.
pub fn roff() -> String {
    let mut text = String::from(".SH \"APACHE KAFKA'S TOOLS\"\n");
    for tool in TOOLS {
        let _ = writeln!(text, ".SS {}", tool.name.replace('-', "\\-"));
        for spec in tool.options {
            let spelling = spelling(spec).replace('\\', "\\e").replace('-', "\\-");
            let here = here(spec).replace('\\', "\\e").replace('-', "\\-");
            let _ = writeln!(text, ".TP\n\\fB{spelling}\\fR\n{here}");
        }
    }
    for script in SCRIPTS {
        let _ = writeln!(text, ".SS {}", script.name.replace('-', "\\-"));
        for (word, here) in script.words {
            let (word, here) = (word.replace('-', "\\-"), here.replace('-', "\\-"));
            let _ = writeln!(text, ".TP\n\\fB{word}\\fR\n{here}");
        }
    }
    text
}

fn here(spec: &OptionSpec) -> String {
    match spec.compatibility {
        Compatibility::Same => "same".to_owned(),
        Compatibility::Differs(because) => format!("differs: {because}"),
        Compatibility::NotHere(because) => format!("not here: {because}"),
        Compatibility::OldSpelling(meaning) => format!("from older versions: {meaning}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_stands_in_the_table_once() {
        let rows = markdown()
            .lines()
            .filter(|line| line.starts_with("| `--"))
            .count();
        let options: usize = TOOLS.iter().map(|tool| tool.options.len()).sum();
        let words = SCRIPTS.iter().flat_map(|script| script.words);
        let options = options + words.filter(|(word, _)| word.starts_with("--")).count();
        assert_eq!(rows, options);
        for tool in TOOLS {
            let mut names: Vec<&str> = tool.options.iter().map(|spec| spec.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(
                names.len(),
                tool.options.len(),
                "{}: an option stands there twice",
                tool.name
            );
        }
    }
}
