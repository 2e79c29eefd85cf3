//! The topics and partitions with a problem: without a leader, with missing replicas, or being moved.

use crate::client::admin::configs::{ConfigEntry, ConfigResource};
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::client::admin::{AdminClient, ApiError};
use crate::error::Result;
use crate::output::health::HealthFilter;
use crate::reassignment::active::{ActiveReassignments, of_partition};

/// Keeps the partitions with one of these problems, and the topics that have such partitions.
pub(super) fn retain(
    topics: &mut Vec<TopicDescription>,
    health: HealthFilter,
    active: &ActiveReassignments,
    admin: &mut AdminClient,
) -> Result<()> {
    let least = least(topics, health, admin)?;
    for (topic, least) in topics.iter_mut().zip(least) {
        let name = &topic.name;
        topic.partitions.retain(|partition| {
            let moving = of_partition(active, name, partition.partition);
            health.matches(partition, moving, least)
        });
    }
    topics.retain(|topic| !topic.partitions.is_empty());
    Ok(())
}

/// Keeps the topics that have such partitions, with all their partitions.
pub(super) fn retain_whole(
    topics: &mut Vec<TopicDescription>,
    health: HealthFilter,
    active: &ActiveReassignments,
    admin: &mut AdminClient,
) -> Result<()> {
    let mut least = least(topics, health, admin)?.into_iter();
    topics.retain(|topic| {
        let least = least.next().unwrap_or(1);
        let is_unwell = |partition: &PartitionDescription| {
            let moving = of_partition(active, &topic.name, partition.partition);
            health.matches(partition, moving, least)
        };
        topic.partitions.iter().any(is_unwell)
    });
    Ok(())
}

/// `min.insync.replicas` of each topic; 1 where it is not needed or the user may not see it.
fn least(topics: &[TopicDescription], health: HealthFilter, admin: &mut AdminClient) -> Result<Vec<usize>> {
    if !health.under_min_isr {
        return Ok(vec![1; topics.len()]);
    }
    let least = min_in_sync(topics, admin)?.into_iter();
    Ok(least.map(|least| least.unwrap_or(1)).collect())
}

/// `min.insync.replicas` of each topic; `None` where the user may not see its configs.
fn min_in_sync(topics: &[TopicDescription], admin: &mut AdminClient) -> Result<Vec<Option<usize>>> {
    let resources: Vec<ConfigResource> = topics
        .iter()
        .map(|topic| ConfigResource::Topic(topic.name.clone()))
        .collect();
    let least = |config: Result<Option<ConfigEntry>, ApiError>| config.ok()??.value?.parse().ok();
    let configs = admin.describe_one_config(&resources, "min.insync.replicas")?;
    Ok(configs.into_iter().map(least).collect())
}
