//! Profiles: one a row, or the entries of one.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::table::{Cell, Table, words};
use super::{Format, Printer};
use crate::client::mini_place;
use crate::client::profile::{ConfigFile, DESCRIPTION, Profile};
use crate::client::settings::explanation::masked;
use crate::error::Result;

/// One profile a row.
pub fn list(printer: &mut Printer, profiles: &[Profile], current: Option<&Profile>) -> Result<()> {
    if printer.format() == Format::Name {
        return profiles
            .iter()
            .try_for_each(|profile| printer.line(&profile.written.name));
    }
    let mut table = Table::new(&[
        words("USED", "used"),
        words("NAME", "name"),
        words("BROKERS", "brokers"),
        words("SECURITY", "security"),
        words("DESCRIPTION", "description").hides(),
        words("FILE", "file"),
    ]);
    for profile in profiles {
        let is_current = current.is_some_and(|current| std::ptr::eq(current.written, profile.written));
        let value = |key: &str| profile.written.get(key);
        let place = format!("{}:{}", shown(&profile.file.path), profile.written.line);
        table.row(vec![
            Cell::both(if is_current { "*" } else { "" }, Value::Bool(is_current)),
            Cell::text(&profile.written.name),
            Cell::or_unknown(value("bootstrap.servers").map(Cell::text)),
            Cell::or_unknown(value("security.protocol").map(Cell::text)),
            Cell::text(value(DESCRIPTION).unwrap_or_default()),
            Cell::text(place),
        ]);
    }
    table.print(printer)
}

/// The entries of a profile, secrets masked.
pub fn entries(printer: &mut Printer, profile: &Profile) -> Result<()> {
    let entries = &profile.written.entries;
    if printer.format() == Format::Name {
        return entries.iter().try_for_each(|entry| printer.line(&entry.key));
    }
    if printer.format() == Format::Table {
        let doubt = if profile.is_trusted { "" } else { "   not trusted" };
        printer.line(format_args!(
            "{}   {}:{}{doubt}\n",
            profile.written.name,
            shown(&profile.file.path),
            profile.written.line
        ))?;
    }
    let mut table = Table::new(&[words("KEY", "key"), words("VALUE", "value")]);
    for entry in entries {
        table.row(vec![
            Cell::text(&entry.key),
            Cell::text(masked(&entry.key, &entry.value)),
        ]);
    }
    table.print(printer)
}

/// The settings of a file, a line each, for a question. Secrets are masked, and control characters are escaped.
pub fn written(file: &ConfigFile) -> String {
    let mut text = String::new();
    for profile in &file.profiles {
        for entry in &profile.entries {
            let value = masked(&entry.key, &entry.value);
            let _ = writeln!(
                text,
                "{}: {} = {}",
                entry.line,
                entry.key.escape_debug(),
                value.escape_debug()
            );
        }
    }
    text
}

/// A path as the user would write it.
pub fn shown(path: &Path) -> String {
    mini_place::shown(path)
}
