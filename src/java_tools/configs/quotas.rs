//! Quotas of users, clients and addresses, and the SCRAM credentials of users, described and changed as Java's tool does.

use super::entities::Entities;
use super::values::Added;
use super::{Failure, Result, answered, print};
use crate::client::admin::quotas::{
    EntityQuotas, NameFilter, QuotaChange, QuotaEntity, QuotaFilter, QuotaKind,
};
use crate::client::admin::scram_users::{NewCredential, ScramHash};
use crate::commands::context::Context;
use crate::java::hash_order::hash_order_presized;
use crate::java::hash_set_order::{hash_of_string, in_presized_hash_order};
use crate::topic_config::{java_double, java_double_text};
use crate::wire::Secret;

const OF_CLIENTS: [&str; 4] = [
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
];
const OF_ADDRESSES: [&str; 1] = ["connection_creation_rate"];

/// The default and the least number of iterations.
const ITERATIONS: i32 = 4096;

/// Prints quotas, and the credentials of users where no client is named.
pub(super) fn describe_users_and_clients(entities: &Entities, context: &mut Context) -> Result<()> {
    describe(entities, context)?;
    let names_the_default = entities.names.iter().any(String::is_empty);
    if entities.types.iter().any(|kind| kind == "clients") || names_the_default {
        return Ok(());
    }
    let admin = context.client.admin();
    let users = admin.and_then(|admin| admin.scram_users(&entities.names));
    for user in answered(users, "describeUserScramCredentials")? {
        let name = &user.name;
        let line = match &user.credentials {
            Ok(credentials) => {
                let all: Vec<String> = credentials
                    .iter()
                    .map(|(mechanism, iterations)| {
                        format!("{}=iterations={iterations}", mechanism.mechanism())
                    })
                    .collect();
                format!(
                    "SCRAM credential configs for user-principal '{name}' are {}",
                    all.join(", ")
                )
            }
            Err(refusal) => format!(
                "Error retrieving SCRAM credential configs for user-principal '{name}': ExecutionException: \
                 org.apache.kafka.common.errors.{}: {}",
                refusal.java_class(),
                refusal.java_message()
            ),
        };
        print(context, line)?;
    }
    Ok(())
}

/// One line for each entity that has quotas.
pub(super) fn describe(entities: &Entities, context: &mut Context) -> Result<()> {
    let found = quotas(entities, context)?;
    for quotas in in_presized_hash_order(found, hash_of) {
        let values = hash_order_presized(quotas.values, |(name, _)| name);
        let values: Vec<String> = values
            .iter()
            .map(|(name, value)| format!("{name}={}", java_double_text(*value)))
            .collect();
        let line = format!(
            "Quota configs for {} are {}",
            entity_text(&quotas.entity),
            values.join(", ")
        );
        print(context, line)?;
    }
    Ok(())
}

/// `user-principal 'u', the default client-id`.
fn entity_text(entity: &QuotaEntity) -> String {
    let mut texts = Vec::new();
    for (kind, word) in [
        (QuotaKind::User, "user-principal"),
        (QuotaKind::ClientId, "client-id"),
        (QuotaKind::Ip, "ip"),
    ] {
        let part = entity.0.iter().find(|(known, _)| *known == kind);
        texts.extend(part.map(|(_, name)| match name {
            Some(name) => format!("{word} '{name}'"),
            None => format!("the default {word}"),
        }));
    }
    texts.join(", ")
}

/// `ClientQuotaEntity.hashCode`: that of a map in a list of one.
fn hash_of(quotas: &EntityQuotas) -> i32 {
    let parts = quotas.entity.0.iter().map(|(kind, name)| {
        let name = name.as_deref().map_or(0, hash_of_string);
        hash_of_string(kind.protocol_name()) ^ name
    });
    parts.fold(0i32, i32::wrapping_add).wrapping_add(31)
}

fn kind_of(kind: &str) -> QuotaKind {
    match kind {
        "users" => QuotaKind::User,
        "clients" => QuotaKind::ClientId,
        _ => QuotaKind::Ip,
    }
}

