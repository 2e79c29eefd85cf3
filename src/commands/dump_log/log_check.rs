//! One log held against itself and against what stands beside it.
//!
//! Owns what counts as corrupt in a log, of its transaction index too, and what a broker would do about it. The other
//! indexes are `index_check`'s.

use std::ops::ControlFlow;

use super::Range;
use super::files::DumpFile;
use super::index_check::{Entries, IndexCheck, index_problem, no_entries, open_sibling};
use super::producer_check::Producers;
use super::segment::{Segment, WalkEnd, WholeBatch};
use super::verify::{Problem, Problems};
use crate::error::Result;
use crate::output::Printer;
use crate::output::log_dump::progress::FileProgress;
use crate::output::log_dump::rows::grouped;
use crate::records::batch_header::{BatchHeader, TimestampType};
use crate::records::compression::CompressionError;
use crate::records::control_record::EndTransactionMarker;
use crate::records::{RecordError, StreamedRecord};
use crate::storage::file_name::FileKind;
use crate::storage::transaction_index::{self, AbortedTransaction};

/// Why the records of a batch cannot be read.
enum Refused {
    ByConsumers(String),
    /// By the limits of this program, which consumers have not.
    Here(String),
}

impl From<RecordError> for Refused {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Compression(CompressionError::TooLarge { .. }) => Self::Here(error.to_string()),
            _ => Self::ByConsumers(error.to_string()),
        }
    }
}

/// What there is to say of one batch, whatever is before it.
struct SeenBatch {
    position: u64,
    header: BatchHeader,
    computed_crc: u32,
    /// The marker that ends a transaction, if it is one; only looked for where the checksum holds.
    marker: Result<Option<EndTransactionMarker>, Refused>,
}

impl SeenBatch {
    fn of(batch: &WholeBatch<'_>, scratch: &mut Vec<u8>) -> Self {
        let computed_crc = batch.bytes.computed_crc(&batch.header);
        let marker = if computed_crc == batch.header.crc {
            Self::marker_if_readable(batch, scratch)
        } else {
            Ok(None)
        };
        Self {
            position: batch.position,
            header: batch.header,
            computed_crc,
            marker,
        }
    }

    /// Reads the records, for what only shows then; answers the marker that ends a transaction.
    fn marker_if_readable(
        batch: &WholeBatch<'_>,
        scratch: &mut Vec<u8>,
    ) -> Result<Option<EndTransactionMarker>, Refused> {
        let header = &batch.header;
        let (mut newest, mut marker) = (None, None);
        batch.bytes.each_record(header, scratch, |record| {
            let record = record.map_err(Refused::from)?;
            if header.magic == 2 && !(header.base_offset..=header.last_offset()).contains(&record.offset()) {
                return Err(Refused::ByConsumers(format!(
                    "record {} in the batch {}-{}",
                    record.offset(),
                    header.base_offset,
                    header.last_offset()
                )));
            }
            newest = newest.max(Some(record.timestamp()));
            if let StreamedRecord::Held(record) = &record
                && header.is_control()
            {
                marker = EndTransactionMarker::parse(record);
            }
            Ok(())
        })?;
        let counts = header.timestamp_type() == TimestampType::CreateTime && header.magic == 2;
        match newest {
            Some(newest) if counts && newest > header.max_timestamp => Err(Refused::ByConsumers(format!(
                "a record of time {newest} in a batch whose newest is said to be {}",
                header.max_timestamp
            ))),
            _ => Ok(marker),
        }
    }
}

/// Where a broker would cut the log off.
struct CutOff {
    /// Which problem it is.
    problem: usize,
    /// Whole batches from there on.
    batches: u64,
}

/// A walk over one log with all that stands beside it.
pub(super) struct LogCheck<'f> {
    file: &'f DumpFile,
    name: String,
    producers: &'f mut Producers,
    indexes: IndexCheck<'f>,
    aborted: Entries<AbortedTransaction>,
    /// Whether a marker of an aborted transaction must be in the transaction index: not for a log all alone.
    has_siblings: bool,
    last_good: Option<i64>,
    cut_off: Option<CutOff>,
    problems: Problems,
}

impl<'f> LogCheck<'f> {
    pub(super) fn new(file: &'f DumpFile, producers: &'f mut Producers) -> Self {
        let mut problems = Problems::default();
        let indexes = IndexCheck::open(file, &mut problems);
        let aborted = open_sibling(file, FileKind::TransactionIndex, &mut problems, |path| {
            Ok(Box::new(transaction_index::entries(path)?))
        });
        Self {
            file,
            name: file.short_name(),
            producers,
            indexes,
            aborted,
            has_siblings: file.sibling(FileKind::OffsetIndex).is_some(),
            last_good: None,
            cut_off: None,
            problems,
        }
    }

