//! What exists: the cluster's id, its topics with their partitions and configs, the dynamic broker configs.
//!
//! Owns the lookups; `metadata_changes` has what changes them. Readers take a topic as an `Arc` and see it whole; a
//! change replaces it. [`super::cluster`] keeps it all on disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use uuid::Uuid;

use super::cluster::controller::{ClusterView, ExistingTopic};
use super::cluster::metadata_log::MetadataLog;
use super::cluster::producer_ids::ProducerIds;
use super::cluster::records::Node;
use super::config::BrokerConfig;
use super::config::effective_config::{BrokerValues, Configs};
use super::node::replica::Replica;
use crate::storage::LogDir;

/// One topic as it is now.
#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub id: Uuid,
    pub partitions: Vec<Arc<Replica>>,
    /// The configs it was given; the rest are the broker's.
    pub configs: Configs,
}

impl Topic {
    pub fn partition(&self, index: i32) -> Option<&Arc<Replica>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }

    fn summary(&self) -> ExistingTopic {
        ExistingTopic {
            name: self.name.clone(),
            id: self.id,
            partitions: self.partitions.len() as i32,
        }
    }

    /// Kafka's own topics, which tools leave out.
    pub fn is_internal(&self) -> bool {
        is_internal(&self.name)
    }
}

/// Whether a topic of this name is Kafka's own.
pub fn is_internal(topic: &str) -> bool {
    matches!(
        topic,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

/// What readers see.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) topics: BTreeMap<String, Arc<Topic>>,
    pub(super) ids: HashMap<Uuid, Arc<Topic>>,
    /// Names of topics by their name in metrics.
    pub(super) metric_names: HashMap<String, BTreeSet<String>>,
    /// Dynamic broker configs: the cluster's default under "", a node's under its id.
    pub(super) broker_configs: BTreeMap<String, Configs>,
    /// Configs of groups, by group id.
    pub(super) group_configs: BTreeMap<String, Configs>,
    /// Deleted since the start and not made again; at most [`REMEMBERED`].
    pub(super) deleted: BTreeSet<String>,
    /// Goes up whenever a topic is made, changed or deleted.
    pub(super) topics_version: i64,
}

impl State {
    /// Adds a topic, or replaces the one of its name.
    pub(super) fn insert(&mut self, topic: Arc<Topic>) {
        self.deleted.remove(&topic.name);
        self.topics_version += 1;
        let alike = self.metric_names.entry(metric_name(&topic.name)).or_default();
        alike.insert(topic.name.clone());
        self.ids.insert(topic.id, Arc::clone(&topic));
        self.topics.insert(topic.name.clone(), topic);
    }

    pub(super) fn remove(&mut self, topic: &Topic) {
        self.topics_version += 1;
        self.topics.remove(&topic.name);
        self.ids.remove(&topic.id);
        if let Some(alike) = self.metric_names.get_mut(&metric_name(&topic.name)) {
            alike.remove(&topic.name);
            if alike.is_empty() {
                self.metric_names.remove(&metric_name(&topic.name));
            }
        }
        if self.deleted.len() < REMEMBERED {
            self.deleted.insert(topic.name.clone());
        }
    }

    /// The largest producer id that a log has seen.
    pub(super) fn largest_producer_id(&self) -> Option<i64> {
        let partitions = self.topics.values().flat_map(|topic| &topic.partitions);
        partitions
            .filter_map(|partition| partition.log().producers().largest_id())
            .max()
    }
}

/// A topic's name in the names of metrics, where `.` and `_` are one.
fn metric_name(topic: &str) -> String {
    topic.replace('.', "_")
}

/// What only the holder of the change lock may touch.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) ids: ProducerIds,
    pub(super) log: MetadataLog,
}

/// How many names of deleted topics are remembered.
pub(super) const REMEMBERED: usize = 1_000;

/// Everything that exists, in memory and on disk.
#[derive(Debug)]
pub struct Metadata {
    pub(super) config: Arc<BrokerConfig>,
    pub(super) log_dir: LogDir,
    pub(super) cluster_id: String,
    pub(super) state: RwLock<State>,
    /// This node, as the owner of every partition.
    pub(super) node: Node,
    /// One change at a time; held while it is written.
    pub(super) changes: Mutex<Changes>,
    /// What the user should know of the data directory, a line each.
    pub(super) notes: Vec<String>,
}

impl Metadata {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only under [`Metadata::lock_changes`].
    pub(super) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    pub fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.read().topics.get(name).map(Arc::clone)
    }

    pub fn topic_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.read().ids.get(&id).map(Arc::clone)
    }

    /// Another number whenever a topic was made, changed or deleted.
    pub fn topics_version(&self) -> i64 {
        self.read().topics_version
    }

    /// The rack of this node.
    pub fn rack(&self) -> Option<String> {
        self.config.value("broker.rack").map(str::to_owned)
    }

    /// The configs of a group.
    pub fn group_configs(&self, group: &str) -> Configs {
        self.read().group_configs.get(group).cloned().unwrap_or_default()
    }

    /// The groups that have configs of their own.
    pub fn configured_groups(&self) -> Vec<String> {
        let state = self.read();
        let given = state
            .group_configs
            .iter()
            .filter(|(_, configs)| !configs.is_empty());
        given.map(|(group, _)| group.clone()).collect()
    }

    /// A config that was set for this very group.
    pub fn group_config(&self, group: &str, name: &str) -> Option<String> {
        let state = self.read();
        state.group_configs.get(group)?.get(name).cloned()
    }

    /// Every topic, by name.
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        self.read().topics.values().map(Arc::clone).collect()
    }

    pub fn partition(&self, topic: &str, index: i32) -> Option<Arc<Replica>> {
        self.read().topics.get(topic)?.partition(index).map(Arc::clone)
    }

    /// Whether a topic of this name was deleted, and none made since.
    pub fn was_deleted(&self, name: &str) -> bool {
        self.read().deleted.contains(name)
    }

    /// Bytes of every log.
    pub fn size(&self) -> u64 {
        let topics = self.topics();
        let partitions = topics.iter().flat_map(|topic| &topic.partitions);
        partitions.map(|partition| partition.log().size()).sum()
    }

    /// Looks a config up among everything that may set it.
    pub fn with_broker_values<R>(&self, look: impl FnOnce(BrokerValues<'_>) -> R) -> R {
        let state = self.read();
        look(self.values_in(&state))
    }

    pub(super) fn values_in<'a>(&'a self, state: &'a State) -> BrokerValues<'a> {
        BrokerValues {
            config: &self.config,
            node: state.broker_configs.get(&self.config.node_id.to_string()),
            cluster: state.broker_configs.get(""),
        }
    }

    /// The dynamic configs of one node, or of the cluster ("").
    pub fn broker_configs(&self, resource: &str) -> Configs {
        self.read()
            .broker_configs
            .get(resource)
            .cloned()
            .unwrap_or_default()
    }
}

impl ClusterView for Metadata {
    fn topic(&self, name: &str) -> Option<ExistingTopic> {
        self.read().topics.get(name).map(|topic| topic.summary())
    }

    fn topic_by_id(&self, id: Uuid) -> Option<ExistingTopic> {
        self.read().ids.get(&id).map(|topic| topic.summary())
    }

    /// Metrics could not tell the two topics apart.
    fn colliding_topic(&self, name: &str) -> Option<String> {
        let state = self.read();
        state.metric_names.get(&metric_name(name))?.first().cloned()
    }

    fn brokers(&self) -> Vec<i32> {
        vec![self.node.id]
    }
}
