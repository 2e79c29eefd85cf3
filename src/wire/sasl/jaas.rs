//! `sasl.jaas.config`: one login module with its options, in the syntax of Java's `StreamTokenizer`; and the files that
//! `java.security.auth.login.config` names, which have sections of such modules.
//!
//! The tokenizer has habits that look like mistakes and are kept: a word ends at the first character that is no
//! letter, digit, `.`, `-`, `_` or `$`, a lone `/` begins a comment, and a value that begins with a digit must be
//! quoted.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use crate::wire::secret::Secret;

/// A login module and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// A file of login modules: its sections in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFile(Vec<Section>);

/// The login modules under one name, `KafkaServer` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    pub modules: Vec<LoginModule>,
}

impl LoginFile {
    /// Reads any number of `name { class flag key=value … ; … };`. The error says what is wrong and repeats no value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens {
            rest: text.chars().peekable(),
        };
        let mut sections: Vec<Section> = Vec::new();
        while let Some(section) = section(&mut tokens)? {
            if sections.iter().any(|known| known.name == section.name) {
                return Err(format!("section {} is there twice", section.name));
            }
            sections.push(section);
        }
        Ok(Self(sections))
    }

    /// The first of these sections that exists.
    pub fn section(&self, names: &[&str]) -> Option<&Section> {
        let mut found = names.iter();
        found.find_map(|name| self.0.iter().find(|section| section.name == *name))
    }

    /// Replaces `${name}` with its value, as Java does with its system properties. The error names one that has no
    /// value.
    pub fn expand(&mut self, value_of: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        let modules = self.0.iter_mut().flat_map(|section| &mut section.modules);
        for value in modules.flat_map(|module| module.options.values_mut()) {
            if value.reveal().contains("${") {
                *value = Secret::new(expanded(value.reveal(), &value_of)?);
            }
        }
        Ok(())
    }
}

/// Kafka's login module of a mechanism, without its package.
pub fn module_class(mechanism: &str) -> &'static str {
    match mechanism {
        "PLAIN" => "PlainLoginModule",
        "OAUTHBEARER" => "OAuthBearerLoginModule",
        _ => "ScramLoginModule",
    }
}

impl Section {
    /// The module of this class without its package, or else the first.
    pub fn module(&self, simple_name: &str) -> Option<&LoginModule> {
        let mut modules = self.modules.iter();
        let fits = modules.find(|module| module.simple_name() == simple_name);
        fits.or(self.modules.first())
    }
}

fn expanded(value: &str, value_of: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            text.push_str("${");
            rest = after;
            continue;
        };
        text += &value_of(name).ok_or_else(|| format!("there is no system property {name}"))?;
        rest = behind;
    }
    Ok(text + rest)
}

/// The next section; `None` at the end.
fn section(tokens: &mut Tokens<'_>) -> Result<Option<Section>, String> {
    let name = match tokens.next() {
        Token::End => return Ok(None),
        Token::Text(name) => name,
        _ => return Err("the name of a section is missing".to_owned()),
    };
    let wrong = |what: &str| format!("section {name}: {what}");
    if tokens.next() != Token::Symbol('{') {
        return Err(wrong("\"{\" must stand after the name"));
    }
    let mut modules = Vec::new();
    loop {
        match tokens.next() {
            Token::Symbol('}') => break,
            Token::Text(class) => modules.push(module_of(class, tokens).map_err(|why| wrong(&why))?),
            Token::End => return Err(wrong("\"}\" is missing at the end")),
            _ => return Err(wrong("a login module must stand here")),
        }
    }
    if tokens.next() != Token::Symbol(';') {
        return Err(wrong("a semicolon must stand after \"}\""));
    }
    Ok(Some(Section { name, modules }))
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
    match tokens.next() {
        Token::End => Ok(None),
        Token::Text(class) => module_of(class, tokens).map(Some),
        _ => Err("it does not begin with a login module".to_owned()),
    }
}

