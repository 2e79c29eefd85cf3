//! JSON values as YAML 1.2, for `-o yaml`: blocks with two blanks a level, in the order of the JSON document.
//!
//! Texts that YAML would read as something other than a string (`no`, `1e3`, `~`) are quoted, with JSON's escapes.
//! <https://yaml.org/spec/1.2.2/>

use std::fmt::Write as _;

use serde_json::Value;

/// Words that a reader of YAML 1.1 or 1.2 takes for something other than a string.
const WORDS: &[&str] = &[
    "true", "false", "null", "yes", "no", "on", "off", "y", "n", ".nan", ".inf",
];

/// A document, with a line end after each line.
pub(super) fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Array(items) if !items.is_empty() => sequence(items, 0, &mut out),
        Value::Object(fields) if !fields.is_empty() => mapping(fields, 0, &mut out),
        flat => {
            out.push_str(&scalar(flat));
            out.push('\n');
        }
    }
    out
}

/// The items below each other; the content of the dash's line is already indented by two.
fn sequence(items: &[Value], indent: usize, out: &mut String) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            pad(indent, out);
        }
        out.push_str("- ");
        nested(item, indent + 2, out);
    }
}

fn mapping(fields: &serde_json::Map<String, Value>, indent: usize, out: &mut String) {
    for (place, (name, value)) in fields.iter().enumerate() {
        if place > 0 {
            pad(indent, out);
        }
        out.push_str(&text(name));
        out.push(':');
        if is_block(value) {
            out.push('\n');
            pad(indent + 2, out);
        } else {
            out.push(' ');
        }
        nested(value, indent + 2, out);
    }
}

fn nested(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() => sequence(items, indent, out),
        Value::Object(fields) if !fields.is_empty() => mapping(fields, indent, out),
        flat => {
            out.push_str(&scalar(flat));
            out.push('\n');
        }
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A value that fits on a line: JSON's form of anything but a string is also YAML.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        other => other.to_string(),
    }
}

/// A text as it is if no reader can take it for something other than a string.
fn text(text: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    let begins = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let is_plain =
        begins && text.bytes().all(is_word) && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_plain {
        text.to_owned()
    } else {
        let quoted = Value::from(text).to_string();
        quoted.chars().fold(String::new(), escaped)
    }
}

/// Escapes characters that JSON leaves as they are, but YAML wants escaped or older readers take for line ends.
fn escaped(mut text: String, letter: char) -> String {
    match letter {
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
            let _ = write!(text, "\\u{:04x}", u32::from(letter));
        }
        letter => text.push(letter),
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_are_indented_by_two() {
        let value = json!([
            { "name": "orders", "partitions": [{ "id": 0, "isr": [1, 2] }, { "id": 1, "isr": [] }], "configs": {} },
            { "name": "a b", "lag": null, "on": true, "text": "no" },
        ]);
        let wanted = "\
- name: orders
  partitions:
    - id: 0
      isr:
        - 1
        - 2
    - id: 1
      isr: []
  configs: {}
- name: \"a b\"
  lag: null
  \"on\": true
  text: \"no\"
";
        assert_eq!(document(&value), wanted);
        assert_eq!(document(&json!([])), "[]\n");
        assert_eq!(document(&json!("x")), "x\n");
    }

    /// Each is something other than a string, or ends a string, to some reader of YAML 1.1 or 1.2 unless it is quoted.
    #[test]
    fn what_could_be_taken_for_something_else_is_quoted() {
        for other in [
            "",
            " ",
            "no",
            "NULL",
            "~",
            "1",
            "1e3",
            "0x10",
            "-",
            "- a",
            "a: b",
            "a #b",
            "#",
            "&a",
            "*a",
            "!t",
            "%",
            "@",
            "`",
            "'",
            "[",
            "{",
            "?",
            "|",
            ">",
            ".5",
            "=",
            "<<",
            "0o7",
            "1_000",
            "12:30:45",
            "2024-01-01",
            "-.inf",
            "é",
        ] {
            assert_eq!(text(other), format!("\"{other}\""));
        }
        for (other, quoted) in [
            ("\"", r#""\"""#),
            ("a\\b", r#""a\\b""#),
            ("a\nb\t", r#""a\nb\t""#),
            ("\0", r#""\u0000""#),
            ("\u{85}\u{2028}\u{feff}", r#""\u0085\u2028\ufeff""#),
        ] {
            assert_eq!(text(other), quoted);
        }
        for plain in ["a", "orders", "retention.ms", "a/b-c_d", "_x", "Stable", "notes"] {
            assert_eq!(text(plain), plain);
        }
    }
}
