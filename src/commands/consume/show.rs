//! Printing of records: one by one, or the values of a whole batch at once where nothing else is wanted.

use std::ops::ControlFlow;

use super::gathered::Gathered;
use super::goals::Goals;
use super::wanted::Wanted;
use crate::client::record_source::{ConsumedRecord, FetchedBatch, RecordVisitor};
use crate::error::Result;
use crate::filter::Sieve;
use crate::output::Printer;
use crate::output::record::RecordFormatter;
use crate::output::voice::Voice;
use crate::topic_partition::Offset;

/// How many bytes are collected before they are written.
pub(super) const OUT_BYTES: usize = 256 * 1024;
/// A batch whose values are larger than this is printed record by record.
const AT_ONCE: usize = 4 << 20;

/// Prints the records that are read.
pub(super) struct Show<'a> {
    pub(super) goals: &'a mut Goals,
    pub(super) formatter: &'a mut dyn RecordFormatter,
    pub(super) limit: Option<u64>,
    pub(super) wanted: &'a Wanted,
    /// Finds records that can match the condition, before they are decoded.
    pub(super) sieve: Option<&'a Sieve>,
    pub(super) gathered: &'a mut Option<Gathered>,
    pub(super) skips_bad: bool,
    pub(super) voice: &'static dyn Voice,
    pub(super) records: &'a mut u64,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) inflated: &'a mut Vec<u8>,
    pub(super) problem: Option<String>,
    pub(super) printer: &'a mut Printer,
}

impl Show<'_> {
    pub(super) fn write_out(&mut self, and_flush: bool) -> Result<()> {
        self.printer.bytes(self.out)?;
        self.out.clear();
        if and_flush {
            self.printer.flush()?;
        }
        Ok(())
    }

    /// Keeps a record for the first or last ones, which are printed when all were read.
    fn gather(&mut self, record: &ConsumedRecord<'_>, gathered: &mut Gathered) -> ControlFlow<()> {
        if !gathered.counts(record) {
            self.goals.stop(record.topic, record.partition);
            return ControlFlow::Continue(());
        }
        if gathered.wants(record) {
            let mut printed = Vec::new();
            if let Err(problem) = self.formatter.write(record, &mut printed) {
                return self.report(record, &problem);
            }
            gathered.keep(record, printed);
        }
        ControlFlow::Continue(())
    }

    /// Reports that a record cannot be printed, which may end the run.
    fn report(&mut self, record: &ConsumedRecord<'_>, problem: &str) -> ControlFlow<()> {
        let place = format!(
            "{}-{} offset {}: {problem}",
            record.topic, record.partition, record.offset
        );
        if !self.skips_bad {
            self.problem = Some(place);
            return ControlFlow::Break(());
        }
        self.printer.warn(self.voice.passed_over(&place));
        ControlFlow::Continue(())
    }

    #[inline]
    fn print(&mut self, record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>> {
        if !self.wanted.takes(record) {
            return Ok(ControlFlow::Continue(()));
        }
        if let Some(mut gathered) = self.gathered.take() {
            let flow = self.gather(record, &mut gathered);
            *self.gathered = Some(gathered);
            return Ok(flow);
        }
        *self.records += 1;
        if let Err(problem) = self.formatter.write(record, self.out)
            && self.report(record, &problem).is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        if self.out.len() >= OUT_BYTES {
            self.write_out(false)?;
        }
        if self.limit.is_some_and(|limit| *self.records >= limit) {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Show<'_> {
    /// Whether all records of a batch are wanted, whatever they hold.
    fn wants_all_of(&mut self, fetched: &FetchedBatch<'_>) -> bool {
        let header = &fetched.batch.header;
        let count = u64::try_from(header.records_count).unwrap_or(u64::MAX);
        let is_below_limit = |limit| count <= limit - *self.records;
        header.magic == 2
            && header.base_offset >= fetched.from
            && fetched.batch.bytes.len() <= AT_ONCE
            && self.wanted.filter.is_none()
            && self.gathered.is_none()
            && self.limit.is_none_or(is_below_limit)
            && self
                .goals
                .want_all_before(fetched.topic, fetched.partition, header.next_offset())
    }

    /// Prints the values of a whole batch; returns false without printing where one cannot be decoded.
    fn print_values(&mut self, fetched: &FetchedBatch<'_>) -> bool {
        let Some(end) = self.formatter.values_end(fetched.topic) else {
            return false;
        };
        let begin = self.out.len();
        let appended = fetched.batch.append_values(end, self.inflated, AT_ONCE, self.out);
        if appended.is_err() {
            self.out.truncate(begin);
        }
        appended.is_ok()
    }
}

impl RecordVisitor for Show<'_> {
    /// The fast path for the most frequent use: values alone, and all of them.
    fn batch(&mut self, fetched: &FetchedBatch<'_>) -> Result<Option<ControlFlow<()>>> {
        let header = &fetched.batch.header;
        if self.sieve.is_some() {
            // The sieve may leave out the last record, so that the records would not show how far the partition was
            // read.
            self.goals
                .wants(fetched.topic, fetched.partition, header.last_offset());
            return Ok(None);
        }
        if !self.wants_all_of(fetched) || !self.print_values(fetched) {
            return Ok(None);
        }
        self.goals
            .wants(fetched.topic, fetched.partition, header.last_offset());
        *self.records += u64::try_from(header.records_count).unwrap_or(0);
        if self.out.len() >= OUT_BYTES {
            self.write_out(false)?;
        }
        let is_enough = self.limit.is_some_and(|limit| *self.records >= limit);
        Ok(Some(if is_enough {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }))
    }

    fn sifts(&self) -> bool {
        self.sieve.is_some()
    }

    fn first_wanted(&self, records: &[u8]) -> Option<usize> {
        self.sieve.map_or(Some(0), |sieve| sieve.find(records))
    }

    fn record(&mut self, record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>> {
        if self.goals.wants(record.topic, record.partition, record.offset) {
            self.print(record)
        } else {
            Ok(ControlFlow::Continue(()))
        }
    }

    fn records(&mut self, records: &[ConsumedRecord<'_>]) -> (usize, Result<ControlFlow<()>>) {
        let wanted = self.goals.count_wanted(records);
        for (place, record) in records.iter().take(wanted).enumerate() {
            match self.print(record) {
                Ok(ControlFlow::Continue(())) => {}
                outcome => return (place + 1, outcome),
            }
        }
        (records.len(), Ok(ControlFlow::Continue(())))
    }

    fn partition_end(&mut self, topic: &str, partition: i32, next: Offset) -> Result<ControlFlow<()>> {
        self.goals.at_end(topic, partition, next);
        Ok(ControlFlow::Continue(()))
    }

    fn wants_headers(&self) -> bool {
        self.formatter.wants_headers() || self.wanted.wants_headers()
    }
}
