//! One value inside a JSON text, found without decoding what is beside it.
//!
//! Only the text up to the value is read: the rest need not even be JSON. Of several members with one name the first is
//! found.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr2;

/// The deepest nesting of a text. Skipping does not recurse, but a path does.
const DEEPEST: usize = 128;

/// `.user.id`, `.items[0].name`, `."odd name"`; `.` is the whole text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Member(String),
    /// The item of an array, from 0.
    Item(usize),
}

impl JsonPath {
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// Parses the path at the beginning of `text`, from its first dot on; returns the rest. The error is the place in
    /// bytes, and the problem there.
    pub fn parse(text: &str) -> Result<(Self, &str), (usize, String)> {
        let Some(mut rest) = text.strip_prefix('.') else {
            return Err((0, "a path begins with a dot".to_owned()));
        };
        let mut steps = Vec::new();
        let at = |rest: &str| text.len() - rest.len();
        let mut after_dot = true;
        loop {
            if steps.len() > DEEPEST {
                return Err((at(rest), "the path is too long".to_owned()));
            }
            if after_dot && rest.starts_with('"') {
                let (name, after) = quoted(rest).ok_or_else(|| (at(rest), NOT_CLOSED.to_owned()))?;
                steps.push(Step::Member(name));
                rest = after;
            } else if let Some(inside) = rest.strip_prefix('[') {
                let (number, after) = inside
                    .split_once(']')
                    .ok_or_else(|| (at(rest), "the bracket is not closed".to_owned()))?;
                let item = number.trim().parse();
                let item =
                    item.map_err(|_| (at(inside), "the items of an array are counted from 0".to_owned()));
                steps.push(Step::Item(item?));
                rest = after;
            } else if after_dot {
                let end = rest.find(|c| !is_in_name(c)).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if name.is_empty() {
                    // A dot alone is the whole text.
                    let is_whole = steps.is_empty();
                    return if is_whole {
                        Ok((Self::default(), rest))
                    } else {
                        Err((at(rest), "a name is missing after the dot".to_owned()))
                    };
                }
                steps.push(Step::Member(name.to_owned()));
                rest = after;
            }
            after_dot = false;
            if let Some(after) = rest.strip_prefix('.') {
                rest = after;
                after_dot = true;
            } else if !rest.starts_with('[') {
                return Ok((Self { steps }, rest));
            }
        }
    }

    /// The bytes of the value at the end of the path; `None` if there is none.
    pub fn find<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = text.trim_ascii_start();
        for step in &self.steps {
            rest = match step {
                Step::Member(name) => member(rest, name.as_bytes())?,
                Step::Item(number) => item(rest, *number)?,
            };
        }
        let length = length_of_value(rest)?;
        rest.get(..length)
    }
}

const NOT_CLOSED: &str = "the quotation mark is not closed";

/// The letters that a name may have without quotation marks.
pub(super) fn is_in_name(letter: char) -> bool {
    letter.is_alphanumeric() || "_-$@".contains(letter)
}

/// A JSON string at the beginning of `text`, and what follows it.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    let length = length_of_string(text.as_bytes())?;
    let (string, after) = text.split_at_checked(length)?;
    Some((serde_json::from_str(string).ok()?, after))
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.steps.first(), Some(Step::Member(_))) {
            f.write_str(".")?;
        }
        for step in &self.steps {
            match step {
                Step::Item(number) => write!(f, "[{number}]")?,
                Step::Member(name) if !name.is_empty() && name.chars().all(is_in_name) => {
                    write!(f, ".{name}")?;
                }
                Step::Member(name) => write!(f, ".{}", serde_json::Value::from(name.as_str()))?,
            }
        }
        Ok(())
    }
}

/// The text of a JSON string with its quotation marks; `None` if it is not a string.
pub fn string_of(json: &[u8]) -> Option<Cow<'_, str>> {
    let inside = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inside).is_none() {
        return std::str::from_utf8(inside).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice(json).ok().map(Cow::Owned)
}

/// The text after `name:` in the object at the beginning of `text`.
fn member<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = text.strip_prefix(b"{")?.trim_ascii_start();
    loop {
        let length = length_of_string(rest)?;
        let (key, after) = rest.split_at_checked(length)?;
        let value = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let bare = key.get(1..length - 1)?;
        let is_it = if memchr::memchr(b'\\', bare).is_none() {
            bare == name
        } else {
            string_of(key)?.as_bytes() == name
        };
        if is_it {
            return Some(value);
        }
        rest = behind_comma(value)?;
    }
}

