//! The state of the whole cluster as plain data, and the log on disk that keeps it.
//!
//! [`controller`] and [`config_changes`] decide whether a change is allowed; [`image`] is the data, which changes by
//! the records that [`records`] makes, in the form of Apache Kafka's metadata log (KIP-631). [`metadata_log`] keeps
//! them, and [`metadata_place`] says where; [`apache_kafka`] and [`metadata_file`] read the metadata of Apache Kafka
//! and of kafkit 0.1.0; [`producer_ids`] assigns producer ids. [`elections`] decides how partitions change when
//! brokers come and go, one change of a partition is in [`partition_change`], and `membership` applies both. Knows no
//! node, no log of a partition and no client.

pub(super) mod acls;
pub(super) mod apache_kafka;
pub(super) mod client_quotas;
pub(super) mod config_changes;
pub(super) mod controller;
pub(super) mod delegation_tokens;
pub(super) mod elections;
pub(super) mod image;
mod membership;
pub(super) mod metadata_file;
pub(super) mod metadata_log;
pub(super) mod metadata_place;
pub(super) mod partition_change;
pub(super) mod partition_image;
pub(super) mod producer_ids;
pub(super) mod records;
pub(super) mod scram_credentials;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use tokio::sync::watch;
use uuid::Uuid;

use crate::error::{Error, Result};
use image::ClusterImage;
use metadata_log::MetadataLog;
use producer_ids::ProducerIds;

/// Follows changes of the image, in their order. Only a cluster of several nodes has observers: a single node knows
/// its own changes.
pub(in crate::broker) trait ImageObserver: Debug + Send + Sync {
    /// These topics were created, changed or deleted. The next change waits until every observer has returned.
    fn topics_changed(&self, topics: &BTreeSet<Uuid>);

    /// A broker is out of reach.
    fn broker_lost(&self, id: i32);
}

/// The current state of the cluster, shared by all its nodes.
#[derive(Debug)]
pub(in crate::broker) struct Cluster {
    id: String,
    image: RwLock<Arc<ClusterImage>>,
    changes: Mutex<Changes>,
    /// The end offset of the metadata.
    end_offset: AtomicI64,
    observers: RwLock<Vec<Weak<dyn ImageObserver>>>,
    /// Notified of every change of brokers' configs.
    broker_configs: watch::Sender<()>,
}

/// What only the holder of a [`Change`] may use.
#[derive(Debug)]
struct Changes {
    log: MetadataLog,
    ids: ProducerIds,
}

/// The right to change the cluster. Only one exists at a time: while it is held, no one else changes the image.
#[derive(Debug)]
pub(in crate::broker) struct Change<'a> {
    cluster: &'a Cluster,
    changes: MutexGuard<'a, Changes>,
}

impl Cluster {
    /// `image` must contain everything in `log`, and may contain more; see [`Cluster::start`].
    pub(in crate::broker) fn new(id: String, image: ClusterImage, log: MetadataLog) -> Self {
        let ids = ProducerIds::default();
        Self {
            id,
            end_offset: AtomicI64::new(log.next_offset()),
            image: RwLock::new(Arc::new(image)),
            changes: Mutex::new(Changes { log, ids }),
            observers: RwLock::default(),
            broker_configs: watch::Sender::new(()),
        }
    }

    /// Assigns producer ids from `ids` on, and applies what the node has learned from its logs. If the metadata log
    /// then lacks some of the image (`is_stale`), it is rewritten.
    pub(in crate::broker) fn start(
        &self,
        ids: ProducerIds,
        learned: &[Vec<u8>],
        is_stale: bool,
    ) -> Result<()> {
        let mut change = self.change();
        change.changes.ids = ids;
        change.apply(learned);
        change.apply(&records::producer_ids(ids.reserved()));
        if is_stale {
            change.rewrite()?;
        }
        Ok(())
    }

    pub(in crate::broker) fn id(&self) -> &str {
        &self.id
    }

    /// The number of metadata records since the start of the log; rewriting the log does not lower it.
    pub(in crate::broker) fn metadata_end_offset(&self) -> i64 {
        self.end_offset.load(Ordering::Relaxed)
    }

