//! The output of `kafka-acls`, to the letter.

use crate::client::admin::acls::{AccessControlEntry, ResourcePattern};

/// A resource, or the filter for it.
pub(super) fn resource(pattern: &ResourcePattern) -> String {
    format!(
        "ResourcePattern(resourceType={}, name={}, patternType={})",
        pattern.resource_type.name(),
        pattern.name,
        pattern.pattern_type.name()
    )
}

pub(super) fn entry(entry: &AccessControlEntry) -> String {
    format!(
        "(principal={}, host={}, operation={}, permissionType={})",
        entry.principal,
        entry.host,
        entry.operation.name(),
        entry.permission.name()
    )
}

/// One entry a line, after a tab.
fn entries<'a>(entries: impl IntoIterator<Item = &'a AccessControlEntry>) -> String {
    let lines: Vec<String> = entries
        .into_iter()
        .map(|found| format!("\t{}", entry(found)))
        .collect();
    lines.join("\n")
}

pub(super) fn adding(pattern: &ResourcePattern, added: &[AccessControlEntry]) -> String {
    let (resource, entries) = (resource(pattern), entries(added));
    format!("Adding ACLs for resource `{resource}`: \n {entries}\n")
}

pub(super) fn exists(pattern: &ResourcePattern, found: &AccessControlEntry) -> String {
    let (resource, entry) = (resource(pattern), entry(found));
    format!("Acl (pattern={resource}, entry={entry}) already exists.")
}

pub(super) fn current<'a>(
    pattern: &ResourcePattern,
    found: impl IntoIterator<Item = &'a AccessControlEntry>,
) -> String {
    let (resource, entries) = (resource(pattern), entries(found));
    format!("Current ACLs for resource `{resource}`:\n{entries}\n")
}

/// The question before something is removed; an empty set of entries means every one.
pub(super) fn question<'a>(
    pattern: &ResourcePattern,
    removed: impl IntoIterator<Item = &'a AccessControlEntry>,
) -> String {
    let (resource, entries) = (resource(pattern), entries(removed));
    if entries.is_empty() {
        return format!("Are you sure you want to delete all ACLs for resource filter `{resource}`? (y/n)");
    }
    format!("Are you sure you want to remove ACLs: \n {entries}\n from resource filter `{resource}`? (y/n)")
}
