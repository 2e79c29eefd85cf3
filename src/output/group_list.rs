//! Consumer groups, one a row: state, type, members, lag; and the result of a change to several of them.

use serde_json::Value;

use super::table::{Cell, Table, numbers, words};
use super::{Format, Printer};
use crate::client::admin::group_overview::GroupSummary;
use crate::error::Result;

/// One group a row.
pub fn list(printer: &mut Printer, groups: &[GroupSummary]) -> Result<()> {
    printer.note_empty(groups.is_empty(), "groups");
    table(groups).print(printer)
}

/// The rows of the list.
pub fn table(groups: &[GroupSummary]) -> Table {
    let mut table = Table::new(&[
        words("GROUP", "group"),
        words("STATE", "state"),
        words("TYPE", "type"),
        words("PROTOCOL TYPE", "protocol_type"),
        numbers("MEMBERS", "members"),
        numbers("LAG", "lag"),
    ]);
    for group in groups {
        let listing = &group.listing;
        table.row(vec![
            Cell::text(&listing.id),
            Cell::text(listing.state.to_lowercase()),
            Cell::text(&listing.kind),
            match listing.protocol_type.as_str() {
                "" => Cell::both("-", Value::from("")),
                named => Cell::text(named),
            },
            Cell::or_unknown(members(group).map(Cell::number)),
            Cell::or_unknown(group.lag().map(Cell::number)),
        ]);
    }
    table
}

pub(super) fn members(group: &GroupSummary) -> Option<i64> {
    group.members.and_then(|members| i64::try_from(members).ok())
}

/// The result of a change to several groups: `done` in a sentence, `result` in a column.
pub fn outcomes(printer: &mut Printer, done: &str, groups: &[String], result: &str) -> Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    if printer.format() == Format::Table {
        printer.note(format_args!("{done} {}", groups.join(", ")));
        return Ok(());
    }
    let mut table = Table::new(&[words("GROUP", "group"), words("RESULT", "result")]);
    for group in groups {
        table.row(vec![Cell::text(group), Cell::text(result)]);
    }
    table.print(printer)
}
