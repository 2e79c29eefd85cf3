//! Adjacent offsets in a log that are not consecutive, sorted, however many there are; also used for other pairs that
//! are printed in the order of offsets.
//!
//! Owns which of them are in memory: a compacted log may have more gaps than that, which go to a temporary file in
//! sorted runs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// Two offsets; -1 precedes the first offset of a log.
pub(super) type Gap = (i64, i64);

/// This many gaps are kept in memory.
const MOST_HELD: usize = 64 * 1024;
const GAP_BYTES: u64 = 16;
/// This many gaps of a run are read at once.
const READ_GAPS: u64 = 128;

/// The gaps of one log.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    held: Vec<Gap>,
    file: Option<File>,
    /// How many gaps each run in the file has.
    runs: Vec<u64>,
    /// The error by which gaps were lost: the temporary file could not be written.
    failed: Option<io::Error>,
}

impl Gaps {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.runs.is_empty()
    }

    #[inline]
    pub(super) fn push(&mut self, gap: Gap) {
        self.held.push(gap);
        if self.held.len() >= MOST_HELD {
            let spilled = self.spill();
            if let Err(error) = spilled {
                self.failed.get_or_insert(error);
            }
            self.held.clear();
        }
    }

    /// Adds the gaps of another walk.
    pub(super) fn append(&mut self, other: Self) -> io::Result<()> {
        other.each(|gap| self.push(gap))
    }

    /// All gaps sorted by the first offset; of several with the same one the last is kept.
    pub(super) fn each(mut self, mut visit: impl FnMut(Gap)) -> io::Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        sort(&mut self.held);
        let mut sources = self.sources();
        // The smallest first; of equal ones that of the latest run.
        let mut heads = BinaryHeap::new();
        for (number, source) in sources.iter_mut().enumerate() {
            if let Some((before, after)) = source.next()? {
                heads.push(Reverse((before, Reverse(number), after)));
            }
        }
        let mut last = None;
        while let Some(Reverse((before, Reverse(number), after))) = heads.pop() {
            if last != Some(before) {
                visit((before, after));
                last = Some(before);
            }
            if let Some(source) = sources.get_mut(number)
                && let Some((before, after)) = source.next()?
            {
                heads.push(Reverse((before, Reverse(number), after)));
            }
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        sort(&mut self.held);
        let mut bytes = Vec::with_capacity(self.held.len() * GAP_BYTES as usize);
        for (before, after) in &self.held {
            bytes.extend_from_slice(&before.to_ne_bytes());
            bytes.extend_from_slice(&after.to_ne_bytes());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all(&bytes)?;
        self.runs.push(self.held.len() as u64);
        Ok(())
    }

    fn sources(&self) -> Vec<Source<'_>> {
        let mut sources = Vec::with_capacity(self.runs.len() + 1);
        let mut start = 0;
        for gaps in self
            .file
            .iter()
            .flat_map(|file| self.runs.iter().map(move |gaps| (file, gaps)))
        {
            let (file, gaps) = gaps;
            sources.push(Source {
                file: Some(file),
                at: start,
                end: start + gaps,
                read: Vec::new().into_iter(),
            });
            start += gaps;
        }
        sources.push(Source {
            file: None,
            at: 0,
            end: 0,
            read: self.held.clone().into_iter(),
        });
        sources
    }
}

/// One sorted run.
struct Source<'f> {
    file: Option<&'f File>,
    /// The next gap to read, and the end, in gaps from the file's start.
    at: u64,
    end: u64,
    read: std::vec::IntoIter<Gap>,
}

impl Source<'_> {
    fn next(&mut self) -> io::Result<Option<Gap>> {
        if let Some(gap) = self.read.next() {
            return Ok(Some(gap));
        }
        let Some(file) = self.file.filter(|_| self.at < self.end) else {
            return Ok(None);
        };
        let gaps = READ_GAPS.min(self.end - self.at);
        let mut bytes = vec![0; (gaps * GAP_BYTES) as usize];
        file.read_exact_at(&mut bytes, self.at * GAP_BYTES)?;
        self.at += gaps;
        let (numbers, _) = bytes.as_chunks::<8>();
        let (pairs, _) = numbers.as_chunks::<2>();
        let read: Vec<Gap> = pairs
            .iter()
            .map(|[before, after]| (i64::from_ne_bytes(*before), i64::from_ne_bytes(*after)))
            .collect();
        self.read = read.into_iter();
        Ok(self.read.next())
    }
}

/// Sorts by the first offset; of several with the same one the last is kept.
fn sort(gaps: &mut Vec<Gap>) {
    gaps.sort_by_key(|(before, _)| *before);
    gaps.reverse();
    gaps.dedup_by_key(|(before, _)| *before);
    gaps.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_come_sorted_and_the_last_of_several_stays() {
        let mut gaps = Gaps::default();
        let mut expected = std::collections::BTreeMap::new();
        for number in 0..3 * MOST_HELD as i64 {
            let gap = (number.wrapping_mul(7919) % 100_003, number);
            gaps.push(gap);
            expected.insert(gap.0, gap.1);
        }
        let mut seen = Vec::new();
        gaps.each(|gap| seen.push(gap)).unwrap();
        assert!(seen == expected.into_iter().collect::<Vec<_>>());
    }
}
