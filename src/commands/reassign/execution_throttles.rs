//! The throttles of one execution: set before the first move, cleared after the last.
//!
//! Owns the handling of brokers that refuse or do not answer. Which configs make up a throttle is in `throttles`.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::Work;
use super::throttles::{self, Changes, Rates};
use super::{ExecuteAction, idle_throttles, log_dir_moves, shown};
use crate::client::admin::throttles::{ConfigChanges, Throttled};
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::output::plural;
use crate::output::reassignment::human_bytes;
use crate::reassignment::Assignment;
use crate::reassignment::plan::comma_separated;
use crate::reassignment::throttle::{self, LEADER_THROTTLED_RATE, LOG_DIR_THROTTLED_RATE};
use crate::topic_partition::BrokerId;
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

/// Sets the throttles of the options, and returns them.
pub(super) fn set(action: &ExecuteAction, work: &Work, context: &mut Context) -> Result<Changes> {
    let mut set = Changes::new();
    let moves = throttle::moves(&work.active, &work.targets(), &work.current);
    if action.throttle.is_none() && !work.under_way.is_empty() {
        tell_what_is_set(&throttle::brokers(&moves), context)?;
    }
    if let Some(rate) = action.throttle {
        set.extend(throttles::on_topics(&moves));
        set.extend(on_live_brokers(
            &throttle::brokers(&moves),
            || Rates::replication(rate as i64),
            context,
        )?);
    }
    if let Some(rate) = action.log_dir_throttle {
        let brokers = work.log_dirs.keys().map(|replica| replica.broker).collect();
        for (throttled, configs) in on_live_brokers(&brokers, || Rates::log_dirs(rate as i64), context)? {
            set.entry(throttled).or_default().extend(configs);
        }
    }
    if set.is_empty() {
        return Ok(set);
    }
    let refused = context.client.admin()?.alter_throttles(&set);
    let refusal = match refused {
        Ok(refused) => refused
            .into_iter()
            .next()
            .map(|(throttled, error)| Error::from(error).context(throttled)),
        Err(error) => Some(error),
    };
    if let Some(error) = refusal {
        let _ = clear(&set, &shown(&action.plan), context);
        return Err(error.context("throttle not set, nothing moved"));
    }
    Ok(set)
}

/// Reports a throttle of an earlier run, which stays in force for a run that continues without one of its own.
fn tell_what_is_set(brokers: &BTreeSet<BrokerId>, context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let alive = admin.brokers()?.iter().map(|broker| broker.id);
    let concerned: Vec<Throttled> = alive
        .filter(|id| brokers.contains(id))
        .map(Throttled::Broker)
        .collect();
    let set = admin.throttles(&concerned)?;
    let rates = set
        .values()
        .filter_map(|configs| configs.get(LEADER_THROTTLED_RATE)?.parse().ok());
    if let Some(slowest) = rates.min() {
        let (count, rate) = (plural(set.len() as u64, "broker"), human_bytes(slowest));
        context.printer.note(format_args!(
            "throttled at {rate}/s on {count} since the run before; --throttle sets another rate"
        ));
    }
    Ok(())
}

/// Without brokers that are down: they need no throttle, and could not be changed.
fn on_live_brokers(
    brokers: &BTreeSet<BrokerId>,
    rates: impl Fn() -> Rates,
    context: &mut Context,
) -> Result<Changes> {
    let admin = context.client.admin()?;
    let alive: BTreeSet<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
    let brokers = brokers.intersection(&alive).copied().collect();
    Ok(throttles::on_brokers(&brokers, rates()))
}

/// Sets again the parts of `set` that the next batch needs and another process has cleared: between two batches nothing
/// moves, so that `verify` in another shell takes the throttle for a leftover. A rate that was changed stays.
pub(super) fn keep(
    set: &Changes,
    batch: &Assignment,
    current: &Assignment,
    context: &mut Context,
) -> Result<()> {
    let (mut topics, mut brokers) = (BTreeSet::new(), BTreeSet::<BrokerId>::new());
    for (name, target) in batch {
        topics.insert(name.topic.as_str());
        brokers.extend(target.iter().chain(current.get(name).into_iter().flatten()));
    }
    let admin = context.client.admin()?;
    let alive: BTreeSet<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
    let is_concerned = |throttled: &Throttled| match throttled {
        Throttled::Topic(topic) => topics.contains(topic.as_str()),
        Throttled::Broker(id) => brokers.contains(id) && alive.contains(id),
    };
    let mut gone = set.clone();
    gone.retain(|throttled, _| is_concerned(throttled));
    if gone.is_empty() {
        return Ok(());
    }
    let there = admin.throttles(&gone.keys().cloned().collect::<Vec<_>>())?;
    gone.retain(|throttled, configs| {
        let there = there.get(throttled);
        configs.retain(|(name, _)| there.is_none_or(|there| !there.contains_key(*name)));
        !configs.is_empty()
    });
    if gone.is_empty() {
        return Ok(());
    }
    if let Some((throttled, error)) = admin.alter_throttles(&gone)?.into_iter().next() {
        return Err(Error::from(error).context(format!("throttle of {throttled} not set again")));
    }
    let names = idle_throttles::names_of(&gone.into_keys().collect::<Vec<_>>());
    context.printer.note(format_args!(
        "throttle was cleared by somebody else, and is set again on {names}"
    ));
    Ok(())
}

