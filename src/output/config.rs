//! Configs: where their values come from, what they decide, how they change and differ.

use serde_json::{Map, Value};

use super::table::{Cell, Table, words};
use super::{Format, Printer};
use crate::client::admin::config_details::ConfigDetail;
use crate::client::admin::configs::{ConfigEntry, ConfigSource};
use crate::error::Result;

/// One config a row.
pub fn list(printer: &mut Printer, configs: &[ConfigEntry]) -> Result<()> {
    let mut table = Table::new(&[
        words("CONFIG", "name"),
        words("VALUE", "value"),
        words("SOURCE", "source"),
        words("NOTE", "note").hides(),
    ]);
    for config in configs {
        table.row(vec![
            Cell::text(&config.name),
            match &config.value {
                Some(value) => Cell::text(value),
                None => Cell::unknown(),
            },
            Cell::text(source(config.source)),
            Cell::text(if config.is_sensitive { "secret" } else { "" }),
        ]);
    }
    table.print(printer)
}

/// A config before and after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and none decides another"
)]
pub struct ChangedConfig {
    pub name: String,
    /// The value in force before; `None` where the broker does not reveal it, or where there was none.
    pub old: Option<String>,
    pub old_source: ConfigSource,
    /// The value in force after the change; `None` where it is not known.
    pub new: Option<String>,
    /// Whether it was set for this very resource, not for a wider scope.
    pub was_own: bool,
    /// The same after the change.
    pub is_own_after: bool,
    /// Whether nothing changes.
    pub is_same: bool,
    pub is_secret: bool,
}

/// A config with two values that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub name: String,
    pub this: Option<String>,
    pub other: Option<String>,
}

/// Configs with all that is known of them; with their documentation below each, where that is asked for.
pub fn details(printer: &mut Printer, details: &[ConfigDetail], with_docs: bool) -> Result<()> {
    if with_docs && printer.format() == Format::Table {
        for (place, detail) in details.iter().enumerate() {
            if place > 0 {
                printer.line("")?;
            }
            printer.block(&block(detail))?;
        }
        return Ok(());
    }
    let columns = [
        words("CONFIG", "name"),
        words("VALUE", "value"),
        words("SOURCE", "source"),
        words("NOTE", "note").hides(),
        words("DOCUMENTATION", "documentation"),
    ];
    let shown = if with_docs {
        columns.len()
    } else {
        columns.len() - 1
    };
    let mut table = Table::new(columns.get(..shown).unwrap_or(&columns));
    for detail in details {
        let mut cells = vec![
            Cell::text(&detail.entry.name),
            Cell::or_unknown(detail.entry.value.as_ref().map(Cell::text)),
            Cell::text(source(detail.entry.source)),
            Cell::text(note(&detail.entry)),
            Cell::or_unknown(
                detail
                    .documentation
                    .as_deref()
                    .map(|html| Cell::text(plain_text(html))),
            ),
        ];
        cells.truncate(shown);
        table.row(cells);
    }
    table.print(printer)
}

/// The configs that change.
pub fn changes(printer: &mut Printer, rows: &[ChangedConfig]) -> Result<()> {
    changes_table(rows).print(printer)
}

/// The rows of `changes`.
pub fn changes_table(rows: &[ChangedConfig]) -> Table {
    let mut table = Table::new(&[
        words("CONFIG", "name"),
        words("OLD", "old"),
        words("NEW", "new"),
        words("NOTE", "note").hides(),
    ]);
    for row in rows {
        let cell = |value: &Option<String>, unknown: &str| match value {
            _ if row.is_secret => Cell::both("[hidden]", Value::Null),
            Some(value) => Cell::text(value),
            None => Cell::both(unknown, Value::Null),
        };
        // Brokers do not say what a topic's retention.ms would be without it: it comes from several settings.
        let after = if row.is_own_after { "-" } else { "default" };
        let mut notes = Vec::new();
        if !row.was_own {
            notes.push(format!("old: {}", source(row.old_source)));
        }
        if !row.is_own_after {
            notes.push("new: no longer set here".to_owned());
        }
        table.row(vec![
            Cell::text(&row.name),
            cell(&row.old, "-"),
            cell(&row.new, after),
            Cell::text(notes.join(", ")),
        ]);
    }
    table
}

/// The configs that differ between two resources, or from their defaults.
pub fn differences(printer: &mut Printer, rows: &[Difference], from_default: bool) -> Result<()> {
    let columns = if from_default {
        [
            words("CONFIG", "name"),
            words("VALUE", "value"),
            words("DEFAULT", "default"),
        ]
    } else {
        [
            words("CONFIG", "name"),
            words("THIS", "this"),
            words("OTHER", "other"),
        ]
    };
    let mut table = Table::new(&columns);
    for row in rows {
        table.row(vec![
            Cell::text(&row.name),
            Cell::or_unknown(row.this.as_ref().map(Cell::text)),
            Cell::or_unknown(row.other.as_ref().map(Cell::text)),
        ]);
    }
    table.print(printer)
}

fn note(entry: &ConfigEntry) -> &'static str {
    match (entry.is_sensitive, entry.is_read_only) {
        (true, true) => "secret, read-only",
        (true, false) => "secret",
        (false, true) => "read-only",
        (false, false) => "",
    }
}

/// `name=value`, its source, and its documentation below.
fn block(detail: &ConfigDetail) -> String {
    let entry = &detail.entry;
    let mut notes = vec![source(entry.source)];
    notes.extend(Some(note(entry)).filter(|note| !note.is_empty()));
    let value = entry.value.as_deref().unwrap_or("-");
    let mut text = format!("{}={value}   {}", entry.name, notes.join(", "));
    let documentation = detail
        .documentation
        .as_deref()
        .map(plain_text)
        .unwrap_or_default();
    for line in wrapped(&documentation) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    text
}

/// Columns of a line of documentation.
const DOCUMENTATION_WIDTH: usize = 98;

fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= DOCUMENTATION_WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The words of a piece of HTML, as Kafka's documentation uses it.
fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        // Only what begins like a tag is one: "a < b" is text.
        match tag.split_once('>') {
            Some((name, after))
                if name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/') =>
            {
                let is_break = ["p", "/p", "br", "br/", "li", "ul", "/ul", "/li"].contains(&name.trim());
                text.push_str(if is_break { " " } else { "" });
                rest = after;
            }
            _ => {
                text.push('<');
                rest = tag;
            }
        }
    }
    text.push_str(rest);
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// An object from names to values.
pub fn as_object(configs: &[ConfigEntry]) -> Value {
    let pairs = configs.iter();
    let pairs = pairs.map(|config| (config.name.clone(), Value::from(config.value.clone())));
    Value::Object(pairs.collect::<Map<String, Value>>())
}

fn source(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::Topic => "topic",
        ConfigSource::DynamicBroker => "broker",
        ConfigSource::DynamicDefaultBroker => "all brokers",
        ConfigSource::StaticBroker => "broker's file",
        ConfigSource::Default => "default",
        ConfigSource::BrokerLogger => "logger",
        ConfigSource::ClientMetrics => "client metrics",
        ConfigSource::Group => "group",
        ConfigSource::Other(_) => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_is_shown_without_its_tags() {
        assert_eq!(
            plain_text("The <code>max</code> of a &lt; b.<p>If x < y, see <a href=\"#z\">z</a>.</p>"),
            "The max of a < b. If x < y, see z."
        );
        assert_eq!(plain_text("a <"), "a <");
    }
}
