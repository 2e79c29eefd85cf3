//! Rows of dump-log as they come: aligned columns, JSON, JSON lines or tab-separated.
//!
//! Owns the layout. A dump may be larger than memory, so that the widths of columns are fixed before the first row.

use std::io::{self, Write};

use super::cells::Cell;
use crate::error::Result;
use crate::internal_records::json;
use crate::output::Format;

/// A column: its heading (the JSON name is the same in lower case), and the least width of its cells.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub heading: &'static str,
    pub width: usize,
    /// Numbers are aligned right, words left.
    pub is_number: bool,
}

impl Column {
    /// The least width of its cells and its heading.
    fn room(&self) -> usize {
        self.width.max(self.heading.len())
    }
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

/// The layout of the rows of one file: enough to make text of rows on any thread.
#[derive(Clone, Debug)]
pub struct RowStyle {
    format: Format,
    columns: Vec<Column>,
    file: String,
    /// What a JSON object has before the value of each column.
    names: Vec<Vec<u8>>,
    /// Columns of the screen: a row that is wider continues on another line, with whole cells.
    screen: usize,
}

impl RowStyle {
    /// Appends one row, as many cells as there are columns, for [`Rows::write`].
    pub fn row(&self, cells: &[Cell], out: &mut Vec<u8>) {
        match self.format {
            Format::Table | Format::Name => self.aligned(cells, out),
            Format::Tsv => {
                out.extend_from_slice(self.file.as_bytes());
                for cell in cells {
                    out.push(b'\t');
                    cell.push(out);
                }
            }
            Format::Json => {
                out.extend_from_slice(BETWEEN_OBJECTS);
                return self.object(cells, out);
            }
            Format::Jsonl => self.object(cells, out),
        }
        out.push(b'\n');
    }

    /// The first column is aligned left even for numbers: its width is a guess, and lines do not begin with blanks.
    fn aligned(&self, cells: &[Cell], out: &mut Vec<u8>) {
        let mut taken = 0;
        for (at, (cell, column)) in cells.iter().zip(&self.columns).enumerate() {
            if at > 0 && taken + 2 + column.room() > self.screen {
                trim_end(out);
                out.push(b'\n');
                taken = 0;
            }
            if at > 0 {
                out.extend_from_slice(b"  ");
                taken += 2;
            }
            let start = out.len();
            if *cell == Cell::Nothing {
                out.push(b'-');
            } else {
                cell.push(out);
            }
            taken += pad(column, at > 0 && column.is_number, start, out);
        }
        trim_end(out);
    }

    fn object(&self, cells: &[Cell], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"file\":");
        json::write_text(&self.file, out);
        for (cell, name) in cells.iter().zip(&self.names) {
            out.extend_from_slice(name);
            cell.push_json(out);
        }
        out.push(b'}');
    }
}

fn trim_end(out: &mut Vec<u8>) {
    while out.last() == Some(&b' ') {
        out.pop();
    }
}

/// Fills a cell's text, which begins at `start`, up to its column's width, and returns how wide it is then.
fn pad(column: &Column, is_right: bool, start: usize, out: &mut Vec<u8>) -> usize {
    let text = out.get(start..).unwrap_or_default();
    let is_continued = |byte: &&u8| **byte & 0xC0 == 0x80;
    let shown = text.len() - text.iter().filter(is_continued).count();
    let blanks = column.room().saturating_sub(shown);
    out.resize(out.len() + blanks, b' ');
    if is_right && let Some(cell) = out.get_mut(start..) {
        cell.rotate_right(blanks);
    }
    shown + blanks
}

/// What separates the objects of a JSON array, and is written before each.
const BETWEEN_OBJECTS: &[u8] = b",\n";

/// Where rows are written. JSON is one array over all tables, in which each row names its file.
#[derive(Debug)]
pub struct Rows {
    style: RowStyle,
    any: bool,
}

