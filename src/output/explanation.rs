//! Client settings with where they came from: one a row, those that are replaced below the one in force.

use serde_json::{Value, json};

use super::table::{Cell, Table, words};
use super::{Format, Printer};
use crate::client::settings::explanation::{Explained, Given};
use crate::error::Result;

/// One setting a row.
pub fn list(printer: &mut Printer, settings: &[Explained]) -> Result<()> {
    match printer.format() {
        Format::Name => settings.iter().try_for_each(|setting| printer.line(&setting.key)),
        Format::Table | Format::Tsv => table(settings).print(printer),
        Format::Json => {
            let all: Vec<Value> = settings.iter().map(json).collect();
            let text = serde_json::to_string_pretty(&all).unwrap_or_default();
            printer.line(text)
        }
        Format::Jsonl => settings
            .iter()
            .try_for_each(|setting| printer.line(json(setting))),
    }
}

fn table(settings: &[Explained]) -> Table {
    let mut table = Table::new(&[
        words("KEY", "key"),
        words("VALUE", "value"),
        words("FROM", "from"),
        words("BECOMES", "becomes"),
    ]);
    for setting in settings {
        table.row(row(&setting.key, &setting.given, &setting.effect));
        for other in &setting.overridden {
            table.row(row(&setting.key, other, "replaced by the one above"));
        }
    }
    table
}

fn row(key: &str, given: &Given, becomes: &str) -> Vec<Cell> {
    let value = match &given.reference {
        Some(reference) => format!("{reference} → {}", given.value),
        None => given.value.clone(),
    };
    vec![
        Cell::text(key),
        Cell::text(value),
        Cell::text(&given.origin),
        Cell::text(becomes),
    ]
}

fn json(setting: &Explained) -> Value {
    let mut value = given(&setting.given);
    if let Value::Object(fields) = &mut value {
        fields.shift_insert(0, "key".to_owned(), json!(setting.key));
        fields.insert("becomes".to_owned(), json!(setting.effect));
        let replaced: Vec<Value> = setting.overridden.iter().map(given).collect();
        fields.insert("replaces".to_owned(), Value::Array(replaced));
    }
    value
}

/// A secret has no value in JSON, not even the masked one of the table.
fn given(given: &Given) -> Value {
    json!({
        "value": if given.is_secret { Value::Null } else { json!(given.value) },
        "is_secret": given.is_secret,
        "reference": given.reference,
        "kind": given.kind,
        "from": given.origin,
    })
}
