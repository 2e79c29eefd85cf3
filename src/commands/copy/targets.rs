//! Topics that are missing in the target: created with the partitions and the configs of their sources.

use super::plan::Pair;
use crate::client::admin::configs::{ConfigEntry, ConfigResource};
use crate::client::admin::topics::{NewTopic, PARTITIONS_PER_ANSWER, TopicDescription};
use crate::commands::two_clusters::TwoClusters;
use crate::error::{Error, Result};
use crate::output;

/// Creates what is missing, and reports it; afterwards every pair has its target.
pub(super) fn create(pairs: &mut [Pair], clusters: &mut TwoClusters<'_>) -> Result<()> {
    let missing: Vec<&mut Pair> = pairs.iter_mut().filter(|pair| pair.existing.is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let brokers = clusters.there().client.admin()?.brokers()?.len();
    let most = i16::try_from(brokers.max(1)).unwrap_or(i16::MAX);
    let topics: Vec<NewTopic> = missing
        .iter()
        .map(|pair| {
            let mut spec = pair.spec.clone();
            spec.name.clone_from(&pair.target);
            spec.replication_factor = spec.replication_factor.map(|factor| factor.clamp(1, most));
            spec.to_new_topic()
        })
        .collect();
    let admin = clusters.there().client.admin()?;
    for (name, outcome) in admin.create_topics(&topics, false)? {
        outcome
            .map_err(|refusal| Error::from(refusal).context(format_args!("cannot create topic {name}")))?;
    }
    let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
    let mut described = described(&names, clusters)?.into_iter();
    for (pair, topic) in missing.into_iter().zip(&topics) {
        pair.existing = described.next();
        let configs = topic
            .configs
            .iter()
            .map(|(name, value)| format!(", {name}={value}"));
        let configs: String = configs.collect();
        let partitions = output::plural(pair.target_partitions() as u64, "partition");
        clusters
            .here
            .printer
            .note(format_args!("created {} ({partitions}{configs})", pair.target));
    }
    Ok(())
}

/// The current description of a target.
pub(super) fn describe(target: &str, clusters: &mut TwoClusters<'_>) -> Result<TopicDescription> {
    let described = described(&[target.to_owned()], clusters)?.into_iter().next();
    described.ok_or_else(|| Error::not_found(format!("topic {target} is not there")))
}

fn described(names: &[String], clusters: &mut TwoClusters<'_>) -> Result<Vec<TopicDescription>> {
    let admin = clusters.there().client.admin()?;
    let described = admin.describe_topics(names, PARTITIONS_PER_ANSWER)?.into_iter();
    let failed = |name: &str, refusal| Error::from(refusal).context(format_args!("topic {name}"));
    described
        .map(|(name, found)| found.map_err(|refusal| failed(&name, refusal)))
        .collect()
}

/// What a copy has to know of a target topic.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    /// `max.message.bytes`, if the cluster reports it.
    pub(super) largest: Option<usize>,
    /// Whether brokers replace the times of records (`message.timestamp.type=LogAppendTime`).
    pub(super) sets_times: bool,
}

/// Looks up the facts of each target.
pub(super) fn facts(pairs: &[Pair], clusters: &mut TwoClusters<'_>) -> Result<Vec<Facts>> {
    let resources = pairs
        .iter()
        .map(|pair| ConfigResource::Topic(pair.target.clone()));
    let resources: Vec<ConfigResource> = resources.collect();
    let answers = clusters.there().client.admin()?.describe_configs(&resources)?;
    let value = |configs: &[ConfigEntry], name: &str| {
        let mut configs = configs.iter();
        configs
            .find(|config| config.name == name)
            .and_then(|config| config.value.clone())
    };
    let facts = |configs: Vec<ConfigEntry>| Facts {
        largest: value(&configs, "max.message.bytes").and_then(|value| value.parse().ok()),
        sets_times: value(&configs, "message.timestamp.type").as_deref() == Some("LogAppendTime"),
    };
    // Without the right to see configs, limits are learned from refusals.
    Ok(answers
        .into_iter()
        .map(|answer| answer.map(facts).unwrap_or_default())
        .collect())
}
