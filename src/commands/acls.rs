//! Access control lists: shown, added and removed. A change is shown before it is made, and can be undone by a file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::command::{Command, Needs};
use super::context::Context;
use super::undo_name;
use crate::client::admin::acls::{
    AccessControlEntry, Acl, AclFilter, CLUSTER_NAME, Operation, PatternType, Permission, ResourcePattern,
    ResourceType,
};
use crate::error::{Error, Result};
use crate::output::{acl as output, confirm, plural};
use crate::plain_words;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    List(Scope),
    Add(Change),
    Remove(Change),
}

/// Which ACLs are selected; a field without a value selects all.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// `User:alice`; empty: every principal.
    pub principals: Vec<String>,
    /// Empty: every host.
    pub hosts: Vec<String>,
    /// Empty: every operation.
    pub operations: Vec<Operation>,
    pub permission: Option<Permission>,
    /// Empty: every resource.
    pub resources: Vec<(ResourceType, String)>,
    /// `None`: every pattern type.
    pub pattern_type: Option<PatternType>,
    pub presets: Vec<Preset>,
}

/// The operations that a kind of client needs, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Writes to topics, and creates them; with a transactional id, also in transactions.
    Producer,
    /// Reads topics in groups.
    Consumer,
}

/// ACLs to add or to remove.
#[derive(Debug)]
pub struct Change {
    pub scope: Scope,
    /// A file of ACLs, instead of a scope.
    pub from: Option<PathBuf>,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
    pub undo: Option<PathBuf>,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Self::List(scope) => {
                let acls = present(context)?.into_iter();
                let chosen: Vec<Acl> = acls.filter(|acl| scope.covers(acl)).collect();
                output::list(&mut context.printer, &chosen)
            }
            Self::Add(change) => add(&change, context),
            Self::Remove(change) => remove(&change, context),
        }
    }
}

impl Preset {
    /// The operations that it allows on resources of a type.
    fn operations(self, resource_type: ResourceType) -> &'static [Operation] {
        use Operation::{Create, Describe, Read, Write};
        match (self, resource_type) {
            (Self::Producer, ResourceType::Topic) => &[Write, Describe, Create],
            (Self::Producer, ResourceType::TransactionalId) => &[Write, Describe],
            (Self::Consumer, ResourceType::Topic) => &[Read, Describe],
            (Self::Consumer, ResourceType::Group) => &[Read],
            _ => &[],
        }
    }
}

impl Scope {
    /// The operations selected on resources of a type; `None` is every one.
    fn operations_on(&self, resource_type: ResourceType) -> Option<Vec<Operation>> {
        let of_presets = self
            .presets
            .iter()
            .flat_map(|preset| preset.operations(resource_type));
        let named: Vec<Operation> = self.operations.iter().chain(of_presets).copied().collect();
        let is_limited = !self.operations.is_empty() || !self.presets.is_empty();
        is_limited.then_some(named)
    }

    /// Whether no field has a value, so that every ACL is selected.
    fn is_everything(&self) -> bool {
        self.principals.is_empty()
            && self.resources.is_empty()
            && self.operations.is_empty()
            && self.presets.is_empty()
            && self.hosts.is_empty()
            && self.permission.is_none()
    }

    fn covers(&self, acl: &Acl) -> bool {
        let (resource, entry) = (&acl.resource, &acl.entry);
        let is_resource = |(resource_type, name): &(ResourceType, String)| {
            *resource_type == resource.resource_type && *name == resource.name
        };
        let operations = self.operations_on(resource.resource_type);
        (self.principals.is_empty() || self.principals.contains(&entry.principal))
            && (self.hosts.is_empty() || self.hosts.contains(&entry.host))
            && operations.is_none_or(|operations| operations.contains(&entry.operation))
            && self
                .permission
                .is_none_or(|permission| permission == entry.permission)
            && (self.resources.is_empty() || self.resources.iter().any(is_resource))
            && self
                .pattern_type
                .is_none_or(|pattern_type| pattern_type == resource.pattern_type)
    }

