//! Translates committed offsets of the source to the target: counted back from the end of the copy, and verified by the
//! record that is there, so that no group continues at a wrong offset.

use std::collections::BTreeMap;

use super::copied_records::CopiedRecords;
use crate::commands::batch_reading::{BatchOrigin, BatchVisitor, Range, Slice, read_all};
use crate::error::Result;
use crate::filter::Expression;
use crate::interrupt::Interrupt;
use crate::topic_partition::Offset;

/// A partition, and its offsets to be translated.
#[derive(Debug)]
pub(super) struct Question {
    /// From the first of the offsets up to the end of the copy.
    pub(super) source: Range,
    pub(super) target: (String, i32),
    /// The target offset after the last copied record.
    pub(super) target_next: Offset,
    /// Sorted, without duplicates, all within `source`.
    pub(super) offsets: Vec<Offset>,
    pub(super) with_times: bool,
}

/// The target's offset for each of the source; `None` where the record there is not the expected one.
pub(super) type Answer = BTreeMap<Offset, Option<Offset>>;

/// Answers the questions, in the same order.
pub(super) fn translate(
    questions: &[Question],
    filter: Option<&Expression>,
    (source, target): (&dyn BatchOrigin, &dyn BatchOrigin),
    interrupt: &Interrupt,
) -> Result<Vec<Answer>> {
    let mut counts = Counts {
        questions,
        of: questions.iter().map(|_| Count::default()).collect(),
        copied: CopiedRecords::new(filter),
    };
    let ranges = questions.iter().map(|question| question.source.clone());
    read_all(&mut *source.read(ranges.collect())?, interrupt, &mut counts)?;
    let expected: Vec<Vec<Expected>> = questions.iter().zip(&counts.of).map(expected).collect();
    let mut check = Check {
        questions,
        expected: &expected,
        seen: questions.iter().map(|_| Vec::new()).collect(),
        copied: CopiedRecords::new(None),
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

/// The records of a partition counted so far.
#[derive(Debug, Default)]
struct Count {
    all: i64,
    /// For each offset: how many records precede the first one at or after it, and the digest of that one.
    first: Vec<(i64, u64)>,
}

struct Counts<'a> {
    questions: &'a [Question],
    of: Vec<Count>,
    copied: CopiedRecords<'a>,
}

impl BatchVisitor for Counts<'_> {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let (Some(question), Some(count)) = (self.questions.get(place), self.of.get_mut(place)) else {
            return Ok(());
        };
        let next = question.offsets.get(count.first.len());
        let header = &slice.batch.header;
        if self.copied.are_all() && slice.is_whole() && next.is_none_or(|next| *next >= slice.next()) {
            count.all += i64::from(header.records_count);
            return Ok(());
        }
        self.copied.each(slice, |record, digester| {
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
        })
    }
}

