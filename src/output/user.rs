//! Users with SCRAM passwords, one mechanism a row; and the result of a change to several of them.

use super::table::{Cell, Table, numbers, words};
use super::{Format, Printer};
use crate::client::admin::scram_users::ScramUser;
use crate::error::Result;

/// One mechanism of a user a row.
pub fn list(printer: &mut Printer, users: &[ScramUser]) -> Result<()> {
    printer.note_empty(users.is_empty(), "users");
    if printer.format() == Format::Name {
        return users.iter().try_for_each(|user| printer.line(&user.name));
    }
    table(users).print(printer)
}

/// The rows of the list.
pub fn table(users: &[ScramUser]) -> Table {
    let mut table = Table::new(&[
        words("USER", "user"),
        words("MECHANISM", "mechanism"),
        numbers("ITERATIONS", "iterations"),
        words("ERROR", "error").hides(),
    ]);
    for user in users {
        match &user.credentials {
            Ok(credentials) => {
                for (mechanism, iterations) in credentials {
                    table.row(vec![
                        Cell::text(&user.name),
                        Cell::text(mechanism.mechanism()),
                        Cell::number(*iterations),
                        Cell::text(""),
                    ]);
                }
            }
            Err(refusal) => table.row(vec![
                Cell::text(&user.name),
                Cell::unknown(),
                Cell::unknown(),
                Cell::text(refusal.to_string()),
            ]),
        }
    }
    table
}

/// The result of a change to several users: `done` in a sentence, `result` in a column.
pub fn outcomes(printer: &mut Printer, done: &str, users: &[String], result: &str) -> Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    if printer.format() == Format::Table {
        printer.note(format_args!("{done} {}", users.join(", ")));
        return Ok(());
    }
    let mut table = Table::new(&[words("USER", "user"), words("RESULT", "result")]);
    for user in users {
        table.row(vec![Cell::text(user), Cell::text(result)]);
    }
    table.print(printer)
}
