//! What the broker lends the coordinator beside its log: the topics that there are, the configs of groups,
//! and the levels of features.

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

/// What groups ask of the rest of the broker.
pub trait Environment: TopicCatalog + Debug {
    /// A config that was set for this very group, or else for every group while the broker ran.
    fn group_config(&self, group: &str, name: &str) -> Option<String>;

    /// The level of a feature that is in force.
    fn feature_level(&self, feature: &Feature) -> i16;

    /// The states of the partitions that share groups read.
    fn share_states(&self) -> &ShareCoordinator;

    /// Who holds records for the members of share groups.
    fn share_listener(&self) -> &dyn ShareGroupListener;
}

/// Is told when members of share groups go.
pub trait ShareGroupListener: Debug + Send + Sync {
    /// The member has left its group, or was silent for too long.
    fn member_left(&self, group: &str, member: &str, now_ms: i64);

    /// The group has no members any more, or was deleted: what is stored of it may change.
    fn group_emptied(&self, group: &str);
}

/// The environment of a broker that runs.
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

/// The racks of a partition's replicas; brokers without a rack are left out.
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
