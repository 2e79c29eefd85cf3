//! Whether partitions hold the same records in the same order: both sides are read and compared by digests, so that
//! memory does not grow with their sizes.

mod digest;
mod sequence;

use std::time::Duration;

pub(super) use digest::Digester;
use sequence::Sequences;
pub(super) use sequence::{Difference, Side};

use super::batch_reading::{BatchFlow, BatchVisitor, RecordFields, Slice};
use crate::error::{Error, Result};
use crate::filter::Expression;
use crate::interrupt::Interrupt;

/// How long one wait for records lasts, so that interrupts are seen.
const STEP: Duration = Duration::from_millis(100);

/// What matters when records are compared.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Records that do not match it are ignored on both sides.
    pub(super) filter: Option<Expression>,
    /// Whether times are compared, by the index of the partition: not where a broker sets them.
    pub(super) with_times: Vec<bool>,
}

/// Reads both sides, whose ranges are added already, the nth of the one against the nth of the other. Returns how many
/// records are the same in all, and where partitions differ first.
pub(super) fn compare<'a>(
    left: &mut (dyn BatchFlow + 'a),
    right: &mut (dyn BatchFlow + 'a),
    rules: &Rules,
    interrupt: &Interrupt,
) -> Result<(u64, Vec<Difference>)> {
    let mut sequences = Sequences::new(rules.with_times.len());
    let mut scratch = Vec::new();
    let mut digester = Digester::default();
    while !(left.is_done() && right.is_done()) {
        if interrupt.is_raised() {
            return Err(Error::interrupted());
        }
        // The side that is behind is read next, so that few records wait for their counterparts.
        let (is_left, reading) = match (left.is_done(), right.is_done()) {
            (true, _) => (Side::Right, &mut *right),
            (_, true) => (Side::Left, &mut *left),
            _ if sequences.waiting(Side::Left) <= sequences.waiting(Side::Right) => (Side::Left, &mut *left),
            _ => (Side::Right, &mut *right),
        };
        let mut feed = Feed {
            side: is_left,
            sequences: &mut sequences,
            rules,
            scratch: &mut scratch,
            digester: &mut digester,
        };
        reading.poll(STEP, &mut feed)?;
    }
    Ok(sequences.finish())
}

struct Feed<'a> {
    side: Side,
    sequences: &'a mut Sequences,
    rules: &'a Rules,
    scratch: &'a mut Vec<u8>,
    digester: &'a mut Digester,
}

impl BatchVisitor for Feed<'_> {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        if self.sequences.is_decided(place) {
            return Ok(());
        }
        let with_time = self.rules.with_times.get(place).copied().unwrap_or(true);
        let filter = self.rules.filter.as_ref();
        slice.each_record(self.scratch, |record| {
            let fields = RecordFields {
                topic: slice.topic,
                partition: slice.partition,
                record,
            };
            if filter.is_none_or(|filter| filter.is_met(&fields)) {
                let digest = self.digester.digest(record, with_time);
                self.sequences.push(self.side, place, digest, record.offset);
            }
            Ok(())
        })
    }
}
