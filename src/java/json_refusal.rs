//! Error messages of Jackson, the JSON parser of Kafka's tools, about invalid JSON: its words, and the place.
//!
//! Owns the wording and the order of its checks up to the end of the first value; values are parsed with `serde_json`.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
const NO_PLUS: &str = " in numeric value: JSON spec does not allow numbers to have plus signs: enable \
    `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow";
const NO_COMMENT: &str = ": maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)";
/// How many characters of a word are shown.
const LONGEST_WORD: usize = 256;

/// Jackson's message about the first value in `text`; `None` if it is valid, or there is no value at all.
pub fn refusal(text: &str) -> Option<String> {
    let mut parser = Parser {
        text: text.encode_utf16().collect(),
        at: 0,
        open: Vec::new(),
    };
    parser.first_value().err()
}

/// A list or an object that is not closed yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    is_list: bool,
    /// The index of its first character.
    at: usize,
}

impl Open {
    fn name(self) -> &'static str {
        if self.is_list { "Array" } else { "Object" }
    }

    fn end(self) -> char {
        if self.is_list { ']' } else { '}' }
    }
}

struct Parser {
    /// In UTF-16 units, which Java counts.
    text: Vec<u16>,
    at: usize,
    open: Vec<Open>,
}

type Checked<T = ()> = Result<T, String>;

impl Parser {
    fn first_value(&mut self) -> Checked {
        let Some(first) = self.skip_blanks()? else {
            return Ok(());
        };
        if let ']' | '}' = first {
            let name = if first == ']' { "Array" } else { "Object" };
            return self.fail(
                &format!("Unexpected close marker '{first}': no open {name} to close"),
                self.at,
            );
        }
        self.value(first)?;
        while let Some(open) = self.open.last().copied() {
            self.entry_or_end(open)?;
        }
        Ok(())
    }

    /// The next part of a list or an object: its end, or another entry.
    fn entry_or_end(&mut self, open: Open) -> Checked {
        let Some(mut next) = self.skip_blanks()? else {
            return self.fail(
                &format!(
                    "Unexpected end-of-input: expected close marker for {} (start marker at {})",
                    open.name(),
                    self.place(open.at)
                ),
                self.at,
            );
        };
        if next == open.end() {
            self.at += 1;
            self.open.pop();
            return Ok(());
        }
        if let ']' | '}' = next {
            let what = format!(
                "Unexpected close marker '{next}': expected '{}' (for {} starting at {})",
                open.end(),
                open.name(),
                self.place(open.at)
            );
            return self.fail(&what, self.at);
        }
        if !self.is_at_first_entry(open) {
            if next != ',' {
                let what = format!(": was expecting comma to separate {} entries", open.name());
                return self.unexpected(&what, self.at);
            }
            self.at += 1;
            next = self.needed_in(open)?;
        }
        if open.is_list {
            if next == '}' {
                return self.unexpected(": expected a value", self.at);
            }
            return self.value(next);
        }
        if next != '"' {
            return self.unexpected(": was expecting double-quote to start field name", self.at);
        }
        self.string("name", " in field name")?;
        if self.needed_in(open)? != ':' {
            return self.unexpected(
                ": was expecting a colon to separate field name and value",
                self.at,
            );
        }
        self.at += 1;
        let first = self.needed_in(open)?;
        self.value(first)
    }

    /// Whether there are only blanks between the start of `open` and the current position.
    fn is_at_first_entry(&self, open: Open) -> bool {
        let between = self.text.get(open.at + 1..self.at).unwrap_or_default();
        between.iter().all(|unit| is_blank(*unit))
    }

    /// The next character that is not a blank; it is an error if there is none.
    fn needed_in(&mut self, open: Open) -> Checked<char> {
        match self.skip_blanks()? {
            Some(next) => Ok(next),
            None => self.fail(
                &format!("Unexpected end-of-input within/between {} entries", open.name()),
                self.at,
            ),
        }
    }

    fn value(&mut self, first: char) -> Checked {
        match first {
            '[' | '{' => {
                self.open.push(Open {
                    is_list: first == '[',
                    at: self.at,
                });
                self.at += 1;
                Ok(())
            }
            '"' => self.string("string value", ": was expecting closing quote for a string value"),
            '-' | '0'..='9' => self.number(),
            '+' => self.signed(),
            't' => self.word("true"),
            'f' => self.word("false"),
            'n' => self.word("null"),
            'N' => self.no_number("NaN", self.at),
            'I' => self.no_number("Infinity", self.at),
            _ if is_word_start(first) => self.unknown_word(self.at, self.at),
            _ => self.no_value(self.at),
        }
    }

    fn no_value<T>(&self, at: usize) -> Checked<T> {
        self.unexpected(&format!(": expected a valid value {VALUES}"), at)
    }