/// The target offset where the record of an offset should be.
#[derive(Clone, Copy, Debug)]
struct Expected {
    offset: Offset,
    target: Offset,
    /// The record's digest; `None` where no record follows the offset.
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
    /// The digest of the first record at or after each expected offset.
    seen: Vec<Vec<u64>>,
    copied: CopiedRecords<'a>,
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
        self.copied.each(slice, |record, digester| {
            let left = expected.iter().skip(seen.len());
            let reached = left
                .take_while(|expected| expected.target <= record.offset)
                .count();
            if reached > 0 {
                seen.extend(std::iter::repeat_n(digester.digest(record, with_times), reached));
            }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::commands::batch_reading::BatchFlow;
    use crate::records::batch_builder::{BatchBuilder, BatchOptions};
    use crate::records::{Batch, compacted_batch};

    /// A partition in memory: numbers at offsets, in batches of a few, with gaps as compaction leaves them.
    #[derive(Clone, Debug)]
    struct Log(Vec<(Offset, u32)>);

    struct Flow {
        log: Log,
        range: Range,
        is_done: bool,
    }

    impl BatchOrigin for Log {
        fn read(&self, ranges: Vec<Range>) -> Result<Box<dyn BatchFlow>> {
            Ok(Box::new(Flow {
                log: self.clone(),
                range: ranges[0].clone(),
                is_done: false,
            }))
        }
    }

    impl BatchFlow for Flow {
        fn poll(&mut self, _wait: Duration, visitor: &mut dyn BatchVisitor) -> Result<bool> {
            let end = self.range.end.unwrap_or(Offset::MAX);
            for records in self.log.0.chunks(3) {
                let bytes = batch(records);
                let batch = Batch::parse(&bytes).unwrap();
                let from = self.range.from;
                if batch.header.next_offset() > from && batch.header.base_offset < end {
                    let slice = Slice {
                        topic: "t",
                        partition: 0,
                        batch: &batch,
                        is_unchecked: false,
                        memory: None,
                        from,
                        end,
                    };
                    visitor.batch(0, &slice)?;
                }
            }
            self.is_done = true;
            Ok(true)
        }

        fn add(&mut self, _ranges: Vec<Range>) -> Result<()> {
            Ok(())
        }

        fn is_done(&self) -> bool {
            self.is_done
        }

        fn take_notices(&mut self) -> Vec<String> {
            Vec::new()
        }
    }

    /// One batch, with the gaps of the offsets.
    fn batch(records: &[(Offset, u32)]) -> Vec<u8> {
        let (first, last) = (records[0].0, records[records.len() - 1].0);
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset: first,
            ..BatchOptions::default()
        });
        for offset in first..=last {
            let value = records.iter().find(|record| record.0 == offset);
            let value = value.map_or(0, |record| record.1).to_string();
            builder.append(1, None, Some(value.as_bytes()), &[]);
        }
        let whole = builder.finish_uncompressed();
        let whole = Batch::parse(&whole).unwrap();
        let mut scratch = Vec::new();
        let all = whole.records(&mut scratch, 1 << 20).unwrap().map(Result::unwrap);
        let kept: Vec<_> = all
            .filter(|record| records.iter().any(|kept| kept.0 == record.offset))
            .collect();
        let mut bytes = Vec::new();
        compacted_batch::with_records(&whole, &kept, None, &mut bytes).unwrap();
        bytes
    }

    fn answer_of(source: &[(Offset, u32)], target: &[(Offset, u32)], offsets: Vec<Offset>) -> Answer {
        let end = source.last().map_or(0, |record| record.0 + 1);
        let question = Question {
            source: Range {
                topic: "t".to_owned(),
                partition: 0,
                from: offsets[0],
                end: Some(end),
            },
            target: ("c".to_owned(), 0),
            target_next: target.last().map_or(0, |record| record.0 + 1),
            offsets,
            with_times: true,
        };
        let (source, target) = (Log(source.to_vec()), Log(target.to_vec()));
        let interrupt = Interrupt::default();
        let answers = translate(&[question], None, (&source, &target), &interrupt).unwrap();
        answers.into_iter().next().unwrap()
    }

    proptest! {
        #[test]
        fn an_offset_becomes_that_of_the_first_record_behind_it(
            gaps in prop::collection::vec(1_i64..4, 1..30),
            base in 0_i64..1000,
            asked in prop::collection::btree_set(0_i64..100, 1..6),
        ) {
            let mut offset = 0;
            let source: Vec<(Offset, u32)> = (0_u32..).zip(gaps).map(|(n, gap)| { offset += gap; (offset, n) }).collect();
            let target: Vec<(Offset, u32)> = (base..).zip(&source).map(|(at, record)| (at, record.1)).collect();
            let end = offset + 1;
            let asked: Vec<Offset> = asked.into_iter().filter(|asked| *asked < end).collect();
            prop_assume!(!asked.is_empty());
            for (asked, found) in answer_of(&source, &target, asked) {
                let before = source.iter().filter(|record| record.0 < asked).count() as i64;
                prop_assert_eq!(found, Some(base + before), "{}", asked);
            }
        }
    }

    #[test]
    fn where_others_write_too_no_place_is_given() {
        let source: Vec<(Offset, u32)> = (0..10).map(|n| (n, n as u32)).collect();
        let mut target = source.clone();
        target.insert(5, (5, 99));
        let target: Vec<(Offset, u32)> = (0..).zip(target).map(|(at, record)| (at, record.1)).collect();
        let answer = answer_of(&source, &target, vec![2, 7]);
        assert_eq!(
            answer.get(&2),
            Some(&None),
            "counted from the end it would be record 3"
        );
        assert_eq!(answer.get(&7), Some(&Some(8)));
    }
}
