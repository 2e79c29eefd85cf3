//! Reading a coordinator's log back when the broker starts, or comes to lead a partition: every record and every
//! transaction marker, in the order of the log.

use super::log::CoordinatorLog;
use crate::broker::node::replica::Replica;
use crate::error::{Error, Result};
use crate::records::Batches;
use crate::records::control_record::EndTransactionMarker;
use crate::topic_partition::Offset;

/// Bytes read at once from a log; a batch that is larger is read whole.
const CHUNK: usize = 1 << 20;
/// What a batch of such a topic may hold once inflated.
const INFLATED_LIMIT: usize = 256 << 20;

/// One step of the replay.
#[derive(Clone, Copy, Debug)]
pub enum Replayed<'a> {
    Record {
        offset: Offset,
        key: &'a [u8],
        /// None: a tombstone.
        value: Option<&'a [u8]>,
        /// The producer in whose transaction it was written, if any: it counts from the marker on.
        transaction_of: Option<i64>,
    },
    /// A producer's transaction ended.
    Marker { producer_id: i64, committed: bool },
}

/// The partitions of the log on this node, in order. A topic that does not exist has none.
pub fn partitions(log: &CoordinatorLog) -> Vec<i32> {
    log.replicas().iter().map(|replica| replica.index).collect()
}

/// Shows everything in one partition of the log. What other replicas may not have of it is waited for before anybody is told,
/// as if it had just been appended.
pub fn replay(log: &CoordinatorLog, partition: i32, visit: &mut dyn FnMut(Replayed<'_>)) -> Result<()> {
    let replica = log.replica(partition)?;
    let end =
        replay_partition(&replica, visit).map_err(|error| error.context(format!("read {}", replica.name)))?;
    log.note_unreplicated(&replica, end);
    Ok(())
}

/// Answers where the log ended.
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
            // A record that cannot be read ends its batch; the others are still good.
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

/// Whole batches from `offset` on; None at the end.
fn read_chunk(replica: &Replica, offset: Offset) -> Result<Option<Vec<u8>>> {
    let slice = replica.log().read(offset, CHUNK, i64::MAX, true)?;
    if slice.is_empty() {
        return Ok(None);
    }
    Ok(Some(slice.to_vec()?))
}
