//! A shell's request: which shell, and the line so far. Our scripts set a variable and pass the words as arguments.
//!
//! bash: `KAFKIT_COMPLETE=bash kafkit REPLACED LINE`, where REPLACED is the end of the line that bash will replace.
//! zsh and fish: `KAFKIT_COMPLETE=zsh kafkit WORD… TYPED`.

use std::ffi::OsString;

use super::line::Line;
use super::offer::Offer;
use super::scripts::Shell;
use super::{behind, shell_words};

/// The variable that marks a request.
pub(super) const ASKING: &str = "KAFKIT_COMPLETE";

/// A request, and what is needed to format its answer.
#[derive(Debug)]
pub struct Question {
    shell: Shell,
    line: Line,
    /// The beginning of the word being typed that bash keeps, as it is typed.
    kept: String,
}

impl Question {
    /// The request for which this process was started, if there is one.
    pub fn asked(argv: &[OsString]) -> Option<Self> {
        let shell = std::env::var(ASKING).ok()?;
        let shell = Shell::of_name(&shell)?;
        let words: Vec<String> = argv
            .iter()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let mut question = Self::of_words(shell, words)?;
        question.line.is_behind = behind::is_behind();
        Some(question)
    }

    fn of_words(shell: Shell, mut words: Vec<String>) -> Option<Self> {
        let last = words.pop()?;
        if shell != Shell::Bash {
            let typed = if shell == Shell::Fish {
                shell_words::unquote_fish(&last)
            } else {
                last
            };
            return Some(Self {
                shell,
                line: Line::new(words, typed),
                kept: String::new(),
            });
        }
        let replaced = words.pop()?;
        let split = shell_words::split(&last);
        let kept = split
            .raw
            .strip_suffix(replaced.as_str())
            .unwrap_or_default()
            .to_owned();
        let mut line = Line::new(split.words, shell_words::unquote(&split.raw).0);
        line.is_redirected = split.is_redirected;
        Some(Self { shell, line, kept })
    }

    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The answer in the form that the shell's script reads.
    pub fn answer(&self, offer: &Offer) -> String {
        match self.shell {
            _ if self.line.is_behind => String::new(),
            Shell::Bash => offer.for_bash(&self.kept),
            Shell::Zsh => offer.for_zsh(),
            Shell::Fish => offer.for_fish(&self.line.typed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::Candidate;

    fn bash(line: &str, replaced: &str, offered: &[&str]) -> Vec<String> {
        let question = Question::of_words(Shell::Bash, vec![replaced.to_owned(), line.to_owned()]).unwrap();
        let offer = Offer::of(offered.iter().map(|value| Candidate::new(*value)));
        question
            .answer(&offer)
            .lines()
            .skip(1)
            .map(str::to_owned)
            .collect()
    }

    /// As observed with bash 5.2: the word from its last break on, without an opening quote.
    #[test]
    fn bash_is_given_the_part_that_it_replaces_quoted_as_the_word_is() {
        for (line, replaced, offered, given) in [
            ("kafkit consume or", "or", "orders", "orders"),
            ("kafkit consume my\\ to", "my\\ to", "my topic", "my\\ topic"),
            ("kafkit consume \"my to", "my to", "my topic", "my topic"),
            ("kafkit consume \"a$", "a$", "a$b", "a\\$b"),
            ("kafkit consume 'x y", "x y", "x y'z", "x y'\\''z"),
            (
                "kafkit topics alter t -c clean",
                "clean",
                "cleanup.policy=",
                "cleanup.policy=",
            ),
            (
                "kafkit topics alter t -c cleanup.policy=",
                "",
                "cleanup.policy=compact",
                "compact",
            ),
            (
                "kafkit topics alter t -c cleanup.policy=c",
                "c",
                "cleanup.policy=compact",
                "compact",
            ),
            ("kafkit offsets a:b:", "", "a:b:0", "0"),
            ("kafkit offsets \"a:b c", "a:b c", "a:b cd", "a:b cd"),
            ("kafkit describe group a:$", "$", "a:$x", "\\$x"),
        ] {
            assert_eq!(bash(line, replaced, &[offered]), [given], "{line}");
        }
    }
}
