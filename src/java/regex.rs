//! Regular expressions with the meaning that Java gives them, over fancy-regex.
//!
//! Owns the translation: patterns that Java refuses are refused here, and syntax that differs (quoting, POSIX classes,
//! nested classes, possessive repetition) is rewritten. Meant for names of topics and groups: line ends and characters
//! beyond ASCII follow fancy-regex.

use std::fmt::{self, Write};
use std::iter::Peekable;
use std::str::Chars;

/// A pattern that is matched against whole texts, as by `String.matches`.
#[derive(Clone, Debug)]
pub struct JavaRegex {
    /// The pattern as it was given.
    pattern: String,
    whole: fancy_regex::Regex,
}

impl fmt::Display for JavaRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

/// A pattern to be searched for inside of texts; nothing where Java says that it is invalid.
pub fn anywhere(pattern: &str) -> Option<fancy_regex::Regex> {
    let translated = Translator::new(pattern).pattern()?;
    fancy_regex::Regex::new(&translated).ok()
}

impl JavaRegex {
    /// `None` if the pattern is invalid in Java.
    pub fn new(pattern: &str) -> Option<Self> {
        let translated = Translator::new(pattern).pattern()?;
        let whole = fancy_regex::Regex::new(&format!("\\A(?:{translated})\\z")).ok()?;
        Some(Self {
            pattern: pattern.to_owned(),
            whole,
        })
    }

    /// Whether the whole text matches; false if the match takes too many steps.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text).unwrap_or(false)
    }

    /// The groups of the match of the whole text, the whole first; a group that took no part is empty.
    pub fn groups(&self, text: &str) -> Option<Vec<String>> {
        let captures = self.whole.captures(text).ok()??;
        let groups = captures
            .iter()
            .map(|group| group.map_or("", |group| group.as_str()));
        Some(groups.map(str::to_owned).collect())
    }
}

/// What precedes the next character, which decides the meaning of a repetition sign.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that can be repeated.
    Nothing,
    Atom,
    /// A repetition, which `?` makes lazy and `+` possessive.
    Repetition,
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    before: Before,
    depth: usize,
    groups: usize,
    names: Vec<String>,
}

impl<'a> Translator<'a> {
    fn new(pattern: &'a str) -> Self {
        Self {
            rest: pattern.chars().peekable(),
            out: String::with_capacity(pattern.len() + 8),
            before: Before::Nothing,
            depth: 0,
            groups: 0,
            names: Vec::new(),
        }
    }

