//! Of topics and partitions those that are unwell: without a leader, lacking replicas, on the move.

use crate::client::admin::configs::{ConfigEntry, ConfigResource};
use crate::client::admin::topics::TopicDescription;
use crate::client::admin::{AdminClient, ApiError};
use crate::error::Result;
use crate::output::health::HealthFilter;
use crate::reassignment::active::ActiveReassignments;
use crate::topic_partition::TopicPartition;

/// Keeps the partitions that are unwell in one of these ways, and the topics that have such partitions.
pub(super) fn retain(
    topics: &mut Vec<TopicDescription>,
    health: HealthFilter,
    active: &ActiveReassignments,
    admin: &mut AdminClient,
) -> Result<()> {
    let least = if health.under_min_isr {
        min_in_sync(topics, admin)?
    } else {
        Vec::new()
    };
    let mut least = least.into_iter();
    for topic in topics.iter_mut() {
        let least = least.next().flatten().unwrap_or(1);
        let name = &topic.name;
        topic.partitions.retain(|partition| {
            let place = TopicPartition::new(name.as_str(), partition.partition);
            health.matches(partition, active.get(&place), least)
        });
    }
    topics.retain(|topic| !topic.partitions.is_empty());
    Ok(())
}

/// `min.insync.replicas` of each topic; unknown where its configs may not be seen.
fn min_in_sync(topics: &[TopicDescription], admin: &mut AdminClient) -> Result<Vec<Option<usize>>> {
    let resources: Vec<ConfigResource> = topics
        .iter()
        .map(|topic| ConfigResource::Topic(topic.name.clone()))
        .collect();
    let least = |configs: Result<Vec<ConfigEntry>, ApiError>| {
        let configs = configs.ok()?;
        let config = configs
            .iter()
            .find(|config| config.name == "min.insync.replicas")?;
        config.value.as_deref()?.parse().ok()
    };
    let configs = admin.describe_configs(&resources)?;
    Ok(configs.into_iter().map(least).collect())
}
