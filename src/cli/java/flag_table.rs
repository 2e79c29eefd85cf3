//! Every option of every Java tool in one table: the same, different and why, or without effect here.
//!
//! Made from the option tables that the parser reads, for the README and the man page.

use std::fmt::Write;

use super::TOOLS;
use super::option_table::{Compatibility, OptionSpec};
use super::usage::spelling;

/// The table for the README: one for each tool.
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
    text
}

/// The table for the man page.
pub(in crate::cli) fn roff() -> String {
    let mut text = String::from(".SH \"APACHE KAFKA'S TOOLS\"\n");
    for tool in TOOLS {
        let _ = writeln!(text, ".SS {}", tool.name.replace('-', "\\-"));
        for spec in tool.options {
            let spelling = spelling(spec).replace('\\', "\\e").replace('-', "\\-");
            let here = here(spec).replace('\\', "\\e").replace('-', "\\-");
            let _ = writeln!(text, ".TP\n\\fB{spelling}\\fR\n{here}");
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
