//! What a committed offset of the source is in the target: counted back from where the copy ends, and held against the
//! record that is there, so that nobody goes on in a wrong place.

use std::collections::BTreeMap;

use crate::commands::batch_reading::{BatchOrigin, BatchVisitor, Range, RecordFields, Slice, read_all};
use crate::commands::compare::Digester;
use crate::error::Result;
use crate::filter::Expression;
use crate::interrupt::Interrupt;
use crate::topic_partition::Offset;

/// A partition, and the offsets of it that are to be translated.
#[derive(Debug)]
pub(super) struct Question {
    /// From the first of the offsets up to where the copy is.
    pub(super) source: Range,
    pub(super) target: (String, i32),
    /// The target's offset behind the last record that was copied.
    pub(super) target_next: Offset,
    /// In their order, none twice, all within `source`.
    pub(super) offsets: Vec<Offset>,
    pub(super) with_times: bool,
}

/// The target's offset for each of the source; nothing where another record is there than was expected.
pub(super) type Answer = BTreeMap<Offset, Option<Offset>>;

/// Answers the questions, in their order.
pub(super) fn translate(
    questions: &[Question],
    filter: Option<&Expression>,
    (source, target): (&dyn BatchOrigin, &dyn BatchOrigin),
    interrupt: &Interrupt,
) -> Result<Vec<Answer>> {
    let mut counts = Counts {
        questions,
        filter,
        of: questions.iter().map(|_| Count::default()).collect(),
        digester: Digester::default(),
        scratch: Vec::new(),
    };
    let ranges = questions.iter().map(|question| question.source.clone());
    read_all(&mut *source.read(ranges.collect())?, interrupt, &mut counts)?;
    let expected: Vec<Vec<Expected>> = questions.iter().zip(&counts.of).map(expected).collect();
    let mut check = Check {
        questions,
        expected: &expected,
        seen: questions.iter().map(|_| Vec::new()).collect(),
        digester: Digester::default(),
        scratch: Vec::new(),
    };
    let ranges = questions.iter().zip(&expected).map(|(question, expected)| Range {
        topic: question.target.0.clone(),
        partition: question.target.1,
        from: expected
            .first()
            .map_or(question.target_next, |first| first.target),
        end: Some(question.target_next),
    });
    read_all(&mut *target.read(ranges.collect())?, interrupt, &mut check)?;
    Ok(expected.iter().zip(&check.seen).map(answer).collect())
}

/// The records of a partition, as far as they are counted.
#[derive(Debug, Default)]
struct Count {
    all: i64,
    /// For each offset: the records before the first one at or behind it, and that one.
    first: Vec<(i64, u64)>,
}

struct Counts<'a> {
    questions: &'a [Question],
    filter: Option<&'a Expression>,
    of: Vec<Count>,
    digester: Digester,
    scratch: Vec<u8>,
}

impl BatchVisitor for Counts<'_> {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let (Some(question), Some(count)) = (self.questions.get(place), self.of.get_mut(place)) else {
            return Ok(());
        };
        let next = question.offsets.get(count.first.len());
        let header = &slice.batch.header;
        if self.filter.is_none() && slice.is_whole() && next.is_none_or(|next| *next >= slice.next()) {
            count.all += i64::from(header.records_count);
            return Ok(());
        }
        let (digester, filter) = (&mut self.digester, self.filter);
        slice.each_record(&mut self.scratch, |record| {
            let fields = RecordFields {
                topic: slice.topic,
                partition: slice.partition,
                record,
            };
            if filter.is_some_and(|filter| !filter.is_met(&fields)) {
                return Ok(());
            }
            let mut offsets = question.offsets.iter().skip(count.first.len());
            let reached = offsets
                .by_ref()
                .take_while(|offset| **offset <= record.offset)
                .count();
            if reached > 0 {
                let digest = digester.digest(record, question.with_times);
                count
                    .first
                    .extend(std::iter::repeat_n((count.all, digest), reached));
            }
            count.all += 1;
            Ok(())
        })
    }
}

/// Where the record of an offset should be.
#[derive(Clone, Copy, Debug)]
struct Expected {
    offset: Offset,
    target: Offset,
    /// The record; nothing where no record is behind the offset.
    digest: Option<u64>,
}

fn expected((question, count): (&Question, &Count)) -> Vec<Expected> {
    let offsets = question.offsets.iter().enumerate();
    let expected = offsets.map(|(at, offset)| {
        let first = count.first.get(at);
        let before = first.map_or(count.all, |(before, _)| *before);
        Expected {
            offset: *offset,
            target: question.target_next - (count.all - before),
            digest: first.map(|(_, digest)| *digest),
        }
    });
    expected.collect()
}

struct Check<'a> {
    questions: &'a [Question],
    expected: &'a [Vec<Expected>],
    /// The first record at or behind each offset that is expected.
    seen: Vec<Vec<u64>>,
    digester: Digester,
    scratch: Vec<u8>,
}

impl BatchVisitor for Check<'_> {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let (Some(expected), Some(seen)) = (self.expected.get(place), self.seen.get_mut(place)) else {
            return Ok(());
        };
        let next = expected.get(seen.len());
        if next.is_none_or(|next| next.target >= slice.next()) {
            return Ok(());
        }
        let with_times = self
            .questions
            .get(place)
            .is_none_or(|question| question.with_times);
        let digester = &mut self.digester;
        slice.each_record(&mut self.scratch, |record| {
            let left = expected.iter().skip(seen.len());
            let reached = left
                .take_while(|expected| expected.target <= record.offset)
                .count();
            if reached > 0 {
                seen.extend(std::iter::repeat_n(digester.digest(record, with_times), reached));
            }
            Ok(())
        })
    }
}

fn answer((expected, seen): (&Vec<Expected>, &Vec<u64>)) -> Answer {
    let answers = expected.iter().enumerate().map(|(at, expected)| {
        let is_it = expected.digest == seen.get(at).copied();
        (expected.offset, is_it.then_some(expected.target))
    });
    answers.collect()
}
