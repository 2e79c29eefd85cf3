//! One node of a cluster: its listeners and connections, and the replicas in its log dirs.
//!
//! [`replica_manager`] has the replicas, [`topic_changes`] the order of steps when topics change, [`upkeep`] the
//! periodic work on logs; [`log_dirs`] says where each replica is, [`log_dir_moves`] moves it; [`open`] and
//! [`adoption`] read a data directory, [`mod@join`] those of several nodes. In a cluster of several nodes [`reconcile`]
//! carries out the controller's decisions, [`replica_fetcher`] copies from leaders, [`replication`] is the exchange
//! between leader and follower, [`held_batches`] its batches in memory, [`isr`] what a leader knows of its followers,
//! and [`coordinator_duties`] moves coordinators with the partitions of their topics. The state of the whole cluster
//! is in cluster/, the files are in storage/.

mod adoption;
mod compaction;
pub(in crate::broker) mod coordinator_duties;
pub(in crate::broker) mod fetch_signal;
mod gate;
pub(in crate::broker) mod held_batches;
mod isr;
mod join;
pub(in crate::broker) mod log_dir_moves;
pub(in crate::broker) mod log_dirs;
mod open;
mod peers;
mod reconcile;
pub mod replica;
pub(in crate::broker) mod replica_fetcher;
pub mod replica_manager;
pub(in crate::broker) mod replication;
mod replication_quota;
mod topic_changes;
mod unreplicated;
mod upkeep;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use kafka_protocol::ResponseError;

use uuid::Uuid;

use super::authorizer::Authorizer;
use super::cluster::controller::PlannedTopic;
use super::cluster::image::{ClusterImage, TopicImage};
use super::cluster::partition_image::PartitionImage;
use super::cluster::{Cluster, ImageObserver};
use super::config::BrokerConfig;
use super::config::effective_config::{BrokerValues, Configs};
use super::coordinator::group::GroupCoordinator;
use super::coordinator::transaction::TransactionCoordinator;
use super::fetch::fetch_session::FetchSessions;
use super::notices::Notices;
use super::produce::write_trouble::WriteTrouble;
use super::quotas::QuotaManager;
use super::server::connections::{Connections, Listener};
use super::share::SharePartitionManager;
use crate::error::Result;
pub(in crate::broker) use coordinator_duties::Duties;
pub(in crate::broker) use gate::Gate;
pub(in crate::broker) use join::{Arrival, advertised, join, open_cluster, registration, voter};
pub(in crate::broker) use open::Opened;
pub(in crate::broker) use peers::Peers;
use replica::{Replica, Role};
use replica_manager::ReplicaManager;

/// One node, which every handler is given.
pub struct Node {
    /// `node.id`
    pub id: i32,
    pub config: Arc<BrokerConfig>,
    pub(in crate::broker) cluster: Arc<Cluster>,
    pub(in crate::broker) replicas: Arc<ReplicaManager>,
    /// The nodes of the cluster that can be reached, including this one.
    pub(in crate::broker) peers: Arc<Peers>,
    pub(in crate::broker) gate: Gate,
    pub(in crate::broker) duties: Duties,
    pub groups: Arc<GroupCoordinator>,
    pub transactions: Arc<TransactionCoordinator>,
    pub share: Arc<SharePartitionManager>,
    pub connections: Arc<Connections>,
    pub(in crate::broker) fetch_sessions: FetchSessions,
    /// The addresses of this node, by listener.
    pub listeners: Vec<Arc<Listener>>,
    pub(in crate::broker) notices: Notices,
    pub(in crate::broker) write_trouble: WriteTrouble,
    pub(in crate::broker) quotas: QuotaManager,
    /// Decides what clients may do; without one everything is allowed.
    pub(in crate::broker) authorizer: Option<Authorizer>,
}

impl Node {
    /// The replica of a partition on this node; `None` if there is none.
    pub fn partition(&self, topic: &str, index: i32) -> Option<Arc<Replica>> {
        self.replicas.partition(topic, index)
    }

