//! The offsets of the batches of a log, each compared with those before and with the names of the log and the next one.
//!
//! Owns which batch is out of place: the base offset is not covered by the checksum, so that a batch with a correct
//! checksum may have a wrong one.

use super::problem::{BatchOffsets, LogProblem, OutOfPlace};
use crate::records::batch_header::BatchHeader;
use crate::storage::read_only::log_dir_file::{LogDirFile, segments};

/// A batch that is out of place.
#[derive(Debug)]
pub(super) struct Misplaced {
    /// Bytes from the start of the log to the batch.
    pub(super) position: u64,
    pub(super) problem: LogProblem,
    /// It is the batch before the one that was added.
    pub(super) is_previous: bool,
    /// The last offset before it.
    pub(super) last_good: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    position: u64,
    batch: BatchOffsets,
}

impl Place {
    fn misplaced(self, why: OutOfPlace, is_previous: bool, last_good: Option<i64>) -> Misplaced {
        Misplaced {
            position: self.position,
            problem: LogProblem::OutOfPlace {
                batch: self.batch,
                why,
            },
            is_previous,
            last_good,
        }
    }
}

/// The offsets of a log as far as it has been read.
#[derive(Debug)]
pub(super) struct Order<'f> {
    file: &'f LogDirFile,
    /// The base offset of the next segment.
    next_segment: Option<i64>,
    /// The last batch in its place.
    latest: Option<Place>,
    /// The last offset before `latest`.
    before: Option<i64>,
}

impl<'f> Order<'f> {
    pub(super) fn new(file: &'f LogDirFile, next_segment: Option<i64>) -> Self {
        Self {
            file,
            next_segment,
            latest: None,
            before: None,
        }
    }

    /// The last offset of the last batch in its place.
    pub(super) fn last_offset(&self) -> Option<i64> {
        self.latest.map(|latest| latest.batch.last)
    }

    /// Adds the next batch. Returns the batch that this shows to be out of place, if any.
    pub(super) fn add(&mut self, header: &BatchHeader, position: u64) -> Option<Misplaced> {
        let place = Place {
            position,
            batch: header.into(),
        };
        let first = place.batch.first;
        if let Some(why) = self.outside(place.batch) {
            return Some(place.misplaced(why, false, self.last_offset()));
        }
        let Some(latest) = self.latest.filter(|latest| first <= latest.batch.last) else {
            self.before = self.last_offset();
            self.latest = Some(place);
            return None;
        };
        // It follows the batch before the last: then that one is out of place.
        let is_previous = self.before.is_some_and(|before| first > before) && first != latest.batch.first;
        if is_previous {
            self.latest = Some(place);
            return Some(latest.misplaced(OutOfPlace::JumpsAhead { next: first }, true, self.before));
        }
        let why = OutOfPlace::Repeats {
            before: latest.batch.last,
        };
        Some(place.misplaced(why, false, self.last_offset()))
    }

    /// What is wrong with a batch regardless of what is before it.
    fn outside(&self, batch: BatchOffsets) -> Option<OutOfPlace> {
        if batch.last < batch.first {
            return Some(OutOfPlace::EndsBeforeItBegins);
        }
        let base_offset = self.file.base_offset;
        if batch.first < base_offset {
            return Some(OutOfPlace::BeforeSegment { base_offset });
        }
        let next = self.next_segment.filter(|next| batch.last >= *next)?;
        // A cleaner may have merged the segments in the meantime.
        (self.file.later_segments(&segments(self.file.folder())).next == Some(next))
            .then_some(OutOfPlace::InNextSegment { base_offset: next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_audit::tests::header;
    use crate::storage::read_only::Kind;

    #[test]
    fn the_batch_that_is_out_of_place_is_found_with_the_last_good_offset_before_it() {
        for (offsets, expected) in [
            (&[0, 1, 2][..], None),
            // Offsets that a cleaner has removed.
            (&[0, 7, 9], None),
            (
                &[0, 1, 1],
                Some((1, OutOfPlace::Repeats { before: 1 }, 2, Some(1))),
            ),
            (
                &[0, 5, 3],
                Some((5, OutOfPlace::JumpsAhead { next: 3 }, 1, Some(0))),
            ),
            (
                &[0, -4],
                Some((-4, OutOfPlace::BeforeSegment { base_offset: 0 }, 1, Some(0))),
            ),
        ] {
            let file = LogDirFile {
                path: "folder/00000000000000000000.log".into(),
                kind: Kind::Log,
                base_offset: 0,
            };
            let mut order = Order::new(&file, None);
            let found = (0..)
                .zip(offsets)
                .find_map(|(at, offset)| order.add(&header(*offset), at));
            let found = found.map(|found| {
                let LogProblem::OutOfPlace { batch, why } = found.problem else {
                    panic!("{:?}", found.problem);
                };
                (batch.first, why, found.position, found.last_good)
            });
            assert_eq!(found, expected, "{offsets:?}");
        }
    }
}