impl Rows {
    pub fn new(format: Format) -> Self {
        Self {
            style: RowStyle {
                format,
                columns: Vec::new(),
                file: String::new(),
                names: Vec::new(),
                screen: terminal_size::terminal_size_of(io::stdout())
                    .map_or(usize::MAX, |(width, _)| usize::from(width.0)),
            },
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
        let style = &mut self.style;
        file.clone_into(&mut style.file);
        style.columns = columns.to_vec();
        style.names = columns.iter().map(json_name).collect();
        if style.format == Format::Table {
            if let Some(title) = title {
                writeln!(out, "{}{title}", if self.any { "\n" } else { "" })?;
            }
            let headings: Vec<Cell> = columns.iter().map(|column| Cell::Word(column.heading)).collect();
            let mut line = Vec::new();
            style.row(&headings, &mut line);
            out.write_all(&line)?;
            self.any = true;
        } else if style.format == Format::Tsv {
            let headings: Vec<&str> = columns.iter().map(|column| column.heading).collect();
            writeln!(out, "FILE\t{}", headings.join("\t"))?;
        }
        Ok(())
    }

    /// Continues under the same columns with rows of another file.
    pub fn go_on_with(&mut self, file: &str) {
        file.clone_into(&mut self.style.file);
    }

    /// The style of the table that has begun.
    pub fn style(&self) -> RowStyle {
        self.style.clone()
    }

    /// One row, as many cells as there are columns.
    pub fn row(&mut self, cells: &[Cell], out: &mut impl Write) -> Result<()> {
        let mut row = Vec::new();
        self.style.row(cells, &mut row);
        Ok(self.write(&row, out)?)
    }

    /// Whole rows that a [`RowStyle`] made.
    pub fn write(&mut self, mut rows: &[u8], out: &mut impl Write) -> io::Result<()> {
        if self.style.format == Format::Json
            && !self.any
            && let Some(objects) = rows.strip_prefix(BETWEEN_OBJECTS)
        {
            self.any = true;
            out.write_all(b"[\n")?;
            rows = objects;
        }
        out.write_all(rows)
    }

    /// The end of all tables.
    pub fn end(&self, out: &mut impl Write) -> Result<()> {
        if self.style.format == Format::Json {
            writeln!(out, "{}", if self.any { "\n]" } else { "[]" })?;
        }
        Ok(())
    }
}

fn json_name(column: &Column) -> Vec<u8> {
    let mut name = vec![b','];
    json::write_text(&column.heading.to_lowercase().replace(' ', "_"), &mut name);
    name.push(b':');
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cells_stand_in_their_columns_as_the_standard_library_aligns(
            name in "\\PC{0,12}", number in any::<i64>(), width in 0_usize..16,
        ) {
            let mut rows = Rows::new(Format::Table);
            let columns = [word("NAME", width), number_column(width), word("END", 3)];
            rows.begin("file", None, &columns, &mut Vec::new()).unwrap();
            let mut out = Vec::new();
            let cells = [Cell::Text(name.clone()), Cell::Number(number), Cell::Word("end")];
            rows.row(&cells, &mut out).unwrap();
            let width = width.max(4);
            let expected = format!("{name:<width$}  {number:>width$}  end\n");
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_row_wider_than_the_screen_goes_on_below() {
        let mut rows = Rows::new(Format::Table);
        rows.style.screen = 20;
        let mut out = Vec::new();
        let columns = [
            word("BATCH", 5),
            number("SIZE", 6),
            word("CODEC", 6),
            word("FLAGS", 9),
        ];
        rows.begin("file", None, &columns, &mut out).unwrap();
        let cells = [
            Cell::Number(0),
            Cell::Number(7),
            Cell::Word("zstd"),
            Cell::Word("compacted"),
        ];
        rows.row(&cells, &mut out).unwrap();
        let expected = "BATCH    SIZE\n  CODEC   FLAGS\n0           7\n  zstd    compacted\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    fn number_column(width: usize) -> Column {
        number("SIZE", width)
    }

    #[test]
    fn json_is_one_array_over_all_files_however_the_rows_come() {
        let mut rows = Rows::new(Format::Json);
        let mut out = Vec::new();
        rows.begin("a", None, &[number("SOME NUMBER", 0)], &mut out)
            .unwrap();
        let mut two = Vec::new();
        rows.style().row(&[Cell::Number(1)], &mut two);
        rows.style().row(&[Cell::Nothing], &mut two);
        rows.write(b"", &mut out).unwrap();
        rows.write(&two, &mut out).unwrap();
        rows.go_on_with("b");
        rows.row(&[Cell::Number(3)], &mut out).unwrap();
        rows.end(&mut out).unwrap();
        let array: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let expected = serde_json::json!([
            {"file": "a", "some_number": 1},
            {"file": "a", "some_number": null},
            {"file": "b", "some_number": 3},
        ]);
        assert_eq!(array, expected);
    }
}
