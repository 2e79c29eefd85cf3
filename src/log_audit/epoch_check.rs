//! The leader epochs of the batches in a folder, compared with each other and with the folder's checkpoint.
//!
//! Owns what the checkpoint may say (KIP-101). A running broker may rewrite it meanwhile: it is read before the logs,
//! and reported as wrong only if it is unchanged after them.

use std::path::Path;

use super::finding::{BrokerAction, Consequence};
use super::problem::{EpochProblem, LogProblem};
use crate::records::batch_header::BatchHeader;
use crate::storage::file_name;
use crate::storage::leader_epochs::{self, EpochEntry};
use crate::storage::read_only::text_file::read_text;
use crate::storage::read_only::{Kind, LogDirFile};

/// What a broker does about a wrong epoch: it keeps it, and followers trust it.
pub(super) const KEEP: BrokerAction = BrokerAction::Keep(Consequence::FollowersTruncate);

/// The epochs of one folder, whose logs are read in the order of their offsets.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    /// The text of the checkpoint.
    text: String,
    entries: Vec<EpochEntry>,
    /// The epoch of the last batch, -1 before the first.
    latest: i32,
    /// The first batch for which the checkpoint has another epoch or none.
    wrong: Option<EpochProblem>,
    /// The offset after the last batch.
    end_offset: Option<i64>,
    /// A log could not be read to its end.
    is_cut: bool,
}

impl Epochs {
    /// Reads the checkpoint of a folder.
    pub(super) fn of(folder: &Path) -> Self {
        let file = LogDirFile {
            path: folder.join(file_name::LEADER_EPOCHS),
            kind: Kind::LeaderEpochs,
            base_offset: 0,
        };
        let text = if file.path.is_file() {
            read_text(&file).ok()
        } else {
            None
        }
        .unwrap_or_default();
        Self {
            entries: leader_epochs::parse(&text).unwrap_or_default(),
            text,
            latest: -1,
            ..Self::default()
        }
    }

    /// Adds the next batch. Returns what is wrong with its epoch compared with those before.
    pub(super) fn add(&mut self, header: &BatchHeader) -> Option<LogProblem> {
        self.end_offset = self.end_offset.max(Some(header.next_offset()));
        let (epoch, offset) = (header.partition_leader_epoch, header.base_offset);
        if epoch < 0 {
            return None;
        }
        let after = self.entries.partition_point(|entry| entry.start_offset <= offset);
        let stated = after.checked_sub(1).and_then(|last| self.entries.get(last));
        let wrong = match stated {
            Some(stated) if stated.epoch != epoch => Some(EpochProblem::WrongEpoch {
                offset,
                stated: stated.epoch,
                in_log: epoch,
            }),
            Some(_) => None,
            // The broker deletes the entries before the log start offset.
            None => self
                .entries
                .is_empty()
                .then_some(EpochProblem::NoEntry { epoch, offset }),
        };
        self.wrong = self.wrong.or(wrong);
        let before = std::mem::replace(&mut self.latest, epoch);
        (epoch < before).then(|| LogProblem::EpochGoesBack {
            batch: header.into(),
            epoch,
            before,
        })
    }

    /// A log could not be read to its end.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// What is wrong with the checkpoint once the logs have been read, and what a broker would do. `text` is the
    /// current content of the checkpoint.
    pub(super) fn wrong_checkpoint(&self, text: &str) -> Vec<(EpochProblem, BrokerAction)> {
        let Some(end_offset) = self.end_offset.filter(|_| text == self.text) else {
            return Vec::new();
        };
        let mut problems = self.not_ascending();
        if !problems.is_empty() {
            return problems;
        }
        if let Some(wrong) = self.wrong {
            let action = match wrong {
                EpochProblem::NoEntry { .. } => BrokerAction::RewriteCheckpoint,
                _ => KEEP,
            };
            problems.push((wrong, action));
        }
        for entry in &self.entries {
            // The epoch of a leader that has written nothing yet begins at the end.
            if entry.start_offset > end_offset && !self.is_cut {
                let problem = EpochProblem::AfterLog {
                    epoch: entry.epoch,
                    start_offset: entry.start_offset,
                    end_offset,
                };
                problems.push((problem, BrokerAction::DropEntry));
            }
        }
        problems
    }

    fn not_ascending(&self) -> Vec<(EpochProblem, BrokerAction)> {
        let mut problems = Vec::new();
        for pair in self.entries.windows(2) {
            if let [before, after] = pair
                && (after.epoch <= before.epoch || after.start_offset <= before.start_offset)
            {
                let problem = EpochProblem::NotAscending {
                    epoch: after.epoch,
                    start_offset: after.start_offset,
                    before: before.epoch,
                    before_start: before.start_offset,
                };
                problems.push((problem, KEEP));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_audit::tests::header;

    /// What is wrong with a checkpoint beside batches of these offsets and epochs.
    fn wrong(text: &str, batches: &[(i64, i32)]) -> Vec<(EpochProblem, BrokerAction)> {
        let mut epochs = Epochs {
            entries: leader_epochs::parse(text).unwrap(),
            text: text.to_owned(),
            latest: -1,
            ..Epochs::default()
        };
        for (offset, epoch) in batches {
            let mut header = header(*offset);
            header.partition_leader_epoch = *epoch;
            epochs.add(&header);
        }
        // A checkpoint that a broker has written since is not compared.
        assert_eq!(epochs.wrong_checkpoint("0\n0\n \n"), []);
        epochs.wrong_checkpoint(text)
    }

    #[test]
    fn a_checkpoint_is_compared_with_the_batches() {
        let batches = [(0, 1), (1, 1), (2, 4)];
        let wrong_epoch = EpochProblem::WrongEpoch {
            offset: 2,
            stated: 1,
            in_log: 4,
        };
        let after_log = EpochProblem::AfterLog {
            epoch: 6,
            start_offset: 9,
            end_offset: 3,
        };
        for (text, expected) in [
            ("0\n2\n1 0\n4 2\n", vec![]),
            ("0\n1\n1 0\n", vec![(wrong_epoch, KEEP)]),
            (
                "0\n3\n1 0\n4 2\n6 9\n",
                vec![(after_log, BrokerAction::DropEntry)],
            ),
            (
                "0\n0\n",
                vec![(
                    EpochProblem::NoEntry { epoch: 1, offset: 0 },
                    BrokerAction::RewriteCheckpoint,
                )],
            ),
        ] {
            assert_eq!(wrong(text, &batches), expected, "{text:?}");
        }
    }
}
