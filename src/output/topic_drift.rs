//! How topics differ from their specification, or from those of another cluster; and the file for `topics apply`.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::table::{Cell, Table, words};
use super::{Format, Printer};
use crate::client::admin::topic_specs::TopicSpec;
use crate::error::Result;

/// What is done about a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Create,
    Set,
    Unset,
    Delete,
    /// Nothing, unless the user asks for it.
    Leave,
    /// Nothing, and why it is impossible.
    Never(&'static str),
    /// Nothing: two sides are only compared.
    Nothing,
}

impl Change {
    fn words(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Set => "set",
            Self::Unset => "unset",
            Self::Delete => "delete",
            Self::Leave => "leave (not in the file)",
            Self::Never(why) => why,
            Self::Nothing => "",
        }
    }
}

/// One difference.
#[derive(Debug)]
pub struct DriftRow {
    pub topic: String,
    pub what: String,
    pub is: Option<String>,
    pub wanted: Option<String>,
    pub change: Change,
}

/// One difference a row, under the headings of the two sides.
pub fn list(printer: &mut Printer, rows: &[DriftRow], sides: (&'static str, &'static str)) -> Result<()> {
    let mut table = Table::new(&[
        words("TOPIC", "topic"),
        words("WHAT", "what"),
        words(sides.0, if sides.0 == "IS" { "is" } else { "left" }),
        words(sides.1, if sides.0 == "IS" { "wanted" } else { "right" }),
        words("CHANGE", "change").hides(),
    ]);
    for row in rows {
        let side = |value: &Option<String>| match value {
            Some(value) => Cell::text(value),
            None => Cell::both("-", Value::Null),
        };
        table.row(vec![
            Cell::text(&row.topic),
            Cell::text(&row.what),
            side(&row.is),
            side(&row.wanted),
            Cell::text(row.change.words()),
        ]);
    }
    table.print(printer)
}

/// Topics as a file: TOML, or JSON where the user asked for it.
pub fn export(printer: &mut Printer, specs: &[TopicSpec]) -> Result<()> {
    match printer.format() {
        Format::Table | Format::Tsv => printer.text(toml(specs)),
        Format::Json => printer.json(&json!({ "topics": specs.iter().map(object).collect::<Vec<_>>() })),
        Format::Jsonl => specs.iter().try_for_each(|spec| printer.line(object(spec))),
        Format::Name => specs.iter().try_for_each(|spec| printer.line(&spec.name)),
    }
}

fn object(spec: &TopicSpec) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(spec.name));
    object.insert("partitions".to_owned(), json!(spec.partitions));
    object.insert("replication-factor".to_owned(), json!(spec.replication_factor));
    object.insert("configs".to_owned(), json!(spec.configs));
    Value::Object(object)
}

fn toml(specs: &[TopicSpec]) -> String {
    let quoted = |text: &str| toml_edit::Value::from(text).to_string();
    let mut text = String::new();
    for (place, spec) in specs.iter().enumerate() {
        let gap = if place == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{gap}[[topics]]\nname = {}", quoted(&spec.name));
        if let Some(partitions) = spec.partitions {
            let _ = writeln!(text, "partitions = {partitions}");
        }
        if let Some(replicas) = spec.replication_factor {
            let _ = writeln!(text, "replication-factor = {replicas}");
        }
        if !spec.configs.is_empty() {
            let _ = writeln!(text, "[topics.configs]");
        }
        for (name, value) in &spec.configs {
            let _ = writeln!(text, "{name} = {}", quoted(value));
        }
    }
    text
}
