//! The JSON file in which kafkit 0.1.0 kept topics, ids and configs: it is read once, and replaced by
//! [`crate::broker::cluster`]'s log.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::partition_image::{PartitionImage, Partitions};
use super::records::{BROKER, Records, config_changes, producer_ids, topic};
use crate::broker::config::effective_config::Configs;
use crate::error::{Error, Result};
use crate::plain_words;
use crate::storage::partition_metadata::decode_id;

/// The newest version that was written.
const VERSION: u32 = 2;
/// The first version whose `next_producer_id` is above every assigned id: kafkit 0.1.0 wrote version 1.
const RELIABLE_PRODUCER_IDS: u32 = 2;

const FILE: &str = "kafkit-metadata.json";

/// One topic in the file.
#[derive(Debug, Deserialize)]
pub(in crate::broker) struct StoredTopic {
    #[serde(deserialize_with = "kafka_id")]
    pub(in crate::broker) id: Uuid,
    pub(in crate::broker) partitions: i32,
    #[serde(default)]
    pub(in crate::broker) configs: Configs,
}

/// The whole file.
#[derive(Debug, Deserialize)]
pub(in crate::broker) struct StoredMetadata {
    pub(in crate::broker) version: u32,
    #[serde(default)]
    pub(in crate::broker) topics: BTreeMap<String, StoredTopic>,
    #[serde(default)]
    pub(in crate::broker) broker_configs: BTreeMap<String, Configs>,
    /// Every producer id in use is smaller; see `producer_ids`.
    #[serde(default)]
    pub(in crate::broker) next_producer_id: i64,
}

impl StoredMetadata {
    /// Whether `next_producer_id` is above every assigned id.
    pub(in crate::broker) fn producer_ids_are_reliable(&self) -> bool {
        self.version >= RELIABLE_PRODUCER_IDS
    }

    /// The content as records; `partition` is the state that each partition gets.
    pub(in crate::broker) fn into_records(self, partition: &PartitionImage) -> Records {
        let mut records = Records::new();
        for (resource, configs) in &self.broker_configs {
            records.extend(config_changes(BROKER, resource, &Configs::new(), configs));
        }
        for (name, stored) in &self.topics {
            let partitions = (0..stored.partitions).map(|index| (index, partition.clone()));
            let partitions: Partitions = partitions.collect();
            records.extend(topic(name, stored.id, &partitions, &stored.configs));
        }
        records.extend(producer_ids(self.next_producer_id));
        records
    }
}

/// Reads the file; `None` if there is none.
pub(in crate::broker) fn read(data_dir: &Path) -> Result<Option<StoredMetadata>> {
    let path = data_dir.join(FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::from(error).context(path.display())),
    };
    let broken = |why: String| {
        Error::bad_data(format!("{}: {why}", path.display()))
            .hint("this directory was written by something else, or by a newer kafkit")
    };
    let stored: StoredMetadata =
        serde_json::from_slice(&bytes).map_err(|error| broken(plain_words::of_json(&error)))?;
    if stored.version > VERSION {
        return Err(broken(format!(
            "its version is {}, and {VERSION} is known",
            stored.version
        )));
    }
    Ok(Some(stored))
}

/// Removes the file, once the metadata log has its content.
pub(in crate::broker) fn remove(data_dir: &Path) -> Result<()> {
    let path = data_dir.join(FILE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::from(error).context(path.display()))
        }
        _ => Ok(()),
    }
}

/// A topic id in the form of Kafka's tools.
fn kafka_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    decode_id(&text).ok_or_else(|| serde::de::Error::custom(format!("\"{text}\" is no topic id")))
}
