//! Gzip as Java reads it: members one after the other; what follows the last member is ignored.
//!
//! <https://www.rfc-editor.org/rfc/rfc1952>. Flags that have no meaning are ignored, which other readers refuse.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATE: u8 = 8;
const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;

/// Reads what gzip members inflate to.
pub(super) struct GzipReader<R> {
    input: R,
    inflater: Decompress,
    crc: crc32fast::Hasher,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FirstHeader,
    NextHeader,
    Data,
    Trailer,
    End,
}

impl<R: BufRead> GzipReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            inflater: Decompress::new(false),
            crc: crc32fast::Hasher::new(),
            state: State::FirstHeader,
        }
    }

    fn header(&mut self) -> io::Result<()> {
        let mut crc = crc32fast::Hasher::new();
        let mut take = |input: &mut R| {
            let mut byte = [0];
            input.read_exact(&mut byte)?;
            crc.update(&byte);
            Ok::<_, io::Error>(byte[0])
        };
        let mut fixed = [0; 10];
        for byte in &mut fixed {
            *byte = take(&mut self.input)?;
        }
        let [first, second, method, flags, ..] = fixed;
        if [first, second] != MAGIC || method != DEFLATE {
            return Err(bad("no gzip header"));
        }
        if flags & FLAG_EXTRA != 0 {
            let length = u16::from_le_bytes([take(&mut self.input)?, take(&mut self.input)?]);
            for _ in 0..length {
                take(&mut self.input)?;
            }
        }
        for flag in [FLAG_NAME, FLAG_COMMENT] {
            if flags & flag != 0 {
                while take(&mut self.input)? != 0 {}
            }
        }
        if flags & FLAG_HEADER_CRC != 0 {
            let computed = crc.finalize() as u16;
            let mut stored = [0; 2];
            self.input.read_exact(&mut stored)?;
            if u16::from_le_bytes(stored) != computed {
                return Err(bad("wrong checksum of a gzip header"));
            }
        }
        self.inflater.reset(false);
        self.crc.reset();
        Ok(())
    }

    /// Inflates some of a member; 0 at its end.
    fn data(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = self.input.fill_buf()?;
            let at_end = input.is_empty();
            let (read_before, written_before) = (self.inflater.total_in(), self.inflater.total_out());
            let status = self
                .inflater
                .decompress(input, out, FlushDecompress::None)
                .map_err(|_| bad("corrupt deflate stream"))?;
            self.input
                .consume((self.inflater.total_in() - read_before) as usize);
            let written = (self.inflater.total_out() - written_before) as usize;
            self.crc.update(out.get(..written).unwrap_or_default());
            if written > 0 || status == Status::StreamEnd {
                if status == Status::StreamEnd {
                    self.state = State::Trailer;
                }
                return Ok(written);
            }
            if at_end {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn trailer(&mut self) -> io::Result<()> {
        let mut crc = [0; 4];
        let mut length = [0; 4];
        self.input.read_exact(&mut crc)?;
        self.input.read_exact(&mut length)?;
        let computed = std::mem::take(&mut self.crc).finalize();
        if u32::from_le_bytes(crc) != computed
            || u32::from_le_bytes(length) != self.inflater.total_out() as u32
        {
            return Err(bad("wrong checksum of a gzip member"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::FirstHeader => {
                    self.header()?;
                    self.state = State::Data;
                }
                State::NextHeader => {
                    let another = self.header().is_ok();
                    self.state = if another { State::Data } else { State::End };
                }
                State::Data => {
                    let written = self.data(out)?;
                    if written > 0 {
                        return Ok(written);
                    }
                }
                State::Trailer => {
                    self.trailer()?;
                    self.state = State::NextHeader;
                }
                State::End => return Ok(0),
            }
        }
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