    /// `true`, `false` or `null`, without a letter after it.
    fn word(&mut self, word: &str) -> Checked {
        let start = self.at;
        for letter in word.chars() {
            if self.peek() != Some(letter) {
                return self.unknown_word(start, self.at);
            }
            self.at += 1;
        }
        match self.peek() {
            Some(next) if is_word_part(next) => self.unknown_word(start, self.at),
            _ => Ok(()),
        }
    }

    /// Words of JavaScript for numbers that JSON does not have; there may be a sign between `start` and `word`.
    fn no_number(&mut self, word: &str, start: usize) -> Checked {
        if let Err(unknown) = self.word(word) {
            return if start < self.at && self.unit(start).is_some_and(|first| "+-".contains(first)) {
                self.unknown_word(start, self.at)
            } else {
                Err(unknown)
            };
        }
        let shown = self.shown(start, self.at);
        self.fail(
            &format!(
                "Non-standard token '{shown}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
            ),
            self.at,
        )
    }

    /// Refuses the unknown word that begins at `start`; it continues at `from` as long as there are letters.
    fn unknown_word<T>(&self, start: usize, from: usize) -> Checked<T> {
        let mut end = from;
        while end - start < LONGEST_WORD && self.unit(end).is_some_and(is_word_part) {
            end += 1;
        }
        let more = if end - start >= LONGEST_WORD { "..." } else { "" };
        let shown = self.shown(start, end);
        self.fail(
            &format!("Unrecognized token '{shown}{more}': was expecting {VALUES}"),
            start,
        )
    }

