//! A stream of bytes cut into pieces: lines, records with another end, CSV rows, or the whole.
//!
//! Owns the bytes that are not yet a whole piece, and the bound on a piece's size.

use std::ops::Range;

use super::BadInput;
use super::chunks::Block;

/// The size of the largest piece, in bytes; no broker accepts a larger record.
pub const MAX_PIECE: usize = 1 << 30;

/// What ends a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceEnd {
    /// These bytes, which are not part of the piece.
    Delimiter(Vec<u8>),
    /// LF, CR LF or a lone CR, as Java reads lines.
    JavaLine,
    /// A line end outside quotes.
    CsvRow,
    /// Only the end of the source.
    Whole,
}

/// Cuts the bytes that are pushed into pieces.
#[derive(Debug)]
pub struct Splitter {
    end: PieceEnd,
    buffer: Vec<u8>,
    /// The start of the next piece.
    start: usize,
    /// The position up to which the end of the next piece was searched.
    searched: usize,
    /// Whether the last piece ended with CR: a LF that follows belongs to it.
    skips_newline: bool,
    /// Whether `searched` is within quotes.
    is_quoted: bool,
}

impl Splitter {
    pub fn new(end: PieceEnd) -> Self {
        Self {
            end,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            skips_newline: false,
            is_quoted: false,
        }
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BadInput> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched = self.searched.saturating_sub(self.start);
            self.start = 0;
        }
        if self.buffer.len() + bytes.len() > MAX_PIECE {
            return Err(BadInput::new("a record of more than 1 GiB"));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends a block, and returns memory that is not needed any longer. The block is not copied: the rest of the
    /// earlier bytes moves into the free space before it.
    pub fn push_block(&mut self, block: Block) -> Result<Vec<u8>, BadInput> {
        let left = self.buffer.get(self.start..).unwrap_or_default();
        let (mut bytes, data) = block.into_parts();
        let begin = data.checked_sub(left.len());
        let Some((begin, room)) = begin.and_then(|begin| Some((begin, bytes.get_mut(begin..data)?))) else {
            self.push(bytes.get(data..).unwrap_or_default())?;
            return Ok(bytes);
        };
        room.copy_from_slice(left);
        self.searched = begin + self.searched.saturating_sub(self.start);
        self.start = begin;
        Ok(std::mem::replace(&mut self.buffer, bytes))
    }

    /// The next whole piece.
    pub fn next_piece(&mut self) -> Option<&[u8]> {
        self.skip_newline();
        let (end, next) = self.find_end()?;
        let start = self.start;
        self.start = next;
        self.searched = next;
        self.buffer.get(start..end)
    }

    fn skip_newline(&mut self) {
        if self.skips_newline && self.start < self.buffer.len() {
            self.skips_newline = false;
            if self.buffer.get(self.start) == Some(&b'\n') {
                self.start += 1;
                self.searched = self.searched.max(self.start);
            }
        }
    }

    /// The next whole pieces, up to the capacity of `places`, as ranges in [`Splitter::bytes`].
    pub fn next_pieces(&mut self, places: &mut Vec<Range<usize>>) {
        while places.len() < places.capacity() {
            self.skip_newline();
            let Some((end, next)) = self.find_end() else {
                return;
            };
            places.push(self.start..end);
            self.start = next;
            self.searched = next;
        }
    }

    /// The bytes that are still held; the ranges of pieces refer to them.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Pushes back all pieces from the one that begins at `start` on.
    pub fn unread_from(&mut self, start: usize) {
        self.start = start;
        self.searched = start;
        self.skips_newline = false;
    }

    /// The rest when the source has ended; `None` if it ended with a piece.
    pub fn last_piece(&mut self) -> Option<&[u8]> {
        let start = std::mem::replace(&mut self.start, self.buffer.len());
        self.searched = self.start;
        self.is_quoted = false;
        let skips_newline = std::mem::take(&mut self.skips_newline);
        let piece = self.buffer.get(start..)?;
        let is_rest_of_end = skips_newline && piece == b"\n";
        (!piece.is_empty() && !is_rest_of_end).then_some(piece)
    }

    /// The end of the next piece and the start of the one after it.
    fn find_end(&mut self) -> Option<(usize, usize)> {
        let from = self.searched.max(self.start);
        let rest = self.buffer.get(from..)?;
        match &self.end {
            PieceEnd::Whole => None,
            PieceEnd::Delimiter(delimiter) => {
                if let Some(position) = super::find(rest, delimiter, 0) {
                    return Some((from + position, from + position + delimiter.len().max(1)));
                }
                // The first bytes of the delimiter may be there already.
                let kept = delimiter.len().saturating_sub(1);
                self.searched = self.buffer.len().saturating_sub(kept).max(from);
                None
            }
            PieceEnd::JavaLine => {
                let Some(position) = memchr::memchr2(b'\n', b'\r', rest) else {
                    self.searched = self.buffer.len();
                    return None;
                };
                self.skips_newline = rest.get(position) == Some(&b'\r');
                Some((from + position, from + position + 1))
            }
            PieceEnd::CsvRow => self.find_row_end(from),
        }
    }

    fn find_row_end(&mut self, from: usize) -> Option<(usize, usize)> {
        for position in memchr::memchr2_iter(b'\n', b'"', self.buffer.get(from..)?) {
            let position = from + position;
            if self.buffer.get(position) == Some(&b'"') {
                self.is_quoted = !self.is_quoted;
            } else if !self.is_quoted {
                let before = position.checked_sub(1).filter(|before| *before >= self.start);
                let has_return = before.and_then(|before| self.buffer.get(before)) == Some(&b'\r');
                return Some((position - usize::from(has_return), position + 1));
            }
        }
        self.searched = self.buffer.len();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(end: PieceEnd, chunks: &[&[u8]]) -> Vec<String> {
        pieces_with_room(end, chunks, 4)
    }

    /// With `room` bytes of free space before each block.
    fn pieces_with_room(end: PieceEnd, chunks: &[&[u8]], room: usize) -> Vec<String> {
        let mut splitter = Splitter::new(end);
        let mut found = Vec::new();
        for chunk in chunks {
            let block = Block::new([vec![b'#'; room].as_slice(), chunk].concat(), room);
            splitter.push_block(block).unwrap();
            while let Some(piece) = splitter.next_piece() {
                found.push(String::from_utf8_lossy(piece).into_owned());
            }
        }
        found.extend(
            splitter
                .last_piece()
                .map(|piece| String::from_utf8_lossy(piece).into_owned()),
        );
        found
    }

    #[test]
    fn java_lines_end_at_each_kind_of_line_end() {
        let text = b"unix\ndos\r\nold\rmac\n\nlast";
        let expected = ["unix", "dos", "old", "mac", "", "last"];
        assert_eq!(pieces(PieceEnd::JavaLine, &[text]), expected);
        let single: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(pieces(PieceEnd::JavaLine, &single), expected);
        assert_eq!(pieces(PieceEnd::JavaLine, &[b"a\r\n"]), ["a"]);
        assert_eq!(pieces(PieceEnd::JavaLine, &[b"a\r", b"\n"]), ["a"]);
    }

    #[test]
    fn quoted_line_ends_stay_in_their_row() {
        let text = b"a,\"x\ny\"\r\nb,\"say \"\"hi\n\"\"\"\n";
        assert_eq!(
            pieces(PieceEnd::CsvRow, &[text]),
            ["a,\"x\ny\"", "b,\"say \"\"hi\n\"\"\""]
        );
    }

    proptest! {
        #[test]
        fn however_the_bytes_arrive_the_pieces_are_the_same(
            text in "[ab;\r\n\"]{0,40}",
            cuts in proptest::collection::vec(1usize..5, 1..20),
        ) {
            for end in [
                PieceEnd::Delimiter(b"\n".to_vec()),
                PieceEnd::Delimiter(b";a;".to_vec()),
                PieceEnd::JavaLine,
                PieceEnd::CsvRow,
                PieceEnd::Whole,
            ] {
                let mut chunks: Vec<&[u8]> = Vec::new();
                let mut rest = text.as_bytes();
                let mut sizes = cuts.iter().cycle();
                while !rest.is_empty() {
                    let (chunk, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                    chunks.push(chunk);
                    rest = after;
                }
                let expected = pieces(end.clone(), &[text.as_bytes()]);
                for room in [0, 3, 100] {
                    prop_assert_eq!(&pieces_with_room(end.clone(), &chunks, room), &expected);
                }
            }
        }
    }
}
