//! What exists: the cluster's id, its topics with their partitions and configs, the dynamic broker configs.
//!
//! Owns creating, changing and deleting them, and the file that keeps them ([`super::metadata_file`]). Readers take
//! a topic as an `Arc` and see it whole; a change replaces it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use uuid::Uuid;

use super::config::BrokerConfig;
use super::effective_config::BrokerValues;
use super::group::offsets_topic::OFFSETS_TOPIC;
use super::interim_log::PartitionLog;
use super::kafka_uuid;
use super::metadata_file::{self, StoredMetadata, StoredTopic};
use super::partition::Partition;
use crate::error::{Error, Result};

/// Configs by name.
pub type Configs = BTreeMap<String, String>;

/// One topic as it stands.
#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub id: Uuid,
    pub partitions: Vec<Arc<Partition>>,
    /// The configs it was given; the rest are the broker's.
    pub configs: Configs,
}

impl Topic {
    pub fn partition(&self, index: i32) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(index).ok()?)
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

#[derive(Debug, Default)]
struct State {
    topics: BTreeMap<String, Arc<Topic>>,
    ids: HashMap<Uuid, Arc<Topic>>,
    /// Dynamic broker configs: the cluster's default under "", a node's under its id.
    broker_configs: BTreeMap<String, Configs>,
}

/// Everything that exists, in memory and on disk.
#[derive(Debug)]
pub struct Metadata {
    config: Arc<BrokerConfig>,
    cluster_id: String,
    state: RwLock<State>,
    /// One change at a time; held while the file is written.
    change: Mutex<()>,
}

impl Metadata {
    /// Reads what the data directory keeps, and makes what a new one must have.
    pub fn open(config: Arc<BrokerConfig>) -> Result<Self> {
        std::fs::create_dir_all(&config.data_dir)?;
        let stored = metadata_file::read(&config.data_dir)?;
        let fresh = stored.is_none();
        let stored = stored.unwrap_or_else(StoredMetadata::new);
        let metadata = Self {
            config,
            cluster_id: stored.cluster_id,
            state: RwLock::default(),
            change: Mutex::default(),
        };
        let mut state = State {
            broker_configs: stored.broker_configs,
            ..State::default()
        };
        for (name, topic) in stored.topics {
            let topic = metadata.open_topic(&name, topic)?;
            state.ids.insert(topic.id, Arc::clone(&topic));
            state.topics.insert(name, topic);
        }
        if fresh {
            metadata.save(&state)?;
        }
        *metadata.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        Ok(metadata)
    }

    fn open_topic(&self, name: &str, stored: StoredTopic) -> Result<Arc<Topic>> {
        let partitions = (0..stored.partitions)
            .map(|index| self.open_partition(name, index))
            .collect::<Result<_>>()?;
        Ok(Arc::new(Topic {
            name: name.to_owned(),
            id: stored.id,
            partitions,
            configs: stored.configs,
        }))
    }

    fn open_partition(&self, topic: &str, index: i32) -> Result<Arc<Partition>> {
        let dir = self.config.data_dir.join(format!("{topic}-{index}"));
        Ok(Arc::new(Partition::new(topic, index, PartitionLog::open(&dir)?)))
    }

    fn save(&self, state: &State) -> Result<()> {
        let topics = state.topics.iter().map(|(name, topic)| {
            let stored = StoredTopic {
                id: topic.id,
                partitions: topic.partitions.len() as i32,
                configs: topic.configs.clone(),
            };
            (name.clone(), stored)
        });
        let stored = StoredMetadata {
            version: metadata_file::VERSION,
            cluster_id: self.cluster_id.clone(),
            topics: topics.collect(),
            broker_configs: state.broker_configs.clone(),
        };
        metadata_file::write(&self.config.data_dir, &stored)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
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

    /// Every topic, by name.
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        self.read().topics.values().map(Arc::clone).collect()
    }

    pub fn partition(&self, topic: &str, index: i32) -> Option<Arc<Partition>> {
        self.read().topics.get(topic)?.partition(index).map(Arc::clone)
    }

    /// Looks a config up among everything that may set it.
    pub fn with_broker_values<R>(&self, look: impl FnOnce(BrokerValues<'_>) -> R) -> R {
        let state = self.read();
        look(BrokerValues {
            config: &self.config,
            node: state.broker_configs.get(&self.config.node_id.to_string()),
            cluster: state.broker_configs.get(""),
        })
    }

    /// A topic whose name differs from `name` in `.` and `_` only: metrics could not tell the two apart.
    pub fn colliding_topic(&self, name: &str) -> Option<String> {
        let metric_name = |name: &str| name.replace('.', "_");
        let wanted = metric_name(name);
        let state = self.read();
        let mut others = state.topics.keys().filter(|other| metric_name(other) == wanted);
        others.next().cloned()
    }

    /// Makes a topic; the caller has checked everything but that it does not exist yet.
    pub fn create_topic(&self, name: &str, partitions: i32, configs: Configs) -> Result<Arc<Topic>> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        if self.topic(name).is_some() {
            return Err(Error::failed(format!("Topic '{name}' already exists.")));
        }
        let topic = self.open_topic(
            name,
            StoredTopic {
                id: kafka_uuid::random(),
                partitions,
                configs,
            },
        )?;
        self.replace(name, Some(Arc::clone(&topic)))?;
        Ok(topic)
    }

    /// `__consumer_offsets`, made now if it does not exist yet.
    pub fn offsets_topic(&self) -> Result<Arc<Topic>> {
        if let Some(topic) = self.topic(OFFSETS_TOPIC) {
            return Ok(topic);
        }
        let partitions = i32::try_from(self.config.number("offsets.topic.num.partitions").max(1));
        let value = |name: &str| self.config.value(name).unwrap_or_default().to_owned();
        let configs = Configs::from([
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("compression.type".to_owned(), "producer".to_owned()),
            ("segment.bytes".to_owned(), value("offsets.topic.segment.bytes")),
        ]);
        let created = self.create_topic(OFFSETS_TOPIC, partitions.unwrap_or(1), configs);
        created.or_else(|error| self.topic(OFFSETS_TOPIC).ok_or(error))
    }

    /// Leaves the data directory as a clean stop does.
    pub fn close(&self) -> Result<()> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(())
    }

    /// Puts a topic's new form, or its end, into the file and then before the readers.
    fn replace(&self, name: &str, topic: Option<Arc<Topic>>) -> Result<()> {
        let mut next = {
            let state = self.read();
            State {
                topics: state.topics.clone(),
                ids: state.ids.clone(),
                broker_configs: state.broker_configs.clone(),
            }
        };
        if let Some(old) = next.topics.remove(name) {
            next.ids.remove(&old.id);
        }
        if let Some(topic) = topic {
            next.ids.insert(topic.id, Arc::clone(&topic));
            next.topics.insert(name.to_owned(), topic);
        }
        self.save(&next)?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}