    fn pattern(mut self) -> Option<String> {
        while let Some(character) = self.rest.next() {
            match character {
                '\\' => self.escape()?,
                '[' => {
                    let class = class(&mut self.rest)?;
                    self.atom(&class);
                }
                '(' => self.open_group()?,
                ')' => {
                    self.depth = self.depth.checked_sub(1)?;
                    self.atom(")");
                }
                '|' => {
                    self.out.push('|');
                    self.before = Before::Nothing;
                }
                '*' | '+' | '?' => self.repetition(character)?,
                '{' => self.counted_repetition()?,
                ']' | '}' => self.atom(&literal(character)),
                _ => self.atom(character.encode_utf8(&mut [0; 4])),
            }
        }
        (self.depth == 0).then_some(self.out)
    }

    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.before = Before::Atom;
    }

    fn repetition(&mut self, sign: char) -> Option<()> {
        self.before = match (self.before, sign) {
            (Before::Atom, _) => Before::Repetition,
            (Before::Repetition, '+' | '?') => Before::Nothing,
            _ => return None,
        };
        self.out.push(sign);
        Some(())
    }

    /// `{n}`, `{n,}`, `{n,m}`. After anything but an atom Java repeats the empty text, which has no effect.
    fn counted_repetition(&mut self) -> Option<()> {
        let body = self.until('}')?;
        let (least, most) = match body.split_once(',') {
            Some((least, "")) => (least, None),
            Some((least, most)) => (least, Some(most)),
            None => (body.as_str(), None),
        };
        let number = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<i32>().ok()).flatten()
        };
        let least = number(least)?;
        if most
            .map(number)
            .is_some_and(|most| most.is_none_or(|most| most < least))
        {
            return None;
        }
        if self.before == Before::Atom {
            self.out.push('{');
            self.out.push_str(&body);
            self.out.push('}');
        }
        self.before = Before::Repetition;
        Some(())
    }

    fn open_group(&mut self) -> Option<()> {
        self.before = Before::Nothing;
        if self.rest.next_if_eq(&'?').is_none() {
            self.groups += 1;
            self.open("(");
            return Some(());
        }
        match self.rest.next()? {
            kind @ (':' | '=' | '!' | '>') => self.open(&format!("(?{kind}")),
            '<' => match self.rest.next()? {
                kind @ ('=' | '!') => self.open(&format!("(?<{kind}")),
                first => self.open_named_group(first)?,
            },
            first => self.flags(first)?,
        }
        Some(())
    }

    fn open_named_group(&mut self, first: char) -> Option<()> {
        let name = format!("{first}{}", self.until('>')?);
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !first.is_ascii_alphabetic() || !is_word || self.names.contains(&name) {
            return None;
        }
        self.groups += 1;
        self.open(&format!("(?<{name}>"));
        self.names.push(name);
        Some(())
    }

    fn open(&mut self, text: &str) {
        self.out.push_str(text);
        self.depth += 1;
    }

    /// `(?i-s)` and `(?i-s:`; the flags that fancy-regex lacks make no difference for ASCII without line ends.
    fn flags(&mut self, first: char) -> Option<()> {
        let (mut on, mut off, mut is_off) = (String::new(), String::new(), false);
        let mut next = first;
        loop {
            match next {
                'i' | 'm' | 's' | 'x' if is_off => off.push(next),
                'i' | 'm' | 's' | 'x' => on.push(next),
                'd' | 'u' | 'U' => {}
                '-' if !is_off => is_off = true,
                ':' | ')' => break,
                _ => return None,
            }
            next = self.rest.next()?;
        }
        if !off.is_empty() {
            off.insert(0, '-');
        }
        if next == ':' {
            self.open(&format!("(?{on}{off}:"));
            return Some(());
        }
        if !(on.is_empty() && off.is_empty()) {
            let _ = write!(self.out, "(?{on}{off})");
        }
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        match self.rest.next()? {
            'Q' => {
                let quoted = quoted(&mut self.rest);
                for character in quoted.chars() {
                    self.atom(&literal(character));
                }
            }
            digit @ '1'..='9' => self.back_reference(digit),
            'k' => {
                let name = self.rest.next_if_eq(&'<').and_then(|_| self.until('>'))?;
                if !self.names.contains(&name) {
                    return None;
                }
                self.atom(&format!("\\k<{name}>"));
            }
            anchor @ ('A' | 'z' | 'b' | 'B') => self.atom(&format!("\\{anchor}")),
            'Z' => self.atom("\\z"),
            'G' => self.atom("\\A"),
            'R' => self.atom("(?:\\r\\n|[\\n\\r])"),
            'X' => self.atom("."),
            other => {
                let text = match class_escape(other, &mut self.rest)? {
                    ClassItem::One(character) => literal(character),
                    ClassItem::Several(text) => text,
                };
                self.atom(&text);
            }
        }
        Some(())
    }

    /// A back reference; one to a group that does not exist never matches.
    fn back_reference(&mut self, digit: char) {
        let mut number = digit.to_digit(10).map_or(0, |digit| digit as usize);
        while let Some(digit) = self.rest.peek().and_then(|next| next.to_digit(10)) {
            let longer = number * 10 + digit as usize;
            if longer > self.groups {
                break;
            }
            number = longer;
            self.rest.next();
        }
        if number <= self.groups {
            self.atom(&format!("(?:\\{number})"));
        } else {
            self.atom("(?!)");
        }
    }

    fn until(&mut self, end: char) -> Option<String> {
        until(&mut self.rest, end)
    }
}

/// One item of a class: a character, which can begin a range, or several characters.
enum ClassItem {
    One(char),
    Several(String),
}

/// A class after its opening bracket, in the syntax of fancy-regex.
fn class(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut out = String::from("[");
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut is_empty = true;
    loop {
        let item = match rest.next()? {
            ']' if !is_empty => {
                let trimmed = out.trim_end_matches("&&").len();
                out.truncate(trimmed);
                out.push(']');
                return Some(out);
            }
            '[' => ClassItem::Several(class(rest)?),
            '&' if rest.next_if_eq(&'&').is_some() => {
                while rest.next_if_eq(&'&').is_some() {}
                if !is_empty {
                    out.push_str("&&");
                }
                continue;
            }
            '\\' => match rest.next()? {
                'Q' => {
                    let all: String = quoted(rest).chars().map(literal).collect();
                    ClassItem::Several(all)
                }
                other => class_escape(other, rest)?,
            },
            other => ClassItem::One(other),
        };
        is_empty = false;
        match item {
            ClassItem::Several(text) => out.push_str(&text),
            ClassItem::One(first) => {
                let last = end_of_range(first, rest)?;
                if last < first {
                    return None;
                }
                out.push_str(&literal(first));
                // `[:` would begin a POSIX class of fancy-regex; a range of one character does not.
                if last != first || first == ':' {
                    out.push('-');
                    out.push_str(&literal(last));
                }
            }
        }
    }
}

/// The last character of the range that `first` begins: `first` itself where no dash follows, or a literal dash.
fn end_of_range(first: char, rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let mut ahead = rest.clone();
    if ahead.next() != Some('-') || matches!(ahead.peek(), Some(']' | '[') | None) {
        return Some(first);
    }
    rest.next();
    match rest.next()? {
        '\\' => match class_escape(rest.next()?, rest)? {
            ClassItem::One(last) => Some(last),
            ClassItem::Several(_) => None,
        },
        last => Some(last),
    }
}

