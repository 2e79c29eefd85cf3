//! `meta.properties`: which cluster and which broker a log dir belongs to.

use std::path::Path;

use uuid::Uuid;

use super::checkpoint;
use super::file_name::META_PROPERTIES;
use super::partition_metadata::{decode_id, encode_id};
use crate::error::{Error, Result};
use crate::topic_partition::BrokerId;

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    /// Missing in a ZooKeeper broker's oldest files.
    pub cluster_id: Option<String>,
    pub node_id: BrokerId,
    /// Since Kafka 3.7.
    pub directory_id: Option<Uuid>,
}

impl MetaProperties {
    /// Reads versions 0 (brokers with ZooKeeper) and 1.
    pub fn parse(text: &str) -> Result<Self> {
        let value = |key: &str| {
            text.lines()
                .filter(|line| !line.starts_with(['#', '!']))
                .filter_map(|line| line.split_once('='))
                .find(|(name, _)| name.trim() == key)
                .map(|(_, value)| value.trim())
        };
        let version = value("version").unwrap_or("0");
        let id_key = match version {
            "0" => "broker.id",
            "1" => "node.id",
            _ => return Err(Error::bad_data(format!("unknown version '{version}'"))),
        };
        let node_id = value(id_key).and_then(|id| id.parse().ok());
        Ok(Self {
            cluster_id: value("cluster.id").map(str::to_owned),
            node_id: node_id.ok_or_else(|| Error::bad_data(format!("no {id_key}")))?,
            directory_id: value("directory.id").and_then(decode_id),
        })
    }

    /// The file's text, version 1.
    pub fn format(&self) -> String {
        let cluster_id = self.cluster_id.as_ref().map(|id| format!("cluster.id={id}"));
        let directory_id = self
            .directory_id
            .map(|id| format!("directory.id={}", encode_id(id)));
        let node_id = format!("node.id={}", self.node_id);
        let lines = [
            cluster_id,
            directory_id,
            Some(node_id),
            Some("version=1".to_owned()),
        ];
        lines
            .into_iter()
            .flatten()
            .fold(String::from("#\n"), |text, line| text + &line + "\n")
    }

    /// The file's content; `None` if the log dir is not formatted.
    pub fn read(log_dir: &Path) -> Result<Option<Self>> {
        let path = log_dir.join(META_PROPERTIES);
        let text = checkpoint::read(&path)?;
        if text.is_empty() {
            return Ok(None);
        }
        Self::parse(&text)
            .map(Some)
            .map_err(|error| error.context(format_args!("cannot read {}", path.display())))
    }

    pub fn write(&self, log_dir: &Path, sync: bool) -> Result<()> {
        checkpoint::write(&log_dir.join(META_PROPERTIES), self.format().as_bytes(), sync)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_kafka_writes() {
        let text = "#\n#Fri Nov 20 18:00:00 UTC 2026\ncluster.id=4L6g3nShT-eMCtK--X86sw\n\
                    directory.id=pRGFMqYNTWKLdrTMHHIV8A\nnode.id=1\nversion=1\n";
        let meta = MetaProperties::parse(text).unwrap();
        assert_eq!(
            (meta.cluster_id.as_deref(), meta.node_id),
            (Some("4L6g3nShT-eMCtK--X86sw"), 1)
        );
        assert_eq!(MetaProperties::parse(&meta.format()).unwrap(), meta);
        assert_eq!(
            MetaProperties::parse("version=0\nbroker.id=3\n").unwrap().node_id,
            3
        );
        for bad in ["version=1\n", "version=2\nnode.id=1\n", "version=1\nnode.id=x\n"] {
            assert!(MetaProperties::parse(bad).is_err(), "{bad:?}");
        }
    }
}
