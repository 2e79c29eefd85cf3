//! What Apache Kafka keeps in its metadata log, to and fro.
//!
//! From a directory that Apache Kafka has written, the configs of topics and brokers and the producer ids in use are
//! taken over from `__cluster_metadata`. For a directory of ours, `bootstrap.checkpoint` tells an Apache Kafka that is
//! started on it later what its first metadata are; without it, it would set our partitions aside as strays.
//! KIP-630, KIP-778.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::effective_config::Configs;
use super::metadata::State;
use crate::error::{Error, Result};
use crate::internal_records::cluster_metadata::{decode_record, encode_record};
use crate::internal_records::value::Value;
use crate::records::BatchBuilder;
use crate::records::batch_builder::BatchOptions;
use crate::records::{Batch, Records};
use crate::storage::batch_reader::{BatchReader, SCAN_BUFFER};
use crate::storage::checkpoint;
use crate::storage::file_name::{BOOTSTRAP_CHECKPOINT, FileKind, SNAPSHOT_SUFFIX, parse};

/// The one partition of the metadata log.
const FOLDER: &str = "__cluster_metadata-0";
/// Apache Kafka writes batches of at most 8 MiB there.
const BATCH_LIMIT: usize = 64 * 1024 * 1024;
/// `4.0-IV3`: every Apache Kafka 4 starts with it, and `kafka-features` brings it further.
const METADATA_VERSION: i64 = 25;
/// Records in a batch of ours.
const BATCH_RECORDS: i32 = 1000;

const TOPIC: i64 = 2;
const BROKER: i64 = 4;

/// What Apache Kafka knew.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    pub(super) topic_configs: BTreeMap<String, Configs>,
    /// The name of the defaults of all brokers is empty.
    pub(super) broker_configs: BTreeMap<String, Configs>,
    pub(super) next_producer_id: i64,
    topic_names: BTreeMap<Uuid, String>,
}

/// Whether an Apache Kafka keeps its metadata in this data directory.
pub(super) fn has_log(data_dir: &Path) -> bool {
    data_dir.join(FOLDER).is_dir()
}

/// Reads the metadata log in a data directory; without one nothing is inherited.
pub(super) fn read(data_dir: &Path) -> Result<Inherited> {
    let folder = data_dir.join(FOLDER);
    let mut inherited = Inherited::default();
    if !has_log(data_dir) {
        return Ok(inherited);
    }
    let mut snapshots = Vec::new();
    let mut logs = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(SNAPSHOT_SUFFIX) {
            snapshots.push(name);
        } else if matches!(parse(&name), Some((_, FileKind::Log))) {
            logs.push(name);
        }
    }
    // Names sort by offset. Records that a snapshot has already say the same once more.
    snapshots.sort();
    logs.sort();
    for name in snapshots.last().into_iter().chain(&logs) {
        let path = folder.join(name);
        inherited
            .read(&path)
            .map_err(|error| error.context(format_args!("cannot read {}", path.display())))?;
    }
    Ok(inherited)
}

