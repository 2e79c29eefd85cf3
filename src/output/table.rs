//! A list of values of one kind in every format: aligned columns, JSON, JSON lines, tab-separated values, names.
//!
//! Owns the layout; the columns belong to the file of each kind of value. Numbers are aligned right, words left, two
//! spaces between columns, no ruled lines. A table's text (`1.1 GB`) and a program's value (1100000000) come out of the
//! same cell.

use std::borrow::Cow;
use std::os::fd::AsFd;

use comfy_table::{
    Cell as Field, CellAlignment, ColumnConstraint, ContentArrangement, Table as Layout, Width, presets,
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use super::fold::fold;
use super::log_dump::cells;
use super::printable::printable;
use super::{Format, Printer, yaml};
use crate::error::{Error, Result};

/// Rows that are laid out together: the layout of a row takes several times the memory of the row.
const ROWS_AT_ONCE: usize = 1000;

/// Blanks between columns.
const GUTTER: u16 = 2;

/// A column: its heading in the table and in tab-separated values, and its name in JSON.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub heading: &'static str,
    pub key: &'static str,
    /// Whether the values are numbers, which are aligned right.
    pub is_number: bool,
    /// Whether the column is left out of the table when it is empty in every row.
    pub hides: bool,
}

/// A column of words.
pub const fn words(heading: &'static str, key: &'static str) -> Column {
    Column {
        heading,
        key,
        is_number: false,
        hides: false,
    }
}

/// A column of numbers.
pub const fn numbers(heading: &'static str, key: &'static str) -> Column {
    Column {
        is_number: true,
        ..words(heading, key)
    }
}

impl Column {
    /// Leaves the column out of the table when it is empty in every row.
    #[must_use]
    pub const fn hides(mut self) -> Self {
        self.hides = true;
        self
    }
}

/// One value: as text, and for programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell(Content);

/// The content of a cell, in the form that takes the least memory: a large cluster has a million cells.
#[derive(Clone, Debug, PartialEq)]
enum Content {
    Unknown,
    Text(String),
    Number(i64),
    Bytes(i64),
    List(Box<[i32]>),
    Both(Box<(String, Value)>),
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self(Content::Text(text.into()))
    }

    pub fn number(number: impl Into<i64>) -> Self {
        Self(Content::Number(number.into()))
    }

    /// A number of bytes.
    pub fn bytes(bytes: i64) -> Self {
        Self(Content::Bytes(bytes))
    }

    /// Words for the table, and a value of any shape for programs.
    pub fn both(human: impl Into<String>, exact: Value) -> Self {
        Self(Content::Both(Box::new((human.into(), exact))))
    }

    /// Broker ids and the like: `1,2,3`.
    pub fn list(items: &[i32]) -> Self {
        Self(Content::List(items.into()))
    }

    /// Not known: a dash in the table, null for programs.
    pub fn unknown() -> Self {
        Self(Content::Unknown)
    }

    pub fn or_unknown(cell: Option<Self>) -> Self {
        cell.unwrap_or_else(Self::unknown)
    }

    /// The text in the table.
    pub fn human(&self) -> Cow<'_, str> {
        match &self.0 {
            Content::Unknown => Cow::Borrowed("-"),
            Content::Text(text) => on_one_line(printable(text)),
            Content::Number(number) => Cow::Owned(number.to_string()),
            Content::Bytes(bytes) => Cow::Owned(size(*bytes)),
            Content::List(items) => {
                let ids: Vec<String> = items.iter().map(ToString::to_string).collect();
                Cow::Owned(ids.join(","))
            }
            Content::Both(both) => Cow::Borrowed(&both.0),
        }
    }

    /// The value in JSON.
    fn exact(&self) -> Value {
        match &self.0 {
            Content::Unknown => Value::Null,
            Content::Text(text) => Value::from(text.as_str()),
            Content::Number(number) | Content::Bytes(number) => Value::from(*number),
            Content::List(items) => Value::from(&**items),
            Content::Both(both) => both.1.clone(),
        }
    }
}

