//! Texts to read, fitted to a narrow terminal: sentences are filled anew, columns continue under the last one.
//!
//! A sentence is indented by two blanks; a line that is a heading, a command line, has columns or is indented further
//! is kept.

use super::Printer;
use crate::error::Result;

/// Blanks before a sentence.
const INDENT: usize = 2;
/// The beginning of a command line among sentences.
const COMMAND: &str = "  kafkit ";
/// A column that begins further right has too little space for what continues under it ...
const DEEPEST: usize = 32;
/// ... unless the screen leaves at least this many columns for it.
const NARROWEST: usize = 24;

impl Printer {
    /// A text to read, as wide as the terminal.
    pub fn prose(&mut self, text: &str) -> Result<()> {
        match terminal_size::terminal_size_of(std::io::stdout()) {
            Some((width, _)) => self.text(fill(text, usize::from(width.0).max(20))),
            None => self.text(text),
        }
    }
}

/// The text in lines of at most `width` columns, except for single words that are longer.
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
        add_line(&mut filled, line, width);
    }
    wrap(&mut filled, "", INDENT, &sentence, width);
    filled
}

/// Adds a line that keeps its beginning; if it is too long, the rest continues under its last column.
fn add_line(text: &mut String, line: &str, width: usize) {
    match line.split_at_checked(last_column(line)) {
        Some((before, rest)) if line.chars().count() > width => {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let column = before.chars().count();
            let is_deep = column > DEEPEST && column + NARROWEST > width;
            let is_deep = is_deep || before.trim().is_empty();
            let under = if is_deep { INDENT + 4 } else { column };
            wrap(text, before, under, &words, width);
        }
        _ => {
            text.push_str(line);
            text.push('\n');
        }
    }
}

/// The examples of a help text, which are its indented lines, fitted to the width of the screen, where that is known.
pub fn fitted_examples(text: &str) -> String {
    let width = terminal_size::terminal_size_of(std::io::stdout())
        .map(|(width, _)| usize::from(width.0))
        .or_else(|| std::env::var("COLUMNS").ok()?.parse().ok());
    match width {
        Some(width) => with_examples_of(text, width.max(20)),
        None => text.to_owned(),
    }
}

fn with_examples_of(text: &str, width: usize) -> String {
    let mut fitted = String::with_capacity(text.len());
    for line in text.lines() {
        if line.starts_with(' ') {
            add_line(&mut fitted, line, width);
        } else {
            fitted.push_str(line);
            fitted.push('\n');
        }
    }
    fitted.truncate(fitted.trim_end_matches('\n').len());
    fitted
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

/// Appends words in lines that begin with `indent` blanks, the first line with `first` instead, if that is not empty.
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
    let mut may_end = !first.trim().is_empty();
    for word in words {
        let is_full = line.chars().count() + usize::from(is_begun) + word.chars().count() > width;
        if may_end && is_full {
            out.push_str(line.trim_end());
            out.push('\n');
            line.clone_from(&blanks);
            is_begun = false;
        }
        if is_begun {
            line.push(' ');
        }
        line.push_str(word);
        (is_begun, may_end) = (true, true);
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

    #[test]
    fn what_is_too_long_of_an_example_goes_on_under_its_explanation_or_further_in() {
        let text = "Examples:\n  kafkit a --b   one two three\n  kafkit --follow   unbreakable\n  kafkit copy orders --to kafka2:9092\n\nA sentence that clap fills.";
        let expected = "Examples:\n  kafkit a --b   one two\n                 three\n  kafkit --follow\n                    unbreakable\n  kafkit copy orders --to\n      kafka2:9092\n\n\
                        A sentence that clap fills.";
        assert_eq!(with_examples_of(text, 26), expected);
    }
}
