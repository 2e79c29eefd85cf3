//! `leader-epoch-checkpoint`: which leader epoch began at which offset (KIP-101).

use std::path::{Path, PathBuf};

use super::checkpoint;
use crate::error::{Error, Result};
use crate::topic_partition::Offset;

/// One line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEntry {
    pub epoch: i32,
    pub start_offset: Offset,
}

/// The lines of a leader-epoch checkpoint.
pub fn parse(text: &str) -> Result<Vec<EpochEntry>> {
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let (epoch, start_offset, end) = (words.next()?, words.next()?, words.next());
        Some(EpochEntry {
            epoch: epoch.parse().ok()?,
            start_offset: start_offset.parse().ok()?,
        })
        .filter(|_| end.is_none())
    };
    checkpoint::parse(text)?
        .into_iter()
        .map(|line| entry(line).ok_or_else(|| Error::bad_data(format!("malformed line '{line}'"))))
        .collect()
}

/// The epochs of one log, ascending in epoch and offset, kept in its file.
#[derive(Debug)]
pub struct LeaderEpochs {
    path: PathBuf,
    entries: Vec<EpochEntry>,
}

impl LeaderEpochs {
    /// Reads the file at `path`; a missing one has no entries.
    pub fn open(path: &Path) -> Result<Self> {
        let entries = parse(&checkpoint::read(path)?)
            .map_err(|error| error.context(format_args!("cannot read {}", path.display())))?;
        Ok(Self {
            path: path.to_owned(),
            entries,
        })
    }

    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The newest epoch that anything was written in.
    pub fn latest(&self) -> Option<i32> {
        self.entries.last().map(|entry| entry.epoch)
    }

    /// Notes that `epoch` begins at `start_offset`, unless it is the newest and has begun already. Entries that
    /// contradict this are dropped, as in Apache Kafka: a replica that became leader before it had its records back has
    /// noted an epoch at an offset of an older one.
    pub fn assign(&mut self, epoch: i32, start_offset: Offset) -> Result<()> {
        let has_begun = |last: &EpochEntry| last.epoch == epoch && last.start_offset <= start_offset;
        if epoch < 0 || self.entries.last().is_some_and(has_begun) {
            return Ok(());
        }
        let before = self.entries.clone();
        // An epoch in which nothing was written leaves no entry.
        self.entries
            .retain(|entry| entry.epoch < epoch && entry.start_offset < start_offset);
        self.entries.push(EpochEntry { epoch, start_offset });
        // An entry that is not in the file must be written by the next call.
        self.write().inspect_err(|_| self.entries = before)
    }

    /// The epoch that wrote `offset`, if it is known.
    pub fn epoch_of(&self, offset: Offset) -> Option<i32> {
        let after = self.entries.partition_point(|entry| entry.start_offset <= offset);
        self.entries.get(after.checked_sub(1)?).map(|entry| entry.epoch)
    }

    /// The largest epoch up to `epoch`, and the offset where the next one begins; `None` if `epoch` is unknown.
    pub fn end_offset(&self, epoch: i32, log_end_offset: Offset) -> Option<(i32, Offset)> {
        if epoch < 0 {
            return None;
        }
        if self.latest() == Some(epoch) {
            return Some((epoch, log_end_offset));
        }
        let after = self.entries.partition_point(|entry| entry.epoch <= epoch);
        let next = self.entries.get(after)?;
        let floor = after.checked_sub(1).and_then(|index| self.entries.get(index));
        Some((floor.map_or(epoch, |entry| entry.epoch), next.start_offset))
    }

    /// Removes the epochs before the log start offset; the one that spans it then begins there.
    pub fn truncate_from_start(&mut self, start_offset: Offset) -> Result<()> {
        let keep = self
            .entries
            .partition_point(|entry| entry.start_offset <= start_offset);
        let Some(first) = keep.checked_sub(1) else {
            return Ok(());
        };
        let unchanged = first == 0
            && self
                .entries
                .first()
                .is_some_and(|entry| entry.start_offset == start_offset);
        if unchanged {
            return Ok(());
        }
        self.entries.drain(..first);
        if let Some(entry) = self.entries.first_mut() {
            entry.start_offset = start_offset;
        }
        self.write()
    }

    /// Removes the epochs that begin at or after `end_offset`.
    pub fn truncate_from_end(&mut self, end_offset: Offset) -> Result<()> {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.start_offset < end_offset);
        if self.entries.len() == before {
            Ok(())
        } else {
            self.write()
        }
    }

    fn write(&self) -> Result<()> {
        let line = |entry: &EpochEntry| format!("{} {}", entry.epoch, entry.start_offset);
        let text = checkpoint::format(self.entries.iter().map(line));
        checkpoint::write(&self.path, text.as_bytes(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(entries: &[(i32, Offset)]) -> (tempfile::TempDir, LeaderEpochs) {
        let folder = tempfile::tempdir().unwrap();
        let mut epochs = LeaderEpochs::open(&folder.path().join("epochs")).unwrap();
        for &(epoch, start_offset) in entries {
            epochs.assign(epoch, start_offset).unwrap();
        }
        (folder, epochs)
    }

    fn starts(epochs: &LeaderEpochs) -> Vec<(i32, Offset)> {
        let start = |entry: &EpochEntry| (entry.epoch, entry.start_offset);
        epochs.entries().iter().map(start).collect()
    }

    #[test]
    fn end_offsets_are_those_of_kafka() {
        let (_folder, epochs) = epochs(&[(2, 10), (2, 12), (5, 20), (5, 30)]);
        assert_eq!(epochs.end_offset(5, 40), Some((5, 40)));
        assert_eq!(epochs.end_offset(4, 40), Some((2, 20)));
        assert_eq!(epochs.end_offset(2, 40), Some((2, 20)));
        assert_eq!(epochs.end_offset(1, 40), Some((1, 10)));
        assert_eq!(epochs.end_offset(6, 40), None);
        assert_eq!(epochs.end_offset(-1, 40), None);
        assert_eq!(epochs.epoch_of(9), None);
        assert_eq!(epochs.epoch_of(19), Some(2));
    }

    #[test]
    fn cuts_reach_the_file() {
        let (_folder, mut epochs) = epochs(&[(0, 0), (1, 10), (2, 20)]);
        epochs.truncate_from_start(15).unwrap();
        epochs.truncate_from_end(20).unwrap();
        let expected = [EpochEntry {
            epoch: 1,
            start_offset: 15,
        }];
        assert_eq!(epochs.entries(), expected);
        assert_eq!(LeaderEpochs::open(&epochs.path).unwrap().entries(), expected);
    }

    #[test]
    fn an_older_epoch_takes_the_place_of_what_it_contradicts() {
        let (_folder, epochs) = epochs(&[(1, 5), (2, 6), (3, 8), (2, 7)]);
        assert_eq!(starts(&epochs), [(1, 5), (2, 7)]);
    }

    #[test]
    fn an_epoch_without_records_leaves_no_entry() {
        let (_folder, epochs) = epochs(&[(0, 0), (1, 0), (2, 7), (3, 7)]);
        assert_eq!(starts(&epochs), [(1, 0), (3, 7)]);
    }
}
