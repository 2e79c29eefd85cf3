//! Snappy as Kafka's clients write it: blocks after the xerial header, or one raw block (librdkafka).
//!
//! <https://github.com/xerial/snappy-java#data-format-for-the-stream-oriented-api>

use super::compression::{Codec, CompressionError, corrupt};
use super::fields::i32_at;

pub(super) const MAGIC: &[u8] = b"\x82SNAPPY\0";
/// The magic and two version numbers.
pub(super) const HEADER_LEN: usize = 16;
/// Uncompressed bytes in a block, as snappy-java writes them.
const BLOCK_LEN: usize = 32 * 1024;
/// No block can inflate to more than this many times its size: an element of three bytes copies at most 64.
const MAX_RATIO: usize = 64;

pub(super) fn decompress_into(input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), CompressionError> {
    let start = out.len();
    if !input.starts_with(MAGIC) {
        return inflate_block(input, out, start, limit);
    }
    let mut rest = input
        .get(HEADER_LEN..)
        .ok_or_else(|| error("header is cut off"))?;
    while !rest.is_empty() {
        if rest.starts_with(MAGIC) {
            // Streams written one after the other.
            rest = rest.get(HEADER_LEN..).ok_or_else(|| error("header is cut off"))?;
            continue;
        }
        let length = usize::try_from(i32_at(rest, 0)).map_err(|_| error("negative block length"))?;
        let block = rest
            .get(4..4usize.saturating_add(length))
            .ok_or_else(|| error("block is cut off"))?;
        inflate_block(block, out, start, limit)?;
        rest = rest.get(4 + length..).unwrap_or_default();
    }
    Ok(())
}

pub(super) fn inflate_block(
    block: &[u8],
    out: &mut Vec<u8>,
    start: usize,
    limit: usize,
) -> Result<(), CompressionError> {
    let claimed = snap::raw::decompress_len(block).map_err(|reason| corrupt(Codec::Snappy, &reason))?;
    if claimed > block.len().saturating_mul(MAX_RATIO) {
        return Err(error("block claims more than it can hold"));
    }
    let at = out.len();
    if claimed > limit.saturating_sub(at - start) {
        return Err(CompressionError::TooLarge {
            codec: Codec::Snappy,
            limit,
        });
    }
    out.resize(at + claimed, 0);
    let place = out.get_mut(at..).unwrap_or_default();
    snap::raw::Decoder::new()
        .decompress(block, place)
        .map_err(|reason| corrupt(Codec::Snappy, &reason))?;
    Ok(())
}

pub(super) fn compress_into(input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&1i32.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    let mut encoder = snap::raw::Encoder::new();
    for block in input.chunks(BLOCK_LEN) {
        let at = out.len();
        out.resize(at + 4 + snap::raw::max_compress_len(block.len()), 0);
        let place = out.get_mut(at + 4..).unwrap_or_default();
        let written = encoder
            .compress(block, place)
            .map_err(|reason| corrupt(Codec::Snappy, &reason))?;
        super::fields::put(out, at, &(written as i32).to_be_bytes());
        out.truncate(at + 4 + written);
    }
    Ok(())
}

fn error(reason: &str) -> CompressionError {
    corrupt(Codec::Snappy, &reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_block_and_streams_in_a_row_are_read() {
        let raw = snap::raw::Encoder::new()
            .compress_vec(b"bare bare bare bare")
            .unwrap();
        let mut out = Vec::new();
        decompress_into(&raw, &mut out, 100).unwrap();
        assert_eq!(out, b"bare bare bare bare");

        let mut twice = Vec::new();
        compress_into(b"one", &mut twice).unwrap();
        compress_into(b"two", &mut twice).unwrap();
        out.clear();
        decompress_into(&twice, &mut out, 6).unwrap();
        assert_eq!(out, b"onetwo");
    }

    #[test]
    fn a_block_that_claims_gigabytes_takes_no_memory() {
        let claims = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        assert!(decompress_into(&claims, &mut Vec::new(), usize::MAX).is_err());
    }
}
