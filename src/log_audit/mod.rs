//! What is wrong with the files of a log dir, as values: batches, records, indexes, snapshots and checkpoints, each read
//! and compared with the others.
//!
//! Owns the order of files and the iterator over findings. `file_check` and `log_check` find what is wrong with one
//! file; output has the words for it. Only reads: a broker may be writing to the same files.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod epoch_check;
mod file_check;
pub mod finding;
mod findings;
mod folder_state;
mod index_check;
mod log_check;
mod order_check;
pub mod problem;
mod producer_check;
mod progress;
mod record_check;
mod recovery_model;

use std::path::{Path, PathBuf};

use self::file_check::FileCheck;
use self::folder_state::FolderState;
use crate::error::Result;
use crate::storage::read_only::{self, Kind, LogDirFile};

pub use finding::{BrokerAction, Finding};
pub use findings::Limits;
pub use problem::Problem;
pub use progress::AuditProgress;

/// Audits all files that `paths` stand for. An error when a path does not exist, or has no file of a log dir in it; what
/// cannot be read after that is a finding.
pub fn audit<'p>(
    paths: &[PathBuf],
    limits: Limits,
    progress: &'p mut dyn AuditProgress,
) -> Result<Audit<'p>> {
    Ok(audit_files(read_only::find(paths)?, limits, progress))
}

/// Audits these files. Files of one folder are compared with each other, as far as they are among them.
pub fn audit_files(
    mut files: Vec<LogDirFile>,
    limits: Limits,
    progress: &mut dyn AuditProgress,
) -> Audit<'_> {
    sort(&mut files);
    Audit {
        files: files.into_iter(),
        folder: FolderState::default(),
        found: Vec::new().into_iter(),
        limits,
        progress,
    }
}

/// An audit in progress: reads file after file as the findings are taken.
///
/// In memory at a time are the findings of one file, as many as the limits allow, and what the logs of its folder say
/// about producers.
pub struct Audit<'p> {
    files: std::vec::IntoIter<LogDirFile>,
    folder: FolderState,
    /// The findings of the file that was read last.
    found: std::vec::IntoIter<Finding>,
    limits: Limits,
    progress: &'p mut dyn AuditProgress,
}

impl std::fmt::Debug for Audit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Iterator for Audit<'_> {
    type Item = Finding;

    fn next(&mut self) -> Option<Finding> {
        loop {
            if let Some(finding) = self.found.next() {
                return Some(finding);
            }
            let file = self.files.next()?;
            self.folder.enter(&file);
            let check = FileCheck::new(&file, &mut self.folder, self.limits);
            self.found = check.run(self.progress).into_iter();
        }
    }
}

