//! The steps of `configs get`, `set`, `unset` and `diff`.
//!
//! A value is checked against what is known of the config before it is sent to a broker (`check`); a change that may
//! lose records is shown and must be confirmed (`danger`).

mod change;
mod check;
mod danger;

use super::command::{Command, Needs};
use super::context::Context;
use super::quotas;
use super::topic_selection;
use crate::client::admin::config_details::{ConfigDetail, Wanted};
use crate::client::admin::configs::{ConfigChange, ConfigResource};
use crate::client::admin::quotas::{QuotaEntity, QuotaKind};
use crate::error::{Error, Result};
use crate::output::config as output;
use crate::spelling::closest;

/// Whose configs they are.
#[derive(Clone, Debug)]
pub enum Owner {
    Resource(ConfigResource),
    /// A client id: its configs are quotas.
    Client(String),
}

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    Get(Get),
    Change(Change),
    Diff {
        resource: ConfigResource,
        /// `None` compares with the values that would be in force if nothing were set.
        other: Option<ConfigResource>,
    },
}

/// Configs to show.
#[derive(Debug)]
pub struct Get {
    pub owner: Owner,
    /// Only these, whether they are the default or not.
    pub names: Vec<String>,
    pub with_defaults: bool,
    pub with_docs: bool,
}

/// Configs to set or unset.
#[derive(Debug)]
pub struct Change {
    pub owner: Owner,
    pub changes: Vec<ConfigChange>,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Action::Get(get) => show(get, context),
            Action::Change(change) => change::run(change, context),
            Action::Diff { resource, other } => diff(&resource, other.as_ref(), context),
        }
    }
}

impl Owner {
    /// `topic orders`.
    fn phrase(&self) -> String {
        match self {
            Self::Resource(resource) => phrase(resource),
            Self::Client(id) => format!("client {id}"),
        }
    }
}

/// `topic orders`.
fn phrase(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(name) => format!("topic {name}"),
        ConfigResource::Broker(id) => format!("broker {id}"),
        ConfigResource::AllBrokers => "broker default".to_owned(),
        ConfigResource::BrokerLoggers(id) => format!("broker-loggers {id}"),
        ConfigResource::Group(name) => format!("group {name}"),
        ConfigResource::ClientMetrics(name) => format!("client-metrics {name}"),
    }
}

fn quotas_of(client: &str) -> QuotaEntity {
    QuotaEntity(vec![(QuotaKind::ClientId, Some(client.to_owned()))])
}

/// All configs of a resource, by name.
fn details(resource: &ConfigResource, with_docs: bool, context: &mut Context) -> Result<Vec<ConfigDetail>> {
    let wanted = Wanted {
        synonyms: true,
        documentation: with_docs,
    };
    let found = context.client.admin()?.config_details(resource, wanted)?;
    let mut details = match (found, resource) {
        (Ok(details), _) => details,
        (Err(refusal), ConfigResource::Topic(name)) if refusal.name() == "UNKNOWN_TOPIC_OR_PARTITION" => {
            return Err(topic_selection::not_found(name, context));
        }
        (Err(refusal), _) => return Err(refusal.into()),
    };
    details.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
    Ok(details)
}

fn show(get: Get, context: &mut Context) -> Result<()> {
    let resource = match get.owner {
        Owner::Client(id) => return quotas::show_values(&quotas_of(&id), &get.names, context),
        Owner::Resource(resource) => resource,
    };
    let mut details = details(&resource, get.with_docs, context)?;
    let is_known = |name: &String| details.iter().any(|detail| detail.entry.name == *name);
    if let Some(name) = get.names.iter().find(|name| !is_known(name)) {
        return Err(unknown(name, &resource, &details));
    }
    details.retain(|detail| {
        if get.names.is_empty() {
            get.with_defaults || !detail.entry.is_default()
        } else {
            get.names.contains(&detail.entry.name)
        }
    });
    if details.is_empty() {
        let whose = phrase(&resource);
        context.printer.note(format_args!(
            "nothing is set on {whose} (--all shows the defaults)"
        ));
    }
    output::details(&mut context.printer, &details, get.with_docs)
}

fn unknown(name: &str, resource: &ConfigResource, details: &[ConfigDetail]) -> Error {
    let names = details.iter().map(|detail| detail.entry.name.as_str());
    let error = Error::not_found(format!("{} has no config {name}", phrase(resource)));
    match closest(name, names) {
        Some(meant) => error.hint(format!("did you mean {meant}?")),
        None => error.hint("`kafkit configs get … --all` shows what there is"),
    }
}

fn diff(resource: &ConfigResource, other: Option<&ConfigResource>, context: &mut Context) -> Result<()> {
    let first = details(resource, false, context)?;
    let rows: Vec<output::Difference> = match other {
        None => first
            .iter()
            .filter_map(|detail| {
                let fallback = change::value_without(detail, resource.own_source());
                let is_own = detail.entry.source == resource.own_source();
                (is_own && detail.entry.value != fallback).then(|| output::Difference {
                    name: detail.entry.name.clone(),
                    this: detail.entry.value.clone(),
                    other: fallback,
                })
            })
            .collect(),
        Some(other) => {
            let second = details(other, false, context)?;
            differences(&first, &second)
        }
    };
    output::differences(&mut context.printer, &rows, other.is_none())
}

/// The configs whose values differ; one that exists on one side only differs from `None`.
fn differences(first: &[ConfigDetail], second: &[ConfigDetail]) -> Vec<output::Difference> {
    let value = |details: &[ConfigDetail], name: &str| {
        let found = details.iter().find(|detail| detail.entry.name == name);
        found.and_then(|detail| detail.entry.value.clone())
    };
    let names: std::collections::BTreeSet<&str> = first
        .iter()
        .chain(second)
        .map(|detail| detail.entry.name.as_str())
        .collect();
    let pairs = names.into_iter().map(|name| output::Difference {
        name: name.to_owned(),
        this: value(first, name),
        other: value(second, name),
    });
    pairs.filter(|pair| pair.this != pair.other).collect()
}
