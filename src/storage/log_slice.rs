//! A range of one segment's bytes, to be sent with sendfile or read.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::positioned::append_at;
use crate::error::{Error, Result};
use crate::topic_partition::Offset;

/// Whole batches. Stays readable when its segment is deleted meanwhile.
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

    /// The base offset of the batch after the slice; `None` at the end of the file, or if that offset is not above
    /// `offset`, which is one of the slice's.
    pub fn next_base_offset(&self, offset: Offset) -> Result<Option<Offset>> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let mut bytes = [0; size_of::<Offset>()];
        let read = file.read_at(&mut bytes, self.position + self.length as u64)?;
        let next = Offset::from_be_bytes(bytes);
        // A preallocated file continues with zeros.
        Ok((read == bytes.len() && next > offset).then_some(next))
    }

    /// Appends the slice's bytes to `out`.
    pub fn read_into(&self, out: &mut Vec<u8>) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        if append_at(file, self.position, self.length, out)? < self.length {
            return Err(Error::failed("the log ends before its time"));
        }
        Ok(())
    }

    /// The slice's bytes.
    pub fn to_vec(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_into(&mut bytes)?;
        Ok(bytes)
    }
}
