//! Snappy as a stream: xerial blocks one after the other, or one bare raw block element by element.
//!
//! <https://github.com/google/snappy/blob/main/format_description.txt>. Owns the window of a bare block, which is
//! larger than any known compressor needs.

use std::io::{self, Read};

use super::compression::CompressionError;
use super::fields::i32_at;
use super::snappy::{self, HEADER_LEN, MAGIC};
use super::varint;

/// How far back a copy may refer; compressors work in fragments of 64 KiB.
const WINDOW: usize = 1 << 20;
/// What one xerial block may hold; snappy-java writes 32 KiB.
const MOST_IN_BLOCK: usize = 4 << 20;
/// Inflated bytes are produced in pieces of about this size.
const PIECE: usize = 64 * 1024;
/// The length in front of a bare block has 32 bits, seven in each byte.
const MAX_LENGTH_BYTES: usize = 5;

/// Reads what a stream inflates to.
pub(super) struct SnappyReader<R> {
    input: R,
    /// Inflated bytes; those from `taken` on have not been read yet.
    out: Vec<u8>,
    taken: usize,
    block: Vec<u8>,
    kind: Kind,
}

enum Kind {
    Unknown,
    Xerial,
    /// A bare block: bytes left to inflate, and how many of them belong to a literal that has begun.
    Bare {
        left: u64,
        literal: u64,
    },
}