/// Throttles that an earlier run of the plan has left, where no move needs them any longer.
pub(super) fn add_left_over(
    set: &mut Changes,
    topics: BTreeSet<String>,
    context: &mut Context,
) -> Result<()> {
    let admin = context.client.admin()?;
    let active = admin.active_reassignments()?;
    if active.is_empty() {
        for found in idle_throttles::find(topics, &active, admin)? {
            set.extend(idle_throttles::cleared(found));
        }
    }
    Ok(())
}

/// Removes from `set` what moves of other plans still need: without it they would run unthrottled. A note names it.
pub(super) fn leave_to_others(set: &mut Changes, file: &str, context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let active = admin.active_reassignments()?;
    let has_log_dir_rate =
        |configs: &ConfigChanges| configs.iter().any(|(name, _)| *name == LOG_DIR_THROTTLED_RATE);
    let between_dirs: BTreeSet<BrokerId> = if set.values().any(has_log_dir_rate) {
        let under_way = log_dir_moves::under_way(admin, None)?;
        under_way.into_keys().map(|replica| replica.broker).collect()
    } else {
        BTreeSet::new()
    };
    let is_needed = |throttled: &Throttled, config: &str| match throttled {
        Throttled::Topic(topic) => active.keys().any(|name| name.topic == *topic),
        Throttled::Broker(id) if config == LOG_DIR_THROTTLED_RATE => between_dirs.contains(id),
        Throttled::Broker(id) => active.values().any(|active| active.replicas.contains(id)),
    };
    let mut needed: Vec<Throttled> = Vec::new();
    set.retain(|throttled, configs| {
        let before = configs.len();
        configs.retain(|(name, _)| !is_needed(throttled, name));
        if configs.len() < before {
            needed.push(throttled.clone());
        }
        !configs.is_empty()
    });
    if !needed.is_empty() {
        context.printer.note(format_args!(
            "throttle stays on {} for other moves; `kafkit reassign verify {file}` clears it behind them",
            idle_throttles::names_of(&needed)
        ));
    }
    Ok(())
}

/// Clears what was set; what cannot be cleared is reported.
pub(super) fn clear(set: &Changes, file: &str, context: &mut Context) -> Result<()> {
    if set.is_empty() {
        return Ok(());
    }
    let mut left: BTreeMap<Throttled, String> = BTreeMap::new();
    for (throttled, configs) in set {
        let names = configs.iter().map(|(name, _)| (*name, None)).collect();
        let change = Changes::from([(throttled.clone(), names)]);
        match context
            .client
            .admin()
            .and_then(|admin| admin.alter_throttles(&change))
        {
            // A topic that was deleted has no throttle any longer.
            Ok(refused) => left.extend(
                refused
                    .into_iter()
                    .filter(|(_, error)| error.code != UNKNOWN_TOPIC_OR_PARTITION)
                    .map(|(throttled, error)| (throttled, error.to_string())),
            ),
            Err(error) => drop(left.insert(throttled.clone(), error.to_string())),
        }
    }
    let brokers = set
        .keys()
        .filter(|throttled| matches!(throttled, Throttled::Broker(_)))
        .count();
    let topics = set.len() - brokers;
    if left.is_empty() {
        let counts = [(brokers, "broker"), (topics, "topic")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, noun)| plural(*count as u64, noun)).collect();
        context
            .printer
            .note(format_args!("throttle cleared on {}", counts.join(", ")));
        return Ok(());
    }
    let names: Vec<String> = left.keys().map(ToString::to_string).collect();
    let reason = left.into_values().next().unwrap_or_default();
    Err(
        Error::failed(format!("throttle left on {}: {reason}", comma_separated(&names))).hint(format!(
            "`kafkit reassign verify {file}` clears it when everything is up"
        )),
    )
}
