//! The file beside Kafka's own that keeps what Kafka keeps in its metadata log: topics, ids, configs.
//!
//! JSON, replaced as a whole by a rename, so that a broker that is killed leaves the old one or the new one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::effective_config::Configs;
use crate::error::{Error, Result};
use crate::plain_words;

/// The form this build writes. It reads the older ones too.
pub(super) const VERSION: u32 = 2;
/// The first version whose `next_producer_id` is never below an id that was given: kafkit 0.1.0 wrote version 1.
pub(super) const RELIABLE_PRODUCER_IDS: u32 = 2;

const FILE: &str = "kafkit-metadata.json";

/// One topic on disk.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct StoredTopic {
    #[serde(with = "kafka_id")]
    pub(super) id: Uuid,
    pub(super) partitions: i32,
    #[serde(default, skip_serializing_if = "Configs::is_empty")]
    pub(super) configs: Configs,
}

/// Everything on disk.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct StoredMetadata {
    pub(super) version: u32,
    #[serde(default)]
    pub(super) topics: BTreeMap<String, StoredTopic>,
    #[serde(default)]
    pub(super) broker_configs: BTreeMap<String, Configs>,
    /// No producer has this id or a larger one; see `producer_ids`.
    #[serde(default)]
    pub(super) next_producer_id: i64,
}

impl StoredMetadata {
    /// What a new directory starts with; `kafka-storage format` sets the same cluster-wide default since 4.1.
    pub(super) fn new() -> Self {
        let defaults = Configs::from([("min.insync.replicas".to_owned(), "1".to_owned())]);
        Self {
            version: VERSION,
            topics: BTreeMap::new(),
            broker_configs: BTreeMap::from([(String::new(), defaults)]),
            next_producer_id: 0,
        }
    }
}

/// Reads the file; `None` if there is none yet.
pub(super) fn read(data_dir: &Path) -> Result<Option<StoredMetadata>> {
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

/// Replaces the file; with `sync` it survives a power cut too.
pub(super) fn write(data_dir: &Path, stored: &StoredMetadata, sync: bool) -> Result<()> {
    let path = data_dir.join(FILE);
    let fresh = data_dir.join(format!("{FILE}.tmp"));
    let bytes = serde_json::to_vec_pretty(stored).map_err(Error::failed)?;
    let replace = || {
        let mut file = File::create(&fresh)?;
        file.write_all(&bytes)?;
        if sync {
            file.sync_all()?;
        }
        fs::rename(&fresh, &path)
    };
    replace().map_err(|error| Error::from(error).context(path.display()))
}

/// Topic ids as Kafka's tools print them.
mod kafka_id {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use uuid::Uuid;

    use crate::storage::partition_metadata::{decode_id, encode_id};

    pub(super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode_id(*id))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode_id(&text).ok_or_else(|| D::Error::custom(format!("\"{text}\" is no topic id")))
    }
}
