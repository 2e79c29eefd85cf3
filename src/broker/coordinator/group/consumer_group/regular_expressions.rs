//! Subscriptions by regular expression (KIP-848): the topics that an expression matches are part of the group, so
//! that all members with the same expression agree on them.
//!
//! As in Apache Kafka an expression is matched after the heartbeat that brings it, and again after topics were
//! created or some time has passed, but at most every ten seconds.

use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::group::{Change, ConsumerGroup, Refused, Step, Surroundings};
use super::record::{GroupRecord, ResolvedRegex};
use crate::java::re2::Re2;

/// The shortest time between two matches.
const MATCH_INTERVAL_MS: i64 = 10_000;

impl ConsumerGroup {
    /// Whether a member may subscribe to this expression. Returns whether its topics are known, so that the group can
    /// be assigned at once.
    pub(super) fn check_regex(&self, regex: &str) -> Result<bool, Refused> {
        if regex.is_empty() {
            return Ok(true);
        }
        if self.subscribers_of_regex(regex) > 0 {
            return Ok(self.regexes.contains_key(regex));
        }
        match Re2::new(regex) {
            Ok(_) => Ok(false),
            Err(why) => {
                let message =
                    format!("SubscribedTopicRegex `{regex}` is not a valid regular expression: {why}.");
                Err((ResponseError::InvalidRegularExpression, message))
            }
        }
    }

    /// Removes the topics of an expression that no member subscribes to any more.
    pub(super) fn forget_unused_regex(&mut self, step: &mut Step<'_>, regex: &str) {
        if !regex.is_empty() && self.subscribers_of_regex(regex) == 0 && self.regexes.contains_key(regex) {
            self.write(step, GroupRecord::Regex(regex.to_owned(), None));
        }
    }

    /// Notes whether expressions have to be matched.
    pub(super) fn note_due_matching(&mut self, step: &Step<'_>) {
        let mut subscribed = self
            .members
            .values()
            .map(|member| &member.metadata.regex)
            .filter(|regex| !regex.is_empty());
        let resolved = self.regexes.values();
        let last_ms = resolved.clone().map(|resolved| resolved.at_ms).max();
        let since_ms = last_ms.map(|last_ms| step.around.now_ms.saturating_sub(last_ms));
        if since_ms.is_some_and(|since_ms| since_ms <= MATCH_INTERVAL_MS) {
            return;
        }
        let refresh_ms = i64::from(step.around.settings.regex_refresh_interval_ms);
        let is_old = since_ms.is_some_and(|since_ms| since_ms > refresh_ms);
        let version = step.around.catalog.version();
        let topics_changed = resolved.clone().any(|resolved| resolved.version != version);
        self.matching_is_due =
            subscribed.any(|regex| is_old || topics_changed || !self.regexes.contains_key(regex));
    }

    /// Matches every subscribed expression; the group's epoch is raised if the topics of one have changed.
    pub(super) fn match_regexes(&mut self, around: Surroundings<'_>) -> Change {
        let event = |group: &mut Self, step: &mut Step<'_>| {
            let mut changed = false;
            let names = step.around.catalog.topic_names();
            let mut subscribed: Vec<String> = group
                .members
                .values()
                .map(|member| member.metadata.regex.clone())
                .collect();
            subscribed.sort_unstable();
            subscribed.dedup();
            for regex in subscribed.into_iter().filter(|regex| !regex.is_empty()) {
                // Invalid expressions were refused; this one was accepted by a later version of Kafka.
                let Ok(compiled) = Re2::new(&regex) else { continue };
                let topics = names
                    .iter()
                    .filter(|name| compiled.matches(name))
                    .cloned()
                    .collect();
                let known = group.regexes.get(&regex).map(Arc::clone).unwrap_or_default();
                changed |= known.topics != topics;
                let resolved = ResolvedRegex {
                    topics,
                    version: step.around.catalog.version(),
                    at_ms: step.around.now_ms,
                };
                group.write(step, GroupRecord::Regex(regex, Some(resolved)));
            }
            if changed {
                let metadata_hash = group.hash_of_topics(step.around.catalog);
                group.raise_epoch(step, metadata_hash);
            }
            Ok(())
        };
        self.matching_is_due = false;
        self.happen(around, event).1
    }
}