/// Values of one kind, one a row.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows as JSON objects.
    pub fn objects(&self) -> impl Iterator<Item = Value> {
        self.rows.iter().map(|row| {
            let pairs = self.columns.iter().zip(row);
            let pairs = pairs.map(|(column, cell)| (column.key.to_owned(), cell.exact()));
            Value::Object(pairs.collect::<Map<String, Value>>())
        })
    }

    /// Prints it in the format that the user asked for.
    pub fn print(&self, printer: &mut Printer) -> Result<()> {
        match printer.format() {
            Format::Table => printer.block(&self.aligned()),
            Format::Json => printer.json(&Objects(self)),
            Format::Jsonl => self.objects().try_for_each(|object| printer.line(object)),
            Format::Tsv => self.print_tsv(printer),
            Format::Name => self.rows.iter().try_for_each(|row| match row.first() {
                Some(cell) => printer.line(plain(&cell.exact())),
                None => Ok(()),
            }),
        }
    }

    /// The rows under their headings, without a line end after the last.
    pub fn aligned(&self) -> String {
        let shown = self.columns.iter().enumerate();
        let shown: Vec<_> = shown
            .filter(|(place, column)| !column.hides || !self.is_empty_at(*place))
            .map(|(place, column)| (place, column, self.width_at(place, column.heading)))
            .collect();
        let parts = self.rows.chunks(ROWS_AT_ONCE).enumerate();
        let parts = parts.map(|(number, rows)| {
            let mut layout = Layout::new();
            layout
                .load_style(presets::NOTHING)
                .set_content_arrangement(ContentArrangement::Disabled);
            if number == 0 {
                layout.set_header(shown.iter().map(|(_, column, _)| column.heading));
            }
            for row in rows {
                let cells = shown.iter().filter_map(|(place, ..)| row.get(*place));
                layout.add_row(cells.map(|cell| Field::new(cell.human())));
            }
            for (field, (_, column, width)) in layout.column_iter_mut().zip(&shown) {
                field.set_padding((0, GUTTER));
                field.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*width)));
                if column.is_number {
                    field.set_cell_alignment(CellAlignment::Right);
                }
            }
            layout.trim_fmt()
        });
        parts.collect::<Vec<_>>().join("\n")
    }

    /// Whether a column is empty in every row.
    fn is_empty_at(&self, place: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(place));
        cells.all(|cell| cell.human().is_empty())
    }

    /// The width of a column on the screen, with the blanks that separate it from the next.
    fn width_at(&self, place: usize, heading: &str) -> u16 {
        let cells = self.rows.iter().filter_map(|row| row.get(place));
        let widest = cells.map(|cell| cell.human().width()).max().unwrap_or(0);
        let width = widest.max(heading.width()) + usize::from(GUTTER);
        u16::try_from(width).unwrap_or(u16::MAX)
    }

    fn print_tsv(&self, printer: &mut Printer) -> Result<()> {
        // The names of the JSON fields: they contain the unit, as in LAG_MS, and no blanks.
        let headings: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.key.to_uppercase())
            .collect();
        printer.line(headings.join("\t"))?;
        self.print_rows(printer)
    }

    /// Tab-separated values without a heading.
    pub(super) fn print_rows(&self, printer: &mut Printer) -> Result<()> {
        for row in &self.rows {
            let fields: Vec<String> = row.iter().map(|cell| one_field(&plain(&cell.exact()))).collect();
            printer.line(fields.join("\t"))?;
        }
        Ok(())
    }
}

/// The rows as one JSON array, made as it is written.
struct Objects<'a>(&'a Table);

impl Serialize for Objects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.objects())
    }
}

/// A JSON value as a program wants it outside of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A text on one line: line ends in a name would break the table.
fn on_one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(['\n', '\t']) {
        return Cow::Owned(text.replace('\n', "\\n").replace('\t', "\\t"));
    }
    text
}

/// Without tabs and line ends, which would begin other fields and rows.
fn one_field(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

/// A size in bytes: `105 B`, `1.1 GB`, powers of 1000.
pub fn size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes.unsigned_abs() < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while value.abs() >= 999.95 {
        let Some(next) = units.next() else { break };
        value /= 1000.0;
        unit = Some(next);
    }
    format!("{value:.1} {}", unit.unwrap_or(&"PB"))
}

/// `1 partition`, `2 partitions`.
pub fn count(number: i64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with a space after each three digits: `18 204`.
pub fn grouped(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", cells::grouped(number.unsigned_abs()))
}

/// A rough age in the largest unit that fits: `41 s`, `3 d`.
pub fn age(millis: i64) -> String {
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)] {
        if millis >= length {
            return format!("{} {unit}", millis / length);
        }
    }
    format!("{} s", millis.max(0) / 1000)
}

/// A time span: `7 d`, `36 h`, `250 ms`.
pub fn span(millis: i64) -> String {
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)] {
        if millis >= length && millis % length == 0 {
            return format!("{} {unit}", millis / length);
        }
    }
    format!("{millis} ms")
}

/// The text fitted to the width of stdout's screen.
pub(super) fn fitted(text: &str) -> String {
    fitted_to(text, std::io::stdout())
}

