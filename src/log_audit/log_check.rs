//! One log, compared with itself and with its indexes.
//!
//! Owns what counts as corrupt in a log and in its transaction index, and what a broker would do about it.
//! `index_check` checks the other indexes, `order_check` offsets, `record_check` single batches.

use std::ops::ControlFlow;

use super::epoch_check;
use super::finding::{BrokerAction, BytesAfter, Consequence, Finding};
use super::findings::{Findings, Limits};
use super::folder_state::FolderState;
use super::index_check::{Entries, IndexCheck, index_finding, no_entries, open_sibling};
use super::order_check::Order;
use super::problem::{LogProblem, Problem, TransactionProblem};
use super::progress::AuditProgress;
use super::record_check::CheckedBatch;
use super::recovery_model::{Fate, Recovery};
use crate::error::Result;
use crate::records::batch_header::BatchHeader;
use crate::records::control_record::EndTransactionMarker;
use crate::records::error::BatchError;
use crate::storage::file_name::FileKind;
use crate::storage::read_only::log_dir_file::{LaterSegments, LogDirFile};
use crate::storage::read_only::log_walk::{LogWalk, WalkEnd, WholeBatch};
use crate::storage::read_only::{Range, WalkProgress};
use crate::storage::transaction_index::{self, AbortedTransaction};

/// The first batch whose checksum does not match, where a broker would truncate the log.
struct Cut {
    /// Where its finding is listed.
    finding: Option<usize>,
    /// Whole batches from there on.
    batches: u64,
}

/// A batch that the next one may show to be out of place.
struct Pending {
    position: u64,
    header: BatchHeader,
    marker: Option<EndTransactionMarker>,
}

/// A walk over one log and all its indexes.
pub(super) struct LogCheck<'f> {
    file: &'f LogDirFile,
    folder: &'f mut FolderState,
    indexes: IndexCheck<'f>,
    aborted: Entries<AbortedTransaction>,
    /// Whether a marker of an aborted transaction must be in the transaction index: not for a log that was copied alone.
    has_indexes: bool,
    later: LaterSegments,
    order: Order<'f>,
    recovery: Recovery,
    pending: Option<Pending>,
    /// Where the findings of batches out of place are listed.
    out_of_place: Vec<usize>,
    cut: Option<Cut>,
    findings: Findings,
}

impl<'f> LogCheck<'f> {
    pub(super) fn new(file: &'f LogDirFile, folder: &'f mut FolderState, limits: Limits) -> Self {
        let mut findings = Findings::new(file.path.clone(), limits);
        let indexes = IndexCheck::open(file, &mut findings);
        let aborted = open_sibling(file, FileKind::TransactionIndex, &mut findings, |path| {
            Ok(Box::new(transaction_index::entries(path)?))
        });
        let later = folder.later_segments(file);
        Self {
            file,
            folder,
            indexes,
            aborted,
            has_indexes: file.sibling(FileKind::OffsetIndex).is_some(),
            later,
            order: Order::new(file, later.next),
            recovery: Recovery::new(file.base_offset),
            pending: None,
            out_of_place: Vec::new(),
            cut: None,
            findings,
        }
    }

