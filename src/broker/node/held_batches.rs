//! Batches that are still in memory in the request that brought them: followers copy them from there, not from the
//! file.
//!
//! A producer with acks=all waits for the followers, so its request stays in memory until they have its batches. A
//! leader remembers where in such requests its newest batches are; batches that no request holds any more are read
//! from the log. The bytes are those of the log: base offset and leader epoch were patched in place.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::BytesMut;

use crate::topic_partition::Offset;

/// The most batches that a leader remembers: each belongs to a request that waits.
const MOST: usize = 256;

/// One batch of the log.
#[derive(Clone, Debug)]
pub(in crate::broker) struct HeldBatch {
    /// From the offset of its first record to the one after its last.
    pub(in crate::broker) offsets: Range<Offset>,
    /// The epoch of the leader that appended it.
    pub(in crate::broker) epoch: i32,
    /// Its range of bytes in the request.
    pub(in crate::broker) place: Range<usize>,
}

/// Whole batches for a follower.
#[derive(Clone, Debug)]
pub(in crate::broker) enum FollowerBytes {
    /// Read from the log.
    Read(Vec<u8>),
    /// In the request that brought them.
    Held(Arc<BytesMut>, Range<usize>),
}

impl FollowerBytes {
    pub(in crate::broker) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            Self::Held(request, place) => request.get(place.clone()).unwrap_or_default(),
        }
    }
}

/// The newest batches of one partition, ordered by offset.
#[derive(Debug, Default)]
pub(super) struct HeldBatches(Mutex<VecDeque<(HeldBatch, Weak<BytesMut>)>>);

impl HeldBatches {
    /// Remembers an appended batch, which is in `request` for as long as that waits.
    pub(super) fn add(&self, batch: HeldBatch, request: &Arc<BytesMut>) {
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while batches
            .front()
            .is_some_and(|(_, oldest)| oldest.strong_count() == 0 || batches.len() >= MOST)
        {
            batches.pop_front();
        }
        batches.push_back((batch, Arc::downgrade(request)));
    }

    /// The batches of `epoch` from `offset` on whose sizes add up to `length` bytes; `None` unless all of them are
    /// held.
    pub(super) fn from(&self, offset: Offset, epoch: i32, length: usize) -> Option<Vec<FollowerBytes>> {
        let batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut next, mut missing) = (offset, length);
        let mut found = Vec::new();
        for (batch, request) in batches.iter().filter(|(batch, _)| batch.offsets.start >= offset) {
            if missing == 0 {
                break;
            }
            if batch.offsets.start != next || batch.epoch != epoch {
                return None;
            }
            missing = missing.checked_sub(batch.place.len())?;
            next = batch.offsets.end;
            found.push(FollowerBytes::Held(request.upgrade()?, batch.place.clone()));
        }
        (missing == 0 && !found.is_empty()).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(offsets: Range<Offset>, epoch: i32, place: Range<usize>) -> HeldBatch {
        HeldBatch {
            offsets,
            epoch,
            place,
        }
    }

    fn bytes(found: Option<Vec<FollowerBytes>>) -> Option<Vec<u8>> {
        let found = found?;
        Some(found.iter().flat_map(FollowerBytes::as_slice).copied().collect())
    }

    #[test]
    fn batches_in_a_row_are_found_as_long_as_their_requests_wait() {
        let batches = HeldBatches::default();
        let first = Arc::new(BytesMut::from(&b"..abc"[..]));
        let second = Arc::new(BytesMut::from(&b"de."[..]));
        batches.add(held(10..15, 3, 2..5), &first);
        batches.add(held(15..16, 3, 0..2), &second);
        assert_eq!(bytes(batches.from(10, 3, 5)).unwrap(), b"abcde");
        assert_eq!(bytes(batches.from(10, 3, 3)).unwrap(), b"abc");
        assert_eq!(bytes(batches.from(15, 3, 2)).unwrap(), b"de");
        drop(first);
        assert_eq!(bytes(batches.from(10, 3, 5)), None);
        assert_eq!(bytes(batches.from(15, 3, 2)).unwrap(), b"de");
    }

    #[test]
    fn what_is_not_the_log_from_there_on_is_not_given() {
        let batches = HeldBatches::default();
        let request = Arc::new(BytesMut::from(&b"abcdef"[..]));
        batches.add(held(10..12, 3, 0..2), &request);
        batches.add(held(14..16, 3, 2..4), &request);
        // A batch between them is not held; the epoch differs; no batch begins at the offset; the length ends inside
        // a batch.
        assert!(batches.from(10, 3, 4).is_none());
        assert!(batches.from(10, 4, 2).is_none());
        assert!(batches.from(11, 3, 2).is_none());
        assert!(batches.from(10, 3, 1).is_none());
        assert!(batches.from(16, 3, 2).is_none());
        assert!(batches.from(10, 3, 0).is_none());
    }

    #[test]
    fn no_more_are_remembered_than_wait() {
        let batches = HeldBatches::default();
        for offset in 0..1000 {
            let request = Arc::new(BytesMut::from(&b"a"[..]));
            batches.add(held(offset..offset + 1, 0, 0..1), &request);
        }
        assert_eq!(batches.0.lock().unwrap().len(), 1);
        let request = Arc::new(BytesMut::from(&b"a"[..]));
        for offset in 0..1000 {
            batches.add(held(offset..offset + 1, 0, 0..1), &request);
        }
        assert_eq!(batches.0.lock().unwrap().len(), MOST);
    }
}
