//! A shared part of a buffer: bytes that arrive in one frame and leave in another without a copy.

use std::ops::{Deref, Range};
use std::sync::Arc;

/// A part of a buffer, which stays as it is for as long as any part of it is held.
#[derive(Clone, Debug, Default)]
pub struct SharedSlice {
    buffer: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl SharedSlice {
    /// `range` of `buffer`; `None` where it reaches beyond.
    pub(super) fn new(buffer: &Arc<Vec<u8>>, range: Range<usize>) -> Option<Self> {
        buffer.get(range.clone())?;
        let buffer = Arc::clone(buffer);
        Some(Self { buffer, range })
    }

    /// A part of this part; `None` where it reaches beyond.
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        let begin = self.range.start;
        Some(Self {
            buffer: Arc::clone(&self.buffer),
            range: begin + range.start..begin + range.end,
        })
    }
}

impl Deref for SharedSlice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buffer.get(self.range.clone()).unwrap_or_default()
    }
}

impl From<Vec<u8>> for SharedSlice {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        let buffer = Arc::new(bytes);
        Self { buffer, range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_part_is_where_it_is_in_the_buffer_and_never_beyond_its_own() {
        let whole = SharedSlice::from(b"0123456789".to_vec());
        let part = whole.part(2..8).unwrap();
        assert_eq!(&*part, b"234567");
        assert_eq!(&*part.part(1..3).unwrap(), b"34");
        assert!(part.part(3..7).is_none(), "the buffer goes on, the part does not");
        assert!(whole.part(4..11).is_none());
    }
}
