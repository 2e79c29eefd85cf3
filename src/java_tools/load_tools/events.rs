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
    serde_json::to_string(&text).unwrap_or_else(|_| "null".to_owned())
}
