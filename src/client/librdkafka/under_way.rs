//! What was handed to librdkafka and has not ended yet: how many records, and about how many bytes.
//!
//! librdkafka reports failures alone and counts what it still holds; what is neither was delivered. Bytes are an
//! estimate, as if records ended in the order in which they were handed over.

use std::collections::VecDeque;

/// Records whose bytes are kept as one sum.
const RUN: u64 = 1000;

/// The account of one producer.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    taken: u64,
    failed: u64,
    /// Delivered, as far as it was told.
    delivered: u64,
    /// Records of the runs that have ended.
    ended: u64,
    /// Oldest first: records and bytes.
    runs: VecDeque<(u64, usize)>,
    bytes: usize,
}

impl UnderWay {
    /// Notes records that librdkafka took.
    pub(super) fn take(&mut self, records: u64, bytes: usize) {
        if records == 0 {
            return;
        }
        self.taken += records;
        self.bytes += bytes;
        match self.runs.back_mut() {
            Some(last) if last.0 + records <= RUN => *last = (last.0 + records, last.1 + bytes),
            _ => self.runs.push_back((records, bytes)),
        }
    }

    /// Notes a record that librdkafka reported as failed.
    pub(super) fn fail(&mut self) {
        self.failed += 1;
    }

    /// With so many records still held by librdkafka: how many were delivered since the last time.
    pub(super) fn settle(&mut self, held: usize) -> u64 {
        let ended = self.taken.saturating_sub(held as u64);
        while let Some((records, bytes)) = self.runs.front().copied()
            && self.ended + records <= ended
        {
            self.runs.pop_front();
            self.ended += records;
            self.bytes -= bytes;
        }
        let delivered = ended.saturating_sub(self.failed);
        let news = delivered.saturating_sub(self.delivered);
        self.delivered += news;
        news
    }

    /// About how many bytes of keys and values have not ended.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_held_nor_failed_was_delivered_and_is_told_once() {
        let mut under_way = UnderWay::default();
        under_way.take(1000, 5000);
        under_way.take(10, 70);
        assert_eq!(under_way.settle(1010), 0);
        assert_eq!(under_way.bytes(), 5070);
        assert_eq!(under_way.settle(10), 1000);
        assert_eq!(under_way.bytes(), 70);
        under_way.fail();
        under_way.fail();
        assert_eq!(under_way.settle(0), 8);
        assert_eq!((under_way.settle(0), under_way.bytes()), (0, 0));
    }

    #[test]
    fn records_one_by_one_are_summed_up() {
        let mut under_way = UnderWay::default();
        for _ in 0..5000 {
            under_way.take(1, 3);
        }
        assert_eq!(under_way.runs.len(), 5);
        assert_eq!(under_way.settle(2500), 2500);
        assert_eq!(
            under_way.bytes(),
            9000,
            "the run that is half way counts as a whole"
        );
    }
}
