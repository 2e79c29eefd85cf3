//! Setting and unsetting configs: checked, shown, confirmed where records may be lost, and the undo command.

use super::{Change, Owner, check, danger, details, phrase, quotas_of};
use crate::client::admin::config_details::ConfigDetail;
use crate::client::admin::configs::{ConfigChange, ConfigResource, ConfigSource};
use crate::commands::context::Context;
use crate::commands::quotas;
use crate::error::{Error, Result};
use crate::output::config::{self as output, ChangedConfig};
use crate::output::confirm;
use crate::plain_words::shell_word;

pub(super) fn run(change: Change, context: &mut Context) -> Result<()> {
    let whose = change.owner.phrase();
    let resource = match change.owner {
        Owner::Resource(resource) => resource,
        Owner::Client(id) => {
            let changes = quotas::changes_of(&change.changes)?;
            return quotas::change(&quotas_of(&id), &changes, change.is_dry_run, context);
        }
    };
    let before = details(&resource, false, context)?;
    check::all(&resource, &before, &change.changes)?;
    let rows: Vec<ChangedConfig> = change
        .changes
        .iter()
        .map(|wanted| changed(wanted, &before, &resource))
        .collect();
    let (same, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_same);
    for row in &same {
        let what = if row.is_own_after {
            "has this value already"
        } else {
            "is not set"
        };
        context
            .printer
            .note(format_args!("{} {what} on {whose}", row.name));
    }
    if rows.is_empty() {
        return Ok(());
    }
    if !change.is_dry_run && !change.is_sure {
        ask(&resource, &rows, context)?;
    }
    let wanted = |wanted: &&ConfigChange| rows.iter().any(|row| row.name == wanted.name);
    let made: Vec<ConfigChange> = change.changes.iter().filter(wanted).cloned().collect();
    let admin = context.client.admin()?;
    if let Err(refusal) = admin.alter_configs_of(&resource, &made, change.is_dry_run)? {
        return Err(Error::from(refusal).context(format_args!("cannot change {whose}")));
    }
    output::changes(&mut context.printer, &rows)?;
    if change.is_dry_run {
        context
            .printer
            .note(format_args!("nothing changed on {whose} (dry run)"));
    } else {
        name_the_way_back(&resource, &rows, context);
    }
    Ok(())
}

/// The config after a change.
fn changed(wanted: &ConfigChange, before: &[ConfigDetail], resource: &ConfigResource) -> ChangedConfig {
    let own = resource.own_source();
    let detail = before.iter().find(|detail| detail.entry.name == wanted.name);
    let old = detail.and_then(|detail| detail.entry.value.clone());
    let is_secret = detail.is_some_and(|detail| detail.entry.is_sensitive);
    let was_own = detail.is_some_and(|detail| detail.entry.source == own);
    let fallback = detail.and_then(|detail| value_without(detail, own));
    let new = wanted.value.clone().or(fallback);
    ChangedConfig {
        name: wanted.name.clone(),
        is_same: match &wanted.value {
            Some(value) => was_own && !is_secret && old.as_ref() == Some(value),
            None => !was_own,
        },
        is_secret,
        old_source: detail.map_or(ConfigSource::Default, |detail| detail.entry.source),
        old,
        new,
        was_own,
        is_own_after: wanted.value.is_some(),
    }
}

/// The value in force when the one at this level is removed; `None` where the broker does not report it.
pub(super) fn value_without(detail: &ConfigDetail, level: ConfigSource) -> Option<String> {
    let mut others = detail.synonyms.iter().filter(|synonym| synonym.source != level);
    others.next().and_then(|synonym| synonym.value.clone())
}

/// Asks for confirmation if records may be lost.
fn ask(resource: &ConfigResource, rows: &[ChangedConfig], context: &mut Context) -> Result<()> {
    let dangers: Vec<String> = rows
        .iter()
        .filter_map(|row| Some(format!("{}: {}", row.name, danger::of(row)?)))
        .collect();
    if dangers.is_empty() {
        return Ok(());
    }
    let whose = phrase(resource);
    if !confirm::can_ask() {
        return Err(Error::usage(format!(
            "would change {whose} ({}); without a terminal say --yes",
            dangers.join("; ")
        )));
    }
    let lines = format!(
        "{}\n{}",
        output::changes_table(rows).aligned(),
        dangers.join("\n")
    );
    context.consent(&lines, &format!("Change {whose}?"), "nothing changed")
}

/// Prints the command lines that restore the old values.
fn name_the_way_back(resource: &ConfigResource, rows: &[ChangedConfig], context: &mut Context) {
    let servers = context.client.settings().given_here("bootstrap.servers");
    let servers = servers.map_or(String::new(), |servers| format!(" -b {}", shell_word(servers)));
    let owner = phrase(resource);
    let (kind, name) = owner.split_once(' ').unwrap_or((&owner, ""));
    let owner = format!("{kind} {}", shell_word(name));
    let (set, unset): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.was_own);
    let (known, secret): (Vec<_>, Vec<_>) = set.into_iter().partition(|row| row.old.is_some());
    let line = |verb: &str, words: Vec<String>| {
        format!("undo: kafkit configs {verb} {owner} {}{servers}", words.join(" "))
    };
    if !known.is_empty() {
        let pair = |row: &&ChangedConfig| {
            let old = row.old.as_deref().unwrap_or_default();
            shell_word(&format!("{}={old}", row.name))
        };
        context
            .printer
            .note(line("set", known.iter().map(pair).collect()));
    }
    if !unset.is_empty() {
        let names = unset.iter().map(|row| shell_word(&row.name));
        context.printer.note(line("unset", names.collect()));
    }
    for row in secret {
        let told = format_args!("no undo for {}: brokers do not show its old value", row.name);
        context.printer.note(told);
    }
}
