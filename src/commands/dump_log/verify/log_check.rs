//! One log held against itself and against what stands beside it.
//!
//! Owns what counts as corrupt in a log, of its transaction index too, and what a broker would do about it. The other
//! indexes are `index_check`'s, offsets `order_check`'s, single batches `record_check`'s.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::epoch_check::{Epochs, KEPT};
use super::index_check::{Entries, IndexCheck, index_problem, no_entries, open_sibling};
use super::order_check::Order;
use super::problems::{Problem, Problems, Told};
use super::producer_check::Producers;
use super::record_check::SeenBatch;
use super::recovery_model::{Fate, Recovery};
use crate::commands::dump_log::Range;
use crate::commands::dump_log::files::{DumpFile, LaterSegments, segments};
use crate::commands::dump_log::segment::{Segment, WalkEnd, WholeBatch};
use crate::error::Result;
use crate::output::log_dump::cells::grouped;
use crate::output::log_dump::progress::FileProgress;
use crate::output::{Printer, plural};
use crate::records::batch_header::BatchHeader;
use crate::records::control_record::EndTransactionMarker;
use crate::records::error::BatchError;
use crate::storage::file_name::FileKind;
use crate::storage::transaction_index::{self, AbortedTransaction};

/// Of what is behind a place where the log is cut off anyway.
const CUT_BEFORE: &str = "cut it off with what is before";

/// What the logs of one folder have said so far.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) producers: Producers,
    pub(super) epochs: Epochs,
    folder: PathBuf,
    /// The first offsets of the folder's segments, when its first file came.
    segments: Vec<i64>,
}

impl Known {
    /// Forgets everything when a file of another folder comes.
    pub(super) fn enter(&mut self, file: &DumpFile) {
        let folder = file.folder();
        if self.folder != folder {
            *self = Self {
                producers: Producers::default(),
                epochs: Epochs::of(folder),
                folder: folder.to_owned(),
                segments: segments(folder),
            };
        }
    }

    /// The segments behind a file's own.
    pub(super) fn later_segments(&self, file: &DumpFile) -> LaterSegments {
        file.later_segments(&self.segments)
    }
}

/// Where a broker would cut the log off.
struct CutOff {
    problem: Told,
    /// Whole batches from there on.
    batches: u64,
}

/// A batch that the next one may show to be out of place.
struct Pending {
    position: u64,
    header: BatchHeader,
    marker: Option<EndTransactionMarker>,
}

/// A walk over one log with all that stands beside it.
pub(super) struct LogCheck<'f> {
    file: &'f DumpFile,
    name: String,
    known: &'f mut Known,
    indexes: IndexCheck<'f>,
    aborted: Entries<AbortedTransaction>,
    /// Whether a marker of an aborted transaction must be in the transaction index: not for a log all alone.
    has_siblings: bool,
    later: LaterSegments,
    order: Order<'f>,
    recovery: Recovery,
    pending: Option<Pending>,
    /// The problems of batches out of place.
    out_of_place: Vec<Told>,
    cut_off: Option<CutOff>,
    problems: Problems,
}

