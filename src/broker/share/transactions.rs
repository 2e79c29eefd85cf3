//! The batches that a read-committed group must not read: those of aborted transactions. Markers are delivered like
//! any other control record, which members skip.

use std::collections::HashSet;

use super::acquire::{AcquiredRecords, BatchSpan};
use crate::records::Batch;
use crate::records::control_record::EndTransactionMarker;
use crate::storage::transaction_index::AbortedTransaction;

/// The most bytes of a marker after decompression.
const MARKER_LIMIT: usize = 1 << 20;

/// The batches to leave out, in the order of the log.
pub(super) fn left_out(batches: &[Batch<'_>], aborted: &[AbortedTransaction]) -> Vec<BatchSpan> {
    let mut aborted: Vec<&AbortedTransaction> = aborted.iter().collect();
    aborted.sort_by_key(|transaction| transaction.first_offset);
    let mut next = aborted.into_iter().peekable();
    let mut open: HashSet<i64> = HashSet::new();
    let mut left_out = Vec::new();
    for batch in batches {
        let header = &batch.header;
        while let Some(transaction) = next.next_if(|begun| begun.first_offset <= header.last_offset()) {
            open.insert(transaction.producer_id);
        }
        if header.is_control() {
            if aborts(batch) {
                open.remove(&header.producer_id);
            }
        } else if header.is_transactional() && open.contains(&header.producer_id) {
            left_out.push(BatchSpan {
                base: header.base_offset,
                last: header.last_offset(),
            });
        }
    }
    left_out
}

fn aborts(batch: &Batch<'_>) -> bool {
    let mut scratch = Vec::new();
    let record = batch
        .records(&mut scratch, MARKER_LIMIT)
        .ok()
        .and_then(|mut records| records.next());
    let marker = record
        .and_then(Result::ok)
        .and_then(|record| EndTransactionMarker::parse(&record));
    marker.is_some_and(|marker| !marker.committed)
}

/// The acquired records without those in these batches.
pub(super) fn without(acquired: &[AcquiredRecords], left_out: &[BatchSpan]) -> Vec<AcquiredRecords> {
    let mut kept = Vec::new();
    for records in acquired {
        let mut first = records.first;
        let cuts = left_out
            .iter()
            .filter(|span| span.last >= records.first && span.base <= records.last);
        for span in cuts {
            if first < span.base {
                let last = span.base - 1;
                kept.push(AcquiredRecords {
                    first,
                    last,
                    ..*records
                });
            }
            first = span.last + 1;
        }
        if first <= records.last {
            kept.push(AcquiredRecords { first, ..*records });
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_cut_out_of_what_was_acquired() {
        let acquired = |first, last| AcquiredRecords {
            first,
            last,
            delivery_count: 1,
        };
        let span = |base, last| BatchSpan { base, last };
        let kept = without(
            &[acquired(0, 9), acquired(10, 19)],
            &[span(3, 4), span(8, 12), span(19, 30)],
        );
        assert_eq!(kept, [acquired(0, 2), acquired(5, 7), acquired(13, 18)]);
        assert_eq!(without(&[acquired(0, 9)], &[span(0, 9)]), []);
    }
}