impl<R: Read> SnappyReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            out: Vec::new(),
            taken: 0,
            block: Vec::new(),
            kind: Kind::Unknown,
        }
    }

    /// Inflates some more; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        match self.kind {
            Kind::Unknown => self.begin(),
            Kind::Xerial => self.xerial_block(),
            Kind::Bare { left: 0, .. } => {
                if self.byte()?.is_some() {
                    return Err(bad("bytes after the end of the block"));
                }
                Ok(false)
            }
            Kind::Bare { left, literal } => self.piece(left, literal).map(|()| true),
        }
    }

    fn begin(&mut self) -> io::Result<bool> {
        let mut head = Vec::new();
        self.input
            .by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut head)?;
        if head == MAGIC {
            self.exactly(HEADER_LEN - MAGIC.len())?;
            self.kind = Kind::Xerial;
            return self.xerial_block();
        }
        let mut rest = head.as_slice();
        let left = varint::take(&mut rest, MAX_LENGTH_BYTES)
            .ok_or_else(|| bad("length is no varint of five bytes at most"))?;
        let at = head.len() - rest.len();
        // The bytes after the length are read again, before the rest.
        self.block = head.split_off(at);
        self.block.reverse();
        self.kind = Kind::Bare { left, literal: 0 };
        Ok(true)
    }

    /// The next byte of a bare block.
    fn byte(&mut self) -> io::Result<Option<u8>> {
        if let Some(byte) = self.block.pop() {
            return Ok(Some(byte));
        }
        let mut byte = [0];
        loop {
            match self.input.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(byte.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn number(&mut self, bytes: u32) -> io::Result<u64> {
        (0..bytes).try_fold(0, |number, index| {
            let byte = self.byte()?.ok_or_else(|| bad("block is cut off"))?;
            Ok(number | u64::from(byte) << (8 * index))
        })
    }

    fn exactly(&mut self, bytes: usize) -> io::Result<()> {
        self.block.clear();
        let read = self
            .input
            .by_ref()
            .take(bytes as u64)
            .read_to_end(&mut self.block)?;
        if read < bytes {
            return Err(bad("block is cut off"));
        }
        Ok(())
    }

    fn xerial_block(&mut self) -> io::Result<bool> {
        self.block.clear();
        let read = self.input.by_ref().take(4).read_to_end(&mut self.block)?;
        if read == 0 {
            return Ok(false);
        }
        if read < 4 {
            // The Java reader takes a length that is cut off for the end of the stream.
            return Ok(false);
        }
        if MAGIC.starts_with(&self.block) {
            // Streams written one after the other.
            self.exactly(HEADER_LEN - 4)?;
            return Ok(true);
        }
        let length = usize::try_from(i32_at(&self.block, 0)).map_err(|_| bad("negative block length"))?;
        if length > MOST_IN_BLOCK {
            return Err(bad("block is longer than 4 MiB"));
        }
        self.exactly(length)?;
        self.out.clear();
        self.taken = 0;
        snappy::inflate_block(&self.block, &mut self.out, 0, MOST_IN_BLOCK)
            .map_err(|error: CompressionError| io::Error::other(error.to_string()))?;
        Ok(true)
    }

    /// Elements of a bare block, until there is a piece of them.
    fn piece(&mut self, mut left: u64, mut literal: u64) -> io::Result<()> {
        if self.out.len() > 2 * WINDOW {
            let gone = self.out.len() - WINDOW;
            self.out.drain(..gone);
        }
        self.taken = self.out.len();
        while left > 0 && self.out.len() - self.taken < PIECE {
            if literal > 0 {
                let now = literal.min(PIECE as u64);
                self.literal(now)?;
                (literal, left) = (literal - now, left - now);
                continue;
            }
            let tag = self.byte()?.ok_or_else(|| bad("block is cut off"))?;
            let (kind, length) = (tag & 3, u32::from(tag >> 2));
            if kind == 0 {
                literal = 1 + match length {
                    0..60 => length.into(),
                    _ => self.number(length - 59)?,
                };
                if literal > left {
                    return Err(bad("block holds more than it says"));
                }
                continue;
            }
            left = left
                .checked_sub(self.copy(tag)?)
                .ok_or_else(|| bad("block holds more than it says"))?;
        }
        self.kind = Kind::Bare { left, literal };
        Ok(())
    }

    fn literal(&mut self, mut bytes: u64) -> io::Result<()> {
        while bytes > 0
            && let Some(byte) = self.block.pop()
        {
            self.out.push(byte);
            bytes -= 1;
        }
        let read = self.input.by_ref().take(bytes).read_to_end(&mut self.out)?;
        if (read as u64) < bytes {
            return Err(bad("literal is cut off"));
        }
        Ok(())
    }

    fn copy(&mut self, tag: u8) -> io::Result<u64> {
        let (length, offset) = match tag & 3 {
            1 => (
                4 + usize::from(tag >> 2 & 7),
                u64::from(tag >> 5) << 8 | self.number(1)?,
            ),
            2 => (1 + usize::from(tag >> 2), self.number(2)?),
            _ => (1 + usize::from(tag >> 2), self.number(4)?),
        };
        let from = usize::try_from(offset)
            .ok()
            .filter(|offset| *offset > 0)
            .and_then(|offset| self.out.len().checked_sub(offset))
            .ok_or_else(|| bad("a copy refers back further than there is"))?;
        // A copy may overlap its own output: it then repeats those bytes.
        let mut left = length;
        while left > 0 {
            let now = left.min(self.out.len() - from);
            self.out.extend_from_within(from..from + now);
            left -= now;
        }
        Ok(length as u64)
    }
}

impl<R: Read> Read for SnappyReader<R> {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.out.len() {
            if !self.more()? {
                return Ok(0);
            }
        }
        let read = self.out.get(self.taken..).unwrap_or_default().read(place)?;
        self.taken += read;
        Ok(read)
    }
}

fn bad(reason: &str) -> io::Error {
    io::Error::other(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_block_of_any_length_is_read() {
        let mixed = |n: u32| n.wrapping_mul(0x9E37_79B9) >> (n % 24);
        for length in [0, 1, 59, 60, 61, 1000, 100_000, 900_000] {
            let input: Vec<u8> = (0..length).flat_map(|n| mixed(n).to_le_bytes()).collect();
            let block = snap::raw::Encoder::new().compress_vec(&input).unwrap();
            let mut out = Vec::new();
            SnappyReader::new(block.as_slice()).read_to_end(&mut out).unwrap();
            assert!(out == input, "{length}");
        }
    }

    #[test]
    fn a_block_that_claims_gigabytes_takes_no_memory() {
        let claims = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        assert!(
            SnappyReader::new(claims.as_slice())
                .read_to_end(&mut Vec::new())
                .is_err()
        );
    }
}
