//! A range of one segment's bytes, to be sent with sendfile or read.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::error::Result;

/// Whole batches, except that the last one may be cut off where the reader's byte limit fell into it. Stays readable
/// when its segment is deleted meanwhile.
#[derive(Clone, Debug)]
pub struct LogSlice {
    /// `None` if and only if the slice is empty.
    pub file: Option<Arc<File>>,
    /// Bytes from the file's start.
    pub position: u64,
    /// Bytes.
    pub length: usize,
}

impl LogSlice {
    pub(super) const EMPTY: Self = Self {
        file: None,
        position: 0,
        length: 0,
    };

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends the slice's bytes to `out`.
    pub fn read_into(&self, out: &mut Vec<u8>) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let start = out.len();
        out.resize(start + self.length, 0);
        file.read_exact_at(out.get_mut(start..).unwrap_or_default(), self.position)?;
        Ok(())
    }

    /// The slice's bytes.
    pub fn to_vec(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_into(&mut bytes)?;
        Ok(bytes)
    }
}
