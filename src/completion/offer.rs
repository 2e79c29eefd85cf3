//! The candidates for the word being typed, and their format for each shell's script.
//!
//! The first line of an answer tells the script what to do: `words`, `list` (words with descriptions), `open` (no blank
//! after the one word), `files` or `directories`, with the part of the word before the path after a tab. Each further
//! line is a candidate.

use std::fmt::Write as _;

use super::shell_words::{quote, unquote};

/// The most candidates of an answer; a cluster may have more.
const MOST: usize = 20_000;

/// What a word can be completed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The whole word.
    pub value: String,
    /// A description on one line; may be empty.
    pub help: String,
}

/// Paths that the shell lists itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    Files,
    Directories,
}

/// Candidates, or paths that the shell finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    candidates: Vec<Candidate>,
    /// The kind, and the part of the word before the path (`--command-config=`).
    paths: Option<(Paths, String)>,
}

impl Candidate {
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            help: String::new(),
        }
    }

    pub fn with_help(value: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            help: help.into(),
        }
    }

    /// Whether the word is not complete yet.
    fn goes_on(&self) -> bool {
        self.value.ends_with(['=', ':', ',', '/'])
    }

    /// Whether a name has no control characters, which could disturb the terminal, or the format of the answer.
    fn is_plain(&self) -> bool {
        !self.value.chars().any(char::is_control)
    }
}

impl Offer {
    pub fn of(candidates: impl IntoIterator<Item = Candidate>) -> Self {
        Self {
            candidates: candidates
                .into_iter()
                .filter(Candidate::is_plain)
                .take(MOST)
                .collect(),
            paths: None,
        }
    }

    /// Paths that the shell lists itself, after `prefix` in the word.
    pub fn of_paths(paths: Paths, prefix: impl Into<String>) -> Self {
        Self {
            candidates: Vec::new(),
            paths: Some((paths, prefix.into())),
        }
    }

    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The kind of paths, and the part of the word before them.
    pub fn paths(&self) -> Option<(Paths, &str)> {
        self.paths
            .as_ref()
            .map(|(paths, prefix)| (*paths, prefix.as_str()))
    }

    /// The same after a prefix of the word, such as `--topic=`.
    #[must_use]
    pub fn behind(mut self, prefix: &str) -> Self {
        for candidate in &mut self.candidates {
            candidate.value.insert_str(0, prefix);
        }
        if let Some((_, before)) = &mut self.paths {
            before.insert_str(0, prefix);
        }
        self
    }

    /// For bash: the part of each candidate after `kept`, quoted as the beginning of the word is.
    pub(super) fn for_bash(&self, kept: &str) -> String {
        let mut answer = self.mode();
        let (before, open) = unquote(kept);
        for candidate in &self.candidates {
            if let Some(rest) = candidate.value.strip_prefix(before.as_str()) {
                answer.push('\n');
                answer.push_str(&quote(rest, open));
            }
        }
        answer.push('\n');
        answer
    }

    /// For zsh: `+` or, if the word is not complete, `-`; the word; a tab and its display form. zsh quotes by itself.
    pub(super) fn for_zsh(&self) -> String {
        let width = self
            .candidates
            .iter()
            .map(|candidate| candidate.value.chars().count())
            .max()
            .unwrap_or(0);
        let mut answer = self.mode();
        for candidate in &self.candidates {
            let Candidate { value, help } = candidate;
            let sign = if candidate.goes_on() { '-' } else { '+' };
            let shown = match help.as_str() {
                "" => value.clone(),
                help => format!("{value:width$}  -- {}", one_line(help)),
            };
            let _ = write!(answer, "\n{sign}{value}\t{shown}");
        }
        answer.push('\n');
        answer
    }

    /// For fish: the word, a tab, its description. fish quotes by itself. With paths, the prefix is followed by the
    /// typed part of the path, without quotes.
    pub(super) fn for_fish(&self, typed: &str) -> String {
        let mut answer = self.mode();
        if let Some((_, prefix)) = &self.paths {
            answer.push('\t');
            answer.push_str(typed.strip_prefix(prefix.as_str()).unwrap_or_default());
        }
        for Candidate { value, help } in &self.candidates {
            let _ = write!(answer, "\n{value}\t{}", one_line(help));
        }
        answer.push('\n');
        answer
    }

    fn mode(&self) -> String {
        match (&self.paths, self.candidates.as_slice()) {
            (Some((Paths::Files, prefix)), _) => format!("files\t{prefix}"),
            (Some((Paths::Directories, prefix)), _) => format!("directories\t{prefix}"),
            (None, [one]) if one.goes_on() => "open".to_owned(),
            // zsh lists candidates with descriptions one a line (`compadd -l`).
            (None, candidates) if candidates.iter().any(|candidate| !candidate.help.is_empty()) => {
                "list".to_owned()
            }
            _ => "words".to_owned(),
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
