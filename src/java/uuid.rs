//! Kafka's ids as text: base64 for URLs, read with the strictness and the complaints of Java's decoder.

use uuid::Uuid;

/// The id that a text encodes; the error is the message of Java's exception.
pub fn parse(text: &str) -> Result<Uuid, String> {
    if text.encode_utf16().count() > 24 {
        let prefix: String = text.chars().take(24).collect();
        return Err(format!(
            "Input string with prefix `{prefix}` is too long to be decoded as a base64 UUID"
        ));
    }
    let bytes = decode(text)?;
    Uuid::from_slice(&bytes).map_err(|_| {
        format!(
            "Input string `{text}` decoded as {} bytes, which is not equal to the expected 16 bytes of a \
             base64-encoded UUID",
            bytes.len()
        )
    })
}

/// `Base64.getUrlDecoder().decode`.
fn decode(text: &str) -> Result<Vec<u8>, String> {
    // What Latin-1 cannot say becomes a question mark.
    let input: Vec<u8> = text
        .chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?'))
        .collect();
    if input.len() == 1 {
        return Err("Input byte[] should at least have 2 bytes for base64 bytes".to_owned());
    }
    let mut out = Vec::with_capacity(18);
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
        let Some(value) = digit(*byte) else {
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

fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
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

    #[test]
    fn ids_are_read_as_java_reads_them() {
        for (text, words) in [
            ("short", "Last unit does not have enough valid bits"),
            (
                "",
                "Input string `` decoded as 0 bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID",
            ),
            ("a", "Input byte[] should at least have 2 bytes for base64 bytes"),
            ("ab!d", "Illegal base64 character 21"),
            ("abéd", "Illegal base64 character -17"),
            ("ab=d", "Input byte array has wrong 4-byte ending unit"),
            ("=", "Input byte[] should at least have 2 bytes for base64 bytes"),
            ("====", "Input byte array has wrong 4-byte ending unit"),
            ("ab==cd", "Input byte array has incorrect ending byte at 4"),
            (
                "AAAAAAAAAAAAAAAAAAAAAAAAA",
                "Input string with prefix `AAAAAAAAAAAAAAAAAAAAAAAA` is too long to be decoded as a base64 UUID",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), words, "{text}");
        }
        let one = Uuid::from_u128(1);
        assert_eq!(parse("AAAAAAAAAAAAAAAAAAAAAQ"), Ok(one));
        assert_eq!(parse("AAAAAAAAAAAAAAAAAAAAAQ=="), Ok(one));
    }
}
