//! What a run that was killed has written after its last checkpoint: found in the target, and not written again.
//!
//! A checkpoint holds the next offset of the copy in each target partition. Records from there on that equal those of
//! the source from its position on belong to the copy; the first one that differs is where the source continues.

use std::time::Duration;

use super::copied_records::CopiedRecords;
use crate::commands::batch_reading::{BatchOrigin, BatchVisitor, Range, Slice, read_all};
use crate::error::{Error, Result};
use crate::filter::Expression;
use crate::interrupt::Interrupt;
use crate::topic_partition::Offset;

/// How many records of a partition are compared: more than a run can write between two checkpoints.
const MOST: usize = 16 << 20;
const STEP: Duration = Duration::from_millis(100);

/// The part of a target partition after the checkpoint, and the part of the source that it may be a copy of.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) target: Range,
    pub(super) source: Range,
    pub(super) with_times: bool,
}

/// The new positions of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The source offset to continue from.
    pub(super) next: Offset,
    /// The target offset after the last record that belongs to the copy.
    pub(super) target_next: Offset,
    /// How many records of the tail belong to the copy.
    pub(super) records: u64,
    /// How many records after those were written by others.
    pub(super) others: u64,
}

/// Looks for existing copies in each tail.
pub(super) fn find(
    tails: &[Tail],
    filter: Option<&Expression>,
    (source, target): (&dyn BatchOrigin, &dyn BatchOrigin),
    interrupt: &Interrupt,
) -> Result<Vec<Found>> {
    let mut written = Written {
        tails,
        records: tails.iter().map(|_| Vec::new()).collect(),
        copied: CopiedRecords::new(None),
    };
    let mut reading = target.read(tails.iter().map(|tail| tail.target.clone()).collect())?;
    read_all(&mut *reading, interrupt, &mut written)?;
    let mut search = Search {
        matches: tails.iter().zip(written.records).map(Match::new).collect(),
        tails,
        copied: CopiedRecords::new(filter),
    };
    let mut reading = source.read(tails.iter().map(|tail| tail.source.clone()).collect())?;
    while !(reading.is_done() || search.is_done()) {
        if interrupt.is_raised() {
            return Err(Error::interrupted());
        }
        reading.poll(STEP, &mut search)?;
    }
    Ok(search.matches.iter().map(Match::found).collect())
}

/// Collects the digests of the target's records.
struct Written<'a> {
    tails: &'a [Tail],
    records: Vec<Vec<(u64, Offset)>>,
    copied: CopiedRecords<'a>,
}

impl BatchVisitor for Written<'_> {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let with_times = self.tails.get(place).is_none_or(|tail| tail.with_times);
        let Some(records) = self.records.get_mut(place).filter(|records| records.len() < MOST) else {
            return Ok(());
        };
        self.copied.each(slice, |record, digester| {
            records.push((digester.digest(record, with_times), record.offset));
        })
    }
}

/// A target's records, and how many of them, from the first on, equal the source's.
#[derive(Debug)]
struct Match {
    written: Vec<(u64, Offset)>,
    same: usize,
    next: Offset,
    target_next: Offset,
    is_over: bool,
}

impl Match {
    fn new((tail, written): (&Tail, Vec<(u64, Offset)>)) -> Self {
        Self {
            is_over: written.is_empty(),
            written,
            same: 0,
            next: tail.source.from,
            target_next: tail.target.from,
        }
    }

    /// Compares the next record of the source.
    fn hold_against(&mut self, digest: u64, offset: Offset) {
        match self.written.get(self.same) {
            Some((known, target_offset)) if !self.is_over && *known == digest => {
                self.same += 1;
                self.next = offset + 1;
                self.target_next = target_offset + 1;
            }
            _ => self.is_over = true,
        }
        self.is_over |= self.same == self.written.len();
    }

    fn found(&self) -> Found {
        Found {
            next: self.next,
            target_next: self.target_next,
            records: self.same as u64,
            others: (self.written.len() - self.same) as u64,
        }
    }
}

struct Search<'a> {
    matches: Vec<Match>,
    tails: &'a [Tail],
    copied: CopiedRecords<'a>,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.matches.iter().all(|found| found.is_over)
    }
}

impl BatchVisitor for Search<'_> {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let with_times = self.tails.get(place).is_none_or(|tail| tail.with_times);
        let Some(found) = self.matches.get_mut(place).filter(|found| !found.is_over) else {
            return Ok(());
        };
        self.copied.each(slice, |record, digester| {
            if !found.is_over {
                found.hold_against(digester.digest(record, with_times), record.offset);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(written: &[u64], source: &[u64]) -> Found {
        let range = |from| Range {
            topic: "t".to_owned(),
            partition: 0,
            from,
            end: None,
        };
        let tail = Tail {
            target: range(50),
            source: range(100),
            with_times: true,
        };
        let written = (50..).zip(written).map(|(offset, digest)| (*digest, offset));
        let mut one = Match::new((&tail, written.collect()));
        for (offset, digest) in (100..).zip(source) {
            if !one.is_over {
                one.hold_against(*digest, offset);
            }
        }
        one.found()
    }

    #[test]
    fn what_is_the_source_s_from_the_first_on_is_the_copy_s_own() {
        let all = found(&[7, 7, 8], &[7, 7, 8, 9]);
        assert_eq!(
            (all.next, all.target_next, all.records, all.others),
            (103, 53, 3, 0)
        );
        let none = found(&[], &[7]);
        assert_eq!((none.next, none.target_next, none.records), (100, 50, 0));
    }

    #[test]
    fn a_record_of_somebody_else_ends_it_although_more_would_fit() {
        let other = found(&[7, 1, 8], &[7, 8, 9]);
        assert_eq!(
            (other.next, other.target_next, other.records, other.others),
            (101, 51, 1, 2)
        );
    }
}