/// The text fitted to the width of the screen of `stream`; unchanged where that is not a terminal.
fn fitted_to(text: &str, stream: impl AsFd) -> String {
    let size = terminal_size::terminal_size_of(stream);
    size.map_or_else(
        || text.to_owned(),
        |(width, _)| fold(text, usize::from(width.0).max(1)),
    )
}

impl Printer {
    /// One JSON document, indented; or the same as YAML.
    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let unwritable = |error| Error::from_cause(crate::error::Kind::Failed, error);
        if self.is_yaml() {
            let value = serde_json::to_value(value).map_err(unwritable)?;
            return self.text(yaml::document(&value));
        }
        let text = serde_json::to_string_pretty(value).map_err(unwritable)?;
        self.line(text)
    }

    /// A table on stderr; not with `-q`.
    pub(super) fn note_block(&mut self, text: &str) {
        self.note(fitted_to(text, std::io::stderr()));
    }

    /// Lines of text; problems are emphasized on a terminal.
    pub fn block(&mut self, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let mut text = fitted(text);
        if !self.is_coloured() {
            return self.line(text);
        }
        for word in ["UNDER-REPLICATED", "UNDER-MIN-ISR", "NO LEADER", "OFFLINE"] {
            text = text.replace(word, &format!("\x1b[1;31m{word}\x1b[0m"));
        }
        self.line(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[
            words("NAME", "name"),
            numbers("RECORDS", "records"),
            numbers("SIZE", "size"),
            words("STATUS", "status").hides(),
        ]);
        table.row(vec![
            Cell::text("a"),
            Cell::number(5),
            Cell::bytes(1_100_000),
            Cell::text(""),
        ]);
        table.row(vec![
            Cell::text("longer"),
            Cell::unknown(),
            Cell::bytes(7),
            Cell::text(""),
        ]);
        table
    }

    #[test]
    fn columns_line_up_and_empty_ones_hide() {
        assert_eq!(
            table().aligned(),
            "NAME    RECORDS    SIZE\n\
             a             5  1.1 MB\n\
             longer        -     7 B"
        );
        let mut table = table();
        table.row(vec![
            Cell::text("b"),
            Cell::number(1),
            Cell::bytes(1),
            Cell::text("OFFLINE"),
        ]);
        assert!(table.aligned().lines().next().unwrap().ends_with("STATUS"));
    }

    #[test]
    fn a_row_is_one_line_whatever_stands_in_it() {
        let mut table = Table::new(&[words("GROUP", "group"), words("STATE", "state")]);
        table.row(vec![Cell::text("two\nlines"), Cell::text("empty")]);
        table.row(vec![Cell::text("日本"), Cell::text("stable")]);
        assert_eq!(
            table.aligned(),
            "GROUP       STATE\n\
             two\\nlines  empty\n\
             日本        stable"
        );
    }

    #[test]
    fn long_tables_line_up_from_the_first_row_to_the_last() {
        let mut table = Table::new(&[words("NAME", "name"), numbers("RECORDS", "records")]);
        for row in 0..2 * ROWS_AT_ONCE as i64 {
            table.row(vec![Cell::text("a"), Cell::number(row)]);
        }
        table.row(vec![Cell::text("the longest"), Cell::unknown()]);
        let text = table.aligned();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2 * ROWS_AT_ONCE + 2);
        assert_eq!(lines[0], "NAME         RECORDS");
        assert_eq!(lines[1], "a                  0");
        assert_eq!(lines[1 + ROWS_AT_ONCE], "a               1000");
        assert_eq!(lines[2 * ROWS_AT_ONCE + 1], "the longest        -");
    }

    #[test]
    fn programs_get_exact_values() {
        assert_eq!(
            table().objects().collect::<Value>().to_string(),
            r#"[{"name":"a","records":5,"size":1100000,"status":""},{"name":"longer","records":null,"size":7,"status":""}]"#
        );
    }

    #[test]
    fn sizes_and_spans_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (61_300_000_000, "61.3 GB"),
            (-1500, "-1.5 kB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(span(604_800_000), "7 d");
        assert_eq!(span(5_400_000), "90 min");
        assert_eq!(span(1), "1 ms");
        assert_eq!(age(3 * 86_400_000 + 5), "3 d");
        assert_eq!(age(41_900), "41 s");
        assert_eq!(age(-7), "0 s");
    }

    #[test]
    fn sentences_have_long_numbers_in_groups_and_tables_do_not() {
        assert_eq!(Cell::number(901_220).human(), "901220");
        assert_eq!(count(18_204, "record"), "18 204 records");
    }
}