/// The quotas of exactly the named entities; a type without a name means every entity of it.
fn quotas(entities: &Entities, context: &mut Context) -> Result<Vec<EntityQuotas>> {
    if entities.names.len() > entities.types.len() {
        return Err(Failure::told("More entity names specified than entity types"));
    }
    let mut names = entities.names.iter();
    let filter = entities.types.iter().map(|kind| QuotaFilter {
        kind: kind_of(kind),
        names: match names.next() {
            Some(name) if name.is_empty() => NameFilter::TheDefault,
            Some(name) => NameFilter::Exactly(name.clone()),
            None => NameFilter::Any,
        },
    });
    let filter: Vec<QuotaFilter> = filter.collect();
    let admin = context.client.admin();
    answered(
        admin.and_then(|admin| admin.quotas(&filter, true)),
        "describeClientQuotas",
    )
}

/// Changes the quotas of an address.
pub(super) fn alter_addresses(
    entities: &Entities,
    added: &Added,
    deleted: &[String],
    context: &mut Context,
) -> Result<()> {
    let named = added.iter().map(|(name, _)| name).chain(deleted);
    let unknown: Vec<&str> = named
        .map(String::as_str)
        .filter(|name| !OF_ADDRESSES.contains(name))
        .collect();
    if !unknown.is_empty() {
        return Err(Failure::told(format!(
            "Only connection quota configs can be added for 'ips' using --bootstrap-server. Unexpected config names: {}",
            unknown.join(",")
        )));
    }
    alter(entities, added, deleted, context)
}

/// Changes the quotas of users and clients, or the credentials of a user.
pub(super) fn alter_users_and_clients(
    entities: &Entities,
    added: &Added,
    deleted: &[String],
    context: &mut Context,
) -> Result<()> {
    let names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
    let deleted_names: Vec<&str> = deleted.iter().map(String::as_str).collect();
    let has_client = entities.kind() == "clients" || entities.types.len() == 2;
    check_names(has_client, &names, &deleted_names)?;
    let is_scram = |name: &&str| mechanism(name).is_some();
    let is_quota = |name: &&str| OF_CLIENTS.contains(name);
    let has_scram = names.iter().any(is_scram) || deleted_names.iter().any(is_scram);
    let has_quotas = names.iter().any(is_quota) || deleted_names.iter().any(is_quota);
    if has_scram && entities.names.iter().any(String::is_empty) {
        return Err(Failure::told(
            "The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using \
             --bootstrap-server.",
        ));
    }
    if has_scram && has_quotas {
        return Err(Failure::told(
            "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.",
        ));
    }
    if has_quotas {
        return alter(entities, added, deleted, context);
    }
    let user = entities.names.first().map_or("", String::as_str);
    alter_credentials(user, added, deleted, context)
}

/// Clients have only quotas, users also credentials; other names are refused.
fn check_names(has_client: bool, added: &[&str], deleted: &[&str]) -> Result<()> {
    let is_quota = |name: &str| OF_CLIENTS.contains(&name);
    let is_scram = |name: &str| mechanism(name).is_some();
    let unexpected = |names: &[&str]| -> Vec<String> {
        let unknown = names.iter().filter(|name| !is_quota(name) && !is_scram(name));
        let scram = names.iter().filter(|name| has_client && is_scram(name));
        unknown.chain(scram).map(ToString::to_string).collect()
    };
    let (what, whose) = if has_client {
        ("quota configs", "clients")
    } else {
        ("quota and SCRAM credential configs", "users")
    };
    for (names, verb, list) in [(added, "added", "Set"), (deleted, "deleted", "ArrayBuffer")] {
        let unexpected = unexpected(names);
        if !unexpected.is_empty() {
            return Err(Failure::told(format!(
                "Only {what} can be {verb} for '{whose}' using --bootstrap-server. Unexpected config names: {list}({})",
                unexpected.join(", ")
            )));
        }
    }
    Ok(())
}

