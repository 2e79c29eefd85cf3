//! Control characters and bytes that are not text are never sent to a terminal from other people's data: they could
//! move the cursor, rename the window, or worse.

use std::borrow::Cow;

use super::record::RecordFormatter;
use crate::client::record_source::ConsumedRecord;

fn is_text(character: char) -> bool {
    !character.is_control() || matches!(character, '\n' | '\t')
}

/// A name for a terminal: control characters as `\xHH`, except line ends and tabs.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_text) {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    make_printable(0, &mut bytes);
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Replaces from `begin` on what is not text for a terminal by `\xHH`: control characters except line ends and tabs,
/// and bytes that are not UTF-8.
pub(super) fn make_printable(begin: usize, out: &mut Vec<u8>) {
    let Some(written) = out.get(begin..) else { return };
    if std::str::from_utf8(written).is_ok_and(|text| text.chars().all(is_text)) {
        return;
    }
    let written = out.split_off(begin);
    for chunk in written.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            if is_text(character) {
                out.extend_from_slice(bytes);
            } else {
                push_hex(bytes, out);
            }
        }
        push_hex(chunk.invalid(), out);
    }
}

/// The same for bytes that come in pieces: a character that is cut at the end of a piece waits for its rest.
#[derive(Debug, Default)]
pub struct PrintablePieces {
    cut: Vec<u8>,
}

impl PrintablePieces {
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let begin = out.len();
        out.append(&mut self.cut);
        out.extend_from_slice(piece);
        let whole = out.len() - length_of_cut(out.get(begin..).unwrap_or_default());
        self.cut = out.split_off(whole);
        make_printable(begin, out);
    }

    /// Ends the input: writes the rest of a character that was cut.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        let begin = out.len();
        out.append(&mut self.cut);
        make_printable(begin, out);
    }
}

/// How many bytes at the end may be the beginning of a character.
fn length_of_cut(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(3).position(|byte| byte & 0xc0 == 0xc0);
    let Some(back) = last else { return 0 };
    let length = bytes
        .iter()
        .rev()
        .nth(back)
        .map_or(0, |first| first.leading_ones() as usize);
    if length > back + 1 { back + 1 } else { 0 }
}

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.extend_from_slice(b"\\x");
        push_digits(*byte, out);
    }
}

fn push_digits(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for nibble in [byte >> 4, byte & 15] {
        out.extend(DIGITS.get(usize::from(nibble)));
    }
}

/// JSON for a terminal: JSON itself escapes the control characters of ASCII except one; that one and those beyond ASCII
/// are escaped here, which does not change the value.
#[derive(Debug)]
pub struct JsonOnTerminal<F>(pub F);

impl<F: RecordFormatter> RecordFormatter for JsonOnTerminal<F> {
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let begin = out.len();
        let outcome = self.0.write(record, out);
        escape_in_json(begin, out);
        outcome
    }

    fn wants_headers(&self) -> bool {
        self.0.wants_headers()
    }
}

/// Escapes the control characters that JSON leaves as they are, from `begin` on.
pub fn escape_in_json(begin: usize, out: &mut Vec<u8>) {
    let Some(Ok(text)) = out.get(begin..).map(std::str::from_utf8) else {
        return;
    };
    if text.chars().all(is_text) {
        return;
    }
    let text = text.to_owned();
    out.truncate(begin);
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(code) if !is_text(character) => {
                out.extend_from_slice(b"\\u00");
                push_digits(code, out);
            }
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_shown_in_hexadecimal() {
        for (bytes, shown) in [
            (&b"plain\ttext\n"[..], "plain\ttext\n"),
            (b"\x1b[31mred", "\\x1b[31mred"),
            (b"a\xff\xfeb\n", "a\\xff\\xfeb\n"),
            ("\u{9b}é".as_bytes(), "\\xc2\\x9bé"),
        ] {
            let mut out = b"before \xff".to_vec();
            let begin = out.len();
            out.extend_from_slice(bytes);
            make_printable(begin, &mut out);
            assert_eq!(out.get(begin..), Some(shown.as_bytes()));
        }
        assert_eq!(printable("a\u{1b}b"), "a\\x1bb");
    }

    #[test]
    fn pieces_are_what_the_whole_would_be() {
        let whole = b"a\x1b\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xc3(\xe2\x82".as_slice();
        let mut wanted = whole.to_vec();
        make_printable(0, &mut wanted);
        for size in 1..whole.len() {
            let (mut pieces, mut out) = (PrintablePieces::default(), Vec::new());
            for piece in whole.chunks(size) {
                pieces.push(piece, &mut out);
            }
            pieces.end(&mut out);
            assert_eq!(out, wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn json_means_the_same_when_it_is_escaped() {
        let mut out = "{\"a\":\"\u{9b}é\u{7f}\"}".as_bytes().to_vec();
        escape_in_json(0, &mut out);
        assert_eq!(out, "{\"a\":\"\\u009bé\\u007f\"}".as_bytes());
    }
}
