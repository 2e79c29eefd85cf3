//! Client quotas, one a row: entity, quota, value.

use serde_json::{Value, json};

use super::Printer;
use super::table::{Cell, Table, numbers, size, words};
use crate::client::admin::quotas::{EntityQuotas, QuotaEntity, QuotaKind};
use crate::error::Result;

/// The name of the default entity, which applies to all without a quota of their own.
const THE_DEFAULT: &str = "<default>";

/// A quota before and after a change; `None` where there is no quota.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedQuota {
    pub name: String,
    /// In the unit of the quota: bytes a second, percent, mutations or connections a second.
    pub old: Option<f64>,
    pub new: Option<f64>,
}

/// One quota a row.
pub fn list(printer: &mut Printer, quotas: &[EntityQuotas]) -> Result<()> {
    printer.note_empty(quotas.is_empty(), "quotas");
    let mut table = Table::new(&[
        words("USER", "user").hides(),
        words("CLIENT", "client").hides(),
        words("IP", "ip").hides(),
        words("QUOTA", "quota"),
        numbers("VALUE", "value"),
    ]);
    for found in quotas {
        for (name, value) in &found.values {
            table.row(vec![
                part(&found.entity, QuotaKind::User),
                part(&found.entity, QuotaKind::ClientId),
                part(&found.entity, QuotaKind::Ip),
                Cell::text(name),
                amount(name, *value),
            ]);
        }
    }
    table.print(printer)
}

/// The quotas that change.
pub fn changes(printer: &mut Printer, rows: &[ChangedQuota]) -> Result<()> {
    let mut table = Table::new(&[
        words("QUOTA", "quota"),
        numbers("OLD", "old"),
        numbers("NEW", "new"),
    ]);
    for row in rows {
        let cell = |value: Option<f64>| {
            value.map_or_else(
                || Cell::both("none", Value::Null),
                |value| amount(&row.name, value),
            )
        };
        table.row(vec![Cell::text(&row.name), cell(row.old), cell(row.new)]);
    }
    table.print(printer)
}

/// `user alice, client <default>`.
pub fn phrase(entity: &QuotaEntity) -> String {
    let parts = entity.0.iter().map(|(kind, name)| {
        let kind = match kind {
            QuotaKind::User => "user",
            QuotaKind::ClientId => "client",
            QuotaKind::Ip => "ip",
        };
        format!("{kind} {}", name.as_deref().unwrap_or(THE_DEFAULT))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn part(entity: &QuotaEntity, kind: QuotaKind) -> Cell {
    match entity.0.iter().find(|(known, _)| *known == kind) {
        Some((_, name)) => Cell::text(name.as_deref().unwrap_or(THE_DEFAULT)),
        None => Cell::both("", Value::Null),
    }
}

fn amount(name: &str, value: f64) -> Cell {
    let human = if name.ends_with("_byte_rate") && value.is_finite() {
        format!("{}/s", size(value as i64))
    } else if name == "request_percentage" {
        format!("{value} %")
    } else {
        format!("{value}/s")
    };
    Cell::both(human, json!(value))
}