/// What follows the class of a login module: `flag key=value … ;`.
fn module_of(class: String, tokens: &mut Tokens<'_>) -> Result<LoginModule, String> {
    match tokens.next() {
        Token::Text(flag) if is_control_flag(&flag) => {}
        _ => return Err(format!("\"required\" must stand after {class}")),
    }
    let mut options = BTreeMap::new();
    loop {
        let key = match tokens.next() {
            Token::Symbol(';') => return Ok(LoginModule { class, options }),
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

    /// What the characters after a backslash stand for: a letter with a meaning, up to three octal digits, or itself.
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

/// A character that may begin a number, and that a word may contain.
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

    /// `Record.java` beside the cases has recorded how Kafka's own `JaasContext` reads each.
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

    /// A file as in tutorials.
    const FILE: &str = "KafkaServer {\n  // brokers\n  org.apache.kafka.common.security.plain.PlainLoginModule required\n\
         username=\"admin\" user_admin=\"hunter2\";\n  \
         org.apache.kafka.common.security.scram.ScramLoginModule required;\n};\n\
         sasl_ssl.KafkaServer { a.b.PlainLoginModule required user_x=\"y\"; };\n\
         KafkaClient {\n  c.d.ScramLoginModule required username=\"${user.name}\" password=\"p${x\";\n};\n";

    #[test]
    fn a_file_has_sections_of_modules() {
        let mut file = LoginFile::parse(FILE).unwrap();
        let server = file.section(&["plaintext.KafkaServer", "KafkaServer"]).unwrap();
        assert_eq!(server.name, "KafkaServer");
        let plain = server.module("PlainLoginModule").unwrap();
        assert_eq!(plain.option("user_admin"), Some("hunter2"));
        assert!(server.module("ScramLoginModule").unwrap().options.is_empty());
        let own = file.section(&["sasl_ssl.KafkaServer", "KafkaServer"]).unwrap();
        assert_eq!(
            own.module("PlainLoginModule").unwrap().option("user_x"),
            Some("y")
        );
        file.expand(|name| (name == "user.name").then(|| "me".to_owned()))
            .unwrap();
        let client = file.section(&["KafkaClient"]).unwrap();
        let module = client.module("PlainLoginModule").unwrap();
        assert_eq!(
            (module.option("username"), module.option("password")),
            (Some("me"), Some("p${x"))
        );
        assert!(file.section(&["Client"]).is_none());
        assert!(!format!("{file:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_section_and_no_secret() {
        for (text, said) in [
            (
                "KafkaServer a",
                "section KafkaServer: \"{\" must stand after the name",
            ),
            (
                "S { a.B required p=\"hunter2\" };",
                "section S: \"}\" stands where an option's name should",
            ),
            (
                "S { a.B required p=\"hunter2\"; }",
                "section S: a semicolon must stand after \"}\"",
            ),
            (
                "S { a.B required p=\"hunter2\";",
                "section S: \"}\" is missing at the end",
            ),
            ("S { }; S { };", "section S is there twice"),
            ("7", "the name of a section is missing"),
        ] {
            assert_eq!(LoginFile::parse(text), Err(said.to_owned()), "{text}");
        }
        let mut file = LoginFile::parse("S { a.B required p=\"hunter2${nope}\"; };").unwrap();
        assert_eq!(
            file.expand(|_| None),
            Err("there is no system property nope".to_owned())
        );
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in "\\PC{0,60}", near in "[A-Z]? ?\\{? ?(m required [a-z=\"'/*; ]{0,20};)?[};]{0,3}") {
            let _ = LoginFile::parse(&text);
            let _ = LoginFile::parse(&near);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", options in "m required [a-z=\"'\\\\/*; 0-9.-]{0,60}") {
            let _ = LoginModule::parse(&text);
            let _ = LoginModule::parse(&options);
        }
    }
}
