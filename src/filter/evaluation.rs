//! Whether a record matches a condition: pure, over borrowed bytes.
//!
//! A missing field is null. Values of different types are not equal, and neither is less than the other; but keys,
//! values and headers are bytes without a type, which are parsed as a number where they are compared with one.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::expression::{Comparison, Expression, Field, Literal, Operand};
use super::json_path::string_of;
use super::number::Number;

/// The fields of a record that expressions can use.
pub trait Fields {
    fn topic(&self) -> &str;
    fn partition(&self) -> i32;
    fn offset(&self) -> i64;
    /// Milliseconds since 1970; -1 without a time.
    fn time(&self) -> i64;
    fn key(&self) -> Option<&[u8]>;
    fn value(&self) -> Option<&[u8]>;
    /// The value of the last header of this name, which may be null; `None` without such a header.
    fn header(&self, name: &str) -> Option<Option<&[u8]>>;
}

/// The value of a field.
#[derive(Clone, Debug)]
enum Value<'a> {
    /// Missing, or null.
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    /// Without a type.
    Bytes(&'a [u8]),
    /// A JSON object or array.
    Nested(&'a [u8]),
}

impl Expression {
    /// Whether a record matches the condition.
    pub fn is_met(&self, record: &impl Fields) -> bool {
        match self {
            Self::And(one, other) => one.is_met(record) && other.is_met(record),
            Self::Or(one, other) => one.is_met(record) || other.is_met(record),
            Self::Not(inner) => !inner.is_met(record),
            Self::Exists(field) => exists(field, record),
            Self::Compare(one, comparison, other) => {
                compare(&operand(one, record), *comparison, &operand(other, record))
            }
            Self::Matches(field, pattern) => {
                text_of(field, record).is_some_and(|text| pattern.0.is_match(&text))
            }
            Self::In(field, literals) => {
                let value = value_of(field, record);
                literals
                    .iter()
                    .any(|literal| compare(&value, Comparison::Equal, &literal_value(literal)))
            }
        }
    }
}

fn exists(field: &Field, record: &impl Fields) -> bool {
    match field {
        Field::Path(path) => record.value().and_then(|value| path.find(value)).is_some(),
        Field::Value => record.value().is_some(),
        Field::Key => record.key().is_some(),
        Field::Header(name) => record.header(name).is_some(),
        Field::Time => record.time() >= 0,
        Field::Topic | Field::Partition | Field::Offset => true,
    }
}

impl Field {
    /// The value of the field in a record, as bytes: a JSON string without its quotation marks, everything else as it
    /// is written. `None` where it is null or missing.
    pub fn text<'a>(&self, record: &'a impl Fields) -> Option<Cow<'a, [u8]>> {
        text_of(self, record)
    }
}

/// The bytes that a pattern is matched against: a string without its quotation marks, everything else as it is written.
fn text_of<'a>(field: &Field, record: &'a impl Fields) -> Option<Cow<'a, [u8]>> {
    match field {
        Field::Path(path) => {
            let json = path.find(record.value()?)?;
            match string_of(json) {
                Some(Cow::Borrowed(text)) => Some(Cow::Borrowed(text.as_bytes())),
                Some(Cow::Owned(text)) => Some(Cow::Owned(text.into_bytes())),
                None if json == b"null" => None,
                None => Some(Cow::Borrowed(json)),
            }
        }
        Field::Value => record.value().map(Cow::Borrowed),
        Field::Key => record.key().map(Cow::Borrowed),
        Field::Header(name) => record.header(name)?.map(Cow::Borrowed),
        Field::Topic => Some(Cow::Borrowed(record.topic().as_bytes())),
        Field::Partition => Some(Cow::Owned(record.partition().to_string().into_bytes())),
        Field::Offset => Some(Cow::Owned(record.offset().to_string().into_bytes())),
        Field::Time => Some(Cow::Owned(record.time().to_string().into_bytes())),
    }
}

fn operand<'a>(operand: &'a Operand, record: &'a impl Fields) -> Value<'a> {
    match operand {
        Operand::Field(field) => value_of(field, record),
        Operand::Literal(literal) => literal_value(literal),
    }
}

fn literal_value(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Text(text) => Value::Text(Cow::Borrowed(text)),
        Literal::Number(number) => Value::Number(*number),
        Literal::Bool(truth) => Value::Bool(*truth),
        Literal::Null => Value::Null,
    }
}

