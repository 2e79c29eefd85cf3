//! The leader epochs of a folder's batches, held against each other and against the folder's checkpoint.
//!
//! Owns what the checkpoint may say (KIP-101). A live broker writes it beside the log: what it says is read before the
//! logs, and called wrong only if it still says so behind them.

use std::path::Path;

use crate::commands::dump_log::entries::text_of;
use crate::commands::dump_log::files::{DumpFile, Kind};
use crate::records::batch_header::BatchHeader;
use crate::storage::file_name;
use crate::storage::leader_epochs::{self, EpochEntry};

/// Every replica in line believes it.
pub(super) const KEPT: &str = "keep it, and replicas that follow may cut their logs off at a wrong offset";

/// The epochs of one folder, whose logs are walked in the order of their offsets.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    /// What the checkpoint says.
    text: String,
    entries: Vec<EpochEntry>,
    /// The epoch of the last batch.
    latest: i32,
    /// The first batch of whose epoch the checkpoint says something else: its offset, its epoch, and what is said.
    wrong: Option<(i64, i32, Option<i32>)>,
    /// Behind the last batch.
    end_offset: Option<i64>,
    /// A log has not been walked to its end.
    is_cut: bool,
}

impl Epochs {
    /// Reads the folder's checkpoint.
    pub(super) fn of(folder: &Path) -> Self {
        let file = DumpFile {
            path: folder.join(file_name::LEADER_EPOCHS),
            kind: Kind::LeaderEpochs,
            base_offset: 0,
        };
        let text = if file.path.is_file() {
            text_of(&file).ok()
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

    /// Takes note of a batch. Answers what is wrong with its epoch among those before.
    pub(super) fn see(&mut self, header: &BatchHeader) -> Option<String> {
        self.end_offset = self.end_offset.max(Some(header.next_offset()));
        let (epoch, offset) = (header.partition_leader_epoch, header.base_offset);
        if epoch < 0 {
            return None;
        }
        let after = self.entries.partition_point(|entry| entry.start_offset <= offset);
        let said = after.checked_sub(1).and_then(|last| self.entries.get(last));
        // What is before the first entry, the broker has deleted.
        let is_in_log = said.is_some() || self.entries.is_empty();
        if is_in_log && said.is_none_or(|said| said.epoch != epoch) {
            self.wrong
                .get_or_insert((offset, epoch, said.map(|said| said.epoch)));
        }
        let latest = std::mem::replace(&mut self.latest, epoch);
        (epoch < latest).then(|| format!("leader epoch {epoch} follows {latest}"))
    }

    /// A log could not be walked to its end.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// What is wrong with the checkpoint, and what a broker would do, when the logs have been walked. `text` is what it
    /// says now.
    pub(super) fn wrong_checkpoint(&self, text: &str) -> Vec<(String, &'static str)> {
        let Some(end_offset) = self.end_offset.filter(|_| text == self.text) else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        for pair in self.entries.windows(2) {
            if let [before, after] = pair
                && (after.epoch <= before.epoch || after.start_offset <= before.start_offset)
            {
                let what = format!(
                    "epoch {} from offset {} follows epoch {} from {}",
                    after.epoch, after.start_offset, before.epoch, before.start_offset
                );
                problems.push((what, KEPT));
            }
        }
        if !problems.is_empty() {
            return problems;
        }
        if let Some((offset, epoch, said)) = self.wrong {
            problems.push(match said {
                Some(said) => (
                    format!("says epoch {said} for offset {offset}, in the log it is {epoch}"),
                    KEPT,
                ),
                None => (
                    format!("has no entry for epoch {epoch} of offset {offset}"),
                    "write it anew when it recovers the log",
                ),
            });
        }
        for entry in &self.entries {
            // A leader that has written nothing yet begins at the end.
            if entry.start_offset > end_offset && !self.is_cut {
                let what = format!(
                    "says that epoch {} begins at offset {}, the log ends before {end_offset}",
                    entry.epoch, entry.start_offset
                );
                problems.push((what, "drop the entry"));
            }
        }
        problems
    }
}
