//! A list of alike things in every form: aligned columns, JSON, JSON lines, tab-separated values, names.
//!
//! Owns the layout; what the columns are belongs to the file of each kind of thing. Numbers line up right, words
//! left, two spaces between columns, no lines. What a person reads (`1.1 GB`) and what a program reads
//! (1100000000) come out of the same cell.

use std::os::fd::AsFd;

use comfy_table::{Cell as Field, CellAlignment, ContentArrangement, Table as Layout, presets};
use serde_json::{Map, Value};

use super::fold::fold;
use super::log_dump::cells;
use super::printable::printable;
use super::{Format, Printer, yaml};
use crate::error::{Error, Result};

/// A column: its heading in the table and in tab-separated values, and its name in JSON.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub heading: &'static str,
    pub key: &'static str,
    /// Whether the values are numbers, and line up right.
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
    /// Left out of the table when no row has anything in it.
    #[must_use]
    pub const fn hides(mut self) -> Self {
        self.hides = true;
        self
    }
}

/// One value: for people, and for programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    human: String,
    exact: Value,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            human: on_one_line(&printable(&text)),
            exact: Value::from(text),
        }
    }

    pub fn number(number: impl Into<i64>) -> Self {
        let number = number.into();
        Self {
            human: number.to_string(),
            exact: Value::from(number),
        }
    }

    /// A number of bytes.
    pub fn bytes(bytes: i64) -> Self {
        Self {
            human: size(bytes),
            exact: Value::from(bytes),
        }
    }

    /// Words for people, and a value of any shape for programs.
    pub fn both(human: impl Into<String>, exact: Value) -> Self {
        Self {
            human: human.into(),
            exact,
        }
    }

    /// Broker ids and the like: `1,2,3`.
    pub fn list(items: &[i32]) -> Self {
        let words: Vec<String> = items.iter().map(ToString::to_string).collect();
        Self {
            human: words.join(","),
            exact: Value::from(items),
        }
    }

    /// Nothing known: a dash for people, null for programs.
    pub fn unknown() -> Self {
        Self {
            human: "-".to_owned(),
            exact: Value::Null,
        }
    }

    /// What people read.
    pub fn into_human(self) -> String {
        self.human
    }

    pub fn or_unknown(cell: Option<Self>) -> Self {
        cell.unwrap_or_else(Self::unknown)
    }
}

/// Alike things, one a row.
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
    pub fn objects(&self) -> Vec<Value> {
        let object = |row: &Vec<Cell>| {
            let pairs = self.columns.iter().zip(row);
            let pairs = pairs.map(|(column, cell)| (column.key.to_owned(), cell.exact.clone()));
            Value::Object(pairs.collect::<Map<String, Value>>())
        };
        self.rows.iter().map(object).collect()
    }

    /// Prints it as the user asked.
    pub fn print(&self, printer: &mut Printer) -> Result<()> {
        match printer.format() {
            Format::Table => printer.block(&self.aligned()),
            Format::Json => printer.json(&Value::Array(self.objects())),
            Format::Jsonl => self.objects().iter().try_for_each(|object| printer.line(object)),
            Format::Tsv => self.print_tsv(printer),
            Format::Name => self.rows.iter().try_for_each(|row| match row.first() {
                Some(cell) => printer.line(plain(&cell.exact)),
                None => Ok(()),
            }),
        }
    }

    /// The rows under their headings, without a line end after the last.
    pub fn aligned(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|place| self.is_shown(*place))
            .collect();
        let mut layout = Layout::new();
        layout
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(
                shown
                    .iter()
                    .filter_map(|place| self.columns.get(*place))
                    .map(|column| column.heading),
            );
        for row in &self.rows {
            let fields = shown.iter().filter_map(|place| row.get(*place));
            layout.add_row(fields.map(|cell| Field::new(&cell.human)));
        }
        for (column, place) in layout.column_iter_mut().zip(&shown) {
            column.set_padding((0, 2));
            if self.columns.get(*place).is_some_and(|column| column.is_number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        layout.trim_fmt()
    }

    fn is_shown(&self, place: usize) -> bool {
        let hides = self.columns.get(place).is_some_and(|column| column.hides);
        !hides
            || self
                .rows
                .iter()
                .any(|row| row.get(place).is_some_and(|cell| !cell.human.is_empty()))
    }

    fn print_tsv(&self, printer: &mut Printer) -> Result<()> {
        // The names of the JSON fields: they say the unit, as in LAG_MS, and hold no blanks.
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
            let fields: Vec<String> = row.iter().map(|cell| one_field(&plain(&cell.exact))).collect();
            printer.line(fields.join("\t"))?;
        }
        Ok(())
    }
}

/// A value as a program wants it outside of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A text in a row of its own: a name with line ends would tear the table apart.
fn on_one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\t', "\\t")
}

/// Tabs and line ends would be other fields and rows.
fn one_field(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

/// Bytes for people: `105 B`, `1.1 GB`, powers of 1000.
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

/// A number with a space after each three digits, for people: `18 204`.
pub fn grouped(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", cells::grouped(number.unsigned_abs()))
}

/// About how long ago, in the largest unit that fits: `41 s`, `3 d`.
pub fn age(millis: i64) -> String {
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)] {
        if millis >= length {
            return format!("{} {unit}", millis / length);
        }
    }
    format!("{} s", millis.max(0) / 1000)
}

/// A time span for people: `7 d`, `36 h`, `250 ms`.
pub fn span(millis: i64) -> String {
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)] {
        if millis >= length && millis % length == 0 {
            return format!("{} {unit}", millis / length);
        }
    }
    format!("{millis} ms")
}

/// The text as it is shown on stdout.
pub(super) fn fitted(text: &str) -> String {
    fitted_to(text, std::io::stdout())
}

/// The text for a screen as wide as that of `stream`; unchanged where there is none.
fn fitted_to(text: &str, stream: impl AsFd) -> String {
    let size = terminal_size::terminal_size_of(stream);
    size.map_or_else(
        || text.to_owned(),
        |(width, _)| fold(text, usize::from(width.0).max(1)),
    )
}

impl Printer {
    /// One JSON document, indented; or the same as YAML.
    pub fn json(&mut self, value: &Value) -> Result<()> {
        if self.is_yaml() {
            return self.text(yaml::document(value));
        }
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Error::from_cause(crate::error::Kind::Failed, error))?;
        self.line(text)
    }

    /// A table on stderr; not with `-q`.
    pub(super) fn note_block(&mut self, text: &str) {
        self.note(fitted_to(text, std::io::stderr()));
    }

    /// Lines for people; what is wrong stands out on a terminal.
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
    fn programs_get_exact_values() {
        assert_eq!(
            Value::Array(table().objects()).to_string(),
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
        assert_eq!(Cell::number(901_220).human, "901220");
        assert_eq!(count(18_204, "record"), "18 204 records");
    }
}
