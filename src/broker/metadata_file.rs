//! The file beside Kafka's own that keeps what Kafka keeps in its metadata log: topics, ids, configs.
//!
//! JSON, replaced as a whole by a rename, so that a broker that is killed leaves the old one or the new one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kafka_uuid;
use super::metadata::Configs;
use crate::error::{Error, Result};

/// The form this build writes and reads.
pub(super) const VERSION: u32 = 1;

const FILE: &str = "kafkit-metadata.json";

/// One topic on disk.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct StoredTopic {
    #[serde(with = "super::kafka_uuid")]
    pub(super) id: Uuid,
    pub(super) partitions: i32,
    #[serde(default, skip_serializing_if = "Configs::is_empty")]
    pub(super) configs: Configs,
}

/// Everything on disk.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct StoredMetadata {
    pub(super) version: u32,
    pub(super) cluster_id: String,
    #[serde(default)]
    pub(super) topics: BTreeMap<String, StoredTopic>,
    #[serde(default)]
    pub(super) broker_configs: BTreeMap<String, Configs>,
}

impl StoredMetadata {
    /// What a new directory starts with; `kafka-storage format` sets the same cluster-wide default since 4.1.
    pub(super) fn new() -> Self {
        let defaults = Configs::from([("min.insync.replicas".to_owned(), "1".to_owned())]);
        Self {
            version: VERSION,
            cluster_id: kafka_uuid::to_text(kafka_uuid::random()),
            topics: BTreeMap::new(),
            broker_configs: BTreeMap::from([(String::new(), defaults)]),
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
    let stored: StoredMetadata = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
    if stored.version > VERSION {
        return Err(broken(format!(
            "its version is {}, and {VERSION} is known",
            stored.version
        )));
    }
    Ok(Some(stored))
}

/// Replaces the file.
pub(super) fn write(data_dir: &Path, stored: &StoredMetadata) -> Result<()> {
    let path = data_dir.join(FILE);
    let fresh = data_dir.join(format!("{FILE}.tmp"));
    let bytes = serde_json::to_vec_pretty(stored).map_err(Error::failed)?;
    fs::write(&fresh, bytes)
        .and_then(|()| fs::rename(&fresh, &path))
        .map_err(|error| Error::from(error).context(path.display()))
}
