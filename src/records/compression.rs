//! The four codecs of a batch's body, with a limit on everything that is inflated.
//!
//! Owns the choice of codec and its framing as Kafka's clients write it; `snappy.rs` and `lz4_header.rs` hold the two
//! that Kafka frames in its own way.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use zstd::zstd_safe;

use super::gzip::GzipReader;
use super::snappy;
use super::whole_frame::WholeFrame;

/// A batch's codec; its number is the lowest three bits of the attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec that a batch's attributes name; `None` for the three numbers without one.
    pub fn from_attributes(attributes: i16) -> Option<Self> {
        Self::ALL.get(usize::from(attributes as u16 & 7)).copied()
    }

    /// Kafka's number for the codec.
    pub fn id(self) -> i16 {
        self as i16
    }

    /// Kafka's name, as in `compression.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// The codec that `compression.type` or a command line names.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a body could not be inflated or compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompressionError {
    /// The bytes are not what the codec writes.
    Corrupt { codec: Codec, reason: String },
    /// More than the caller allows.
    TooLarge { codec: Codec, limit: usize },
}

impl fmt::Display for CompressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { codec, reason } => write!(f, "corrupt {codec} data: {reason}"),
            Self::TooLarge { codec, limit } => {
                write!(f, "{codec} data inflates to more than the limit of {limit} bytes")
            }
        }
    }
}

impl std::error::Error for CompressionError {}

/// Appends what `input` inflates to; an error once that exceeds `limit` bytes, however small `input` is.
pub fn decompress_into(
    codec: Codec,
    input: &[u8],
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<(), CompressionError> {
    match codec {
        Codec::None if input.len() > limit => Err(CompressionError::TooLarge { codec, limit }),
        Codec::None => {
            out.extend_from_slice(input);
            Ok(())
        }
        Codec::Gzip => read_limited(codec, GzipReader::new(input), out, limit),
        Codec::Snappy => snappy::decompress_into(input, out, limit),
        Codec::Lz4 => read_limited(codec, FrameDecoder::new(WholeFrame::new(input)), out, limit),
        Codec::Zstd if input.is_empty() => Ok(()),
        Codec::Zstd => inflate_zstd(input, out, limit),
    }
}

/// Inflates straight into `out` if the result is no larger than that of most batches, which saves a window and a
/// copy; otherwise as a stream.
fn inflate_zstd(input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), CompressionError> {
    const USUAL_BYTES: usize = 256 * 1024;
    thread_local! {
        static CONTEXT: RefCell<zstd_safe::DCtx<'static>> = RefCell::new(zstd_safe::DCtx::create());
    }
    CONTEXT.with_borrow_mut(|context| {
        if out.is_empty() {
            out.reserve(input.len().saturating_mul(16).min(USUAL_BYTES).min(limit));
            if context
                .decompress(out, input)
                .is_ok_and(|inflated| inflated <= limit)
            {
                return Ok(());
            }
            out.clear();
        }
        let _ = context.reset(zstd_safe::ResetDirective::SessionOnly);
        read_limited(
            Codec::Zstd,
            zstd::stream::read::Decoder::with_context(input, context),
            out,
            limit,
        )
    })
}

/// Appends everything that `reader` gives, up to `limit` bytes; one byte more is an error.
pub(super) fn read_limited(
    codec: Codec,
    reader: impl Read,
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<(), CompressionError> {
    let read = reader
        .take((limit as u64).saturating_add(1))
        .read_to_end(out)
        .map_err(|error| corrupt(codec, &error))?;
    if read > limit {
        return Err(CompressionError::TooLarge { codec, limit });
    }
    Ok(())
}

/// Appends the compressed form of `input`, at Kafka's default level.
pub fn compress(codec: Codec, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
    compress_at_level(codec, None, input, out)
}

/// Appends the compressed form of `input`. `level` is gzip's (1 to 9) or zstd's (negative to 22), `None` the codec's
/// default; lz4 and snappy have one speed.
pub fn compress_at_level(
    codec: Codec,
    level: Option<i32>,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    match codec {
        Codec::None => out.extend_from_slice(input),
        Codec::Gzip => deflate_gzip(level, input, out).map_err(|error| corrupt(codec, &error))?,
        Codec::Snappy => snappy::compress_into(input, out)?,
        Codec::Lz4 => deflate_lz4(input, out).map_err(|error| corrupt(codec, &error))?,
        Codec::Zstd => deflate_zstd(level, input, out).map_err(|error| corrupt(codec, &error))?,
    }
    Ok(())
}

fn deflate_gzip(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let level = level
        .and_then(|level| u32::try_from(level).ok())
        .map_or_else(flate2::Compression::default, |level| {
            flate2::Compression::new(level.min(9))
        });
    let mut encoder = flate2::write::GzEncoder::new(out, level);
    encoder.write_all(input)?;
    encoder.finish().map(|_| ())
}

/// Kafka's Java reader knows independent blocks only.
fn deflate_lz4(input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let info = FrameInfo::new()
        .block_mode(BlockMode::Independent)
        .block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder.write_all(input)?;
    encoder.finish().map(|_| ()).map_err(io::Error::other)
}

fn deflate_zstd(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
    }
    let level = level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL);
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some((kept_level, compressor)) if *kept_level == level => compressor,
            _ => &mut kept.insert((level, zstd::bulk::Compressor::new(level)?)).1,
        };
        let start = out.len();
        out.resize(start + zstd_safe::compress_bound(input.len()), 0);
        let written = compressor.compress_to_buffer(input, out.get_mut(start..).unwrap_or_default())?;
        out.truncate(start + written);
        Ok(())
    })
}

pub(crate) fn corrupt(codec: Codec, reason: &dyn fmt::Display) -> CompressionError {
    CompressionError::Corrupt {
        codec,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_gives_back_what_it_took_and_stops_at_the_limit() {
        let input: Vec<u8> = (0..200_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for codec in Codec::ALL {
            let mut compressed = b"before".to_vec();
            compress(codec, &input, &mut compressed).unwrap();
            let mut out = b"kept".to_vec();
            decompress_into(codec, &compressed[6..], &mut out, input.len()).unwrap();
            assert_eq!(&out[..4], b"kept");
            assert!(out[4..] == input, "{codec}");
            let error = decompress_into(codec, &compressed[6..], &mut Vec::new(), input.len() - 1);
            assert_eq!(
                error,
                Err(CompressionError::TooLarge {
                    codec,
                    limit: input.len() - 1
                })
            );
        }
    }

    #[test]
    fn a_cut_body_is_an_error() {
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let mut compressed = Vec::new();
            compress(codec, &[7; 1000], &mut compressed).unwrap();
            compressed.truncate(compressed.len() / 2);
            let result = decompress_into(codec, &compressed, &mut Vec::new(), 1 << 20);
            assert!(
                matches!(result, Err(CompressionError::Corrupt { .. })),
                "{codec}: {result:?}"
            );
        }
    }
}
