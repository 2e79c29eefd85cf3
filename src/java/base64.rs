//! `java.util.Base64`: which texts its decoders accept, and how they refuse others.

/// The two characters after letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// `+` and `/`: `Base64.getDecoder()`.
    Basic,
    /// `-` and `_`: `Base64.getUrlDecoder()`.
    Url,
}

/// The bytes that a text encodes; padding may be missing. The error is the message of Java's exception.
pub fn decode(alphabet: Alphabet, text: &str) -> Result<Vec<u8>, String> {
    // Characters outside Latin-1 become question marks.
    let input: Vec<u8> = text
        .chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?'))
        .collect();
    if input.len() == 1 {
        return Err("Input byte[] should at least have 2 bytes for base64 bytes".to_owned());
    }
    let mut out = Vec::with_capacity(input.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0u32, 0);
    let mut rest = input.iter().enumerate();
    let mut end = input.len();
    while let Some((position, byte)) = rest.next() {
        if *byte == b'=' {
            end = position + 1;
            let is_second = count == 2 && rest.next().is_none_or(|(_, next)| *next != b'=');
            if is_second || count == 0 {
                return Err("Input byte array has wrong 4-byte ending unit".to_owned());
            }
            end += usize::from(count == 2);
            break;
        }
        let Some(value) = digit(alphabet, *byte) else {
            return Err(format!("Illegal base64 character {}", java_hex(*byte)));
        };
        bits = bits << 6 | value;
        count += 1;
        if count == 4 {
            out.extend_from_slice(bits.to_be_bytes().get(1..).unwrap_or_default());
            (bits, count) = (0, 0);
        }
    }
    match count {
        1 => return Err("Last unit does not have enough valid bits".to_owned()),
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        _ => {}
    }
    if end < input.len() {
        return Err(format!("Input byte array has incorrect ending byte at {end}"));
    }
    Ok(out)
}

fn digit(alphabet: Alphabet, byte: u8) -> Option<u32> {
    let value = match (alphabet, byte) {
        (_, b'A'..=b'Z') => byte - b'A',
        (_, b'a'..=b'z') => byte - b'a' + 26,
        (_, b'0'..=b'9') => byte - b'0' + 52,
        (Alphabet::Basic, b'+') | (Alphabet::Url, b'-') => 62,
        (Alphabet::Basic, b'/') | (Alphabet::Url, b'_') => 63,
        _ => return None,
    };
    Some(value.into())
}

/// `Integer.toString(byte, 16)`, with Java's signed bytes.
fn java_hex(byte: u8) -> String {
    let signed = byte.cast_signed();
    if signed < 0 {
        format!("-{:x}", signed.unsigned_abs())
    } else {
        format!("{signed:x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    #[test]
    fn each_alphabet_has_characters_of_its_own() {
        assert_eq!(decode(Alphabet::Basic, "+/+/"), decode(Alphabet::Url, "-_-_"));
        let refused = decode(Alphabet::Basic, "ab_d");
        assert_eq!(refused, Err("Illegal base64 character 5f".to_owned()));
        assert!(decode(Alphabet::Url, "ab/d").is_err());
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(bytes: Vec<u8>) {
            let (basic, url) = (STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes));
            prop_assert_eq!(decode(Alphabet::Basic, &basic), Ok(bytes.clone()));
            prop_assert_eq!(decode(Alphabet::Url, &url), Ok(bytes));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[A-Za-z0-9+/=_-]{0,12}\\PC{0,3}=*") {
            let _ = decode(Alphabet::Basic, &text);
        }
    }
}
