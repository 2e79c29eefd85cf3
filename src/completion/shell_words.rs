//! Words of a shell's line and their meaning: quotes are removed, and added.
//!
//! Pure. Follows POSIX quoting as far as an incomplete line needs it; nothing is expanded.

/// A quote that is open at the end of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Open {
    #[default]
    Nothing,
    Single,
    Double,
}

/// A line up to the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// The whole words, without quotes.
    pub(super) words: Vec<String>,
    /// The word at the cursor as it is typed; empty after a blank.
    pub(super) raw: String,
    /// Whether that word is the file of a redirection.
    pub(super) is_redirected: bool,
}

/// Splits a line of bash. Redirections and their files are not words of the command.
pub(super) fn split(line: &str) -> Split {
    let mut split = Split::default();
    let mut open = Open::Nothing;
    let mut is_escaped = false;
    let mut is_begun = false;
    for letter in line.chars() {
        if is_escaped {
            is_escaped = false;
        } else if open == Open::Nothing && letter.is_whitespace() {
            if is_begun {
                split.end_word();
                is_begun = false;
            }
            continue;
        } else if open == Open::Nothing && matches!(letter, '<' | '>') {
            // The number before it is a file descriptor, not a word of the command.
            if !split
                .raw
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'&')
            {
                split.end_word();
            }
            split.raw.clear();
            is_begun = false;
            split.is_redirected = true;
            continue;
        } else {
            (open, is_escaped) = after(open, letter);
        }
        is_begun = true;
        split.raw.push(letter);
    }
    split
}

impl Split {
    fn end_word(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        if !std::mem::take(&mut self.is_redirected) {
            self.words.push(unquote(&raw).0);
        }
    }
}

/// The quote that is open after a letter, and whether the next letter is escaped.
fn after(open: Open, letter: char) -> (Open, bool) {
    match (open, letter) {
        (Open::Nothing, '\'') => (Open::Single, false),
        (Open::Nothing, '"') => (Open::Double, false),
        (Open::Single, '\'') | (Open::Double, '"') => (Open::Nothing, false),
        (Open::Nothing | Open::Double, '\\') => (open, true),
        _ => (open, false),
    }
}

/// The meaning of a word of bash, and the quote that is open at its end.
pub(super) fn unquote(raw: &str) -> (String, Open) {
    let mut text = String::new();
    let mut open = Open::Nothing;
    let mut letters = raw.chars().peekable();
    while let Some(letter) = letters.next() {
        let (next, is_escape) = after(open, letter);
        if is_escape {
            match letters.next() {
                // Between double quotes a backslash escapes only these characters.
                Some(escaped) if open == Open::Double && !"$`\"\\".contains(escaped) => {
                    text.extend(['\\', escaped]);
                }
                Some(escaped) => text.push(escaped),
                None => {}
            }
        } else if next == open {
            let begins_quote = open == Open::Nothing
                && letter == '$'
                && letters.peek().is_some_and(|next| "'\"".contains(*next));
            if !begins_quote {
                text.push(letter);
            }
        }
        open = next;
    }
    (text, open)
}

/// The meaning of a word of fish: a backslash escapes even between single quotes.
pub(super) fn unquote_fish(raw: &str) -> String {
    let mut text = String::new();
    let mut open = Open::Nothing;
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        match (open, letter) {
            (_, '\\') => match letters.next() {
                Some(escaped) if open != Open::Nothing && !"\\'\"$".contains(escaped) => {
                    text.extend(['\\', escaped]);
                }
                Some(escaped) => text.push(escaped),
                None => {}
            },
            (Open::Nothing, '\'') => open = Open::Single,
            (Open::Nothing, '"') => open = Open::Double,
            (Open::Single, '\'') | (Open::Double, '"') => open = Open::Nothing,
            _ => text.push(letter),
        }
    }
    text
}

/// A text as a whole word for a user to type, in quotes where it needs them.
pub fn quoted(text: &str) -> String {
    if !text.is_empty() && quote(text, Open::Nothing) == text {
        return text.to_owned();
    }
    format!("'{}'", quote(text, Open::Single))
}

/// A text as the rest of a word of bash in which this quote is open. The quote is not closed: bash does that.
pub(super) fn quote(text: &str, open: Open) -> String {
    let mut quoted = String::with_capacity(text.len());
    for (place, letter) in text.char_indices() {
        let is_special = match open {
            Open::Single => false,
            Open::Double => "$`\"\\".contains(letter),
            Open::Nothing => {
                letter.is_ascii() && !letter.is_ascii_alphanumeric() && !"_@%+=:,./-~".contains(letter)
                    || (letter == '~' && place == 0)
            }
        };
        match letter {
            '\'' if open == Open::Single => quoted.push_str("'\\''"),
            _ => {
                if is_special {
                    quoted.push('\\');
                }
                quoted.push(letter);
            }
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> (Vec<String>, String, bool) {
        let split = split(line);
        (split.words, split.raw, split.is_redirected)
    }

    #[test]
    fn a_line_is_taken_apart_as_bash_does() {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (line, whole, raw, is_redirected) in [
            ("kafkit consume or", &["kafkit", "consume"][..], "or", false),
            ("kafkit  consume ", &["kafkit", "consume"], "", false),
            (
                "k 'a b' \"c \\\" d\" e\\ f g",
                &["k", "a b", "c \" d", "e f"],
                "g",
                false,
            ),
            ("k '' x", &["k", ""], "x", false),
            ("k a=b:c=", &["k"], "a=b:c=", false),
            ("k \"my to", &["k"], "\"my to", false),
            ("k produce t < fi", &["k", "produce", "t"], "fi", true),
            ("k produce t <in 2>err x", &["k", "produce", "t"], "x", false),
            ("k t>out", &["k", "t"], "out", true),
            ("k $'a b' c", &["k", "a b"], "c", false),
        ] {
            assert_eq!(
                words(line),
                (owned(whole), raw.to_owned(), is_redirected),
                "{line}"
            );
        }
    }

    #[test]
    fn fish_escapes_between_single_quotes_too() {
        assert_eq!(unquote_fish("'a\\'b"), "a'b");
        assert_eq!(unquote_fish("\"a b"), "a b");
        assert_eq!(unquote_fish("a\\ b"), "a b");
    }

    proptest! {
        #[test]
        fn what_is_quoted_means_the_same(text in "[ -~é]{0,12}", which in 0..3) {
            let (open, begin) = [(Open::Nothing, ""), (Open::Single, "'"), (Open::Double, "\"")][which as usize];
            let (read, _) = unquote(&format!("{begin}{}", quote(&text, open)));
            prop_assert_eq!(read, text);
        }

        #[test]
        fn any_line_is_taken_apart(line in "\\PC{0,40}") {
            split(&line);
            unquote(&line);
            unquote_fish(&line);
        }
    }
}
