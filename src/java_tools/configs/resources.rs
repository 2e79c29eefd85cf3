//! Configs of topics, brokers, brokers' loggers, groups and client metrics, described and changed as Java's tool does.

use super::values::Added;
use super::{Failure, Result, answered, print};
use crate::client::admin::AdminClient;
use crate::client::admin::config_details::{ConfigDetail, Synonym, Wanted};
use crate::client::admin::configs::{ConfigChange, ConfigResource, ConfigSource};
use crate::commands::context::Context;
use crate::java::hash_order::hash_order;

/// Prints the configs of one resource, or of all of its kind.
pub(super) fn describe(kind: &str, name: Option<&str>, is_all: bool, context: &mut Context) -> Result<()> {
    let one = kind.strip_suffix('s').unwrap_or(kind);
    let names = match name {
        Some(name) => {
            if kind == "topics" {
                check_topic_name(name)?;
            }
            if !is_all && !exists(kind, name, context)? {
                let line = format!("The {one} '{name}' doesn't exist and doesn't have dynamic config.");
                return print(context, line);
            }
            vec![name.to_owned()]
        }
        None => all_names(kind, context)?,
    };
    for name in names {
        let resource = resource(kind, &name)?;
        let which = if is_all { "All" } else { "Dynamic" };
        if name.is_empty() {
            print(
                context,
                format_args!("Default configs for {kind} in the cluster are:"),
            )?;
        } else {
            print(context, format_args!("{which} configs for {one} {name} are:"))?;
        }
        for detail in details(&resource, context)? {
            if is_all || kind == "broker-loggers" || detail.entry.source == resource.own_source() {
                print(context, line(&detail))?;
            }
        }
    }
    Ok(())
}

/// Changes the configs of one resource.
pub(super) fn alter(
    kind: &str,
    name: &str,
    added: &Added,
    deleted: &[String],
    context: &mut Context,
) -> Result<()> {
    let resource = resource(kind, name)?;
    if kind == "broker-loggers" {
        check_loggers(&resource, added, deleted, context)?;
    }
    let unset = deleted.iter().map(|name| ConfigChange {
        name: name.clone(),
        value: None,
    });
    let set = added.iter().map(|(name, value)| ConfigChange {
        name: name.clone(),
        value: Some(value.clone()),
    });
    let changes: Vec<ConfigChange> = unset.chain(set).collect();
    let admin = context.client.admin();
    let outcome = admin.and_then(|admin| admin.alter_configs_of(&resource, &changes, false));
    answered(outcome, "incrementalAlterConfigs")
}

fn check_loggers(
    resource: &ConfigResource,
    added: &Added,
    deleted: &[String],
    context: &mut Context,
) -> Result<()> {
    let known = details(resource, context)?;
    let named = deleted.iter().chain(added.iter().map(|(name, _)| name));
    let unknown: Vec<&str> = named
        .map(String::as_str)
        .filter(|name| !known.iter().any(|detail| detail.entry.name == *name))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Failure::told(format!(
        "Invalid broker logger(s): {}",
        unknown.join(",")
    )))
}

fn resource(kind: &str, name: &str) -> Result<ConfigResource> {
    let id = || {
        name.parse().map_err(|_| {
            Failure::told(format!(
                "The entity name for {kind} must be a valid integer broker id, found: {name}"
            ))
        })
    };
    Ok(match kind {
        "topics" => ConfigResource::Topic(name.to_owned()),
        "brokers" if name.is_empty() => ConfigResource::AllBrokers,
        "brokers" => ConfigResource::Broker(id()?),
        "broker-loggers" => ConfigResource::BrokerLoggers(id()?),
        "client-metrics" => ConfigResource::ClientMetrics(name.to_owned()),
        _ => ConfigResource::Group(name.to_owned()),
    })
}

/// The configs of a resource, sorted by name.
fn details(resource: &ConfigResource, context: &mut Context) -> Result<Vec<ConfigDetail>> {
    let wanted = Wanted {
        synonyms: true,
        documentation: false,
    };
    let admin = context.client.admin();
    let found = admin.and_then(|admin| admin.config_details(resource, wanted));
    let call = match resource {
        ConfigResource::Broker(_) | ConfigResource::BrokerLoggers(_) => "describeBrokerConfigs",
        _ => "describeConfigs",
    };
    let mut details = answered(found, call)?;
    details.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
    Ok(details)
}

