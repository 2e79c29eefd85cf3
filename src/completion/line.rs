//! The command line up to the cursor.

use std::time::Instant;

/// The words before the cursor, without quotes.
#[derive(Clone, Debug)]
pub struct Line {
    /// The whole words before the one being typed, the program's name first.
    pub words: Vec<String>,
    /// The word being typed, up to the cursor.
    pub typed: String,
    /// Whether the word is the file of a `<` or `>`.
    pub is_redirected: bool,
    /// When the shell asked.
    pub asked_at: Instant,
    /// Whether no shell waits for the answer: the names are only kept for the next request.
    pub is_behind: bool,
    /// Whether names of the second cluster of the line are wanted.
    pub is_of_other_cluster: bool,
}

impl Line {
    /// A line whose request arrives at this moment.
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

    /// The value of the first of these flags, as `--flag VALUE` or `--flag=VALUE`; empty when it is not typed yet.
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
