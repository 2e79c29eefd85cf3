//! One file of any kind: whether it can be read, and whether it agrees with the logs of its folder.
//!
//! Owns what is checked for each kind of file. `log_check` checks logs with their indexes.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

use super::finding::{BrokerAction, Finding};
use super::findings::{Findings, Limits};
use super::folder_state::FolderState;
use super::log_check::LogCheck;
use super::problem::{IndexProblem, Problem};
use super::progress::AuditProgress;
use crate::error::Result;
use crate::storage::file_name::FileKind;
use crate::storage::meta_properties::MetaProperties;
use crate::storage::offset_index::{self, OffsetIndex};
use crate::storage::producer_snapshot::SnapshotFile;
use crate::storage::read_only::text_file::{json_object, read_text};
use crate::storage::read_only::{Kind, LogDirFile};
use crate::storage::time_index::{self, TimeIndex};
use crate::storage::{checkpoint, leader_epochs, partition_metadata, transaction_index};

const REBUILD: BrokerAction = BrokerAction::RebuildIndex {
    misleads_consumers: false,
};

/// The check of one file.
pub(super) struct FileCheck<'f> {
    file: &'f LogDirFile,
    folder: &'f mut FolderState,
    limits: Limits,
    findings: Findings,
}

impl<'f> FileCheck<'f> {
    pub(super) fn new(file: &'f LogDirFile, folder: &'f mut FolderState, limits: Limits) -> Self {
        Self {
            file,
            folder,
            limits,
            findings: Findings::new(file.path.clone(), limits),
        }
    }

    /// Reads the file. Returns everything that is wrong with it, as far as the limits allow.
    pub(super) fn run(mut self, progress: &mut dyn AuditProgress) -> Vec<Finding> {
        if self.file.kind == Kind::Log {
            match LogCheck::new(self.file, self.folder, self.limits).run(progress) {
                Ok(findings) => return findings.into_all(),
                Err(error) => self.push(error, BrokerAction::NotStart),
            }
        } else if let Err(error) = self.check() {
            let action = match self.file.kind {
                Kind::ProducerSnapshot => BrokerAction::DropSnapshot,
                _ => BrokerAction::NotStart,
            };
            self.push(error, action);
        }
        self.findings.into_all()
    }

    /// Checks a file that is no log; an error when it cannot be read.
    fn check(&mut self) -> Result<()> {
        let file = self.file;
        match file.kind {
            Kind::Log => Ok(()),
            Kind::OffsetIndex => self.check_index(offset_index::ENTRY_LEN, || {
                OffsetIndex::open(&file.path, file.base_offset).map(|index| index.len())
            }),
            Kind::TimeIndex => self.check_index(time_index::ENTRY_LEN, || {
                TimeIndex::open(&file.path, file.base_offset).map(|index| index.len())
            }),
            Kind::TransactionIndex => self.check_index(transaction_index::ENTRY_LEN, || {
                let mut entries = transaction_index::entries(&file.path)?;
                entries.try_fold(0, |count, entry| entry.map(|_| count + 1))
            }),
            Kind::ProducerSnapshot => self.check_snapshot(),
            Kind::LeaderEpochs => self.check_epochs(),
            Kind::Offsets => checkpoint::parse_offsets(&read_text(file)?).map(drop),
            Kind::Json => json_object(&read_text(file)?).map(drop),
            Kind::Properties => MetaProperties::parse(&read_text(file)?).map(drop),
            Kind::PartitionMetadata => partition_metadata::parse(&read_text(file)?).map(drop),
        }
    }

    fn push(&mut self, problem: impl Into<Problem>, action: BrokerAction) {
        self.findings
            .push(Finding::of_file(&self.file.path, problem, action));
    }

    /// Checks the form of an index. Its entries are compared with its log when that is read; without a log they are
    /// only read. `read` returns how many there are.
    fn check_index(&mut self, entry_len: usize, read: impl FnOnce() -> Result<usize>) -> Result<()> {
        let file = self.file;
        let length = std::fs::metadata(&file.path)?.len();
        let bytes = length % entry_len as u64;
        if bytes > 0 {
            self.push(IndexProblem::PartialEntry { bytes }, REBUILD);
        }
        let has_log = file.sibling(FileKind::Log).is_some();
        if !has_log && is_among_logs(file) {
            self.push(IndexProblem::NoLog, BrokerAction::Delete);
        }
        let used = match read() {
            // The check of the log has reported it.
            Err(_) if has_log => return Ok(()),
            entries => entries? as u64 * entry_len as u64,
        };
        let unused = length.saturating_sub(used + bytes);
        if unused > 0 && self.folder.later_segments(file).count > 0 {
            let problem = IndexProblem::UnusedSpace { bytes: unused };
            self.findings.push(Finding {
                position: Some(used),
                ..Finding::of_file(&file.path, problem, REBUILD)
            });
        }
        Ok(())
    }

    fn check_epochs(&mut self) -> Result<()> {
        let text = read_text(self.file)?;
        leader_epochs::parse(&text)?;
        for (problem, action) in self.folder.epochs.wrong_checkpoint(&text) {
            self.push(problem, action);
        }
        Ok(())
    }

    fn check_snapshot(&mut self) -> Result<()> {
        let mut snapshot = SnapshotFile::new(File::open(&self.file.path)?)?;
        for entry in snapshot.entries() {
            let wrong = self.folder.producers.wrong_entry(&entry?, self.file.base_offset);
            if let Some(problem) = wrong {
                self.push(problem, BrokerAction::RebuildRefusedSnapshot);
            }
        }
        Ok(())
    }
}

/// Whether an index has its usual name and there are logs in its folder: an index that was copied alone needs no log,
/// and one that a broker is deleting has another name.
fn is_among_logs(file: &LogDirFile) -> bool {
    let kind = |name: &OsStr| name.to_str().and_then(FileKind::of);
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let mut names = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    file.path.file_name().and_then(kind).is_some() && names.any(|name| kind(&name) == Some(FileKind::Log))
}
