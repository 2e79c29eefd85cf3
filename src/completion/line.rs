//! The command line so far.

use std::time::Instant;

/// What stands before the cursor, quotes taken off.
#[derive(Clone, Debug)]
pub struct Line {
    /// The whole words before the one being typed, the program's name first.
    pub words: Vec<String>,
    /// The word being typed, up to the cursor.
    pub typed: String,
    /// The word is the file of a `<` or `>`.
    pub is_redirected: bool,
    /// When the shell asked.
    pub asked_at: Instant,
    /// No shell waits for the answer: the names are only to be kept for the next question.
    pub is_behind: bool,
    /// Names are wanted of the second cluster of the line.
    pub is_of_other_cluster: bool,
}

impl Line {
    /// A line whose question arrives at this moment.
    pub fn new(words: Vec<String>, typed: String) -> Self {
        Self {
            words,
            typed,
            is_redirected: false,
            asked_at: Instant::now(),
            is_behind: false,
            is_of_other_cluster: false,
        }
    }

    /// The same line, where names of its second cluster are wanted.
    pub(super) fn of_other_cluster(&self) -> Self {
        Self {
            is_of_other_cluster: true,
            ..self.clone()
        }
    }

    /// Whether one of these words is on the line.
    pub fn has_any(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }

    /// What follows the first of these flags, as `--flag VALUE` or `--flag=VALUE`; empty when nothing does yet.
    pub fn value_of(&self, flags: &[&str]) -> Option<&str> {
        self.words.iter().enumerate().find_map(|(place, word)| {
            if flags.contains(&word.as_str()) {
                return Some(self.words.get(place + 1).map_or("", String::as_str));
            }
            let (flag, value) = word.split_once('=')?;
            flags.contains(&flag).then_some(value)
        })
    }
}