/// The text from the item with this index on, in the array at the beginning of `text`.
fn item(text: &[u8], number: usize) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"[")?.trim_ascii_start();
    if rest.starts_with(b"]") {
        return None;
    }
    for _ in 0..number {
        rest = behind_comma(rest)?;
    }
    Some(rest)
}

/// The text after the value at the beginning and a comma.
fn behind_comma(text: &[u8]) -> Option<&[u8]> {
    let rest = text.get(length_of_value(text)?..)?.trim_ascii_start();
    Some(rest.strip_prefix(b",")?.trim_ascii_start())
}

/// The length of the JSON value at the beginning of `text`, in bytes.
fn length_of_value(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => length_of_string(text),
        b'{' | b'[' => length_of_nested(text),
        b',' | b':' | b'}' | b']' => None,
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace();
            Some(text.iter().position(is_end).unwrap_or(text.len()))
        }
    }
}

/// The length of the string with its quotation marks, in bytes.
fn length_of_string(text: &[u8]) -> Option<usize> {
    let mut position = 1;
    if text.first() != Some(&b'"') {
        return None;
    }
    loop {
        let rest = text.get(position..)?;
        let found = memchr2(b'"', b'\\', rest)?;
        if rest.get(found) == Some(&b'"') {
            return Some(position + found + 1);
        }
        // An escaped character never ends the string.
        position += found + 2;
    }
}

/// The length of an object or array up to its closing bracket, in bytes.
fn length_of_nested(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut position = 0;
    loop {
        match text.get(position)? {
            b'"' => {
                position += length_of_string(text.get(position..)?)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(position + 1);
                }
            }
            _ => {}
        }
        position += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str, text: &str) -> Option<String> {
        let (path, rest) = JsonPath::parse(path).unwrap();
        assert_eq!(rest, "");
        let found = path.find(text.as_bytes())?;
        Some(String::from_utf8_lossy(found).into_owned())
    }

    #[test]
    fn a_value_is_found_wherever_it_is() {
        let text =
            r#" {"a": 1, "b" : {"c":[10, {"d":"x\"}y"} ,30],"e":null}, "odd name":true, "ü":-1.5e3,"":{}} "#;
        for (path, value) in [
            (".a", Some("1")),
            (".b.c[0]", Some("10")),
            (".b.c[1].d", Some(r#""x\"}y""#)),
            (".b.c[2]", Some("30")),
            (".b.c[3]", None),
            (".b.c.d", None),
            (".b.e", Some("null")),
            (".a.x", None),
            (r#"."odd name""#, Some("true")),
            (r#".b."c"[2]"#, Some("30")),
            (".ü", Some("-1.5e3")),
            (r#"."""#, Some("{}")),
            (".nosuch", None),
        ] {
            assert_eq!(find(path, text).as_deref(), value, "{path}");
        }
        assert_eq!(find(".", " [1, 2] ").as_deref(), Some("[1, 2]"));
        assert_eq!(find(".[1]", "[1,[2]]").as_deref(), Some("[2]"));
        assert_eq!(find(".a", r#"{"\u0061":1}"#).as_deref(), Some("1"));
        for text in [
            "", "{", "[", "{\"a\"", "{\"a\":", "{\"a\":}", "x", "{\"a\\", "{a:1}", "[]",
        ] {
            assert_eq!(find(".a[0].b", text), None, "{text}");
        }
    }

    #[test]
    fn a_path_is_written_as_it_is_read() {
        for text in [".", ".a.b", ".[3]", ".a[0][1].b", r#"."x y".z"#, r#".""[1]"#] {
            let (path, rest) = JsonPath::parse(text).unwrap();
            assert_eq!((path.to_string().as_str(), rest), (text, ""));
        }
        for (text, place) in [
            ("", 0),
            ("a", 0),
            (".a.", 3),
            (".a[x]", 3),
            (".a[0", 2),
            (".a.\"b", 3),
        ] {
            assert_eq!(JsonPath::parse(text).unwrap_err().0, place, "{text}");
        }
    }
}
