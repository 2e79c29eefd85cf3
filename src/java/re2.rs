//! Regular expressions with the meaning and the error messages of RE2/J, with which Apache Kafka's group coordinator
//! reads a subscription by regular expression (KIP-848), over the `regex` crate.
//!
//! Owns the translation: both have the same syntax except for quoting, brackets in classes, octal numbers, and what is
//! an error. Meant for topic names, which are ASCII. <https://github.com/google/re2/wiki/Syntax>

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// The most memory of one compiled expression, in bytes.
const SIZE_LIMIT: usize = 4 << 20;
/// The largest count of a repetition.
const MAX_REPEAT: u32 = 1000;

/// An expression that is matched against whole texts.
#[derive(Clone, Debug)]
pub struct Re2 {
    whole: Regex,
}

impl Re2 {
    /// The expression, or RE2/J's error message.
    pub fn new(pattern: &str) -> Result<Self, &'static str> {
        let translated = Translator::new(pattern).pattern()?;
        let whole = RegexBuilder::new(&format!("\\A(?:{translated})\\z"))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .build()
            .map_err(|_| "expression too large")?;
        Ok(Self { whole })
    }

    /// Whether the whole text matches; takes time linear in the text.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }
}

type Outcome<T> = Result<T, &'static str>;

const BAD_ESCAPE: &str = "invalid escape sequence";
const BAD_RANGE: &str = "invalid character class range";
const BAD_REPEAT: &str = "invalid repeat count";
const BAD_NAME: &str = "invalid named capture";
const BAD_PERL: &str = "invalid or unsupported Perl syntax";
const NO_BRACKET: &str = "missing closing ]";

/// What precedes the next character, which decides the meaning of a repetition sign.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that can be repeated.
    Nothing,
    Atom,
    Repetition,
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    before: Before,
    depth: usize,
    names: Vec<String>,
}

impl<'a> Translator<'a> {
    fn new(pattern: &'a str) -> Self {
        Self {
            rest: pattern.chars().peekable(),
            out: String::with_capacity(pattern.len() + 8),
            before: Before::Nothing,
            depth: 0,
            names: Vec::new(),
        }
    }

    fn pattern(mut self) -> Outcome<String> {
        while let Some(character) = self.rest.next() {
            match character {
                '(' => self.open()?,
                ')' => {
                    // RE2/J's own message for this.
                    self.depth = self.depth.checked_sub(1).ok_or("regexp/syntax: internal error")?;
                    self.atom(")");
                }
                '|' => {
                    self.out.push('|');
                    self.before = Before::Nothing;
                }
                '^' | '$' | '.' => self.atom(&character.to_string()),
                '*' | '+' | '?' => self.repetition(&character.to_string())?,
                '{' => self.counted_repetition()?,
                '[' => self.class()?,
                '\\' => self.escape()?,
                other => self.literal(other),
            }
        }
        if self.depth > 0 {
            return Err("missing closing )");
        }
        Ok(self.out)
    }

    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.before = Before::Atom;
    }

    fn literal(&mut self, character: char) {
        self.atom(&regex::escape(&character.to_string()));
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn open(&mut self) -> Outcome<()> {
        if !self.takes('?') {
            self.open_group("(");
            return Ok(());
        }
        if self.takes('<') {
            return self.named_group();
        }
        if self.takes('P') {
            return if self.takes('<') {
                self.named_group()
            } else {
                Err(BAD_PERL)
            };
        }
        let (mut flags, mut negated, mut any) = (String::from("(?"), false, false);
        loop {
            match self.rest.next() {
                Some(flag @ ('i' | 'm' | 's' | 'U')) => {
                    flags.push(flag);
                    any = true;
                }
                Some('-') if !negated => {
                    flags.push('-');
                    (negated, any) = (true, false);
                }
                Some(':') if any || !negated => {
                    self.open_group(&(flags + ":"));
                    return Ok(());
                }
                Some(')') if any => {
                    self.out.push_str(&flags);
                    self.out.push(')');
                    self.before = Before::Nothing;
                    return Ok(());
                }
                // Flags that have no effect here.
                Some(')') if !negated => return Ok(()),
                _ => return Err(BAD_PERL),
            }
        }
    }

    fn open_group(&mut self, opening: &str) {
        self.out.push_str(opening);
        self.depth += 1;
        self.before = Before::Nothing;
    }

    /// A group with a name, which is not needed here.
    fn named_group(&mut self) -> Outcome<()> {
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some('>') if !name.is_empty() => break,
                Some(letter) if letter.is_ascii_alphanumeric() || letter == '_' => name.push(letter),
                _ => return Err(BAD_NAME),
            }
        }
        if self.names.contains(&name) {
            return Err("duplicate capture group name");
        }
        self.names.push(name);
        self.open_group("(");
        Ok(())
    }

    fn repetition(&mut self, sign: &str) -> Outcome<()> {
        match self.before {
            Before::Nothing => return Err("missing argument to repetition operator"),
            Before::Repetition => return Err("invalid nested repetition operator"),
            Before::Atom => {}
        }
        self.out.push_str(sign);
        if self.takes('?') {
            self.out.push('?');
        }
        self.before = Before::Repetition;
        Ok(())
    }

    /// `{2}`, `{2,}` and `{2,3}` are repetitions; any other brace is a literal.
    fn counted_repetition(&mut self) -> Outcome<()> {
        let mut ahead = self.rest.clone();
        let Some((from, to)) = counts(&mut ahead) else {
            self.literal('{');
            return Ok(());
        };
        self.rest = ahead;
        if from > MAX_REPEAT || to.is_some_and(|to| to > MAX_REPEAT || to < from) {
            return Err(BAD_REPEAT);
        }
        let to = to.map(|to| to.to_string()).unwrap_or_default();
        self.repetition(&format!("{{{from},{to}}}"))
    }

    fn escape(&mut self) -> Outcome<()> {
        match self.rest.peek().copied() {
            Some(anchor @ ('A' | 'b' | 'B' | 'z')) => {
                self.rest.next();
                self.atom(&format!("\\{anchor}"));
            }
            Some('Q') => {
                self.rest.next();
                self.quoted();
            }
            _ => {
                if let Some(class) = shorthand(&mut self.rest)? {
                    self.atom(&class);
                } else {
                    let character = escaped(&mut self.rest)?;
                    self.literal(character);
                }
            }
        }
        Ok(())
    }

    fn quoted(&mut self) {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.takes('E') {
                return;
            }
            self.literal(character);
        }
    }

    /// The content of brackets, after the opening one.
    fn class(&mut self) -> Outcome<()> {
        let mut class = String::from("[");
        if self.takes('^') {
            class.push('^');
        }
        let mut first = true;
        while first || self.rest.peek() != Some(&']') {
            first = false;
            if let Some(named) = named_class(&mut self.rest)? {
                class.push_str(&named);
            } else if self.rest.peek() == Some(&'\\')
                && let Some(shorthand) = class_shorthand(&mut self.rest)?
            {
                class.push_str(&shorthand);
            } else {
                let from = class_character(&mut self.rest)?;
                let mut to = from;
                let mut ahead = self.rest.clone();
                if ahead.next() == Some('-') && ahead.peek().is_some_and(|next| *next != ']') {
                    self.rest = ahead;
                    to = class_character(&mut self.rest)?;
                }
                if to < from {
                    return Err(BAD_RANGE);
                }
                let (from, to) = (u32::from(from), u32::from(to));
                // Writing to a text does not fail.
                let _ = write!(class, "\\x{{{from:X}}}-\\x{{{to:X}}}");
            }
        }
        self.rest.next();
        class.push(']');
        self.atom(&class);
        Ok(())
    }
}

