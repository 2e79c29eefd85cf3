//! `sasl.jaas.config`: one login module with its options, in the syntax of Java's `StreamTokenizer`.
//!
//! The tokenizer has habits that look like mistakes and are kept: a word ends at the first character that is no
//! letter, digit, `.`, `-`, `_` or `$`, a lone `/` begins a comment, and a value that begins with a digit must be
//! quoted.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use crate::wire::secret::Secret;

/// A login module and its options.
#[derive(Debug, PartialEq, Eq)]
pub struct LoginModule {
    /// The Java class.
    pub class: String,
    pub options: BTreeMap<String, Secret>,
}

impl LoginModule {
    /// Reads the value of `sasl.jaas.config`. The error says what is wrong and repeats no value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens {
            rest: text.chars().peekable(),
        };
        let module = module(&mut tokens)?.ok_or("it names no login module")?;
        match module_after(&mut tokens)? {
            0 => Ok(module),
            more => Err(format!("it names {} login modules, and one is wanted", more + 1)),
        }
    }

    /// The class without its package.
    pub fn simple_name(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or(&self.class)
    }

    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(Secret::reveal)
    }
}

fn module_after(tokens: &mut Tokens<'_>) -> Result<usize, String> {
    let mut more = 0;
    while module(tokens)?.is_some() {
        more += 1;
    }
    Ok(more)
}

/// The next `class flag key=value … ;`; `None` at the end.
fn module(tokens: &mut Tokens<'_>) -> Result<Option<LoginModule>, String> {
    let class = match tokens.next() {
        Token::End => return Ok(None),
        Token::Text(class) => class,
        _ => return Err("it does not begin with a login module".to_owned()),
    };
    match tokens.next() {
        Token::Text(flag) if is_control_flag(&flag) => {}
        _ => return Err(format!("\"required\" must stand after {class}")),
    }
    let mut options = BTreeMap::new();
    loop {
        let key = match tokens.next() {
            Token::Symbol(';') => return Ok(Some(LoginModule { class, options })),
            Token::End => return Err("a semicolon must stand at the end".to_owned()),
            Token::Text(key) => key,
            Token::Symbol(symbol) => {
                return Err(format!("\"{symbol}\" stands where an option's name should"));
            }
            Token::Number => return Err("a number stands where an option's name should".to_owned()),
        };
        match (tokens.next(), tokens.next()) {
            (Token::Symbol('='), Token::Text(value)) => options.insert(key, Secret::new(value)),
            (Token::Symbol('='), Token::Number) => {
                return Err(format!(
                    "the value of \"{key}\" begins with a digit, \"-\" or \".\" and must be quoted"
                ));
            }
            _ => return Err(format!("option \"{key}\" has no value")),
        };
    }
}

fn is_control_flag(flag: &str) -> bool {
    ["required", "requisite", "sufficient", "optional"]
        .iter()
        .any(|known| flag.eq_ignore_ascii_case(known))
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A word or a quoted string.
    Text(String),
    Number,
    Symbol(char),
    End,
}

struct Tokens<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Tokens<'_> {
    fn next(&mut self) -> Token {
        self.skip_blanks_and_comments();
        match self.rest.next() {
            None => Token::End,
            Some(quote @ ('"' | '\'')) => Token::Text(self.quoted(quote)),
            Some('-') if !self.rest.peek().is_some_and(|c| is_numeric(*c) && *c != '-') => Token::Symbol('-'),
            Some(c) if is_numeric(c) => {
                while self.rest.next_if(|c| c.is_ascii_digit() || *c == '.').is_some() {}
                Token::Number
            }
            Some(c) if is_letter(c) => {
                let mut word = String::from(c);
                while let Some(c) = self.rest.next_if(|c| is_letter(*c) || is_numeric(*c)) {
                    word.push(c);
                }
                Token::Text(word)
            }
            Some(symbol) => Token::Symbol(symbol),
        }
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            while self.rest.next_if(|c| *c <= ' ').is_some() {}
            if self.rest.next_if_eq(&'/').is_none() {
                return;
            }
            if self.rest.next_if_eq(&'*').is_some() {
                let mut last = ' ';
                for c in self.rest.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            } else {
                while self.rest.next_if(|c| !is_line_end(*c)).is_some() {}
            }
        }
    }

    /// The rest of a quoted string; it ends at the quote or, Java's way, with the line.
    fn quoted(&mut self, quote: char) -> String {
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(|c| !is_line_end(*c)) {
            match c {
                '\\' => text.extend(self.escaped()),
                c if c == quote => break,
                c => text.push(c),
            }
        }
        text
    }

    /// What stands behind a backslash: a letter with a meaning, up to three octal digits, or itself.
    fn escaped(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        Some(match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '0'..='7' => {
                let digits = if c <= '3' { 2 } else { 1 };
                let mut code = u32::from(c) - u32::from('0');
                for _ in 0..digits {
                    let Some(digit) = self.rest.next_if(|c| matches!(c, '0'..='7')) else {
                        break;
                    };
                    code = code * 8 + u32::from(digit) - u32::from('0');
                }
                char::from_u32(code)?
            }
            other => other,
        })
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '-' | '_' | '$') || c >= '\u{a0}'
}

/// What begins a number, and may stand inside a word.
fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | '-')
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn from_hex(text: &str) -> String {
        let bytes = (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
        String::from_utf8(bytes.collect()).unwrap()
    }

    /// What Kafka's own `JaasContext` makes of each is written down by `Record.java` beside the cases.
    #[test]
    fn everything_means_what_it_means_to_kafka() {
        let recorded = include_str!("../../../tests/golden/jaas/cases.txt");
        for line in recorded.lines() {
            let (text, expected) = line.split_once(' ').unwrap();
            let text = from_hex(text);
            let ours = LoginModule::parse(&text).map_or("refused".to_owned(), |module| {
                let option =
                    |(key, value): (&String, &Secret)| format!("{}={},", hex(key), hex(value.reveal()));
                let options: Vec<String> = module.options.iter().map(option).collect();
                format!("{};{}", hex(&module.class), options.concat())
            });
            assert_eq!(ours, expected, "{text}");
        }
        assert!(recorded.lines().count() > 300);
    }

    fn hex(text: &str) -> String {
        text.bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat()
    }

    #[test]
    fn no_error_repeats_a_password() {
        for text in [
            "m required password=\"hunter2\"",
            "m required password=hunter2 x;",
            "m required p=hunter2 =;",
        ] {
            let refusal = LoginModule::parse(text).unwrap_err();
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", options in "m required [a-z=\"'\\\\/*; 0-9.-]{0,60}") {
            let _ = LoginModule::parse(&text);
            let _ = LoginModule::parse(&options);
        }
    }
}
