//! `__consumer_offsets` on the broker's own partitions: batches out of records, records out of batches.

use std::sync::Arc;

use super::offsets_topic::{KeyValue, OFFSETS_TOPIC, OffsetsTopic, RecordVisitor};
use super::pending_transactions::PendingTransactions;
use crate::broker::metadata::Metadata;
use crate::broker::node::replica::Replica;
use crate::error::{Error, Result};
use crate::records::batch_builder::BatchOptions;
use crate::records::{BatchBuilder, Batches};

/// Bytes read at once from a log; a batch that is larger is read whole.
const CHUNK: usize = 1 << 20;
/// What a batch of this topic may hold once inflated.
const INFLATED_LIMIT: usize = 256 << 20;

/// The topic, as the broker's metadata knows it.
#[derive(Debug)]
pub struct LogTopic {
    metadata: Arc<Metadata>,
}

impl LogTopic {
    pub fn new(metadata: Arc<Metadata>) -> Self {
        Self { metadata }
    }
}

impl OffsetsTopic for LogTopic {
    fn partition_count(&self) -> Result<i32> {
        Ok(self.metadata.offsets_topic()?.partitions.len() as i32)
    }

    fn append(&self, partition: i32, now_ms: i64, records: &[KeyValue]) -> Result<()> {
        let partition = self
            .metadata
            .partition(OFFSETS_TOPIC, partition)
            .ok_or_else(|| Error::failed(format!("{OFFSETS_TOPIC} has no partition {partition}")))?;
        let mut builder = BatchBuilder::new(BatchOptions::default());
        for (key, value) in records {
            builder.append(now_ms, Some(key), value.as_deref(), &[]);
        }
        let mut batch = builder.finish_uncompressed();
        let appended = partition.append(&mut batch, now_ms);
        appended.map_err(Error::failed)?;
        Ok(())
    }

    fn replay(&self, visit: &mut RecordVisitor<'_>) -> Result<()> {
        let Some(topic) = self.metadata.topic(OFFSETS_TOPIC) else {
            return Ok(());
        };
        for partition in &topic.partitions {
            replay_partition(partition, visit)
                .map_err(|error| error.context(format!("read {OFFSETS_TOPIC}-{}", partition.index)))?;
        }
        Ok(())
    }
}

fn replay_partition(partition: &Replica, visit: &mut RecordVisitor<'_>) -> Result<()> {
    let mut pending = PendingTransactions::default();
    let mut scratch = Vec::new();
    let mut offset = partition.log_start_offset();
    while let Some(chunk) = read_chunk(partition, offset)? {
        let before = offset;
        for batch in Batches::new(&chunk).map_while(Result::ok) {
            offset = offset.max(batch.header.last_offset() + 1);
            let records = batch.records(&mut scratch, INFLATED_LIMIT).map_err(|error| {
                Error::bad_data(format!("batch at offset {}: {error}", batch.header.base_offset))
            })?;
            // A record that cannot be read ends its batch; the others are still good.
            pending.see(&batch.header, records.map_while(Result::ok), visit);
        }
        if offset == before {
            break;
        }
    }
    Ok(())
}

/// Whole batches from `offset` on; None at the end.
fn read_chunk(partition: &Replica, offset: i64) -> Result<Option<Vec<u8>>> {
    let slice = partition.log().read(offset, CHUNK, i64::MAX, true)?;
    if slice.is_empty() {
        return Ok(None);
    }
    Ok(Some(slice.to_vec()?))
}
