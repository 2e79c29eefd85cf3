//! Text to tokens, each with its position.

use super::expression::Comparison;
use super::json_path::{JsonPath, is_in_name, quoted};
use super::number::Number;

/// A word of the language.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// `and`, `key`, `partition`, …
    Word(String),
    /// `headers.` and the name after it.
    Header(String),
    Path(JsonPath),
    Text(String),
    Number(Number),
    Sign(Comparison),
    Tilde,
    /// A tilde after an exclamation mark.
    NotTilde,
    Open,
    Close,
    Comma,
}

/// The position in bytes, and the message.
pub(super) type Problem = (usize, String);

/// All tokens of a text with their positions in bytes.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Problem> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let (token, after) = token(first, rest).map_err(|(place, problem)| (at + place, problem))?;
        tokens.push((at, token));
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn token(first: char, text: &str) -> Result<(Token, &str), Problem> {
    if let Some((token, sign)) = sign(text) {
        return Ok((token, text.get(sign.len()..).unwrap_or_default()));
    }
    match first {
        '.' => JsonPath::parse(text).map(|(path, rest)| (Token::Path(path), rest)),
        '"' => match quoted(text) {
            Some((string, rest)) => Ok((Token::Text(string), rest)),
            None => Err((
                0,
                "this text has no end, or holds an escape that is none".to_owned(),
            )),
        },
        '\'' => {
            let inside = text.get(1..).unwrap_or_default();
            let (string, rest) = inside
                .split_once('\'')
                .ok_or_else(|| (0, "this text has no end".to_owned()))?;
            Ok((Token::Text(string.to_owned()), rest))
        }
        '0'..='9' | '-' => number(text),
        letter if letter.is_alphabetic() || letter == '_' => Ok(word(text)),
        '=' => Err((0, "= compares nothing; == does".to_owned())),
        '&' => Err((0, "it is written \"and\"".to_owned())),
        '|' => Err((0, "it is written \"or\"".to_owned())),
        '!' => Err((0, "it is written \"not\"".to_owned())),
        other => Err((0, format!("\"{other}\" has no meaning here"))),
    }
}

/// The sign at the beginning of a text.
fn sign(text: &str) -> Option<(Token, &'static str)> {
    const SIGNS: [(&str, Token); 12] = [
        ("==", Token::Sign(Comparison::Equal)),
        ("!=", Token::Sign(Comparison::NotEqual)),
        ("<=", Token::Sign(Comparison::LessOrEqual)),
        (">=", Token::Sign(Comparison::GreaterOrEqual)),
        ("<", Token::Sign(Comparison::Less)),
        (">", Token::Sign(Comparison::Greater)),
        ("!~", Token::NotTilde),
        // The spelling of Perl, awk and bash.
        ("=~", Token::Tilde),
        ("~", Token::Tilde),
        ("(", Token::Open),
        (")", Token::Close),
        (",", Token::Comma),
    ];
    SIGNS
        .into_iter()
        .find(|(sign, _)| text.starts_with(sign))
        .map(|(sign, token)| (token, sign))
}

fn number(text: &str) -> Result<(Token, &str), Problem> {
    let is_in_number = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let end = text.find(|c| !is_in_number(c)).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    match Number::parse(digits.as_bytes()) {
        Some(number) => Ok((Token::Number(number), rest)),
        None => Err((
            0,
            format!("\"{digits}\" is no number; texts and times stand in quotation marks"),
        )),
    }
}

fn word(text: &str) -> (Token, &str) {
    let end = text.find(|c| !is_in_name(c)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let header = rest
        .strip_prefix('.')
        .filter(|_| matches!(word, "headers" | "header"));
    let Some(header) = header else {
        return (Token::Word(word.to_owned()), rest);
    };
    if let Some((name, rest)) = quoted(header) {
        return (Token::Header(name), rest);
    }
    let is_in_header = |c: char| is_in_name(c) || c == '.';
    let end = header.find(|c| !is_in_header(c)).unwrap_or(header.len());
    let (name, rest) = header.split_at(end);
    (Token::Header(name.to_owned()), rest)
}
