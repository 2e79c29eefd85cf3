//! What `dump-log --verify` shows: the findings of an audit, a line or a row each.
//!
//! Owns the layout; the words for each kind of problem are in `audit_words`.

use super::audit_words::{broker_would, problem_text};
use super::cells::{Cell, grouped};
use super::progress::FileProgress;
use super::rows::{Column, Rows, number, word};
use crate::error::Result;
use crate::log_audit::{AuditProgress, Finding};
use crate::output::{Format, Printer, plural};
use crate::storage::read_only::WalkProgress;
use crate::storage::read_only::log_dir_file::short_name;

const COLUMNS: &[Column] = &[
    number("POSITION", 10),
    word("PROBLEM", 40),
    number("LAST_GOOD_OFFSET", 16),
    word("BROKER", 20),
];

/// The report on an audit, written as it comes.
#[derive(Debug)]
pub struct AuditReport {
    rows: Rows,
}

impl AuditReport {
    /// Begins the report.
    pub fn begin(printer: &mut Printer) -> Result<Self> {
        let mut rows = Rows::new(printer.format());
        if printer.format() != Format::Table {
            rows.begin("", None, COLUMNS, printer.out())?;
        }
        Ok(Self { rows })
    }

    /// Writes one finding.
    pub fn finding(&mut self, finding: &Finding, printer: &mut Printer) -> Result<()> {
        if printer.format() == Format::Table {
            return printer.line(line(finding));
        }
        self.rows.go_on_with(&short_name(&finding.path));
        self.rows.row(&cells(finding), printer.out())
    }

    /// Ends the report: how many files were looked at, and how many problems they have.
    pub fn end(&mut self, files: u64, problems: u64, printer: &mut Printer) -> Result<()> {
        self.rows.end(printer.out())?;
        if problems == 0 && printer.format() == Format::Table {
            printer.line(format_args!("{}, nothing wrong", plural(files, "file")))?;
        }
        Ok(())
    }
}

fn line(finding: &Finding) -> String {
    let position = finding
        .position
        .map_or_else(String::new, |position| format!("byte {}: ", grouped(position)));
    let last = finding
        .last_good_offset
        .map_or_else(String::new, |offset| format!("; last good offset {offset}"));
    let broker = broker_would(finding).map_or_else(String::new, |does| format!("; a broker would {does}"));
    let file = short_name(&finding.path);
    format!(
        "{file}: {position}{}{last}{broker}",
        problem_text(&finding.problem)
    )
}

fn cells(finding: &Finding) -> [Cell; 4] {
    [
        finding.position.map_or(Cell::Nothing, Cell::from),
        problem_text(&finding.problem).into(),
        finding.last_good_offset.map_or(Cell::Nothing, Cell::Number),
        broker_would(finding).map_or(Cell::Nothing, Cell::Text),
    ]
}

/// A bar for each long log of an audit.
#[derive(Debug)]
pub struct AuditBars {
    is_quiet: bool,
    bar: Option<FileProgress>,
}

impl AuditBars {
    /// With `is_quiet` there are none.
    pub fn new(is_quiet: bool) -> Self {
        Self { is_quiet, bar: None }
    }
}

impl WalkProgress for AuditBars {
    fn at(&self, position: u64) {
        if let Some(bar) = &self.bar {
            bar.at(position);
        }
    }
}

impl AuditProgress for AuditBars {
    fn begin(&mut self, name: &str, length: u64) {
        self.bar = Some(FileProgress::new(length, name, self.is_quiet));
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}
