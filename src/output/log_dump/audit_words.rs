//! What is wrong and what a broker would do about it, in words.
//!
//! Owns the words for every kind of problem and of action in `log_audit`.

use crate::log_audit::finding::{BrokerAction, BytesAfter, Consequence, Finding};
use crate::log_audit::problem::{
    BatchOffsets, EpochProblem, IndexProblem, LogProblem, OutOfPlace, Problem, SnapshotProblem,
    TransactionProblem, WrongEntry,
};
use crate::output::{grouped, plural};

/// What is wrong.
pub(super) fn problem_text(problem: &Problem) -> String {
    match problem {
        Problem::Log(problem) => log(problem),
        Problem::Index(problem) => index(*problem),
        Problem::TransactionIndex(problem) => transactions(*problem),
        Problem::LeaderEpochs(problem) => epochs(*problem),
        Problem::ProducerSnapshot(problem) => snapshot(*problem),
        Problem::Unreadable { reason } => reason.clone(),
        Problem::NotListed { count } => format!("{} more that are not told", plural(*count, "problem")),
    }
}

fn log(problem: &LogProblem) -> String {
    match problem {
        LogProblem::Checksum {
            batch,
            stated,
            computed,
        } => format!(
            "CRC is 0x{stated:08x}, should be 0x{computed:08x}{}",
            which(*batch)
        ),
        LogProblem::OutOfPlace { batch, why } => out_of_place(*batch, *why) + &which(*batch),
        LogProblem::PartialBatch { bytes: 1 } => "1 byte that is no whole batch".to_owned(),
        LogProblem::PartialBatch { bytes } => format!("{} bytes that are no whole batch", grouped(*bytes)),
        LogProblem::ZerosBeforeNextSegment { bytes } => {
            format!("{}, though other segments follow", plural(*bytes, "zero"))
        }
        LogProblem::NoBatch(why) => why.to_string(),
        LogProblem::Records(why) => why.to_string(),
        LogProblem::RecordsNotChecked(why) => format!("not checked: {why}"),
        LogProblem::RecordOutsideBatch { batch, offset } => {
            format!("record {offset} in the batch {}-{}", batch.first, batch.last)
        }
        LogProblem::RecordTooNew {
            timestamp,
            stated_newest,
        } => format!("a record of time {timestamp} in a batch whose newest is said to be {stated_newest}"),
        LogProblem::NoMarker { batch } => format!(
            "a control batch of a producer that ends no transaction{}",
            which(*batch)
        ),
        LogProblem::OutsideTransaction {
            batch,
            producer_id,
            began,
        } => format!(
            "producer {producer_id} writes without a transaction in the one it began at offset {began}{}",
            which(*batch)
        ),
        LogProblem::EpochGoesBack { batch, epoch, before } => {
            format!("leader epoch {epoch} follows {before}{}", which(*batch))
        }
    }
}

/// The words that name a batch.
fn which(batch: BatchOffsets) -> String {
    format!(" (batch {}-{})", batch.first, batch.last)
}

fn out_of_place(batch: BatchOffsets, why: OutOfPlace) -> String {
    let BatchOffsets { first, last } = batch;
    match why {
        OutOfPlace::EndsBeforeItBegins => format!("the last offset {last} is before the first"),
        OutOfPlace::BeforeSegment { base_offset } => {
            format!("offset {first} is before the segment's {base_offset}")
        }
        OutOfPlace::InNextSegment { base_offset } => {
            format!("offset {last} is not before the next segment's {base_offset}")
        }
        OutOfPlace::Repeats { before } => format!("offset {first} follows {before}"),
        OutOfPlace::JumpsAhead { next } => format!("offset {next} comes behind it"),
    }
}

fn index(problem: IndexProblem) -> String {
    match problem {
        IndexProblem::NotAscending { offset, before } => {
            format!("the entry for offset {offset} follows that for {before}")
        }
        IndexProblem::NoBatchThere { offset, position } => {
            format!("the entry for offset {offset} points to byte {position}, where no batch begins")
        }
        IndexProblem::WrongBatch { offset, batch } => format!(
            "the entry for offset {offset} points to batch {}-{}",
            batch.first, batch.last
        ),
        IndexProblem::OffsetNotInLog { offset, position } => {
            format!("the entry for byte {position} is of offset {offset}, which the log has not")
        }
        IndexProblem::AfterLastBatch { offset, position } => {
            format!("the entry for offset {offset} points to byte {position}, behind the last batch")
        }
        IndexProblem::WrongTimestamp {
            offset,
            timestamp,
            newest,
        } => format!("offset {offset} is entered with time {timestamp}, its batch's newest is {newest}"),
        IndexProblem::TimestampNotInLog { timestamp, offset } => {
            format!("the entry of time {timestamp} is for offset {offset}, which the log has not")
        }
        IndexProblem::PartialEntry { bytes } => {
            format!("{} behind the last whole entry", plural(bytes, "byte"))
        }
        IndexProblem::NoLog => "an index without its log".to_owned(),
        IndexProblem::UnusedSpace { bytes } => format!(
            "{} bytes behind its entries are none, though other segments follow",
            grouped(bytes)
        ),
    }
}

