//! The output of the verifiable tools: one JSON object a line, with the time and a name first.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Result;
use crate::output::Printer;

/// Prints an event and the fields that follow its time and name: `"count":3`, or none.
pub fn print(printer: &mut Printer, name: &str, fields: &str) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let comma = if fields.is_empty() { "" } else { "," };
    printer.line(format_args!(
        "{{\"timestamp\":{},\"name\":\"{name}\"{comma}{fields}}}",
        now.as_millis()
    ))?;
    printer.flush()
}

/// A text in JSON; null for `None`.
pub fn text(text: Option<&str>) -> String {
    let json = serde_json::to_string(&text).unwrap_or_else(|_| "null".to_owned());
    let mut out = String::with_capacity(json.len());
    let mut letters = json.chars();
    while let Some(letter) = letters.next() {
        out.push(letter);
        let Some(escaped) = (letter == '\\').then(|| letters.next()).flatten() else {
            continue;
        };
        out.push(escaped);
        if escaped == 'u' {
            // Java's library has capitals here.
            out.extend(letters.by_ref().take(4).map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `kafka-verifiable-consumer --verbose` of Apache Kafka 4.3.1 prints them.
    #[test]
    fn escapes_are_those_of_javas_library() {
        assert_eq!(text(Some("\u{1f}\t/\u{7f}")), "\"\\u001F\\t/\u{7f}\"");
        assert_eq!(text(Some("\\u00e9")), "\"\\\\u00e9\"");
        assert_eq!(text(None), "null");
    }
}