    /// The image at this moment. No lock is held: an image is consistent, and later changes do not show in it. Drop
    /// it before anything that waits or changes the cluster: a change has to copy an image that is still held.
    pub(in crate::broker) fn image(&self) -> Arc<ClusterImage> {
        Arc::clone(&self.image.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notified whenever configs of brokers have changed.
    pub(in crate::broker) fn broker_config_changes(&self) -> watch::Receiver<()> {
        self.broker_configs.subscribe()
    }

    /// Announces that configs of brokers have changed.
    pub(in crate::broker) fn broker_configs_changed(&self) {
        self.broker_configs.send_replace(());
    }

    /// Begins a change, after waiting for the current one to end.
    pub(in crate::broker) fn change(&self) -> Change<'_> {
        Change {
            cluster: self,
            changes: self.changes.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn edit<R>(&self, edit: impl FnOnce(&mut ClusterImage) -> R) -> R {
        let mut image = self.image.write().unwrap_or_else(PoisonError::into_inner);
        // This copies the image only if a reader holds it.
        edit(Arc::make_mut(&mut image))
    }

    /// Removes the delegation tokens that have expired.
    pub(in crate::broker) fn remove_expired_tokens(&self, now_ms: i64) -> Result<()> {
        let mut change = self.change();
        let image = self.image();
        let tokens = image.delegation_tokens().iter();
        let expired = tokens.filter(|(_, token)| token.has_expired(now_ms));
        let removed: records::Records = expired
            .flat_map(|(id, _)| records::delegation_token_removed(id))
            .collect();
        drop(image);
        change.commit(&removed)
    }

    /// A producer id that was never assigned before.
    pub(in crate::broker) fn new_producer_id(&self) -> Result<i64> {
        let mut change = self.change();
        loop {
            if let Some(id) = change.changes.ids.take() {
                return Ok(id);
            }
            let more = change.changes.ids.with_next_block();
            let more = more.ok_or_else(|| Error::failed("there are no more producer ids"))?;
            change.commit(&records::producer_ids(more.reserved()))?;
            change.changes.ids = more;
        }
    }
}

impl Change<'_> {
    /// Writes the records to disk, and then applies them to the image. If the write fails, nothing has changed.
    pub(in crate::broker) fn commit(&mut self, change: &[Vec<u8>]) -> Result<()> {
        if self.changes.log.is_due() {
            // If there is no room for a second file, the first stays in use.
            let _ = self.rewrite();
        }
        self.changes.log.append(change)?;
        let count = i64::try_from(change.len()).unwrap_or(0);
        self.cluster.end_offset.fetch_add(count, Ordering::Relaxed);
        self.apply(change);
        self.tell_of(change);
        Ok(())
    }

    fn apply(&self, change: &[Vec<u8>]) {
        self.cluster.edit(|image| image.apply_all(change));
    }

    /// Adds an observer of all later changes.
    pub(in crate::broker) fn observe(&mut self, observer: Weak<dyn ImageObserver>) {
        let mut observers = self
            .cluster
            .observers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        observers.retain(|known| known.strong_count() > 0);
        observers.push(observer);
    }

    fn tell_of(&self, change: &[Vec<u8>]) {
        let is_observed = !self
            .cluster
            .observers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty();
        if !is_observed {
            return;
        }
        let topics: BTreeSet<Uuid> = change
            .iter()
            .filter_map(|record| records::topic_of(record))
            .collect();
        if !topics.is_empty() {
            self.tell(|observer| observer.topics_changed(&topics));
        }
    }

    fn tell(&self, tell: impl Fn(&dyn ImageObserver)) {
        let observers = self
            .cluster
            .observers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for observer in observers.iter().filter_map(Weak::upgrade) {
            tell(&*observer);
        }
    }

    /// Replaces the log by one that holds only the present state.
    fn rewrite(&mut self) -> Result<()> {
        let snapshot = records::snapshot(&self.cluster.image());
        self.changes.log.rewrite(&snapshot)
    }
}
