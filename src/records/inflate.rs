//! Inflates a body piece by piece, for bodies that are too large to hold in memory as a whole.
//!
//! Owns how much memory a codec's window may take; `compression` inflates into memory.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};
use std::sync::{Mutex, PoisonError};

use lz4_flex::frame::FrameDecoder;
use zstd::zstd_safe::{DCtx, DParameter};

use super::compression::{Codec, CompressionError, corrupt};
use super::gzip::GzipReader;
use super::snappy_stream::SnappyReader;
use super::whole_frame::WholeFrame;

/// How far back zstd may refer, as a power of two: 8 MiB, which is enough for every level up to 19. A frame with a
/// larger window is read until it has inflated to 8 MiB; a small batch of a higher level has no more.
const ZSTD_WINDOW_LOG: u32 = 23;
/// The largest window that zstd takes by default.
const ZSTD_LONGEST_WINDOW_LOG: u32 = 27;

/// The kind of error for a valid frame that needs a larger window than [`reader`] keeps.
const TOO_WIDE: io::ErrorKind = io::ErrorKind::OutOfMemory;

/// The position of the window size in a frame: after the magic number and the descriptor.
const ZSTD_WINDOW_AT: usize = 5;
const ZSTD_SINGLE_SEGMENT: u8 = 1 << 5;

/// The position of an LZ4 frame's flags, and the flags that Kafka's reader checks: blocks that are independent of
/// each other, no reserved bit, no dictionary.
const LZ4_FLAGS_AT: usize = 4;
const LZ4_FLAGS_MASK: u8 = 0x23;
const LZ4_FLAGS: u8 = 0x20;

/// What `input` inflates to. The reader's errors say what is wrong with the bytes.
pub fn reader<'a>(
    codec: Codec,
    mut input: impl BufRead + Send + 'a,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match codec {
        Codec::None => Box::new(input),
        Codec::Gzip => Box::new(GzipReader::new(input)),
        Codec::Snappy => Box::new(SnappyReader::new(input)),
        Codec::Lz4 => Box::new(FrameDecoder::new(WholeFrame::new(input))),
        Codec::Zstd => {
            let wide = has_wide_window(input.fill_buf()?);
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            if wide {
                decoder.window_log_max(ZSTD_LONGEST_WINDOW_LOG)?;
                Box::new(UpTo {
                    inner: decoder,
                    left: 1 << ZSTD_WINDOW_LOG,
                })
            } else {
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        }
    })
}

/// Calls `read` with what a batch's `body` inflates to. Takes all that Apache Kafka takes: the window of a zstd
/// frame may have 128 MiB. Frames with a window above 8 MiB are read one at a time in the whole process.
pub(super) fn with_reader<T>(
    codec: Codec,
    body: &[u8],
    read: impl FnOnce(&mut dyn Read) -> T,
) -> io::Result<T> {
    static WIDE: Mutex<()> = Mutex::new(());
    thread_local! {
        static CONTEXT: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
    }
    if codec == Codec::Lz4
        && body
            .get(LZ4_FLAGS_AT)
            .is_some_and(|flags| flags & LZ4_FLAGS_MASK != LZ4_FLAGS)
    {
        return Err(io::Error::other("blocks that depend on each other"));
    }
    if codec == Codec::Zstd && body.is_empty() {
        return Ok(read(&mut io::empty()));
    }
    if codec != Codec::Zstd {
        return Ok(read(&mut reader(codec, body)?));
    }
    let wide = has_wide_window(body);
    let _one_at_a_time = wide.then(|| WIDE.lock().unwrap_or_else(PoisonError::into_inner));
    let inflate = |context: &mut DCtx<'static>, window_log| {
        let _ = context.reset(zstd::zstd_safe::ResetDirective::SessionAndParameters);
        let set = context.set_parameter(DParameter::WindowLogMax(window_log));
        set.map_err(|_| io::Error::other("window too wide"))?;
        Ok(read(&mut zstd::stream::read::Decoder::with_context(
            body, context,
        )))
    };
    if wide {
        inflate(&mut DCtx::create(), ZSTD_LONGEST_WINDOW_LOG)
    } else {
        CONTEXT.with_borrow_mut(|context| inflate(context, ZSTD_WINDOW_LOG))
    }
}

/// What a batch's `body` inflates to, by the rules of [`with_reader`]; more than `limit` bytes are an error.
pub fn into_memory(codec: Codec, body: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    with_reader(codec, body, |reader| {
        let mut inflated = Vec::new();
        let read = reader.take(limit as u64 + 1).read_to_end(&mut inflated)?;
        if read > limit {
            return Err(io::Error::other("more than the limit"));
        }
        Ok(inflated)
    })?
}

/// What an error of a [`reader`] says about the body.
pub fn error(codec: Codec, error: &io::Error) -> CompressionError {
    if error.kind() == TOO_WIDE {
        CompressionError::TooLarge {
            codec,
            limit: 1 << ZSTD_WINDOW_LOG,
        }
    } else {
        corrupt(codec, error)
    }
}

/// Whether the first frame has a window above 8 MiB.
fn has_wide_window(frame: &[u8]) -> bool {
    let Some(descriptor) = frame.get(4) else {
        return false;
    };
    if descriptor & ZSTD_SINGLE_SEGMENT != 0 {
        // The window is as large as the content.
        return content_size(*descriptor, frame).is_none_or(|size| size > 1 << ZSTD_WINDOW_LOG);
    }
    let exponent = frame.get(ZSTD_WINDOW_AT).map_or(0, |byte| u32::from(byte >> 3));
    10 + exponent >= ZSTD_WINDOW_LOG
}

/// The content size that a frame without a window field states.
fn content_size(descriptor: u8, frame: &[u8]) -> Option<u64> {
    let dictionary_id = match descriptor & 3 {
        3 => 4,
        bytes => usize::from(bytes),
    };
    let size = frame.get(ZSTD_WINDOW_AT + dictionary_id..)?;
    Some(match descriptor >> 6 {
        0 => u64::from(*size.first()?),
        1 => u64::from(u16::from_le_bytes(*size.first_chunk()?)) + 256,
        2 => u64::from(u32::from_le_bytes(*size.first_chunk()?)),
        _ => u64::from_le_bytes(*size.first_chunk()?),
    })
}

/// Gives `left` bytes of `inner`, then an error.
struct UpTo<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for UpTo<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(self.left.max(1));
        let read = self.inner.read(out.get_mut(..most).unwrap_or_default())?;
        if read > self.left {
            return Err(io::Error::from(TOO_WIDE));
        }
        self.left -= read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::compression::compress;
    use super::*;

    #[test]
    fn every_codec_gives_back_what_it_took_piece_by_piece() {
        let input: Vec<u8> = (0..300_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for codec in Codec::ALL {
            let mut compressed = Vec::new();
            compress(codec, &input, &mut compressed).unwrap();
            let mut out = Vec::new();
            reader(codec, compressed.as_slice())
                .unwrap()
                .read_to_end(&mut out)
                .unwrap();
            assert!(out == input, "{codec}");
            compressed.truncate(compressed.len() / 2);
            let cut = reader(codec, compressed.as_slice())
                .and_then(|mut reader| reader.read_to_end(&mut Vec::new()));
            assert!(codec == Codec::None || cut.is_err(), "{codec}");
        }
    }
}