fn transactions(problem: TransactionProblem) -> String {
    match problem {
        TransactionProblem::NoEntry {
            producer_id,
            first_offset,
            marker,
        } => format!(
            "has no entry for the transaction of producer {producer_id} from offset {first_offset} to its abort marker \
             {marker}"
        ),
        TransactionProblem::NoMarker { producer_id, marker } => format!(
            "says that producer {producer_id} aborted a transaction at offset {marker}, where the log has no abort \
             marker"
        ),
        TransactionProblem::WrongStart {
            producer_id,
            marker,
            stated,
            in_log,
        } => format!(
            "says that the transaction of producer {producer_id} aborted at offset {marker} began at {stated}, in the \
             log it began at {in_log}"
        ),
    }
}

fn epochs(problem: EpochProblem) -> String {
    match problem {
        EpochProblem::NotAscending {
            epoch,
            start_offset,
            before,
            before_start,
        } => format!("epoch {epoch} from offset {start_offset} follows epoch {before} from {before_start}"),
        EpochProblem::WrongEpoch {
            offset,
            stated,
            in_log,
        } => format!("says epoch {stated} for offset {offset}, in the log it is {in_log}"),
        EpochProblem::NoEntry { epoch, offset } => {
            format!("has no entry for epoch {epoch} of offset {offset}")
        }
        EpochProblem::AfterLog {
            epoch,
            start_offset,
            end_offset,
        } => format!(
            "says that epoch {epoch} begins at offset {start_offset}, the log ends before {end_offset}"
        ),
    }
}

fn snapshot(problem: SnapshotProblem) -> String {
    let id = problem.producer_id;
    match problem.why {
        WrongEntry::AfterSnapshot {
            last_offset,
            snapshot_offset,
        } => format!(
            "producer {id} wrote offset {last_offset}, which is not before the snapshot's {snapshot_offset}"
        ),
        WrongEntry::OtherSequence {
            epoch,
            sequence,
            epoch_in_log,
            sequence_in_log,
        } => format!(
            "producer {id} is at epoch {epoch} and sequence {sequence} here, at epoch {epoch_in_log} and sequence \
             {sequence_in_log} in the log"
        ),
        WrongEntry::TooOld { last_offset, in_log } => {
            format!("producer {id} wrote last at offset {last_offset} here, at {in_log} in the log")
        }
        WrongEntry::TransactionMissing { began } => {
            format!("producer {id} has no open transaction here, one since offset {began} in the log")
        }
        WrongEntry::TransactionEnded { began } => {
            format!("producer {id} has a transaction open since offset {began} here, which the log has ended")
        }
    }
}

/// What a broker would do, as it follows the words "a broker would".
pub(super) fn broker_would(finding: &Finding) -> Option<String> {
    let text = match finding.action? {
        BrokerAction::Keep(consequence) => keep(consequence),
        BrokerAction::TruncateBatches {
            batches,
            bytes_after,
            later_segments,
        } => {
            let noun = if batches == 1 { "batch" } else { "batches" };
            let with = match bytes_after {
                BytesAfter::None => String::new(),
                BytesAfter::Known(bytes) => format!(" with {} behind", plural(bytes, "byte")),
                BytesAfter::Unknown => " with all behind".to_owned(),
            };
            let batches = grouped(batches);
            return Some(format!(
                "truncate {batches} {noun} here{with}{}",
                and_later(later_segments)
            ));
        }
        BrokerAction::Truncate { later_segments } => {
            return Some(format!("truncate the log here{}", and_later(later_segments)));
        }
        BrokerAction::EmptySegment { later_segments } => {
            return Some(format!("empty the whole segment{}", and_later(later_segments)));
        }
        BrokerAction::TruncateEarlier => "cut it off with what is before",
        BrokerAction::ReadAsFormat2 => "read it as format 2, and keep it if its checksum holds",
        BrokerAction::NotStart if finding.position.is_some() => "not start",
        BrokerAction::NotStart => "not start with it",
        BrokerAction::RebuildIndex {
            misleads_consumers: false,
        } => "rebuild it when it recovers the segment",
        BrokerAction::RebuildIndex {
            misleads_consumers: true,
        } => "rebuild it when it recovers the segment; until then it misleads read_committed consumers",
        BrokerAction::Delete => "delete it",
        BrokerAction::DropSnapshot => "drop it and rebuild it from the log",
        BrokerAction::RebuildRefusedSnapshot => "rebuild it from the log if it cannot start with it",
        BrokerAction::RewriteCheckpoint => "write it anew when it recovers the log",
        BrokerAction::DropEntry => "drop the entry",
    };
    Some(text.to_owned())
}

fn keep(consequence: Consequence) -> &'static str {
    match consequence {
        Consequence::None => "keep it",
        Consequence::OffsetsOutOfOrder => "keep it, and consumers get offsets out of order",
        Consequence::OffsetAsItIs => "keep it, and consumers get that offset",
        Consequence::TimeLookupMisses => "keep it, and who looks for a time may miss the record",
        Consequence::RecordsSkipped => "keep it, and consumers pass its records over",
        Consequence::ConsumersFail => "keep it, and every consumer fail here",
        Consequence::FollowersTruncate => {
            "keep it, and replicas that follow may cut their logs off at a wrong offset"
        }
    }
}

/// What happens to the segments after one that is truncated.
fn and_later(segments: u64) -> String {
    match segments {
        0 => String::new(),
        1 => ", and delete the next segment".to_owned(),
        count => format!(", and delete the next {}", plural(count, "segment")),
    }
}