    /// The replica of a partition that this node leads, and the partition's image; or the error for the client.
    pub(in crate::broker) fn leader<'a>(
        &self,
        topic: &'a TopicImage,
        index: i32,
    ) -> Result<(Arc<Replica>, &'a PartitionImage), ResponseError> {
        let unknown = ResponseError::UnknownTopicOrPartition;
        let partition = topic.partition(index).ok_or(unknown)?;
        if partition.leader != self.id {
            return Err(ResponseError::NotLeaderOrFollower);
        }
        // The replica may have been removed since the image was taken.
        let replica = self.replicas.replica(topic.id, index).ok_or(unknown)?;
        match replica.role() {
            Role::Leader { .. } => Ok((replica, partition)),
            Role::Follower { .. } => Err(ResponseError::NotLeaderOrFollower),
        }
    }

    /// The replica of a partition on this node, leader or follower; or the error for the client.
    pub(in crate::broker) fn readable(
        &self,
        topic: &TopicImage,
        index: i32,
    ) -> Result<Arc<Replica>, ResponseError> {
        let unknown = ResponseError::UnknownTopicOrPartition;
        let partition = topic.partition(index).ok_or(unknown)?;
        if !partition.replicas.contains(&self.id) {
            return Err(ResponseError::NotLeaderOrFollower);
        }
        self.replicas.replica(topic.id, index).ok_or(unknown)
    }

    /// Whether consumers are sent to the replica in their rack: `replica.selector.class` is Kafka's
    /// `RackAwareReplicaSelector`.
    pub(in crate::broker) fn selects_by_rack(&self) -> bool {
        let selector = self.config.value("replica.selector.class");
        selector.is_some_and(|class| class.trim().ends_with("RackAwareReplicaSelector"))
    }

    pub fn cluster_id(&self) -> &str {
        self.cluster.id()
    }

    /// The number of topics in the cluster.
    pub fn topic_count(&self) -> usize {
        self.cluster.image().topics().len()
    }

    pub fn has_topic(&self, name: &str) -> bool {
        self.cluster.image().topic(name).is_some()
    }

    /// The size of all logs on this node, in bytes.
    pub fn size(&self) -> u64 {
        self.replicas.size()
    }

    /// Creates a topic whose name and configs the caller has checked.
    ///
    /// # Errors
    ///
    /// The topic exists, or the disk fails.
    pub fn create_topic(&self, name: &str, partitions: i32, configs: Configs) -> Result<()> {
        let planned = PlannedTopic::new(&self.cluster.image(), partitions, configs);
        self.replicas.create_topic(name, &planned)?;
        Ok(())
    }

    /// The sources of this node's config values.
    pub(in crate::broker) fn broker_values<'a>(&'a self, image: &'a ClusterImage) -> BrokerValues<'a> {
        self.replicas.broker_values(image)
    }

    /// Reports a line to the user who runs the broker.
    pub fn notice(&self, line: impl fmt::Display) {
        self.notices.say(&line.to_string());
    }

    /// Reports the line if there is one.
    pub(in crate::broker) fn report(&self, line: Option<String>) {
        if let Some(line) = line {
            self.notice(line);
        }
    }

    /// The same for lines that clients can cause repeatedly: each is reported once.
    pub fn notice_once(&self, line: impl fmt::Display) {
        self.notices.say_once(&line.to_string());
    }
}

impl ImageObserver for Node {
    fn topics_changed(&self, topics: &BTreeSet<Uuid>) {
        let reconciled = self.replicas.reconcile(topics);
        for note in reconciled.notes {
            self.notice(note);
        }
        for change in reconciled.roles {
            self.note_duty(change);
        }
        // The roles of a topic's replicas on the node that created it are not among the changes.
        let image = self.cluster.image();
        let changed = topics.iter().filter_map(|id| image.topic_by_id(*id));
        if changed.into_iter().any(|topic| topic.is_internal()) {
            self.coordinate_what_it_leads();
        }
    }

    fn broker_lost(&self, id: i32) {
        self.replicas.broker_lost(id);
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("config", &self.config)
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}
