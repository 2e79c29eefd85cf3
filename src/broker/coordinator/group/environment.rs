//! What the coordinator needs from the broker beside its log: topics, configs of groups, feature levels.

use std::fmt::Debug;
use std::sync::Arc;

use uuid::Uuid;

use super::consumer_group::{TopicCatalog, TopicShape};
use crate::broker::cluster::Cluster;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::cluster::partition_image::PartitionImage;
use crate::broker::config::group_config;
use crate::broker::coordinator::share::ShareCoordinator;
use crate::broker::features::Feature;

/// The broker's services for groups.
pub trait Environment: TopicCatalog + Debug {
    /// A config of this group, or the dynamic default for all groups.
    fn group_config(&self, group: &str, name: &str) -> Option<String>;

    /// The level in force of a feature.
    fn feature_level(&self, feature: &Feature) -> i16;

    /// The share coordinator, with the states of the partitions that share groups read.
    fn share_states(&self) -> &ShareCoordinator;

    /// The owner of records that members of share groups have acquired.
    fn share_listener(&self) -> &dyn ShareGroupListener;
}

/// Notified when members of share groups leave.
pub trait ShareGroupListener: Debug + Send + Sync {
    /// The member has left its group, or its session has timed out.
    fn member_left(&self, group: &str, member: &str, now_ms: i64);

    /// The group has no members any more, or was deleted: its stored state may change.
    fn group_emptied(&self, group: &str);
}

/// The environment in a running broker.
#[derive(Debug)]
pub struct BrokerEnvironment {
    cluster: Arc<Cluster>,
    share_states: Arc<ShareCoordinator>,
    share_listener: Arc<dyn ShareGroupListener>,
}

impl BrokerEnvironment {
    pub(in crate::broker) fn new(
        cluster: Arc<Cluster>,
        share_states: Arc<ShareCoordinator>,
        share_listener: Arc<dyn ShareGroupListener>,
    ) -> Self {
        Self {
            cluster,
            share_states,
            share_listener,
        }
    }
}

/// The racks of a partition's replicas, without brokers that have no rack.
fn racks(image: &ClusterImage, partition: &PartitionImage) -> Vec<String> {
    let replicas = partition.replicas.iter();
    let brokers = replicas.filter_map(|id| image.brokers().get(id));
    brokers.filter_map(|broker| broker.rack.clone()).collect()
}

impl TopicCatalog for BrokerEnvironment {
    fn version(&self) -> i64 {
        self.cluster.image().topics_version()
    }

    fn topic(&self, name: &str) -> Option<TopicShape> {
        let image = self.cluster.image();
        let topic = image.topic(name)?;
        let partitions = topic.partitions.iter();
        Some(TopicShape {
            id: topic.id,
            partition_racks: partitions
                .map(|(_, partition)| racks(&image, partition))
                .collect(),
        })
    }

    fn topic_name(&self, id: Uuid) -> Option<String> {
        let image = self.cluster.image();
        image.topic_by_id(id).map(|topic| topic.name.clone())
    }

    fn topic_names(&self) -> Vec<String> {
        let image = self.cluster.image();
        image.topics().map(|topic| topic.name.clone()).collect()
    }
}

impl Environment for BrokerEnvironment {
    fn group_config(&self, group: &str, name: &str) -> Option<String> {
        let image = self.cluster.image();
        let own = image.group_configs(group).and_then(|configs| configs.get(name));
        let of_all = || {
            let setting = group_config::find(name)?.default_name;
            image.broker_configs("")?.get(setting)
        };
        own.or_else(of_all).cloned()
    }

    fn feature_level(&self, feature: &Feature) -> i16 {
        self.cluster.image().feature_level(feature)
    }

    fn share_states(&self) -> &ShareCoordinator {
        &self.share_states
    }

    fn share_listener(&self) -> &dyn ShareGroupListener {
        &*self.share_listener
    }
}
