//! Kafka's ids as text: base64 for URLs, parsed as strictly as by Java's decoder and with its error messages.

use uuid::Uuid;

use super::base64::{Alphabet, decode};

/// The id that a text encodes; the error is the message of Java's exception.
pub fn parse(text: &str) -> Result<Uuid, String> {
    if text.encode_utf16().count() > 24 {
        let prefix: String = text.chars().take(24).collect();
        return Err(format!(
            "Input string with prefix `{prefix}` is too long to be decoded as a base64 UUID"
        ));
    }
    let bytes = decode(Alphabet::Url, text)?;
    Uuid::from_slice(&bytes).map_err(|_| {
        format!(
            "Input string `{text}` decoded as {} bytes, which is not equal to the expected 16 bytes of a \
             base64-encoded UUID",
            bytes.len()
        )
    })
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
