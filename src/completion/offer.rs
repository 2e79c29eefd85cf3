//! What is offered for the word being typed, and how each shell's script is told.
//!
//! The first line of an answer is what the script does: `words`, `open` (no blank goes behind the one word), `files` or
//! `directories`, behind a tab what stands before the path in the word. Each further line is a candidate.

use std::fmt::Write as _;

use super::shell_words::{quote, unquote};

/// More candidates than any shell shows; a cluster may have more.
const MOST: usize = 20_000;

/// What a word can be completed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The whole word.
    pub value: String,
    /// What it is, on one line; empty where that goes without saying.
    pub help: String,
}

/// Files of the kind that the shell itself lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    Files,
    Directories,
}

/// Candidates, or paths that the shell finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    candidates: Vec<Candidate>,
    /// The kind, and what stands before the path in the word (`--command-config=`).
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

    /// Whether more of the word follows.
    fn goes_on(&self) -> bool {
        self.value.ends_with(['=', ':', ',', '/'])
    }

    /// A name with control characters would do something to the terminal, or tear the answer apart.
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

    /// The shell's own list of paths, behind `prefix` in the word.
    pub fn of_paths(paths: Paths, prefix: impl Into<String>) -> Self {
        Self {
            candidates: Vec::new(),
            paths: Some((paths, prefix.into())),
        }
    }

    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The kind of paths, and what stands before them in the word.
    pub fn paths(&self) -> Option<(Paths, &str)> {
        self.paths
            .as_ref()
            .map(|(paths, prefix)| (*paths, prefix.as_str()))
    }

    /// The same behind a part of the word, such as `--topic=`.
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

    /// For bash: of each candidate the part behind `kept`, quoted as the word was begun.
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

    /// For zsh: `+` or, where the word goes on, `-`; the word; a tab and how it is shown. zsh quotes by itself.
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

    /// For fish: the word, a tab, what it is. fish quotes by itself. Behind the prefix of paths is what is typed of the
    /// path, without quotes.
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
            // In zsh one line in columns of its own is enough of a sign.
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