    /// The ACLs that the scope spells out, each with all fields of an ACL.
    fn acls(&self) -> Vec<Acl> {
        let anywhere = ["*".to_owned()];
        let hosts = if self.hosts.is_empty() {
            &anywhere[..]
        } else {
            &self.hosts
        };
        let mut acls = Vec::new();
        for (resource_type, name) in &self.resources {
            let resource = ResourcePattern {
                resource_type: *resource_type,
                name: name.clone(),
                // There is one cluster, so that its name has no prefix.
                pattern_type: self
                    .pattern_type
                    .filter(|_| name != CLUSTER_NAME)
                    .unwrap_or(PatternType::Literal),
            };
            for operation in self.operations_on(*resource_type).unwrap_or_default() {
                for principal in &self.principals {
                    acls.extend(hosts.iter().map(|host| Acl {
                        resource: resource.clone(),
                        entry: AccessControlEntry {
                            principal: principal.clone(),
                            host: host.clone(),
                            operation,
                            permission: self.permission.unwrap_or(Permission::Allow),
                        },
                    }));
                }
            }
        }
        acls.sort();
        acls.dedup();
        acls
    }
}

/// All ACLs of the cluster.
fn present(context: &mut Context) -> Result<Vec<Acl>> {
    let acls = context.client.admin()?.describe_acls(&AclFilter::default())?;
    acls.map_err(|refusal| {
        let is_off = refusal.name() == "SECURITY_DISABLED";
        let error = Error::from(refusal).context("cannot list ACLs");
        if is_off {
            error.hint("the brokers need authorizer.class.name")
        } else {
            error
        }
    })
}

fn add(change: &Change, context: &mut Context) -> Result<()> {
    let wanted = match &change.from {
        Some(file) => read(file)?,
        None => change.scope.acls(),
    };
    if wanted.is_empty() {
        return Err(Error::usage("no ACL to add")
            .hint("it takes a principal, operations or a preset, and resources that they are for"));
    }
    let known = present(context)?;
    let new: Vec<Acl> = wanted.into_iter().filter(|acl| !known.contains(acl)).collect();
    if !agreed("add", &new, change, context)? {
        return Ok(());
    }
    let undo = write_undo("remove", &new, change, context)?;
    let outcomes = context.client.admin()?.create_acls(&new)?;
    let refusals: Vec<Error> = outcomes
        .into_iter()
        .zip(&new)
        .filter_map(|(outcome, acl)| Some(refused("add", acl, outcome.err()?.into())))
        .collect();
    tell("added", new.len() - refusals.len(), &undo, context);
    context.outcome_of(refusals)
}

fn remove(change: &Change, context: &mut Context) -> Result<()> {
    if change.from.is_none() && change.scope.is_everything() {
        return Err(Error::usage("no ACL is named")
            .hint("it takes a principal, a resource, an operation, a host or --from FILE"));
    }
    let known = present(context)?.into_iter();
    let gone: Vec<Acl> = match &change.from {
        Some(file) => {
            let named = read(file)?;
            known.filter(|acl| named.contains(acl)).collect()
        }
        None => known.filter(|acl| change.scope.covers(acl)).collect(),
    };
    if !agreed("remove", &gone, change, context)? {
        return Ok(());
    }
    let undo = write_undo("add", &gone, change, context)?;
    let filters: Vec<AclFilter> = gone.iter().map(AclFilter::of_acl).collect();
    let outcomes = context.client.admin()?.delete_acls(&filters)?;
    let mut refusals = Vec::new();
    for (outcome, acl) in outcomes.into_iter().zip(&gone) {
        let deleted = outcome.and_then(|acls| acls.into_iter().collect::<std::result::Result<Vec<_>, _>>());
        if let Err(refusal) = deleted {
            refusals.push(refused("remove", acl, refusal.into()));
        }
    }
    tell("removed", gone.len() - refusals.len(), &undo, context);
    context.outcome_of(refusals)
}

/// Shows what will change, and returns whether the user agrees.
fn agreed(verb: &str, acls: &[Acl], change: &Change, context: &mut Context) -> Result<bool> {
    if acls.is_empty() {
        context.printer.note(format_args!("there is nothing to {verb}"));
        return Ok(false);
    }
    let what = plural(acls.len() as u64, "ACL");
    if !change.is_dry_run && !change.is_sure && !confirm::can_ask() {
        return Err(
            Error::usage(format!("would {verb} {what}; without a terminal say --yes"))
                .hint("--dry-run shows which"),
        );
    }
    if change.is_dry_run || change.is_sure {
        output::list(&mut context.printer, acls)?;
    }
    if change.is_dry_run {
        context.printer.note(format_args!("would {verb} {what}"));
        return Ok(false);
    }
    if !change.is_sure {
        let question = format!("{}{} {what}?", verb[..1].to_uppercase(), &verb[1..]);
        context.consent(&output::aligned(acls), &question, "nothing changed")?;
    }
    Ok(true)
}

