//! `kafkit help [TOPIC | COMMAND…]`: texts about what several commands share, as help and as man pages.
//!
//! A text is plain: its first line is its title, headings are in capitals, and lines indented by four blanks are
//! printed unchanged.

use std::ffi::OsString;

use clap::Args;

use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::{nouns, refusal};
use crate::client::settings::Settings;
use crate::commands::install_links::{Action, Page};
use crate::error::Result;
use crate::output::OutputOptions;

/// A text with its word.
struct Topic {
    word: &'static str,
    text: &'static str,
}

const TOPICS: &[Topic] = &[
    Topic {
        word: "offsets",
        text: include_str!("help/offsets.txt"),
    },
    Topic {
        word: "templates",
        text: include_str!("help/templates.txt"),
    },
    Topic {
        word: "where",
        text: include_str!("help/where.txt"),
    },
    Topic {
        word: "exit-codes",
        text: include_str!("help/exit-codes.txt"),
    },
    Topic {
        word: "settings",
        text: include_str!("help/settings.txt"),
    },
    Topic {
        word: "files",
        text: include_str!("help/files.txt"),
    },
];

/// Explain a topic (offsets, templates, where, exit-codes, settings, files), or a command
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit help settings
  kafkit help topics create")]
pub struct HelpArgs {
    /// A topic, or the words of a command
    #[arg(value_name = "WORD", add = super::candidates::help_topics())]
    words: Vec<String>,
}

impl IntoInvocation for HelpArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let topic = TOPICS.iter().find(|topic| self.words.as_slice() == [topic.word]);
        let action = match topic {
            Some(topic) => Action::Text {
                plain: with_command(topic),
                coloured: None,
            },
            None => help_of_command(&self.words)?,
        };
        Ok(Invocation {
            command: Box::new(action),
            settings: Settings::default(),
            output: OutputOptions::default(),
        })
    }
}

/// Adds a reference to the command's help if the word is also a command.
fn with_command(topic: &Topic) -> String {
    let is_command = nouns::command_tree().find_subcommand(topic.word).is_some();
    let word = topic.word;
    if is_command {
        format!(
            "{}\n`kafkit {word} --help` explains the command of this name.\n",
            topic.text
        )
    } else {
        topic.text.to_owned()
    }
}

/// The output of `kafkit WORDS… --help`.
fn help_of_command(words: &[String]) -> Result<Action> {
    let mut argv: Vec<OsString> = vec!["kafkit".into()];
    argv.extend(words.iter().map(Into::into));
    argv.push("--help".into());
    match nouns::command_tree().try_get_matches_from(&argv) {
        Err(message) if !message.use_stderr() => Ok(Action::Text {
            plain: message.render().to_string(),
            coloured: Some(message.render().ansi().to_string()),
        }),
        Err(problem) => Err(refusal::explain(&problem, &argv, None)),
        Ok(_) => Ok(Action::Text {
            plain: String::new(),
            coloured: None,
        }),
    }
}

/// The texts as man pages.
pub(super) fn man_pages() -> impl Iterator<Item = Page> {
    TOPICS.iter().map(|topic| Page {
        file: format!("kafkit-help-{}.1", topic.word),
        text: roff(topic).into_bytes(),
    })
}

fn roff(topic: &Topic) -> String {
    let name = format!("kafkit\\-help\\-{}", topic.word.replace('-', "\\-"));
    let (about, body) = topic.text.split_once('\n').unwrap_or((topic.text, ""));
    let mut page = format!(
        ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n.TH {name} 1  \"kafkit {}\"\n.SH NAME\n{name} \\- {}\n",
        env!("CARGO_PKG_VERSION"),
        escaped(about)
    );
    let mut is_verbatim = false;
    for line in body.lines() {
        let is_heading = !line.starts_with(' ') && !line.is_empty();
        let wants_verbatim = if line.is_empty() {
            is_verbatim
        } else {
            line.starts_with("    ") || line.starts_with("  kafkit ")
        };
        if wants_verbatim != is_verbatim {
            page.push_str(if wants_verbatim { ".nf\n" } else { ".fi\n" });
            is_verbatim = wants_verbatim;
        }
        match line {
            "" if is_verbatim => page.push('\n'),
            "" => page.push_str(".PP\n"),
            line if is_heading => {
                page.push_str(".SH ");
                page.push_str(&escaped(line));
                page.push('\n');
            }
            line => {
                page.push_str(&escaped(if is_verbatim { line } else { line.trim_start() }));
                page.push('\n');
            }
        }
    }
    page
}

/// Text escaped for roff: no line is a request, no hyphen becomes another character.
fn escaped(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\*(Aq");
    if escaped.starts_with('.') {
        format!("\\&{escaped}")
    } else {
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_a_wide_terminal_and_have_examples() {
        for topic in TOPICS {
            let longest = topic.text.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(122), "{}: {longest:?}", topic.word);
            assert!(topic.text.contains("\nEXAMPLES\n  kafkit "), "{}", topic.word);
        }
    }

    #[test]
    fn nothing_in_a_page_is_a_request_by_accident() {
        for page in man_pages() {
            let text = String::from_utf8(page.text).unwrap();
            let requests = text.lines().filter(|line| line.starts_with(['.', '\'']));
            for request in requests {
                let is_known = [".ie", ".el", ".TH", ".SH", ".PP", ".nf", ".fi"]
                    .iter()
                    .any(|known| request.starts_with(known));
                assert!(is_known, "{}: {request}", page.file);
            }
        }
    }
}
