//! Opening the log dirs of a cluster of several nodes, all at the start, or those of one node that joins later.
//!
//! The metadata of the cluster are in the log dir of the first node, unless the cluster says otherwise
//! (`metadata_place`). No topics are adopted here, unlike from the directory of a single node (`open`): folders that
//! belong to no partition of this node are set aside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::log_dirs::LogDirs;
use super::replica_manager::ReplicaManager;
use crate::broker::cluster::Cluster;
use crate::broker::cluster::elections::Departure;
use crate::broker::cluster::image::{BrokerImage, EndpointImage, Voter};
use crate::broker::cluster::metadata_log::MetadataLog;
use crate::broker::cluster::producer_ids::{ProducerIds, UsedIds};
use crate::broker::cluster::records;
use crate::broker::config::{BrokerConfig, Endpoint};
use crate::broker::server::connections::Listener;
use crate::error::{Error, Result};
use crate::storage::LogDir;
use crate::storage::file_name::BOOTSTRAP_CHECKPOINT;

/// A cluster whose log dirs are open.
pub(in crate::broker) struct OpenedCluster {
    pub(in crate::broker) cluster: Arc<Cluster>,
    /// One for each node, in the order of the configs.
    pub(in crate::broker) replicas: Vec<Arc<ReplicaManager>>,
    /// The log dirs of controllers that are no brokers.
    pub(in crate::broker) held: Vec<LogDirs>,
    /// The file with the metadata.
    pub(in crate::broker) metadata: PathBuf,
    pub(in crate::broker) notes: Vec<String>,
}

/// One node whose log dir is open.
pub(in crate::broker) struct Joined {
    pub(in crate::broker) replicas: Arc<ReplicaManager>,
    /// Its entry in the quorum of controllers; `None` if it is a broker only.
    pub(in crate::broker) voter: Option<Voter>,
    /// Whether its last shutdown was clean: it has everything that it had.
    pub(in crate::broker) was_clean: bool,
    pub(in crate::broker) notes: Vec<String>,
}

/// How a node joins a running cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) enum Arrival {
    /// For the first time: its log dir must not hold any partition.
    First,
    Again,
}

/// What a node registers with at the controller.
pub(in crate::broker) fn registration(
    config: &BrokerConfig,
    log_dirs: &LogDirs,
    listeners: &[Arc<Listener>],
) -> BrokerImage {
    let rack = config.value("broker.rack").map(str::to_owned);
    BrokerImage {
        endpoints: listeners.iter().map(|listener| advertised(listener)).collect(),
        ..BrokerImage::new(config.node_id, rack, log_dirs.id())
    }
}

/// The address that the node advertises to clients of a listener.
pub(in crate::broker) fn advertised(listener: &Listener) -> EndpointImage {
    EndpointImage {
        listener: listener.name.clone(),
        host: listener.advertised_host.clone(),
        port: listener.advertised_port,
    }
}

/// The entry of a node in the quorum of controllers; `None` if it is a broker only.
pub(in crate::broker) fn voter(config: &BrokerConfig, log_dir: Option<&LogDir>) -> Option<Voter> {
    // Without KIP-853, that is, with `controller.quorum.voters`, voters have no directory ids.
    let log_dir = log_dir.filter(|_| !config.lists_voters());
    config.is_controller().then(|| Voter {
        directory: log_dir
            .and_then(|log_dir| log_dir.meta().directory_id)
            .unwrap_or_default(),
        endpoints: config.controllers.iter().map(endpoint).collect(),
    })
}

fn endpoint(endpoint: &Endpoint) -> EndpointImage {
    EndpointImage {
        listener: endpoint.name.clone(),
        host: endpoint.host.clone(),
        port: endpoint.port,
    }
}

/// Opens every node's log dirs. Each config comes with the listeners of its node. `metadata` is the file with the
/// metadata, if it is not in the first log dir.
pub(in crate::broker) fn open_cluster(
    nodes: &[(Arc<BrokerConfig>, Vec<Arc<Listener>>)],
    metadata: Option<PathBuf>,
) -> Result<OpenedCluster> {
    let mut cluster_id: Option<String> = None;
    let mut log_dirs = Vec::new();
    for (config, _) in nodes {
        let dirs = LogDirs::open(config, cluster_id.as_deref())?;
        cluster_id = cluster_id.or_else(|| dirs.first().meta().cluster_id.clone());
        log_dirs.push(dirs);
    }
    let first = nodes.first().map(|(config, _)| config);
    let first = first.ok_or_else(|| Error::failed("a cluster has at least one node"))?;
    let metadata = metadata.unwrap_or_else(|| first.data_dir.join(BOOTSTRAP_CHECKPOINT));
    let (log, kept) = MetadataLog::open(&metadata, first.flush_each_batch)?;
    let is_new = kept.is_none();
    let mut image = kept.unwrap_or_default();
    if let (true, Some((first, _))) = (is_new, nodes.first()) {
        image.apply_all(&records::first_configs(first));
    }
    for ((config, listeners), dirs) in nodes.iter().zip(&log_dirs) {
        if config.is_broker() {
            image.register(registration(config, dirs, listeners));
        }
        image.enlist(config.node_id, voter(config, Some(dirs.first())));
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
    let mut held = Vec::new();
    for ((config, _), dirs) in nodes.iter().zip(log_dirs) {
        if !config.is_broker() {
            held.push(dirs);
            continue;
        }
        let manager = ReplicaManager::new(Arc::clone(config), Arc::clone(&cluster), dirs);
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
        held,
        metadata,
        notes: words,
    })
}

/// Fences brokers that an earlier start had and this one does not have, and elects leaders for partitions without
/// one.
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
    cluster.elect_at_start()
}

/// Opens the log dirs of one node of a running cluster. The caller must keep the cluster from changing meanwhile.
pub(in crate::broker) fn join(
    config: &Arc<BrokerConfig>,
    cluster: &Arc<Cluster>,
    arrival: Arrival,
) -> Result<Joined> {
    let log_dirs = LogDirs::open(config, Some(cluster.id()))?;
    if arrival == Arrival::First && !log_dirs.partitions()?.logs.is_empty() {
        let dir = config.data_dir.display();
        return Err(Error::failed(format!(
            "data directory {dir} holds partitions of another cluster"
        ))
        .hint("name an empty directory"));
    }
    let was_clean = log_dirs.was_clean_shutdown();
    let voter = voter(config, Some(log_dirs.first()));
    let manager = ReplicaManager::new(Arc::clone(config), Arc::clone(cluster), log_dirs);
    let notes = manager.set_strays_aside()?;
    manager.open_all()?;
    Ok(Joined {
        replicas: Arc::new(manager),
        voter,
        was_clean,
        notes,
    })
}

impl ReplicaManager {
    /// Renames the folders of partitions that do not exist, or not on this node: their topics were deleted or moved
    /// while this node was away. Returns a line for the user for each topic.
    fn set_strays_aside(&self) -> Result<Vec<String>> {
        let image = self.cluster.image();
        let mut topics: BTreeMap<String, usize> = BTreeMap::new();
        for (partition, id) in self.log_dirs.partitions()?.logs {
            let topic = image.topic(&partition.topic);
            let topic = topic.filter(|topic| id.is_none_or(|id| id == topic.id));
            let known = topic.and_then(|topic| topic.partition(partition.partition));
            let is_here = known.is_some_and(|known| known.replicas.contains(&self.config.node_id));
            if !is_here {
                if let Some(dir) = self.log_dirs.holding(&partition) {
                    dir.set_stray(&partition)?;
                }
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
