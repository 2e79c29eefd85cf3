//! Skips records of a batch without decoding them, if the visitor can tell from the bytes of many at once that none is
//! wanted; as long as this saves time.

use crate::client::record_source::RecordVisitor;
use crate::records::batches::BatchRecords;

/// After this many decoded records, sifting ends unless more records were skipped than decoded.
const FIRST: i32 = 32;

/// The sifting of one batch.
#[derive(Debug)]
pub(super) struct Sifting {
    goes_on: bool,
    decoded: i32,
    left_out: i32,
}

impl Sifting {
    pub(super) fn new(visitor: &dyn RecordVisitor) -> Self {
        Self {
            goes_on: visitor.sifts(),
            decoded: 0,
            left_out: 0,
        }
    }

    /// Skips the records up to the next one that may be wanted.
    #[inline]
    pub(super) fn pass_over(&mut self, records: &mut BatchRecords<'_>, visitor: &dyn RecordVisitor) {
        if !self.goes_on {
            return;
        }
        let BatchRecords::Current(records) = records else {
            self.goes_on = false;
            return;
        };
        self.left_out += records.pass_over(visitor.first_wanted(records.rest()));
        self.decoded += 1;
        self.goes_on = self.decoded < FIRST || self.decoded < self.left_out;
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::client::record_source::ConsumedRecord;
    use crate::error::Result;
    use crate::records::Batch;
    use crate::records::batch_builder::{BatchBuilder, BatchOptions};
    use crate::topic_partition::Offset;

    struct Finds(&'static [u8]);

    impl RecordVisitor for Finds {
        fn sifts(&self) -> bool {
            true
        }

        fn first_wanted(&self, records: &[u8]) -> Option<usize> {
            memchr::memmem::find(records, self.0)
        }

        fn record(&mut self, _record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>> {
            Ok(ControlFlow::Continue(()))
        }

        fn partition_end(&mut self, _topic: &str, _partition: i32, _next: Offset) -> Result<ControlFlow<()>> {
            Ok(ControlFlow::Continue(()))
        }
    }

    /// The offsets of the records that are decoded.
    fn decoded(values: &[&str], wanted: &'static str) -> Vec<Offset> {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        for value in values {
            builder.append(1, None, Some(value.as_bytes()), &[]);
        }
        let bytes = builder.finish_uncompressed();
        let batch = Batch::parse(&bytes).unwrap();
        let mut scratch = Vec::new();
        let mut records = batch.records(&mut scratch, 1 << 20).unwrap();
        let visitor = Finds(wanted.as_bytes());
        let mut sifting = Sifting::new(&visitor);
        let mut offsets = Vec::new();
        loop {
            sifting.pass_over(&mut records, &visitor);
            let Some(record) = records.next() else {
                return offsets;
            };
            offsets.push(record.unwrap().offset);
        }
    }

    #[test]
    fn what_cannot_be_wanted_is_not_decoded() {
        let values = ["one", "two", "three", "two", "four"];
        assert_eq!(decoded(&values, "two"), [1, 3]);
        assert_eq!(decoded(&values, "one"), [0]);
        assert_eq!(decoded(&values, "four"), [4]);
        assert_eq!(decoded(&values, "five"), [0; 0]);
        assert_eq!(decoded(&[], "five"), [0; 0]);
    }

    #[test]
    fn where_nearly_all_may_be_wanted_all_are_decoded() {
        let mut values = vec!["two"; 40];
        values.extend(["one"; 10]);
        assert_eq!(decoded(&values, "two"), (0..50).collect::<Vec<_>>());
    }
}
