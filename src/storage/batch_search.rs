//! Finds the next whole batch after bytes that are no batch.
//!
//! Owns what is taken for a batch there: a header that contradicts neither itself nor the file, and a correct
//! checksum.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::large_batch::LargeBatch;
use super::positioned::fill_at;
use crate::records::batch_header::{BatchHeader, HEADER_LEN, MAGIC_AT};

/// Bytes searched at once.
const WINDOW_BYTES: usize = 128 * 1024;
/// Checksums are computed over at most this many times the searched bytes: a file full of headers that state long
/// batches would otherwise take days.
const MOST_SUMMED: u64 = 16;

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The batch's format: that of the batches before.
    pub magic: i8,
    /// The smallest base offset.
    pub least_offset: i64,
}

/// The first byte from `from` on where a whole batch begins that ends before `end`.
pub fn next_batch(file: &Arc<File>, from: u64, end: u64, wanted: Wanted) -> io::Result<Option<u64>> {
    let mut budget = end.saturating_sub(from).saturating_mul(MOST_SUMMED);
    let mut window = vec![0; WINDOW_BYTES];
    let mut at = from;
    loop {
        let filled = fill_at(file, at, &mut window)?;
        let bytes = window.get(..filled).unwrap_or_default();
        if filled < HEADER_LEN {
            return Ok(None);
        }
        let starts = filled - HEADER_LEN + 1;
        let magics = bytes.get(MAGIC_AT..MAGIC_AT + starts).unwrap_or_default();
        for start in memchr::memchr_iter(wanted.magic as u8, magics) {
            let position = at + start as u64;
            let size = bytes.get(start..).and_then(plausible);
            let Some((header, size)) = size.filter(|(header, size)| {
                header.base_offset >= wanted.least_offset && position.saturating_add(*size) <= end
            }) else {
                continue;
            };
            let Some(left) = budget.checked_sub(size) else {
                return Ok(None);
            };
            budget = left;
            let batch = LargeBatch {
                file: Arc::clone(file),
                at: position,
                size,
            };
            if batch.computed_crc(&header)? == header.crc {
                return Ok(Some(position));
            }
        }
        at += starts as u64;
    }
}

/// The header at the start of `bytes` and the batch's size, unless no broker would have written it.
fn plausible(bytes: &[u8]) -> Option<(BatchHeader, u64)> {
    let header = BatchHeader::parse(bytes).ok()?;
    // The defined attribute bits.
    let (known, least_count) = if header.magic < 2 { (0x0f, -1) } else { (0x7f, 0) };
    let is_known = header.attributes & !known == 0 && header.codec().is_some();
    let counts = least_count..=i64::from(header.last_offset_delta) + 1;
    let adds_up = header.last_offset_delta >= 0 && counts.contains(&header.records_count.into());
    let has_offsets = header.base_offset.checked_add(header.last_offset_delta.into())? < i64::MAX;
    (is_known && adds_up && has_offsets).then(|| (header, header.size_in_bytes() as u64))
}
