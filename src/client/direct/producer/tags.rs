//! The tags of a batch's records, in order: runs of consecutive numbers, stored as two small numbers each.
//!
//! Lines of a file that go to one partition are one run; lines with keys are many short runs.

use crate::records::varint::{put_i64, take_i64};

/// Tags in the order of their records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags {
    /// Finished runs: the distance from the end of the run before, and the length.
    runs: Vec<u8>,
    /// Where the last finished run ended.
    runs_end: u64,
    first: u64,
    count: u64,
}

impl Tags {
    /// Adds a tag; tags mostly grow by one.
    #[inline]
    pub(super) fn push(&mut self, tag: u64) {
        if self.count > 0 && tag == self.first + self.count {
            self.count += 1;
            return;
        }
        self.finish_run();
        self.first = tag;
        self.count = 1;
    }

    fn finish_run(&mut self) {
        if self.count > 0 {
            put_i64(&mut self.runs, self.first.wrapping_sub(self.runs_end) as i64);
            put_i64(&mut self.runs, self.count as i64);
            self.runs_end = self.first + self.count;
        }
    }

    /// A run of `count` tags.
    pub(super) fn run(first: u64, count: u64) -> Self {
        Self {
            first,
            count,
            ..Self::default()
        }
    }

    /// Every tag, in the order in which they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.runs().flatten()
    }

    /// The runs of consecutive tags, in the order in which they were added.
    pub(super) fn runs(&self) -> impl Iterator<Item = std::ops::Range<u64>> {
        let mut runs = self.runs.as_slice();
        let mut end = 0_u64;
        let finished = std::iter::from_fn(move || {
            let distance = take_i64(&mut runs)?;
            let count = take_i64(&mut runs)?;
            let first = end.wrapping_add(distance as u64);
            end = first + count as u64;
            Some(first..end)
        });
        finished.chain(std::iter::once(self.first..self.first + self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tags_come_back_as_they_were_pushed(pushed in prop::collection::vec(0_u64..50, 0..40)) {
            let mut tags = Tags::default();
            for tag in &pushed {
                tags.push(*tag);
            }
            prop_assert_eq!(tags.iter().collect::<Vec<_>>(), pushed);
        }
    }

    #[test]
    fn a_file_of_lines_is_one_run() {
        let mut tags = Tags::default();
        (1..=100_000).for_each(|tag| tags.push(tag));
        assert!(tags.runs.is_empty());
        assert_eq!(tags.iter().count(), 100_000);
    }
}
