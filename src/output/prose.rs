//! Texts to read, fitted to a narrow terminal: sentences are filled anew, lines with columns go on under their last column.
//!
//! A sentence is indented by two blanks; what is a heading, a command line, has columns or is indented further keeps its
//! line.

use super::Printer;
use crate::error::Result;

/// Blanks before a sentence.
const INDENT: usize = 2;
/// The beginning of a command line among sentences.
const COMMAND: &str = "  kafkit ";
/// A column that begins further right leaves too little room for what goes on under it.
const DEEPEST: usize = 32;

impl Printer {
    /// A text to read, as wide as the terminal.
    pub fn prose(&mut self, text: &str) -> Result<()> {
        match terminal_size::terminal_size_of(std::io::stdout()) {
            Some((width, _)) => self.text(fill(text, usize::from(width.0).max(20))),
            None => self.text(text),
        }
    }
}

/// The text in lines of at most `width` columns, but for single words that are longer.
fn fill(text: &str, width: usize) -> String {
    if text.lines().all(|line| line.chars().count() <= width) {
        return text.to_owned();
    }
    let mut filled = String::new();
    let mut sentence: Vec<&str> = Vec::new();
    for line in text.lines() {
        if is_sentence(line) {
            sentence.extend(line.split_whitespace());
            continue;
        }
        wrap(&mut filled, "", INDENT, &std::mem::take(&mut sentence), width);
        let column = last_column(line);
        match line.split_at_checked(column) {
            Some((before, rest)) if line.chars().count() > width => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                let under = before.chars().count();
                wrap(
                    &mut filled,
                    before,
                    if under > DEEPEST { INDENT + 4 } else { under },
                    &words,
                    width,
                );
            }
            _ => {
                filled.push_str(line);
                filled.push('\n');
            }
        }
    }
    wrap(&mut filled, "", INDENT, &sentence, width);
    filled
}

fn is_sentence(line: &str) -> bool {
    let indent = line.len() - line.trim_start().len();
    indent == INDENT && !line.starts_with(COMMAND) && !line.trim().contains("  ")
}

/// Where the text behind the last run of two blanks and more begins, in bytes.
fn last_column(line: &str) -> usize {
    let text = line.trim_end();
    text.rfind("  ").map_or(0, |place| place + 2)
}

/// Appends words in lines that begin with `indent` blanks, the first one with `first` instead, if there is something.
fn wrap(out: &mut String, first: &str, indent: usize, words: &[&str], width: usize) {
    if words.is_empty() {
        return;
    }
    let blanks = " ".repeat(indent);
    let mut line = if first.is_empty() {
        blanks.clone()
    } else {
        first.to_owned()
    };
    let mut is_begun = false;
    for word in words {
        let is_full = line.chars().count() + usize::from(is_begun) + word.chars().count() > width;
        if is_begun && is_full {
            out.push_str(&line);
            out.push('\n');
            line.clone_from(&blanks);
            is_begun = false;
        }
        if is_begun {
            line.push(' ');
        }
        line.push_str(word);
        is_begun = true;
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_filled_and_columns_go_on_below_themselves() {
        let text = "Places\n\n  A sentence that is too long for a screen of\n  this width, over two lines.\n\n\
                    \x20   -10          ten before the end of each partition\n  kafkit consume a\n";
        let expected = "Places\n\n  A sentence that is too long\n  for a screen of this width,\n  over two lines.\n\n\
                        \x20   -10          ten before the\n                 end of each\n                 partition\n\
                        \x20 kafkit consume a\n";
        assert_eq!(fill(text, 31), expected);
        assert_eq!(fill(text, 120), text);
    }
}