    /// Reads the log to its end; an error when it cannot be read.
    pub(super) fn run(mut self, progress: &mut dyn AuditProgress) -> Result<Findings> {
        let mut walk = LogWalk::open(self.file, Range::ALL)?;
        progress.begin(&self.file.short_name(), walk.length);
        let reader = || {
            let mut scratch = Vec::new();
            move |batch: &WholeBatch<'_>, checked: &mut Vec<CheckedBatch>| {
                checked.push(CheckedBatch::of(batch, &mut scratch));
                ControlFlow::Continue(())
            }
        };
        let shown: &dyn WalkProgress = &*progress;
        let end = walk.read_in_order(shown, reader, |checked: Vec<CheckedBatch>| {
            for batch in checked {
                self.batch(batch);
            }
        });
        progress.end();
        self.end(&end?, walk.length);
        Ok(self.findings)
    }

    fn batch(&mut self, batch: CheckedBatch) {
        let header = &batch.header;
        if let Some(cut) = &mut self.cut {
            cut.batches += 1;
        }
        if batch.computed_crc != header.crc {
            let problem = LogProblem::Checksum {
                batch: header.into(),
                stated: header.crc,
                computed: batch.computed_crc,
            };
            let finding = self.push_cut(batch.position, problem, BrokerAction::TruncateEarlier);
            self.cut.get_or_insert(Cut { finding, batches: 1 });
            return;
        }
        let misplaced = self.order.add(header, batch.position);
        if self.cut.is_some() {
            return;
        }
        self.recovery.batch(header, batch.position);
        let pending = self.pending.take();
        let is_misplaced = misplaced.as_ref().is_some_and(|wrong| !wrong.is_previous);
        if let Some(wrong) = misplaced {
            let keep = BrokerAction::Keep(Consequence::None);
            let listed = self.findings.push(Finding {
                position: Some(wrong.position),
                last_good_offset: wrong.last_good,
                ..Finding::of_file(&self.file.path, wrong.problem, keep)
            });
            self.out_of_place.extend(listed);
            // Index entries cannot be compared with such a log.
            self.indexes.stop();
            self.aborted = no_entries();
            self.has_indexes = false;
        } else if let Some(pending) = pending {
            self.in_place(&pending);
        }
        if !is_misplaced {
            self.pending = Some(Pending {
                position: batch.position,
                header: batch.header,
                marker: self.marker(batch),
            });
        }
    }

    /// The marker that ends a transaction. Adds a finding if the records are wrong.
    fn marker(&mut self, batch: CheckedBatch) -> Option<EndTransactionMarker> {
        let header = &batch.header;
        match batch.marker {
            Ok(None) if header.is_control() && header.has_producer_id() => {
                let batch_offsets = header.into();
                self.stops_recovery(batch.position, LogProblem::NoMarker { batch: batch_offsets });
                None
            }
            Ok(marker) => marker,
            Err(wrong) => {
                self.push(batch.position, wrong.problem, wrong.action);
                None
            }
        }
    }

    /// Takes a batch in its place: compares it with the indexes and with the folder's logs so far.
    fn in_place(&mut self, batch: &Pending) {
        let header = &batch.header;
        if let Some(problem) = self.folder.epochs.add(header) {
            self.push(batch.position, problem, epoch_check::KEEP);
        }
        if let Some(problem) = self.folder.producers.breaks_transaction(header) {
            self.stops_recovery(batch.position, problem);
        }
        self.check_aborted(header, batch.marker);
        self.indexes.batch(header, batch.position, &mut self.findings);
    }

    fn push(&mut self, position: u64, problem: LogProblem, action: BrokerAction) {
        self.findings.push(Finding {
            position: Some(position),
            ..Finding::of_file(&self.file.path, problem, action)
        });
    }

    /// A problem for which recovery throws an exception that nothing catches.
    fn stops_recovery(&mut self, position: u64, problem: LogProblem) {
        self.recovery.cannot_start();
        self.push(position, problem, BrokerAction::NotStart);
    }

    /// A place up to which the log is good. Returns where it is listed.
    fn push_cut(&mut self, position: u64, problem: LogProblem, action: BrokerAction) -> Option<usize> {
        self.findings.push(Finding {
            position: Some(position),
            last_good_offset: self.last_good(),
            ..Finding::of_file(&self.file.path, problem, action)
        })
    }

    /// Compares the transaction index with the markers of aborted transactions.
    fn check_aborted(&mut self, header: &BatchHeader, marker: Option<EndTransactionMarker>) {
        let began = self.folder.producers.add(header);
        while let Some(entry) = self.aborted_up_to(header.base_offset) {
            let is_its_marker = marker.is_some_and(|marker| !marker.committed)
                && entry.last_offset == header.base_offset
                && entry.producer_id == header.producer_id;
            if !is_its_marker {
                self.no_marker_for(&entry);
                continue;
            }
            let wrong = began.and_then(|began| self.folder.producers.wrong_start(&entry, began));
            if let Some(problem) = wrong {
                self.push_of_transactions(problem);
            }
            return;
        }
        if marker.is_some_and(|marker| !marker.committed)
            && self.has_indexes
            && let Some(first_offset) = began
        {
            self.push_of_transactions(TransactionProblem::NoEntry {
                producer_id: header.producer_id,
                first_offset,
                marker: header.base_offset,
            });
        }
    }

    /// The next aborted transaction whose marker has the offset `offset` or one before it.
    fn aborted_up_to(&mut self, offset: i64) -> Option<AbortedTransaction> {
        let is_due = |entry: &Result<AbortedTransaction>| {
            entry.as_ref().map_or(true, |entry| entry.last_offset <= offset)
        };
        match self.aborted.next_if(is_due)? {
            Ok(entry) => Some(entry),
            Err(error) => {
                self.push_of_transactions(error);
                self.aborted = no_entries();
                None
            }
        }
    }

    fn push_of_transactions(&mut self, problem: impl Into<Problem>) {
        let finding = index_finding(self.file, FileKind::TransactionIndex, problem);
        self.findings.push_of_index(finding);
    }

    fn no_marker_for(&mut self, entry: &AbortedTransaction) {
        self.push_of_transactions(TransactionProblem::NoMarker {
            producer_id: entry.producer_id,
            marker: entry.last_offset,
        });
    }

    /// The end of the log, which has `length` bytes, `u64::MAX` for a pipe.
    fn end(&mut self, end: &WalkEnd, length: u64) {
        if let Some(pending) = self.pending.take() {
            self.in_place(&pending);
        }
        let wrong = self.wrong_end(end);
        let position = wrong.as_ref().map(|(position, _)| *position);
        if let Some((position, problem)) = wrong {
            let action = self.action_at_end(&problem);
            self.push_cut(position, problem, action);
        }
        self.predict_recovery(position, length);
        if self.cut.is_some() || position.is_some() {
            self.folder.epochs.cut();
            return;
        }
        self.indexes.end(self.last_good(), &mut self.findings);
        while let Some(entry) = self.aborted_up_to(i64::MAX) {
            self.no_marker_for(&entry);
        }
    }

    /// What is wrong after the last whole batch, and where that is.
    fn wrong_end(&self, end: &WalkEnd) -> Option<(u64, LogProblem)> {
        match end {
            WalkEnd::SetAside { position, bytes } if self.later.count > 0 => {
                Some((*position, LogProblem::ZerosBeforeNextSegment { bytes: *bytes }))
            }
            WalkEnd::Clean | WalkEnd::SetAside { .. } => None,
            WalkEnd::Trailing { position, bytes } => {
                Some((*position, LogProblem::PartialBatch { bytes: *bytes }))
            }
            WalkEnd::NoBatch { position, why } => Some((*position, LogProblem::NoBatch(why.clone()))),
        }
    }

    fn action_at_end(&self, problem: &LogProblem) -> BrokerAction {
        match problem {
            _ if self.cut.is_some() => BrokerAction::TruncateEarlier,
            // The checksum does not cover the format.
            LogProblem::NoBatch(BatchError::UnknownMagic(3..)) => BrokerAction::ReadAsFormat2,
            _ => BrokerAction::Truncate {
                later_segments: self.later.count,
            },
        }
    }

    /// Sets the actions of a broker that depend on the rest of the log. `end` is where the whole batches end, if bytes
    /// follow.
    fn predict_recovery(&mut self, end: Option<u64>, length: u64) {
        let later_segments = self.later.count;
        if let Some(cut) = &self.cut
            && let Some(place) = cut.finding
        {
            let bytes_after = match end {
                Some(end) if length < u64::MAX => BytesAfter::Known(length - end),
                Some(_) => BytesAfter::Unknown,
                None => BytesAfter::None,
            };
            let action = BrokerAction::TruncateBatches {
                batches: cut.batches,
                bytes_after,
                later_segments,
            };
            self.findings.set_action(place, action);
        }
        let action = match self.recovery.fate() {
            Fate::Kept => BrokerAction::Keep(Consequence::OffsetsOutOfOrder),
            Fate::Emptied => BrokerAction::EmptySegment { later_segments },
            Fate::CannotStart => BrokerAction::NotStart,
        };
        for place in std::mem::take(&mut self.out_of_place) {
            self.findings.set_action(place, action);
        }
    }

    /// The last offset up to which all is good.
    fn last_good(&self) -> Option<i64> {
        self.order.last_offset()
    }
}
