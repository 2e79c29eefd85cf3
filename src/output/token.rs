//! Delegation tokens, one a row; and the result of a change to several of them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::table::{Cell, Table, words};
use super::{Format, Printer};
use crate::client::admin::delegation_tokens::DelegationToken;
use crate::error::Result;

/// One token a row; `shows_hmac`: with the secret that clients log in with.
pub fn list(printer: &mut Printer, tokens: &[DelegationToken], shows_hmac: bool) -> Result<()> {
    table(tokens, shows_hmac).print(printer)
}

/// The rows of the list.
pub fn table(tokens: &[DelegationToken], shows_hmac: bool) -> Table {
    let mut columns = vec![
        words("TOKEN", "token"),
        words("OWNER", "owner"),
        words("REQUESTER", "requester"),
        words("RENEWERS", "renewers"),
        words("ISSUED", "issued_ms"),
        words("EXPIRES", "expires_ms"),
        words("RENEWABLE UNTIL", "max_ms"),
    ];
    columns.extend(shows_hmac.then(|| words("HMAC", "hmac")));
    let mut table = Table::new(&columns);
    for token in tokens {
        let renewers = if token.renewers.is_empty() {
            Cell::both("-", Value::from(token.renewers.clone()))
        } else {
            Cell::both(token.renewers.join(","), Value::from(token.renewers.clone()))
        };
        let requester = (!token.requester.is_empty()).then(|| Cell::text(&token.requester));
        let mut row = vec![
            Cell::text(&token.id),
            Cell::text(&token.owner),
            Cell::or_unknown(requester),
            renewers,
            time(token.issued_ms),
            time(token.expires_ms),
            time(token.max_ms),
        ];
        row.extend(shows_hmac.then(|| Cell::text(token.hmac.reveal())));
        table.row(row);
    }
    table
}

/// `2026-11-21 09:21` in the user's time zone.
fn time(milliseconds: i64) -> Cell {
    let time = Timestamp::from_millisecond(milliseconds).ok();
    let local = time.map(|time| time.to_zoned(TimeZone::system()).strftime("%F %H:%M").to_string());
    Cell::both(local.unwrap_or_else(|| "-".to_owned()), Value::from(milliseconds))
}

/// The result of a change to several tokens: `done` in a sentence, `result` in a column.
pub fn outcomes(printer: &mut Printer, done: &str, ids: &[String], result: &str) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    if printer.format() == Format::Table {
        printer.note(format_args!("{done} {}", ids.join(", ")));
        return Ok(());
    }
    let mut table = Table::new(&[words("TOKEN", "token"), words("RESULT", "result")]);
    for id in ids {
        table.row(vec![Cell::text(id), Cell::text(result)]);
    }
    table.print(printer)
}
