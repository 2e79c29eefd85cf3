//! The tags of the records in a transaction, as runs of consecutive numbers.
//!
//! Owns their memory: a run is two numbers, however many records it has.

/// Tags in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct Tags {
    /// First tag and count.
    runs: Vec<(u64, u64)>,
}

impl Tags {
    pub(super) fn push(&mut self, tag: u64) {
        match self.runs.last_mut() {
            Some((first, count)) if *first + *count == tag => *count += 1,
            _ => self.runs.push((tag, 1)),
        }
    }

    /// Takes all tags out.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = u64> + use<> {
        let runs = std::mem::take(&mut self.runs);
        runs.into_iter().flat_map(|(first, count)| first..first + count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_back_in_their_order() {
        let mut tags = Tags::default();
        let given = [1, 2, 3, 7, 8, 2];
        for tag in given {
            tags.push(tag);
        }
        assert_eq!(tags.runs.len(), 3);
        assert_eq!(tags.drain().collect::<Vec<_>>(), given);
        assert_eq!(tags.drain().count(), 0);
    }
}