/// The counts of a repetition up to its closing brace; `None` if it is not a repetition.
fn counts(rest: &mut Peekable<Chars<'_>>) -> Option<(u32, Option<u32>)> {
    let from = count(rest)?;
    if rest.next_if_eq(&'}').is_some() {
        return Some((from, Some(from)));
    }
    rest.next_if_eq(&',')?;
    if rest.next_if_eq(&'}').is_some() {
        return Some((from, None));
    }
    let to = count(rest)?;
    rest.next_if_eq(&'}')?;
    Some((from, Some(to)))
}

/// A number without leading zeros; one that is far too large becomes any number above the limit.
fn count(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let mut digits = String::new();
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}

/// `\d` and the like and `\p{…}`, after the backslash; `None` if it is something else.
fn shorthand(rest: &mut Peekable<Chars<'_>>) -> Outcome<Option<String>> {
    match rest.peek().copied() {
        None => Err("trailing backslash at end of expression"),
        Some(letter @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => {
            rest.next();
            Ok(Some(format!("\\{letter}")))
        }
        Some(letter @ ('p' | 'P')) => {
            rest.next();
            unicode_class(letter, rest).map(Some)
        }
        Some(_) => Ok(None),
    }
}

fn unicode_class(letter: char, rest: &mut Peekable<Chars<'_>>) -> Outcome<String> {
    let mut name = String::new();
    match rest.next() {
        Some('{') => loop {
            match rest.next() {
                Some('}') => break,
                Some(next) => name.push(next),
                None => return Err(BAD_RANGE),
            }
        },
        Some(single) => name.push(single),
        None => return Err(BAD_RANGE),
    }
    let class = format!("\\{letter}{{{name}}}");
    let is_name = |name: &str| {
        name.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_^".contains(letter))
    };
    if is_name(&name) && (name == "Any" || Regex::new(&class).is_ok()) {
        Ok(class)
    } else {
        Err(BAD_RANGE)
    }
}

/// The same in a class, with the backslash.
fn class_shorthand(rest: &mut Peekable<Chars<'_>>) -> Outcome<Option<String>> {
    let mut ahead = rest.clone();
    ahead.next();
    let class = shorthand(&mut ahead)?;
    if class.is_some() {
        *rest = ahead;
    }
    Ok(class)
}

const CLASS_NAMES: &str =
    "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit";

/// `[:alpha:]` and the like.
fn named_class(rest: &mut Peekable<Chars<'_>>) -> Outcome<Option<String>> {
    let mut ahead = rest.clone();
    if ahead.next() != Some('[') || ahead.next() != Some(':') {
        return Ok(None);
    }
    let mut name = String::new();
    loop {
        match ahead.next() {
            Some(':') if ahead.peek() == Some(&']') => break,
            Some(next) => name.push(next),
            // Without its end it is a bracket and a colon.
            None => return Ok(None),
        }
    }
    ahead.next();
    let positive = name.strip_prefix('^').unwrap_or(&name);
    if !CLASS_NAMES.split(' ').any(|known| known == positive) {
        return Err(BAD_RANGE);
    }
    *rest = ahead;
    Ok(Some(format!("[:{name}:]")))
}

fn class_character(rest: &mut Peekable<Chars<'_>>) -> Outcome<char> {
    match rest.next() {
        None => Err(NO_BRACKET),
        Some('\\') => escaped(rest),
        Some(character) => Ok(character),
    }
}

/// The character of an escape, after the backslash.
fn escaped(rest: &mut Peekable<Chars<'_>>) -> Outcome<char> {
    let Some(character) = rest.next() else {
        return Err("trailing backslash at end of expression");
    };
    match character {
        // One digit would be a back reference, which RE2 does not have; several are an octal number.
        '1'..='7' if !rest.peek().is_some_and(|next| ('0'..='7').contains(next)) => Err(BAD_ESCAPE),
        '0'..='7' => {
            let mut number = character.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                let Some(digit) = rest.next_if(|next| next.is_digit(8)) else {
                    break;
                };
                number = number * 8 + digit.to_digit(8).unwrap_or(0);
            }
            char::from_u32(number).ok_or(BAD_ESCAPE)
        }
        'x' => hexadecimal(rest),
        'a' => Ok('\x07'),
        'f' => Ok('\x0c'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'v' => Ok('\x0b'),
        sign if sign.is_ascii() && !sign.is_ascii_alphanumeric() => Ok(sign),
        _ => Err(BAD_ESCAPE),
    }
}

/// `\x41` or `\x{41}`, after the x.
fn hexadecimal(rest: &mut Peekable<Chars<'_>>) -> Outcome<char> {
    let mut digits = String::new();
    if rest.next_if_eq(&'{').is_some() {
        loop {
            match rest.next() {
                Some('}') => break,
                Some(digit) if digit.is_ascii_hexdigit() && digits.len() < 8 => digits.push(digit),
                _ => return Err(BAD_ESCAPE),
            }
        }
    } else {
        for _ in 0..2 {
            digits.push(rest.next_if(char::is_ascii_hexdigit).ok_or(BAD_ESCAPE)?);
        }
    }
    let number = u32::from_str_radix(&digits, 16).map_err(|_| BAD_ESCAPE)?;
    char::from_u32(number).ok_or(BAD_ESCAPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Re2::new(pattern)
            .unwrap_or_else(|why| panic!("{pattern}: {why}"))
            .matches(text)
    }

    #[test]
    fn the_whole_name_must_match() {
        assert!(matches("orders.*", "orders-eu"));
        assert!(!matches("orders", "orders-eu"));
        assert!(matches("a|orders", "orders"));
        assert!(matches("", ""));
        assert!(!matches("", "a"));
    }

    #[test]
    fn what_both_spell_differently_means_what_re2_says() {
        assert!(matches(r"\Qa.b\E.c", "a.bxc"));
        assert!(!matches(r"\Qa.b\E.c", "axbxc"));
        assert!(matches("[[a]", "["));
        assert!(matches("[a&&b]+", "a&b"));
        assert!(matches(r"\101", "A"));
        assert!(matches(r"\x{41}\x42", "AB"));
        assert!(matches("a{,2}", "a{,2}"));
        assert!(matches("a{2}", "aa"));
        assert!(matches("[]a]+", "a]"));
        assert!(matches("(?i)a[[:digit:]]", "A1"));
        assert!(matches("(?P<n>a)(?<m>b)", "ab"));
    }

    /// The messages are those with which Apache Kafka 4.3.1 refused these.
    #[test]
    fn refusals_are_those_of_re2j() {
        for (pattern, why) in [
            ("(a", "missing closing )"),
            (")", "regexp/syntax: internal error"),
            ("*", "missing argument to repetition operator"),
            ("a|*", "missing argument to repetition operator"),
            ("a**", "invalid nested repetition operator"),
            ("[a", "missing closing ]"),
            ("a{2,1}", "invalid repeat count"),
            ("x{1001}", "invalid repeat count"),
            ("(?<n", "invalid named capture"),
            (r"\1", "invalid escape sequence"),
            (r"\C", "invalid escape sequence"),
            ("(?=a)", "invalid or unsupported Perl syntax"),
            ("[z-a]", "invalid character class range"),
            ("\\", "trailing backslash at end of expression"),
        ] {
            assert_eq!(Re2::new(pattern).err(), Some(why), "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(pattern in r"[\\\[\]\(\)\{\}?*+|^$.,:&<>=!a-zA-Z0-9-]{0,24}") {
            if let Ok(regex) = Re2::new(&pattern) {
                regex.matches("orders");
            }
        }
    }
}