fn alter(entities: &Entities, added: &Added, deleted: &[String], context: &mut Context) -> Result<()> {
    let old = quotas(entities, context)?;
    let is_set = |name: &&String| {
        old.first()
            .is_some_and(|quotas| quotas.values.iter().any(|(known, _)| known == *name))
    };
    let missing: Vec<&str> = deleted
        .iter()
        .filter(|name| !is_set(name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Err(Failure::told(format!("Invalid config(s): {}", missing.join(","))));
    }
    let mut changes = Vec::with_capacity(added.len() + deleted.len());
    for (name, value) in added {
        let number = java_double(value.trim_matches(|letter| letter <= ' ')).ok_or_else(|| {
            Failure::told(format!(
                "Cannot parse quota configuration value for {name}: {value}"
            ))
        })?;
        changes.push(QuotaChange {
            name: name.clone(),
            value: Some(number),
        });
    }
    changes.extend(deleted.iter().map(|name| QuotaChange {
        name: name.clone(),
        value: None,
    }));
    let parts = entities.types.iter().zip(&entities.names);
    let parts = parts.map(|(kind, name)| (kind_of(kind), Some(name.clone()).filter(|name| !name.is_empty())));
    let entity = QuotaEntity(parts.collect());
    let admin = context.client.admin();
    let outcome = admin.and_then(|admin| admin.alter_quotas(&entity, &changes, false));
    answered(outcome, "alterClientQuotas")
}

fn alter_credentials(user: &str, added: &Added, deleted: &[String], context: &mut Context) -> Result<()> {
    let doomed: Vec<ScramHash> = deleted.iter().filter_map(|name| mechanism(name)).collect();
    let mut new = Vec::new();
    for (name, text) in added {
        if let Some(mechanism) = mechanism(name) {
            new.push(credential(mechanism, text)?);
        }
    }
    if new
        .iter()
        .any(|credential| credential.password.reveal().is_empty())
    {
        return Err(Failure::Thrown {
            exception: "java.util.concurrent.ExecutionException: \
                        org.apache.kafka.common.errors.UnacceptableCredentialException: Password must not be empty"
                .to_owned(),
            why: None,
        });
    }
    let admin = context.client.admin();
    let outcome = admin.and_then(|admin| admin.alter_scram_user(user, &doomed, &new));
    answered(outcome, "alterUserScramCredentials")
}

fn mechanism(name: &str) -> Option<ScramHash> {
    [ScramHash::Sha256, ScramHash::Sha512]
        .into_iter()
        .find(|mechanism| mechanism.mechanism() == name)
}

/// `iterations=8192,password=secret`; iterations may be missing, and -1 is the default.
fn credential(mechanism: ScramHash, text: &str) -> Result<NewCredential> {
    let name = mechanism.mechanism();
    // The name of the constant in Java.
    let constant = name.replace('-', "_");
    let invalid = || Failure::told(format!("Invalid credential property {constant}={text}"));
    let (iterations, password) = match text.strip_prefix("iterations=") {
        Some(rest) => {
            let (number, rest) = rest.split_once(',').ok_or_else(invalid)?;
            let digits = number.strip_prefix('-').unwrap_or(number);
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(invalid());
            }
            (Some(number), rest)
        }
        None => (None, text),
    };
    let password = password
        .strip_prefix("password=")
        .filter(|password| !password.contains(['\n', '\r']));
    let password = password.ok_or_else(invalid)?;
    let iterations = match iterations {
        None | Some("-1") => ITERATIONS,
        Some(number) => number
            .parse()
            .map_err(|_| Failure::told(format!("For input string: \"{number}\"")))?,
    };
    if iterations < ITERATIONS {
        return Err(Failure::told(format!(
            "Iterations {iterations} is less than the minimum {ITERATIONS} required for {name}"
        )));
    }
    Ok(NewCredential {
        mechanism,
        iterations,
        password: Secret::new(password),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<(i32, String), String> {
        match credential(ScramHash::Sha256, text) {
            Ok(credential) => Ok((credential.iterations, credential.password.reveal().to_owned())),
            Err(Failure::Told(message)) => Err(message),
            Err(_) => Err("another".to_owned()),
        }
    }

    #[test]
    fn credentials_are_read_as_in_java() {
        assert_eq!(read("password=a,b=c"), Ok((4096, "a,b=c".to_owned())));
        assert_eq!(read("iterations=8192,password=x"), Ok((8192, "x".to_owned())));
        assert_eq!(read("iterations=-1,password="), Ok((4096, String::new())));
        for (text, message) in [
            ("passwd=x", "Invalid credential property SCRAM_SHA_256=passwd=x"),
            (
                "iterations=x,password=y",
                "Invalid credential property SCRAM_SHA_256=iterations=x,password=y",
            ),
            ("iterations=,password=y", "For input string: \"\""),
            (
                "iterations=99999999999,password=y",
                "For input string: \"99999999999\"",
            ),
            (
                "iterations=4095,password=y",
                "Iterations 4095 is less than the minimum 4096 required for SCRAM-SHA-256",
            ),
        ] {
            assert_eq!(read(text), Err(message.to_owned()), "{text}");
        }
    }
}
