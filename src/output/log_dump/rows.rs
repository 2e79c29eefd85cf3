//! Rows of dump-log as they come: aligned columns, JSON, JSON lines or tab-separated.
//!
//! Owns the layout. A dump may be longer than memory, so that columns take their widths from what is known before.

use std::io::Write;

use crate::error::Result;
use crate::internal_records::json;
use crate::output::Format;

/// A column: its heading (the JSON name is the same in lower case), and the least width of its cells.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub heading: &'static str,
    pub width: usize,
    /// Numbers stand right, words left.
    pub is_number: bool,
}

/// A right-aligned column.
pub const fn number(heading: &'static str, width: usize) -> Column {
    Column {
        heading,
        width,
        is_number: true,
    }
}

/// A left-aligned column.
pub const fn word(heading: &'static str, width: usize) -> Column {
    Column {
        heading,
        width,
        is_number: false,
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Number(i64),
    Text(String),
    Bool(bool),
    /// Nothing to say: a dash in a table, null in JSON.
    Nothing,
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Where rows go. JSON is one array over all tables, whose rows say which file they are of.
#[derive(Debug)]
pub struct Rows {
    format: Format,
    columns: Vec<Column>,
    file: String,
    any: bool,
}

impl Rows {
    pub fn new(format: Format) -> Self {
        Self {
            format,
            columns: Vec::new(),
            file: String::new(),
            any: false,
        }
    }

    /// Begins the table of a file; `title` is shown above it.
    pub fn begin(
        &mut self,
        file: &str,
        title: Option<&str>,
        columns: &[Column],
        out: &mut impl Write,
    ) -> Result<()> {
        file.clone_into(&mut self.file);
        self.columns = columns.to_vec();
        if self.format == Format::Table {
            if let Some(title) = title {
                writeln!(out, "{}{title}", if self.any { "\n" } else { "" })?;
            }
            let headings: Vec<String> = columns
                .iter()
                .enumerate()
                .map(|(at, column)| aligned(column.heading, column, at == 0))
                .collect();
            writeln!(out, "{}", headings.join("  ").trim_end())?;
            self.any = true;
        } else if self.format == Format::Tsv {
            let headings: Vec<&str> = columns.iter().map(|column| column.heading).collect();
            writeln!(out, "FILE\t{}", headings.join("\t"))?;
        }
        Ok(())
    }

    /// Goes on under the same columns with rows of another file.
    pub fn go_on_with(&mut self, file: &str) {
        file.clone_into(&mut self.file);
    }

    /// One row, as many cells as there are columns.
    pub fn row(&mut self, cells: &[Cell], out: &mut impl Write) -> Result<()> {
        match self.format {
            Format::Table | Format::Name => {
                let cells: Vec<String> = cells
                    .iter()
                    .zip(&self.columns)
                    .enumerate()
                    .map(|(at, (cell, column))| aligned(&shown(cell), column, at == 0))
                    .collect();
                writeln!(out, "{}", cells.join("  ").trim_end())?;
            }
            Format::Tsv => {
                let cells: Vec<String> = cells.iter().map(plain).collect();
                writeln!(out, "{}\t{}", self.file, cells.join("\t"))?;
            }
            Format::Json => {
                write!(out, "{}", if self.any { ",\n" } else { "[\n" })?;
                self.any = true;
                out.write_all(&self.object(cells))?;
            }
            Format::Jsonl => {
                let mut object = self.object(cells);
                object.push(b'\n');
                out.write_all(&object)?;
            }
        }
        Ok(())
    }

    /// The end of all tables.
    pub fn end(&self, out: &mut impl Write) -> Result<()> {
        if self.format == Format::Json {
            writeln!(out, "{}", if self.any { "\n]" } else { "[]" })?;
        }
        Ok(())
    }

    fn object(&self, cells: &[Cell]) -> Vec<u8> {
        let mut object = b"{\"file\":".to_vec();
        json::write_text(&self.file, &mut object);
        for (cell, column) in cells.iter().zip(&self.columns) {
            object.push(b',');
            json::write_text(&column.heading.to_lowercase().replace(' ', "_"), &mut object);
            object.push(b':');
            match cell {
                Cell::Number(number) => object.extend_from_slice(number.to_string().as_bytes()),
                Cell::Bool(value) => object.extend_from_slice(value.to_string().as_bytes()),
                Cell::Text(text) => json::write_text(text, &mut object),
                Cell::Nothing => object.extend_from_slice(b"null"),
            }
        }
        object.push(b'}');
        object
    }
}

/// The first column stands left whatever is in it: its width is a guess, and lines begin with no blanks.
fn aligned(text: &str, column: &Column, is_first: bool) -> String {
    let width = column.width.max(column.heading.len());
    if column.is_number && !is_first {
        format!("{text:>width$}")
    } else {
        format!("{text:<width$}")
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Nothing => "-".to_owned(),
        _ => plain(cell),
    }
}

fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.replace(['\t', '\n'], " "),
        Cell::Bool(value) => value.to_string(),
        Cell::Nothing => String::new(),
    }
}

/// A number with a space after each three digits, for people.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Milliseconds since 1970 as date and time in UTC; a dash for none.
pub fn time(milliseconds: i64) -> String {
    if milliseconds < 0 {
        return "-".to_owned();
    }
    match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        Err(_) => milliseconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1 000"),
            (40_231_193, "40 231 193"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
