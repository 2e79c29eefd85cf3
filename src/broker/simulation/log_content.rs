//! What consumers read from the log of a replica.

use std::collections::{BTreeMap, BTreeSet};

use crate::broker::node::replica::Replica;
use crate::records::control_record::EndTransactionMarker;
use crate::records::{Batch, Batches};
use crate::topic_partition::Offset;

/// Offset and value of records.
pub(super) type Content = BTreeMap<Offset, String>;

/// One batch as on disk, without its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredBatch {
    base_offset: Offset,
    leader_epoch: i32,
    bytes: Vec<u8>,
}

fn bytes(replica: &Replica, end: Offset) -> Vec<u8> {
    let log = replica.log();
    let mut all = Vec::new();
    let mut offset = log.log_start_offset();
    loop {
        let slice = log.read(offset, usize::MAX >> 1, end, true).unwrap();
        let chunk = slice.to_vec().unwrap();
        let Some(last) = Batches::new(&chunk).map_while(Result::ok).last() else {
            return all;
        };
        offset = last.header.next_offset();
        all.extend_from_slice(&chunk);
    }
}

/// Every batch below `end`.
pub(super) fn batches(replica: &Replica, end: Offset) -> Vec<StoredBatch> {
    let bytes = bytes(replica, end);
    let stored = |batch: Batch<'_>| StoredBatch {
        base_offset: batch.header.base_offset,
        leader_epoch: batch.header.partition_leader_epoch,
        bytes: batch.bytes.to_vec(),
    };
    Batches::new(&bytes).map(|batch| stored(batch.unwrap())).collect()
}

fn values(batch: &Batch<'_>, into: &mut Content) {
    let mut scratch = Vec::new();
    for record in batch.records(&mut scratch, 1 << 20).unwrap() {
        let record = record.unwrap();
        let value = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
        into.insert(record.offset, value);
    }
}

/// The records of these batches.
pub(super) fn values_of(bytes: &[u8]) -> Content {
    let mut all = Content::new();
    for batch in Batches::new(bytes).map(Result::unwrap) {
        if !batch.header.is_control() {
            values(&batch, &mut all);
        }
    }
    all
}

/// Every record, whatever the end of its transaction.
pub(super) fn everything(replica: &Replica) -> Content {
    values_of(&bytes(replica, Offset::MAX))
}

/// The records for a read-committed consumer, by the list of aborted transactions.
pub(super) fn committed(replica: &Replica) -> Content {
    let end = replica.last_stable_offset();
    let bytes = bytes(replica, end);
    let mut aborted = replica.log().aborted_transactions(0, end).unwrap();
    aborted.sort_by_key(|aborted| aborted.first_offset);
    let mut aborting: BTreeSet<i64> = BTreeSet::new();
    let mut aborted = aborted.into_iter().peekable();
    let mut all = Content::new();
    for batch in Batches::new(&bytes).map(Result::unwrap) {
        let header = &batch.header;
        while let Some(next) = aborted.next_if(|next| next.first_offset <= header.last_offset()) {
            aborting.insert(next.producer_id);
        }
        if header.is_control() {
            if is_abort(&batch) {
                aborting.remove(&header.producer_id);
            }
        } else if !header.is_transactional() || !aborting.contains(&header.producer_id) {
            values(&batch, &mut all);
        }
    }
    all
}

/// The same, by the markers alone.
pub(super) fn committed_by_markers(replica: &Replica) -> Content {
    // The marker of an ended transaction may come after the first record of an open one.
    let end = replica.last_stable_offset();
    let bytes = bytes(replica, Offset::MAX);
    let mut open: BTreeMap<i64, Content> = BTreeMap::new();
    let mut all = Content::new();
    for batch in Batches::new(&bytes).map(Result::unwrap) {
        let header = &batch.header;
        if header.is_control() {
            let ended = open.remove(&header.producer_id).unwrap_or_default();
            if !is_abort(&batch) {
                all.extend(ended);
            }
        } else if header.is_transactional() {
            values(&batch, open.entry(header.producer_id).or_default());
        } else {
            values(&batch, &mut all);
        }
    }
    let mut unstable = open.values().filter_map(Content::first_key_value);
    assert!(
        unstable.all(|(first, _)| *first >= end),
        "an open transaction begins below the last stable offset"
    );
    all.retain(|offset, _| *offset < end);
    all
}

fn is_abort(batch: &Batch<'_>) -> bool {
    let mut scratch = Vec::new();
    let mut records = batch.records(&mut scratch, 1 << 20).unwrap();
    let marker = records.find_map(|record| EndTransactionMarker::parse(&record.unwrap()));
    marker.is_some_and(|marker| !marker.committed)
}
