//! The parts of an expression, and how it is printed: the printed text parses to the same expression.

use std::fmt;

use regex::bytes::Regex;

use super::json_path::{JsonPath, is_in_name};
use super::number::Number;

/// A condition on a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Exists(Field),
    Compare(Operand, Comparison, Operand),
    Matches(Field, Pattern),
    In(Field, Vec<Literal>),
}

impl Expression {
    /// All of these conditions together; `None` if there are none.
    pub fn all(expressions: impl IntoIterator<Item = Self>) -> Option<Self> {
        expressions
            .into_iter()
            .reduce(|one, other| Self::And(Box::new(one), Box::new(other)))
    }

    /// Whether the expression uses a field for which `is_it` is true.
    pub fn asks_for(&self, is_it: &dyn Fn(&Field) -> bool) -> bool {
        let of = |operand: &Operand| matches!(operand, Operand::Field(field) if is_it(field));
        match self {
            Self::And(one, other) | Self::Or(one, other) => one.asks_for(is_it) || other.asks_for(is_it),
            Self::Not(inner) => inner.asks_for(is_it),
            Self::Exists(field) | Self::Matches(field, _) | Self::In(field, _) => is_it(field),
            Self::Compare(one, _, other) => of(one) || of(other),
        }
    }
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A value inside the value's JSON.
    Path(JsonPath),
    /// The bytes of the value.
    Value,
    Key,
    /// The last header of this name.
    Header(String),
    Topic,
    Partition,
    Offset,
    /// Milliseconds since 1970.
    Time,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Field(Field),
    Literal(Literal),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Text(String),
    Number(Number),
    Bool(bool),
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Its spelling.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A compiled regular expression; equal to another one with the same text.
#[derive(Clone, Debug)]
pub struct Pattern(pub(super) Regex);

impl Pattern {
    /// Compiles it; the error says why it is invalid.
    pub fn new(text: &str) -> Result<Self, String> {
        Regex::new(text)
            .map(Self)
            .map_err(|error| crate::plain_words::of_pattern(&error))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(one, other) => write!(f, "({one} and {other})"),
            Self::Or(one, other) => write!(f, "({one} or {other})"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Exists(field) => write!(f, "exists {field}"),
            Self::Compare(one, comparison, other) => write!(f, "{one} {} {other}", comparison.sign()),
            Self::Matches(field, pattern) => write!(f, "{field} ~ {}", quoted(pattern.0.as_str())),
            Self::In(field, literals) => {
                write!(f, "{field} in (")?;
                for (place, literal) in literals.iter().enumerate() {
                    let comma = if place > 0 { ", " } else { "" };
                    write!(f, "{comma}{literal}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Value => f.write_str("value"),
            Self::Key => f.write_str("key"),
            Self::Header(name) if !name.is_empty() && name.chars().all(|c| is_in_name(c) || c == '.') => {
                // A dot at the end would be an incomplete path.
                if name.starts_with('.') || name.ends_with('.') {
                    write!(f, "headers.{}", quoted(name))
                } else {
                    write!(f, "headers.{name}")
                }
            }
            Self::Header(name) => write!(f, "headers.{}", quoted(name)),
            Self::Topic => f.write_str("topic"),
            Self::Partition => f.write_str("partition"),
            Self::Offset => f.write_str("offset"),
            Self::Time => f.write_str("time"),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Literal(literal) => literal.fmt(f),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Number(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Null => f.write_str("null"),
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
