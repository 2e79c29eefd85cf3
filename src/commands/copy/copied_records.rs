//! The records of a slice that are copied, for those who recognise them by their digests.

use crate::commands::batch_reading::{RecordFields, Slice};
use crate::commands::compare::Digester;
use crate::error::Result;
use crate::filter::Expression;
use crate::records::Record;

/// Which records are copied, and buffers to read them one after the other.
#[derive(Debug)]
pub(super) struct CopiedRecords<'a> {
    filter: Option<&'a Expression>,
    digester: Digester,
    scratch: Vec<u8>,
}

impl<'a> CopiedRecords<'a> {
    /// The records that match a condition; all without one.
    pub(super) fn new(filter: Option<&'a Expression>) -> Self {
        Self {
            filter,
            digester: Digester::default(),
            scratch: Vec::new(),
        }
    }

    pub(super) fn are_all(&self) -> bool {
        self.filter.is_none()
    }

    /// Calls a function with each of them in a slice, and with what makes its digest.
    ///
    /// # Errors
    ///
    /// Data that cannot be decoded.
    pub(super) fn each(
        &mut self,
        slice: &Slice<'_>,
        mut take: impl FnMut(&Record<'_>, &mut Digester),
    ) -> Result<()> {
        let (filter, digester) = (self.filter, &mut self.digester);
        slice.each_record(&mut self.scratch, |record| {
            let fields = RecordFields {
                topic: slice.topic,
                partition: slice.partition,
                record,
            };
            if filter.is_none_or(|filter| filter.is_met(&fields)) {
                take(record, digester);
            }
            Ok(())
        })
    }
}
