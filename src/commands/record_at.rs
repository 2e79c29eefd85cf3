//! The record that an offset leads to, read without a consumer.

use uuid::Uuid;

use crate::client::admin::AdminClient;
use crate::error::Result;
use crate::records::batches::Batches;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The most that the batch of the record may inflate to, in bytes.
const BATCH_LIMIT: usize = 64 * 1024 * 1024;
/// Bytes kept of a value: enough to recognise the record by.
const EXCERPT: usize = 200;
/// Batches looked at for one record: markers of transactions and what compaction has emptied are passed over.
const BATCHES: usize = 4;

/// A record, as far as it is needed to recognise it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordAt {
    pub offset: Offset,
    /// Milliseconds since 1970; -1 without a time.
    pub timestamp: i64,
    /// The first bytes of the value.
    pub value: Option<Vec<u8>>,
}

/// The first record of a partition at or after `offset`. None where there is none nearby, and where it cannot be read:
/// whoever may see a group's offsets need not be allowed to read the topic.
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

/// The first record at or after `offset` in bytes that were fetched, or else the offset behind what could be read.
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
