//! Opening the log dirs of a cluster of several nodes, all at the start, or that of one node which comes back.
//!
//! The metadata of the cluster are in the log dir of the first node. Nothing is adopted here, as a directory of one node
//! is (`open`): what belongs to no partition of this node is set aside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::replica_manager::ReplicaManager;
use crate::broker::cluster::Cluster;
use crate::broker::cluster::elections::Departure;
use crate::broker::cluster::image::{BrokerImage, ClusterImage, EndpointImage};
use crate::broker::cluster::metadata_log::MetadataLog;
use crate::broker::cluster::producer_ids::{ProducerIds, UsedIds};
use crate::broker::cluster::records;
use crate::broker::config::BrokerConfig;
use crate::broker::server::connections::Listener;
use crate::error::Result;
use crate::storage::LogDir;
use crate::storage::file_name::BOOTSTRAP_CHECKPOINT;

/// A cluster whose log dirs are open.
pub(in crate::broker) struct OpenedCluster {
    pub(in crate::broker) cluster: Arc<Cluster>,
    /// Of each node, in the order of the configs.
    pub(in crate::broker) replicas: Vec<Arc<ReplicaManager>>,
    pub(in crate::broker) notes: Vec<String>,
}

/// One node whose log dir is open.
pub(in crate::broker) struct Joined {
    pub(in crate::broker) replicas: Arc<ReplicaManager>,
    /// Its last end was in order: it has everything that it had.
    pub(in crate::broker) was_clean: bool,
    pub(in crate::broker) notes: Vec<String>,
}

/// What a node registers with.
pub(in crate::broker) fn registration(
    config: &BrokerConfig,
    log_dir: &LogDir,
    listeners: &[Arc<Listener>],
) -> BrokerImage {
    let rack = config.value("broker.rack").map(str::to_owned);
    let directory = log_dir.meta().directory_id.unwrap_or_default();
    let endpoints = listeners.iter().map(|listener| EndpointImage {
        listener: listener.name.clone(),
        host: listener.advertised_host.clone(),
        port: listener.advertised_port,
    });
    BrokerImage {
        endpoints: endpoints.collect(),
        ..BrokerImage::new(config.node_id, rack, directory)
    }
}

fn open_log_dir(config: &BrokerConfig, cluster_id: Option<&str>) -> Result<LogDir> {
    let mut log_dir = LogDir::open(&config.data_dir, config.node_id, cluster_id)?;
    log_dir.set_sync(config.flush_each_batch);
    Ok(log_dir)
}

/// Opens every node's log dir. Each config comes with the listeners of its node.
pub(in crate::broker) fn open_cluster(
    nodes: &[(Arc<BrokerConfig>, Vec<Arc<Listener>>)],
) -> Result<OpenedCluster> {
    let mut cluster_id: Option<String> = None;
    let mut log_dirs = Vec::new();
    for (config, _) in nodes {
        let log_dir = open_log_dir(config, cluster_id.as_deref())?;
        cluster_id = cluster_id.or_else(|| log_dir.meta().cluster_id.clone());
        log_dirs.push(log_dir);
    }
    let (log, kept) = open_metadata(nodes)?;
    let is_new = kept.is_none();
    let mut image = kept.unwrap_or_default();
    if is_new {
        image.apply_all(&records::first_configs());
    }
    for ((config, listeners), log_dir) in nodes.iter().zip(&log_dirs) {
        image.register(registration(config, log_dir, listeners));
    }
    image.forget_deleted();
    let used = UsedIds {
        reserved: image.next_producer_id,
        ..UsedIds::default()
    };
    let cluster = Arc::new(Cluster::new(cluster_id.unwrap_or_default(), image, log));
    leave_out_the_absent(&cluster)?;
    let mut later_epochs = Vec::new();
    let mut words = Vec::new();
    let mut replicas = Vec::new();
    for ((config, _), log_dir) in nodes.iter().zip(log_dirs) {
        let manager = ReplicaManager::new(Arc::clone(config), Arc::clone(&cluster), log_dir);
        words.extend(manager.set_strays_aside()?);
        later_epochs.extend(manager.open_all()?);
        replicas.push(Arc::new(manager));
    }
    cluster.start(
        ProducerIds::above(used),
        &later_epochs,
        is_new || !later_epochs.is_empty(),
    )?;
    Ok(OpenedCluster {
        cluster,
        replicas,
        notes: words,
    })
}

/// Brokers that an earlier start had, and this one has not, lead nothing; what nobody led may be led again.
fn leave_out_the_absent(cluster: &Cluster) -> Result<()> {
    let image = cluster.image();
    let partitions = image.topics().flat_map(|topic| &topic.partitions);
    let named = partitions.flat_map(|(_, partition)| &partition.isr);
    let absent: BTreeSet<i32> = named
        .copied()
        .filter(|id| !image.brokers().contains_key(id))
        .collect();
    drop(image);
    for id in absent {
        cluster.fence(id, Departure::Silent)?;
    }
    cluster.elect_for_leaderless()
}

fn open_metadata(
    nodes: &[(Arc<BrokerConfig>, Vec<Arc<Listener>>)],
) -> Result<(MetadataLog, Option<ClusterImage>)> {
    let first = nodes.first().map(|(config, _)| config);
    let first = first.ok_or_else(|| crate::error::Error::failed("a cluster has at least one node"))?;
    MetadataLog::open(&first.data_dir.join(BOOTSTRAP_CHECKPOINT), first.flush_each_batch)
}

/// Opens the log dir of one node of a cluster that runs. The caller keeps the cluster from changing meanwhile.
pub(in crate::broker) fn join(config: &Arc<BrokerConfig>, cluster: &Arc<Cluster>) -> Result<Joined> {
    let log_dir = open_log_dir(config, Some(cluster.id()))?;
    let was_clean = log_dir.was_clean_shutdown();
    let manager = ReplicaManager::new(Arc::clone(config), Arc::clone(cluster), log_dir);
    let notes = manager.set_strays_aside()?;
    manager.open_all()?;
    Ok(Joined {
        replicas: Arc::new(manager),
        was_clean,
        notes,
    })
}

impl ReplicaManager {
    /// Renames the folders of partitions that the cluster has not, or not here: their topics were deleted or moved while
    /// this node was away. Returns a line for the user for each topic.
    fn set_strays_aside(&self) -> Result<Vec<String>> {
        let image = self.cluster.image();
        let mut topics: BTreeMap<String, usize> = BTreeMap::new();
        for (partition, id) in self.log_dir.partitions()?.logs {
            let topic = image.topic(&partition.topic);
            let topic = topic.filter(|topic| id.is_none_or(|id| id == topic.id));
            let known = topic.and_then(|topic| topic.partition(partition.partition));
            let is_here = known.is_some_and(|known| known.replicas.contains(&self.config.node_id));
            if !is_here {
                self.log_dir.set_stray(&partition)?;
                *topics.entry(partition.topic).or_default() += 1;
            }
        }
        let line = |(topic, count): (String, usize)| {
            let dir = self.config.data_dir.display();
            format!(
                "{count} folders of topic {topic} in {dir} belong to nothing any more: renamed to *-stray"
            )
        };
        Ok(topics.into_iter().map(line).collect())
    }
}