    pub(super) fn run(mut self, printer: &Printer) -> Result<Problems> {
        const EVERYTHING: Range = Range {
            from: i64::MIN,
            to: i64::MAX,
            since: None,
            until: None,
        };
        let mut segment = Segment::open(self.file, EVERYTHING)?;
        let progress = FileProgress::new(segment.length, &self.name, printer.is_quiet());
        let looker = || {
            let mut scratch = Vec::new();
            move |batch: &WholeBatch<'_>, seen: &mut Vec<SeenBatch>| {
                seen.push(SeenBatch::of(batch, &mut scratch));
                ControlFlow::Continue(())
            }
        };
        let end = segment.look_in_order(&progress, looker, |seen: Vec<SeenBatch>| {
            for batch in seen {
                self.batch(batch);
            }
        });
        progress.finish();
        self.end(&end?);
        Ok(self.problems)
    }

    fn batch(&mut self, batch: SeenBatch) {
        let header = &batch.header;
        if let Some(cut_off) = &mut self.cut_off {
            cut_off.batches += 1;
        }
        if let Some(what) = self.what_a_broker_refuses(&batch) {
            let what = format!("{what} (batch {}-{})", header.base_offset, header.last_offset());
            let problem = self.problems.len();
            self.cut(batch.position, what, "cut it off with what is before");
            self.cut_off.get_or_insert(CutOff { problem, batches: 1 });
            return;
        }
        self.last_good = Some(header.last_offset());
        if self.cut_off.is_some() {
            return;
        }
        match batch.marker {
            Ok(marker) => self.check_aborted(header, marker),
            Err(Refused::ByConsumers(what)) => {
                self.problem(
                    Some(batch.position),
                    what,
                    "keep it, and every consumer fail here",
                );
            }
            Err(Refused::Here(why)) => {
                self.problem(Some(batch.position), format!("not checked: {why}"), "keep it");
            }
        }
        self.indexes.batch(batch.position, header, &mut self.problems);
    }

    fn problem(&mut self, position: Option<u64>, what: String, broker: &str) {
        self.problems
            .push(Problem::new(self.name.clone(), position, what, broker));
    }

    /// A place where a broker would cut the log off.
    fn cut(&mut self, position: u64, what: String, broker: &str) {
        let problem = Problem::new(self.name.clone(), Some(position), what, broker);
        self.problems.push(problem.behind(self.last_good));
    }

    /// What the recovery after a crash cuts a log off for.
    fn what_a_broker_refuses(&self, batch: &SeenBatch) -> Option<String> {
        let header = &batch.header;
        if batch.computed_crc != header.crc {
            return Some(format!(
                "CRC is 0x{:08x}, should be 0x{:08x}",
                header.crc, batch.computed_crc
            ));
        }
        if header.base_offset < self.file.base_offset {
            return Some(format!(
                "offset {} is before the segment's {}",
                header.base_offset, self.file.base_offset
            ));
        }
        match self.last_good {
            Some(last) if header.base_offset <= last => {
                Some(format!("offset {} follows {last}", header.base_offset))
            }
            _ => None,
        }
    }

    /// Holds the transaction index against the markers of aborted transactions.
    fn check_aborted(&mut self, header: &BatchHeader, marker: Option<EndTransactionMarker>) {
        let began = self.producers.see(header);
        while let Some(entry) = self.aborted_up_to(header.base_offset) {
            let is_its_marker = marker.is_some_and(|marker| !marker.committed)
                && entry.last_offset == header.base_offset
                && entry.producer_id == header.producer_id;
            if !is_its_marker {
                self.no_marker_for(&entry);
                continue;
            }
            if let Some(what) = began.and_then(|began| self.producers.wrong_begin(&entry, began)) {
                self.wrong_transaction_index(what);
            }
            return;
        }
        if marker.is_some_and(|marker| !marker.committed)
            && self.has_siblings
            && let Some(began) = began
        {
            let what = format!(
                "has no entry for the transaction of producer {} from offset {began} to its abort marker {}",
                header.producer_id, header.base_offset
            );
            self.wrong_transaction_index(what);
        }
    }

    /// The next aborted transaction whose marker stands at `offset` or before.
    fn aborted_up_to(&mut self, offset: i64) -> Option<AbortedTransaction> {
        let is_due = |entry: &Result<AbortedTransaction>| {
            entry.as_ref().map_or(true, |entry| entry.last_offset <= offset)
        };
        match self.aborted.next_if(is_due)? {
            Ok(entry) => Some(entry),
            Err(error) => {
                self.wrong_transaction_index(error.message());
                self.aborted = no_entries();
                None
            }
        }
    }

    fn wrong_transaction_index(&mut self, what: String) {
        let problem = index_problem(self.file, FileKind::TransactionIndex, what);
        self.problems.push(problem);
    }

    fn no_marker_for(&mut self, entry: &AbortedTransaction) {
        let what = format!(
            "says that producer {} aborted a transaction at offset {}, where the log has no abort marker",
            entry.producer_id, entry.last_offset
        );
        self.wrong_transaction_index(what);
    }

    fn end(&mut self, end: &WalkEnd) {
        let what = match end {
            WalkEnd::Clean | WalkEnd::SetAside { .. } => None,
            WalkEnd::Trailing { position, bytes } => Some((
                *position,
                format!("{} bytes that are no whole batch", grouped(*bytes)),
            )),
            WalkEnd::NoBatch { position, why } => Some((*position, why.to_string())),
        };
        let is_cut = self.cut_off.is_some() || what.is_some();
        if let Some((position, what)) = what {
            let broker = match self.cut_off {
                Some(_) => "cut it off with what is before",
                None => "truncate the log here",
            };
            self.cut(position, what, broker);
        }
        if let Some(CutOff { problem, batches }) = self.cut_off {
            let s = if batches == 1 { "" } else { "es" };
            self.problems
                .say_of(problem, format!("truncate {batches} batch{s} here"));
        }
        if is_cut {
            return;
        }
        self.indexes.end(&mut self.problems);
        while let Some(entry) = self.aborted_up_to(i64::MAX) {
            self.no_marker_for(&entry);
        }
    }
}
