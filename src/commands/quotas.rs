//! The steps of `quotas list`, `set` and `unset`; `configs … client ID` takes them as well.

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::admin::configs::ConfigChange;
use crate::client::admin::quotas::{
    EntityQuotas, NameFilter, QuotaChange, QuotaEntity, QuotaFilter, QuotaKind,
};
use crate::error::{Error, Result};
use crate::output::quota::{self as output, ChangedQuota};
use crate::spelling::closest;

/// The quotas of users and client ids; addresses have others.
const OF_CLIENTS: [&str; 4] = [
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
];
const OF_ADDRESSES: [&str; 1] = ["connection_creation_rate"];

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    /// The quotas that match every filter; all without filters.
    List(Vec<QuotaFilter>),
    Change {
        entity: QuotaEntity,
        changes: Vec<QuotaChange>,
        is_dry_run: bool,
    },
    /// Removes all quotas of an entity.
    UnsetAll { entity: QuotaEntity, is_dry_run: bool },
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Action::List(filter) => {
                let mut found = context.client.admin()?.quotas(&filter, false)??;
                found.sort_by(|a, b| a.entity.cmp(&b.entity));
                for quotas in &mut found {
                    quotas.values.sort_by(|a, b| a.0.cmp(&b.0));
                }
                output::list(&mut context.printer, &found)
            }
            Action::Change {
                entity,
                changes,
                is_dry_run,
            } => change(&entity, &changes, is_dry_run, context),
            Action::UnsetAll { entity, is_dry_run } => {
                let changes: Vec<QuotaChange> = values_of(&entity, context)?
                    .into_iter()
                    .map(|(name, _)| QuotaChange { name, value: None })
                    .collect();
                change(&entity, &changes, is_dry_run, context)
            }
        }
    }
}

/// The quotas of exactly this entity.
fn values_of(entity: &QuotaEntity, context: &mut Context) -> Result<Vec<(String, f64)>> {
    let filter = entity.0.iter().map(|(kind, name)| QuotaFilter {
        kind: *kind,
        names: match name {
            Some(name) => NameFilter::Exactly(name.clone()),
            None => NameFilter::TheDefault,
        },
    });
    let filter: Vec<QuotaFilter> = filter.collect();
    let found = context.client.admin()?.quotas(&filter, true)??;
    let mut values: Vec<(String, f64)> = found.into_iter().flat_map(|quotas| quotas.values).collect();
    values.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(values)
}

/// Shows the quotas of one entity; only these names, if there are any.
pub(super) fn show_values(entity: &QuotaEntity, names: &[String], context: &mut Context) -> Result<()> {
    if let Some(name) = names
        .iter()
        .find(|name| !names_for(entity).contains(&name.as_str()))
    {
        return Err(unknown(name, entity));
    }
    let mut values = values_of(entity, context)?;
    values.retain(|(name, _)| names.is_empty() || names.contains(name));
    let found = EntityQuotas {
        entity: entity.clone(),
        values,
    };
    output::list(&mut context.printer, &[found])
}

/// Changes of configs as changes of quotas, whose values are numbers.
pub(super) fn changes_of(changes: &[ConfigChange]) -> Result<Vec<QuotaChange>> {
    let change = |change: &ConfigChange| {
        let value = change.value.as_deref().map(|text| {
            let number = text
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite());
            number.ok_or_else(|| Error::usage(format!("{} takes a number, not \"{text}\"", change.name)))
        });
        Ok(QuotaChange {
            name: change.name.clone(),
            value: value.transpose()?,
        })
    };
    changes.iter().map(change).collect()
}

/// Changes quotas of one entity, and shows their old values.
pub(super) fn change(
    entity: &QuotaEntity,
    changes: &[QuotaChange],
    is_dry_run: bool,
    context: &mut Context,
) -> Result<()> {
    for change in changes {
        check(change, entity)?;
    }
    let before = values_of(entity, context)?;
    let rows: Vec<ChangedQuota> = changes
        .iter()
        .map(|change| ChangedQuota {
            name: change.name.clone(),
            old: before
                .iter()
                .find(|(name, _)| *name == change.name)
                .map(|(_, value)| *value),
            new: change.value,
        })
        .collect();
    let whose = output::phrase(entity);
    let (same, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.old == row.new);
    for row in &same {
        let what = if row.new.is_some() {
            "has this value already"
        } else {
            "is not set"
        };
        context
            .printer
            .note(format_args!("{} {what} for {whose}", row.name));
    }
    if rows.is_empty() {
        if changes.is_empty() {
            context.printer.note(format_args!("{whose} has no quotas"));
        }
        return Ok(());
    }
    let is_new = |change: &&QuotaChange| rows.iter().any(|row| row.name == change.name);
    let made: Vec<QuotaChange> = changes.iter().filter(is_new).cloned().collect();
    let outcome = context.client.admin()?.alter_quotas(entity, &made, is_dry_run)?;
    outcome.map_err(|refusal| {
        Error::from(refusal).context(format_args!("cannot change the quotas of {whose}"))
    })?;
    output::changes(&mut context.printer, &rows)?;
    if is_dry_run {
        context
            .printer
            .note(format_args!("nothing changed for {whose} (dry run)"));
    }
    Ok(())
}

fn check(change: &QuotaChange, entity: &QuotaEntity) -> Result<()> {
    if !names_for(entity).contains(&change.name.as_str()) {
        return Err(unknown(&change.name, entity));
    }
    match change.value {
        Some(value) if value <= 0.0 => Err(Error::usage(format!(
            "{} must be more than 0, not {value}",
            change.name
        ))),
        _ => Ok(()),
    }
}

fn names_for(entity: &QuotaEntity) -> &'static [&'static str] {
    let is_address = entity.0.iter().any(|(kind, _)| *kind == QuotaKind::Ip);
    if is_address { &OF_ADDRESSES } else { &OF_CLIENTS }
}

fn unknown(name: &str, entity: &QuotaEntity) -> Error {
    let names = names_for(entity);
    let error = Error::usage(format!("{} has no quota {name}", output::phrase(entity)));
    match closest(name, names.iter().copied()) {
        Some(meant) => error.hint(format!("did you mean {meant}?")),
        None => error.hint(format!("there are {}", names.join(", "))),
    }
}
