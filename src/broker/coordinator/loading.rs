//! Reads a coordinator's log when the broker starts, or comes to lead a partition: every record and every transaction
//! marker, in the order of the log.

use super::log::CoordinatorLog;
use crate::broker::node::replica::Replica;
use crate::error::{Error, Result};
use crate::records::Batches;
use crate::records::control_record::EndTransactionMarker;
use crate::topic_partition::Offset;

/// Bytes to read at a time from a log; a larger batch is read whole.
const CHUNK: usize = 1 << 20;
/// The most bytes of a batch of such a topic after decompression.
const INFLATED_LIMIT: usize = 256 << 20;

/// One entry of the log.
#[derive(Clone, Copy, Debug)]
pub enum Replayed<'a> {
    Record {
        offset: Offset,
        key: &'a [u8],
        /// `None` for a tombstone.
        value: Option<&'a [u8]>,
        /// The producer id of the record's transaction, if it is in one: it counts from the marker on.
        transaction_of: Option<i64>,
    },
    /// The end of a producer's transaction.
    Marker { producer_id: i64, committed: bool },
}

/// The partitions of the log on this node, in order; none if the topic does not exist.
pub fn partitions(log: &CoordinatorLog) -> Vec<i32> {
    log.replicas().iter().map(|replica| replica.index).collect()
}

/// Visits everything in one partition of the log. Records that are not committed yet are treated as just appended:
/// answers wait for them.
pub fn replay(log: &CoordinatorLog, partition: i32, visit: &mut dyn FnMut(Replayed<'_>)) -> Result<()> {
    let replica = log.replica(partition)?;
    let end =
        replay_partition(&replica, visit).map_err(|error| error.context(format!("read {}", replica.name)))?;
    log.note_unreplicated(&replica, end);
    Ok(())
}

/// Returns the end of the log.
fn replay_partition(replica: &Replica, visit: &mut dyn FnMut(Replayed<'_>)) -> Result<Offset> {
    let mut scratch = Vec::new();
    let mut offset = replica.log_start_offset();
    while let Some(chunk) = read_chunk(replica, offset)? {
        let before = offset;
        for batch in Batches::new(&chunk).map_while(Result::ok) {
            let header = &batch.header;
            offset = offset.max(header.last_offset() + 1);
            let records = batch.records(&mut scratch, INFLATED_LIMIT).map_err(|error| {
                Error::bad_data(format!("batch at offset {}: {error}", header.base_offset))
            })?;
            // A record that cannot be read ends its batch; those before it count.
            for record in records.map_while(Result::ok) {
                if header.is_control() {
                    if let Some(marker) = EndTransactionMarker::parse(&record) {
                        visit(Replayed::Marker {
                            producer_id: header.producer_id,
                            committed: marker.committed,
                        });
                    }
                } else if let Some(key) = record.key {
                    visit(Replayed::Record {
                        offset: record.offset,
                        key,
                        value: record.value,
                        transaction_of: header.is_transactional().then_some(header.producer_id),
                    });
                }
            }
        }
        if offset == before {
            break;
        }
    }
    Ok(offset)
}

/// Whole batches from `offset` on; `None` at the end.
fn read_chunk(replica: &Replica, offset: Offset) -> Result<Option<Vec<u8>>> {
    let slice = replica.log().read(offset, CHUNK, i64::MAX, true)?;
    if slice.is_empty() {
        return Ok(None);
    }
    Ok(Some(slice.to_vec()?))
}