/// An escape that means the same inside and outside of a class; `kind` is the character after the backslash.
fn class_escape(kind: char, rest: &mut Peekable<Chars<'_>>) -> Option<ClassItem> {
    let several = |text: &str| Some(ClassItem::Several(text.to_owned()));
    let character = match kind {
        'd' | 'D' | 'w' | 'W' | 's' | 'S' => return several(&format!("\\{kind}")),
        'h' => return several("[ \\t]"),
        'H' => return several("[^ \\t]"),
        'v' => return several("[\\n\\x0B\\f\\r]"),
        'V' => return several("[^\\n\\x0B\\f\\r]"),
        'p' | 'P' => return property(kind == 'P', rest).map(ClassItem::Several),
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'f' => '\x0C',
        'a' => '\x07',
        'e' => '\x1B',
        'c' => char::from_u32(u32::from(rest.next()?) ^ 64)?,
        'x' if rest.next_if_eq(&'{').is_some() => {
            char::from_u32(u32::from_str_radix(&until(rest, '}')?, 16).ok()?)?
        }
        'x' => digits(rest, 2, 16)?,
        'u' => digits(rest, 4, 16)?,
        '0' => octal(rest)?,
        other if other.is_ascii_alphanumeric() => return None,
        other => other,
    };
    Some(ClassItem::One(character))
}

/// `\p{Lower}`, `\pL`, …: POSIX names are rewritten, the rest is left to fancy-regex, which refuses unknown ones.
fn property(is_negated: bool, rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let name = match rest.next()? {
        '{' => until(rest, '}')?,
        letter => letter.to_string(),
    };
    let caret = if is_negated { "^" } else { "" };
    let posix = [
        "Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl",
        "XDigit", "Space",
    ];
    if posix.contains(&name.as_str()) {
        return Some(format!("[[:{caret}{}:]]", name.to_lowercase()));
    }
    let name = match name.as_str() {
        "javaLowerCase" => "Lowercase",
        "javaUpperCase" => "Uppercase",
        "javaAlphabetic" | "javaLetter" => "Alphabetic",
        "javaDigit" => "Nd",
        "javaWhitespace" => "White_Space",
        "InBasicLatin" | "InBASIC_LATIN" => return Some(format!("[{caret}\\x00-\\x7F]")),
        name => name.strip_prefix("Is").unwrap_or(name),
    };
    let letter = if is_negated { 'P' } else { 'p' };
    Some(format!("\\{letter}{{{name}}}"))
}

/// The text up to `end`, which is consumed too.
fn until(rest: &mut Peekable<Chars<'_>>, end: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            next if next == end => return Some(text),
            next => text.push(next),
        }
    }
}

/// After `\Q`: up to `\E`, or to the end of the pattern.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(next) = rest.next() {
        if next == '\\' && rest.next_if_eq(&'E').is_some() {
            break;
        }
        text.push(next);
    }
    text
}

fn digits(rest: &mut Peekable<Chars<'_>>, count: usize, radix: u32) -> Option<char> {
    let mut number = 0;
    for _ in 0..count {
        number = number * radix + rest.next()?.to_digit(radix)?;
    }
    char::from_u32(number)
}

/// `\0n`, `\0nn`, `\0mnn` with m at most 3.
fn octal(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let first = rest.next()?.to_digit(8)?;
    let mut number = first;
    let most = if first <= 3 { 2 } else { 1 };
    for _ in 0..most {
        match rest.peek().and_then(|next| next.to_digit(8)) {
            Some(digit) => number = number * 8 + digit,
            None => break,
        }
        rest.next();
    }
    char::from_u32(number)
}

/// A literal character, in and out of a class.
fn literal(character: char) -> String {
    if character.is_alphanumeric() {
        character.to_string()
    } else {
        format!("\\x{{{:X}}}", u32::from(character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names against which each pattern of `regex.tsv` was matched.
    const NAMES: [&str; 19] = [
        "a",
        "b",
        "ab",
        "abc",
        "a.b",
        "a_b",
        "a-b",
        "aa",
        "aaa",
        "orders",
        "orders-dlq",
        "Orders",
        "1",
        "12",
        "x1",
        "__consumer_offsets",
        "{",
        "-",
        "a{2}",
    ];

    /// Each line has a pattern and, for each name, the result of Java 17's `String.matches`.
    #[test]
    fn patterns_mean_what_java_means() {
        let mut wrong = Vec::new();
        for line in include_str!("regex.tsv").lines() {
            let (pattern, java) = line.split_once('\t').unwrap();
            let ours = match JavaRegex::new(pattern) {
                None => "invalid".to_owned(),
                Some(regex) => NAMES
                    .map(|name| if regex.matches(name) { '1' } else { '0' })
                    .iter()
                    .collect(),
            };
            if ours != java {
                wrong.push(format!("{pattern}: java {java}, ours {ours}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
