//! The options of `kafka-acls` as values: resources, and for each the entries that are added or removed.

use std::collections::{BTreeMap, BTreeSet};

use super::super::admin_tool::principals;
use super::super::option_parser::{OptionError, Parsed};
use super::End;
use crate::client::admin::acls::{
    AccessControlEntry, CLUSTER_NAME, Operation, PatternType, Permission, ResourcePattern, ResourceType,
};
use crate::commands::acls::find;

/// The entries of each resource; an empty set means every entry.
pub(super) type Bindings = BTreeMap<ResourcePattern, BTreeSet<AccessControlEntry>>;

/// An operation without a name; Java calls it unknown.
const UNKNOWN: Operation = Operation::Other(0);

/// The pattern type; Java converts every value before it refuses several.
pub(super) fn pattern_type(parsed: &Parsed) -> Result<PatternType, OptionError> {
    let option = "resource-pattern-type";
    let types = parsed.values(option).iter().map(|word| {
        let known = PatternType::ALL.iter().copied();
        let mut known = known.filter(|known| known.name().eq_ignore_ascii_case(word));
        known.next().ok_or_else(|| OptionError::CannotParse {
            option,
            argument: word.clone(),
        })
    });
    let types = types.collect::<Result<Vec<_>, _>>()?;
    match types[..] {
        [] => Ok(PatternType::Literal),
        [one] => Ok(one),
        _ => Err(OptionError::MultipleArguments(option)),
    }
}

/// The resources of the options.
pub(super) fn resources(parsed: &Parsed) -> Result<BTreeSet<ResourcePattern>, OptionError> {
    let pattern_type = pattern_type(parsed)?;
    let mut resources = BTreeSet::new();
    for (option, resource_type) in [
        ("topic", ResourceType::Topic),
        ("group", ResourceType::Group),
        ("transactional-id", ResourceType::TransactionalId),
        ("delegation-token", ResourceType::DelegationToken),
        ("user-principal", ResourceType::User),
    ] {
        resources.extend(parsed.values(option).iter().map(|name| ResourcePattern {
            resource_type,
            name: match resource_type {
                ResourceType::TransactionalId => name.clone(),
                _ => name.trim().to_owned(),
            },
            pattern_type,
        }));
    }
    let names_cluster = parsed.has("cluster") || parsed.has("idempotent");
    if pattern_type == PatternType::Literal && names_cluster {
        resources.insert(cluster());
    }
    Ok(resources)
}

fn cluster() -> ResourcePattern {
    ResourcePattern {
        resource_type: ResourceType::Cluster,
        name: CLUSTER_NAME.to_owned(),
        pattern_type: PatternType::Literal,
    }
}

/// The entries to add or to remove.
pub(super) fn bindings(parsed: &Parsed) -> Result<Bindings, End> {
    let mut bindings = Bindings::new();
    if !parsed.has("producer") && !parsed.has("consumer") {
        let entries = entries(parsed, &operations(parsed))?;
        for resource in named_resources(parsed)? {
            bindings.insert(resource, entries.clone());
        }
    }
    for preset in ["producer", "consumer"] {
        if !parsed.has(preset) {
            continue;
        }
        for resource in named_resources(parsed)? {
            if let Some(operations) = preset_operations(preset, &resource, parsed) {
                let entries = entries(parsed, operations)?;
                bindings.entry(resource).or_default().extend(entries);
            }
        }
    }
    check_operations(&bindings)?;
    Ok(bindings)
}

fn named_resources(parsed: &Parsed) -> Result<BTreeSet<ResourcePattern>, End> {
    let resources = resources(parsed)?;
    if resources.is_empty() {
        return Err(End::Usage(
            "You must provide at least one resource: --topic <topic> or --cluster or --group <group> or \
             --delegation-token <Delegation Token ID>"
                .to_owned(),
        ));
    }
    Ok(resources)
}

fn operations(parsed: &Parsed) -> Vec<Operation> {
    let words = parsed.values("operation");
    if words.is_empty() {
        return vec![Operation::All];
    }
    let read = |word: &String| find(Operation::ALL, word.trim(), Operation::name).unwrap_or(UNKNOWN);
    words.iter().map(read).collect()
}

/// The operations of a preset on a resource; `None` if the preset does not concern it.
fn preset_operations(
    preset: &str,
    resource: &ResourcePattern,
    parsed: &Parsed,
) -> Option<&'static [Operation]> {
    use Operation::{Create, Describe, IdempotentWrite, Read, Write};
    match (preset, resource.resource_type) {
        ("producer", ResourceType::Topic) => Some(&[Write, Describe, Create]),
        ("producer", ResourceType::TransactionalId) => Some(&[Write, Describe]),
        ("producer", ResourceType::Cluster) => parsed.has("idempotent").then_some(&[IdempotentWrite]),
        ("consumer", ResourceType::Topic) => Some(&[Read, Describe]),
        ("consumer", ResourceType::Group) => Some(&[Read]),
        _ => None,
    }
}

/// An entry for each principal, operation and host.
fn entries(parsed: &Parsed, operations: &[Operation]) -> Result<BTreeSet<AccessControlEntry>, String> {
    let mut entries = BTreeSet::new();
    for (principal_option, host_option, permission) in [
        ("allow-principal", "allow-host", Permission::Allow),
        ("deny-principal", "deny-host", Permission::Deny),
    ] {
        let principals = principals(parsed, principal_option)?;
        let anywhere = ["*".to_owned()];
        let hosts = match parsed.values(host_option) {
            [] => &anywhere[..],
            hosts => hosts,
        };
        for principal in &principals {
            for operation in operations {
                entries.extend(hosts.iter().map(|host| AccessControlEntry {
                    principal: principal.clone(),
                    host: host.trim().to_owned(),
                    operation: *operation,
                    permission,
                }));
            }
        }
    }
    Ok(entries)
}

fn check_operations(bindings: &Bindings) -> Result<(), End> {
    for (resource, entries) in bindings {
        let supported = supported(resource.resource_type);
        let is_foreign = |entry: &AccessControlEntry| {
            entry.operation != Operation::All && !supported.contains(&entry.operation)
        };
        if entries.iter().any(is_foreign) {
            let names: Vec<&str> = supported
                .iter()
                .chain([&Operation::All])
                .map(|operation| operation.name())
                .collect();
            return Err(End::Usage(format!(
                "ResourceType {} only supports operations [{}]",
                resource.resource_type.name(),
                names.join(", ")
            )));
        }
    }
    Ok(())
}

/// The operations on resources of a type, except "all".
fn supported(resource_type: ResourceType) -> &'static [Operation] {
    use Operation::{
        Alter, AlterConfigs, ClusterAction, Create, CreateTokens, Delete, Describe, DescribeConfigs,
        DescribeTokens, IdempotentWrite, Read, TwoPhaseCommit, Write,
    };
    match resource_type {
        ResourceType::Topic => &[
            Read,
            Write,
            Create,
            Describe,
            Delete,
            Alter,
            DescribeConfigs,
            AlterConfigs,
        ],
        ResourceType::Group => &[Read, Describe, Delete, DescribeConfigs, AlterConfigs],
        ResourceType::Cluster => &[
            Create,
            ClusterAction,
            DescribeConfigs,
            AlterConfigs,
            IdempotentWrite,
            Alter,
            Describe,
        ],
        ResourceType::TransactionalId => &[Describe, Write, TwoPhaseCommit],
        ResourceType::DelegationToken => &[Describe],
        ResourceType::User => &[CreateTokens, DescribeTokens],
        ResourceType::Other(_) => &[],
    }
}
