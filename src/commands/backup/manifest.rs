//! `backup.json`: the content of a backup. Records are in the folders beside it, which are partitions of a log dir.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::admin::topic_specs::TopicSpec;
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::commands::copy::Source;
use crate::error::{Error, Result};
use crate::plain_words;
use crate::storage::file_name::partition_folder;
use crate::storage::partition_metadata;
use crate::topic_partition::{Offset, TopicPartition};

const FILE: &str = "backup.json";
/// The version of the file's format.
const VERSION: u32 = 1;

/// The content of a backup.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Manifest {
    version: u32,
    /// The cluster's id; very old brokers have none.
    pub(super) cluster: Option<String>,
    pub(super) topics: Vec<Topic>,
}

/// A topic, as it was at its last backup.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) partitions: i32,
    pub(super) replication_factor: Option<i16>,
    pub(super) configs: BTreeMap<String, String>,
    pub(super) ranges: Vec<Held>,
}

/// The offsets of a partition that the backup holds: from `from` up to, not including, `next`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Held {
    pub(super) partition: i32,
    pub(super) from: Offset,
    pub(super) next: Offset,
}

impl Manifest {
    pub(super) fn new(cluster: Option<String>) -> Self {
        Self {
            version: VERSION,
            cluster,
            topics: Vec::new(),
        }
    }

    /// Reads the file of a backup; `None` where there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::from(error).context(path.display())),
        };
        let shown = path.display();
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| {
            let why = plain_words::of_json(&error);
            Error::bad_data(format!("{shown} does not describe a backup: {why}"))
        })?;
        if manifest.version != VERSION {
            let version = manifest.version;
            return Err(Error::bad_data(format!(
                "{shown} has version {version}; {VERSION} is known"
            )));
        }
        Ok(Some(manifest))
    }

    /// Replaces the file.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let written = || -> std::io::Result<()> {
            let fresh = folder.join(format!("{FILE}.tmp"));
            let mut file = fs::File::create(&fresh)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.sync_data()?;
            fs::rename(&fresh, &path)
        };
        written().map_err(|error| Error::from(error).context(path.display()))
    }
}

impl Topic {
    /// The offsets held of a partition.
    pub(super) fn held(&self, partition: i32) -> Option<Held> {
        let mut ranges = self.ranges.iter();
        ranges.find(|held| held.partition == partition).copied()
    }

    pub(super) fn of(topic: &TopicDescription, spec: TopicSpec) -> Self {
        Self {
            id: topic.id_text(),
            name: spec.name,
            partitions: topic.partitions.len() as i32,
            replication_factor: spec.replication_factor,
            configs: spec.configs,
            ranges: Vec::new(),
        }
    }

    /// The topic as the source of a copy.
    pub(super) fn to_source(&self) -> Source {
        let partition = |partition| PartitionDescription {
            partition,
            leader: None,
            replicas: Vec::new(),
            in_sync: Vec::new(),
            offline: Vec::new(),
            eligible_leaders: None,
            last_known_eligible_leaders: None,
        };
        Source {
            topic: TopicDescription {
                name: self.name.clone(),
                id: partition_metadata::decode_id(&self.id).unwrap_or(Uuid::nil()),
                is_internal: false,
                partitions: (0..self.partitions.max(0)).map(partition).collect(),
            },
            spec: TopicSpec {
                name: self.name.clone(),
                partitions: Some(self.partitions),
                replication_factor: self.replication_factor,
                configs: self.configs.clone(),
            },
        }
    }
}

/// The folder of a partition.
pub(super) fn folder_of(backup: &Path, topic: &str, partition: i32) -> PathBuf {
    backup.join(partition_folder(&TopicPartition {
        topic: topic.to_owned(),
        partition,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_newer_form_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), None);
        let mut manifest = Manifest::new(Some("c".to_owned()));
        manifest.topics.push(Topic {
            name: "orders".to_owned(),
            id: "AAAAAAAAAAAAAAAAAAAABw".to_owned(),
            partitions: 2,
            replication_factor: Some(3),
            configs: BTreeMap::from([("retention.ms".to_owned(), "5".to_owned())]),
            ranges: vec![Held {
                partition: 1,
                from: 7,
                next: 9,
            }],
        });
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), Some(manifest.clone()));
        let source = manifest.topics[0].to_source();
        assert_eq!(
            (source.topic.partitions.len(), source.topic.id),
            (2, Uuid::from_u128(7))
        );
        manifest.version = 2;
        manifest.write(folder.path()).unwrap();
        assert!(
            Manifest::read(folder.path())
                .unwrap_err()
                .to_string()
                .contains("version 2")
        );
    }
}
