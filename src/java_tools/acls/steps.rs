//! The steps of `kafka-acls`, in the order of Apache Kafka's own tool.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal};

use super::super::admin_tool::{Failure, principals, refusal_message};
use super::super::option_parser::Parsed;
use super::bindings::{self, Bindings};
use super::{End, words};
use crate::client::admin::acls::{AccessControlEntry, Acl, AclFilter, PatternType, ResourcePattern};
use crate::commands::context::Context;
use crate::error::Error;

/// The message of Java's tool if it has to ask without a terminal.
const NO_CONSOLE: &str = "Cannot invoke \"java.io.Console.readLine()\" because the return value of \
                          \"java.lang.System.console()\" is null";

pub(super) fn run(parsed: &Parsed, context: &mut Context) -> Result<(), End> {
    let outcome = if parsed.has("add") {
        add(parsed, context)
    } else if parsed.has("remove") {
        remove(parsed, context)
    } else {
        list(parsed, context)
    };
    let flushed = context.printer.flush();
    outcome.and(flushed.map_err(|error| printing(&error)))
}

fn add(parsed: &Parsed, context: &mut Context) -> Result<(), End> {
    let pattern_type = bindings::pattern_type(parsed)?;
    if matches!(pattern_type, PatternType::Any | PatternType::Match) {
        let name = pattern_type.name();
        return Err(End::Usage(format!(
            "A '--resource-pattern-type' value of '{name}' is not valid when adding acls."
        )));
    }
    let wanted = bindings::bindings(parsed)?;
    if wanted.values().any(BTreeSet::is_empty) {
        return Err(End::Usage(
            "You must specify one of: --allow-principal, --deny-principal when trying to add ACLs."
                .to_owned(),
        ));
    }
    for (resource, entries) in wanted {
        add_to(&resource, entries, context)?;
    }
    Ok(())
}

fn add_to(
    resource: &ResourcePattern,
    entries: BTreeSet<AccessControlEntry>,
    context: &mut Context,
) -> Result<(), End> {
    let known = describe(&AclFilter::of_resource(resource), context)?;
    let mut new = Vec::new();
    for entry in entries {
        if known.iter().any(|acl| acl.entry == entry) {
            say(&words::exists(resource, &entry), context)?;
        } else {
            new.push(entry);
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    say(&words::adding(resource, &new), context)?;
    let acls: Vec<Acl> = new
        .into_iter()
        .map(|entry| Acl {
            resource: resource.clone(),
            entry,
        })
        .collect();
    let outcomes = context.client.admin().and_then(|admin| admin.create_acls(&acls));
    let outcomes = outcomes.map_err(|error| Failure::executing(&error, "createAcls"))?;
    match outcomes.into_iter().find_map(Result::err) {
        Some(refusal) => Err(Failure::of(refusal_message(&refusal)).into()),
        None => Ok(()),
    }
}

fn list(parsed: &Parsed, context: &mut Context) -> Result<(), End> {
    let resources = bindings::resources(parsed)?;
    let principals = principals(parsed, "principal")?;
    let mut acls: Vec<Acl> = Vec::new();
    if resources.is_empty() {
        acls = describe(&AclFilter::default(), context)?;
    }
    for resource in &resources {
        acls.extend(describe(&AclFilter::of_resource(resource), context)?);
    }
    let mut found = Bindings::new();
    for acl in acls {
        found.entry(acl.resource).or_default().insert(acl.entry);
    }
    if principals.is_empty() {
        return print(&found, |_| true, context);
    }
    let distinct: BTreeSet<&String> = principals.iter().collect();
    for principal in distinct {
        say(&format!("ACLs for principal `{principal}`"), context)?;
        print(&found, |entry| entry.principal == *principal, context)?;
    }
    Ok(())
}

fn print(
    found: &Bindings,
    is_shown: impl Fn(&AccessControlEntry) -> bool,
    context: &mut Context,
) -> Result<(), End> {
    for (resource, entries) in found {
        let shown: Vec<&AccessControlEntry> = entries.iter().filter(|entry| is_shown(entry)).collect();
        if !shown.is_empty() {
            say(&words::current(resource, shown), context)?;
        }
    }
    Ok(())
}

fn remove(parsed: &Parsed, context: &mut Context) -> Result<(), End> {
    let wanted: BTreeMap<_, _> = bindings::bindings(parsed)?;
    for (resource, entries) in &wanted {
        if !parsed.has("force") {
            say(&words::question(resource, entries), context)?;
            context.printer.flush().map_err(|error| printing(&error))?;
            if !says_yes()? {
                continue;
            }
        }
        let of_entry = |entry: &AccessControlEntry| {
            AclFilter::of_acl(&Acl {
                resource: resource.clone(),
                entry: entry.clone(),
            })
        };
        let filters = if entries.is_empty() {
            vec![AclFilter::of_resource(resource)]
        } else {
            entries.iter().map(of_entry).collect()
        };
        let outcomes = context
            .client
            .admin()
            .and_then(|admin| admin.delete_acls(&filters));
        let outcomes = outcomes.map_err(|error| Failure::executing(&error, "deleteAcls"))?;
        for outcome in outcomes {
            let deleted = outcome.and_then(|acls| acls.into_iter().collect::<Result<Vec<_>, _>>());
            deleted.map_err(|refusal| Failure::of(refusal_message(&refusal)))?;
        }
    }
    Ok(())
}

fn says_yes() -> Result<bool, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure {
            why: Some("there is no terminal to ask; --force removes without asking".to_owned()),
            ..Failure::of(NO_CONSOLE)
        });
    }
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::of(error.to_string()))?;
    Ok(answer.trim_end_matches(['\r', '\n']).eq_ignore_ascii_case("y"))
}

fn describe(filter: &AclFilter, context: &mut Context) -> Result<Vec<Acl>, Failure> {
    let answer = context
        .client
        .admin()
        .and_then(|admin| admin.describe_acls(filter));
    let answer = answer.map_err(|error| Failure::executing(&error, "describeAcls"))?;
    answer.map_err(|refusal| Failure::of(refusal_message(&refusal)))
}

fn say(text: &str, context: &mut Context) -> Result<(), End> {
    context.printer.line(text).map_err(|error| printing(&error))
}

fn printing(error: &Error) -> End {
    Failure::printing(error).into()
}
