//! How Java turns bytes and floating numbers into text, where it differs from Rust.
//!
//! Owns the replacement of bytes that are not UTF-8 as `new String(bytes, UTF_8)` does it, and `Double.toString`.

use std::borrow::Cow;

const REPLACEMENT: &str = "\u{fffd}";

/// Bytes as Java's text: what is not UTF-8 becomes U+FFFD, an encoded surrogate a single one.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(chunks(bytes).collect())
}

/// Appends bytes as Java's text, in UTF-8.
pub fn push_decoded(bytes: &[u8], out: &mut Vec<u8>) {
    if std::str::from_utf8(bytes).is_ok() {
        out.extend_from_slice(bytes);
        return;
    }
    for chunk in chunks(bytes) {
        out.extend_from_slice(chunk.as_bytes());
    }
}

/// How many bytes at the end of a piece of text begin a character that the next piece may complete.
pub fn unfinished(piece: &[u8]) -> usize {
    for (back, byte) in (1..).zip(piece.iter().rev().take(3)) {
        let needed = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if needed > back { back } else { 0 };
    }
    0
}

/// The pieces of the text in order: what is UTF-8, and a replacement for what is not.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = &str> {
    let mut pending: Option<&str> = None;
    std::iter::from_fn(move || {
        if let Some(replacement) = pending.take() {
            return Some(replacement);
        }
        if bytes.is_empty() {
            return None;
        }
        let chunk = bytes.utf8_chunks().next()?;
        let (valid, invalid) = (chunk.valid(), chunk.invalid().len());
        let rest = bytes.get(valid.len()..).unwrap_or_default();
        bytes = rest.get(replaced_at_once(rest, invalid)..).unwrap_or_default();
        if invalid > 0 {
            pending = Some(REPLACEMENT);
        }
        if valid.is_empty() {
            pending.take()
        } else {
            Some(valid)
        }
    })
}

/// How many bytes one replacement replaces, where Rust counts `invalid`.
fn replaced_at_once(rest: &[u8], invalid: usize) -> usize {
    match rest {
        [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
        [0xed, 0xa0..=0xbf, ..] => 2,
        _ => invalid,
    }
}

/// Appends a number as `Double.toString` writes it.
pub fn push_double(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(double(value).as_bytes());
}

/// A number as `Double.toString` writes it: `1.0`, `1.0E10`, `1.0E-5`, `NaN`, `Infinity`.
pub fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    if text.contains('.') {
        return text;
    }
    // Java writes at least two digits, and the nearest number of that length: 4.9E-324.
    format!("{value:.1E}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expectations: `new String(bytes, UTF_8)` of Java 17.
    #[test]
    fn an_encoded_surrogate_is_one_replacement() {
        for (bytes, expected) in [
            (&b"\xed\xa0"[..], "\u{fffd}"),
            (b"\xed\xbf\xa0", "\u{fffd}"),
            (b"\xed\xbf\x7f", "\u{fffd}\x7f"),
            (b"\xec\xed\xbf", "\u{fffd}\u{fffd}"),
            (b"\xc0\x41\xed\xa0", "\u{fffd}A\u{fffd}"),
            (b"\xc2\x90\xed\xbf", "\u{90}\u{fffd}"),
            (b"\xf0\x90\x80", "\u{fffd}"),
            (b"\xe0\x80", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(decode(bytes), expected, "{bytes:x?}");
        }
    }

    /// Expectations: `Double.toString` of Java 17.
    #[test]
    fn doubles_are_written_as_in_java() {
        for (value, expected) in [
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (1_048_576.5, "1048576.5"),
            (1.5e300, "1.5E300"),
            (f64::from_bits(1), "4.9E-324"),
            (f64::from_bits(16), "7.9E-323"),
            (f64::from_bits(20), "9.9E-323"),
        ] {
            assert_eq!(double(value), expected);
        }
    }
}
