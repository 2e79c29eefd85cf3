//! Pairs of numbers found in one file after the other and printed at the end, in their order, however many there are.
//!
//! Owns which of them are in memory: all but a few go to one temporary file for all lists.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A mismatch: the value in an index or a log, and the expected or the previous value.
pub(super) type Pair = (i64, i64);

/// This many pairs of a list are written and read at once.
const CHUNK_PAIRS: usize = 2048;
/// This many pairs of a list stay in memory when its file has been read.
const FEW_PAIRS: usize = 64;
const PAIR_BYTES: u64 = 16;

/// The temporary file for the pairs that are not in memory.
#[derive(Debug, Default)]
pub(super) struct PairFile {
    file: Option<File>,
    /// How many pairs it holds.
    len: u64,
}

/// One list.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    held: Vec<Pair>,
    /// The start of its chunks in the file, in pairs, and the number of pairs of each.
    chunks: Vec<(u64, usize)>,
}

impl Pairs {
    pub(super) fn push(&mut self, pair: Pair, file: &mut PairFile) -> io::Result<()> {
        self.held.push(pair);
        if self.held.len() < CHUNK_PAIRS {
            return Ok(());
        }
        self.write(file)
    }

    /// Uses as little memory as possible until more is pushed or all is printed.
    pub(super) fn settle(&mut self, file: &mut PairFile) -> io::Result<()> {
        if self.held.len() > FEW_PAIRS {
            self.write(file)?;
        }
        self.held.shrink_to_fit();
        Ok(())
    }

    fn write(&mut self, file: &mut PairFile) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(self.held.len() * PAIR_BYTES as usize);
        for (one, other) in &self.held {
            bytes.extend_from_slice(&one.to_ne_bytes());
            bytes.extend_from_slice(&other.to_ne_bytes());
        }
        // Pairs that cannot be written do not stay in memory either.
        let pairs = self.held.len();
        self.held.clear();
        let place = match &mut file.file {
            Some(place) => place,
            None => file.file.insert(tempfile::tempfile()?),
        };
        place.write_all_at(&bytes, file.len * PAIR_BYTES)?;
        self.chunks.push((file.len, pairs));
        file.len += pairs as u64;
        Ok(())
    }

    /// All pairs in the order in which they were pushed.
    pub(super) fn each(&self, file: &PairFile, mut visit: impl FnMut(Pair)) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (start, pairs) in &self.chunks {
            let Some(place) = &file.file else { continue };
            bytes.resize(pairs * PAIR_BYTES as usize, 0);
            place.read_exact_at(&mut bytes, start * PAIR_BYTES)?;
            let (numbers, _) = bytes.as_chunks::<8>();
            let (pairs, _) = numbers.as_chunks::<2>();
            for [one, other] in pairs {
                visit((i64::from_ne_bytes(*one), i64::from_ne_bytes(*other)));
            }
        }
        self.held.iter().for_each(|pair| visit(*pair));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_share_a_file_keep_their_own_order() {
        let mut file = PairFile::default();
        let mut lists: [Pairs; 3] = Default::default();
        let numbers = 0..3 * CHUNK_PAIRS as i64 + 5;
        for number in numbers.clone() {
            lists[0].push((number, -number), &mut file).unwrap();
            lists[1].push((-number, 7), &mut file).unwrap();
            if number == 100 {
                lists[1].settle(&mut file).unwrap();
                lists[2].push((1, 2), &mut file).unwrap();
            }
        }
        let all = |list: &Pairs| {
            let mut seen = Vec::new();
            list.each(&file, |pair| seen.push(pair)).unwrap();
            seen
        };
        assert!(all(&lists[0]) == numbers.clone().map(|n| (n, -n)).collect::<Vec<_>>());
        assert!(all(&lists[1]) == numbers.map(|n| (-n, 7)).collect::<Vec<_>>());
        assert_eq!(all(&lists[2]), [(1, 2)]);
        assert!(lists.iter().all(|list| list.held.len() < CHUNK_PAIRS));
    }
}
