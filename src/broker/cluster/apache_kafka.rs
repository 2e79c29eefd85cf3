//! Reads Apache Kafka's metadata log, `__cluster_metadata`: its newest snapshot and the batches after it.

use std::fs::{self, File};
use std::path::Path;

use super::image::ClusterImage;
use crate::error::{Error, Result};
use crate::records::{Batch, Records};
use crate::storage::batch_reader::{BatchReader, SCAN_BUFFER};
use crate::storage::file_name::{
    BOOTSTRAP_CHECKPOINT, FileKind, METADATA_TOPIC, SNAPSHOT_SUFFIX, parse, partition_folder,
};
use crate::topic_partition::TopicPartition;

/// The largest batch to accept, in bytes; Apache Kafka writes at most 8 MiB.
const BATCH_LIMIT: usize = 64 * 1024 * 1024;

/// The name of the folder of the log, which has one partition.
fn folder() -> String {
    partition_folder(&TopicPartition::new(METADATA_TOPIC, 0))
}

/// Whether Apache Kafka has a metadata log in this data directory.
pub(in crate::broker) fn has_log(data_dir: &Path) -> bool {
    data_dir.join(folder()).is_dir()
}

/// Reads the metadata log in a data directory; without one the image is empty.
pub(in crate::broker) fn read(data_dir: &Path) -> Result<ClusterImage> {
    let mut image = ClusterImage::default();
    if !has_log(data_dir) {
        return Ok(image);
    }
    let folder = data_dir.join(folder());
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
    // Names sort by offset.
    snapshots.sort();
    logs.sort();
    let snapshot = snapshots.last();
    // Changes of partitions are counted (`partition_epoch`): those in the snapshot must not be applied again.
    let from = snapshot.map_or(0, |name| end_offset(name));
    if from == 0 && logs.is_empty() {
        // A directory that was formatted and not used yet: Apache Kafka reads its first metadata from here.
        let bootstrap = data_dir.join(BOOTSTRAP_CHECKPOINT);
        if bootstrap.exists() {
            read_file(&bootstrap, 0, &mut image)?;
        }
    }
    let files = snapshot.map(|name| (name, 0)).into_iter();
    for (name, from) in files.chain(logs.iter().map(|name| (name, from))) {
        let path = folder.join(name);
        read_file(&path, from, &mut image)
            .map_err(|error| error.context(format_args!("cannot read {}", path.display())))?;
    }
    Ok(image)
}

/// The end offset of a snapshot, from its name: `00000000000000000123-0000000007.checkpoint`.
fn end_offset(snapshot: &str) -> i64 {
    let offset = snapshot.split('-').next();
    offset.and_then(|offset| offset.parse().ok()).unwrap_or(0)
}

/// Applies the batches of one file from the offset `from` on. Records of types that the image does not know are
/// skipped.
fn read_file(path: &Path, from: i64, image: &mut ClusterImage) -> Result<()> {
    let file = File::open(path)?;
    let mut reader = BatchReader::new(&file, 0, file.metadata()?.len(), SCAN_BUFFER);
    let mut bytes = Vec::new();
    while let Some(position) = reader.next_valid()? {
        if position.header.is_control() || position.header.base_offset < from {
            continue;
        }
        reader.read_batch(&position, &mut bytes, BATCH_LIMIT)?;
        let batch = Batch::parse(&bytes).map_err(Error::bad_data)?;
        for record in Records::new(&batch.header, batch.body()) {
            let record = record.map_err(Error::bad_data)?;
            image.apply(record.value.unwrap_or_default());
        }
    }
    Ok(())
}
