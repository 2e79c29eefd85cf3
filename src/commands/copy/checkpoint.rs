//! The file with the progress of a copy, so that the same command continues where a run ended.
//!
//! It is replaced as a whole, so that a reader finds the old one or the new one. It holds for the topics that it was
//! written about only: one that was deleted and created again has another id, and is copied from its beginning.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use crate::error::{Error, Result};
use crate::plain_words;
use crate::topic_partition::Offset;

/// The progress of a copy.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Checkpoint {
    pub(super) copy: Copy,
    pub(super) topics: Vec<TopicProgress>,
}

/// What identifies a copy: a different one has different positions.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Copy {
    /// The clusters' ids; very old brokers have none.
    pub(super) source_cluster: Option<String>,
    pub(super) target_cluster: Option<String>,
    pub(super) placement: String,
    /// The field that becomes the key of each record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) key: Option<String>,
    /// The condition that records have to match.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) condition: Option<String>,
    /// Source and target of each pair, in order; or a pattern, and the template of the targets' names.
    pub(super) topics: Vec<(String, String)>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct TopicProgress {
    pub(super) source: String,
    pub(super) source_id: String,
    pub(super) target: String,
    pub(super) target_id: String,
    pub(super) partitions: Vec<PartitionProgress>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct PartitionProgress {
    pub(super) partition: i32,
    /// Everything before this offset of the source is copied.
    pub(super) next: Offset,
    /// The next offset of the copy in the target, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) target_next: Option<Offset>,
}

impl Copy {
    /// A name that is unique to this copy.
    pub(super) fn name(&self) -> Result<String> {
        let hash = XxHash3_64::oneshot(&serde_json::to_vec(self).map_err(Error::failed)?);
        let topic = self.topics.first().map_or("", |(source, _)| source);
        let is_of_name = |letter: &char| letter.is_ascii_alphanumeric() || "._-".contains(*letter);
        let topic: String = topic.chars().filter(is_of_name).collect();
        Ok(format!("copy-{topic}-{hash:016x}"))
    }

    /// The file of this copy in the user's state directory.
    pub(super) fn default_file(&self) -> Result<PathBuf> {
        Ok(state_dir()?.join(format!("{}.json", self.name()?)))
    }
}

/// `$XDG_STATE_HOME/kafkit`, by default `~/.local/state/kafkit`.
fn state_dir() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = set("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let folder = folder.or_else(|| Some(PathBuf::from(set("HOME")?).join(".local/state")));
    folder.map(|folder| folder.join("kafkit")).ok_or_else(|| {
        Error::failed("neither XDG_STATE_HOME nor HOME is set: no place for the checkpoint")
            .hint("name a file with --checkpoint")
    })
}

impl Checkpoint {
    /// Reads a file; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not a checkpoint, or is about another copy.
    pub(super) fn read(path: &Path, copy: &Copy) -> Result<Option<Self>> {
        let shown = path.display();
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::from(error).context(format_args!("checkpoint {shown}"))),
        };
        let found: Self = serde_json::from_slice(&bytes).map_err(|error| {
            let why = plain_words::of_json(&error);
            Error::bad_data(format!("{shown} is no checkpoint of a copy: {why}"))
                .hint("--restart begins anew and replaces it")
        })?;
        if found.copy != *copy {
            return Err(Error::failed(format!(
                "{shown} is the checkpoint of another copy (other topics, clusters, partitions or conditions)"
            ))
            .hint("--restart replaces it, --checkpoint names another file"));
        }
        Ok(Some(found))
    }

    /// Replaces the file.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let written = || -> std::io::Result<()> {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder)?;
            }
            let mut fresh = path.as_os_str().to_owned();
            fresh.push(".tmp");
            let mut file = fs::File::create(&fresh)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.write_all(b"\n")?;
            file.sync_data()?;
            fs::rename(&fresh, path)
        };
        written().map_err(|error| {
            Error::from(error).context(format_args!("cannot write the checkpoint {}", path.display()))
        })
    }

    /// The progress of a partition, if the ids of both topics are still the same.
    pub(super) fn of(&self, topic: &TopicProgress, partition: i32) -> Option<PartitionProgress> {
        let known = self.topics.iter().find(|known| {
            known.source == topic.source
                && known.target == topic.target
                && known.source_id == topic.source_id
                && known.target_id == topic.target_id
        })?;
        let mut partitions = known.partitions.iter();
        partitions.find(|known| known.partition == partition).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            copy: Copy {
                source_cluster: Some("a".to_owned()),
                target_cluster: None,
                placement: "keep".to_owned(),
                key: None,
                condition: None,
                topics: vec![("orders".to_owned(), "copy".to_owned())],
            },
            topics: vec![TopicProgress {
                source: "orders".to_owned(),
                source_id: "x".to_owned(),
                target: "copy".to_owned(),
                target_id: "y".to_owned(),
                partitions: vec![PartitionProgress {
                    partition: 3,
                    next: 70,
                    target_next: Some(5),
                }],
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_and_counts_for_the_same_topics_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/down.json");
        let written = checkpoint();
        assert_eq!(Checkpoint::read(&path, &written.copy).unwrap(), None);
        written.write(&path).unwrap();
        let found = Checkpoint::read(&path, &written.copy).unwrap().unwrap();
        assert_eq!(found, written);
        let mut topic = written.topics[0].clone();
        assert_eq!(found.of(&topic, 3).map(|found| found.next), Some(70));
        assert_eq!(found.of(&topic, 4), None);
        topic.source_id = "another".to_owned();
        assert_eq!(found.of(&topic, 3), None, "deleted and created again");
        let mut other = written.copy.clone();
        other.placement = "hash".to_owned();
        assert!(Checkpoint::read(&path, &other).is_err());
        fs::write(&path, "{").unwrap();
        assert!(Checkpoint::read(&path, &written.copy).is_err());
    }
}
