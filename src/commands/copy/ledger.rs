//! The progress of each source partition: plain bookkeeping of what was read, sent, delivered and refused.
//!
//! A position advances only over what is settled: everything before it is in the target, or was not to be copied. So a
//! run that continues from the positions misses nothing, whatever order the answers had. Knows no cluster and no clock.

use std::collections::VecDeque;

use crate::topic_partition::Offset;

/// A part of a source partition that was read at once: a batch, or some records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The partition's index in the list of those that are copied.
    pub(super) place: usize,
    number: u64,
}

/// The source of a record that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) chunk: Chunk,
    pub(super) offset: Offset,
}

/// The sources of the records of a batch that was sent.
#[derive(Clone, Debug)]
pub(super) enum Origins {
    /// An unchanged batch of the source: its records follow one another.
    Whole(Origin),
    /// Records that were packed together.
    Each(Vec<Origin>),
}

#[derive(Debug)]
struct Sent {
    first_tag: u64,
    count: u64,
    /// How many records have no outcome yet.
    left: u64,
    origins: Origins,
}

#[derive(Debug)]
struct Open {
    /// The source offset after the chunk.
    next: Offset,
    /// How many records are neither delivered nor skipped.
    left: u32,
    /// The target offset after the chunk's last record, as far as it is known.
    target_next: Option<Offset>,
}

#[derive(Debug, Default)]
struct Place {
    next: Offset,
    target_next: Option<Offset>,
    /// The number of the first chunk in `open`.
    first: u64,
    open: VecDeque<Open>,
    /// How many records are delivered.
    delivered: u64,
}

/// The ledger of a run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    places: Vec<Place>,
    sent: VecDeque<Sent>,
    next_tag: u64,
}

impl Ledger {
    /// Adds a source partition, which is copied from `next` on; the copies begin at `target_next` in the target.
    pub(super) fn add(&mut self, next: Offset, target_next: Option<Offset>) {
        self.places.push(Place {
            next,
            target_next,
            ..Place::default()
        });
    }

    /// The first offset of a source partition that is not settled.
    pub(super) fn next(&self, place: usize) -> Offset {
        self.places.get(place).map_or(0, |place| place.next)
    }

    /// The target's offset that belongs to [`Ledger::next`], where each source partition has a target partition of its own.
    pub(super) fn target_next(&self, place: usize) -> Option<Offset> {
        self.places.get(place).and_then(|place| place.target_next)
    }

    /// How many records are in the target.
    pub(super) fn all_delivered(&self) -> u64 {
        self.places.iter().map(|place| place.delivered).sum()
    }

    /// Opens a chunk of a source partition, whose records are sent before their number is known.
    pub(super) fn begin(&mut self, place: usize) -> Chunk {
        let Some(known) = self.places.get_mut(place) else {
            return Chunk { place, number: 0 };
        };
        let number = known.first + known.open.len() as u64;
        known.open.push_back(Open {
            next: known.next,
            // Counts as one open record until its end is known.
            left: 1,
            target_next: None,
        });
        Chunk { place, number }
    }

    /// More records of an open chunk will be sent.
    pub(super) fn expect(&mut self, chunk: Chunk, records: u32) {
        let place = self.places.get_mut(chunk.place);
        if let Some(open) = place.and_then(|place| place.open_mut(chunk.number)) {
            open.left += records;
        }
    }

    /// The chunk ends before `next`.
    pub(super) fn end(&mut self, chunk: Chunk, next: Offset) {
        if let Some(place) = self.places.get_mut(chunk.place) {
            if let Some(open) = place.open_mut(chunk.number) {
                open.next = next;
            }
            place.take(chunk.number, 1, None);
        }
    }

    /// A source partition was read up to `next`, and none of these records is sent.
    pub(super) fn pass(&mut self, place: usize, next: Offset) {
        let chunk = self.begin(place);
        self.end(chunk, next);
    }

    /// A batch of `count` records is sent; returns the tag of its first record.
    pub(super) fn send(&mut self, count: u32, origins: Origins) -> u64 {
        let first_tag = self.next_tag;
        self.next_tag += u64::from(count);
        self.sent.push_back(Sent {
            first_tag,
            count: u64::from(count),
            left: u64::from(count),
            origins,
        });
        first_tag
    }

    /// `count` records are in the target, the first of them at `offset`.
    pub(super) fn delivered(&mut self, first_tag: u64, count: u64, offset: Option<Offset>) {
        self.settle_tags(first_tag, count, |place, records, at| {
            place.delivered += records;
            offset.map(|offset| offset.saturating_add_unsigned(at + records))
        });
    }

    /// A record is skipped for good: the position can advance over it.
    pub(super) fn skip(&mut self, tag: u64) {
        self.settle_tags(tag, 1, |_, _, _| None);
    }

    /// The source of a record that was sent.
    pub(super) fn origin(&self, tag: u64) -> Option<Origin> {
        let sent = self.sent.get(self.find(tag)?)?;
        let at = tag - sent.first_tag;
        match &sent.origins {
            Origins::Whole(origin) => Some(Origin {
                offset: origin.offset.saturating_add_unsigned(at),
                ..*origin
            }),
            Origins::Each(origins) => origins.get(usize::try_from(at).ok()?).copied(),
        }
    }

    /// Whether every record that was sent has an outcome.
    #[cfg(test)]
    fn is_settled(&self) -> bool {
        self.sent.is_empty()
    }

    fn find(&self, tag: u64) -> Option<usize> {
        let behind = self.sent.partition_point(|sent| sent.first_tag <= tag);
        let index = behind.checked_sub(1)?;
        let sent = self.sent.get(index)?;
        (tag < sent.first_tag + sent.count).then_some(index)
    }