    /// A plus sign, with which no number may begin.
    fn signed(&mut self) -> Checked {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            None => self.fail("Unexpected end-of-input in a Number value", self.at),
            Some('I') => self.infinity(start, |parser| parser.unexpected_at(start, NO_PLUS, start + 1)),
            Some(_) => self.unexpected_at(start, NO_PLUS, start + 1),
        }
    }

    /// `Infinity` or `INF` after the sign at `start`; `otherwise` when it is neither.
    fn infinity(&mut self, start: usize, otherwise: impl FnOnce(&Self) -> Checked) -> Checked {
        match self.unit(self.at + 1) {
            None => self.fail("Unexpected end-of-input in a Number value", self.at + 1),
            Some('N') => self.no_number("INF", start),
            Some('n') => self.no_number("Infinity", start),
            Some(_) => otherwise(self),
        }
    }

    fn number(&mut self) -> Checked {
        const NO_DIGIT: &str =
            " in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value";
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
            match self.peek() {
                Some('0'..='9') => {}
                Some('I') => {
                    return self.infinity(start, |parser| parser.unexpected(NO_DIGIT, parser.at));
                }
                Some('.') => return self.no_value(self.at),
                Some(_) => return self.unexpected(NO_DIGIT, self.at),
                None => return self.fail("Unexpected end-of-inputNo digit following sign", self.at),
            }
        }
        let begins_with_zero = self.peek() == Some('0');
        if begins_with_zero && self.unit(self.at + 1).is_some_and(|next| next.is_ascii_digit()) {
            let what = "Invalid numeric value: Leading zeroes not allowed";
            return self.fail(what, self.at + 1);
        }
        self.digits();
        self.fraction(self.at, begins_with_zero)?;
        match self.peek() {
            Some(next) if self.open.is_empty() && !matches!(next, ' ' | '\t' | '\n' | '\r') => {
                self.unexpected(": Expected space separating root-level values", self.at)
            }
            _ => Ok(()),
        }
    }

    /// The part after the integer part, which ends at `whole`. For most numbers Jackson takes a fast path, which
    /// reports `whole` as the place of all later errors.
    fn fraction(&mut self, whole: usize, slowly: bool) -> Checked {
        let place = |at: usize| if slowly { at } else { whole };
        if self.peek() == Some('.') {
            let point = self.at;
            self.at += 1;
            if self.digits() == 0 {
                let what = " in numeric value: Decimal point not followed by a digit";
                return match self.peek() {
                    None => self.unexpected_at(point, what, point),
                    Some(_) => self.unexpected_at(self.at, what, place(self.at)),
                };
            }
        }
        if let Some('e' | 'E') = self.peek() {
            self.at += 1;
            if let Some('+' | '-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                let what = " in numeric value: Exponent indicator not followed by a digit";
                return match self.peek() {
                    None => self.fail(
                        "Unexpected end-of-inputexpected a digit for number exponent",
                        self.at,
                    ),
                    Some(_) => self.unexpected_at(self.at, what, place(self.at)),
                };
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|next| next.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    /// A string from its first quote on; `cut` is the message if it does not end.
    fn string(&mut self, what: &str, cut: &str) -> Checked {
        self.at += 1;
        loop {
            match self.peek() {
                None => return self.fail(&format!("Unexpected end-of-input{cut}"), self.at),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => self.escape()?,
                Some(control @ '\0'..' ') => {
                    let control = described(control);
                    let what = format!(
                        "Illegal unquoted character ({control}): has to be escaped using backslash to be included in {what}"
                    );
                    return self.fail(&what, self.at);
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Checked {
        const CUT: &str = "Unexpected end-of-input in character escape sequence";
        self.at += 1;
        match self.peek() {
            None => return self.fail(CUT, self.at),
            Some('u') => {
                self.at += 1;
                for _ in 0..4 {
                    match self.peek() {
                        None => return self.fail(CUT, self.at),
                        Some(digit) if digit.is_ascii_hexdigit() => self.at += 1,
                        Some(_) => {
                            let what = ": expected a hex-digit for character escape sequence";
                            return self.unexpected(what, self.at);
                        }
                    }
                }
            }
            Some('b' | 't' | 'n' | 'f' | 'r' | '"' | '/' | '\\') => self.at += 1,
            Some(other) => {
                let what = format!("Unrecognized character escape {}", described(other));
                return self.fail(&what, self.at);
            }
        }
        Ok(())
    }

    /// The next character that is not a blank; comments and control characters before it are refused.
    fn skip_blanks(&mut self) -> Checked<Option<char>> {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\n' | '\r') => self.at += 1,
                Some('/') => return self.unexpected(NO_COMMENT, self.at),
                Some(control @ '\0'..' ') => {
                    let what = format!(
                        "Illegal character ({}): only regular white space (\\r, \\n, \\t) is allowed between tokens",
                        described(control)
                    );
                    return self.fail(&what, self.at + 1);
                }
                next => return Ok(next),
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.unit(self.at)
    }

    /// The character at an index; half of a surrogate pair is a question mark, as on Java's stdout.
    fn unit(&self, at: usize) -> Option<char> {
        let unit = *self.text.get(at)?;
        Some(char::from_u32(u32::from(unit)).unwrap_or('?'))
    }

    fn shown(&self, start: usize, end: usize) -> String {
        String::from_utf16_lossy(self.text.get(start..end).unwrap_or_default())
    }

    fn unexpected<T>(&self, what: &str, at: usize) -> Checked<T> {
        self.unexpected_at(at, what, at)
    }

    /// Refuses the character at `which`, and reports `place` as its place.
    fn unexpected_at<T>(&self, which: usize, what: &str, place: usize) -> Checked<T> {
        let unit = self.text.get(which).copied().unwrap_or_default();
        let shown = match char::from_u32(u32::from(unit)) {
            Some(character) => described(character),
            None => format!("'?' (code {unit} / 0x{unit:x})"),
        };
        self.fail(&format!("Unexpected character ({shown}){what}"), place)
    }

    fn fail<T>(&self, what: &str, at: usize) -> Checked<T> {
        Err(format!("{what}\n at {}", self.place(at)))
    }

    /// Line and column of a character, as Jackson counts and prints them.
    fn place(&self, at: usize) -> String {
        let (mut line, mut start) = (1, 0);
        let before = self.text.get(..at).unwrap_or(&self.text);
        for (index, unit) in before.iter().enumerate() {
            let ends = match *unit {
                0x0a => true,
                0x0d => self.unit(index + 1) != Some('\n'),
                _ => false,
            };
            if ends {
                line += 1;
                start = index + 1;
            }
        }
        let column = at - start + 1;
        format!(
            "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
        )
    }
}

fn is_blank(unit: u16) -> bool {
    matches!(unit, 0x20 | 0x09 | 0x0a | 0x0d)
}

/// `'x' (code 120)`
fn described(character: char) -> String {
    let code = u32::from(character);
    if character.is_control() {
        return format!("(CTRL-CHAR, code {code})");
    }
    let mut text = format!("'{character}' (code {code}");
    if code > 0xff {
        let _ = write!(text, " / 0x{code:x}");
    }
    text.push(')');
    text
}

/// `Character.isJavaIdentifierStart`
fn is_word_start(character: char) -> bool {
    static START: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nl}\p{Sc}\p{Pc}]$").ok());
    matches(START.as_ref(), character)
}

/// `Character.isJavaIdentifierPart`
fn is_word_part(character: char) -> bool {
    static PART: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nl}\p{Sc}\p{Pc}\p{Nd}\p{Mn}\p{Mc}\p{Cf}]$").ok());
    matches(PART.as_ref(), character)
}

fn matches(class: Option<&Regex>, character: char) -> bool {
    class.is_some_and(|class| class.is_match(character.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each line is a text and the message of Jackson 2.21, which Apache Kafka 4.3.1 contains; null for none.
    #[test]
    fn says_what_jackson_says() {
        for line in include_str!("../../tests/golden/json-refusals.jsonl").lines() {
            let (text, expected): (String, Option<String>) = serde_json::from_str(line).unwrap();
            assert_eq!(refusal(&text), expected, "of {text:?}");
        }
    }

    proptest! {
        #[test]
        fn json_is_not_refused(text in r#"[\[\]{}:,"a1\-.e+ \ntrufals\\]{0,12}"#) {
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                prop_assert_eq!(refusal(&text), None);
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = refusal(&text);
        }
    }
}