/// Sorts folder by folder, the files of each by their offsets, a snapshot before the log that begins where it was taken.
fn sort(files: &mut [LogDirFile]) {
    files.sort_by_cached_key(|file| {
        let folder = file.path.parent().map(Path::to_owned);
        let by_offset = match file.kind {
            Kind::ProducerSnapshot => (file.base_offset, 0),
            Kind::Log | Kind::OffsetIndex | Kind::TimeIndex | Kind::TransactionIndex => (file.base_offset, 1),
            _ => (i64::MAX, 1),
        };
        (folder, by_offset, file.path.clone())
    });
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::finding::{BytesAfter, Consequence};
    use super::problem::{BatchOffsets, LogProblem, OutOfPlace};
    use super::*;
    use crate::records::batch_builder::{BatchBuilder, BatchOptions};
    use crate::records::batch_header::BatchHeader;
    use crate::storage::read_only::WalkProgress;
    use crate::storage::read_only::progress::NoProgress;

    /// A batch of one record with this offset.
    fn batch(base_offset: i64) -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset,
            ..BatchOptions::default()
        });
        builder.append(1000, None, Some(b"value"), &[]);
        builder.finish_uncompressed()
    }

    /// The header of a batch of one record with this offset.
    pub(super) fn header(base_offset: i64) -> BatchHeader {
        BatchHeader::parse(&batch(base_offset)).unwrap()
    }

    fn log(offsets: impl IntoIterator<Item = i64>) -> Vec<u8> {
        offsets.into_iter().flat_map(batch).collect()
    }

    /// A folder with two segments, the first with these bytes, the second from offset 100 on.
    fn two_segments(first: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("00000000000000000000.log"), first).unwrap();
        fs::write(folder.path().join("00000000000000000100.log"), log([100, 101])).unwrap();
        folder
    }

    fn findings(folder: &tempfile::TempDir, limits: Limits) -> Vec<Finding> {
        let paths = [folder.path().to_owned()];
        audit(&paths, limits, &mut NoProgress).unwrap().collect()
    }

    #[test]
    fn a_flipped_bit_is_a_finding_with_both_checksums_and_what_a_broker_truncates() {
        let mut bytes = log(0..4);
        let length = bytes.len();
        let size = length / 4;
        bytes[length - size - 1] ^= 1;
        bytes.extend(&batch(4)[..20]);
        let folder = two_segments(&bytes);
        let header = BatchHeader::parse(&bytes[2 * size..]).unwrap();
        let path = folder.path().join("00000000000000000000.log");
        let checksum = Finding {
            path: path.clone(),
            position: Some(2 * size as u64),
            problem: Problem::Log(LogProblem::Checksum {
                batch: BatchOffsets { first: 2, last: 2 },
                stated: header.crc,
                computed: crc32c::crc32c(&bytes[2 * size + 21..3 * size]),
            }),
            last_good_offset: Some(1),
            action: Some(BrokerAction::TruncateBatches {
                batches: 2,
                bytes_after: BytesAfter::Known(20),
                later_segments: 1,
            }),
        };
        let rest = Finding {
            path,
            position: Some(length as u64),
            problem: Problem::Log(LogProblem::PartialBatch { bytes: 20 }),
            // A batch after the corrupt one is in its place.
            last_good_offset: Some(3),
            action: Some(BrokerAction::TruncateEarlier),
        };
        assert_eq!(findings(&folder, Limits::default()), [checksum, rest]);
    }

    #[test]
    fn no_more_findings_than_the_limits_allow_are_held() {
        let offsets = std::iter::repeat_n(5, 501);
        let folder = two_segments(&log(offsets));
        let limits = Limits {
            per_file: 3,
            per_index: 1,
        };
        let found = findings(&folder, limits);
        assert_eq!(found.len(), 4);
        for finding in &found[..3] {
            let problem = LogProblem::OutOfPlace {
                batch: BatchOffsets { first: 5, last: 5 },
                why: OutOfPlace::Repeats { before: 5 },
            };
            assert_eq!(finding.problem, Problem::Log(problem));
            let keep = BrokerAction::Keep(Consequence::OffsetsOutOfOrder);
            let empty = BrokerAction::EmptySegment { later_segments: 1 };
            assert!([Some(keep), Some(empty)].contains(&finding.action), "{finding:?}");
        }
        assert_eq!(found[3].problem, Problem::NotListed { count: 497 });
        assert_eq!(found.iter().map(Finding::count).sum::<u64>(), 500);
    }

    #[derive(Default)]
    struct Seen {
        names: Vec<String>,
        lengths: Vec<u64>,
        ended: usize,
        at: AtomicU64,
    }

    impl WalkProgress for Seen {
        fn at(&self, position: u64) {
            self.at.fetch_max(position, Ordering::Relaxed);
        }
    }

    impl AuditProgress for Seen {
        fn begin(&mut self, name: &str, length: u64) {
            self.names.push(name.to_owned());
            self.lengths.push(length);
        }

        fn end(&mut self) {
            self.ended += 1;
        }
    }

    #[test]
    fn files_are_read_as_findings_are_asked_for_and_progress_hears_of_each_log() {
        let first = log(0..3);
        let folder = two_segments(&first);
        fs::write(folder.path().join("meta.properties"), "version=1\n").unwrap();
        let mut seen = Seen::default();
        let paths = [folder.path().to_owned()];
        let mut audit = audit(&paths, Limits::default(), &mut seen).unwrap();
        let finding = audit.next().unwrap();
        assert!(finding.path.ends_with("meta.properties"), "{finding:?}");
        assert!(matches!(finding.problem, Problem::Unreadable { .. }));
        assert_eq!(finding.action, Some(BrokerAction::NotStart));
        assert_eq!(audit.next(), None);
        let second = log([100, 101]).len();
        assert_eq!(seen.lengths, [first.len() as u64, second as u64]);
        assert!(
            seen.names[1].ends_with("/00000000000000000100.log"),
            "{:?}",
            seen.names
        );
        assert_eq!(seen.ended, 2);
    }
}