/// Writes the ACLs that will change to a file; returns the command that undoes the change.
fn write_undo(verb: &str, acls: &[Acl], change: &Change, context: &mut Context) -> Result<String> {
    context.printer.flush()?;
    let path = undo_name::write_new(change.undo.as_deref(), "acls", &output::json(acls))?;
    Ok(format!("kafkit acls {verb} --from {}", path.display()))
}

fn tell(verb: &str, count: usize, undo: &str, context: &mut Context) {
    let what = plural(count as u64, "ACL");
    context
        .printer
        .note(format_args!("{verb} {what}; the way back: {undo}"));
}

fn refused(verb: &str, acl: &Acl, error: Error) -> Error {
    let entry = &acl.entry;
    error.context(format_args!(
        "cannot {verb} the ACL of {} for {} {}",
        entry.principal,
        output::resource_word(acl.resource.resource_type),
        acl.resource.name
    ))
}

/// One ACL of a file, as `acls list -o json` prints it.
#[derive(Debug, Deserialize)]
struct Row {
    principal: String,
    permission: String,
    operation: String,
    resource_type: String,
    name: String,
    pattern: String,
    host: String,
}

/// The ACLs of a file.
fn read(path: &Path) -> Result<Vec<Acl>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::from(error).context(format_args!("cannot read {}", path.display())))?;
    let rows: Vec<Row> = serde_json::from_str(&text)
        .map_err(|error| Error::bad_data(format!("{}: {}", path.display(), plain_words::of_json(&error))))?;
    let mut acls = Vec::with_capacity(rows.len());
    for row in rows {
        let unknown = |what: &str, word: &str| {
            Error::bad_data(format!("{}: unknown {what} \"{word}\"", path.display()))
        };
        let operation = find(Operation::ALL, &row.operation, Operation::name);
        let resource_type = find(ResourceType::ALL, &row.resource_type, ResourceType::name);
        let pattern_type = find(PatternType::ALL, &row.pattern, PatternType::name);
        let permission = find(Permission::ALL, &row.permission, Permission::name);
        acls.push(Acl {
            resource: ResourcePattern {
                resource_type: resource_type.ok_or_else(|| unknown("resource type", &row.resource_type))?,
                pattern_type: pattern_type.ok_or_else(|| unknown("pattern", &row.pattern))?,
                name: row.name,
            },
            entry: AccessControlEntry {
                operation: operation.ok_or_else(|| unknown("operation", &row.operation))?,
                permission: permission.ok_or_else(|| unknown("permission", &row.permission))?,
                principal: row.principal,
                host: row.host,
            },
        });
    }
    Ok(acls)
}

/// The one of `all` whose name is `word`, in any spelling: `describe-configs`, `DescribeConfigs`, `DESCRIBE_CONFIGS`.
pub fn find<T: Copy>(all: &[T], word: &str, name: fn(T) -> &'static str) -> Option<T> {
    let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
    let wanted = plain(word);
    all.iter().copied().find(|known| plain(name(*known)) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            principals: vec!["User:alice".to_owned()],
            resources: vec![
                (ResourceType::Topic, "orders".to_owned()),
                (ResourceType::Group, "billing".to_owned()),
            ],
            presets: vec![Preset::Consumer],
            ..Scope::default()
        }
    }

    #[test]
    fn a_consumer_reads_topics_and_groups() {
        let acls = scope().acls();
        let shown: Vec<String> = acls
            .iter()
            .map(|acl| {
                let operation = output::operation_word(acl.entry.operation);
                format!("{operation} {}", acl.resource.name)
            })
            .collect();
        assert_eq!(shown, ["read orders", "describe orders", "read billing"]);
        assert!(acls.iter().all(|acl| scope().covers(acl)));
    }

    #[test]
    fn a_file_brings_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("acls.json");
        let acls = scope().acls();
        std::fs::write(&path, output::json(&acls)).unwrap();
        assert_eq!(read(&path).unwrap(), acls);
        std::fs::write(&path, r#"[{"principal":"User:a"}]"#).unwrap();
        assert!(read(&path).is_err());
    }
}
