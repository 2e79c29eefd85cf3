//! Input for the decoder of LZ4 frames, which takes the end of its input for the end of the frame.
//!
//! Here the end of the input is an error: a frame says itself where it ends, and the decoder reads no further.

use std::io::{self, Read};

/// Reads from `input`; its end is an error.
pub(super) struct WholeFrame<R> {
    input: R,
}

impl<R: Read> WholeFrame<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input }
    }
}

impl<R: Read> Read for WholeFrame<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.input.read(out)? {
            // No error of another kind: the decoder would take it for the end of the frame.
            0 if !out.is_empty() => Err(io::Error::new(io::ErrorKind::InvalidData, "frame is cut off")),
            read => Ok(read),
        }
    }
}
