//! The records of a slice that a copy is made of, for whoever knows them again by their digests.

use crate::commands::batch_reading::{RecordFields, Slice};
use crate::commands::compare::Digester;
use crate::error::Result;
use crate::filter::Expression;
use crate::records::Record;

/// Which records are copied, and the memory to look at them one after the other.
#[derive(Debug)]
pub(super) struct CopiedRecords<'a> {
    filter: Option<&'a Expression>,
    digester: Digester,
    scratch: Vec<u8>,
}

impl<'a> CopiedRecords<'a> {
    /// Those that meet a condition; all without one.
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

    /// Hands on each of them in a slice, with what makes its digest.
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