fn value_of<'a>(field: &Field, record: &'a impl Fields) -> Value<'a> {
    let bytes = |bytes: Option<&'a [u8]>| bytes.map_or(Value::Null, Value::Bytes);
    match field {
        Field::Path(path) => {
            let json = record.value().and_then(|value| path.find(value));
            json.map_or(Value::Null, json_value)
        }
        Field::Value => bytes(record.value()),
        Field::Key => bytes(record.key()),
        Field::Header(name) => bytes(record.header(name).flatten()),
        Field::Topic => Value::Text(Cow::Borrowed(record.topic())),
        Field::Partition => Value::Number(Number::Whole(record.partition().into())),
        Field::Offset => Value::Number(Number::Whole(record.offset())),
        Field::Time => Value::Number(Number::Whole(record.time())),
    }
}

/// A JSON text as a value; invalid JSON is null.
fn json_value(json: &[u8]) -> Value<'_> {
    match json.first() {
        Some(b'"') => string_of(json).map_or(Value::Null, Value::Text),
        Some(b'{' | b'[') => Value::Nested(json),
        _ => match json {
            b"true" => Value::Bool(true),
            b"false" => Value::Bool(false),
            json => Number::parse(json).map_or(Value::Null, Value::Number),
        },
    }
}

fn compare(one: &Value<'_>, comparison: Comparison, other: &Value<'_>) -> bool {
    let order = order(one, other);
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// The order of two values of one type.
fn order(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    match (one, other) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => Some(one.compare(*other)),
        (Value::Text(one), Value::Text(other)) => Some(one.as_bytes().cmp(other.as_bytes())),
        (Value::Bytes(one), Value::Bytes(other)) | (Value::Nested(one), Value::Nested(other)) => {
            Some(one.cmp(other))
        }
        (Value::Bytes(one), Value::Text(other)) => Some((*one).cmp(other.as_bytes())),
        (Value::Text(one), Value::Bytes(other)) => Some(one.as_bytes().cmp(other)),
        (Value::Bytes(one), Value::Number(other)) => Number::parse(one).map(|one| one.compare(*other)),
        (Value::Number(one), Value::Bytes(other)) => Number::parse(other).map(|other| one.compare(other)),
        (Value::Bytes(bytes), Value::Bool(truth)) | (Value::Bool(truth), Value::Bytes(bytes)) => {
            (*bytes == truth.to_string().as_bytes()).then_some(Ordering::Equal)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::parse;

    struct Sample;

    impl Fields for Sample {
        fn topic(&self) -> &'static str {
            "orders"
        }
        fn partition(&self) -> i32 {
            3
        }
        fn offset(&self) -> i64 {
            42
        }
        fn time(&self) -> i64 {
            1_795_255_200_000
        }
        fn key(&self) -> Option<&[u8]> {
            Some(b"17")
        }
        fn value(&self) -> Option<&[u8]> {
            let json: &str = r#"{"id":7,"big":9007199254740993,"name":"Z\u00fcrich","tags":["a","b"],"gone":null,
                "ok":true,"price":1.50,"user":{"id":"u-1"}}"#;
            Some(json.as_bytes())
        }
        fn header(&self, name: &str) -> Option<Option<&[u8]>> {
            match name {
                "source" => Some(Some(b"web-1")),
                "empty" => Some(None),
                _ => None,
            }
        }
    }

    #[test]
    fn conditions_are_met_or_not() {
        for (condition, is_met) in [
            (".id == 7", true),
            (".id == 7.0", true),
            (".id == '7'", false),
            (".id != 8", true),
            (".id < 10 and .id >= 7", true),
            (".big == 9007199254740993", true),
            (".big == 9007199254740992", false),
            (".name == 'Zürich'", true),
            (".name ~ '^Z.r'", true),
            (".name > 'A'", true),
            (".tags[1] == 'b'", true),
            (".tags ~ 'a'", true),
            (".user.id in ('u-1', 'u-2')", true),
            (".user.id not in ('u-1', 'u-2')", false),
            (".price == 1.5", true),
            (".ok == true", true),
            (".ok == 'true'", false),
            (".gone == null", true),
            ("exists .gone", true),
            (".nosuch == null", true),
            ("exists .nosuch", false),
            (".nosuch == 7", false),
            (".nosuch != 7", true),
            (".nosuch < 7", false),
            (".gone ~ 'null'", false),
            (".id ~ '^7$'", true),
            ("key == 17", true),
            ("key == '17'", true),
            ("key > 5", true),
            ("key == 'x'", false),
            ("headers.source ~ '^web'", true),
            ("exists headers.empty", true),
            ("headers.empty == null", true),
            ("headers.nosuch exists", false),
            ("topic == 'orders' and partition == 3 and offset > 41", true),
            ("time == 1795255200000", true),
            ("value ~ 'u-1'", true),
            (".id == partition", false),
            ("not (.id == 7 or .id == 8)", false),
        ] {
            let expression = parse(condition, &|_| Err(String::new())).expect(condition);
            assert_eq!(expression.is_met(&Sample), is_met, "{condition}");
        }
    }
}
