//! The first record at or after an offset, read without a consumer.

use uuid::Uuid;

use crate::client::admin::AdminClient;
use crate::error::Result;
use crate::records::batches::Batches;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The most bytes that the batch of the record may decompress to.
const BATCH_LIMIT: usize = 64 * 1024 * 1024;
/// How many bytes of a value are kept: enough to recognise the record.
const EXCERPT: usize = 200;
/// How many batches are read for one record: control batches and those that compaction emptied are skipped.
const BATCHES: usize = 4;

/// The parts of a record by which a user recognises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordAt {
    pub offset: Offset,
    /// Milliseconds since 1970; -1 without a time.
    pub timestamp: i64,
    /// The first bytes of the value.
    pub value: Option<Vec<u8>>,
}

/// The first record of a partition at or after `offset`. `None` where there is none nearby, or it cannot be read: a
/// user who may see a group's offsets may lack the right to read the topic.
pub fn look_up(
    admin: &mut AdminClient,
    partition: &TopicPartition,
    topic_id: Uuid,
    leader: BrokerId,
    offset: Offset,
) -> Result<Option<RecordAt>> {
    let mut from = offset;
    for _ in 0..BATCHES {
        let Ok(Some(bytes)) = admin.fetch_batch(partition, topic_id, leader, from)? else {
            return Ok(None);
        };
        match first_record(&bytes, offset) {
            Ok(record) => return Ok(Some(record)),
            Err(next) if next > from => from = next,
            Err(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// The first record at or after `offset` in fetched bytes, or else the offset after what could be read.
fn first_record(bytes: &[u8], offset: Offset) -> Result<RecordAt, Offset> {
    let mut scratch = Vec::new();
    let mut next = 0;
    for batch in Batches::new(bytes) {
        let batch = batch.map_err(|_| next)?;
        let records = batch.records(&mut scratch, BATCH_LIMIT).map_err(|_| next)?;
        next = batch.header.next_offset();
        if batch.header.is_control() {
            continue;
        }
        for record in records {
            let Ok(record) = record else { break };
            if record.offset >= offset {
                let excerpt = |value: &[u8]| value.iter().take(EXCERPT).copied().collect();
                return Ok(RecordAt {
                    offset: record.offset,
                    timestamp: record.timestamp,
                    value: record.value.map(excerpt),
                });
            }
        }
    }
    Err(next)
}
