//! Numbers as in JSON: integers exactly, such as ids, and all others as floating point.

use std::cmp::Ordering;
use std::fmt;

/// A number that is not NaN.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Whole(i64),
    Float(f64),
}

impl Number {
    /// `7`, `-0.5`, `1e3`; `None` if it is not a number.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim();
        // Rust also parses words, such as infinity.
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
            return None;
        }
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        let float: f64 = text.parse().ok()?;
        float.is_finite().then_some(Self::Float(float))
    }

    /// Compares by value, regardless of the form.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.cmp(&other),
            (one, other) => one.float().total_cmp(&other.float()),
        }
    }

    fn float(self) -> f64 {
        match self {
            // Adding zero turns -0.0 into 0.
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => float + 0.0,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other) == Ordering::Equal
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => write!(f, "{whole}"),
            Self::Float(float) => write!(f, "{float:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let number = |text: &str| Number::parse(text.as_bytes()).unwrap();
        assert_eq!(number("7"), number("7.0"));
        assert_eq!(number("-0"), number("0.0"));
        assert_eq!(number("-0.0"), number("0"));
        assert_eq!(number("1e3"), number("1000"));
        assert!(
            number("9007199254740993") != number("9007199254740992"),
            "ids are exact"
        );
        assert_eq!(number("2").compare(number("10")), Ordering::Less);
        for text in ["", "x", "inf", "NaN", "1x", "--1", "1e999"] {
            assert_eq!(Number::parse(text.as_bytes()), None, "{text}");
        }
    }
}