impl Inherited {
    fn read(&mut self, path: &Path) -> Result<()> {
        let file = File::open(path)?;
        let mut reader = BatchReader::new(&file, 0, file.metadata()?.len(), SCAN_BUFFER);
        let mut bytes = Vec::new();
        while let Some(position) = reader.next_valid()? {
            if position.header.is_control() {
                continue;
            }
            reader.read_batch(&position, &mut bytes, BATCH_LIMIT)?;
            let batch = Batch::parse(&bytes).map_err(Error::bad_data)?;
            for record in Records::new(&batch.header, batch.body()) {
                let record = record.map_err(Error::bad_data)?;
                self.apply(record.value.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Passes over what is not understood: a newer Kafka's records are not about configs.
    fn apply(&mut self, value: &[u8]) {
        let Ok(record) = decode_record(value) else { return };
        let value = &record.value;
        let topic_id = || match value.get("topicId") {
            Some(Value::Uuid(id)) => Uuid::from_bytes(*id),
            _ => Uuid::nil(),
        };
        match value.schema.name {
            "TopicRecord" => {
                let name = value.text("name").unwrap_or_default().to_owned();
                self.topic_names.insert(topic_id(), name);
            }
            "RemoveTopicRecord" => {
                if let Some(name) = self.topic_names.remove(&topic_id()) {
                    self.topic_configs.remove(&name);
                }
            }
            "ConfigRecord" => {
                let resources = match value.number("resourceType") {
                    TOPIC => &mut self.topic_configs,
                    BROKER => &mut self.broker_configs,
                    _ => return,
                };
                let resource = value.text("resourceName").unwrap_or_default();
                let configs = resources.entry(resource.to_owned()).or_default();
                let name = value.text("name").unwrap_or_default();
                match value.text("value") {
                    Some(value) => configs.insert(name.to_owned(), value.to_owned()),
                    None => configs.remove(name),
                };
            }
            "ProducerIdsRecord" => self.next_producer_id = value.number("nextProducerId"),
            _ => {}
        }
    }
}

/// Tells an Apache Kafka of later what is here, unless one has a metadata log here already.
pub(super) fn write(data_dir: &Path, node: &Node, state: &State, next_producer_id: i64) -> Result<()> {
    if has_log(data_dir) {
        return Ok(());
    }
    let path: PathBuf = data_dir.join(BOOTSTRAP_CHECKPOINT);
    let mut bootstrap = Bootstrap::default();
    for (feature, level) in [
        ("metadata.version", METADATA_VERSION),
        ("group.version", 1),
        ("transaction.version", 2),
    ] {
        let fields = [("name", text(feature)), ("featureLevel", Value::Number(level))];
        bootstrap.add("FeatureLevelRecord", 0, fields);
    }
    bootstrap.configs(BROKER, &state.broker_configs);
    for topic in state.topics.values() {
        let id = || Value::Uuid(*topic.id.as_bytes());
        bootstrap.add("TopicRecord", 0, [("name", text(&topic.name)), ("topicId", id())]);
        for index in 0..topic.partitions.len() {
            let replica = || Value::Array(vec![Value::Number(i64::from(node.id))]);
            let fields = [
                ("partitionId", Value::Number(index as i64)),
                ("topicId", id()),
                ("replicas", replica()),
                ("isr", replica()),
                ("leader", Value::Number(i64::from(node.id))),
                ("leaderEpoch", Value::Number(0)),
                ("partitionEpoch", Value::Number(0)),
                (
                    "directories",
                    Value::Array(vec![Value::Uuid(*node.directory.as_bytes())]),
                ),
            ];
            bootstrap.add("PartitionRecord", 1, fields);
        }
    }
    let topics = state.topics.values();
    let configs = topics.map(|topic| (topic.name.clone(), topic.configs.clone()));
    bootstrap.configs(TOPIC, &configs.collect());
    let ids = [
        ("brokerId", Value::Number(i64::from(node.id))),
        ("nextProducerId", Value::Number(next_producer_id)),
    ];
    bootstrap.add("ProducerIdsRecord", 0, ids);
    checkpoint::write(&path, &bootstrap.finish(), false)
}

/// Whose partitions they are.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: i32,
    /// The data directory's id; nil is Kafka's word for an unknown one.
    pub(super) directory: Uuid,
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

/// The file's batches, as they grow.
#[derive(Default)]
struct Bootstrap {
    bytes: Vec<u8>,
    batch: Option<BatchBuilder>,
    written: i64,
}

impl Bootstrap {
    fn add<'a>(&mut self, name: &str, version: i16, fields: impl IntoIterator<Item = (&'a str, Value<'a>)>) {
        let Some(record) = encode_record(name, version, fields) else {
            return;
        };
        let base_offset = self.written;
        let batch = self.batch.get_or_insert_with(|| {
            BatchBuilder::new(BatchOptions {
                base_offset,
                partition_leader_epoch: 0,
                ..BatchOptions::default()
            })
        });
        batch.append(0, None, Some(&record), &[]);
        if batch.count() >= BATCH_RECORDS {
            self.end_batch();
        }
    }

    fn configs(&mut self, resource_type: i64, resources: &BTreeMap<String, Configs>) {
        for (resource, configs) in resources {
            for (name, value) in configs {
                let fields = [
                    ("resourceType", Value::Number(resource_type)),
                    ("resourceName", text(resource)),
                    ("name", text(name)),
                    ("value", text(value)),
                ];
                self.add("ConfigRecord", 0, fields);
            }
        }
    }

    fn end_batch(&mut self) {
        if let Some(mut batch) = self.batch.take() {
            self.written += i64::from(batch.count());
            self.bytes.extend(batch.finish_uncompressed());
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.end_batch();
        self.bytes
    }
}