impl<'f> LogCheck<'f> {
    pub(super) fn new(file: &'f DumpFile, known: &'f mut Known) -> Self {
        let mut problems = Problems::default();
        let indexes = IndexCheck::open(file, &mut problems);
        let aborted = open_sibling(file, FileKind::TransactionIndex, &mut problems, |path| {
            Ok(Box::new(transaction_index::entries(path)?))
        });
        let later = known.later_segments(file);
        Self {
            file,
            name: file.short_name(),
            known,
            indexes,
            aborted,
            has_siblings: file.sibling(FileKind::OffsetIndex).is_some(),
            later,
            order: Order::new(file, later.next),
            recovery: Recovery::new(file.base_offset),
            pending: None,
            out_of_place: Vec::new(),
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
        self.end(&end?, segment.length);
        Ok(self.problems)
    }

    fn batch(&mut self, batch: SeenBatch) {
        let header = &batch.header;
        if let Some(cut_off) = &mut self.cut_off {
            cut_off.batches += 1;
        }
        if batch.computed_crc != header.crc {
            let what = format!(
                "CRC is 0x{:08x}, should be 0x{:08x}",
                header.crc, batch.computed_crc
            );
            let problem = self.cut(batch.position, what + &offsets_of(header), CUT_BEFORE);
            self.cut_off.get_or_insert(CutOff { problem, batches: 1 });
            return;
        }
        let wrong = self.order.wrong(header, batch.position);
        if self.cut_off.is_some() {
            return;
        }
        self.recovery.batch(header, batch.position);
        let pending = self.pending.take();
        let is_out_of_place = wrong.as_ref().is_some_and(|wrong| !wrong.is_previous);
        if let Some(wrong) = wrong {
            let problem = Problem::new(self.name.clone(), Some(wrong.position), wrong.what, "keep it");
            let problem = self.problems.push(problem.behind(wrong.last_good));
            self.out_of_place.push(problem);
            // What they say of such a log is not to be held against it.
            self.indexes.stop();
            self.aborted = no_entries();
            self.has_siblings = false;
        } else if let Some(pending) = pending {
            self.in_place(&pending);
        }
        if !is_out_of_place {
            self.pending = Some(Pending {
                position: batch.position,
                header: batch.header,
                marker: self.marker(batch),
            });
        }
    }

    /// The marker that ends a transaction; tells what is wrong with the records.
    fn marker(&mut self, batch: SeenBatch) -> Option<EndTransactionMarker> {
        let header = &batch.header;
        match batch.marker {
            Ok(None) if header.is_control() && header.has_producer_id() => {
                let what = "a control batch of a producer that ends no transaction".to_owned();
                self.stops_recovery(batch.position, what + &offsets_of(header));
                None
            }
            Ok(marker) => marker,
            Err(wrong) => {
                self.problem(Some(batch.position), wrong.what, wrong.broker);
                None
            }
        }
    }

    /// A batch that is where it belongs, held against what stands beside the log.
    fn in_place(&mut self, batch: &Pending) {
        let header = &batch.header;
        if let Some(what) = self.known.epochs.see(header) {
            self.problem(Some(batch.position), what + &offsets_of(header), KEPT);
        }
        if let Some(began) = self.known.producers.breaks_transaction(header) {
            let what = format!(
                "producer {} writes without a transaction in the one it began at offset {began}",
                header.producer_id
            );
            self.stops_recovery(batch.position, what + &offsets_of(header));
        }
        self.check_aborted(header, batch.marker);
        self.indexes.batch(header, batch.position, &mut self.problems);
    }

    fn problem(&mut self, position: Option<u64>, what: String, broker: &str) {
        self.problems
            .push(Problem::new(self.name.clone(), position, what, broker));
    }

    /// Something that recovery throws an exception for, which nobody catches.
    fn stops_recovery(&mut self, position: u64, what: String) {
        self.recovery.cannot_start();
        self.problem(Some(position), what, "not start");
    }

    /// A place up to which all is good.
    fn cut(&mut self, position: u64, what: String, broker: &str) -> Told {
        let problem = Problem::new(self.name.clone(), Some(position), what, broker);
        self.problems.push(problem.behind(self.last_good()))
    }

    /// Holds the transaction index against the markers of aborted transactions.
    fn check_aborted(&mut self, header: &BatchHeader, marker: Option<EndTransactionMarker>) {
        let began = self.known.producers.see(header);
        while let Some(entry) = self.aborted_up_to(header.base_offset) {
            let is_its_marker = marker.is_some_and(|marker| !marker.committed)
                && entry.last_offset == header.base_offset
                && entry.producer_id == header.producer_id;
            if !is_its_marker {
                self.no_marker_for(&entry);
                continue;
            }
            if let Some(what) = began.and_then(|began| self.known.producers.wrong_begin(&entry, began)) {
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
        self.problems.push_of_index(problem);
    }

    fn no_marker_for(&mut self, entry: &AbortedTransaction) {
        let what = format!(
            "says that producer {} aborted a transaction at offset {}, where the log has no abort marker",
            entry.producer_id, entry.last_offset
        );
        self.wrong_transaction_index(what);
    }

    fn end(&mut self, end: &WalkEnd, length: u64) {
        if let Some(pending) = self.pending.take() {
            self.in_place(&pending);
        }
        let (position, what) = match end {
            WalkEnd::SetAside { position, bytes } if self.later.count > 0 => (
                Some(*position),
                format!("{}, though other segments follow", plural(*bytes, "zero")),
            ),
            WalkEnd::Clean | WalkEnd::SetAside { .. } => (None, String::new()),
            WalkEnd::Trailing { position, bytes } => (
                Some(*position),
                if *bytes == 1 {
                    "1 byte that is no whole batch".to_owned()
                } else {
                    format!("{} bytes that are no whole batch", grouped(*bytes))
                },
            ),
            WalkEnd::NoBatch { position, why } => (Some(*position), why.to_string()),
        };
        if let Some(position) = position {
            let truncate = format!("truncate the log here{}", self.and_later());
            let broker = match end {
                _ if self.cut_off.is_some() => CUT_BEFORE,
                // The checksum leaves the format out.
                WalkEnd::NoBatch {
                    why: BatchError::UnknownMagic(3..),
                    ..
                } => "read it as format 2, and keep it if its checksum holds",
                _ => &truncate,
            };
            self.cut(position, what, broker);
        }
        self.say_what_recovery_does(position, length);
        if self.cut_off.is_some() || position.is_some() {
            self.known.epochs.cut();
            return;
        }
        self.indexes.end(self.last_good(), &mut self.problems);
        while let Some(entry) = self.aborted_up_to(i64::MAX) {
            self.no_marker_for(&entry);
        }
    }

    /// Says it of the places where it depends on what is behind them. `end` is where the whole batches end before the
    /// log does, which has `length` bytes.
    fn say_what_recovery_does(&mut self, end: Option<u64>, length: u64) {
        let later = self.and_later();
        if let Some(CutOff { problem, batches }) = self.cut_off {
            let batches = format!(
                "{} batch{}",
                grouped(batches),
                if batches == 1 { "" } else { "es" }
            );
            let behind = match end {
                Some(end) if length < u64::MAX => format!(" with {} behind", plural(length - end, "byte")),
                Some(_) => " with all behind".to_owned(),
                None => String::new(),
            };
            let broker = format!("truncate {batches} here{behind}{later}");
            self.problems.say_of(problem, broker);
        }
        let broker = match self.recovery.fate() {
            Fate::Kept => "keep it, and consumers get offsets out of order".to_owned(),
            Fate::Emptied => format!("empty the whole segment{later}"),
            Fate::CannotStart => "not start".to_owned(),
        };
        for problem in std::mem::take(&mut self.out_of_place) {
            self.problems.say_of(problem, broker.clone());
        }
    }

    /// What becomes of the segments behind one that is cut off.
    fn and_later(&self) -> String {
        match self.later.count {
            0 => String::new(),
            1 => ", and delete the next segment".to_owned(),
            count => format!(", and delete the next {}", plural(count, "segment")),
        }
    }

    /// The last offset up to which all is good.
    fn last_good(&self) -> Option<i64> {
        self.order.last_offset()
    }
}

/// Which batch it is, for people.
fn offsets_of(header: &BatchHeader) -> String {
    format!(" (batch {}-{})", header.base_offset, header.last_offset())
}
