//! The fault rules of the mini broker, one a row.

use super::table::{Cell, Table, numbers, words};
use super::{Format, Printer, plural};
use crate::error::Result;

/// A rule in force.
#[derive(Clone, Debug)]
pub struct ListedFault {
    pub id: u64,
    /// The rule in the spelling that adds it again.
    pub rule: String,
    /// How many requests it matched.
    pub matched: u64,
    /// How many of them it was applied to.
    pub hit: u64,
}

/// The rules in force, and on stderr the seed that repeats their random draws.
pub fn list(printer: &mut Printer, rules: &[ListedFault], seed: u64) -> Result<()> {
    let mut table = Table::new(&[
        numbers("ID", "id"),
        words("RULE", "rule"),
        numbers("MATCHED", "matched"),
        numbers("HIT", "hit"),
    ]);
    let number = |number: u64| Cell::number(i64::try_from(number).unwrap_or(i64::MAX));
    for rule in rules {
        table.row(vec![
            number(rule.id),
            Cell::text(&rule.rule),
            number(rule.matched),
            number(rule.hit),
        ]);
    }
    table.print(printer)?;
    if printer.format() == Format::Table {
        if rules.is_empty() {
            printer.note("no fault rules");
        } else {
            printer.note(format_args!("draws are those of --fault-seed {seed}"));
        }
    }
    Ok(())
}

/// The ids of the rules that were added.
pub fn added(printer: &mut Printer, ids: &[u64]) -> Result<()> {
    ids.iter().try_for_each(|id| printer.line(id))
}

/// How many rules were removed.
pub fn cleared(printer: &mut Printer, count: usize) {
    printer.note(format_args!("cleared {}", plural(count as u64, "fault rule")));
}
