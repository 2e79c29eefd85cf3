//! What compaction leaves of one batch: all of it, some records, the header alone, or nothing.
//!
//! Kafka's rules:
//! - A record is kept if the part that was read has no later one with its key. One without a key is removed, as is one
//!   of an aborted transaction.
//! - A tombstone (a null value) is kept until the delete horizon of its batch (KIP-534). The first pass that keeps one
//!   sets the horizon, so that every reader has `delete.retention.ms` to learn of the deletion. The same holds for the
//!   marker of a transaction that has no records left.
//! - A batch without records left is kept as a header if it has the last sequence number, or the epoch, of a known
//!   producer, or if it is at the end of the cleaned part.
//! - Message formats 0 and 1 are kept as they are. Kafka cleans them too, but no client writes them any more.

use std::collections::HashMap;

use super::offset_map::OffsetMap;
use super::transactions::{MarkerOf, Transactions};
use crate::error::Result;
use crate::records::control_record::EndTransactionMarker;
use crate::records::{Batch, Record, RecordError, compacted_batch};
use crate::storage::transaction_index::AbortedTransaction;
use crate::topic_partition::Offset;

/// A batch is inflated to at most this many bytes.
pub(super) const MAX_INFLATED: usize = 256 << 20;

/// The newest batch of a producer that the log knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRecord {
    /// The last offset of its last batch of records; `None` if it wrote none in its epoch.
    pub data_offset: Option<Offset>,
    pub epoch: i16,
}

/// What a pass knows when it rewrites a log.
#[derive(Debug)]
pub(super) struct BatchFilter {
    pub(super) map: OffsetMap,
    /// The end of the part that the map covers.
    pub(super) map_end: Offset,
    /// The first offset that no pass may clean at present.
    pub(super) first_uncleanable: Offset,
    pub(super) transactions: Transactions,
    /// By producer id.
    pub(super) last_records: HashMap<i64, LastRecord>,
    pub(super) now_ms: i64,
    pub(super) delete_retention_ms: i64,
}

/// What is left of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// It was appended to the output. The marker of an aborted transaction that has records comes with its row of the
    /// transaction index.
    Some(Option<AbortedTransaction>),
}

/// What is decided about a batch before its records are read.
struct Decision {
    /// All records are removed.
    discard: bool,
    /// It is the marker of a transaction of which no batch is left.
    marker_of_gone: bool,
    aborted: Option<AbortedTransaction>,
}

impl BatchFilter {
    /// Appends to `out` what is left of the batch.
    ///
    /// # Errors
    ///
    /// The batch cannot be read.
    pub(super) fn filter(
        &mut self,
        batch: &Batch<'_>,
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Left> {
        if batch.header.magic < 2 {
            out.extend_from_slice(batch.bytes);
            return Ok(Left::Some(None));
        }
        let mut records = Vec::new();
        for record in batch.records(scratch, MAX_INFLATED)? {
            records.push(record?);
        }
        let decision = self.decide(batch, &records);
        let before = records.len();
        if decision.discard {
            records.clear();
        } else if !batch.header.is_control() {
            records.retain(|record| self.keeps(record, batch.header.delete_horizon_ms()));
        }
        if records.is_empty() {
            if !self.keeps_header(batch) {
                return Ok(Left::Nothing);
            }
            compacted_batch::without_records(batch, out);
            return Ok(Left::Some(decision.aborted));
        }
        let waits = decision.marker_of_gone || records.iter().any(|record| record.value.is_none());
        let horizon = batch.header.delete_horizon_ms();
        let needs_horizon = waits && horizon.is_none();
        if records.len() == before && !needs_horizon {
            out.extend_from_slice(batch.bytes);
        } else {
            let new_horizon = needs_horizon.then(|| self.now_ms.saturating_add(self.delete_retention_ms));
            compacted_batch::with_records(batch, &records, horizon.or(new_horizon), out)
                .map_err(RecordError::from)?;
        }
        Ok(Left::Some(decision.aborted))
    }

    fn decide(&mut self, batch: &Batch<'_>, records: &[Record<'_>]) -> Decision {
        let header = &batch.header;
        if !header.is_control() {
            return Decision {
                discard: self.transactions.meet_data(header),
                marker_of_gone: false,
                aborted: None,
            };
        }
        let marker = records.first().and_then(EndTransactionMarker::parse);
        match self.transactions.meet_control(header, records.is_empty(), marker) {
            MarkerOf::Gone => Decision {
                discard: header
                    .delete_horizon_ms()
                    .is_some_and(|horizon| horizon <= self.now_ms),
                marker_of_gone: true,
                aborted: None,
            },
            MarkerOf::Present(aborted) => Decision {
                discard: false,
                marker_of_gone: false,
                aborted,
            },
            MarkerOf::Other => Decision {
                discard: false,
                marker_of_gone: false,
                aborted: None,
            },
        }
    }

    fn keeps(&self, record: &Record<'_>, horizon: Option<i64>) -> bool {
        if record.offset >= self.map_end {
            return true;
        }
        let Some(key) = record.key else {
            return false;
        };
        let is_last = self.map.last_offset(key).is_none_or(|last| record.offset >= last);
        let is_due = horizon.is_some_and(|horizon| horizon <= self.now_ms);
        is_last && (record.value.is_some() || !is_due)
    }

    /// Whether the header of a batch without records is kept.
    fn keeps_header(&self, batch: &Batch<'_>) -> bool {
        let header = &batch.header;
        if header.next_offset() == self.first_uncleanable {
            return true;
        }
        let last = self
            .last_records
            .get(&header.producer_id)
            .filter(|_| header.has_producer_id());
        last.is_some_and(|last| match last.data_offset {
            Some(offset) => header.last_offset() == offset,
            None => header.is_control() && header.producer_epoch == last.epoch,
        })
    }
}
