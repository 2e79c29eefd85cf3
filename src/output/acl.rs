//! ACLs: one a row, and the same as JSON, which `kafkit acls add --from FILE` reads.

use serde_json::Value;

use super::Printer;
use super::table::{Cell, Table, words};
use crate::client::admin::acls::{Acl, Operation, PatternType, ResourceType};
use crate::error::Result;

/// One ACL a row.
pub fn list(printer: &mut Printer, acls: &[Acl]) -> Result<()> {
    printer.note_empty(acls.is_empty(), "ACLs");
    table(acls).print(printer)
}

/// The rows as a table, for a question; no line end after the last.
pub fn aligned(acls: &[Acl]) -> String {
    table(acls).aligned()
}

/// The text of a file of ACLs.
pub fn json(acls: &[Acl]) -> String {
    format!("{:#}", table(acls).objects().collect::<Value>())
}

fn table(acls: &[Acl]) -> Table {
    let mut table = Table::new(&[
        words("PRINCIPAL", "principal"),
        words("PERMISSION", "permission"),
        words("OPERATION", "operation"),
        words("RESOURCE", "resource_type"),
        words("NAME", "name"),
        words("PATTERN", "pattern"),
        words("HOST", "host"),
    ]);
    for acl in acls {
        table.row(vec![
            Cell::text(&acl.entry.principal),
            Cell::text(acl.entry.permission.name().to_lowercase()),
            Cell::text(operation_word(acl.entry.operation)),
            Cell::text(resource_word(acl.resource.resource_type)),
            Cell::text(&acl.resource.name),
            Cell::text(pattern_word(acl.resource.pattern_type)),
            Cell::text(&acl.entry.host),
        ]);
    }
    table
}

/// `describe-configs`.
pub fn operation_word(operation: Operation) -> String {
    spelled(operation.name())
}

/// `transactional-id`.
pub fn resource_word(resource_type: ResourceType) -> String {
    spelled(resource_type.name())
}

/// `literal`.
pub fn pattern_word(pattern_type: PatternType) -> String {
    spelled(pattern_type.name())
}

fn spelled(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}