    /// Settles a run of tags, one partition after the other: `outcome` gets a partition, how many of its records are
    /// settled, and how many records of the run precede them; it returns the target offset after them.
    fn settle_tags(
        &mut self,
        first_tag: u64,
        count: u64,
        mut outcome: impl FnMut(&mut Place, u64, u64) -> Option<Offset>,
    ) {
        let Some(index) = self.find(first_tag) else {
            return;
        };
        let Some(sent) = self.sent.get_mut(index) else {
            return;
        };
        let at = first_tag - sent.first_tag;
        let count = count.min(sent.count - at);
        sent.left = sent.left.saturating_sub(count);
        match &sent.origins {
            Origins::Whole(origin) => {
                if let Some(place) = self.places.get_mut(origin.chunk.place) {
                    let target_next = outcome(place, count, 0);
                    place.take(origin.chunk.number, count as u32, target_next);
                }
            }
            Origins::Each(origins) => {
                let run = origins.iter().skip(at as usize).take(count as usize);
                for (before, origin) in (0..).zip(run) {
                    if let Some(place) = self.places.get_mut(origin.chunk.place) {
                        let target_next = outcome(place, 1, before);
                        place.take(origin.chunk.number, 1, target_next);
                    }
                }
            }
        }
        while self.sent.front().is_some_and(|sent| sent.left == 0) {
            self.sent.pop_front();
        }
    }
}

impl Place {
    fn open_mut(&mut self, number: u64) -> Option<&mut Open> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.open.get_mut(index)
    }

    /// `records` records of a chunk have an outcome.
    fn take(&mut self, number: u64, records: u32, target_next: Option<Offset>) {
        if let Some(open) = self.open_mut(number) {
            open.left = open.left.saturating_sub(records);
            open.target_next = target_next.or(open.target_next);
        }
        self.settle();
    }

    fn settle(&mut self) {
        while self.open.front().is_some_and(|open| open.left == 0) {
            if let Some(open) = self.open.pop_front() {
                self.first += 1;
                self.next = self.next.max(open.next);
                self.target_next = open.target_next.or(self.target_next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(chunk: Chunk, offset: Offset) -> Origins {
        Origins::Whole(Origin { chunk, offset })
    }

    fn read(ledger: &mut Ledger, place: usize, next: Offset, records: u32) -> Chunk {
        let chunk = ledger.begin(place);
        ledger.expect(chunk, records);
        ledger.end(chunk, next);
        chunk
    }

    #[test]
    fn a_position_waits_for_everything_before_it() {
        let mut ledger = Ledger::default();
        ledger.add(100, Some(7));
        let first = read(&mut ledger, 0, 110, 10);
        let second = read(&mut ledger, 0, 115, 5);
        let a = ledger.send(10, whole(first, 100));
        let b = ledger.send(5, whole(second, 110));
        ledger.delivered(b, 5, Some(17));
        assert_eq!((ledger.next(0), ledger.target_next(0)), (100, Some(7)));
        ledger.delivered(a, 4, Some(7));
        assert_eq!(ledger.next(0), 100);
        ledger.delivered(a + 4, 6, Some(11));
        assert_eq!((ledger.next(0), ledger.target_next(0)), (115, Some(22)));
        assert!(ledger.is_settled());
        assert_eq!(ledger.all_delivered(), 15);
    }

    #[test]
    fn what_is_not_copied_is_passed_once_all_before_it_is_settled() {
        let mut ledger = Ledger::default();
        ledger.add(0, None);
        let chunk = read(&mut ledger, 0, 3, 2);
        ledger.pass(0, 9);
        let tag = ledger.send(
            2,
            Origins::Each(vec![Origin { chunk, offset: 0 }, Origin { chunk, offset: 2 }]),
        );
        assert_eq!(ledger.next(0), 0, "the marker is behind two records");
        assert_eq!(ledger.origin(tag + 1).map(|origin| origin.offset), Some(2));
        ledger.delivered(tag, 1, Some(50));
        ledger.skip(tag + 1);
        assert_eq!((ledger.next(0), ledger.target_next(0)), (9, Some(51)));
        assert_eq!(ledger.all_delivered(), 1);
        assert_eq!(ledger.origin(tag), None, "settled");
    }

    proptest! {
        #[test]
        fn a_position_is_never_beyond_a_record_without_an_outcome(
            sizes in prop::collection::vec((0_usize..3, 0_u32..4), 1..30),
            order in prop::collection::vec(0_usize..1000, 0..120),
        ) {
            let mut ledger = Ledger::default();
            (0..3).for_each(|_| ledger.add(0, None));
            let mut reached = [0_i64; 3];
            let mut waiting: Vec<(u64, usize, i64)> = Vec::new();
            for (place, count) in sizes {
                let from = reached[place];
                reached[place] += i64::from(count) + 1;
                let chunk = read(&mut ledger, place, reached[place], count);
                if count > 0 {
                    let tag = ledger.send(count, whole(chunk, from));
                    waiting.extend((0..i64::from(count)).map(|n| (tag + n as u64, place, from + n)));
                }
            }
            for pick in order {
                if waiting.is_empty() {
                    break;
                }
                let (tag, ..) = waiting.swap_remove(pick % waiting.len());
                ledger.delivered(tag, 1, None);
                for (tag, place, offset) in &waiting {
                    prop_assert!(ledger.next(*place) <= *offset);
                    prop_assert_eq!(ledger.origin(*tag).map(|origin| origin.offset), Some(*offset));
                }
            }
            for (tag, ..) in waiting {
                ledger.skip(tag);
            }
            prop_assert!(ledger.is_settled());
            for (place, end) in reached.into_iter().enumerate() {
                prop_assert_eq!(ledger.next(place), end);
            }
        }
    }
}