/// Whether the resource, or a config of it, exists.
fn exists(kind: &str, name: &str, context: &mut Context) -> Result<bool> {
    if kind == "brokers" && name.is_empty() {
        return Ok(true);
    }
    Ok(all_names(kind, context)?.iter().any(|known| known == name))
}

/// The names of every resource of a kind, in Java's order; the default of brokers comes last.
fn all_names(kind: &str, context: &mut Context) -> Result<Vec<String>> {
    let admin = context.client.admin();
    match kind {
        "topics" => {
            let topics = admin.and_then(AdminClient::all_topics);
            let topics = topics.map_err(|error| Failure::executing(&error, "listTopics"))?;
            let names = topics.into_iter().map(|topic| topic.name).collect();
            Ok(hash_order(names, |name: &String| name))
        }
        "brokers" | "broker-loggers" => {
            let ids = admin.and_then(|admin| {
                let ids = admin.brokers()?.iter().map(|broker| broker.id.to_string());
                Ok(ids.collect::<Vec<_>>())
            });
            let mut ids = ids.map_err(|error| Failure::executing(&error, "listNodes"))?;
            if kind == "brokers" {
                ids.push(String::new());
            }
            Ok(ids)
        }
        "client-metrics" => {
            let names = admin.and_then(AdminClient::client_metrics);
            answered(names, "listConfigResources")
        }
        _ => groups(context),
    }
}

/// The existing groups, and those that only have configs.
fn groups(context: &mut Context) -> Result<Vec<String>> {
    let admin = context.client.admin();
    let listed = admin.and_then(AdminClient::list_groups);
    let listed = listed.map_err(|error| Failure::executing(&error, "listGroups"))?;
    let mut names: Vec<String> = listed.into_iter().map(|group| group.id).collect();
    let admin = context.client.admin();
    match admin.and_then(AdminClient::groups_with_configs) {
        Ok(Ok(configured)) => names.extend(configured),
        // Brokers before Kafka 4.1 do not serve this list.
        Ok(Err(refusal)) if refusal.name() == "UNSUPPORTED_VERSION" => {}
        Err(error) if crate::client::admin::topics::is_unsupported(&error) => {}
        other => names.extend(answered(other, "listConfigResources")?),
    }
    names.sort();
    names.dedup();
    Ok(hash_order(names, |name: &String| name))
}

/// `  name=value sensitive=false synonyms={…}`.
fn line(detail: &ConfigDetail) -> String {
    let synonyms: Vec<String> = detail.synonyms.iter().map(synonym).collect();
    format!(
        "  {}={} sensitive={} synonyms={{{}}}",
        detail.entry.name,
        detail.entry.value.as_deref().unwrap_or("null"),
        detail.entry.is_sensitive,
        synonyms.join(", ")
    )
}

fn synonym(synonym: &Synonym) -> String {
    let value = synonym.value.as_deref().unwrap_or("null");
    format!("{}:{}={value}", java_name(synonym.source), synonym.name)
}

/// A constant of Java's `ConfigEntry.ConfigSource`.
fn java_name(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::Topic => "DYNAMIC_TOPIC_CONFIG",
        ConfigSource::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
        ConfigSource::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        ConfigSource::StaticBroker => "STATIC_BROKER_CONFIG",
        ConfigSource::Default => "DEFAULT_CONFIG",
        ConfigSource::BrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
        ConfigSource::ClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
        ConfigSource::Group => "DYNAMIC_GROUP_CONFIG",
        ConfigSource::Other(_) => "UNKNOWN",
    }
}

/// Java's check of a topic's name.
fn check_topic_name(name: &str) -> Result<()> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let problem = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.encode_utf16().count() > 249 {
        format!("the length of '{name}' is longer than the max allowed length 249")
    } else if !name.chars().all(is_plain) {
        format!("'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
    } else {
        return Ok(());
    };
    Err(Failure::told(format!("Topic name is invalid: {problem}")))
}
